# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---
# %% [markdown]
# # A ranking
#
# What does MiniLM think that *jaguar speed* means? Its ranking of twenty-odd passages is all that is needed.

# %%
import intentx as ix
from intentx.datasets import load_demo
from intentx.rankers import BiEncoder

demo = load_demo("jaguar speed")
minilm = BiEncoder.minilm()
ranking = ix.rank(minilm, demo.query, demo.documents)
ranking

# %% [markdown]
# `Multiplex` finds the intent terms. It has the ranker score edited documents, so that the effect of each
# term is known and not only that it goes along with the order.

# %%
explanation = ix.Multiplex(seed=0).explain(ranking)
explanation

# %% [markdown]
# The verdict comes first. It compares the terms with chance: with the same method on shuffled orders, with
# the words of the query, and with random words.

# %%
print(explanation.verdict.sentence)

# %%
for effect in explanation.effects:
    print(f"{effect.term:12} {effect.kind:10} {effect.places:+.1f} places")

# %% [markdown]
# One line draws it. `to_html` writes a page, `to_dataframe` gives a frame, `save` and `ix.load` keep it.

# %%
axis = explanation.plot()
# %% [markdown]
# ## Against controls
#
# Ten words can be fitted to almost any list. The verdict therefore holds the terms against what explains
# nothing, on documents that were left out when the terms were chosen:

# %%
verdict = explanation.verdict
print(f"on the documents that they were chosen from: {explanation.fidelity.all:.2f}")
print(f"on documents left out: {verdict.heldout:.2f} ({verdict.low:.2f} to {verdict.high:.2f})")
print(f"the same, for shuffled orders: {verdict.shuffled:.2f}")
print(f"the words of the query: {verdict.query_terms:.2f}; random words: {verdict.random_terms:.2f}")

# %% [markdown]
# Twenty documents are few: lists of fewer than 30 documents rarely separate methods on held-out documents.
# [What to expect](../results.md) has the same for 43 queries with 100 documents each.

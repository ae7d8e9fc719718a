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
# # Counterfactuals
#
# The smallest change that drops a passage out of the first five, and the smallest that brings one in.

# %%
import intentx as ix
from intentx.datasets import load_demo
from intentx.rankers import BiEncoder

demo = load_demo("jaguar speed")
minilm = BiEncoder.minilm()
ranking = ix.rank(minilm, demo.query, demo.documents)

# %%
ix.Counterfactual(goal="leave", k=5, keep="query", budget=120, prove=60).explain(
    ranking, ranking.doc_ids[0]
)

# %% [markdown]
# `keep="query"` leaves the words of the query alone: to take those away is the trivial answer.

# %%
ix.Counterfactual(goal="enter", k=5).explain(ranking, ranking.doc_ids[7])

# %% [markdown]
# A change of the query instead of the passage:

# %%
ix.QueryCounterfactual(goal="leave", k=5).explain(ranking, ranking.doc_ids[0])

# %% [markdown]
# More goals and edits, and what `minimal` means: [What would change it](../changes.md).

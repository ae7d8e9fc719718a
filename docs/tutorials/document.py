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
# # One document
#
# Why is this passage on top, and why is it above that one?

# %%
import intentx as ix
from intentx.datasets import load_demo
from intentx.rankers import BiEncoder

demo = load_demo("jaguar speed")
ranking = ix.rank(BiEncoder.minilm(), demo.query, demo.documents)
first, second = ranking.doc_ids[:2]

# %% [markdown]
# DeepLIFT looks inside the network. It runs the passage and a reference, and shares the difference of the
# scores among the words.

# %%
deeplift = ix.DeepLIFT().explain(ranking, first)
deeplift

# %% [markdown]
# KernelSHAP works with any ranker: it has the ranker score versions of the passage with words left out.

# %%
shap = ix.KernelSHAP(samples=200, seed=0).explain(ranking, first)
axis = shap.plot()
# %% [markdown]
# ## Can it be believed?
#
# Remove the words that a method names first: how far does the passage fall, compared with random words?

# %%
for found in (deeplift, shap):
    print(found.method, found.verdict.level)
    print(ix.faithfulness(found, seed=0))

# %% [markdown]
# ## Why above that one?

# %%
ix.EXS(samples=200, seed=0).explain(ranking, first, above=second)

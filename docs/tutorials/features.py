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
# # Features
#
# Most rankers in production are trees over features. Here is a small one, made from planted data: the
# relevance of a document depends on its first two features, and not at all on the other four.

# %%
import numpy as np
from sklearn.ensemble import GradientBoostingRegressor

import intentx as ix

rng = np.random.default_rng(0)
names = ["bm25", "clicks", "length", "age", "links", "slashes"]
rows = rng.random((600, 6))
model = GradientBoostingRegressor(random_state=0).fit(rows, 2 * rows[:, 0] + rows[:, 1])

# %%
query = rng.random((40, 6))
ranking = ix.FeatureRanking.from_model(model, "running shoes", range(40), query, names)
ranking

# %% [markdown]
# Which few features keep the order, with all others at background values?

# %%
valid = ix.ValidFeatures(k=2).explain(ranking)
valid

# %% [markdown]
# What does each feature do for the whole order? Listwise Shapley values share Kendall's τ among them.

# %%
shares = ix.ListwiseSHAP(seed=0).explain(ranking)
shares

# %%
axis = shares.plot()

# %% [markdown]
# LETOR files, LightGBM, XGBoost and ONNX: [Rankers over features](../features.md). A readable model that
# orders as the ranker does: [Mimic trees](../mimic.md).

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
# # Two rankers
#
# What does MiniLM prefer that BM25 does not? Rank the same documents by both, and compare.

# %%
import pandas

import intentx as ix
from intentx.datasets import load_demo
from intentx.rankers import BM25, BiEncoder

demo = load_demo("jaguar speed")
minilm = ix.rank(BiEncoder.minilm(), demo.query, demo.documents)
bm25 = ix.rank(BM25(demo.documents), demo.query, demo.documents)

# %%
terms = {"MiniLM": ix.Multiplex(seed=0).explain(minilm), "BM25": ix.Multiplex(seed=0).explain(bm25)}
for name, found in terms.items():
    print(f"{name}: {', '.join(found.terms)} ({found.verdict.level})")

# %% [markdown]
# The first ten of both, side by side:

# %%
first = {
    name: [f"{doc}: {text[:50]}…" for doc, text in zip(found.doc_ids[:10], found.texts, strict=False)]
    for name, found in (("MiniLM", minilm), ("BM25", bm25))
}
pandas.DataFrame(first, index=range(1, 11))

# %% [markdown]
# On which documents do they differ most?

# %%
places = {doc: (minilm.doc_ids.index(doc) + 1, bm25.doc_ids.index(doc) + 1) for doc in minilm.doc_ids}
for doc, (left, right) in sorted(places.items(), key=lambda one: -abs(one[1][0] - one[1][1]))[:5]:
    print(f"{doc:18} MiniLM {left:3}  BM25 {right:3}  {minilm.texts[left - 1][:60]}")

# %% [markdown]
# Why does MiniLM put the first of them where it does? Its words, with what they add to the score:

# %%
most = max(places, key=lambda doc: abs(places[doc][0] - places[doc][1]))
ix.DeepLIFT().explain(minilm, most)

# %% [markdown]
# `intentx compare` does it for many queries, and tests which preferences really differ: [Comparing
# rankers](../compare.md).

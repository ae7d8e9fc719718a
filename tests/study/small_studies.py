"""A study of the demo that takes a second."""

import dataclasses

from intentx.study.plan import Data, Measures, Study
from intentx.study.store import Store

QUERIES = ("jaguar speed", "keyboard reviews", "python care", "apple season")
MEASURES = Measures(heldout=1, stability=2, faithfulness=2, gap=5, published=True)
QUICK = Measures(heldout=0, stability=0, faithfulness=0, shuffled=False)
ASKING = {
    "EXS": {"method": "exs", "samples": 5, "documents": 3},
    "GREEDY": {"method": "greedy", "max_terms": 3, "candidates": 5},
    "ONE": {"method": "greedy", "max_terms": 1, "candidates": 5},  # asks what GREEDY does
}


def study(**changes):
    plain = {
        "name": "small",
        "data": Data(demo=QUERIES, depth=30),
        "rankers": {"BM25": "bm25"},
        "methods": {"Q": {"method": "query-terms"}, "R": {"method": "random-terms", "max_terms": 3}},
        "measures": MEASURES,
    }
    return Study(**{**plain, **changes})


def cells(folder):
    """All rows without their seconds."""
    with Store(folder, write=False) as store:
        return [dataclasses.replace(row, seconds={}) for row in store.rows()]

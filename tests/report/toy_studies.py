"""Stores as a study leaves them, made at once: names of all kinds, failures, cells that are missing."""

from __future__ import annotations

import numpy as np

from intentx.evaluation.metrics import METRICS
from intentx.study.plan import Data, Study, digest
from intentx.study.store import Row, Store

HOSTILE = (
    """<script>window.hit=1</script><img src=x onerror="window.hit=1"></script><!-- --> ]]> """
    """'"&amp; $\\frac$ {x} %s 🎹 漢字 مفاتيح"""
)
COUNTED = ("terms", "deletion", "random_deletion", "insertion", "random_insertion", "model_calls")
WORDS = ("piano", "keys", "stage", "<b>bold</b>", "مفاتيح", "漢字", "🎹", "reviews", "typing", "switch")


def plan(rankers=("BM25", "MiniLM"), methods=("QUERY-TERMS", "GREEDY-LM", "MULTIPLEX"), name="toy"):
    """A study of rankers that nobody loads: its cells are made up."""
    kinds = {"QUERY-TERMS": "query-terms", "GREEDY-LM": "greedy"}
    return Study(
        name=name,
        data=Data(topics="/somewhere/private/topics.jsonl"),
        rankers=dict.fromkeys(rankers, "run:x"),
        methods={method: {"method": kinds.get(method, "multiplex")} for method in methods},
    )


def metrics_of(place, pair, lead=0.0):
    """Metrics of a cell that depend on nothing but their arguments."""
    draw = np.random.default_rng([place, pair])
    found = {}
    for name in METRICS:
        value = float(draw.uniform(0.4, 0.9))
        found[name] = round(20 * value) if name in COUNTED else min(1.0, value + lead)
    return found


def write(folder, study, queries, *, failed=(), missing=(), shard=(0, 1), left_out=()):
    """Fill a folder; ``failed`` and ``missing`` hold (number of a query, number of a pair)."""
    pairs = [(ranker, method) for ranker in study.rankers for method in study.methods_of(ranker)]
    known = {digest([ranker, method]): (ranker, method) for ranker, method in pairs}
    with Store(folder, write=True) as store:
        store.set_study(study.to_dict(), known)
        for place, (qid, query) in enumerate(queries):
            if place % shard[1] != shard[0]:
                continue
            store.set_topic(place, qid, query, digest([qid, query]))
            rows = []
            for number, (variant, (ranker, method)) in enumerate(known.items()):
                if (place, number) in missing:
                    continue
                start = variant, digest([qid, query]), qid, ranker, method
                if (place, number) in failed:
                    rows.append(Row(*start, f"the ranker gave NaN {HOSTILE}", (), {}, {}))
                    continue
                lead = 0.1 if method == list(study.methods)[-1] else 0.0
                metrics = metrics_of(place, number, lead)
                for name in left_out:
                    metrics.pop(name)
                terms = tuple(WORDS[(place + i) % len(WORDS)] for i in range(1 + place % 4))
                rows.append(
                    Row(*start, "", terms, metrics, {"model": 0.5, "ours": 0.25, "explain": 0.1})
                )
            store.add(rows)
    return folder


def queries(number):
    return [(f"q{i}", f"query number {i} about {WORDS[i % len(WORDS)]}") for i in range(number)]

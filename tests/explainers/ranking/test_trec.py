"""Real passages, in the order of a recorded dense ranker; skipped where there are none."""

import csv
import gzip
import json

import pytest

import intentx as ix

QID = "1110199"  # what is wifi vs bluetooth


@pytest.fixture(scope="module")
def tas_b(dl19):
    run = {}
    with gzip.open(dl19 / "candidates.tsv.gz", "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["qid"] == QID and row["retriever"] == "D_BERT_KD_TASB":
                run[row["docid"]] = float(row["score"])
    with gzip.open(dl19 / "passages.jsonl.gz", "rt", encoding="utf-8") as lines:
        passages = (json.loads(line) for line in lines)
        docs = {passage["id"]: passage["text"] for passage in passages if passage["id"] in run}
    return ix.Ranking.from_run(run, "what is wifi vs bluetooth", docs)


def test_a_recorded_dense_ranking(tas_b):
    assert len(tas_b) == 100
    small = {"candidates": 100, "seed": 0}
    found = ix.Multiplex(**small).explain(tas_b)
    query, chance = ix.QueryTerms().explain(tas_b), ix.RandomTerms(**small).explain(tas_b)
    assert found.fidelity.all > 0.65 > max(query.fidelity.all, chance.fidelity.all)
    assert found.fidelity.far > found.fidelity.all
    assert found.model_calls == 0
    assert ix.IntentExplanation.from_json(found.to_json()).to_json() == found.to_json()

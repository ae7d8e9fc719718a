import dataclasses
import io
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from rich.console import Console

import intentx as ix
from intentx.datasets import demo_queries, load_demo
from intentx.evaluation.metrics import METRICS
from intentx.rankers import BM25
from intentx.study import run
from intentx.study.data import topics
from intentx.study.plan import Data, Measures
from intentx.study.rankings import encoder_of, ranking_of
from intentx.study.results import read_results
from intentx.study.run import run_study, status, variants
from intentx.study.store import Store
from intentx.study.tables import rich_tables, summarise
from tests import tiny_models
from tests.study.small_studies import ASKING, MEASURES, QUERIES, cells, study


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    assert run_study(study(), folder) == dataclasses.replace(
        run_study(study(), folder), measured=8, found=0
    )
    return folder


def test_dense_is_a_fourth_simple_ranker_of_a_method(tmp_path):
    _, folder = tiny_models.bi_encoder(tmp_path)
    settings = {"method": "multiplex", "budget": 0, "candidates": 10, "max_terms": 3, "generality": 0}
    made = study(
        data=Data(demo=QUERIES[:1], depth=12),
        rankers={"tiny": f"bi-encoder:{folder}"},
        methods={"THREE": settings, "FOUR": {**settings, "dense": str(folder)}},
        measures=Measures(heldout=0, heldout_pairs=False, stability=0, faithfulness=0, shuffled=False),
    )
    run_study(made, tmp_path / "out")
    found = {row.method: row for row in cells(tmp_path / "out")}
    [topic] = topics(made.data)
    ranking = ranking_of(made.rankers["tiny"], topic)
    encoder = encoder_of(str(folder))
    assert encoder is ranking.scorer.scorer  # loaded once
    for name, rankers in (("THREE", None), ("FOUR", ix.default_simple_rankers(None, encoder))):
        plain = {key: value for key, value in settings.items() if key != "method"}
        explained = ix.Multiplex(simple_rankers=rankers, **plain).explain(ranking)
        assert found[name].terms == explained.words
        assert found[name].metrics["all"] == explained.fidelity.all
    assert found["THREE"].metrics != found["FOUR"].metrics


def test_every_cell_is_measured_once(plain):
    rows = cells(plain)
    assert [(row.qid, row.method) for row in rows] == [
        (name.replace(" ", "-"), method) for name in QUERIES for method in "QR"
    ]
    optional = {one for one in METRICS if "axioms" in one or "change" in one or "smallest" in one}
    assert set(rows[0].metrics) == set(METRICS) - optional
    assert status(plain) == {"name": "small", "queries": 4, "cells": 8, "done": 8, "failed": 0}


def test_metrics_are_those_of_the_library(plain):
    row = next(row for row in cells(plain) if row.method == "R")
    demo = load_demo(QUERIES[0])
    docs = {document.id: document.content for document in demo.documents}
    ranking = ix.rank(BM25(list(docs.values())), demo.query, docs)
    method = ix.RandomTerms(max_terms=3)
    explanation = method.explain(ranking)
    assert row.terms == explanation.words
    assert row.metrics["all"] == explanation.fidelity.all
    assert row.metrics["far"] == ix.fidelity(explanation, gap=5).far
    assert row.metrics["heldout_documents"] == ix.heldout_fidelity(method, ranking, repeats=1).mean
    assert row.metrics["stability"] == ix.stability(method, ranking, seeds=2).jaccard
    assert row.metrics["insertion"] == ix.insertion(explanation.terms, ranking, draws=3).rises


def test_metrics_by_the_published_rule_are_those_of_the_library(plain, tmp_path):
    """With the tolerance of the ranker, the pairs that all methods share, and one simple ranker."""
    methods = {
        "R": {"method": "random-terms", "max_terms": 3},
        "LM": {"method": "greedy", "max_terms": 2, "candidates": 5, "budget": 0},
        "EXS": {"method": "exs", "samples": 5, "documents": 2},
    }
    made = study(
        data=Data(demo=QUERIES[:1], depth=30),
        rankers={"LENGTH": "tests.toys:by_length", "BM25": "bm25"},
        methods=methods,
        measures=Measures(
            **{"heldout": 0, "heldout_pairs": False, "stability": 0, "faithfulness": 0},
            **{"shuffled": False, "published": True, "tolerance": {"LENGTH": 40}, "sampled": 50},
        ),
    )
    run_study(made, tmp_path)
    [topic] = topics(made.data)
    for row in cells(tmp_path):
        ranking = ranking_of(made.rankers[row.ranker], topic)
        explained = made.method(row.method).explain(ranking)
        tolerance = {"LENGTH": 40}.get(row.ranker)
        sampled = ix.preference_pairs(ranking, "random", m=50, seed=0)
        expected = {}
        for vote in (1, 2):
            one = ix.published_fidelity(explained, vote=vote, tolerance=tolerance, fitted=sampled)
            expected |= {f"vote{vote}_all": one.all, f"vote{vote}_gap": one.gap, "utility": one.fitted}
        assert {name: row.metrics[name] for name in expected} == expected, row.method
        assert explained.words == row.terms
    median = next(row for row in cells(plain) if row.method == "R").metrics
    own = next(row for row in cells(tmp_path) if (row.ranker, row.method) == ("BM25", "R")).metrics
    assert {name: median[name] for name in expected if name != "utility"} == {
        name: own[name] for name in expected if name != "utility"
    }


def test_term_vectors_from_a_file(tmp_path):
    (tmp_path / "two.txt").write_text("keyboard 1 0\njaguar 0 1\n")
    found = {}
    for source in (None, str(tmp_path / "two.txt")):
        measures = dataclasses.replace(MEASURES, vectors=source)
        few = study(data=Data(demo=QUERIES[:1], depth=30), measures=measures)
        run_study(few, tmp_path / str(bool(source)))
        found[source] = cells(tmp_path / str(bool(source)))
    plain, read = found.values()
    assert [row.reason for row in read] == ["", ""]
    assert [row.metrics["all"] for row in read] != [row.metrics["all"] for row in plain]


def test_a_changed_setting_is_another_cell(plain, tmp_path):
    changed = study(methods={"Q": {"method": "query-terms"}, "R": {"method": "random-terms"}})
    run_study(study(), tmp_path)
    outcome = run_study(changed, tmp_path)
    assert (outcome.measured, outcome.found) == (4, 4)
    assert len(cells(tmp_path)) == 12
    with Store(tmp_path, write=False) as store:
        assert len(list(store.rows(list(variants(changed))))) == 8
    assert run_study(study(), tmp_path).found == 8


@pytest.mark.slow
def test_processes_give_the_same_rows(tmp_path):
    every = study(data=Data(demo=("*",), depth=30))  # more queries than are sent out at once
    run_study(every, tmp_path / "plain")
    run_study(every, tmp_path / "processes", workers=2)
    assert cells(tmp_path / "processes") == cells(tmp_path / "plain")
    assert len(cells(tmp_path / "plain")) == 2 * len(demo_queries()) > 8


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_the_same(plain, tmp_path):
    (tmp_path / "study.json").write_text(json.dumps(study().to_dict()))
    code = (
        "import json, sys\n"
        "from intentx.study.plan import Study; from intentx.study.run import run_study\n"
        f"study = Study.from_dict(json.load(open({str(tmp_path / 'study.json')!r})))\n"
        f"run_study(study, {str(tmp_path / 'out')!r}, progress=lambda n, q: print(n, flush=True))"
    )
    generator = np.random.default_rng(0)
    for _ in range(3):
        run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        if generator.random() < 0.5:
            run.stdout.readline()  # until a task is done, then anywhere in the next one
        time.sleep(generator.uniform(0, 0.4))
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    assert cells(tmp_path / "out") == cells(plain)


def test_what_fails_is_a_row_with_its_reason(tmp_path):
    lines = []
    for qid, texts in (("1", ["piano", "desk", "piano desk"]), ("2", ["the", "of", "and"])):
        docs = [{"id": f"{qid}{i}", "text": text} for i, text in enumerate(texts)]
        runs = {"r": {f"{qid}0": 3.0, f"{qid}1": 2.0, f"{qid}2": 1.0}}
        lines.append(json.dumps({"qid": qid, "query": "piano", "docs": docs, "runs": runs}))
    (tmp_path / "topics.jsonl").write_text("\n".join(lines))
    some = study(
        data=Data(topics=str(tmp_path / "topics.jsonl")),
        rankers={"BM25": "bm25", "run": "run:r", "none": "run:x"},
        methods={"Q": {"method": "query-terms"}, "R": {"method": "random-terms"}},
    )
    outcome = run_study(some, tmp_path / "out")
    reasons = {(row.ranker, row.qid, row.method): row.reason for row in cells(tmp_path / "out")}
    assert len(reasons) == outcome.measured == 12
    assert reasons["run", "1", "Q"] == ""
    assert "no run 'x'" in reasons["none", "1", "Q"]
    assert "not a stopword" in reasons["BM25", "2", "R"]
    assert "no candidate" in reasons["run", "2", "R"]
    known = variants(some)
    with Store(tmp_path / "out", write=False) as store:
        lines = summarise(store.rows(list(known)), known.values())
    by_name = {(line.ranker, line.method): line for line in lines}
    assert by_name["none", "Q"].queries == 2
    narrow = io.StringIO()
    Console(file=narrow, width=80).print(*rich_tables(lines))
    assert narrow.getvalue().count("shuffled") == 3
    [title] = [text for text in narrow.getvalue().splitlines() if text.startswith("none")]
    assert title.rstrip() == "none, n of 2 queries"
    wide = [estimates(line, 98_765) for line in lines]  # nothing is cut off
    Console(file=narrow, width=80).print(*rich_tables(wide))
    assert "…" not in narrow.getvalue()
    assert narrow.getvalue().count("98765") == sum(bool(line.metrics) for line in lines)
    assert set(by_name["none", "Q"].failed) == {"1", "2"}
    assert by_name["run", "Q"].metrics["all"].n == by_name["run", "Q"].queries - len(
        by_name["run", "Q"].failed
    )


def estimates(line, n):
    """The line, as if its means were of that many queries."""
    metrics = {name: dataclasses.replace(one, n=n) for name, one in line.metrics.items()}
    return dataclasses.replace(line, metrics=metrics)


def test_the_order_of_rows_changes_nothing(plain):
    with Store(plain, write=False) as store:
        rows = list(store.rows())
    pairs = [("BM25", "Q"), ("BM25", "R")]
    expected = summarise(rows, pairs)
    for seed in range(3):
        shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
        assert summarise(shuffled, pairs) == expected
    by_hand = np.mean([r.metrics["all"] for r in rows if r.method == "Q"])
    assert expected[0].metrics["all"].mean == pytest.approx(by_hand, abs=1e-15)  # sums in other orders


def test_shards_together_are_the_study(plain, tmp_path):
    for part in range(3):
        run_study(study(), tmp_path / str(part), shard=(part, 3))
    results = read_results([tmp_path / str(part) for part in (2, 0, 1)])
    assert [dataclasses.replace(row, seconds={}) for row in results.rows()] == cells(plain)


def test_scores_are_remembered_for_other_studies(tmp_path, monkeypatch):
    cache = tmp_path / "scores.sqlite"
    counted = study(rankers={"count": "tests.study.counting:score"}, methods=ASKING)
    monkeypatch.setenv("INTENTX_COUNT", str(tmp_path / "count"))
    run_study(counted, tmp_path / "one", cache=cache)
    asked = (tmp_path / "count").stat().st_size
    run_study(counted, tmp_path / "two", cache=cache)
    assert (tmp_path / "count").stat().st_size == asked > 50
    assert cells(tmp_path / "two") == cells(tmp_path / "one") != []


def test_what_a_method_asks_for_is_the_same_whatever_ran_before(tmp_path, monkeypatch):
    monkeypatch.setenv("INTENTX_COUNT", str(tmp_path / "count"))
    rankers = {"count": "tests.study.counting:score"}
    run_study(study(rankers=rankers, methods=ASKING), tmp_path / "one")
    run_study(study(rankers=rankers, methods=dict(reversed(ASKING.items()))), tmp_path / "other")
    one, other = ({(c.qid, c.method): c for c in cells(tmp_path / part)} for part in ("one", "other"))
    assert one == other
    calls = {method: one["jaguar-speed", method].metrics["model_calls"] for method in ASKING}
    assert calls["GREEDY"] == calls["ONE"] > 0
    assert calls["EXS"] == 12  # of three documents, four versions each besides themselves


def test_a_crash_between_two_cells_costs_the_second(tmp_path, monkeypatch):
    def killed(method, *rest):
        if isinstance(method, ix.RandomTerms):
            raise KeyboardInterrupt
        return measure(method, *rest)

    measure = run.measure
    monkeypatch.setattr(run, "OFTEN", 0.0)
    monkeypatch.setattr(run, "measure", killed)
    with pytest.raises(KeyboardInterrupt):
        run_study(study(), tmp_path)
    assert [row.method for row in cells(tmp_path)] == ["Q"]

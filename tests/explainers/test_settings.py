"""The settings that an explanation names are those that its method has, and they are what it did."""

import dataclasses
import json

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.explainers.methods import METHODS
from intentx.preferences.candidates import candidate_terms
from intentx.preferences.simple_rankers import TextMatching


def run_of(documents=12, own=30):
    """Documents that share three words and have ``own`` words each that no other one has."""
    texts = {
        str(n): " ".join(["tea", "milk", "honey"][: 1 + n % 3] + [f"w{n}x{i}" for i in range(own)])
        for n in range(documents)
    }
    return ix.Ranking.from_run({name: -float(name) for name in texts}, "tea with milk", texts)


@pytest.mark.parametrize("name", [one for one in METHODS if METHODS[one].explains == "ranking"])
def test_settings_are_the_fields_of_the_method(name):
    method = METHODS[name].make({"analyzer": ix.Analyzer()})
    found = method.explain(run_of())
    fields = {field.name for field in dataclasses.fields(method)} - {"vectors"}
    assert set(found.settings) == fields
    plain = json.loads(json.dumps(found.settings))
    for key in fields - {"analyzer", "simple_rankers", "simple_ranker"}:
        assert plain[key] == getattr(method, key)


def test_simple_rankers_are_named_as_the_method_has_them():
    lexical = TextMatching("bm25")
    assert ix.QueryTerms().explain(run_of()).settings["simple_rankers"] == [
        "text matching (bm25)",
        "position aware",
        "semantic",
    ]
    assert ix.IntentGreedy(simple_ranker=lexical).explain(run_of()).settings["simple_ranker"] == (
        "text matching (bm25)"
    )


def test_random_terms_are_drawn_from_all_candidates():
    ranking = run_of(own=30)
    candidates = candidate_terms(ranking, 200).terms
    assert len(candidates) == 200
    everything = ix.RandomTerms(max_terms=200, candidates=200).explain(ranking)
    assert set(everything.terms) == set(candidates)
    # Nearly all of the words are in one document only, and so are nearly all that are drawn.
    frequency = [sum(term in text.split() for text in ranking.texts) for term in candidates]
    assert np.mean(np.array(frequency) == 1) > 0.9
    assert {term[0] for term in ix.RandomTerms(max_terms=10).explain(ranking).terms} != {"t", "m", "h"}


@pytest.mark.parametrize("method", [ix.QueryTerms(), ix.RandomTerms()])
def test_controls_weigh_all_pairs_the_same(method):
    assert method.explain(run_of()).matrices.pairs.weight is None


@pytest.mark.parametrize(
    ("name", "kind"), [("random-terms", ix.RandomTerms), ("query-terms", ix.QueryTerms)]
)
def test_settings_on_the_command_line(name, kind, tmp_path, capsys):
    ranking = run_of()
    docs, run = tmp_path / "docs.jsonl", tmp_path / "a.run"
    lines = [
        json.dumps({"id": i, "text": t}) for i, t in zip(ranking.doc_ids, ranking.texts, strict=True)
    ]
    docs.write_text("\n".join(lines))
    run.write_text("\n".join(f"1 Q0 {i} {n} {-n} x" for n, i in enumerate(ranking.doc_ids, 1)))
    given = ["--method", name, "--query", "tea with milk", "--docs", str(docs), "--run", str(run)]
    assert main(["explain", *given, "--generality", "0.5", "--budget", "9", "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert set(settings) == {field.name for field in dataclasses.fields(kind)} - {"vectors"}

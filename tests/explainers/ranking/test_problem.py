"""Terms are chosen for a small frozen problem, which methods make from the fields that they have."""

import dataclasses
import pickle

import pytest

import intentx as ix
from intentx.errors import InputError
from intentx.explainers.ranking.choosing import ChoiceSettings
from intentx.explainers.ranking.given import given_terms
from intentx.explainers.ranking.pipeline import Session
from intentx.explainers.ranking.problem import IntentProblem, PairSettings, TermPool
from intentx.preferences import Pairs

TEXTS = {
    f"d{number}": " ".join(["piano"] * (12 - number) + ["keys", f"w{number}"] + ["desk"] * number)
    for number in range(12)
}


def count_pianos(query, texts):
    return [text.count("piano") for text in texts]


@pytest.fixture
def ranking():
    return ix.rank(count_pianos, "keys of a piano", TEXTS)


def test_a_problem_and_settings_say_all_that_a_method_does(ranking):
    method = ix.Multiplex(simple_rankers="text,position", budget=60, max_terms=3, seed=2)
    problem = IntentProblem.of(
        ranking,
        pairs=PairSettings(log_weights=True, seed=2),
        pool=TermPool(validated=True),
        simple_rankers="text,position",
    )
    session = Session(problem, "by hand", {"seed": 2}, seed=2)
    found = session.chosen(ChoiceSettings(max_terms=3, budget=60, seed=2))
    whole = method.explain(ranking)
    for part in ("terms", "weights", "effects", "model_calls", "notes", "fidelity", "verdict"):
        assert getattr(found, part) == getattr(whole, part)
    assert whole.effects[0].kind == "wanted"


def test_a_problem_is_left_as_it_was(ranking):
    problem = IntentProblem.of(ranking, simple_rankers="text")
    first, second = (Session(problem, "by hand", {}).given(("piano",)) for _ in range(2))
    assert first.weights == second.weights == (first.coverage,)
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.pairs = Pairs([0], [1])


def test_pairs_of_ones_own_lie_within_the_ranking(ranking):
    own = Pairs([0, 3], [11, 7])
    assert PairSettings(own, log_weights=True).of(ranking) is own
    with pytest.raises(InputError, match="within the ranking's 12 documents"):
        PairSettings(Pairs([0], [12])).of(ranking)


def test_validated_candidates_are_of_two_documents_or_of_the_query(ranking):
    every, shared = (
        IntentProblem.of(ranking, simple_rankers="text", pool=TermPool(validated=validated))
        for validated in (False, True)
    )
    assert set(every.candidates()) == {"piano", "keys", "desk"} | {f"w{n}" for n in range(12)}
    assert set(shared.candidates()) == {"piano", "keys", "desk"}


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        (ix.IntentGreedy, {"generality": 2}, "generality must be a number from 0 to 1, not 2"),
        (ix.IntentGreedy, {"max_terms": 0}, "max_terms"),
        (ix.IntentGreedy, {"candidates": 0}, "candidates must be a whole number, 1 or more"),
        (ix.IntentGreedy, {"budget": -1}, "budget must be a whole number, 0 or more"),
        (ix.RandomTerms, {"max_terms": 0}, "max_terms must be a whole number, 1 or more, not 0"),
        (ix.RandomTerms, {"candidates": 0}, "candidates must be a whole number, 1 or more, not 0"),
    ],
)
def test_settings_are_checked_when_a_method_is_made(kind, settings, said):
    with pytest.raises(InputError, match=said):
        kind(**settings)


def test_given_terms_name_the_settings_that_they_have(ranking):
    found = given_terms(ranking, "by hand", ("piano",), simple_rankers="text", seed=3)
    assert {**found.settings, "analyzer": None} == {
        "simple_rankers": ["text matching (bm25)"],
        "pairs": "all",
        "seed": 3,
        "analyzer": None,
    }
    with pytest.raises(InputError, match="there is no 'semantic' by its name"):
        given_terms(ranking, "by hand", ("piano",), simple_rankers="text", vectors=object())


def test_what_a_verdict_needs_is_kept_and_no_edited_document(ranking):
    found = ix.Multiplex(simple_rankers="text,position", budget=60, max_terms=3).explain(ranking)
    assert found.effects[0].kind == "wanted"  # documents were edited
    kept = pickle.dumps(found.judge)
    assert b"EditedDocuments" not in kept
    assert found.judge(found) == found.verdict

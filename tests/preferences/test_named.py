"""Simple rankers by their names: which there are, how they are spelt, and what is refused."""

import dataclasses
import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest

import intentx as ix
from intentx.preferences.simple_rankers import (
    SIMPLE_RANKERS,
    chosen_simple_rankers,
    simple_rankers_for,
)
from tests.preferences.test_simple_rankers import Letters
from tests.toys import keyboards, ranked

PAGE = Path(__file__).parents[2] / "docs" / "simple-rankers.md"
DOCUMENTS = keyboards(number=14)[0]
NAMES = ["bm25", "tf", "tfidf", "lm", "position", "semantic", "dense", "proximity"]
QUICK = {"max_terms": 3, "candidates": 15, "pool": 0}


def ranking():
    return ranked(DOCUMENTS, query="piano pedal")


def test_every_name_is_a_simple_ranker_with_a_name_of_its_own():
    assert list(SIMPLE_RANKERS) == NAMES
    assert len({ranker.name for ranker in SIMPLE_RANKERS.values()}) == len(NAMES)
    vectors = ix.TermVectors.from_mapping({"piano": [1.0, 0.5], "desk": [0.0, 1.0]})
    given = ("text", "tf", "tfidf", "lm", "position", "semantic", "proximity")
    found = simple_rankers_for(ranking(), given, vectors)
    assert found[:5] == (
        ix.TextMatching(),
        *map(ix.TextMatching, ("tf", "tfidf", "lm")),
        ix.PositionAware(),
    )
    assert found[5].vectors is vectors
    assert found[6] == ix.Proximity("piano pedal")


def test_the_page_has_a_row_for_every_name():
    rows = re.findall(r"^\| `(\w+)`.* \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert [name for name in SIMPLE_RANKERS if name not in rows] == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("text", ("bm25",)),
        ("text,position,semantic", ("bm25", "position", "semantic")),
        (" TF , Position", ("tf", "position")),
        (["text", "proximity"], ("bm25", "proximity")),
        (("position aware", "text matching (lm)"), ("position", "lm")),
        ([ix.TextMatching(), "tf"], (ix.TextMatching(), "tf")),
    ],
)
def test_lists_of_names(given, expected):
    assert chosen_simple_rankers(given) == expected
    assert chosen_simple_rankers(expected) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "must be a list of one or more"),
        ([], r"must be a list of one or more, .* not \[\]; choose from bm25, tf, tfidf"),
        ((), "must be a list of one or more"),
        ({"text"}, "must be a list of one or more"),
        (3, "must be a list of one or more"),
        ("text,", "no simple ranker ''; choose from bm25"),
        ("text,bm-25", "no simple ranker 'bm-25'; choose from bm25, tf, tfidf, lm, position, semantic"),
        ("text,bm25", "given twice: 'text matching .bm25.', by 'text' and 'bm25'"),
        (["position", ix.PositionAware()], r"given twice: 'position aware', by 'position' and Pos"),
        ([ix.Semantic(), ix.Semantic.published()], "give it a name of its own"),
        (["text", 3], "a simple ranker is a name, or an object with a name and .*, not 3; choose"),
        ("text,dense", "'dense' needs an encoder: --dense MODEL .* Dense.encoder. in its place"),
    ],
)
@pytest.mark.parametrize(
    "make",
    [
        ix.Multiplex,
        ix.Multiplex.published,
        ix.QueryTerms,
        ix.RandomTerms,
        lambda simple_rankers: ix.fidelity(
            ix.QueryTerms().explain(ranking()), simple_rankers=simple_rankers
        ),
    ],
)
def test_what_is_no_list_of_simple_rankers(make, given, message):
    with pytest.raises(ix.InputError, match=message):
        make(simple_rankers=given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("text,position", "takes one simple ranker, not 'text,position'"),
        ("nope", "no simple ranker 'nope'"),
        (3, "a simple ranker is a name"),
        ("dense", "needs an encoder"),
    ],
)
def test_what_is_no_single_simple_ranker(given, message):
    with pytest.raises(ix.InputError, match=message):
        ix.IntentGreedy(simple_ranker=given)


@pytest.mark.parametrize(
    "make", [functools.partial(ix.Multiplex, **QUICK, generality=0), ix.QueryTerms, ix.RandomTerms]
)
def test_names_explain_as_objects_do(make):
    named = make(simple_rankers="text,position,proximity").explain(ranking())
    objects = [ix.TextMatching(), ix.PositionAware(), ix.Proximity()]
    given = make(simple_rankers=objects).explain(ranking())
    mixed = make(simple_rankers=["text", ix.PositionAware(), "proximity"]).explain(ranking())
    for other in (given, mixed):
        assert other.terms == named.terms
        np.testing.assert_array_equal(other.matrices.scores.values, named.matrices.scores.values)
    assert named.settings["simple_rankers"] == ["bm25", "position", "proximity"]
    assert given.settings["simple_rankers"] == [one.name for one in objects]
    assert named.fidelity.rows[0].by_ranker.keys() == {one.name for one in objects}


def test_the_greedy_method_takes_a_name():
    for name, one in (("tf", ix.TextMatching("tf")), ("text", ix.TextMatching())):
        named, given = (ix.IntentGreedy(simple_ranker=some).explain(ranking()) for some in (name, one))
        assert named.terms == given.terms
        assert named.simple_rankers == given.simple_rankers == (one,)
        assert named.settings["simple_ranker"] == ("bm25" if name == "text" else name)


def test_settings_are_names_that_make_the_method_again():
    for settings in ({}, {"simple_rankers": "text,position"}, {"simple_rankers": "tfidf,proximity,lm"}):
        method = ix.Multiplex(**QUICK, generality=0, **settings)
        found = method.explain(ranking())
        again = ix.IntentExplanation.from_json(found.to_json())
        assert again.fidelity == found.fidelity
        assert again.settings == json.loads(json.dumps(found.settings))
        changed = dataclasses.replace(method, simple_rankers=again.settings["simple_rankers"])
        assert changed.explain(ranking()).terms == found.terms


def test_vectors_are_those_of_semantic_by_its_name():
    vectors = ix.TermVectors.from_mapping({"piano": [1.0, 0.5], "desk": [0.0, 1.0], "pedal": [1.0, 0.0]})
    for make in (ix.Multiplex, ix.QueryTerms, ix.RandomTerms):
        found = make(simple_rankers="text,semantic", vectors=vectors).explain(ranking())
        assert found.simple_rankers[1].vectors is vectors
        with pytest.raises(ix.InputError, match=r"no 'semantic' by its name in bm25, position$"):
            make(simple_rankers="text,position", vectors=vectors)
    published = ix.Multiplex.published(simple_rankers="tf,position,semantic", vectors=vectors)
    assert published.simple_rankers[:2] == ("tf", "position")
    assert (published.simple_rankers[2].temperature, published.simple_rankers[2].centered) == (
        np.inf,
        False,
    )
    same = ix.Multiplex.published(vectors=vectors).explain(ranking())
    assert published.explain(ranking()).terms == same.terms


@pytest.mark.parametrize(
    ("number", "balance"), [(1, "chosen"), (2, "equal"), (8, "chosen"), (8, "equal")]
)
def test_any_number_of_simple_rankers(number, balance):
    names = ["proximity", "tfidf", "bm25", "tf", "lm", "position", "semantic", ix.Dense(Letters())]
    method = ix.Multiplex(simple_rankers=names[:number], balance=balance, **QUICK)
    scored = ix.rank(lambda query, texts: [text.count("piano") for text in texts], "piano", DOCUMENTS)
    for one in (ranking(), scored):
        found = method.explain(one)
        assert found.matrices.scores.values.shape == (number, len(found.terms), 14)
        assert len(found.fidelity.rows[0].by_ranker) == number
        assert len(ix.heldout_fidelity(method, one, repeats=1).by_ranker) == number
        assert found.verdict.level in ("holds", "weak", "chance")
        assert ix.IntentExplanation.from_json(found.to_json()).fidelity == found.fidelity


def test_other_simple_rankers_judge_by_their_names():
    found = ix.QueryTerms().explain(ranking())
    named = ix.fidelity(found, simple_rankers="tf,proximity")
    given = ix.fidelity(found, simple_rankers=[ix.TextMatching("tf"), ix.Proximity()])
    assert named == given
    assert named.rows[0].by_ranker.keys() == {"text matching (tf)", "proximity"}
    published = [
        ix.published_fidelity(found, simple_rankers=some)
        for some in ("tf,proximity", [ix.TextMatching("tf"), ix.Proximity()])
    ]
    assert published[0] == published[1]
    held = ix.heldout_fidelity(ix.QueryTerms(), ranking(), repeats=2, simple_rankers="tf,proximity")
    assert held.by_ranker.keys() == named.rows[0].by_ranker.keys()

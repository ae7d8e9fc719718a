"""With ``generality=0`` no fewer pairs are covered than with any other generality."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intentx as ix
from intentx.datasets import read_collection
from intentx.errors import ScorerWarning, TextWarning
from tests.toys import Counting, keyboards, random_documents, ranked

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = [f"{a}{b}r" for a, b in itertools.product(LETTERS, "aeiou")]


def coverage(ranking, generality, **others):
    return ix.Multiplex(generality=generality, **others).explain(ranking).coverage


def planted(seed, documents, words, noise):
    """A recorded ranking by the number of three of the words, with noise."""
    texts = random_documents(seed, documents, WORDS[:words], absent=0.7)
    generator = np.random.default_rng(seed + 1)
    scores = [sum(text.lower().count(word) for word in WORDS[:3]) for text in texts]
    return ranked(texts, scores + noise * generator.normal(size=documents))


@pytest.fixture(scope="module")
def passages(dl19):
    return read_collection(dl19)


@pytest.mark.parametrize(
    ("system", "qid", "others"),
    [
        ("BM25_RM3", "104861", (0.1,)),
        ("OPEN_AI_ADA2", "1037798", (0.5, 1.0)),
    ],
)
def test_recorded_rankings(passages, system, qid, others):
    ranking = passages.ranking(system, qid)
    few = {"candidates": 30}  # still far too many sets to try them all
    most = coverage(ranking, 0, **few)
    assert all(most >= coverage(ranking, generality, **few) for generality in others)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    documents=st.integers(3, 16),
    noise=st.floats(0.1, 3),
    generality=st.floats(0.01, 1),
    balance=st.sampled_from(["chosen", "equal"]),
    scored=st.booleans(),
)
def test_where_all_sets_are_tried(seed, documents, noise, generality, balance, scored):
    ranking = planted(seed, documents, 12, noise)
    if scored:
        scores = dict(zip(ranking.texts, ranking.scores.tolist(), strict=True))
        ranking = ix.rank(
            lambda query, texts: [scores.get(text, float(len(text))) for text in texts],
            ranking.query,
            dict(zip(ranking.doc_ids, ranking.texts, strict=True)),
        )
    few = {"max_terms": 3, "candidates": 12, "balance": balance, "budget": 20}
    most = coverage(ranking, 0, **few)
    assert most >= coverage(ranking, generality, **few)
    assert most >= coverage(ranking, 0, **few | {"max_terms": 2})


@settings(max_examples=2)
@given(seed=st.integers(0, 10_000), noise=st.floats(0.5, 3), pairs=st.sampled_from(["all", "random"]))
def test_where_sets_are_too_many_to_try(seed, noise, pairs):
    ranking = planted(seed, 30, 60, noise)
    many = {"pairs": pairs, "m": 200 if pairs == "random" else None, "seed": seed}
    assert coverage(ranking, 0, **many) >= coverage(ranking, 0.5, **many)


@pytest.mark.parametrize("method", ["greedy", "descent", "tanh", "anneal"])
def test_any_solver(method):
    rankings = [planted(seed, 24, 40, 1.5) for seed in (1,)]
    most = [coverage(ranking, 0, method=method) for ranking in rankings]
    default = [coverage(ranking, 0.5, method=method) for ranking in rankings]
    assert all(np.array(most) >= default)


def test_with_a_scorer_nothing_is_asked_twice():
    texts, scorer = keyboards(number=24)
    ranking = ix.rank(scorer, "keyboard with pedal", texts)
    before = len(scorer.texts)
    found = ix.Multiplex(generality=0, max_terms=4).explain(ranking)
    asked = scorer.texts[before:]
    assert len(asked) == len(set(asked)) == found.model_calls
    assert not set(asked) & set(texts)
    importance = ix.Multiplex(budget=0, max_terms=4).explain(ranking)
    assert len(scorer.texts) == before + len(asked)  # the same questions, remembered
    assert importance.model_calls <= found.model_calls


@pytest.mark.filterwarnings("default::intentx.errors.TextWarning")
def test_warnings_come_once():
    texts = [f"<p>{word} keyboard</p>" for word in ("piano", "laptop", "pedal", "switch")]
    scorer = Counting(lambda query, batch: [float(len(text)) for text in batch])
    scorer.fingerprint = "before"
    ranking = ix.rank(scorer, "keyboard", texts)
    scorer.fingerprint = "after"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ix.Multiplex(generality=0).explain(ranking)
    kinds = [one.category for one in caught]
    assert kinds.count(TextWarning) == 1
    assert kinds.count(ScorerWarning) == 1
    assert all(one.filename == __file__ for one in caught if one.category is TextWarning)

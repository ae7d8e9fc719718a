"""`PairwiseRanker`: preferences between two texts, added up to scores of a list."""

import json
import math
import pickle
import sys

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.rankers import RankerSpec
from intentx.rankers.tournament import aggregated, asked_pairs
from tests.toys import keyboards

TEXTS = ["a", "ccc", "bb", "eeeee", "dddd"]


def longer(query, text_a, text_b):
    return len(text_a) > len(text_b)


def logistic(gap):
    return 1 / (1 + math.exp(-gap))


def by_length(query, text_a, text_b):
    return logistic(len(text_a) - len(text_b))


@pytest.mark.parametrize("symmetric", [True, False])
def test_sum_of_probabilities_by_loops(symmetric):
    ranker = ix.PairwiseRanker(by_length, symmetric=symmetric)
    wanted = [sum(by_length("", a, b) for b in TEXTS if b != a) for a in TEXTS]
    np.testing.assert_allclose(ranker("q", TEXTS), wanted)
    assert ranker.calls == ranker.calls_for(5) == (10 if symmetric else 20)
    assert ranker.contradictions == 0


def test_copeland_and_bradley_terry_by_hand():
    copeland = ix.PairwiseRanker(longer, aggregate="copeland")("q", TEXTS)
    assert copeland.tolist() == [-4.0, 0.0, -2.0, 4.0, 2.0]
    one, other = asked_pairs(5, None, 0)
    strength = np.array([0.3, -1.0, 0.5, 1.2, -1.0])
    p = 1 / (1 + np.exp(strength[other] - strength[one]))
    often = [np.concatenate([part] * 400) for part in (one, other, p)]  # the half wins then hardly count
    np.testing.assert_allclose(aggregated("bradley-terry", 5, *often), strength, atol=0.01)
    always = aggregated("bradley-terry", 5, one, other, np.ones(10))
    assert np.isfinite(always).all()
    assert (np.diff(always) < 0).all()


@pytest.mark.parametrize("aggregate", ["sum", "copeland", "bradley-terry"])
@pytest.mark.parametrize("number", [2, 3, 8])
def test_the_order_of_a_consistent_preference_is_found(aggregate, number):
    texts = [TEXTS[i % 5] * (1 + i // 5) + "x" * i * 7 for i in range(number)]
    scores = ix.PairwiseRanker(by_length, aggregate=aggregate)("q", texts)
    assert np.argsort(-scores).tolist() == sorted(range(number), key=lambda i: -len(texts[i]))


def test_both_orders_are_asked_and_contradictions_are_counted():
    first = ix.PairwiseRanker(lambda query, a, b: 0.8)  # whatever stands first
    assert first("q", TEXTS).tolist() == [2.0] * 5
    assert (first.calls, first.contradictions) == (20, 10)
    first("q", TEXTS)
    assert (first.calls, first.contradictions) == (20, 10)
    assert ix.PairwiseRanker(lambda query, a, b: 0.5)("q", TEXTS).tolist() == [2.0] * 5


def test_equal_texts_are_ties_that_are_not_asked():
    ranker = ix.PairwiseRanker(longer)
    assert ranker("q", ["a", "a", "bb"]).tolist() == [0.5, 0.5, 2.0]
    assert ranker.calls == 2
    assert ranker("q", ["a"]).tolist() == [0.0]
    assert ranker("q", []).shape == (0,)


@pytest.mark.parametrize(("texts", "pairs"), [(10, 9), (10, 15), (11, 30), (6, 14), (40, 100)])
def test_a_sample_joins_all_texts_nearly_equally_often(texts, pairs):
    one, other = asked_pairs(texts, pairs, 3)
    assert len({(i, j) for i, j in zip(one, other, strict=True)}) == len(one) == pairs
    assert (one < other).all()
    joined, grown = {0}, True
    while grown:
        both = [*zip(one, other, strict=True), *zip(other, one, strict=True)]
        more = {j for i, j in both if i in joined}
        grown = not more <= joined
        joined |= more
    assert len(joined) == texts
    times = np.bincount(np.concatenate([one, other]))
    assert times.max() - times.min() <= 2
    again = asked_pairs(texts, pairs, 3)
    assert [x.tolist() for x in again] == [one.tolist(), other.tolist()]


def test_samples_by_seed_and_too_few_pairs():
    texts = [f"{'x' * i}" for i in range(1, 11)]
    ranker = ix.PairwiseRanker(by_length, pairs=20, seed=1)
    scores = ranker("q", texts)
    assert ranker.calls == ranker.calls_for(10) == 40
    assert np.corrcoef(scores, range(10))[0, 1] > 0.9
    assert scores.tolist() == ix.PairwiseRanker(by_length, pairs=20, seed=1)("q", texts).tolist()
    assert scores.tolist() != ix.PairwiseRanker(by_length, pairs=20, seed=2)("q", texts).tolist()
    with pytest.raises(ix.InputError, match="8 pairs cannot join 10 texts: at least 9"):
        ix.PairwiseRanker(by_length, pairs=8)("q", texts)


@pytest.mark.parametrize("number", [0, 1, 2, 5, 20, 100])
def test_sorting_asks_few(number):
    texts = ["x" * int(i) for i in np.random.default_rng(0).permutation(number)]
    ranker = ix.PairwiseRanker(longer, pairs="sorted", symmetric=True)
    assert ranker("q", texts).tolist() == [len(text) for text in texts]
    assert ranker.calls <= ranker.calls_for(number)
    assert ix.PairwiseRanker(longer, pairs="sorted")("q", ["a", "b", "cc"]).tolist() == [1.0, 1.0, 2.0]


def test_scores_become_probabilities():
    scored = ix.PairwiseRanker(lambda query, a, b: len(a) - len(b), answers="score")
    np.testing.assert_allclose(scored("q", TEXTS), ix.PairwiseRanker(by_length)("q", TEXTS))
    huge = ix.PairwiseRanker(lambda query, a, b: 1e308 * (len(a) - len(b)), answers="score")
    assert huge.preference("q", "aa", "b") == 1.0


class Unreadable:
    def item(self):
        raise RuntimeError("no number")

    def __repr__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("answer", "answers", "said"),
    [
        (1.5, "probability", r"a probability in \[0, 1\].*not 1.5.*answers='score'"),
        (math.nan, "probability", "a probability"),
        ("A", "probability", "not 'A'"),
        (None, "score", "a finite number, not None"),
        (math.inf, "score", "a finite number"),
        (np.array([0.1, 0.2]), "probability", "a probability"),
        (10**400, "probability", "a probability"),
        (10**400, "score", "a finite number"),
        (Unreadable(), "score", "a finite number, not <Unreadable"),
    ],
)
def test_answers_that_are_none(answer, answers, said):
    ranker = ix.PairwiseRanker(lambda query, a, b: answer, answers=answers)
    with pytest.raises(ix.ScorerError, match=said):
        ix.rank(ranker, "q", TEXTS)


def test_a_callable_that_fails_is_told_with_its_pair():
    with pytest.raises(ix.ScorerError, match="ZeroDivisionError") as caught:
        ix.PairwiseRanker(lambda query, a, b: 1 / 0)("q", TEXTS)
    assert caught.value.texts == ("a", "ccc")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"prefers": 3}, "needs a callable"),
        ({"pairs": "some"}, "pairs must be 'all', 'sorted'"),
        ({"pairs": 0}, "pairs must be"),
        ({"pairs": True}, "pairs must be"),
        ({"pairs": 2.5}, "pairs must be"),
        ({"aggregate": "borda"}, "aggregate must be one of"),
        ({"answers": "bool"}, "answers must be one of"),
        ({"symmetric": "yes"}, "symmetric must be one of"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_what_is_no_pairwise_ranker(settings, said):
    with pytest.raises(ix.InputError, match=said):
        ix.PairwiseRanker(**{"prefers": longer, **settings})


def test_it_is_explained_like_any_listwise_ranker_and_remembers():
    texts, scorer = keyboards(number=12)

    def prefers(query, a, b):
        one, other = scorer(query, [a, b])
        return logistic(one - other)

    ranker = ix.PairwiseRanker(prefers, symmetric=True)
    ranking = ix.rank(ranker, "keys", texts)
    assert ranking.can.listwise
    assert ranking.doc_ids[0] == str(int(np.argmax(scorer("keys", texts))))
    before = ranker.calls
    ix.KernelSHAP(samples=20, exact_up_to=2).explain(ranking, 0)
    assert ranker.calls - before <= 20 * 11  # only the pairs of the edited document
    assert set(ix.Multiplex(budget=240).explain(ranking).terms)


def test_a_pair_is_asked_directly():
    texts = {"a": "tea tea pot", "b": "tea pot", "c": "boat", "d": "a desk"}
    seen = []

    def prefers(query, a, b):
        seen.extend((a, b))
        return logistic(2 * (a.count("tea") - b.count("tea")))

    ranking = ix.rank(ix.PairwiseRanker(prefers), "tea", texts)
    del seen[:]
    found = ix.KernelSHAP().explain(ranking, "a", above="c")
    assert found.metrics["preference"] == pytest.approx(logistic(4))
    assert "in the whole ranking they are 1 and 3 of 4" in found.notes[0]
    assert found.terms[0] == "tea"
    assert not any("desk" in text for text in seen)
    back = ix.KernelSHAP().explain(ranking, "c", above="a")
    assert back.metrics["preference"] == pytest.approx(1 - logistic(4))
    weights = dict(zip(found.terms, found.weights, strict=True))
    others = dict(zip(back.terms, back.weights, strict=True))
    assert weights["tea"] == pytest.approx(-others["tea"])
    with pytest.raises(ix.InputError, match="cannot be above itself"):
        ix.KernelSHAP().explain(ranking, "a", above="a")


def test_fingerprints_marks_and_pickles():
    class Marked:
        fingerprint = "one"

        def __call__(self, query, a, b):
            return self.fingerprint == "one"

    prefers = Marked()
    ranker = ix.PairwiseRanker(prefers)
    assert ranker.fingerprint != ix.PairwiseRanker(prefers, aggregate="copeland").fingerprint
    assert ix.PairwiseRanker(longer).fingerprint is None
    assert ranker.preference("q", "a", "b") == 0.5
    prefers.fingerprint = "two"  # it has changed, and is asked again
    assert ranker.preference("q", "a", "b") == 0.5
    assert ranker.calls == 4
    again = pickle.loads(pickle.dumps(ix.PairwiseRanker(longer)))  # noqa: S301
    assert again("q", ["a", "bb"]).tolist() == [0.0, 1.0]


def test_on_the_command_line(tmp_path, capsys, monkeypatch):
    (tmp_path / "mypairs.py").write_text(
        "def more(query, a, b):\n    return a.count(query) - b.count(query)"
    )
    (tmp_path / "docs.tsv").write_text("1\ttea tea pot\n2\ttea pot\n3\ta boat\n4\ta desk\n")
    monkeypatch.syspath_prepend(tmp_path)
    spec = "pairwise:mypairs:more#answers=score&symmetric=true&pairs=5"
    assert str(RankerSpec.parse(spec)) == spec
    asked = ["explain", "--ranker", spec, "--query", "tea", "--docs", str(tmp_path / "docs.tsv")]
    asked += ["--doc", "1", "--above", "3", "--method", "shap"]
    assert main([*asked, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["metrics"]["preference"] == pytest.approx(logistic(2))
    assert main([*asked, "--html", str(tmp_path / "page.html")]) == 0
    assert "preference" in capsys.readouterr().out
    assert "asked about this pair directly" in (tmp_path / "page.html").read_text()
    for wrong, said in [("pairwise:mypairs", "needs a callable"), ("pairwise:", "needs a callable")]:
        with pytest.raises(ix.InputError, match=said):
            RankerSpec.parse(wrong).load()
    sys.modules.pop("mypairs", None)

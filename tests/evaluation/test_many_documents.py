"""Many documents: no array of N x N, and a refusal that names the numbers where pairs are too many."""

import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest

import intentx as ix
from intentx.comparison.preferred import orders
from intentx.evaluation.fidelity import judge
from intentx.evaluation.orders import copeland_scores
from intentx.preferences import PreferenceMatrices, TermScores, preference_pairs
from intentx.preferences import pairs as pairs_module


@contextmanager
def memory_below(most):
    """Whether at no time more bytes are held than before."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


METHOD = ix.Multiplex(
    max_terms=2, candidates=3, simple_rankers=[ix.TextMatching("tf")], pairs="random", m=50, generality=0
)


def recorded(documents):
    """Texts of four kinds in an order that *tea* explains in part."""
    kinds = ["tea tea pot", "tea pot pot", "pot milk", "boat sail"]
    texts = {str(n): kinds[(5 * n // documents + n % 3) % 4] for n in range(documents)}
    return ix.Ranking.from_run([*texts], "tea", texts)


@pytest.fixture(scope="module")
def huge():
    return recorded(200_000)


@pytest.mark.parametrize(
    "ask",
    [
        lambda ranking: ix.Multiplex().explain(ranking),
        METHOD.explain,
        ix.QueryTerms().explain,
        lambda ranking: ix.heldout_fidelity(METHOD, ranking),
        lambda ranking: ix.fidelity(Said(ranking)),
    ],
    ids=["all pairs", "some pairs", "query terms", "held-out documents", "fidelity"],
)
def test_what_would_take_hours_is_refused_with_the_numbers(ask, huge):
    refused = pytest.raises(ix.InputError, match=r"0,000 documents make [\d,]{13,} preference pairs")
    with memory_below(20e6), refused as error:
        ask(huge)
    assert "44,721 documents. Take fewer documents" in str(error.value)


class Said:
    terms = ("tea",)

    def __init__(self, ranking):
        self.ranking = ranking


def test_pairs_that_do_not_fit_into_memory_are_refused_with_the_numbers(huge):
    with pytest.raises(
        ix.InputError, match="19,999,900,000 preference pairs of 200,000 documents would"
    ):
        preference_pairs(huge)
    with pytest.raises(ix.InputError, match="at most 50,000,000 are allowed"):
        preference_pairs(huge, "random", m=50_000_001)
    with pytest.raises(ix.InputError, match=r"rankings of 200,000 documents .* 335 GiB"):
        orders(huge.scores)


@pytest.mark.parametrize("strategy", ["random", "top-tail", "rank-biased", "all"])
def test_pairs_are_drawn_without_listing_them_all(strategy, huge):
    with memory_below(50e6):
        found = preference_pairs(huge, strategy, m=5000)
    assert len(found) == len(set(found)) == 5000
    codes = found.high * len(huge) + found.low
    assert (np.diff(codes) > 0).all()
    middle = np.median(found.high) / len(huge)
    if strategy in ("random", "all"):  # of two documents the better one: 1 - sqrt(1/2)
        assert middle == pytest.approx(0.293, abs=0.02)
    else:
        assert middle < 0.05
    if strategy == "top-tail":
        assert found.high.max() < 10 <= found.low.min()


def test_drawing_from_very_many_pairs_is_as_rank_biased_as_from_few(monkeypatch):
    ranking = recorded(60)
    few = [preference_pairs(ranking, "rank-biased", m=20, seed=seed).high for seed in range(200)]
    monkeypatch.setattr(pairs_module, "MOST_PAIRS", 1000)
    many = [preference_pairs(ranking, "rank-biased", m=20, seed=seed).high for seed in range(200)]
    shares = [np.bincount(np.concatenate(some), minlength=60) / 4000 for some in (few, many)]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    assert 0.15 < shares[1][0] < 0.35


def test_memory_grows_with_the_documents_and_not_with_their_pairs(monkeypatch):
    ranking = recorded(1500)
    monkeypatch.setattr("intentx.evaluation.fidelity.PAIRS_AT_ONCE", 10_000)
    explanation = METHOD.explain(ranking)
    # An array of floats for each two documents would take 18 MB.
    with memory_below(9e6):
        judged = judge(ranking, explanation.matrices, explanation.matrices.pairs)
        assert len(explanation.lost_pairs) == 1500
        json = explanation.to_json()
    every = 1500 * 1499 // 2
    assert [row.pairs for row in judged.rows] == [every, judged.rows[1].pairs, 50, every - 50]
    assert judged == explanation.fidelity
    back = ix.IntentExplanation.from_json(json)
    assert list(back.matrices.pairs) == list(explanation.matrices.pairs)
    assert ix.fidelity(Said(ranking)).rows[0].pairs == every
    held = ix.heldout_fidelity(METHOD, ranking, repeats=1)
    assert held.rows[0].pairs == 450 * 449 // 2


def test_blocks_come_to_what_the_whole_does(monkeypatch):
    generator = np.random.default_rng(0)
    scores = np.sort(generator.integers(0, 30, 70))[::-1].astype(float)
    ids = tuple(map(str, range(70)))
    ranking = ix.Ranking("tea", ids, ids, scores)
    values = generator.integers(-2, 3, (3, 2, 70)).astype(float)
    pairs = preference_pairs(ranking)
    matrices = PreferenceMatrices(TermScores(values), pairs)
    fitted = pairs.take(np.arange(5, 400, 3))
    whole = judge(ranking, matrices, fitted)
    expected = [sum(np.sign(v) for v in np.sign(votes)) for votes in _votes(matrices, 70)]
    assert copeland_scores(matrices, 70).tolist() == expected
    monkeypatch.setattr("intentx.evaluation.fidelity.PAIRS_AT_ONCE", 37)
    monkeypatch.setattr("intentx.evaluation.orders.BLOCK", 420 * 4)
    assert judge(ranking, matrices, fitted) == whole
    assert whole.all == matrices.coverage([0, 1])
    assert whole.fitted == matrices.on(fitted).coverage([0, 1])
    assert whole.rows[3].pairs == len(pairs) - len(fitted)
    assert copeland_scores(matrices, 70).tolist() == expected


def _votes(matrices, documents):
    """Votes of each document against every one, by a loop."""
    sums = matrices.scores.values.sum(axis=1) / np.asarray(matrices.scale)[:, None]
    for i in range(documents):
        votes = [np.tanh(sums[:, i] - sums[:, j]).sum() for j in range(documents)]
        yield [vote if abs(vote) > 1e-9 else 0.0 for vote in votes]

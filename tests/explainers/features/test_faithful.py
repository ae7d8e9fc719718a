"""The order with only the first features, and without them, against loops; what is shown and kept."""

import numpy as np
import pytest

import intentx as ix
from intentx.errors import InputError
from intentx.evaluation.statistics import kendall_tau_b

X = np.random.default_rng(0).normal(size=(14, 6))
NAMES = [f"f{i}" for i in range(6)]
BACKGROUND = np.random.default_rng(1).normal(size=(3, 6))


def model(rows):
    return 3 * rows[:, 4] + rows[:, 1] - 0.5 * rows[:, 0]


def ranking_of(rows=X):
    return ix.FeatureRanking.from_model(model, "q", [f"d{i}" for i in range(len(rows))], rows, NAMES)


def by_loops(ranking, kept):
    """Mean tau and exposure over the background rows of the order with these features kept."""
    taus, exposures = [], []
    best = 1 / np.log2(np.arange(14) + 2)
    for row in BACKGROUND:
        scores = np.array(
            [model(np.array([[d[i] if i in kept else row[i] for i in range(6)]]))[0] for d in ranking.X]
        )
        tied = np.ptp(scores) < 1e-9
        taus.append(0.0 if tied else kendall_tau_b(ranking.scores, scores))
        order = [*range(13, -1, -1)] if tied else [*np.argsort(-scores)]
        moved = sum(abs(best[order.index(d)] - best[d]) for d in range(14))
        exposures.append(1 - moved / np.abs(best - best[::-1]).sum())
    return np.mean(taus), np.mean(exposures)


@pytest.fixture(scope="module")
def explained():
    return ix.ListwiseSHAP(background=BACKGROUND).explain(ranking_of())


@pytest.fixture(scope="module")
def found(explained):
    return ix.feature_faithfulness(explained, ks=(1, 2, 6, 9))


def test_the_curves_are_those_of_loops(explained, found):
    ranking, order = explained.ranking, [NAMES.index(name) for name in explained.useful]
    assert found.ks == (1, 2, 6)  # there are no nine
    assert order[0] == 4
    for place, k in enumerate(found.ks):
        tau, exposure = by_loops(ranking, order[:k])
        assert found.preservation[place] == pytest.approx(tau, abs=1e-9)
        assert found.exposure_preservation[place] == pytest.approx(exposure, abs=1e-9)
        tau, exposure = by_loops(ranking, order[k:])
        assert found.deletion[place] == pytest.approx(tau, abs=1e-9)
        assert found.exposure_deletion[place] == pytest.approx(exposure, abs=1e-9)
    assert (found.preservation[-1], found.deletion[-1]) == (1.0, 0.0)
    assert (found.random_preservation[-1], found.random_deletion[-1]) == (1.0, 0.0)
    assert found.preservation[0] > found.random_preservation[0] + 0.3
    assert found.deletion[0] < found.random_deletion[0] - 0.3
    assert (found.background_rows, found.draws) == (3, 5)


def test_features_below_zero_come_last():
    ranking = ranking_of()
    explained = ix.ListwiseSHAP(background=BACKGROUND).explain(ranking)
    weights = dict(zip(explained.features, explained.weights, strict=True))
    assert [weights[name] for name in explained.useful] == sorted(weights.values(), reverse=True)
    chosen = ix.ValidFeatures(k=2).explain(ranking)
    assert chosen.useful == chosen.features
    judged = ix.feature_faithfulness(chosen)
    assert judged.ks == (1,)  # of 1, 3, 5, 7, 10
    assert judged.preservation[0] == pytest.approx(
        ix.feature_faithfulness(chosen, background="mean").preservation[0]
    )


def test_every_explanation_of_a_ranking_meets_the_same_random_features(explained, found):
    other = ix.FeatureBaseline(by="permutation", k=6).explain(explained.ranking)
    again = ix.feature_faithfulness(other, ks=(1, 2, 6), background=BACKGROUND)
    assert again.random_preservation == found.random_preservation
    assert again.random_exposure_deletion == found.random_exposure_deletion


def test_it_is_kept_shown_and_read_back(explained, found, tmp_path):
    shown = explained.with_measures(found)
    assert found.sentence in " ".join(shown.text(300).split())
    assert found.sentence in shown._repr_html_()
    again = ix.load(shown.save(tmp_path / "a.json"))
    assert again.to_json() == shown.to_json()
    assert ix.load(found.save(tmp_path / "b.json")) == found
    assert "exposure without" in found.text()
    assert "first 6 features" in found.sentence


def test_stability_over_seeds_and_backgrounds():
    ranking = ranking_of()
    seeds = ix.stability(ix.ListwiseSHAP(samples=20, background=BACKGROUND), ranking, seeds=3)
    assert (seeds.kendall, seeds.pairs) == (1.0, 3)  # all sets are asked: nothing is drawn
    kinds = [ix.ListwiseSHAP(background=b).explain(ranking) for b in ("mean", "median", BACKGROUND)]
    assert 0.5 < ix.agreement(kinds, k=3).rbo <= 1.0


def test_what_cannot_be_judged():
    ranking = ranking_of()
    method = ix.ListwiseSHAP()
    with pytest.raises(InputError, match="explain the ranking, without a document"):
        ix.feature_faithfulness(method.explain(ranking, 0))
    with pytest.raises(InputError, match="ks and draws must be 1 or more"):
        ix.feature_faithfulness(method.explain(ranking), ks=[0])
    with pytest.raises(InputError, match="has 6 features, fewer than any of ks"):
        ix.feature_faithfulness(method.explain(ranking), ks=[7])
    loaded = type(method.explain(ranking)).from_json(method.explain(ranking).to_json())
    with pytest.raises(InputError, match="must ask the model"):
        ix.feature_faithfulness(loaded)
    texts = ix.rank(lambda query, some: [t.count("tea") for t in some], "q", ["tea tea", "tea", "pot"])
    with pytest.raises(InputError, match="by words"):
        ix.feature_faithfulness(ix.ListwiseSHAP(units="words").explain(texts))

"""Rankings by features under the judges of words: pairs, fidelity, documents left out, comparison."""

import numpy as np
import pytest

import intentx as ix
from intentx.comparison.features import compare_features
from intentx.errors import InputError
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.text import Analyzer

X = np.random.default_rng(0).normal(size=(40, 8))
NAMES = [f"f{i}" for i in range(8)]
DOCS = [f"d{i}" for i in range(40)]


def ranking_of(model=lambda X: X[:, 0] + 2 * X[:, 1] - X[:, 2], rows=X):
    return ix.FeatureRanking.from_model(model, "q", DOCS[: len(rows)], rows, NAMES)


def explained(ranking, alone):
    return FeatureExplanation(
        method="given", ranking=ranking, features=("f1",), weights=(1.0,), alone=np.array(alone)
    )


def shuffled(ranking, seed=3):
    scores = np.random.default_rng(seed).permutation(ranking.scores)
    return ix.FeatureRanking("q", ranking.doc_ids, ranking.X, ranking.names, scores, ranking.model)


def test_pairs_need_no_text():
    ranking = ix.FeatureRanking("q", "abcd", np.eye(4), NAMES[:4], [4.0, 2.0, 2.0, 1.0])
    assert [*ix.preference_pairs(ranking)] == [(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)]
    flat = ix.FeatureRanking("q", "ab", np.eye(2), NAMES[:2], [1.0, 1.0])
    with pytest.raises(InputError, match="all 2 documents have the same score"):
        ix.preference_pairs(flat)


def test_fidelity_counts_ties_as_not_covered():
    ranking = ix.FeatureRanking("q", "abcd", np.eye(4), NAMES[:4], [4.0, 3.0, 2.0, 1.0])
    # ab is right, cd is tied up to rounding, bc and bd are the wrong way round, ac and ad are right.
    found = ix.fidelity(explained(ranking, [3.0, 0.1, 0.1 + 0.2, 0.3]), gap=2)
    assert (found.all, found.far, found.fitted) == (3 / 6, 2 / 3, 3 / 6)
    assert np.isnan(found.heldout)
    assert [row.ties for row in found.rows] == [1, 0, 1, 0]
    assert found.tau == pytest.approx((3 - 2) / np.sqrt(6 * 5))
    assert type(found).from_dict(found.to_dict()).all == found.all
    with pytest.raises(InputError, match="simple rankers and analyzers read texts"):
        ix.fidelity(explained(ranking, [1, 2, 3, 4]), analyzer=Analyzer())


def test_documents_left_out_are_ordered_by_the_chosen_features_with_background_of_the_others():
    ranking = ranking_of()
    found = ix.heldout_fidelity(ix.ListwiseSHAP(), ranking, repeats=3)
    assert found.mean == 1.0
    assert all({"f0", "f1", "f2"} <= set(chosen) for chosen in found.terms)

    class Fixed:
        background = "zero"

        def explain(self, shown):
            made = FeatureExplanation(
                method="f1 alone", ranking=shown, features=("f1",), weights=(1.0,), alone=shown.scores
            )
            made.made_by(self)
            return made

    one = ix.heldout_fidelity(Fixed(), ranking, repeats=1)
    held = np.random.default_rng(0).spawn(1)[0].permutation(40)[:12]
    part = ranking.subset(held.tolist())
    high, low = np.triu_indices(12, 1)
    assert one.mean == pytest.approx(np.mean(part.X[high, 1] > part.X[low, 1]))
    with pytest.raises(InputError, match="4 documents or more, not 3"):
        ix.heldout_fidelity(Fixed(), ranking.subset(range(3)))


def test_a_feature_that_is_not_used_has_no_effect():
    ranking = ranking_of()
    explanation = ix.ListwiseSHAP(background="zero").explain(ranking)
    effects = {one.feature: one for one in explanation.effects}
    assert [name for name, one in effects.items() if one.kind == "no effect"] == ["f3", "f4"]
    assert effects["f1"].change == pytest.approx(np.abs(2 * ranking.X[:, 1]).mean())
    order = np.argsort(-(ranking.scores - 2 * ranking.X[:, 1]), kind="stable")
    assert effects["f1"].places == pytest.approx(np.abs(np.argsort(order) - np.arange(40)).mean())


def test_the_verdict_holds_for_a_plain_model_and_not_for_shuffled_scores():
    method, ranking = ix.ListwiseSHAP(samples=100), ranking_of()
    explanation = method.explain(ranking)
    assert explanation.verdict is None
    found = ix.verdict(explanation)
    assert found.level == "holds"
    assert found.heldout == 1.0 > found.threshold > found.shuffled
    assert found.random < 0.9
    assert found.used == 3
    assert found.sentence.startswith("Holds: on documents left out, 5 features")
    again = ix.ListwiseSHAP(samples=100).explain(ranking)
    assert ix.verdict(again) == found
    back = type(explanation).from_dict(explanation.to_dict())
    assert back.verdict == found
    assert back.effects == explanation.effects
    assert found.sentence in explanation._repr_html_()
    assert ix.verdict(method.explain(shuffled(ranking))).level == "chance"


def test_no_verdict_without_a_model_or_of_one_document():
    method, ranking = ix.ListwiseSHAP(samples=100), ranking_of()
    with pytest.raises(InputError, match="explain the ranking, without a document"):
        ix.verdict(method.explain(ranking, 3))
    few = method.explain(ranking.subset(range(3)))
    assert ix.verdict(few).level == "chance"
    assert "4 documents or more" in few.verdict.sentence
    loaded = type(few).from_dict({**few.to_dict(), "verdict": None})
    with pytest.raises(InputError, match="explain the ranking again"):
        ix.verdict(loaded)


def test_two_rankers_are_compared_on_common_documents():
    method = ix.ListwiseSHAP()
    first, second = ranking_of(), ranking_of(lambda X: X[:, 1] + X[:, 6]).subset(range(30))
    found = compare_features(first, second, method)
    assert found.documents == 30
    scores = dict(zip(first.doc_ids, first.scores, strict=True))
    theirs = dict(zip(second.doc_ids, second.scores, strict=True))
    pairs = [(a, b) for i, a in enumerate(theirs) for b in list(theirs)[:i]]
    agree = [np.sign((scores[a] - scores[b]) * (theirs[a] - theirs[b])) for a, b in pairs]
    assert found.tau == pytest.approx(np.mean(agree))
    assert "f1" in found.both
    assert "f6" in found.second
    assert type(found).from_dict(found.to_dict()) == found
    with pytest.raises(InputError, match="needs two FeatureRankings"):
        compare_features(first, ix.rank(lambda q, texts: [1.0], "q", ["a"]), method)
    other = ix.FeatureRanking("q", "ab", np.eye(2), ("x", "y"), [1.0, 2.0])
    with pytest.raises(InputError, match="both rankings need the same features"):
        compare_features(first, other, method)


def test_a_mimic_of_several_queries_has_no_verdict_on_one():
    rankings = [ranking_of(rows=np.random.default_rng(i).normal(size=(20, 8))) for i in range(6)]
    with pytest.raises(InputError, match="judged on queries left"):
        ix.verdict(ix.MimicTree(max_leaves=4).explain(rankings))

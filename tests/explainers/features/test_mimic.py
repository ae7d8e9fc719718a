"""Mimic trees: planted rankers are found again, and what is measured is of held-out queries."""

import numpy as np
import pytest

import intentx as ix
from intentx.errors import InputError
from intentx.evaluation.statistics import kendall_tau_b
from intentx.explainers.features.mimics import ordered_labels

RNG = np.random.default_rng(3)
NAMES = ("BM25", "title", "links", "age")


def steps(rows):
    """A tree on two features."""
    return np.where(rows[:, 0] > 0.2, 2.0 + (rows[:, 1] > 0), 0.0)


def rankings_of(model, number=24, documents=15, missing=False, names=NAMES):
    made = []
    for query in range(number):
        rows = np.random.default_rng(query).normal(size=(documents, len(names)))
        if missing:
            rows[::4, 2] = np.nan
        ids = [f"d{i}" for i in range(documents)]
        made.append(ix.FeatureRanking.from_model(model, f"q{query}", ids, rows, names))
    return made


def test_a_tree_is_found_again():
    found = ix.MimicTree(max_leaves=3).explain(rankings_of(steps))
    assert (found.tau, found.precision, sorted(found.features)) == (1.0, 1.0, ["BM25", "title"])
    assert "BM25 <= 0.2" in found.tree or "BM25 <= 0.1" in found.tree
    assert found.queries == (17, 7)
    assert found.beside["best_feature"] < 0.9
    np.testing.assert_allclose(sum(found.weights), 1)


@pytest.mark.parametrize("kind", ["tree", "boosted", "lambdarank", "linear"])
def test_every_kind_orders_a_sum(kind):
    found = ix.MimicTree(kind=kind, max_leaves=8).explain(
        rankings_of(lambda rows: 2 * rows[:, 0] - rows[:, 3])
    )
    assert found.tau > {"tree": 0.6, "boosted": 0.7, "lambdarank": 0.8, "linear": 0.97}[kind]
    assert set(found.features[:2]) == {"BM25", "age"}
    assert found.tree


def test_the_metrics_are_those_of_held_out_queries():
    rankings = rankings_of(steps)
    found = ix.MimicTree(max_leaves=2, kind="tree").explain(rankings)
    order = np.random.default_rng(0).permutation(24)
    heldout = [rankings[i] for i in sorted(order[:7])]
    taus = [kendall_tau_b(one.scores, found.mimic.predict(one.X)) for one in heldout]
    assert found.tau == pytest.approx(np.mean(np.nan_to_num(taus)))
    assert found.ranking.query in {one.query for one in heldout}
    np.testing.assert_allclose(found.alone, found.mimic.predict(found.ranking.X))


def test_features_chosen_by_name_and_by_number():
    rankings = rankings_of(steps)
    by_name = ix.MimicTree(features=("links", "BM25")).explain(rankings)
    assert set(by_name.features) <= {"links", "BM25"}
    by_number = ix.MimicTree(features=2, max_leaves=3).explain(rankings)
    assert (set(by_number.features), by_number.tau) == ({"BM25", "title"}, 1.0)


def test_synthetic_documents_are_asked_of_the_model_and_told():
    rankings = rankings_of(steps, number=4)
    found = ix.MimicTree(max_leaves=3, synthetic=50).explain(rankings)
    assert (found.model_calls, found.tau) == (150, 1.0)
    assert any("150 synthetic documents" in note for note in found.notes)
    recorded = [ix.FeatureRanking.from_dict(one.query, one.to_dict()) for one in rankings]
    assert ix.MimicTree(max_leaves=3).explain(recorded).tau > 0.8
    with pytest.raises(InputError, match="synthetic documents must ask the model"):
        ix.MimicTree(synthetic=5).explain(recorded)


def test_missing_values_and_constants():
    def model(rows):
        return np.nan_to_num(rows[:, 2], nan=-9)

    for kind in ("tree", "boosted", "linear"):
        found = ix.MimicTree(kind=kind, max_leaves=8).explain(rankings_of(model, missing=True))
        assert found.features[0] == "links"
        assert found.tau > 0.5


def test_a_ranker_of_texts_is_mimicked_by_features_of_texts():
    from intentx.rankers import TextFeatures

    words = ["tea", "pot", "green", "boat", "piano", "lamp"]
    generator = np.random.default_rng(0)
    queries = {f"{a} {b}": None for a in words[:4] for b in words[2:] if a != b}
    texts = [" ".join(generator.choice(words, 8)) for _ in range(20)]

    def score(query, some):
        return [sum(text.split().count(word) for word in query.split()) for text in some]

    features = TextFeatures(texts)
    rankings = [ix.rank(score, query, texts) for query in queries]
    found = ix.MimicTree(features_of=features, max_leaves=16).explain(rankings)
    assert found.tau > 0.95  # by counts of words alone, whatever the query, 0.9
    with pytest.raises(InputError, match="does not score by features"):
        ix.MimicTree().explain(rankings)


def test_json_both_ways(tmp_path):
    found = ix.MimicTree(max_leaves=3).explain(rankings_of(steps, number=6))
    again = ix.load(found.save(tmp_path / "x.json"))
    assert (again.tree, again.tau, again.queries, again.beside) == (
        found.tree, found.tau, found.queries, dict(found.beside),
    )  # fmt: skip
    assert again.to_json() == found.to_json()
    assert repr(found).startswith("<MimicTree for 'q")


def test_labels_are_shares_of_documents_that_are_beaten():
    scores = RNG.integers(0, 5, 20).astype(float)
    expected = [
        (sum(s < one for s in scores) + (sum(s == one for s in scores) - 1) / 2) / 19 for one in scores
    ]
    np.testing.assert_allclose(ordered_labels(scores), expected)


def test_bad_input():
    rankings = rankings_of(steps, number=3)
    with pytest.raises(InputError, match="MimicTree explains several rankings together"):
        ix.MimicTree().explain(rankings[0])
    with pytest.raises(InputError, match="two or more with a preference pair are needed, not 1 of 1"):
        ix.MimicTree().explain(rankings[:1])
    tied = rankings_of(lambda rows: np.zeros(len(rows)), number=3)
    with pytest.raises(InputError, match="not 0 of 3"):
        ix.MimicTree().explain(tied)
    other = rankings_of(lambda rows: rows[:, 0], number=1, names=("a", "b"))
    with pytest.raises(InputError, match="the rankings have different features"):
        ix.MimicTree().explain([*rankings, *other])
    with pytest.raises(InputError, match="no feature 'colour'"):
        ix.MimicTree(features=("colour",)).explain(rankings)
    with pytest.raises(InputError, match="max_leaves must be a whole number, 2 or more"):
        ix.MimicTree(max_leaves=1)


def test_labels_are_chosen_on_fitted_queries():
    """Scores of one scale can be fitted to; where each query has a scale of its own, the order is."""

    def gated(rows):
        return np.where(rows[:, 0] > 0, 5.0 + rows[:, 1], 0.0)

    rankings = rankings_of(gated, number=30)
    scales = 10.0 ** np.random.default_rng(0).integers(-3, 4, len(rankings))
    other = [
        ix.FeatureRanking(one.query, one.doc_ids, one.X, one.names, one.scores * scale + scale)
        for one, scale in zip(rankings, scales, strict=True)
    ]
    by = {how: ix.MimicTree(labels=how).explain(other) for how in ("auto", "scores", "order")}
    assert by["order"].tau > by["scores"].tau + 0.1
    assert by["auto"].tau == by["order"].tau
    assert any("Fitted to the order within each query: on 7" in note for note in by["auto"].notes)
    same = {how: ix.MimicTree(labels=how).explain(rankings) for how in ("auto", "scores")}
    assert same["scores"].tau > 0.8
    assert same["auto"].settings["labels"] == "auto"


def test_lambdarank_and_few_queries_take_the_order():
    rankings = rankings_of(steps, number=6)
    method = ix.MimicTree(kind="lambdarank", max_leaves=4, labels="scores")
    assert method._chosen_labels(rankings, []) == "order"
    assert ix.MimicTree()._chosen_labels(rankings[:2], []) == "order"
    assert ix.MimicTree(labels="scores")._chosen_labels(rankings, []) == "scores"


def test_the_tree_is_shown():
    found = ix.MimicTree(max_leaves=3).explain(rankings_of(steps, number=6))
    line = found.tree.splitlines()[0]
    assert line in found.text(100)
    assert "<pre>" in found._repr_html_()
    from intentx.report.pages.ranking import page

    assert 'id="model"' in page([found])


def test_names_of_features_may_be_a_list():
    rankings = rankings_of(steps, number=4)
    listed = ix.MimicTree(features=["links", "BM25"])
    assert listed == ix.MimicTree(features=("links", "BM25"))
    assert (
        listed.explain(rankings).features
        == ix.MimicTree(features=("links", "BM25")).explain(rankings).features
    )
    changes = ix.Counterfactual(edits=["insert-own-words"], words=["tea"])
    assert (changes.edits, changes.words) == (("insert-own-words",), ("tea",))

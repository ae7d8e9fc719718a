"""Effects with their way and interval, agreement of features, trees of other packages, drawn mimics."""

import itertools

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

import intentx as ix
from intentx.cli import main
from intentx.errors import InputError
from intentx.explainers.features.mimic import MimicExplanation

NAMES = ("up", "down", "bent", "unused")
ROWS = np.random.default_rng(0).normal(size=(40, 4))


def model(rows):
    return 2 * rows[:, 0] - rows[:, 1] + np.abs(rows[:, 2])


def ranking_of(asked=model, rows=ROWS, names=NAMES):
    return ix.FeatureRanking.from_model(asked, "q", [f"d{i}" for i in range(len(rows))], rows, names)


def test_effects_have_a_way_and_an_interval():
    found = ix.ListwiseSHAP().explain(ranking_of())
    by_name = {one.feature: one for one in found.effects}
    assert [by_name[n].way for n in NAMES] == ["rises", "falls", "both ways", ""]
    assert by_name["up"].direction == pytest.approx(1.0)
    assert by_name["down"].direction == pytest.approx(-1.0)
    away = np.abs(2 * (ROWS[:, 0] - ROWS[:, 0].mean()))
    assert by_name["up"].change == pytest.approx(away.mean())
    half = 1.96 * away.std(ddof=1) / np.sqrt(40)
    assert by_name["up"].low == pytest.approx(away.mean() - half, rel=0.1)
    assert by_name["up"].high == pytest.approx(away.mean() + half, rel=0.1)
    again = type(found).from_dict(found.to_dict())
    assert again.effects[0] == found.effects[0]
    old = found.to_dict()
    for effect in old["effects"]:  # as files had them before
        for key in ("low", "high", "direction"):
            effect.pop(key)
    assert np.isnan(type(found).from_dict(old).effects[0].low)


def test_features_agree_over_seeds_and_backgrounds():
    ranking = ranking_of()
    same = ix.stability(ix.ValidFeatures(k=2), ranking, seeds=3, k=2)
    assert (same.jaccard, same.pairs) == (1.0, 3)
    other = [ix.FeatureBaseline(by="random", k=2, seed=s).explain(ranking) for s in range(4)]
    assert ix.agreement(other, 2).jaccard < 1.0
    backgrounds = [ix.ValidFeatures(k=2, background=b).explain(ranking) for b in ("mean", "zero")]
    assert ix.agreement(backgrounds, 2).jaccard == 1.0


@pytest.mark.parametrize("kind", ["histogram", "forest", "xgboost"])
def test_trees_of_others_are_read_and_the_answer_is_that_of_asking(kind):
    X = np.random.default_rng(1).normal(size=(200, 18))
    X[::9, 3] = np.nan
    y = np.nan_to_num(X[:, 3]) + X[:, 5] * X[:, 7] + X[:, 0]
    if kind == "xgboost":
        xgboost = pytest.importorskip("xgboost")
        fitted = xgboost.XGBRegressor(n_estimators=10, max_depth=3, n_jobs=1).fit(X, y)
    elif kind == "forest":
        fitted = RandomForestRegressor(10, max_depth=4, random_state=0).fit(X, y)
    else:
        fitted = HistGradientBoostingRegressor(max_iter=20, max_leaf_nodes=6).fit(X, y)
    names = [f"f{i}" for i in range(18)]
    ranking = ranking_of(ix.FeatureModel(fitted, names), X[:25], None)
    read, asked = (ix.ValidFeatures(k=2, trees=t).explain(ranking) for t in (True, False))
    assert (read.features, read.model_calls) == (asked.features, 2 * 25)
    assert read.validity == pytest.approx(asked.validity)
    assert asked.model_calls > 200
    assert read.bound == (read.validity if read.status == "optimal" else 1.0)


@pytest.fixture(scope="module")
def mimicked():
    def steps(rows):
        return np.where(rows[:, 0] > 0.2, 2.0 + (rows[:, 1] > 0), 0.0)

    rankings = [
        ranking_of(steps, np.random.default_rng(query).normal(size=(15, 4))) for query in range(16)
    ]
    return ix.MimicTree(max_leaves=3).explain(rankings), rankings


def test_the_nodes_of_a_mimic_are_its_tree(mimicked):
    found, rankings = mimicked

    def answer(row, place=0):
        node = found.nodes[place]
        if not node.feature:
            return node.value
        low = row[NAMES.index(node.feature)] <= node.threshold
        return answer(row, node.low if low else node.high)

    predicted = found.mimic.predict(rankings[0].X)
    assert [answer(row) for row in rankings[0].X] == pytest.approx(predicted)
    shape = next(one for one in found.shapes if one.feature == "up")
    assert shape.answers[-1] - shape.answers[0] > 0.3
    again = MimicExplanation.from_dict(found.to_dict())
    assert (again.nodes, again.shapes) == (found.nodes, found.shapes)
    old = {key: value for key, value in found.to_dict().items() if key not in ("nodes", "shapes")}
    assert MimicExplanation.from_dict(old).nodes == ()


def test_a_mimic_is_drawn_as_a_tree_and_as_shapes(mimicked, tmp_path):
    found, _ = mimicked
    written = {text.get_text() for text in found.plot().texts}
    assert {"yes", "no"} < written
    assert any(text.startswith("up > 0.") for text in written)
    assert [ax.get_title() for ax in found.plot_shapes(most=1)] == [found.features[0]]
    page = found.to_html(tmp_path / "m.html").read_text(encoding="utf-8")
    assert page.count('<rect x="') >= len(found.nodes)
    assert "mean answer" in page


def test_no_box_of_a_drawn_tree_reaches_into_the_next_level():
    """Names were longer than the room of a level."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    generator = np.random.default_rng(0)
    names = ("BM25 of the whole document, with stemming", "title", "inlinks of all hosts of the page")
    rankings = [
        ranking_of(
            lambda rows: 2.0 * (rows[:, 0] > 0) + (rows[:, 1] > 0) + 0.5 * (rows[:, 2] > 0),
            generator.normal(size=(20, 3)),
            names,
        )
        for _ in range(8)
    ]
    found = ix.MimicTree(max_leaves=8, heldout=0.25).explain(rankings)
    for ax in (found.plot(), found.plot(pyplot.subplots(figsize=(7, 4))[1])):
        ax.figure.canvas.draw()
        levels: dict[float, list[float]] = {}
        for text in ax.texts:
            if text.get_bbox_patch():
                box = text.get_window_extent()
                levels.setdefault(round(box.x0), []).append(box.x1)
        lefts = sorted(levels)
        assert sum(map(len, levels.values())) >= 9
        assert len(lefts) > 2
        for left, following in itertools.pairwise(lefts):
            assert max(levels[left]) < following
    pyplot.close("all")


def test_a_mimic_is_measured_on_other_queries(mimicked):
    found, rankings = mimicked
    assert found.measured_on(rankings)["tau"] == pytest.approx(1.0, abs=0.05)
    with pytest.raises(InputError, match="one ranking or more"):
        found.measured_on([])
    with pytest.raises(InputError, match="loaded from JSON"):
        MimicExplanation.from_dict(found.to_dict()).measured_on(rankings)
    with pytest.raises(InputError, match="no feature 'up'"):
        found.measured_on([ranking_of(lambda rows: rows[:, 0], ROWS, ("a", "b", "c", "d"))])


def test_the_command_says_the_verdict_first(tmp_path, capsys, monkeypatch):
    (tmp_path / "mine_of_features.py").write_text("def score(X):\n    return 2 * X[:, 0] - X[:, 1]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    lines = [f"0 qid:7 {' '.join(f'{i + 1}:{v:.3f}' for i, v in enumerate(row))}" for row in ROWS]
    (tmp_path / "letor.txt").write_text("\n".join(lines))
    command = ["explain", "--letor", "letor.txt", "--qid", "7", "--ranker", "mine_of_features:score"]
    assert main([*command, "--k", "2"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("Holds: on documents left out, 2 features chosen in the same way")
    assert "with higher values places" in said
    assert "rises" in said
    assert main([*command, "--k", "2", "--no-verdict"]) == 0
    assert capsys.readouterr().out.lstrip().startswith("ValidFeatures for")


def test_huge_scores_are_short():
    found = ix.ListwiseSHAP().explain(ranking_of(lambda rows: 1e300 * rows[:, 0]), 0)
    assert len(repr(found)) < 200

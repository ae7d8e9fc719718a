"""`plot`, `to_html` and `to_dataframe` of explanations."""

import sys

import numpy as np
import pytest

import intentx as ix
from tests.toys import keyboards

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402


@pytest.fixture(scope="module")
def ranking():
    texts, scorer = keyboards(number=12)
    return ix.rank(scorer, "keyboard reviews", texts)


@pytest.fixture(scope="module")
def whole(ranking):
    return ix.Multiplex(budget=100, max_terms=4).explain(ranking)


@pytest.fixture(scope="module")
def single(ranking):
    return ix.EXS(samples=40).explain(ranking, 0)


@pytest.fixture(autouse=True)
def closed():
    before = dict(matplotlib.rcParams)
    yield
    pyplot.close("all")
    assert dict(matplotlib.rcParams) == before  # the user's style is as it was


def drawn(axes):
    """The bars of an axis from above, by their words."""
    words = [label.get_text() for label in axes.get_yticklabels()]
    return dict(zip(words, (bar.get_width() for bar in axes.patches), strict=True))


def test_bars_of_a_ranking(whole):
    axes = whole.plot()
    assert isinstance(axes, Axes)
    bars = drawn(axes)
    assert set(bars) == set(whole.terms)
    for term, weight in zip(whole.terms, whole.weights, strict=True):
        assert bars[term] == pytest.approx(weight)
    assert [*bars.values()] == sorted(bars.values(), reverse=True)
    said = [text.get_text() for text in axes.texts]
    wanted = sum(one.kind == "wanted" for one in whole.effects)
    assert sum("wants" in text for text in said) == wanted > 0
    assert axes.figure in map(pyplot.figure, pyplot.get_fignums())
    assert axes.get_xlabel() == "share of the coverage"
    assert whole.verdict.sentence.split()[0] in axes.figure.texts[0].get_text()


def test_bars_of_a_document(single):
    axes = single.plot(most=5)
    bars = drawn(axes)
    assert [*bars] == [*single.terms[:5]]
    assert [*bars.values()] == pytest.approx(single.weights[:5])
    colours = {np.sign(bar.get_width()): bar.get_facecolor() for bar in axes.patches if bar.get_width()}
    assert len(set(colours.values())) == len(colours) == 2
    assert "smaller weights left out" in axes.get_xlabel()


def test_bars_of_an_equivalent_query_are_its_weights(ranking):
    found = ix.EquivalentQuery(max_terms=3, max_weight=2, controls=False).explain(ranking)
    axes = found.plot()
    assert drawn(axes) == dict(zip(found.terms, found.weights, strict=True))
    assert axes.get_xlabel() == "weight in the query"
    title = " ".join(text.get_text() for text in axes.figure.texts)
    assert found.agreement.sentence in title
    assert "the query whose ranking is most like the ranker’s" in title


def test_on_an_axis_of_the_users(whole, single):
    figure, (left, right) = pyplot.subplots(1, 2)
    assert whole.plot(left) is left
    assert single.plot(right, most=3) is right
    assert len(left.patches) == len(whole.terms)
    assert len(right.patches) == 3
    assert pyplot.get_fignums() == [figure.number]
    figure.canvas.draw()


def test_what_is_no_number_of_bars(whole):
    with pytest.raises(ix.InputError, match="most must be 1 or more, not 0"):
        whole.plot(most=0)


def test_pages(whole, single, tmp_path):
    for found in (whole, single):
        path = found.to_html(tmp_path / "page.html")
        page = path.read_text(encoding="utf-8")
        assert page.startswith("<!doctype html>")
        assert "keyboard reviews" in page
    with pytest.raises(ix.InputError, match="there is no folder"):
        whole.to_html(tmp_path / "no" / "page.html")


def test_frames(whole, single):
    frame = whole.to_dataframe()
    assert tuple(frame["term"]) == whole.terms
    assert tuple(frame["weight"]) == whole.weights
    assert [*frame["kind"]] == [one.kind for one in whole.effects]
    assert [*frame["won"]] == [role.won for role in whole.roles]
    frame = single.to_dataframe()
    assert [*frame.columns] == ["term", "weight", "times"]
    times = dict(zip(frame["term"], frame["times"], strict=True))
    assert times == {t: sum(word.term == t for word in single.words) for t in single.terms}


def test_without_the_packages_the_extra_is_named(whole, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[pandas\]"):
        whole.to_dataframe()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[plot\]"):
        whole.plot()

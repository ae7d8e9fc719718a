"""Nothing that is written in a picture leaves it: titles, labels and numbers, whatever the names are."""

from __future__ import annotations

import dataclasses

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

import intentx as ix
from intentx.report.pictures.maps import box_figure, flattened_figure, map_figure
from intentx.report.pictures.study import plots
from intentx.report.pictures.style import plain_style
from intentx.report.pictures.words import coloured_document, picture, word_bars
from intentx.study.results import read_results
from tests.report import toy_studies
from tests.report.test_maps import explained

NAMES = {
    "long": "how do keyboards of stage pianos feel after years of playing " * 4,
    "no blanks": "pianokeys" * 23,
    "wide letters": "W" * 210,
    "cjk": "钢琴键盘的评论和价格" * 21,
    "right to left": "مراجعات لوحة مفاتيح البيانو " * 9,
    "one right to left": "مفاتيح" * 34,
    "emoji": "🎹👩‍👩‍👧" * 40,
    "short": "x",
}


def named(*names):
    """Some of the names; drawing takes long, and all of them are drawn in one kind of picture."""
    return pytest.mark.parametrize("name", [NAMES[name] for name in names or NAMES], ids=names or NAMES)


def outside(figure):
    """Texts that are drawn beyond the edges, with how far, in pixels."""
    drawn = []  # an axis has labels of ticks, too, that it never draws
    with plain_style(), pytest.MonkeyPatch.context() as patched:
        # Where a text comes to stand is known without its letters, which take the longest.
        patched.setattr(Text, "draw", lambda text, renderer: drawn.append(text))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        found = {}
        for text in drawn:
            if text.get_visible() and text.get_text().strip():
                box, edges = text.get_window_extent(renderer), figure.bbox
                beyond = max(-box.x0, -box.y0, box.x1 - edges.width, box.y1 - edges.height)
                if beyond > 1:
                    found[text.get_text()[:60]] = round(float(beyond), 1)
    return found


def pianos(query, texts):
    return [text.count("piano") for text in texts]


def a_document(query):
    texts = ["piano keys and a stool", "a desk", "piano"]
    return ix.EXS(samples=20).explain(ix.rank(pianos, query, texts), 0)


@named("no blanks", "cjk", "right to left")
def test_pictures_of_documents_and_rankings(name):
    found = a_document(name)
    ranking = dataclasses.replace(found.ranking, doc_ids=(name, *found.ranking.doc_ids[1:]))
    found = dataclasses.replace(
        found, method=name, ranking=ranking, cautions=(name,), terms=(name, *found.terms[1:])
    ).with_measures(ix.faithfulness(found, words=3, draws=1))
    for draw in (picture, coloured_document, word_bars):
        assert outside(draw(found)) == {}
    method = ix.Multiplex(seed=0, budget=0)
    listed = ix.rank(pianos, name, [*"abc", "piano", "piano piano", "keys", "a stool"])
    whole = method.explain(listed)
    whole = dataclasses.replace(whole, method=name)
    assert outside(word_bars(whole.with_measures(ix.heldout_fidelity(method, listed, repeats=2)))) == {}


@named("no blanks", "cjk")
def test_maps(name):
    found = explained(text=f"keys {name[:40]} desk piano", query=f"keys {name[:40]}")
    ids = (name, *found.ranking.doc_ids[1:])
    found = dataclasses.replace(found, ranking=dataclasses.replace(found.ranking, doc_ids=ids))
    for draw in (map_figure, flattened_figure):
        assert outside(draw(found)) == {}


def test_a_map_of_one_cell():
    for draw in (map_figure, flattened_figure):
        assert outside(draw(explained(text="keys", query="keys"))) == {}


@named()
def test_box_plots(name):
    values = [1.0, 2.0, 3.0, 40.0]
    figure = box_figure({name: {name: values, "b": values}, "other": {"c": values}}, name)
    assert outside(figure) == {}
    assert all(axes.get_window_extent().height > 100 for axes in figure.axes)  # room for the boxes


@named("wide letters", "one right to left")
def test_plots_of_studies(name, tmp_path):
    study = toy_studies.plan(rankers=(name, "b"), methods=(name, f"{name} 2"))
    toy_studies.write(tmp_path, study, toy_studies.queries(3))
    drawn = plots(read_results([tmp_path]))
    assert len(drawn) == 4
    assert [outside(plot.figure) for plot in drawn] == [{}] * 4


@pytest.mark.parametrize("rankers", [1, 5])
def test_plots_of_short_names(tmp_path, rankers):
    study = toy_studies.plan(rankers=[f"r{n}" for n in range(rankers)], methods=("m",))
    toy_studies.write(tmp_path, study, toy_studies.queries(3))
    drawn = plots(read_results([tmp_path]))
    assert [outside(plot.figure) for plot in drawn] == [{}] * 4


def test_the_check_can_fail():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    figure.suptitle(NAMES["long"])
    assert outside(figure)

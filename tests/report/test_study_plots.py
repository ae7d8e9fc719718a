"""Plots of a study: dots stand where the metrics are, files are the same twice, names are only drawn."""

from __future__ import annotations

import dataclasses
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

import intentx as ix
from intentx.report.pictures.study import distributions, inline, plots, written
from intentx.report.pictures.style import AGAINST, FOR, SOFT, plain_style
from intentx.study.results import read_results
from tests.report import toy_studies

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    toy_studies.write(folder, toy_studies.plan(), toy_studies.queries(9), failed={(2, 1)})
    return read_results([folder])


def plot_of(results, name):
    (found,) = (plot for plot in plots(results) if plot.name == name)
    return found


def markers(axes):
    """Place, row and colour of each marker."""
    lines = (line for line in axes.lines if line.get_marker() not in ("None", "|"))
    return [(*line.get_xydata()[0].tolist(), to_hex(line.get_color())) for line in lines]


def panels(plot):
    return {axes.get_title(loc="left"): axes for axes in plot.figure.axes}


def test_there_is_a_panel_for_each_ranker_and_a_row_for_each_method(results):
    for plot in plots(results):
        assert list(panels(plot)) == ["BM25", "MiniLM"]
        first = plot.figure.axes[0]
        names = [label.get_text() for label in first.get_yticklabels()]
        assert names == ["QUERY-TERMS", "GREEDY-LM", "MULTIPLEX"]
        assert first.get_ylim() == (2.5, -0.5)  # the first method on top


@pytest.mark.parametrize(
    ("name", "metrics"),
    [
        ("fidelity", {("all", FOR), ("far", FOR), ("heldout_documents", AGAINST)}),
        (
            "overfitting",
            {("all", FOR), ("heldout_documents", AGAINST), ("shuffled_all", SOFT),
             ("shuffled_heldout_documents", SOFT)},
        ),
    ],
)  # fmt: skip
def test_dots_are_means(results, name, metrics):
    methods = list(results.study.methods)
    for ranker, axes in panels(plot_of(results, name)).items():
        found = sorted((round(y), x, colour) for x, y, colour in markers(axes))
        assert found == sorted(
            (methods.index(line.method), line.metrics[metric].mean, colour)
            for line in results.lines
            if line.ranker == ranker
            for metric, colour in metrics
        )


def test_lines_are_intervals(results):
    axes = panels(plot_of(results, "fidelity"))["MiniLM"]
    drawn = {tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2}
    for line in results.lines:
        if line.ranker == "MiniLM":
            for name in ("all", "far", "heldout_documents"):
                assert (line.metrics[name].low, line.metrics[name].high) in drawn


def test_queries_are_dots_and_their_quantiles(results):
    main, values = distributions(results)
    assert main == "heldout_documents"
    axes = panels(plot_of(results, "queries"))["BM25"]
    for row, method in enumerate(results.study.methods):
        some = values["BM25", method]
        assert len(some) == (8 if method == "GREEDY-LM" else 9)  # one has failed
        dots = axes.collections[row].get_offsets()
        assert np.array_equal(dots[:, 0], some)
        assert np.all(np.abs(dots[:, 1] - row) < 0.5)
        (median,) = (
            line.get_xdata()[0]
            for line in axes.lines
            if line.get_marker() == "|" and abs(line.get_ydata()[0] - row) < 0.5
        )
        assert median == np.median(some)


def test_seconds_are_ours_and_the_rankers(results):
    axes = panels(plot_of(results, "seconds"))["BM25"]
    assert axes.get_xscale() == "log"
    low, high = axes.get_xlim()
    assert low < 0.25 < 0.5 < high
    assert set(markers(axes)) == {(0.25, row, FOR) for row in range(3)} | {
        (0.5, row, AGAINST) for row in range(3)
    }
    recorded = [dataclasses.replace(line, seconds={"ours": 0.1, "model": 0.0}) for line in results.lines]
    axes = panels(plot_of(dataclasses.replace(results, lines=tuple(recorded)), "seconds"))["BM25"]
    assert {colour for _, _, colour in markers(axes)} == {FOR}


def test_the_same_results_are_the_same_files(results):
    for one, two in zip(plots(results), plots(results), strict=True):
        for kind, start in (("png", b"\x89PNG"), ("svg", b"<?xml")):
            file = written(one.figure, kind)
            assert file == written(two.figure, kind)
            assert file.startswith(start)


def test_inline_plots_share_no_id_and_take_the_pages_colours(results):
    seen = set()
    for plot in plots(results):
        text = inline(plot)
        tree = ElementTree.fromstring(text)  # noqa: S314
        ids = [one.get("id") for one in tree.iter() if one.get("id")]
        assert len(ids) == len(set(ids))
        assert seen.isdisjoint(ids)
        seen.update(ids)
        links = [one.get(LINK) for one in tree.iter() if one.get(LINK)]
        links += re.findall(r"url\((#[^)]*)\)", text)
        assert links
        assert {link.removeprefix("#") for link in links} <= set(ids)
        assert not tree.findall(f".//{SVG}style")
        assert not re.search(r"#[0-9a-f]{6}\b", text)
        assert "var(--ink)" in text


def test_names_are_drawn_and_nothing_else(tmp_path):
    evil = toy_studies.HOSTILE
    study = toy_studies.plan((evil, "مفاتيح", "$x$"), (evil, "漢字 🎹"), evil)
    toy_studies.write(tmp_path, study, toy_studies.queries(3))
    for plot in plots(read_results([tmp_path])):
        text = inline(plot)
        tree = ElementTree.fromstring(text)  # noqa: S314
        assert "script" not in text
        assert {one.tag.removeprefix(SVG) for one in tree.iter()} <= {
            *("figure", "figcaption", "b", "div", "svg", "defs", "g", "path", "use", "clipPath", "rect"),
        }
        assert written(plot.figure, "png")
        with plain_style():
            FigureCanvasAgg(plot.figure).draw()
            for axes in plot.figure.axes:  # long names are cut
                title = axes._left_title
                assert title.get_window_extent().x1 <= axes.get_window_extent().x1
                assert all(label.get_window_extent().x0 >= 0 for label in axes.get_yticklabels())


def test_many_rankers_stand_in_lines_of_four(tmp_path):
    rankers = [f"R{i}" for i in range(6)]
    toy_studies.write(tmp_path, toy_studies.plan(rankers), toy_studies.queries(3))
    figure = plot_of(read_results([tmp_path]), "fidelity").figure
    boxes = [axes.get_position() for axes in figure.axes]
    assert len({round(box.y0, 6) for box in boxes}) == 2
    assert len({round(box.x0, 6) for box in boxes}) == 4
    assert all(0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1 for box in boxes)


def test_what_is_not_there_is_not_drawn(results):
    bare = [
        dataclasses.replace(line, metrics={"all": line.metrics["all"]}, seconds={})
        for line in results.lines
    ]
    found = plots(dataclasses.replace(results, lines=tuple(bare)))
    assert [plot.name for plot in found] == ["fidelity", "queries"]
    assert {colour for axes in found[0].figure.axes for _, _, colour in markers(axes)} == {FOR}
    none = [dataclasses.replace(line, metrics={}, seconds={}) for line in results.lines]
    empty = dataclasses.replace(results, lines=tuple(none))
    assert plots(empty) == []


def test_a_method_of_one_ranker_leaves_the_others_row_empty(results):
    lines = tuple(line for line in results.lines if (line.ranker, line.method) != ("BM25", "GREEDY-LM"))
    found = panels(plot_of(dataclasses.replace(results, lines=lines), "fidelity"))
    rows = {ranker: {round(y) for _, y, _ in markers(axes)} for ranker, axes in found.items()}
    assert len(rows["BM25"]) == 2
    assert len(rows["MiniLM"]) == 3


def test_without_matplotlib_the_extra_is_named(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[plot\]"):
        plots(results)

"""Pictures of Grad-CAM's maps: what is drawn are the numbers, and the words are those of the text."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest

import intentx as ix
from intentx.explainers.inside.gradcam import GradCAM
from intentx.report.pictures.maps import COLUMNS, LINES, box_figure, flattened_figure, map_figure
from intentx.report.pictures.style import AGAINST
from tests.explainers.inside.test_gradcam import SETTINGS, ranker
from tests.rankers.interaction_toys import lexicon

QUERY = "Pianos' keys zeppelin"
TEXT = "Laptop typing: keys, keys, desk and a $piano$ stool's sound"


def explained(text=TEXT, query=QUERY, stem=None, **settings):
    model = ix.rankers.MatchPyramid(lexicon(analyzer=ix.Analyzer(stem=stem)), SETTINGS["two layers"])
    model.module.load_state_dict(ranker("two layers").module.state_dict())
    return GradCAM(**settings).explain(ix.rank(model, query, [text, "desk"]), "0")


def maps_of(figure):
    """Title and values of each matrix drawn, with the words on its axes."""
    drawn = [axes for axes in figure.axes if axes.images and axes.get_title("left")]
    return [
        (
            axes.get_title("left"),
            np.ma.filled(axes.images[0].get_array().astype(float), np.nan),
            [label.get_text() for label in axes.get_yticklabels()],
            [label.get_text() for label in axes.get_xticklabels()],
        )
        for axes in drawn
    ]


def test_the_map_and_the_interactions_with_words_as_written():
    found = explained(stem="english")
    assert found.query_terms[1] == "key"
    first, second = maps_of(map_figure(found))
    assert (first[0], second[0]) == ("Grad-CAM’s map", "interaction matrix")
    np.testing.assert_allclose(first[1], found.map)
    np.testing.assert_allclose(second[1], found.interaction)
    for _, _, query, document in (first, second):
        assert query == ["Pianos", "keys", "zeppelin"]
        words = ["Laptop", "typing", "keys", "keys", "desk", "piano", "stool", "sound"]
        assert document == words
    title = map_figure(found).get_suptitle()
    assert QUERY in title
    assert "rank" in title


def test_a_long_document_goes_on_below_and_is_cut_with_a_word_about_it():
    number = COLUMNS * LINES + 7
    found = explained(" ".join(["keys", "desk", "sound"][i % 3] for i in range(number)))
    figure = map_figure(found)
    maps = maps_of(figure)
    assert len(maps) == 2 * LINES
    np.testing.assert_allclose(np.hstack([one[1] for one in maps[::2]]), found.map[:, : COLUMNS * LINES])
    assert "7 more terms of the document are not shown" in figure.get_suptitle()
    short = explained(" ".join(["keys", "desk"] * 25))
    lines = maps_of(map_figure(short))
    assert [one[1].shape for one in lines] == [(3, COLUMNS)] * 4  # cells of the same size
    assert np.isnan(lines[2][1][:, 10:]).all()
    assert len(lines[2][3]) == 10
    assert "87 more terms are not shown" in flattened_figure(found).get_suptitle()


def test_flattened_maps_beside_each_other():
    found = explained(effective=0.6, filtered=0.5, similar=0.9)
    assert found.effective_terms
    assert found.filtered_terms
    rows = flattened_figure(found).axes
    for axes, values in zip(
        rows, (found.contributions, found.interaction.sum(axis=0), found.similarities), strict=True
    ):
        np.testing.assert_allclose([bar.get_height() for bar in axes.containers[0]], values)
    for term, label in zip(found.document_terms, rows[-1].get_xticklabels(), strict=True):
        assert (label.get_fontweight() == "bold") == (term in found.effective_terms)
        assert (label.get_fontstyle() == "italic") == (term in found.filtered_terms)
        assert (label.get_color() == AGAINST) == (term in found.filtered_terms)


def test_boxes_are_quartiles_and_what_lies_outside_is_counted():
    first, second = np.array([1.0, 2, 3, 4, 5, 6, 7, 13]), np.array([2.0, np.nan, 8, 9])
    figure = box_figure({"size": {"relevant": first, "negative": second}}, "of $all$")
    [axes] = figure.axes
    labels = [label.get_text().split("\n") for label in axes.get_xticklabels()]
    assert labels == [["relevant", "n = 8", "1 outside"], ["negative", "n = 3", "0 outside"]]
    boxes = [patch.get_path().vertices[:, 1] for patch in axes.patches]
    for box, values in zip(boxes, (first, second[[0, 2, 3]]), strict=True):
        assert (box.min(), box.max()) == pytest.approx(tuple(np.percentile(values, [25, 75])))
    assert figure.get_suptitle() == "of $all$"
    assert len(box_figure({"a": {"x": [1.0]}, "b": {"x": [1.0], "y": [2.0], "z": [3.0]}}).axes) == 2


@pytest.mark.parametrize("groups", [{}, {"a": {}}, {"a": {"x": []}}, {"a": {"x": [np.nan]}}])
def test_no_values_no_boxes(groups):
    with pytest.raises(ix.InputError, match="box plots need"):
        box_figure(groups)


@pytest.mark.parametrize("draw", [map_figure, flattened_figure])
def test_nothing_to_draw(draw):
    with pytest.raises(ix.InputError, match="no term that the ranker knows"):
        draw(explained("the of and"))


@pytest.mark.parametrize("draw", [map_figure, flattened_figure])
def test_any_text_can_be_drawn(draw, tmp_path):
    hostile = "$\\frac$ <b> \\alpha^_ piano\x00 漢字 🎹 usb %s " + "x" * 300 + " desk"
    with matplotlib.rc_context({"text.usetex": True, "font.size": 40}):
        before = dict(matplotlib.rcParams)
        figure = draw(explained(hostile, query="keys " + "and a stool of $frac{ " * 12))
        assert dict(matplotlib.rcParams) == before
    assert max(figure.get_size_inches()) < 40
    with ix.report.pictures.style.plain_style():
        figure.savefig(tmp_path / "picture.png", dpi=30)


def test_one_cell():
    found = explained("desk", query="desk")
    [first, second] = maps_of(map_figure(found))
    assert first[1].shape == second[1].shape == (1, 1)
    assert len(flattened_figure(found).axes) == 3


def test_without_matplotlib_and_without_its_global_state():
    code = (
        "import sys\n"
        "from intentx.report.pictures.maps import box_figure\n"
        "box_figure({'a': {'x': [1.0, 2.0]}})\n"
        "from matplotlib import pyplot\n"
        "assert pyplot.get_fignums() == []\n"
        "sys.modules['matplotlib'] = None\n"
        "import intentx\n"
        "try:\n"
        "    box_figure({'a': {'x': [1.0]}})\n"
        "except intentx.MissingExtraError as error:\n"
        "    assert 'intentx[plot]' in str(error)\n"
        "else:\n"
        "    raise SystemExit('no error')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

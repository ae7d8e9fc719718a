"""Pictures: the bars and colours are those of the weights, and any text can be drawn."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import intentx as ix
from intentx.explainers.document.explanation import Word
from intentx.report import coloured_document, picture, word_bars, write_png
from intentx.report.pictures.style import AGAINST, FOR
from tests.report.test_document_page import DOCS, cam, explained
from tests.toys import ranked

HOSTILE = "$\\frac$ <b> {x} \\alpha^_ & piano\ud800\x00 漢字 🎹 usb %s"


def bars_of(figure):
    """Word, length and colour of each bar, from the top."""
    axes = figure.axes[0]
    bars = sorted(axes.containers[0], key=lambda bar: axes.transData.transform((0, bar.get_y()))[1])
    words = [label.get_text() for label in axes.get_yticklabels()]
    return [
        (word, bar.get_width(), to_hex(bar.get_facecolor()))
        for word, bar in zip(words, bars[::-1], strict=True)
    ]


def words_of(figure):
    """Boxes behind words of the axes with the document, and all texts there from left to right."""
    axes = next(a for a in figure.axes if not a.axison and a.texts)
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return boxes, axes.texts


def test_bars_are_the_weights():
    found = explained()
    bars = bars_of(word_bars(found))
    assert [word for word, _, _ in bars] == list(found.terms)
    assert [length for _, length, _ in bars] == list(found.weights)
    assert [colour for _, _, colour in bars[:2]] == [FOR, AGAINST]
    axes = word_bars(found).axes[0]
    assert [text.get_text() for text in axes.texts] == ["+2.00", "−0.50", *["0"] * 5]
    low, high = axes.get_xlim()
    assert low < -0.5 < 2.0 < high


NONE = (0.0,) * 5


def test_the_numbers_fit_beside_the_bars():
    for changes in ({}, {"weights": (-1e-7, 1e-8, *NONE)}, {"weights": (1e9, -1e9, *NONE)}):
        figure = word_bars(explained(**changes))
        figure.canvas.draw()
        inside = figure.axes[0].get_window_extent()
        for text in figure.axes[0].texts:
            box = text.get_window_extent()
            assert inside.x0 - 1 <= box.x0
            assert box.x1 <= inside.x1 + 1


def test_smaller_weights_are_left_out():
    figure = word_bars(explained(), most=2)
    assert [word for word, _, _ in bars_of(figure)] == ["piano", "usb"]
    assert "5 smaller weights left out, together 0" in figure.axes[0].get_xlabel()
    with pytest.raises(ix.InputError, match="most must be 1 or more, not 0"):
        word_bars(explained(), most=0)


def test_intent_terms_have_bars():
    found = ix.QueryTerms().explain(ranked(["piano keys", "piano", "a boat"]))
    figure = word_bars(found)
    assert {word: length for word, length, _ in bars_of(figure)} == dict(
        zip(found.terms, found.weights, strict=True)
    )
    assert "share of the coverage" in figure.axes[0].get_xlabel()
    with pytest.raises(ix.InputError, match="explains no single document"):
        coloured_document(found)
    assert len(picture(found).axes) == 1


def test_words_are_on_the_colour_of_their_weight():
    found = explained()
    boxes, texts = words_of(coloured_document(found))
    assert "".join(text.get_text() for text in texts) == DOCS["a"].replace(" ", "")
    assert [box.get_label() for box in boxes] == ["piano\t2.0", "piano\t2.0", "USB\t-0.5"]
    for box in boxes:
        red, _, blue, _ = box.get_facecolor()
        assert (blue > red) == (box.get_label().startswith("piano"))
    strong, _, weak = (min(box.get_facecolor()[:3]) for box in boxes)
    assert strong < weak < 1


def test_a_box_lies_behind_its_word():
    figure = coloured_document(explained())
    boxes, texts = words_of(figure)
    figure.canvas.draw()
    by_word = {}
    for text in texts:
        by_word.setdefault(text.get_text(), []).append(text.get_window_extent())
    for box in boxes:
        around = box.get_window_extent()
        word = box.get_label().split("\t")[0]
        assert any(
            around.x0 - 2 <= one.x0 and one.x1 <= around.x1 + 2 and around.y0 - 2 <= one.y0 <= around.y1
            for one in by_word[word]
        )


def test_lines_stay_within_the_width_and_long_texts_are_cut():
    text = f"{'piano ' * 300}{'x' * 700} {'usb, desk ' * 300}"
    figure = coloured_document(explained("x", {**DOCS, "x": text}))
    figure.canvas.draw()
    edge = figure.axes[0].get_window_extent().x1
    _, texts = words_of(figure)
    assert max(one.get_window_extent().x1 for one in texts) <= edge + 2
    shown = "".join(one.get_text() for one in texts[:-1])
    assert shown == text[:3000].replace(" ", "")
    assert texts[-1].get_text() == f"… {len(text) - 3000:,} more characters not shown"


def test_right_to_left():
    text = "שלום piano stage עולם"
    _, texts = words_of(coloured_document(explained("x", {**DOCS, "x": text})))
    place = {one.get_text(): one.get_position()[0] for one in texts}
    assert place["שלום"] > place["stage"] > place["piano"] > place["עולם"]
    _, texts = words_of(coloured_document(explained("x", {**DOCS, "x": f"stage {text} piano"})))
    place = {}
    for one in texts:
        place.setdefault(one.get_text(), one.get_position()[0])
    assert place["stage"] < place["שלום"] < place["עולם"]


def test_paragraphs_begin_lines():
    _, texts = words_of(coloured_document(explained("x", {**DOCS, "x": "piano\nusb  desk\n\n\tstool"})))
    places = [(one.get_text(), *one.get_position()) for one in texts]
    assert [x for _, x, _ in places] == [0, 0, places[2][1], 0]
    assert [round(y) for _, _, y in places][::3] != [places[1][2]]
    assert places[0][2] < places[1][2] == places[2][2] < places[3][2]


@pytest.mark.parametrize("text", [HOSTILE, "", " \n", "the of", "piano"])
def test_any_text_can_be_drawn(text, tmp_path):
    found = explained("x", {**DOCS, "x": text}, query=f"tea {HOSTILE}")
    found = dataclasses.replace(found, terms=(HOSTILE, *found.terms), weights=(1.5, *found.weights))
    assert write_png(tmp_path / "x.png", found).read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in write_png(tmp_path / "x.svg", found).read_bytes()


def test_weights_that_are_all_zero():
    found = explained("d")
    assert set(found.weights) == {0.0}
    boxes, _ = words_of(coloured_document(found))
    assert boxes == []
    shown = [text.get_text() for axes in picture(found).axes for text in axes.texts]
    assert "no word makes a difference" in shown


def test_grad_cam_comes_with_its_maps():
    found = cam()
    alone, with_maps = picture(explained()), picture(found)
    assert len(with_maps.axes) == len(alone.axes) + 2
    assert with_maps.get_figheight() > alone.get_figheight()
    nothing = {"map": np.zeros((0, 5)), "interaction": np.zeros((0, 5)), "query_terms": ()}
    assert len(picture(cam(**nothing)).axes) == len(alone.axes)


def test_weights_without_a_direction_have_a_scale_of_one_side():
    figure = coloured_document(explained("c", method="Saliency"))
    assert [tick.get_text() for tick in figure.axes[-1].get_xticklabels()] == ["0", "+1.00"]
    assert [text.get_text() for text in figure.axes[-1].texts] == ["", "matters"]
    figure = coloured_document(explained("c"))
    assert [tick.get_text() for tick in figure.axes[-1].get_xticklabels()] == ["−1.00", "0", "+1.00"]


@pytest.mark.parametrize(
    ("name", "magic"), [("x.png", b"\x89PNG"), ("x.SVG", b"<?xml"), ("x.pdf", b"%PDF")]
)
def test_the_same_file_twice(name, magic, tmp_path):
    one = write_png(tmp_path / name, explained()).read_bytes()
    assert one.startswith(magic)
    assert write_png(tmp_path / name, explained()).read_bytes() == one


def test_the_users_style_stays_outside(tmp_path):
    plain = write_png(tmp_path / "plain.svg", explained()).read_bytes()
    with matplotlib.rc_context({"text.usetex": True, "font.size": 30, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        assert write_png(tmp_path / "styled.svg", explained()).read_bytes() == plain
        assert dict(matplotlib.rcParams) == before


def test_no_state_of_pyplot():
    code = (
        "import sys, intentx as ix\n"
        "from intentx.report import word_bars\n"
        "docs = ['piano keys', 'a boat']\n"
        "ranking = ix.rank(lambda query, texts: [t.count('p') for t in texts], 'piano', docs)\n"
        "found = ix.QueryTerms().explain(ranking)\n"
        "assert 'matplotlib' not in sys.modules\n"
        "word_bars(found)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_bad_input(tmp_path):
    with pytest.raises(ix.InputError, match=r"a picture ends in \.png, \.svg, \.pdf, not '\.gif'"):
        write_png(tmp_path / "x.gif", explained())
    with pytest.raises(ix.InputError, match=r"there is no folder .*nowhere; create it first"):
        write_png(tmp_path / "nowhere" / "x.png", explained())
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ix.InputError, match="cannot write"):
        write_png(tmp_path / "folder.png", explained())


def test_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (word_bars, coloured_document, picture):
        with pytest.raises(ix.MissingExtraError, match=r"intentx\[plot\]"):
            draw(explained())
    with pytest.raises(ix.MissingExtraError, match="matplotlib is not installed"):
        write_png(tmp_path / "x.png", explained())


def test_words_of_a_method_that_looks_inside_have_their_own_colours():
    found = explained()
    words = tuple(Word(w.term, w.start, w.end, float(i - 2)) for i, w in enumerate(found.words))
    boxes, _ = words_of(coloured_document(dataclasses.replace(found, words=words)))
    weights = [float(box.get_label().split("\t")[1]) for box in boxes]
    assert weights == [-2.0, -1.0, *map(float, range(1, len(words) - 2))]


def test_letters_that_no_font_has_are_told_once(tmp_path):
    """Boxes in the place of words are no picture of them."""
    none = "\U000f0000\U000f0001"  # for private use: no font of ours has them
    docs = {**DOCS, "a": f"piano {none} {none}"}
    ranking = ix.rank(lambda query, texts: [text.count("piano") for text in texts], "piano", docs)
    found = ix.KernelSHAP().explain(ranking, "a")
    for ending in ("png", "svg"):
        with pytest.warns(ix.errors.TextWarning, match="has 2 letters of the picture, ") as told:
            write_png(tmp_path / f"x.{ending}", found)
        assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_png(tmp_path / "y.png", explained())

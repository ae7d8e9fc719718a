"""The colours of pictures, and the style that they are drawn in whatever the user's is."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from typing import Any

from intentx.errors import MissingExtraError, TextWarning
from intentx.report.pictures.line_breaks import fonts

__all__ = ["AGAINST", "FOR", "INK", "LINE", "SIZE", "SOFT", "mixed", "plain_style", "told_of_letters"]

# As on the pages, light; blue and orange are told apart by all kinds of eyes.
FOR, AGAINST = "#2f7fd6", "#e0701b"
INK, SOFT, LINE = "#1c2228", "#5c6770", "#dedfdc"
SIZE = 10.0  # of letters, in points
STRONGEST = 0.75  # of a colour behind a word, that is to stay readable


@contextlib.contextmanager
def plain_style() -> Iterator[None]:
    """Around drawing and saving: the user's style stays outside, and what no font has is no warning."""
    try:
        import matplotlib
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot") from error
    ours = {
        "font.family": fonts(), "font.size": SIZE, "text.color": INK, "svg.hashsalt": "intentx",
    }  # fmt: skip
    with warnings.catch_warnings(), matplotlib.rc_context():
        known: Any = matplotlib.rcParams
        known.update({k: v for k, v in matplotlib.rcParamsDefault.items() if "backend" not in k})
        known.update(ours)
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


@contextlib.contextmanager
def told_of_letters() -> Iterator[None]:
    """Around saving a figure: one warning for all letters that no installed font has.

    Warns
    -----
    TextWarning
        With their number and one of them; they are drawn as boxes.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.filterwarnings("always", message="Glyph .* missing from", category=UserWarning)
        yield
    numbers = [re.match(r"Glyph (\d+) ", str(one.message)) for one in told]
    letters = dict.fromkeys(chr(int(found[1])) for found in numbers if found)
    for one, found in zip(told, numbers, strict=True):
        if not found:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    letters.pop("\ufffd", None)
    if letters:
        some = "1 letter" if len(letters) == 1 else f"{len(letters)} letters"
        warnings.warn(
            f"no font that is installed has {some} of the picture, {next(iter(letters))!r} for one, and "
            "boxes stand for them; install one, such as Noto Sans CJK or Noto Sans Thai, or write a "
            "page, which a browser shows in its own fonts",
            TextWarning,
            stacklevel=4,
        )


def mixed(share: float) -> tuple[float, float, float]:
    """The colour of a weight, given as a share of the largest, on white."""
    from matplotlib.colors import to_rgb

    alpha = STRONGEST * min(1.0, abs(share))
    red, green, blue = (1 - alpha * (1 - part) for part in to_rgb(AGAINST if share < 0 else FOR))
    return red, green, blue

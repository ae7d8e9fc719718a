"""Heat maps: votes on document pairs, and terms against pairs, as small paletted PNG images."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

from intentx.markup import Html, count, join, percent, real, tag
from intentx.preferences import PreferenceMatrices
from intentx.report.pages.explained_ranking import View

__all__ = ["heat_maps", "vote_blocks"]

Floats = npt.NDArray[np.float64]

FINEST = 100  # rows and columns of a picture; more documents are averaged in blocks
SAMPLE = 200  # pairs in the picture of terms
TERM_LIMIT = 2.0  # colours of single terms saturate here; a typical entry is 1 by the scaling
_AGREES, _DISAGREES, _TIE = (47, 127, 214), (224, 107, 18), (138, 144, 153)
_LEVELS = 100
_FAINTEST, _TIE_ALPHA = 0.12, 0.55


def vote_blocks(matrices: PreferenceMatrices, ranking_scores: Floats, finest: int = FINEST) -> Floats:
    """Votes of all terms on pairs of documents, averaged over blocks of documents.

    Parameters
    ----------
    ranking_scores
        (N,) the ranker's scores, not increasing; documents it ties are no pair.

    Returns
    -------
    (1 + R, B, B) array with B <= ``finest``: the soft vote, then tanh of each simple ranker's
    difference, for the row's documents over the column's; NaN in blocks without a pair.
    """
    n = len(ranking_scores)
    size = -(-n // finest)
    starts = np.arange(0, n, size)
    sums = matrices.scaled.sum(axis=1)
    blocks = np.full((1 + len(sums), len(starts), len(starts)), np.nan)
    for row, start in enumerate(starts):
        rows = slice(start, start + size)
        single = np.tanh(sums[:, rows, None] - sums[:, None, :])
        strength = np.concatenate([single.sum(axis=0, keepdims=True), single])
        strength[np.abs(strength) <= matrices.margin] = 0
        is_pair = ranking_scores[rows, None] > ranking_scores[None, :]
        pairs = np.add.reduceat(is_pair.sum(axis=0), starts)
        votes = np.add.reduceat((strength * is_pair).sum(axis=1), starts, axis=1)
        np.divide(votes, pairs, out=blocks[:, row], where=np.broadcast_to(pairs > 0, votes.shape))
    return blocks


def heat_maps(view: View) -> Html:
    """The pictures of one explanation with their scales."""
    matrices, ranking = view.explanation.matrices, view.explanation.ranking
    blocks = vote_blocks(matrices, ranking.scores)
    size = -(-len(ranking) // FINEST)
    cell = f"the mean over {size} × {size} documents" if size > 1 else "one pair"
    names = matrices.scores.rankers or tuple(f"ranker {r + 1}" for r in range(matrices.n_rankers))
    large = _square(blocks[0], len(names), len(ranking), "soft vote of all simple rankers")
    small = (
        [_single(view, name, blocks[1 + r]) for r, name in enumerate(names)] if len(names) > 1 else []
    )
    return join(
        [
            _scale(len(names), "disagrees", "agrees", ("0: tie", "no pair"), f"A cell is {cell}."),
            tag("div", tag("div", large), tag("div", *small, class_="multiples"), class_="halves"),
            _terms_against_pairs(view, names),
        ]
    )


def _single(view: View, name: str, blocks: Floats) -> Html:
    """The picture of one simple ranker alone, from -1 to 1."""
    every = view.explanation.fidelity.rows[0].by_ranker
    caption = tag(
        "figcaption", tag("b", tag("bdi", name)), f"alone: {percent(every.get(name, np.nan))}, ±1"
    )
    documents = len(view.explanation.ranking)
    return tag("figure", caption, _square(blocks, 1, documents, f"vote of {name} alone"))


def _square(values: Floats, limit: float, documents: int, text: str) -> Html:
    """One picture of document pairs with ranks along two sides."""
    ticks = tag("span", "1"), tag("span", f"rank {count(documents)}")
    return tag(
        "div",
        tag("div", *ticks, class_="across"),
        tag("div", *ticks, class_="down"),
        _image(values, limit, f"{text}, {documents} × {documents} documents"),
        class_="square-map",
    )


def _terms_against_pairs(view: View, names: tuple[str, ...]) -> Html:
    """Scaled entries of the preference matrices on a regular sample of the fitted pairs."""
    matrices = view.explanation.matrices
    pairs = matrices.pairs
    if not len(pairs) or not matrices.n_terms:
        return tag("p", "There is no fitted pair to show the terms on.", class_="note")
    gap = pairs.low - pairs.high
    order = np.lexsort((pairs.high, gap))
    picked = order[np.linspace(0, len(order) - 1, min(SAMPLE, len(order))).astype(np.intp)]
    scaled = matrices.scaled
    entries = scaled[:, :, pairs.high[picked]] - scaled[:, :, pairs.low[picked]]
    vote = np.tanh(entries.sum(axis=1)).sum(axis=0)
    vote[np.abs(vote) <= matrices.margin] = 0
    entries[entries == 0] = np.nan  # a term in neither document says nothing
    terms = [view.term(t) for t in range(matrices.n_terms)]
    ticks = [gap[picked[place]] for place in np.linspace(0, len(picked) - 1, 5).astype(np.intp)]
    ends = tag("div", *(tag("span", count(int(tick))) for tick in ticks), class_="across")
    of_all = f" of {count(len(pairs))}" if len(picked) < len(pairs) else ""
    note = (
        f"A column is a pair, {count(len(picked))}{of_all} fitted ones: from neighbours in the ranking "
        "on the left to the farthest apart on the right; the last line says how many ranks."
    )
    return tag(
        "div",
        tag("h4", "What each term says about each pair"),
        tag("p", note, class_="note"),
        _scale(
            TERM_LIMIT, "or less: against", "or more: for the ranker’s order", ("0: tie", "says nothing")
        ),
        *(_rows(entries[r], TERM_LIMIT, terms, tag("bdi", name)) for r, name in enumerate(names)),
        _rows(
            vote[None], len(names), [tag("b", "vote")], f"All terms and simple rankers, ±{len(names)}"
        ),
        tag("div", tag("span", "ranks apart", class_="names"), ends, class_="rows"),
        class_="terms-pairs",
    )


def _rows(values: Floats, limit: float, labels: list[Html], title: str) -> Html:
    """A picture with one labelled line per row."""
    names = tag("div", *(tag("span", label) for label in labels), class_="names")
    lines = tag(
        "div", _image(values, limit, "terms against pairs"), style=f"height:{1.25 * len(values):g}rem"
    )
    return tag("figure", tag("figcaption", title), tag("div", names, lines, class_="rows"))


def _scale(limit: float, bad: str, good: str, others: tuple[str, str], note: str = "") -> Html:
    """Legend of the colours with their numbers: the ramp, ties, and blank cells."""
    stops = (
        f"{_rgba(_DISAGREES, 1)},{_rgba(_DISAGREES, _FAINTEST)} 50%,"
        f"{_rgba(_AGREES, _FAINTEST)} 50%,{_rgba(_AGREES, 1)}"
    )
    tie = tag("i", class_="swatch", style=f"background:{_rgba(_TIE, _TIE_ALPHA)}")
    return tag(
        "div",
        tag(
            "span",
            f"{real(-limit, 0)} {bad} ",
            tag("i", class_="gradient", style=f"background:linear-gradient(90deg,{stops})"),
            f" +{limit:.0f} {good}",
            class_="ramp",
        ),
        tag("span", tie, f" {others[0]}"),
        tag("span", tag("i", class_="swatch"), f" {others[1]}"),
        tag("span", note) if note else "",
        class_="scale",
    )


def _image(values: Floats, limit: float, text: str) -> Html:
    data = base64.b64encode(_png(_levels(values, limit))).decode("ascii")
    return tag("img", src=f"data:image/png;base64,{data}", alt=text)


def _levels(values: Floats, limit: float) -> npt.NDArray[np.uint8]:
    """Numbers as places in the palette: 0 nothing, 1 tie, then agreement, then disagreement."""
    share = np.clip(np.nan_to_num(values) / limit, -1, 1)
    level = np.ceil(np.abs(share) * _LEVELS)
    level = np.where(share > 0, 1 + level, np.where(share < 0, 1 + _LEVELS + level, 1))
    return np.where(np.isnan(values), 0, level).astype(np.uint8)


def _png(levels: npt.NDArray[np.uint8]) -> bytes:
    """(H, W) palette places as a PNG file; strength is opacity, so it suits any background."""
    strengths = [_FAINTEST + (1 - _FAINTEST) * i / _LEVELS for i in range(1, _LEVELS + 1)]
    colours = [(0, 0, 0), _TIE, *[_AGREES] * _LEVELS, *[_DISAGREES] * _LEVELS]
    alphas = [0.0, _TIE_ALPHA, *strengths, *strengths]
    height, width = levels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in levels)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(part for colour in colours for part in colour)),
            _chunk(b"tRNS", bytes(round(255 * alpha) for alpha in alphas)),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _rgba(colour: tuple[int, int, int], alpha: float) -> str:
    return f"rgba({colour[0]},{colour[1]},{colour[2]},{alpha:g})"

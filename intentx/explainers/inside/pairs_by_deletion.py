"""Token pairs of any ranker by its scores: what is lost only if both words are there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from intentx.capabilities import Capabilities
from intentx.errors import InputError
from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.token_pairs_explanation import Pairing, PairToken
from intentx.text import Token

__all__ = ["MOST_PAIRS", "by_deletion"]

Floats = npt.NDArray[np.float64]

# Of numbers with 8, 24 and 53 binary digits; networks compute with 24.
HALF, SINGLE, DOUBLE = 2.0**-8, 2.0**-21, 2.0**-48
MOST_PAIRS = 10_000  # of a word of the query and one of the document


def by_deletion(subject: Subject) -> tuple[tuple[PairToken, ...], Pairing]:
    """Each cell ``R(q, d) - R(q\\i, d) - R(q, d\\j) + R(q\\i, d\\j)``, by the interaction's definition.

    Words are the tokens, as the analyzer reads them; each occurrence is one.

    Raises
    ------
    InputError
        If the query has fewer than two words and the ranker no mask, there are too many pairs, or the
        ranker scores lists.
    """
    query = subject.ranking.query
    words = subject.analyzer.tokens(query)
    box = subject.ranking.black_box("token pairs by deletion")
    if box.listwise:
        raise InputError(
            "token pairs by deletion change the query, and a listwise ranker would have to score its "
            "whole list for each pair: explain the document by KernelSHAP or EXS"
        )
    if not words:
        raise InputError(f"the query {query!r} has no word to leave out")
    if len(words) * len(subject.tokens) > MOST_PAIRS:
        raise InputError(
            f"{len(words)} × {len(subject.tokens)} pairs of words are more than {MOST_PAIRS:,}, each "
            "of which the ranker would be asked for: shorten the document, or rank with "
            "truncated='cut'"
        )
    queries = [query, *_without(query, words, _in_place(subject, words))]
    texts = [subject.text, *_without(subject.text, subject.tokens, "")]
    scores = np.stack([box(one, texts) for one in queries])
    matrix = scores[:1, :1] - scores[1:, :1] - scores[:1, 1:] + scores[1:, 1:]
    size = _rounding(subject.ranking.can) * float(np.abs(scores).max(initial=0.0))
    matrix[np.abs(matrix) <= size] = 0.0
    parts = {"what no pair carries": float(scores[0, 0] - matrix.sum())}
    moved = [Token(t.term, t.start + subject.start, t.end + subject.start, t.sentence)
             for t in subject.tokens]  # fmt: skip
    whole = subject.ranking.texts[subject.position]
    return _tokens(query, words), Pairing(_tokens(whole, moved), matrix, parts)


def _rounding(can: Capabilities) -> float:
    """What four scores added up may miss for want of digits, as a share of the largest."""
    if can.half_precision:
        return HALF
    return SINGLE if can.differentiable is not None else DOUBLE


def _in_place(subject: Subject, words: Sequence[Token]) -> str:
    """What stands for a word of the query that is left out: nothing, but for the only one a mask."""
    if len(words) > 1:
        return ""
    mask = subject.ranking.can.mask_token
    if mask is None:
        raise InputError(
            f"the query {subject.ranking.query!r} has one word, and without it none is left to rank by; "
            "KernelSHAP explains the document by its words"
        )
    subject.notes.append(f"the only word of the query is not left out but replaced by {mask}")
    return mask


def _without(text: str, words: Sequence[Token], put: str) -> list[str]:
    """The text without each of its words in turn."""
    return [_joined(text[: word.start], put, text[word.end :]) for word in words]


def _joined(before: str, put: str, behind: str) -> str:
    """What is left, with one blank less where two would meet."""
    if not put and before.endswith(" ") and (behind.startswith(" ") or not behind):
        before = before[:-1]
    if not put and not before:
        behind = behind.lstrip(" ")
    return before + put + behind


def _tokens(text: str, words: Sequence[Token]) -> tuple[PairToken, ...]:
    return tuple(PairToken(text[word.start : word.end], word.start, word.end) for word in words)

"""Simple rankers that look at where in a text a term stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intentx.text import TextIndex

__all__ = ["PositionAware"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PositionAware:
    """Early and widespread mentions of a term.

    ``(sentences with t / sentences) * ln(1 + sum over sentences s with t of 2^(1 / (1 + s)))``,
    s counted from 0 (Lyu & Anand 2023, as in the authors' code).
    """

    name: str = "position aware"

    def term_scores(self, terms: Sequence[str], index: TextIndex) -> Floats:
        wanted, row = np.unique(index.rows(terms), return_inverse=True)
        shape = (len(wanted), len(index.texts))
        column = np.full(len(index.vocabulary) + 1, -1)
        column[wanted] = np.arange(len(wanted))  # unknown terms, -1, land in the unused last entry
        term = column[index.term]
        used = term >= 0
        cells = shape[0] * shape[1]
        longest = int(index.sentence.max(initial=0)) + 1
        places = (term[used] * shape[1] + index.text[used]) * longest + index.sentence[used]
        cell, sentence = np.divmod(np.unique(places), longest)
        sentences = np.bincount(cell, minlength=cells).reshape(shape)
        gains = np.bincount(cell, weights=np.exp2(1.0 / (1.0 + sentence)), minlength=cells)
        scores = sentences / index.sentence_counts * np.log1p(gains.reshape(shape))
        return np.asarray(scores[row])

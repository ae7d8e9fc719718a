"""Randomised edits: documents with several terms taken out and put in at once, by chance alone.

Chance decides for each term by itself, so what the ranker makes of one term can be told from what it
makes of the others, however many change together.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.perturbation import EditedDocuments, editable
from intentx.ranking import Ranking
from intentx.text import TextIndex, Token

__all__ = ["PUT_IN", "TAKEN_OUT", "RandomisedEdits", "randomised_edits", "rewritten"]

Generator = np.random.Generator

TAKEN_OUT = 0.3  # probability that a term which the document holds is taken out
PUT_IN = 4.0  # terms put in that the document lacks, on average


@dataclass(frozen=True, eq=False)
class RandomisedEdits:
    """E edited documents, and what chance did to each of T terms in them.

    Attributes
    ----------
    edits
        The texts, and the position in the ranking that each one comes from.
    change
        (E, T): 1 where a term was put in, -1 where all its occurrences were taken out, else 0.
    expected
        (E, T) mean of ``change`` over the draws that could have been made: the probability that a
        term is put in, or minus the one that it is taken out.
    """

    edits: EditedDocuments
    change: npt.NDArray[np.float64]
    expected: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.edits)

    def __add__(self, other: RandomisedEdits) -> RandomisedEdits:
        """These and then others, of the same terms."""
        mine, more = self.edits, other.edits
        return RandomisedEdits(
            EditedDocuments(mine.texts + more.texts, np.concatenate([mine.source, more.source])),
            np.concatenate([self.change, other.change]),
            np.concatenate([self.expected, other.expected]),
        )


def randomised_edits(
    ranking: Ranking,
    terms: Sequence[str],
    index: TextIndex,
    number: int,
    seed: int | Sequence[int] = 0,
    among: npt.NDArray[np.bool_] | None = None,
) -> RandomisedEdits:
    """``number`` documents of a ranking, each with terms taken out and put in by chance.

    Each term that a document holds is taken out with probability .3, all its occurrences at once; of
    the terms that it lacks four are put in, on average. Documents take turns, and so do the terms, so
    that each document is edited, and each term changed, nearly equally often. A term is put in as it
    is written somewhere in the ranking, behind a word that it follows there where the document has
    that word, else before one that follows it, else at random.

    Parameters
    ----------
    terms
        T terms of the index's analyzer; they may occur in no document.
    index
        The ranking's texts, indexed.

    among
        (T,) which terms may be changed; None: all.
    number
        None are made where all documents are too long to be edited
        (`intentx.perturbation.LONGEST_EDITED`).
    """
    able = np.flatnonzero([editable(text) for text in ranking.texts])
    number = number if len(able) else 0
    generator = np.random.default_rng(seed)
    turns = [generator.permutation(able) for _ in range(-(-number // max(1, len(able))))]
    source = np.concatenate([*turns, able[:0]])[:number]
    held = (index.counts_of(terms) > 0).T[source]
    changing = np.ones(len(terms), dtype=bool) if among is None else among
    lacking = (~held & changing).sum(axis=1, keepdims=True)
    put_in = np.minimum(0.5, PUT_IN / np.maximum(lacking, 1))
    probability = np.where(held, TAKEN_OUT, put_in) * changing
    happens = _balanced(held, generator) < probability
    sign = np.where(held, -1.0, 1.0)
    writer = _Writer(ranking, terms, index)
    texts = tuple(
        writer.edited(place, np.flatnonzero(row & ~has), np.flatnonzero(row & has), generator)
        for place, row, has in zip(source.tolist(), happens, held, strict=True)
    )
    return RandomisedEdits(EditedDocuments(texts, source), sign * happens, sign * probability)


def _balanced(held: npt.NDArray[np.bool_], generator: Generator) -> npt.NDArray[np.float64]:
    """(E, T) numbers uniform in [0, 1), spread evenly over the rows that hold a term, and the others."""
    uniform = np.empty(held.shape)
    for column in range(held.shape[1]):
        for which in (held[:, column], ~held[:, column]):
            rows = np.flatnonzero(which)
            place = generator.permutation(len(rows)) + generator.random()
            uniform[rows, column] = place / max(len(rows), 1) % 1.0
    return uniform


class _Occurrence(NamedTuple):
    """How a term is written somewhere, and the words before and after it ("" at an end)."""

    written: str
    before: str
    after: str


class _Writer:
    """Writes edited documents of a ranking."""

    def __init__(self, ranking: Ranking, terms: Sequence[str], index: TextIndex) -> None:
        self.texts = ranking.texts
        self.terms = terms
        self.tokens = [index.analyzer.tokens(text) if editable(text) else () for text in self.texts]
        self.occurrences: dict[str, list[_Occurrence]] = {term: [] for term in terms}
        for text, tokens in zip(self.texts, self.tokens, strict=True):
            self._note(text, tokens)

    def _note(self, text: str, tokens: Sequence[Token]) -> None:
        for number, token in enumerate(tokens):
            known = self.occurrences.get(token.term)
            if known is not None:
                before = tokens[number - 1].term if number else ""
                after = tokens[number + 1].term if number + 1 < len(tokens) else ""
                known.append(_Occurrence(text[token.start : token.end], before, after))

    def edited(
        self,
        position: int,
        put_in: npt.NDArray[np.intp],
        taken_out: npt.NDArray[np.intp],
        generator: Generator,
    ) -> str:
        """One document with some of the terms put in, others taken out."""
        text = self.texts[position]
        gone = {self.terms[i] for i in taken_out.tolist()}
        out = [(token.start, token.end) for token in self.tokens[position] if token.term in gone]
        stay = [token for token in self.tokens[position] if token.term not in gone]
        where: dict[int, list[str]] = {}
        for i in generator.permutation(put_in).tolist():
            place, written = self._placed(self.terms[i], stay, len(text), generator)
            where.setdefault(place, []).append(written)
        return rewritten(text, out, where)

    def _placed(
        self, term: str, stay: Sequence[Token], end: int, generator: Generator
    ) -> tuple[int, str]:
        """Where in the document a term goes, between two words, and how it is written there."""
        known = self.occurrences[term]
        one = known[generator.integers(len(known))] if known else _Occurrence(term, "", "")
        behind = [token.end for token in stay if token.term == one.before]
        ahead = [token.start for token in stay if token.term == one.after]
        places = behind or ahead or [*(token.start for token in stay), end]
        return places[generator.integers(len(places))], one.written


def rewritten(
    text: str,
    out: Sequence[tuple[int, int]],
    where: Mapping[int, Sequence[str]],
    instead: Mapping[tuple[int, int], str] = MappingProxyType({}),
) -> str:
    """``text`` without the spans ``out``, and with words at places outside of them, blanks around.

    Parameters
    ----------
    instead
        Spans that are no part of ``out``, and what is written in their place.

    Examples
    --------
    >>> rewritten("a grand piano", [(1, 7)], {0: ["not"]}, {(8, 13): "desk"})
    'not a desk'
    """
    cuts = sorted([*out, *instead, *((place, place) for place in where)])
    parts: list[str] = []
    done = 0
    for start, end in cuts:
        left = text[done:start] if start > done else ""
        words = where.get(start, []) if start == end else []
        if words:
            blank_before = "" if not (parts or left) or left[-1:].isspace() else " "
            blank_after = " " if _of_word(text[end : end + 1]) else ""
            parts += [left, blank_before, " ".join(words), blank_after]
        elif (start, end) in instead:
            parts += [left, instead[start, end] if start >= done else ""]
        else:
            parts.append(left.rstrip(" \t"))
            last = next((part[-1] for part in reversed(parts) if part), "")
            if _of_word(last) and _of_word(text[end : end + 1]):  # what is left would be one word
                parts.append(" ")
        done = max(done, end)
    return "".join([*parts, text[done:]])


def _of_word(sign: str) -> bool:
    """Whether a word at this sign's side would become one with it."""
    return bool(sign) and not sign.isspace() and unicodedata.category(sign)[0] != "P"

"""`Fusion`: one order made of the orders or the scores of several rankers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.capabilities import CallCost, Capabilities, combined_cost
from intentx.errors import InputError, ScorerError
from intentx.rankers.bm25 import BM25
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.stage_scores import StageScores, ranks_of_scores, within
from intentx.scoring import BlackBox, Scorer, unit_of
from intentx.search import SearchIndex

__all__ = ["RRF_K", "Fusion", "Normalise"]

Floats = npt.NDArray[np.float64]
Normalise = Literal["minmax", "zscore", "none"]

RRF_K = 60.0
"""The constant of reciprocal rank fusion by Cormack, Clarke and Büttcher (SIGIR 2009)."""


class Fusion:
    """Several rankers together: by reciprocal ranks, or by weighted sums of their scores.

    It is a ranker like any other: ``fusion(query, texts)`` gives scores, for `intentx.rank` and every
    method. It may be a stage of a `Pipeline`, and a pipeline may be a part of it.

    Parameters
    ----------
    parts
        Two scorers or more; a `intentx.search.SearchIndex` scores by its BM25.
    how
        ``"rrf"``: reciprocal rank fusion, ``sum of 1 / (rrf_k + rank)`` with ranks from 1. Or weights,
        one for each part: ``sum of weight x normalised score``. Weights are taken as they are, and need
        not add up to 1; none is below 0, and one at least is above it.
    normalise
        What is done with the scores of a part before they are weighed. ``"minmax"``: the worst text of
        the list becomes 0, and the best 1. ``"zscore"``: mean 0 and standard deviation 1 over the list.
        A part whose scores are all equal then adds 0 to each text. ``"none"``: nothing. None:
        ``"minmax"`` with weights; with ``"rrf"`` there is nothing to normalise.
    rrf_k
        The constant of ``"rrf"``: the larger it is, the less the first ranks differ.

    Raises
    ------
    InputError
        If there are fewer than two parts, one is no scorer, or a setting cannot be used.

    Notes
    -----
    Equal scores of a part share the best of their ranks, so that the order of the texts does not matter.
    With ranks, and with normalised scores, a score depends on the other texts: the fusion is then
    `listwise`. With ``normalise="none"`` it is so only where a part is.

    A part that fails, gives another number of scores than there are texts, or a score that is no finite
    number, is a `ScorerError` that names the part: nothing is put in the place of a missing score.

    Examples
    --------
    >>> def words(query, texts):
    ...     return [text.count(query) for text in texts]
    >>> def shortness(query, texts):
    ...     return [-len(text) for text in texts]
    >>> texts = ["tea, tea, tea", "tea", "a boat on the sea"]
    >>> Fusion([words, shortness], how=[1, 1])("tea", texts).round(2).tolist()
    [1.29, 1.33, 0.0]
    >>> Fusion([words, shortness])("tea", texts).round(4).tolist()
    [0.0325, 0.0325, 0.0317]
    """

    def __init__(
        self,
        parts: Sequence[Scorer | SearchIndex],
        how: str | Sequence[float] = "rrf",
        *,
        normalise: Normalise | None = None,
        rrf_k: float = RRF_K,
    ) -> None:
        self.parts = _checked_parts(parts)
        self.how: Literal["rrf"] | tuple[float, ...] = _checked_how(how, len(self.parts))
        if normalise is not None and normalise not in get_args(Normalise):
            raise InputError(f"normalise must be one of {get_args(Normalise)}, not {normalise!r}")
        if normalise is not None and self.how == "rrf":
            raise InputError(
                "reciprocal ranks need no normalise: leave it out, or give weights, how=[1, 1]"
            )
        if not _is_number(rrf_k) or rrf_k < 0:
            raise InputError(f"rrf_k must be a finite number, 0 or more, not {rrf_k!r}")
        self.normalise: Normalise = "none" if self.how == "rrf" else normalise or "minmax"
        self.rrf_k = float(rrf_k)
        self._asked: tuple[str, tuple[BlackBox, ...]] | None = None

    def __repr__(self) -> str:
        names = " and ".join(Capabilities.of(part).name for part in self.parts)
        how = f"rrf, k={self.rrf_k:g}" if self.how == "rrf" else f"weights {list(self.how)}"
        return f"<Fusion of {names}, {how}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_asked": None}

    @property
    def listwise(self) -> bool:
        """Whether a score depends on the other texts."""
        if self.how == "rrf" or self.normalise != "none":
            return True
        return any(Capabilities.of(part).listwise for part in self.parts)

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        """(N,) scores of a list of texts.

        Raises
        ------
        ScorerError
            If a part fails, or does not give one finite number for each text.
        """
        if not len(texts):
            return np.empty(0)
        return self._joined([self._shares(i, one) for i, one in enumerate(self._scores(query, texts))])

    def stages(self, query: str, texts: Sequence[str]) -> tuple[StageScores, ...]:
        """What each part made of the texts, what that adds to the fused score, and the fusion itself.

        >>> def shortness(query, texts): return [-len(text) for text in texts]
        >>> def words(query, texts): return [text.count(query) for text in texts]
        >>> fusion = Fusion([shortness, words])
        >>> [(one.name, one.ranks.tolist()) for one in fusion.stages("tea", ["a", "tea"])]
        [('part 1', [1, 2]), ('part 2', [2, 1]), ('fusion', [1, 1])]
        """
        found: list[StageScores] = []
        every = []
        for i, (part, scores) in enumerate(zip(self.parts, self._scores(query, texts), strict=True)):
            every.append(self._shares(i, scores))
            *inner, whole = within(f"part {i + 1}", part, query, texts, scores)
            found += [*inner, dataclasses.replace(whole, shares=every[-1])]
        fused = self._joined(every)
        return *found, StageScores("fusion", "Fusion", fused, ranks_of_scores(fused))

    def _scores(self, query: str, texts: Sequence[str]) -> list[Floats]:
        """Scores (N,) of each part, checked."""
        found = []
        for i, box in enumerate(self._boxes(query)):
            try:
                found.append(box(query, texts))
            except ScorerError as error:
                message = f"part {i + 1} of the fusion, {box.can.name}: {error}"
                raise ScorerError(message, error.query, error.texts) from error.__cause__
        return found

    def _shares(self, part: int, scores: Floats) -> Floats:
        """(N,) what a part adds to the fused score."""
        if self.how == "rrf":
            return np.asarray(1.0 / (self.rrf_k + ranks_of_scores(scores)))
        with np.errstate(over="ignore"):  # what is infinite is refused with its reason
            return np.asarray(self.how[part] * _normalised(scores, self.normalise))

    @staticmethod
    def _joined(shares: Sequence[Floats]) -> Floats:
        """(N,) sums that do not depend on the order of the parts."""
        with np.errstate(over="ignore", invalid="ignore"):
            plain = np.sum(shares, axis=0)
        if not np.isfinite(plain).all():
            return np.asarray(plain)  # the black box says which text
        return np.array([math.fsum(column) for column in np.stack(shares).T.tolist()])

    def seen(self, query: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Each text as far as one of the parts reads it.

        Raises
        ------
        InputError
            If a part cannot tell.
        """
        every = [Capabilities.of(part).seen(query, texts) or tuple(texts) for part in self.parts]
        return tuple(max(some, key=len) for some in zip(*every, strict=True))

    @property
    def cost(self) -> CallCost | None:
        """What its parts cost together, as far as they say; whole lists are asked."""
        return combined_cost([(part, None) for part in self.parts])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its parts have to say about their answers."""
        return tuple(one for part in self.parts for one in Capabilities.of(part).remarks)

    @property
    def fingerprint(self) -> str | None:
        """Stands for all parts; None where one has none."""
        found = [Capabilities.of(part).fingerprint for part in self.parts]
        if None in found:
            return None
        settings = {"how": self.how, "normalise": self.normalise, "rrf_k": self.rrf_k}
        return fingerprint_of({"ranker": "Fusion", "parts": found, **settings})

    def state_mark(self, thorough: bool = False) -> Any:
        """What differs once a part has changed; None where none tells."""
        marks = tuple(Capabilities.of(part).state_mark(thorough=thorough) for part in self.parts)
        return None if all(mark is None for mark in marks) else marks

    def _boxes(self, query: str) -> tuple[BlackBox, ...]:
        """The parts, with what they answered for this query."""
        known = self._asked
        if known is None or known[0] != query:
            known = self._asked = query, tuple(map(BlackBox, self.parts))
        return known[1]


def _checked_parts(parts: Any) -> tuple[Scorer, ...]:
    if isinstance(parts, str) or not isinstance(parts, Sequence):
        raise InputError(f"the parts of a fusion are a list of scorers, not {type(parts).__name__}")
    if len(parts) < 2:
        raise InputError(f"a fusion needs two parts or more, not {len(parts)}")
    found: list[Scorer] = []
    for i, part in enumerate(parts):
        scorer = BM25.of_index(part) if isinstance(part, SearchIndex) else part
        if not callable(scorer):
            raise InputError(
                f"part {i + 1} of a fusion must be a scorer, (query, texts) -> scores, not "
                f"{type(part).__name__}"
            )
        found.append(scorer)
    return tuple(found)


def _checked_how(how: Any, parts: int) -> Any:
    if isinstance(how, str):
        if how == "rrf":
            return "rrf"
        raise InputError(
            f"how must be 'rrf' or a list of {parts} weights, one for each part, not {how!r}"
        )
    listed = isinstance(how, Sequence | np.ndarray) and np.ndim(how) == 1  # in the order of the parts
    weights = [*how] if listed else []
    if len(weights) != parts or not all(map(_is_number, weights)):
        raise InputError(f"how must be 'rrf' or {parts} finite weights, one for each part, not {how!r}")
    if min(weights) < 0 or max(weights) <= 0:
        raise InputError(f"weights must be 0 or more, and one at least above 0, not {how!r}")
    return tuple(map(float, weights))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _normalised(scores: Floats, how: Normalise) -> Floats:
    """(N,) scores on the scale that ``how`` says; zeros where all are equal."""
    if how == "none":
        return scores
    if np.ptp(scores / 2) == 0:
        return np.zeros(len(scores))
    scores = scores / unit_of(scores)
    if how == "minmax":
        return np.asarray((scores - scores.min()) / (scores.max() - scores.min()))
    return np.asarray((scores - scores.mean()) / scores.std())

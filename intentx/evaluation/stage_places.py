"""`StagePlaces`: which stage of a ranker put a document where it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intentx.equality import equal_by_values
from intentx.evaluation.base import Measure, Sheet
from intentx.rankers.stage_scores import StageScores
from intentx.ranking import Ranking

__all__ = ["StagePlace", "StagePlaces", "stage_places"]


@equal_by_values
@dataclass(frozen=True)
class StagePlace:
    """Where one stage put a document, and perhaps a second one.

    Attributes
    ----------
    name, ranker
        The stage and what scores there, as `intentx.rankers.stage_scores.StageScores` has them.
    documents
        How many documents it was given.
    rank
        Rank among them, from 1; None: the document was not given to the stage, or not found by it.
    score
        The score there; NaN without a rank.
    share
        What a part of a fusion adds to the fused score; NaN for other stages.
    other_rank, other_score, other_share
        The same of the second document; None and NaN where there is none.
    """

    name: str
    ranker: str
    documents: int
    rank: int | None
    score: float
    share: float
    other_rank: int | None
    other_score: float
    other_share: float


@dataclass(frozen=True)
class StagePlaces(Measure):
    """Which stage of a pipeline or a fusion put a document where it is.

    Attributes
    ----------
    doc_id, rank
        The document, and its rank in the whole ranking, from 1.
    other, other_rank
        The document that it is compared with; None where there is none.
    stages
        One `StagePlace` a stage, in the order in which they are asked.
    """

    doc_id: str
    rank: int
    other: str | None
    other_rank: int | None
    stages: tuple[StagePlace, ...]

    NAME: ClassVar[str] = "stages"
    FORMAT: ClassVar[str] = "intentx.stage-places/1"

    @property
    def sentence(self) -> str:
        """What each stage did, in words."""
        whole = [one for one in self.stages if ":" not in one.name]
        said = [*map(self._said, whole)]
        if self.other is None:
            end = f"in the end it has rank {self.rank}"
        else:
            end = f"in the end {self.doc_id!r} has rank {self.rank} and {self.other!r} {self.other_rank}"
        subject = repr(self.doc_id) if self.other is None else f"{self.doc_id!r} and {self.other!r}"
        return f"Stages of {subject}: {'; '.join([*said, end])}.{self._decided(whole)}"

    def _said(self, one: StagePlace) -> str:
        name = f"{one.name} ({one.ranker})"
        if self.other is None:
            if one.rank is None:
                return f"{name}: not among its {one.documents}"
            return f"{name}: rank {one.rank} of {one.documents}{_adds(one.share)}"
        ranks = (
            "none" if rank is None else f"{rank}{_adds(share)}"
            for rank, share in ((one.rank, one.share), (one.other_rank, one.other_share))
        )
        return f"{name}: ranks {' and '.join(ranks)} of {one.documents}"

    def _decided(self, whole: list[StagePlace]) -> str:
        """Which stage or part decided, as far as ranks and shares tell."""
        parts = [one for one in whole if not math.isnan(one.share)]
        if self.other is None:
            last = whole[-1]
            if last.rank is None:
                return f" The {last.name} did not score it: its place is that of the stage before."
            if len(whole) > 1 and not parts:
                before = "none" if whole[-2].rank is None else str(whole[-2].rank)
                return f" The {last.name} put it there, from rank {before} of the {whole[-2].name}."
            if len(parts) > 1:
                best = max(parts, key=lambda one: one.share)
                total = sum(one.share for one in parts)
                if total > 0 and best.share > 0:
                    return f" {best.name} gives {best.share / total:.0%} of its fused score."
            return ""
        if len(parts) > 1:
            gaps = [(one.share - one.other_share, one.name) for one in parts]
            return " " + ", ".join(f"{name} speaks for {self._side(gap)}" for gap, name in gaps) + "."
        return self._order_decided(whole)

    def _side(self, gap: float) -> str:
        if not gap:
            return "neither"
        return f"{(self.doc_id if gap > 0 else self.other)!r} by {abs(gap):.4g}"

    def _order_decided(self, whole: list[StagePlace]) -> str:
        """The last stage that tells the two apart decides; those before may agree with it or not."""
        ranks = [(one.rank or math.inf, one.other_rank or math.inf, one.name) for one in whole]
        apart = [(here < there, name) for here, there, name in ranks if here != there]
        if not apart:
            return ""
        order, name = apart[-1]
        before = "".join(
            f"; the {earlier} had them {'so already' if same == order else 'the other way round'}"
            for same, earlier in apart[:-1]
        )
        return f" The {name} put them in this order{before}."

    def _sheet(self) -> Sheet:
        shares = any(not math.isnan(one.share) for one in self.stages)
        head = ["stage", "ranker", "rank", "score", *["adds"] * shares]
        if self.other is not None:
            head += ["rank of other", "score of other", *["adds to other"] * shares]
        rows = []
        for one in self.stages:
            row = [one.name, one.ranker, *_cells(one.rank, one.documents, one.score)]
            row += [_number(one.share)] * shares
            if self.other is not None:
                row += [*_cells(one.other_rank, one.documents, one.other_score)]
                row += [_number(one.other_share)] * shares
            rows.append(tuple(row))
        return Sheet(tuple(head), tuple(rows), self.sentence)


def stage_places(ranking: Ranking, position: int, above: int | None = None) -> StagePlaces | None:
    """Which stage put a document of a ranking where it is; None where the ranker has no stages.

    Parameters
    ----------
    position, above
        0-based positions in the ranking: of the document, and of one to compare it with.

    Raises
    ------
    ScorerError
        If a stage fails; what it was asked for the ranking is asked again only where it is forgotten.

    Examples
    --------
    >>> import intentx as ix
    >>> def words(query, texts): return [float(text.count(query)) for text in texts]
    >>> def shortness(query, texts): return [-float(len(text)) for text in texts]
    >>> docs = {"a": "tea, tea", "b": "tea", "c": "a boat"}
    >>> ranking = ix.rank(ix.Pipeline(words, shortness, k=2), "tea", docs)
    >>> [(one.name, one.rank) for one in stage_places(ranking, ranking.position("c")).stages]
    [('first stage', 3), ('reranker', None)]
    """
    told = ranking.can.stages
    if told is None:
        return None
    stages: tuple[StageScores, ...] = tuple(told(ranking.query, list(ranking.texts)))
    return StagePlaces(
        doc_id=ranking.doc_ids[position],
        rank=position + 1,
        other=None if above is None else ranking.doc_ids[above],
        other_rank=None if above is None else above + 1,
        stages=tuple(_place(one, position, above) for one in stages),
    )


def _place(one: StageScores, position: int, above: int | None) -> StagePlace:
    def of(place: int | None) -> tuple[int | None, float, float]:
        if place is None or not one.ranks[place]:
            return None, math.nan, math.nan
        share = math.nan if one.shares is None else float(one.shares[place])
        return int(one.ranks[place]), float(one.scores[place]), share

    documents = int(np.count_nonzero(one.ranks))
    return StagePlace(one.name, one.ranker, documents, *of(position), *of(above))


def _cells(rank: int | None, documents: int, score: float) -> tuple[str, str]:
    return ("–" if rank is None else f"{rank} of {documents}"), _number(score)


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"


def _adds(share: float) -> str:
    return "" if math.isnan(share) else f", adds {share:.4g}"

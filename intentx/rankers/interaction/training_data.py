"""What rankers are trained on: queries, their candidates, and what is known about their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError

__all__ = ["TrainingList", "training_lists"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TrainingList:
    """One query, its candidates, and what is known about their order.

    Attributes
    ----------
    query, texts
        The query, and N texts such as the ranker is to order.
    grades
        (N,) judgements, higher is better, NaN for a text that nobody judged.
    teacher
        (N,) scores of another ranker, NaN for a text that it did not return: such a text stands
        below those it did.
    """

    query: str
    texts: tuple[str, ...]
    grades: Floats = field(repr=False)
    teacher: Floats = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("grades", "teacher"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.shape != (len(self.texts),) or np.isinf(values).any():
                raise InputError(
                    f"{name} of query {self.query!r} must be {len(self.texts)} numbers or NaN, one for "
                    f"each text, not of shape {values.shape}"
                )
            object.__setattr__(self, name, values)

    def better(self, teacher_gap: float = 0.0) -> Bools:
        """(N, N) whether text i should stand above text j.

        By their grades where both are judged, else by the teacher.
        """
        judged = ~np.isnan(self.grades)
        both = judged[:, None] & judged
        told = ~np.isnan(self.teacher)
        with np.errstate(invalid="ignore"):
            by_grade = self.grades[:, None] > self.grades
            spread = np.ptp(self.teacher[told]) if told.any() else 0.0
            by_teacher = self.teacher[:, None] - self.teacher > teacher_gap * spread
        by_teacher |= told[:, None] & ~told
        return np.where(both, by_grade, by_teacher)


def training_lists(
    queries: Mapping[str, str],
    texts: Mapping[str, str],
    first_stage: Mapping[str, Mapping[str, float]],
    *,
    qrels: Mapping[str, Mapping[str, int]] | None = None,
    teacher: Mapping[str, Mapping[str, float]] | None = None,
    depth: int = 100,
) -> list[TrainingList]:
    """Lists to train a re-ranker on: the best ``depth`` candidates of a first stage for each query.

    Texts from elsewhere, such as the teacher's own candidates, would teach something else: that a
    text which the first stage did not find is a good one.

    Parameters
    ----------
    queries, texts
        By query id and by document id.
    first_stage
        For each query id the scores of its candidates.
    qrels
        Grades by query id and document id.
    teacher
        Another ranker's scores by query id and document id.
    """
    lists = []
    for qid, run in first_stage.items():
        ids = sorted(run, key=run.__getitem__, reverse=True)[:depth]
        grades, scores = (qrels or {}).get(qid, {}), (teacher or {}).get(qid, {})
        lists.append(
            TrainingList(
                queries[qid],
                tuple(texts[i] for i in ids),
                np.array([grades.get(i, np.nan) for i in ids], dtype=np.float64),
                np.array([scores.get(i, np.nan) for i in ids], dtype=np.float64),
            )
        )
    return lists

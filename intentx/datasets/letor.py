"""Features of documents by query from files in LETOR's form: SVMlight with query ids."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.documents import some
from intentx.errors import InputError
from intentx.feature_ranking import FeatureRanking
from intentx.files import excerpt, file_name, numbered_lines
from intentx.models import FeatureModel

__all__ = ["LETOR_4", "Letor", "LetorQuery", "read_letor"]

_PARTS = ("body", "anchor", "title", "URL", "document")
_SCORES = ("TF", "IDF", "TF*IDF", "length", "BM25", "LM ABS", "LM DIR", "LM JM")
LETOR_4 = (
    *(f"{score} {part}" for score in _SCORES for part in _PARTS),
    "PageRank", "inlinks", "outlinks", "slashes in URL", "length of URL", "child pages",
)  # fmt: skip
"""Names of the 46 features of LETOR 4.0, in their order (Qin & Liu 2013)."""

_DOC_ID = re.compile(r"docid\s*=\s*(\S+)")
MOST_FEATURES = 100_000


@dataclass(frozen=True, eq=False)
class LetorQuery:
    """The documents of one query.

    Attributes
    ----------
    qid
        The query's id.
    doc_ids
        N ids: what the comments name by ``docid =``, else the place of the document in the query, 1 the
        first.
    X
        (N, F) features.
    grades
        (N,) relevance, as the file has it.
    """

    qid: str
    doc_ids: tuple[str, ...]
    X: npt.NDArray[np.float64]
    grades: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Letor:
    """What `read_letor` returns: queries by their ids, and the names of the features."""

    names: tuple[str, ...]
    queries: Mapping[str, LetorQuery]

    def __len__(self) -> int:
        return len(self.queries)

    def __repr__(self) -> str:
        documents = sum(len(one.doc_ids) for one in self.queries.values())
        return f"<Letor of {len(self)} queries, {documents} documents, {len(self.names)} features>"

    def query(self, qid: str) -> LetorQuery:
        """One query by its id; an InputError where there is none."""
        if qid not in self.queries:
            raise InputError(f"no query {qid!r}; there are {some([*self.queries])}")
        return self.queries[qid]

    def ranking(self, qid: str, model: Any) -> FeatureRanking:
        """The documents of a query as a model orders them; see `intentx.FeatureModel`."""
        one = self.query(qid)
        asked = model if isinstance(model, FeatureModel) else FeatureModel(model, self.names)
        return FeatureRanking.from_model(asked, qid, one.doc_ids, one.X)

    def rankings(self, model: Any, qids: Iterable[str] | None = None) -> list[FeatureRanking]:
        """Those of several queries; None: all."""
        asked = model if isinstance(model, FeatureModel) else FeatureModel(model, self.names)
        return [self.ranking(qid, asked) for qid in (self.queries if qids is None else qids)]

    def rows(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], list[int]]:
        """All documents, query by query: features (M, F), grades (M,), documents of each query."""
        some = [*self.queries.values()]
        return (
            np.concatenate([one.X for one in some]),
            np.concatenate([one.grades for one in some]),
            [len(one.doc_ids) for one in some],
        )


def read_letor(path: str | Path | Sequence[str | Path], names: Sequence[str] | None = None) -> Letor:
    """Read documents with features and grades: lines ``grade qid:ID 1:0.5 2:0 … # docid = ID``.

    Parameters
    ----------
    path
        A file, packed or not; ``"-"`` is standard input; or several files, one after the other.
    names
        A name for each feature; None: those of LETOR 4.0 (`LETOR_4`) where there are 46, else
        ``"feature 1"``, …

    Returns
    -------
    Letor
        A feature that a line leaves out is 0; ``nan`` is a missing value. Lines of one query need not
        stand together.

    Raises
    ------
    InputError
        If there is no document, a line is broken, a query has a document twice, or the file has more
        features than names; the message names the line.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    rows: dict[str, dict[str, tuple[float, dict[int, float]]]] = {}
    widest = 0
    for one in paths:
        for where, line in numbered_lines(one):
            data, _, comment = line.partition("#")
            if not data.strip():
                continue
            grade, qid, features = _parsed(data, where)
            documents = rows.setdefault(qid, {})
            named = _DOC_ID.search(comment)
            doc_id = named.group(1) if named else str(len(documents) + 1)
            if doc_id in documents:
                raise InputError(f"{where}: query {qid} has the document {excerpt(doc_id)} already")
            documents[doc_id] = grade, features
            widest = max(widest, max(features, default=0))
            if names is not None and widest > len(names):
                raise InputError(f"{where}: feature {widest}, and there are {len(names)} names")
    if not rows or not widest:
        raise InputError(f"{', '.join(map(file_name, paths))} holds no documents with features")
    if names is None:
        known = widest == len(LETOR_4)
        names = LETOR_4 if known else [f"feature {i + 1}" for i in range(widest)]
    return Letor(
        tuple(names), {qid: _query(qid, documents, len(names)) for qid, documents in rows.items()}
    )


def _parsed(data: str, where: str) -> tuple[float, str, dict[int, float]]:
    """Grade, query id and features of a line."""
    first, *others = data.split()
    form = f"{where}: grade qid:ID 1:0.5 2:0 … expected, not {excerpt(data.strip())}"
    if not others or not others[0].startswith("qid:") or others[0] == "qid:":
        raise InputError(form)
    grade, features = _number(first, form), {}
    if not math.isfinite(grade):
        raise InputError(f"{where}: the grade is {first}")
    for part in others[1:]:
        index, colon, value = part.partition(":")
        if not colon or not index.isascii() or not index.isdigit():
            raise InputError(f"{form}: {excerpt(part)} is no feature")
        place = int(index)
        if not 1 <= place <= MOST_FEATURES:
            raise InputError(f"{where}: features are numbered from 1 to {MOST_FEATURES}, not {index}")
        if place in features:
            raise InputError(f"{where}: feature {place} is given twice")
        features[place] = _number(value, f"{form}: {excerpt(part)} is no feature")
        if math.isinf(features[place]):
            raise InputError(f"{where}: feature {place} is {value}; use a finite number or nan")
    return grade, others[0][len("qid:") :], features


def _number(text: str, message: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(message) from None


def _query(qid: str, documents: Mapping[str, tuple[float, dict[int, float]]], width: int) -> LetorQuery:
    X = np.zeros((len(documents), width))
    for row, (_, features) in zip(X, documents.values(), strict=True):
        row[[place - 1 for place in features]] = [*features.values()]
    grades = np.array([grade for grade, _ in documents.values()])
    return LetorQuery(qid, tuple(documents), X, grades)

"""PyTerrier re-rankers as scorers, without PyTerrier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from intentx.capabilities import Capabilities
from intentx.errors import InputError, MissingExtraError, ScorerError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PyTerrierReranker", "Transformer", "from_pyterrier"]


class Transformer(Protocol):
    """What PyTerrier's re-rankers are: a frame of documents in, the same with new scores out."""

    def transform(self, documents: pd.DataFrame, /) -> pd.DataFrame: ...


class PyTerrierReranker:
    """A PyTerrier re-ranker as a scorer; made by `from_pyterrier`."""

    def __init__(
        self, transformer: Transformer, *, listwise: bool = False, fingerprint: str | None = None
    ) -> None:
        if not callable(getattr(transformer, "transform", None)):
            raise InputError(
                "a PyTerrier re-ranker has a method transform(DataFrame); "
                f"{type(transformer).__name__} has none"
            )
        self.transformer = transformer
        self.listwise = listwise
        self.fingerprint = fingerprint
        self.mask_token = Capabilities.of(transformer).mask_token

    def __repr__(self) -> str:
        return f"<PyTerrierReranker {self.transformer!r}>"

    def __call__(self, query: str, texts: Sequence[str]) -> Any:
        """The scores of ``texts``, (N,), as the transformer gives them.

        Raises
        ------
        ScorerError
            If what it returns is no frame with one row for each document.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("pandas", "pyterrier") from error
        if not len(texts):
            return np.empty(0)
        names = [f"d{number}" for number in range(len(texts))]
        columns = {"qid": "1", "query": query, "docno": names, "text": list(texts), "score": 0.0}
        answer = self.transformer.transform(pd.DataFrame(columns))
        missing = [c for c in ("docno", "score") if c not in getattr(answer, "columns", ())]
        if missing:
            had = list(getattr(answer, "columns", [])) or type(answer).__name__
            raise ScorerError(
                f"the re-ranker must return a frame with a column {missing[0]!r}, not {had}"
            )
        scores = dict(zip(answer["docno"], answer["score"], strict=True))
        others = [docno for docno in scores if docno not in set(names)]
        if others:
            raise ScorerError(
                f"the re-ranker returned {len(others)} documents it was not given, such as {others[0]!r}"
            )
        if len(answer) > len(scores):
            twice = texts[names.index(answer["docno"][answer["docno"].duplicated()].iloc[0])]
            raise ScorerError(
                f"the re-ranker returned {len(answer)} rows for {len(scores)} documents", texts=[twice]
            )
        cut = [text for name, text in zip(names, texts, strict=True) if name not in scores]
        if cut:
            raise ScorerError(
                f"the re-ranker returned {len(scores)} of {len(texts)} documents; take cut-offs (%) "
                "and filters off it",
                texts=cut,
            )
        return np.array([scores[name] for name in names])


def from_pyterrier(
    transformer: Transformer, *, listwise: bool = False, fingerprint: str | None = None
) -> PyTerrierReranker:
    """A scorer from a PyTerrier re-ranker, such as ``pt.apply.doc_score(…)`` or monoT5.

    Parameters
    ----------
    transformer
        Any object whose ``transform`` takes a pandas frame with the columns qid, query, docno, text
        and score, and returns one with docno and score, in any order: a row for each document. It
        must score the text it is given; one that looks documents up by docno, as Terrier's own
        models do in their index, cannot score edited texts.
    listwise
        Whether a document's score depends on the others.
    fingerprint
        What scores on disk are filed under: a text that changes whenever the scores may.

    Raises
    ------
    InputError
        If the object has no ``transform``.

    Examples
    --------
    >>> class Longest:
    ...     def transform(self, documents):
    ...         return documents.assign(score=documents["text"].str.len()).sort_values("score")
    >>> from_pyterrier(Longest())("tea", ["black tea", "tea"]).tolist()
    [9, 3]
    """
    return PyTerrierReranker(transformer, listwise=listwise, fingerprint=fingerprint)

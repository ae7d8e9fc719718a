"""Documents and rankings: what is explained."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, ScorerError, TruncationWarning
from intentx.scoring import BlackBox, Scorer

__all__ = ["Document", "Documents", "Ranking", "as_documents", "rank"]


@dataclass(frozen=True)
class Document:
    """One document. Rankers and explanations see `content`: title and text."""

    id: str
    text: str
    title: str = ""

    @property
    def content(self) -> str:
        return f"{self.title}\n{self.text}" if self.title else self.text


Documents = Sequence[str] | Mapping[str, str] | Sequence[Document]
Truncated = Literal["warn", "cut"]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Documents in a ranker's order for one query.

    Build one with `rank` or `Ranking.from_run`; this constructor sorts what it is given.

    Attributes
    ----------
    query
        The query.
    doc_ids, texts
        N document ids and texts, best first; ties keep the order of the input.
    scores
        (N,) scores, not increasing; read-only.
    scorer
        The ranker as a `BlackBox`, or None for a recorded ranking.
    """

    query: str
    doc_ids: tuple[str, ...]
    texts: tuple[str, ...]
    scores: npt.NDArray[np.float64]
    scorer: BlackBox | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.query, str) or not self.query.strip():
            raise InputError(f"the query must be a text with at least one character, not {self.query!r}")
        try:
            scores = np.array(self.scores, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"the scores of a ranking must be numbers: {error}") from error
        if scores.ndim != 1 or not len(self.doc_ids) == len(self.texts) == len(scores):
            raise InputError(
                "doc_ids, texts and scores must have one entry per document, not "
                f"{len(self.doc_ids)}, {len(self.texts)} and shape {scores.shape}"
            )
        if not len(scores):
            raise InputError("a ranking needs at least one document, and there is none")
        if np.ma.is_masked(self.scores):
            bad = int(np.argmax(np.ma.getmaskarray(self.scores)))
            raise InputError(f"the score of document {self.doc_ids[bad]!r} is masked, and no number")
        if not np.isfinite(scores).all():
            bad = int(np.argmin(np.isfinite(scores)))
            raise InputError(f"document {self.doc_ids[bad]!r} has the score {scores[bad]}")
        _refuse_duplicates(self.doc_ids)
        order = np.argsort(-scores, kind="stable")
        scores = scores[order]
        scores.flags.writeable = False
        object.__setattr__(self, "doc_ids", tuple(self.doc_ids[i] for i in order))
        object.__setattr__(self, "texts", tuple(self.texts[i] for i in order))
        object.__setattr__(self, "scores", scores)

    def __len__(self) -> int:
        return len(self.doc_ids)

    def __repr__(self) -> str:
        return f"<Ranking of {len(self)} documents for {self.query!r}, {self.doc_ids[0]!r} first>"

    @classmethod
    def from_run(cls, run: Mapping[str, float] | Sequence[str], query: str, docs: Documents) -> Ranking:
        """A recorded ranking, with no scorer at hand.

        Parameters
        ----------
        run
            Score of each ranked document by its id: one query of a TREC run, as
            `intentx.rankers.read_run` returns it. Or document ids alone, best first; their
            scores are then 0, -1, -2, …
        docs
            The documents, at least those that the run names; others are left out.

        Raises
        ------
        InputError
            If the run is empty or names documents that are not in ``docs``.

        Examples
        --------
        >>> Ranking.from_run({"b": 2.0, "a": 1.0}, "tea", {"a": "green", "b": "black"}).doc_ids
        ('b', 'a')
        """
        texts = {document.id: document.content for document in as_documents(docs)}
        if isinstance(run, str):
            raise InputError("a run is a mapping of ids to scores or a sequence of ids, not one string")
        scored = (
            run.items() if isinstance(run, Mapping) else ((doc_id, -i) for i, doc_id in enumerate(run))
        )
        ids, scores = [], []
        for doc_id, score in scored:
            ids.append(str(doc_id))
            scores.append(score)
        missing = [doc_id for doc_id in ids if doc_id not in texts]
        if missing:
            raise InputError(
                f"the run for {query!r} names {len(missing)} of {len(ids)} documents that are not "
                f"among the documents given: {_some(missing)}"
            )
        return cls(query, tuple(ids), tuple(texts[i] for i in ids), np.array(scores))

    def subset(self, positions: Iterable[int]) -> Ranking:
        """The documents at these positions, in the same order and with the same scorer."""
        kept = sorted(set(positions))
        return Ranking(
            self.query,
            tuple(self.doc_ids[i] for i in kept),
            tuple(self.texts[i] for i in kept),
            self.scores[kept],
            self.scorer,
        )

    def position(self, doc: str | int) -> int:
        """The 0-based position of a document given by its id, or by the position itself."""
        if isinstance(doc, str):
            if doc not in self.doc_ids:
                raise InputError(f"no document {doc!r} in the ranking; it has {_some(self.doc_ids)}")
            return self.doc_ids.index(doc)
        if not 0 <= doc < len(self):
            raise InputError(f"no position {doc} in a ranking of {len(self)} documents (0 is the best)")
        return int(doc)

    def black_box(self, purpose: str) -> BlackBox:
        """The scorer, or an InputError that says why ``purpose`` cannot do without it."""
        if self.scorer is None:
            raise InputError(
                f"{purpose} must ask the ranker for new scores, and this ranking is a recorded one; "
                "build it with intentx.rank(scorer, query, docs)"
            )
        return self.scorer


def rank(
    scorer: Scorer,
    query: str,
    docs: Documents,
    *,
    cache: str | Path | None = None,
    fingerprint: str | None = None,
    truncated: Truncated = "warn",
) -> Ranking:
    """Score ``docs`` for ``query`` and sort them, best first.

    Parameters
    ----------
    scorer
        Any callable ``(query, texts) -> (N,)`` scores, higher is better. Pass a `BlackBox` to
        share its memory between rankings or to set its batch size.
    query
        The query.
    docs
        Texts, a mapping from id to text, or `Document` objects. Plain texts get their position
        in the input as id: "0", "1", …
    cache, fingerprint
        A file to remember scores in, and what to file them under, as in `BlackBox`.
    truncated
        What to do about documents that the ranker does not read to their end, if it tells by a
        method ``seen(query, texts)``, which gives each text as far as it is read. ``"warn"`` names
        them in a `TruncationWarning`. ``"cut"`` puts what is read in the place of each text, at
        the same score: words that the ranker never saw are then no part of an explanation, and
        do not come into its view when an edit takes words before them away.

    Raises
    ------
    InputError
        For no documents, duplicate ids, texts that are not strings, an empty query, a cache that
        cannot be used, or texts to be cut for a ranker that does not tell what it reads.
    ScorerError
        If the scorer fails; the message names the document.

    Examples
    --------
    >>> rank(lambda query, texts: [len(text) for text in texts], "tea", ["green", "black tea"])
    <Ranking of 2 documents for 'tea', '1' first>
    """
    documents = as_documents(docs)
    if not isinstance(query, str) or not query.strip():
        raise InputError(f"the query must be a text with at least one character, not {query!r}")
    box = _black_box(scorer, cache, fingerprint)
    ids = tuple(document.id for document in documents)
    texts = _as_read(box, query, ids, tuple(d.content for d in documents), truncated)
    try:
        scores = box(query, texts)
    except ScorerError as error:
        failed = set(error.texts)
        named = _some([i for i, text in zip(ids, texts, strict=True) if text in failed])
        message = f"{error}\n  document id: {named}" if named else str(error)
        raise ScorerError(message, error.query, error.texts) from error.__cause__
    return Ranking(query, ids, texts, scores, box)


def _black_box(scorer: Scorer, cache: str | Path | None, fingerprint: str | None) -> BlackBox:
    if cache is None:
        return BlackBox.of(scorer)
    if isinstance(scorer, BlackBox):
        raise InputError("the scorer is a BlackBox; give the cache to it: BlackBox(scorer, cache=…)")
    return BlackBox(scorer, cache=cache, fingerprint=fingerprint)


def _as_read(
    box: BlackBox, query: str, ids: Sequence[str], texts: tuple[str, ...], truncated: Truncated
) -> tuple[str, ...]:
    """The texts, cut to what the ranker reads of them where that is asked for."""
    if truncated not in get_args(Truncated):
        raise InputError(f"truncated must be one of {get_args(Truncated)}, not {truncated!r}")
    seen = getattr(box.scorer, "seen", None)
    if seen is None:
        if truncated == "cut":
            name = getattr(box.scorer, "__name__", type(box.scorer).__name__)
            raise InputError(
                f"{name} has no method seen(query, texts) that tells what it reads of each text, and "
                "nothing can be cut to that"
            )
        return texts
    try:
        read = tuple(seen(query, texts))
    except InputError as error:
        if truncated == "cut":
            raise
        message = f"whether the ranker reads the documents to their end is unknown: {error}"
        warnings.warn(message, TruncationWarning, stacklevel=3)
        return texts
    long = [
        f"{i!r} ({len(part)} of {len(text)} characters)"
        for i, text, part in zip(ids, texts, read, strict=True)
        if part != text
    ]
    if truncated == "warn" and long:
        warnings.warn(
            f"the ranker reads only part of {len(long)} of {len(ids)} documents: {_listed(long)}; an "
            "explanation may name words that it never saw. Cut them to what it reads: "
            "rank(…, truncated='cut'), on the command line --cut",
            TruncationWarning,
            stacklevel=3,
        )
    return read if truncated == "cut" else texts


def as_documents(docs: Documents) -> tuple[Document, ...]:
    """Documents in any of the accepted forms as a tuple of `Document` with distinct ids."""
    if isinstance(docs, str | bytes | Document):
        raise InputError("docs must be a sequence of documents, not a single one; put it in a list")
    if docs is None:
        raise InputError("there are no documents to rank: docs is None")
    numbered: Iterable[tuple[object, str | Document]] = (
        docs.items() if isinstance(docs, Mapping) else enumerate(docs)
    )
    documents = tuple(
        doc if isinstance(doc, Document) else Document(str(name), doc) for name, doc in numbered
    )
    if not documents:
        raise InputError("there are no documents to rank")
    for document in documents:
        for part, value in (("text", document.text), ("title", document.title)):
            if not isinstance(value, str):
                raise InputError(
                    f"the {part} of document {document.id!r} must be a string, "
                    f"not {type(value).__name__}"
                )
    _refuse_duplicates([document.id for document in documents])
    return documents


def _refuse_duplicates(ids: Sequence[str]) -> None:
    repeated = [doc_id for doc_id, times in Counter(ids).items() if times > 1]
    if repeated:
        raise InputError(f"document ids must be distinct; repeated: {_some(repeated)}")


def _some(names: Sequence[str]) -> str:
    return _listed([repr(name) for name in names])


def _listed(things: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(things[:most])
    return shown if len(things) <= most else f"{shown} and {len(things) - most} more"

"""Rankings: what is explained."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.capabilities import Capabilities
from intentx.documents import (
    Document,
    Documents,
    IntegerId,
    as_documents,
    column_of,
    columns_of,
    id_of,
    ids_of_frame,
    some,
)
from intentx.doubts import doubts
from intentx.errors import InputError, ScorerError, ScorerWarning
from intentx.ordered import Ordered, best_first
from intentx.scoring import BlackBox, Scorer
from intentx.text import Analyzer
from intentx.truncation import Truncated, as_read

__all__ = ["Document", "Documents", "Ranking", "as_documents", "rank"]

Run = Mapping[str, float] | Mapping[int, float] | Sequence[str] | Sequence[int] | Any


class Activated(NamedTuple):
    """What a ranker makes of its raw scores: the name of a function, and its values (N,)."""

    name: str
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranking(Ordered):
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
    told
        What users were already warned of about these documents, so that each warning is given once.
    activated
        What the ranker makes of its raw scores, such as a sigmoid, if it exposes one; shown beside
        them.
    mark
        That of the scorer when it made the scores; None if it has none.
    """

    query: str
    doc_ids: tuple[str, ...]
    texts: tuple[str, ...]
    scores: npt.NDArray[np.float64]
    scorer: BlackBox | None = field(default=None, repr=False)
    told: set[str] = field(default_factory=set, repr=False)
    activated: Activated | None = field(default=None, repr=False)
    mark: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.doc_ids):
            raise InputError(
                "doc_ids, texts and scores must have one entry per document, not "
                f"{len(self.doc_ids)}, {len(self.texts)} and shape {np.shape(self.scores)}"
            )
        ids, scores, order = best_first(self.query, self.doc_ids, self.scores)
        object.__setattr__(self, "doc_ids", ids)
        object.__setattr__(self, "texts", tuple(self.texts[i] for i in order))
        object.__setattr__(self, "scores", scores)
        if self.activated is not None:
            name, values = self.activated
            values = np.asarray(values, dtype=np.float64)[order]
            object.__setattr__(self, "activated", Activated(name, values))

    def __repr__(self) -> str:
        return f"<Ranking of {len(self)} documents for {self.query!r}, {self.doc_ids[0]!r} first>"

    @classmethod
    def from_run(cls, run: Run, query: str, docs: Documents) -> Ranking:
        """A recorded ranking, with no scorer at hand.

        Parameters
        ----------
        run
            Score of each ranked document by its id: one query of a TREC run, as
            `intentx.rankers.read_run` returns it, a pandas Series with the ids as its index, or a
            frame with a column ``score`` and ids as `as_documents` finds them. Or document ids
            alone, best first; their scores are then 0, -1, -2, …
        docs
            The documents, at least those that the run names; others are left out. In any form that
            `as_documents` takes.

        Raises
        ------
        InputError
            If the run is empty, holds several queries, or names documents that are not in ``docs``.

        Examples
        --------
        >>> Ranking.from_run({"b": 2.0, "a": 1.0}, "tea", {"a": "green", "b": "black"}).doc_ids
        ('b', 'a')
        """
        known = {document.id: document for document in as_documents(docs)}
        scored = [(id_of(doc_id, "an id in the run"), score) for doc_id, score in _scored(run)]
        missing = [doc_id for doc_id, _ in scored if doc_id not in known]
        if missing:
            raise InputError(
                f"the run for {query!r} names {len(missing)} of {len(scored)} documents that are not "
                f"among the documents given: {some(missing)}"
            )
        documents = [known[doc_id] for doc_id, _ in scored]
        ids = (named if isinstance(named, IntegerId) else known[named].id for named, _ in scored)
        contents = tuple(document.content for document in documents)
        return cls(query, tuple(ids), contents, np.array([score for _, score in scored]))

    def subset(self, positions: Iterable[int]) -> Ranking:
        """The documents at these positions, in the same order and with the same scorer."""
        kept = sorted(set(positions))
        return Ranking(
            self.query,
            tuple(self.doc_ids[i] for i in kept),
            tuple(self.texts[i] for i in kept),
            self.scores[kept],
            self.scorer,
            self.told,
            self.activated and Activated(self.activated.name, self.activated.values[kept]),
            self.mark,
        )

    def shuffled(self, draws: np.random.Generator) -> Ranking:
        """The same scores for the documents in a random order: a recorded ranking of nothing."""
        order = draws.permutation(len(self)).tolist()
        return Ranking(
            self.query,
            tuple(self.doc_ids[i] for i in order),
            tuple(self.texts[i] for i in order),
            self.scores,
            told=self.told,
        )

    def check_scorer(self) -> None:
        """Warn once if the scorer has changed since it made the scores of this ranking."""
        changed = self.scorer is not None and self.mark is not None and self.scorer.mark != self.mark
        if changed and "scorer" not in self.told:
            self.told.add("scorer")
            warnings.warn(
                "the ranker has changed since this ranking was made: its scores are from before the "
                "change, and new scores would come from the changed ranker. Rank again: ix.rank(scorer, "
                "query, docs)",
                ScorerWarning,
                stacklevel=5,
            )

    def activation(self, position: int) -> dict[str, float]:
        """What the ranker makes of a document's raw score, by its name; empty where it is the same."""
        if self.activated is None:
            return {}
        return {self.activated.name: float(self.activated.values[position])}

    def to_dict(self) -> dict[str, Any]:
        """Ids, scores and texts as plain data, as an explanation's JSON has them."""
        plain = {"doc_ids": list(self.doc_ids), "scores": self.scores.tolist()}
        if self.activated is not None:
            plain["activated"] = {self.activated.name: self.activated.values.tolist()}
        return {**plain, "texts": list(self.texts)}

    @property
    def can(self) -> Capabilities:
        """What the ranker can do beside scoring, as far as it says; a recorded ranking says nothing."""
        return Capabilities.of(None) if self.scorer is None else self.scorer.can

    @property
    def analyzer(self) -> Analyzer:
        """How the ranker itself makes terms of texts, where it says so; else ``Analyzer()``."""
        return self.can.analyzer or Analyzer()

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
        Texts, a mapping of ids to texts, `Document` objects, mappings with an id and a text, a
        pandas Series by its index, or a frame with columns such as ``docno`` and ``text`` (see
        `as_documents`). Plain texts get their position in the input as id: "0", "1", …
    cache, fingerprint
        A file to cache scores in, and the fingerprint to file them under, as in `BlackBox`.
    truncated
        What to do about documents that the ranker does not read to their end, if it exposes a
        method ``seen(query, texts)``, which gives each text as far as it is read. ``"warn"`` names
        them in a `TruncationWarning`. ``"cut"`` puts what is read in the place of each text, at
        the same score: words that the ranker never saw are then no part of an explanation, and
        do not come into its view when an edit takes words before them away.

    Raises
    ------
    InputError
        For no documents, duplicate ids, texts that are missing or not strings, documents in
        an ambiguous form, an empty query, a cache that cannot be used, or texts to
        be cut for a ranker that does not expose what it reads.
    ScorerError
        If the scorer fails; the message names the document.

    Warns
    -----
    ScorerWarning
        If scores depend on which texts are asked together though the scorer does not say that it is
        ``listwise``, or differ from call to call. To find out, three texts are scored once more, and
        up to three others where their scores differ; of a listwise scorer two texts twice.

    Examples
    --------
    >>> rank(lambda query, texts: [len(text) for text in texts], "tea", ["green", "black tea"])
    <Ranking of 2 documents for 'tea', '1' first>
    """
    documents = as_documents(docs)
    if not isinstance(query, str) or not query.strip():
        raise InputError(f"the query must be a text with at least one character, not {query!r}")
    box = _black_box(scorer, cache, fingerprint)
    box.refresh()
    ids = tuple(document.id for document in documents)
    texts = as_read(box, query, ids, tuple(d.content for d in documents), truncated)
    asked = box.texts_scored
    try:
        scores = box(query, texts)
    except ScorerError as error:
        places = {text: place for place, text in enumerate(error.texts)}  # the one that is shown first
        failed = sorted((places[text], i) for i, text in zip(ids, texts, strict=True) if text in places)
        label = "document id" if len(failed) == 1 else "document ids"
        message = f"{error}\n  {label}: {some([i for _, i in failed])}" if failed else str(error)
        raise ScorerError(message, error.query, error.texts) from error.__cause__
    if box.texts_scored > asked:  # not all of them were remembered
        for message in doubts(box, query, ids, texts, scores):
            warnings.warn(message, ScorerWarning, stacklevel=2)
    activated = box.can.activated(scores)
    both = activated and Activated(*activated)
    return Ranking(query, ids, texts, scores, box, activated=both, mark=box.mark)


def _black_box(scorer: Scorer, cache: str | Path | None, fingerprint: str | None) -> BlackBox:
    if cache is None:
        return BlackBox.of(scorer)
    if isinstance(scorer, BlackBox):
        raise InputError("the scorer is a BlackBox; give the cache to it: BlackBox(scorer, cache=…)")
    return BlackBox(scorer, cache=cache, fingerprint=fingerprint)


def _scored(run: Any) -> Iterable[tuple[Any, Any]]:
    """Ids and scores of a recorded run in any of its forms."""
    if isinstance(run, str):
        raise InputError("a run is a mapping of ids to scores or a sequence of ids, not one string")
    if isinstance(run, set | frozenset):
        raise InputError("a run of ids alone is a sequence, best first; a set has no order")
    if isinstance(run, Mapping):
        return run.items()
    if columns_of(run) is not None:
        names = [str(name) for name in columns_of(run) or []]
        if "score" not in names:
            raise InputError(f"a run in a frame needs a column 'score'; it has {some(names)}")
        return zip(ids_of_frame(run)[1], column_of(run, "score"), strict=True)
    if hasattr(run, "iloc"):  # a Series of pandas
        items: Iterable[tuple[Any, Any]] = run.items()
        return items
    if not isinstance(run, Iterable):
        raise InputError(
            f"a run is a mapping of ids to scores or a sequence of ids, not {type(run).__name__}"
        )
    return ((doc_id, -place) for place, doc_id in enumerate(run))

"""Requests and answers of the API; its OpenAPI document is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

__all__ = [
    "Can",
    "CollectionInfo",
    "Compare",
    "Counterfactual",
    "Diff",
    "DiffQuery",
    "Document",
    "ErrorAnswer",
    "ErrorBody",
    "Explain",
    "Health",
    "HistoryEntry",
    "JobAnswer",
    "Kept",
    "MethodInfo",
    "Missing",
    "Moved",
    "NewSnapshot",
    "Progress",
    "Question",
    "RankerInfo",
    "Ranking",
    "Result",
    "Score",
    "Scored",
    "ScoredDocument",
    "Search",
    "SearchAnswer",
    "SettingInfo",
    "SnapshotInfo",
]

MOST_QUERY = 2_000
MOST_TEXT = 100_000
MOST_K = 1_000
DEPTH = 50

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Choice = Annotated[str, msgspec.Meta(max_length=200)]  # "": the first one there is
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
Query = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_QUERY)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_TEXT)]
Depth = Annotated[int, msgspec.Meta(ge=1, le=MOST_K)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[list[Word], msgspec.Meta(max_length=200)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=3_600)]
Question = Literal["ranking", "document", "pair"]
State = Literal["queued", "running", "done", "failed", "cancelled", "lost"]
Kind = Literal["search", "explain", "compare", "counterfactual", "missing", "score"]


class Request(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A request for ``k`` documents: what is not known is refused."""

    k: Depth | None = None

    @property
    def depth(self) -> int:
        """``k``, which `intentx.serve.api.read` fills in."""
        return DEPTH if self.k is None else self.k


class Asked(Request, kw_only=True):
    """What all questions about a ranking have."""

    query: Query
    ranker: Choice = ""
    collection: Choice = ""


class Search(Request, kw_only=True):
    """Search by one ranker, or by two beside each other."""

    query: Query
    collection: Choice = ""
    rankers: Annotated[list[Choice], msgspec.Meta(max_length=2)] = []


class Explain(Asked, kw_only=True):
    """Explain a ranking, a document of it, or why one document is above another."""

    question: Question = "ranking"
    doc: Id | None = None
    above: Id | None = None
    method: Name | None = None
    settings: dict[str, Any] = {}
    without: Words = []
    seconds: Seconds | None = None


class Compare(Request, kw_only=True):
    """Contrast two rankers."""

    query: Query
    rankers: Annotated[list[Name], msgspec.Meta(min_length=2, max_length=2)]
    collection: Choice = ""


class Counterfactual(Asked, kw_only=True):
    """The smallest change of a document, or of the query, that moves the document."""

    doc: Id
    goal: Literal["enter", "leave", "above", "below", "rank"]
    change: Literal["document", "query"] = "document"
    top: Annotated[int, msgspec.Meta(ge=1, le=MOST_K)] = 10
    above: Id | None = None
    rank: Annotated[int, msgspec.Meta(ge=1, le=MOST_K)] | None = None
    keep: Words | Literal["query"] | None = None
    insert: Words | None = None
    edits: Words | None = None
    most: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    seconds: Seconds | None = None


class Missing(Asked, kw_only=True):
    """Where is a document, named by its id or by its text?"""

    doc: Id | None = None
    text: Text | None = None
    top: Annotated[int, msgspec.Meta(ge=1, le=MOST_K)] | None = None


class Score(Asked, kw_only=True):
    """Edit and see: another text of a document, another query, or both."""

    doc: Id | None = None
    text: Text | None = None
    edited_query: Query | None = None


class NewSnapshot(Request, kw_only=True):
    """Keep the rankings of some queries as they are now."""

    name: Name
    queries: Annotated[list[Query], msgspec.Meta(min_length=1, max_length=100)]
    ranker: Choice = ""
    collection: Choice = ""


class Can(msgspec.Struct):
    """What a ranker can do.

    ``token_pairs``: it says what pairs of tokens do; ``two_sides``: it encodes query and text apart;
    ``each_alone``: a score does not depend on the other texts.
    """

    scores: bool
    gradients: bool
    grad_cam: bool
    features: bool
    attention: bool = False
    token_pairs: bool = False
    two_sides: bool = False
    each_alone: bool = True


class RankerInfo(msgspec.Struct):
    """A ranker that can be chosen; ``error`` says why one cannot be used."""

    name: str
    spec: str
    kind: str
    collections: list[str]
    can: Can
    error: str | None = None


class CollectionInfo(msgspec.Struct):
    """A collection that can be searched; ``k`` documents, unless a request says."""

    name: str
    documents: int
    engine: str
    queries: list[str]
    k: int


class SettingInfo(msgspec.Struct, omit_defaults=True):
    """A setting of a method; ``values`` are those that it can have, where these are few."""

    name: str
    default: Any = msgspec.UNSET
    values: list[Any] | None = None
    words: str = ""


class MethodInfo(msgspec.Struct):
    """A method that answers a question about a ranker, quickest first by ``cost``."""

    name: str
    title: str
    questions: list[str]
    settings: list[SettingInfo]
    cost: int
    note: str = ""


class Result(msgspec.Struct):
    """A document in a ranking.

    ``snippet`` says where words of the query stand in the text, ``first_rank`` is the first stage's.
    """

    doc_id: str
    title: str
    text: str
    snippet: list[tuple[int, int]]
    score: float
    rank: int
    first_rank: int | None


class ErrorBody(msgspec.Struct):
    """What went wrong, and what to do."""

    code: str
    message: str
    todo: str = ""


class Ranking(msgspec.Struct):
    """What one ranker found; ``error``: of two that were asked, the other one alone has results."""

    ranker: str
    results: list[Result]
    seconds: float
    notes: list[str] = []
    error: ErrorBody | None = None


class SearchAnswer(msgspec.Struct):
    """Rankings of one query."""

    query: str
    collection: str
    k: int
    rankings: list[Ranking]


class ScoredDocument(msgspec.Struct):
    """A document before or after an edit."""

    doc_id: str
    score: float
    rank: int


class Moved(msgspec.Struct):
    """Where the edited document stood, and stands."""

    doc_id: str
    rank_before: int | None
    rank_after: int | None
    score_before: float | None
    score_after: float | None


class Scored(msgspec.Struct):
    """Both rankings of edit and see."""

    before: list[ScoredDocument]
    after: list[ScoredDocument]
    doc: Moved | None = None


class Document(msgspec.Struct):
    """A document of a collection."""

    doc_id: str
    title: str
    text: str


class Progress(msgspec.Struct):
    """How far a job is; ``of`` is 0 where that is not known."""

    done: int = 0
    of: int = 0
    what: str = ""


class ErrorAnswer(msgspec.Struct):
    """Every answer that is no success."""

    error: ErrorBody


class JobAnswer(msgspec.Struct, omit_defaults=True):
    """A question on its way to an answer."""

    id: str
    key: str
    kind: Kind
    state: State
    permalink: str
    place: int = 0
    progress: Progress = msgspec.field(default_factory=Progress)
    partial: Any = None
    answer: Any = None
    error: ErrorBody | None = None
    warning: str = ""


class Kept(msgspec.Struct):
    """An answer that was kept; ``python`` is a script that asks the same."""

    key: str
    kind: Kind
    question: dict[str, Any]
    answer: Any
    made: str
    python: str
    seconds: float


class HistoryEntry(msgspec.Struct):
    """A question that was answered."""

    key: str
    kind: Kind
    question: dict[str, Any]
    made: str
    seconds: float


class SnapshotInfo(msgspec.Struct):
    """Rankings of some queries at one time."""

    id: str
    name: str
    collection: str
    ranker: str
    k: int
    made: str
    queries: list[str]


class DiffQuery(msgspec.Struct):
    """What differs for one query: ranks are of the left and of the right snapshot, from 1."""

    query: str
    moved: list[Moved]
    entered: list[Moved]
    left: list[Moved]
    unchanged: int


class Diff(msgspec.Struct):
    """Two snapshots compared."""

    left: SnapshotInfo
    right: SnapshotInfo
    queries: list[DiffQuery]
    only_left: list[str]
    only_right: list[str]


class Health(msgspec.Struct):
    """Whether the server can answer."""

    status: Literal["ok", "busy"]
    version: str
    queued: int
    running: int
    workers: int

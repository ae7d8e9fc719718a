"""What a comparison of rankers came to: by query, and over all of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from intentx.answers import Stored
from intentx.comparison.biases import RankerBiases
from intentx.comparison.edits import EditComparison
from intentx.comparison.pair import PairComparison
from intentx.comparison.preferred import OTHERS, Disagreement, with_nan
from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.axioms import Axioms
from intentx.evaluation.base import none_for_nan
from intentx.explainers.plain import parts_of
from intentx.explainers.ranking.term_effect import EffectKind

__all__ = ["FORMAT", "Agreement", "Comparison", "Intent", "QueryComparison"]

FORMAT = "intentx.comparison/2"
ENOUGH = 16  # documents of a query: `Disagreement.believable` is made for so many or more


@equal_by_values
@dataclass(frozen=True)
class Intent:
    """What one ranker made of one query.

    Attributes
    ----------
    doc_ids, scores
        The documents that are compared, best first.
    terms, weights
        The explanation's, as in `IntentExplanation`.
    all, far, tau
        How far the terms reproduce the ranking, as in `Fidelity`.
    kinds
        What the ranker does with each of the terms, as in `TermEffect`; older files lack it.
    """

    doc_ids: tuple[str, ...] = field(repr=False)
    scores: tuple[float, ...] = field(repr=False)
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    all: float
    far: float
    tau: float
    kinds: tuple[EffectKind, ...] = ()

    @property
    def wanted(self) -> tuple[bool, ...]:
        """Of each term whether the ranker was asked, and wants it; else it goes along with the order."""
        return tuple(kind == "wanted" for kind in self.kinds) or (False,) * len(self.terms)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Intent:
        """The inverse of `dataclasses.asdict`, None standing for NaN."""
        lists = {name: tuple(plain[name]) for name in ("doc_ids", "scores", "terms", "weights")}
        lists["kinds"] = tuple(plain.get("kinds", ()))
        return cls(**{**with_nan(plain), **lists})


@equal_by_values
@dataclass(frozen=True)
class Agreement:
    """How far two rankers agree, in orders and in terms.

    Attributes
    ----------
    tau, rbo
        Kendall's τ-b of their scores; RBO_ext with p = 0.9 of their orders as they stand, documents
        of equal scores in the order that they came in.
    first_ten
        Share of the first ten documents (of half of them, where there are fewer than twenty) that
        are the same.
    jaccard
        Terms of both explanations over terms of either.
    """

    first: str
    second: str
    tau: float
    rbo: float
    first_ten: float
    jaccard: float


@equal_by_values
@dataclass(frozen=True)
class QueryComparison:
    """One query.

    Attributes
    ----------
    documents
        Texts of the documents that are compared, those that all rankers rank, by their ids.
    left_out
        For each ranker, how many of its documents another one does not rank.
    intents
        By ranker.
    agreements
        Of each two rankers.
    cross
        How much of the second ranker's order the first one's terms reproduce: fidelity on all pairs,
        ``cross[first][second]``; with itself, its own.
    disagreements
        Of each two rankers and, with three or more, of each one with all others.
    failed
        Why a ranker has no part in it, by the ranker. Under ``""``: why none has.
    edits
        Of some documents, which edits move them in one order and not in another; where asked for.
    axioms
        Of each ranker, which retrieval axioms it agrees with; where asked for.
    pair
        Of two documents that were named: what speaks for one of them by one ranker, and for the other
        by another. None where none were, or the query has not both.
    """

    qid: str
    query: str
    documents: Mapping[str, str] = field(default_factory=dict, repr=False)
    left_out: Mapping[str, int] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    agreements: tuple[Agreement, ...] = ()
    cross: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    disagreements: tuple[Disagreement, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    edits: tuple[EditComparison, ...] = ()
    axioms: Mapping[str, Axioms] = field(default_factory=dict)
    pair: PairComparison | None = None

    def disagreement(self, first: str, second: str = OTHERS) -> Disagreement:
        """That of two rankers, seen from the first; or of one with all others.

        Raises
        ------
        InputError
            If there is none, e.g. since a ranker failed.
        """
        for one in self.disagreements:
            if (one.first, one.second) == (first, second):
                return one
            if (one.second, one.first) == (first, second):
                return one.reverse
        raise InputError(f"query {self.qid!r} has no comparison of {first!r} and {second or 'others'!r}")

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> QueryComparison:
        """The inverse of `dataclasses.asdict`, None standing for NaN."""
        found = dict(plain)
        found["intents"] = {name: Intent.from_dict(one) for name, one in plain["intents"].items()}
        found["agreements"] = tuple(Agreement(**with_nan(one)) for one in plain["agreements"])
        found["cross"] = {name: with_nan(row) for name, row in plain["cross"].items()}
        found["disagreements"] = tuple(map(Disagreement.from_dict, plain["disagreements"]))
        found["axioms"] = {name: Axioms.from_dict(one) for name, one in plain.get("axioms", {}).items()}
        found["edits"] = tuple(map(EditComparison.from_dict, plain.get("edits", ())))
        if found.get("pair") is not None:
            found["pair"] = PairComparison.from_dict(found["pair"])
        return cls(**found)


@dataclass(frozen=True)
class Comparison(Stored):
    """Rankers compared on queries.

    Attributes
    ----------
    rankers
        What each ranker is, by its name: its spec, or the name of its class.
    method, settings
        What explained each ranking.
    queries
        In the order they came.
    biases
        Of each ranker against all others, over all queries.
    """

    rankers: Mapping[str, str]
    method: str
    settings: Mapping[str, Any] = field(repr=False)
    queries: tuple[QueryComparison, ...] = field(repr=False)
    biases: tuple[RankerBiases, ...] = field(repr=False)

    FORMAT: ClassVar[str] = FORMAT

    @property
    def compared(self) -> tuple[QueryComparison, ...]:
        """The queries with two rankers or more."""
        return tuple(query for query in self.queries if query.agreements)

    @property
    def documents(self) -> tuple[int, int]:
        """The fewest and the most documents of a compared query; 0 and 0 where there is none."""
        sizes = [len(query.documents) for query in self.compared]
        return min(sizes, default=0), max(sizes, default=0)

    @property
    def few(self) -> str:
        """How few documents were compared, in words; "" where every query has `ENOUGH`."""
        least, most = self.documents
        if not most or least >= ENOUGH:
            return ""
        number = f"{least}" if least == most else f"{least} to {most}"
        nouns = "document was" if most == 1 else "documents were"
        return (
            f"only {number} {nouns} compared for each query. With fewer than {ENOUGH}, a few terms fit "
            "almost any difference between two orders"
        )

    def mean_agreement(self, first: str, second: str) -> tuple[Agreement, int]:
        """Means of the metrics over queries, and how many have both rankers."""
        found = [
            one
            for query in self.queries
            for one in query.agreements
            if {one.first, one.second} == {first, second}
        ]
        names = ("tau", "rbo", "first_ten", "jaccard")
        means = [_mean(getattr(one, name) for one in found) for name in names]
        return Agreement(first, second, *means), len(found)

    def mean_cross(self, first: str, second: str) -> float:
        """How much of the second's orders the first's terms reproduce, averaged over queries."""
        return _mean(q.cross[first][second] for q in self.queries if second in q.cross.get(first, {}))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``; NaN becomes None."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        for query in plain["queries"]:
            for name in ("edits", "axioms", "pair"):  # there only where they were asked for
                if not query[name]:
                    del query[name]
        return {"format": FORMAT, **plain}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Comparison:
        """The inverse of `to_dict`.

        Raises
        ------
        InputError
            If the data is of another format or lacks a part.
        """
        with parts_of("comparison", plain, FORMAT) as plain:
            return cls(
                plain["rankers"],
                plain["method"],
                plain["settings"],
                tuple(map(QueryComparison.from_dict, plain["queries"])),
                tuple(map(RankerBiases.from_dict, plain["biases"])),
            )


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def _plain(value: Any) -> Any:
    """With None for NaN, and lists for tuples."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return none_for_nan(value)

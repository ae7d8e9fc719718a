"""`EquivalentQueryExplanation`: the query whose ranking is most like a ranker's."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from intentx.coverage.shares import coverage_shares
from intentx.equality import equal_by_values
from intentx.evaluation.base import Measure, Sheet
from intentx.explainers.change.lucene import lucene_query
from intentx.explainers.plain import parts_of, table
from intentx.explainers.ranking import explanation as ranking_explanation
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.roles import TermRole
from intentx.markup import Html, join, tag
from intentx.signs import visible

if TYPE_CHECKING:
    from rich.console import Group

__all__ = ["EquivalentQueryExplanation", "QueryAgreement"]


@equal_by_values
@dataclass(frozen=True)
class QueryAgreement(Measure):
    """How far the ranking of a query is like the ranker's, and what that is held against.

    Attributes
    ----------
    sentence
        The same in words.
    rbo, tau, overlap
        RBO_ext with p = 0.9 (ties in the worst order), Kendall's τ-b, and the share of the first ten
        documents that both have, on the documents that the query was chosen on.
    query_rbo, query_tau, query_overlap
        The same of the original query's words.
    shuffled_rbo
        RBO that the same search reaches on a random order of the documents.
    heldout_rbo, query_heldout_rbo, shuffled_heldout_rbo
        Mean RBO on 30 % of the documents left out of the search, over random splits, each searched with
        a tenth of the steps: of queries found so, of the original query, and of queries found so in
        random orders. NaN where there are too few documents.
    threshold
        What ``heldout_rbo`` must reach to be better than chance: exceeded by one in twenty of random
        orders, by the spread of those tried. NaN as above.
    best_first_rbo
        RBO of the query that best-first search finds by itself, as published. Where RBO is the
        objective, ``rbo`` is never below it.
    documents
        Of the collection that was ranked; RBO and overlap are then those of its first documents. 0: the
        ranking's documents alone.
    controls
        Whether chance was measured; else the numbers about it are NaN.
    """

    sentence: str
    rbo: float
    tau: float
    overlap: float
    query_rbo: float
    query_tau: float
    query_overlap: float
    shuffled_rbo: float
    heldout_rbo: float
    query_heldout_rbo: float
    shuffled_heldout_rbo: float
    threshold: float
    best_first_rbo: float = math.nan
    documents: int = 0
    controls: bool = True

    NAME: ClassVar[str] = "agreement"
    FORMAT: ClassVar[str] = "intentx.query-agreement/1"

    @property
    def better_than_chance(self) -> bool:
        """Whether queries found so reach the threshold on documents left out."""
        return self.heldout_rbo >= self.threshold

    def _sheet(self) -> Sheet:
        left_out = (self.heldout_rbo, self.query_heldout_rbo, self.shuffled_heldout_rbo)
        rows = (
            ("RBO", self.rbo, self.query_rbo, self.shuffled_rbo),
            ("Kendall τ-b", self.tau, self.query_tau, math.nan),
            ("first ten in common", self.overlap, self.query_overlap, math.nan),
            ("RBO, documents left out", *left_out),
        )
        shown = tuple(
            (name, *("" if math.isnan(one) else f"{one:.3f}" for one in numbers))
            for name, *numbers in rows
            if not all(map(math.isnan, numbers))
        )
        return Sheet(("agreement", "this query", "original", "random order"), shown, self.sentence)


@dataclass(frozen=True, eq=False)
class EquivalentQueryExplanation(IntentExplanation):
    """The query that an `EquivalentQuery` found: intent terms of one simple ranker, with weights.

    Attributes
    ----------
    weights
        Of the query's terms, whole numbers from 1.
    agreement
        How far its ranking is like the ranker's.
    """

    agreement: QueryAgreement | None = None

    FORMAT: ClassVar[str] = "intentx.equivalent-query/1"
    WEIGHTS: ClassVar[str] = "weight in the query"

    def __repr__(self) -> str:
        one = self.agreement
        found = "" if one is None else f" | RBO {one.rbo:.3f}, the query's {one.query_rbo:.3f}"
        return f"<{self.method} for {self.ranking.query!r}: {self.to_lucene()}{found}>"

    @property
    def claim(self) -> str:
        """What the terms are, in words."""
        return "the query whose ranking is most like the ranker’s"

    @property
    def sentence(self) -> str:
        """How far its ranking is like the ranker's; "" where that is not known."""
        return "" if self.agreement is None else self.agreement.sentence

    @cached_property
    def roles(self) -> tuple[TermRole, ...]:
        """What each term does; its share is its Shapley value in the coverage of all pairs."""
        shares = coverage_shares(self.matrices, seed=0).tolist()
        found = IntentExplanation.roles.func(self)  # type: ignore[attr-defined]
        return tuple(
            dataclasses.replace(one, share=share) for one, share in zip(found, shares, strict=True)
        )

    def to_lucene(self) -> str:
        """The query in the syntax of Lucene's query parser, words as people write them.

        The search engine must stem and drop stopwords as the `analyzer` does to rank as told here. A
        name that is a stopword in small letters, such as *US*, is in capitals.
        """
        reads = self.analyzer.terms

        def named(word: str) -> str:
            return word.upper() if not reads(word) and reads(word.upper()) else word

        words = [" ".join(map(named, one.split(" "))) for one in self.words]
        return lucene_query(words, self.weights)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``."""
        agreement = None if self.agreement is None else self.agreement.to_dict()
        more = {"format": self.FORMAT, "lucene": self.to_lucene(), "agreement": agreement}
        return {**super().to_dict(), **more}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; the ranker does not come back.

        Raises
        ------
        InputError
            If the data is of another format or lacks a part.
        """
        with parts_of("equivalent query", plain, cls.FORMAT) as plain:
            found = cast("Self", super().from_dict({**plain, "format": ranking_explanation.FORMAT}))
            agreement = QueryAgreement.from_dict(table(plain, "agreement"))
            object.__setattr__(found, "agreement", agreement)
            return found

    def __rich__(self) -> Group:
        from rich.console import Group

        first = [] if self.agreement is None else [self.agreement.__rich__()]
        return Group(*first, super().__rich__())

    def _repr_html_(self) -> str:
        first = "" if self.agreement is None else Html(self.agreement._repr_html_())
        lucene = tag("p", "As a query of Lucene: ", tag("code", visible(self.to_lucene())))
        return join([first, lucene, Html(super()._repr_html_())])

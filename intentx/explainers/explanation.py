"""`IntentExplanation`: the words that explain a ranking, and what is known about them."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.evaluation.fidelity import PAIRS_AT_ONCE, Fidelity
from intentx.evaluation.orders import copeland_scores
from intentx.explainers.plain import (
    json_text,
    number,
    numbers,
    parts_of,
    printed,
    ranking_of,
    spent,
    strings,
    table,
)
from intentx.files import json_object
from intentx.preferences import Pairs, PreferenceMatrices, TermScores, preference_pairs
from intentx.preferences.pairs import EveryPair
from intentx.preferences.simple_rankers import SimpleRanker
from intentx.ranking import Ranking
from intentx.signs import visible
from intentx.text import Analyzer

if TYPE_CHECKING:
    from rich.console import Group

__all__ = ["FORMAT", "IntentExplanation", "TermRole"]

FORMAT = "intentx.intent/1"


@dataclass(frozen=True)
class TermRole:
    """What one term does among the others.

    Attributes
    ----------
    share
        Its share of the coverage (`IntentExplanation.weights`).
    won, lost
        Fitted pairs that are covered with it and not without it, and the other way round.
    documents
        Documents it occurs in.
    """

    term: str
    share: float
    won: int
    lost: int
    documents: int


@dataclass(frozen=True, eq=False)
class IntentExplanation:
    """Intent terms of a ranking.

    Attributes
    ----------
    method
        Name of the method that chose the terms.
    ranking
        What is explained.
    terms
        The words, most useful first.
    weights
        Share of each in the coverage of the fitted pairs: its Shapley value, so that the
        weights sum to `coverage`. A negative share: the term hurts more pairs than it helps.
    matrices
        Scores of the terms in the documents under each simple ranker, the fitted pairs, and the
        scale of each simple ranker.
    coverage
        Share of the fitted pairs that the terms cover.
    bound
        Best coverage any selection could have had; None when it is not known, and when generality
        made another objective of it.
    status
        "optimal", "feasible" or "heuristic": what is known of the terms as a solution of what the
        solver maximised; "given" when none were chosen.
    fidelity
        How far the terms reproduce the ranking.
    analyzer, simple_rankers
        What the terms were found and scored with; the simple rankers are () after a round trip
        through JSON.
    settings
        The settings of the method, as plain data.
    model_calls
        Different texts that the method has the ranker score besides the documents of the ranking, and
        versions of embeddings it is run on. Answers from memory or from a file count like others: the
        number is the same whatever was asked before.
    seconds
        Seconds per stage, their ``"total"``, and the ``"model"``'s part of it.
    notes
        What a reader should know, e.g. a setting that could not be honoured.
    cautions
        Those of the notes that come first wherever the explanation is shown.
    """

    method: str
    ranking: Ranking
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    matrices: PreferenceMatrices = field(repr=False)
    coverage: float
    bound: float | None
    status: str
    fidelity: Fidelity
    analyzer: Analyzer = field(repr=False)
    simple_rankers: tuple[SimpleRanker, ...] = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    model_calls: int
    seconds: Mapping[str, float] = field(repr=False)
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shown = ", ".join(self.terms)
        first = f"CAUTION, {'; '.join(self.cautions)} | " if self.cautions else ""
        return (
            f"<{first}{self.method} for {self.ranking.query!r}: {shown} | "
            f"fidelity {self.fidelity.all:.3f} all, {self.fidelity.far:.3f} far>"
        )

    @cached_property
    def roles(self) -> tuple[TermRole, ...]:
        """What each term does, in the order of `terms`."""
        everything = set(range(len(self.terms)))
        covered = self.matrices.covered(sorted(everything))
        present = [set(self.analyzer.terms(text)) for text in self.ranking.texts]
        roles = []
        for i, term in enumerate(self.terms):
            without = self.matrices.covered(sorted(everything - {i}))
            won, lost = int((covered & ~without).sum()), int((without & ~covered).sum())
            holders = sum(term in terms for terms in present)
            roles.append(TermRole(term, self.weights[i], won, lost, holders))
        return tuple(roles)

    @cached_property
    def document_scores(self) -> npt.NDArray[np.float64]:
        """(N,) the explanation's score of each document: documents it beats minus those that beat it."""
        return copeland_scores(self.matrices, len(self.ranking))

    @cached_property
    def explained_order(self) -> npt.NDArray[np.intp]:
        """(N,) positions of the ranking in the explanation's order, best first.

        For reading: documents that the explanation ties keep the ranker's order, in no measure.
        """
        return np.argsort(-self.document_scores, kind="stable")

    @cached_property
    def lost_pairs(self) -> npt.NDArray[np.intp]:
        """(N,) for each document, the pairs of the ranking it is in that are not covered."""
        every, n = EveryPair(self.ranking.scores), len(self.ranking)
        lost = np.zeros(n, dtype=np.intp)
        for high, low in every.blocks(PAIRS_AT_ONCE):
            wrong = ~self.matrices.on(Pairs(high, low)).covered(range(len(self.terms)))
            lost += np.bincount(np.concatenate([high[wrong], low[wrong]]), minlength=n)
        return lost

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``."""
        matrices = self.matrices
        return {
            "format": FORMAT,
            "method": self.method,
            "query": self.ranking.query,
            "terms": list(self.terms),
            "weights": list(self.weights),
            "ranking": self.ranking.to_dict(),
            "fidelity": self.fidelity.to_dict(),
            "coverage": None if math.isnan(self.coverage) else self.coverage,
            "bound": self.bound,
            "status": self.status,
            "settings": dict(self.settings),
            "model_calls": self.model_calls,
            "seconds": dict(self.seconds),
            "notes": list(self.notes),
            "cautions": list(self.cautions),
            "analyzer": self.analyzer.to_dict(),
            "simple_rankers": list(matrices.scores.rankers),
            "scale": np.asarray(matrices.scale).tolist(),
            "margin": matrices.margin,
            "term_scores": matrices.scores.values.tolist(),
            "pairs": _pairs_to_plain(matrices.pairs, self.ranking),
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON; the same for the same seed and versions, seconds aside."""
        return json_text(self.to_dict(), indent)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> IntentExplanation:
        """The inverse of `to_dict`; the ranker and the simple rankers do not come back.

        Raises
        ------
        InputError
            If the data is of another format or lacks a part.
        """
        with parts_of("explanation", plain, FORMAT):
            ranking = ranking_of(plain)
            terms, weights = strings(plain, "terms"), numbers(plain, "weights")
            rankers = strings(plain, "simple_rankers")
            if len(terms) != len(weights):
                raise InputError(f"{len(terms)} terms have {len(weights)} weights")
            values = np.array(plain["term_scores"], dtype=np.float64)
            matrices = PreferenceMatrices(
                TermScores(values.reshape(len(rankers), len(terms), len(ranking)), terms, rankers),
                _pairs_from_plain(plain["pairs"], ranking),
                np.array(numbers(plain, "scale")),
                number(plain, "margin"),
            )
            return cls(
                method=str(plain["method"]),
                ranking=ranking,
                terms=terms,
                weights=weights,
                matrices=matrices,
                coverage=math.nan if plain["coverage"] is None else number(plain, "coverage"),
                bound=None if plain["bound"] is None else number(plain, "bound"),
                status=str(plain["status"]),
                fidelity=Fidelity.from_dict(plain["fidelity"]),
                analyzer=Analyzer.from_dict(plain["analyzer"]),
                simple_rankers=(),
                settings=table(plain, "settings"),
                model_calls=number(plain, "model_calls"),
                seconds=spent(plain),
                notes=strings(plain, "notes"),
                cautions=strings({"cautions": (), **plain}, "cautions"),
            )

    @classmethod
    def from_json(cls, text: str) -> IntentExplanation:
        """The inverse of `to_json`."""
        return cls.from_dict(json_object(text))

    def __rich__(self) -> Group:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        title = Text(
            visible(f"{self.method} for “{self.ranking.query}”")
        )  # a Text, so that "[b]" is no markup
        table = Table(title=title, title_justify="left")
        table.add_column("intent term")
        for column in ("share", "pairs won", "pairs lost", "documents"):
            table.add_column(column, justify="right")
        for role in self.roles:
            cells = (f"{role.share:.3f}", str(role.won), str(role.lost), str(role.documents))
            table.add_row(Text(visible(role.term)), *cells)
        first = [Text(visible(f"Caution: {caution}"), style="bold") for caution in self.cautions]
        closing = Text(visible(self._closing()), style="dim")
        return Group(*first, table, self.fidelity.__rich__(), closing)

    def _closing(self) -> str:
        n_pairs = self.matrices.n_pairs
        lines = [
            f"{round(self.coverage * n_pairs)} of {n_pairs} fitted pairs covered ({self.status}); "
            f"{self.model_calls} texts scored by the ranker; {self.seconds['total']:.2f} s, "
            f"{self.seconds['model']:.2f} s of them the ranker's"
        ]
        return "\n".join([*lines, *(note for note in self.notes if note not in self.cautions)])

    def text(self, width: int = 100) -> str:
        """The terms and the fidelity as tables of plain text."""
        return printed(self, width)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(role.term)}</td><td>{role.share:.3f}</td>"
            f"<td>{role.won}</td><td>{role.lost}</td><td>{role.documents}</td></tr>"
            for role in self.roles
        )
        first = "".join(f"<p><b>Caution:</b> {html.escape(one)}</p>" for one in self.cautions)
        return first + (
            f"<p><b>{html.escape(self.method)}</b> for “{html.escape(self.ranking.query)}”: fidelity "
            f"{self.fidelity.all:.3f} of all pairs, {self.fidelity.far:.3f} of pairs at least "
            f"{self.fidelity.gap} ranks apart</p><table><tr><th>intent term</th><th>share</th>"
            f"<th>pairs won</th><th>pairs lost</th><th>documents</th></tr>{rows}</table>"
        )


def _pairs_to_plain(pairs: Pairs, ranking: Ranking) -> dict[str, Any]:
    """Pairs as lists, or as the word "all": half a million pairs say no more than that."""
    log_weights = pairs.weight is not None
    as_many = 0 < len(pairs) == len(EveryPair(ranking.scores))
    everything = preference_pairs(ranking, log_weights=log_weights) if as_many else None
    if everything is not None and all(
        np.array_equal(getattr(pairs, part), getattr(everything, part))
        for part in ("high", "low", "weight")
    ):
        return {"strategy": "all", "log_weights": log_weights}
    weight = None if pairs.weight is None else pairs.weight.tolist()
    return {"high": pairs.high.tolist(), "low": pairs.low.tolist(), "weight": weight}


def _pairs_from_plain(plain: Mapping[str, Any], ranking: Ranking) -> Pairs:
    if plain.get("strategy") == "all":
        return preference_pairs(ranking, log_weights=plain.get("log_weights", False))
    return Pairs(plain["high"], plain["low"], plain["weight"])

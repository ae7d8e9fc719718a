"""`IntentExplanation`: the words that explain a ranking, and what is known about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.evaluation.base import Measure
from intentx.evaluation.fidelity import PAIRS_AT_ONCE, Fidelity
from intentx.evaluation.measures import measures_in
from intentx.evaluation.orders import copeland_scores
from intentx.explainers.base import Explanation
from intentx.explainers.plain import (
    number,
    numbers,
    parts_of,
    ranking_of,
    spent,
    strings,
    table,
)
from intentx.explainers.ranking.roles import TermRole
from intentx.explainers.ranking.shown import intent_html, intent_tables
from intentx.explainers.ranking.term_effect import TermEffect, not_asked
from intentx.explainers.ranking.verdict import Verdict
from intentx.preferences import Pairs, PreferenceMatrices, TermScores, preference_pairs
from intentx.preferences.pairs import EveryPair
from intentx.preferences.simple_rankers import SimpleRanker
from intentx.ranking import Ranking
from intentx.text import Analyzer, written_terms

if TYPE_CHECKING:
    from rich.console import Group

__all__ = ["FORMAT", "IntentExplanation", "TermRole"]

FORMAT = "intentx.intent/2"
CLAIMS = {
    "all": "words that the ranker wants",
    "some": "words that the ranker wants, or that go along with its order",
    "none": "words that go along with the ranker’s order",
}
EFFECT_COLUMNS = ("kind", "effect", "low", "high", "places", "tested")


@dataclass(frozen=True, eq=False)
class IntentExplanation(Explanation):
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
    effects
        What the ranker does with each of `terms` (`intentx.effects`); of kind "not asked" where it
        was not asked: the term goes along with the order, and that is all that is known.
    avoids
        Terms among the candidates that the ranker was found to rank lower for, the strongest first.
    judge
        What makes `verdict`; None after a round trip through JSON.
    measures
        What was measured beside `fidelity`, as `with_measures` keeps it.
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
    effects: tuple[TermEffect, ...] = ()
    avoids: tuple[TermEffect, ...] = ()
    judge: Callable[[IntentExplanation], Verdict] | None = field(default=None, repr=False)
    measures: Mapping[str, Measure] = field(default_factory=dict, repr=False)

    FORMAT: ClassVar[str] = FORMAT
    WEIGHTS: ClassVar[str] = "share of the coverage"

    def __post_init__(self) -> None:
        if not self.effects:  # older files lack them
            object.__setattr__(self, "effects", tuple(map(not_asked, self.terms)))

    def __repr__(self) -> str:
        shown = ", ".join(self.words)
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
    def verdict(self) -> Verdict | None:
        """How far the terms can be believed: worked out when it is first asked for, and kept.

        None for an explanation that was loaded without one.
        """
        return None if self.judge is None else self.judge(self)

    @property
    def wanted(self) -> Literal["all", "some", "none"]:
        """How many of the terms the ranker was found to want: none where it was not asked, and where the
        verdict is chance.
        """
        kinds = [one.kind == "wanted" for one in self.effects]
        if not any(kinds) or (self.verdict is not None and self.verdict.level == "chance"):
            return "none"
        return "all" if all(kinds) else "some"

    @property
    def claim(self) -> str:
        """What the terms are, in words."""
        return CLAIMS[self.wanted]

    @property
    def sentence(self) -> str:
        """How far the terms can be believed; "" where there is no `verdict`."""
        return "" if self.verdict is None else self.verdict.sentence

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Each of `terms` as people write it: as in the query, or else as most often in the documents.

        Only where the analyzer stems does this differ from the terms.
        """
        return written_terms(self.terms, self.ranking.query, self.ranking.texts, self.analyzer)

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
            "effects": [one.to_dict() for one in self.effects],
            "avoids": [one.to_dict() for one in self.avoids],
            "verdict": None if self.verdict is None else self.verdict.to_dict(),
            "analyzer": self.analyzer.to_dict(),
            "simple_rankers": list(matrices.scores.rankers),
            "scale": np.asarray(matrices.scale).tolist(),
            "margin": matrices.margin,
            "term_scores": matrices.scores.values.tolist(),
            "pairs": _pairs_to_plain(matrices.pairs, self.ranking),
            **self._measures_to_plain(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> IntentExplanation:
        """The inverse of `to_dict`; the ranker and the simple rankers do not come back.

        Raises
        ------
        InputError
            If the data is of another format or lacks a part.
        """
        with parts_of("explanation", plain, FORMAT) as plain:
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
            found = cls(
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
                effects=_effects_from_plain(plain, "effects"),
                avoids=_effects_from_plain(plain, "avoids"),
                measures=measures_in(plain),
            )
            if plain.get("verdict") is not None:
                found.__dict__["verdict"] = Verdict.from_dict(table(plain, "verdict"))
            return found

    def _columns(self) -> dict[str, Sequence[Any]]:
        verdict = self.verdict
        effects = [one.to_dict() for one in self.effects]
        columns: dict[str, Sequence[Any]] = {
            "term": self.terms,
            "word": self.words,
            "weight": self.weights,
            **{key: [one[key] for one in effects] for key in EFFECT_COLUMNS},
            **{key: [getattr(one, key) for one in self.roles] for key in ("won", "lost", "documents")},
        }
        return columns | ({} if verdict is None else {"stability": verdict.stability})

    def __rich__(self) -> Group:
        return intent_tables(self)

    def _repr_html_(self) -> str:
        return intent_html(self)


def _effects_from_plain(plain: Mapping[str, Any], key: str) -> tuple[TermEffect, ...]:
    return tuple(TermEffect.from_dict(one) for one in plain.get(key, ()))


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

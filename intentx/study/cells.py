"""What is measured in one cell of a study: one ranking, explained by one method."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from intentx.equality import equal_by_values
from intentx.errors import InputError, IntentxError
from intentx.evaluation.axioms import axioms
from intentx.evaluation.faithfulness import ranks_of
from intentx.evaluation.fidelity import judge
from intentx.evaluation.heldout import heldout_fidelity
from intentx.evaluation.insertion import insertion
from intentx.evaluation.known import intent_metrics
from intentx.evaluation.metrics import METRICS
from intentx.evaluation.published import published_by_votes
from intentx.evaluation.stability import agreement
from intentx.perturbation import EditedDocuments, remove_terms, score_edits
from intentx.preferences import preference_pairs
from intentx.preferences.pairs import EveryPair
from intentx.ranking import Ranking
from intentx.study.changes import changes
from intentx.study.plan import Measures
from intentx.text import Analyzer

__all__ = ["PARTS", "Cell", "Explained", "deletion", "measure"]


@equal_by_values
@dataclasses.dataclass(frozen=True)
class Cell:
    """The intent terms as written, the metrics that are defined, and seconds; or why there are none."""

    terms: tuple[str, ...]
    metrics: dict[str, float]
    seconds: dict[str, float]
    reason: str = ""


class Explained(NamedTuple):
    """What metrics are measured of: an explanation, where it comes from, and what is asked for.

    Attributes
    ----------
    tolerance
        Of the ranker's scores, where the published rule is asked for; None: the median difference.
    """

    method: Any
    explanation: Any
    ranking: Ranking
    measures: Measures
    tolerance: float | None = None


def measure(
    method: Any,
    ranking: Ranking,
    measures: Measures,
    tolerance: float | None = None,
    explanation: Any = None,
) -> Cell:
    """Explain a ranking, and measure the explanation.

    A method that cannot explain the ranking gives a cell with the reason; so does a ranker that fails.

    Parameters
    ----------
    tolerance
        Of the ranker's scores, where the published rule is asked for; None: the median difference.
    explanation
        The ranking explained by the method, where that was done already; its seconds then are no part
        of the cell's.
    """
    box = ranking.scorer
    model = box.seconds if box else 0.0
    started = time.perf_counter()
    metrics: dict[str, float] = {}
    try:
        explanation = method.explain(ranking) if explanation is None else explanation
        for part in PARTS:
            metrics |= part(Explained(method, explanation, ranking, measures, tolerance))
    except IntentxError as error:
        return Cell((), {}, {}, str(error))
    spent = (box.seconds if box else 0.0) - model
    total = time.perf_counter() - started
    return Cell(
        explanation.words,
        {name: float(metrics[name]) for name in METRICS if not math.isnan(metrics.get(name, math.nan))},
        {"model": spent, "ours": total - spent, "explain": explanation.seconds["total"]},
    )


def _fidelities(of: Explained) -> dict[str, float]:
    explanation, ranking, measures = of.explanation, of.ranking, of.measures
    fidelity = judge(ranking, explanation.matrices, explanation.matrices.pairs, gap=measures.gap)
    drawn = preference_pairs(ranking, "random", m=measures.sampled, seed=measures.seed)
    sampled = judge(ranking, explanation.matrices, drawn, gap=measures.gap)
    metrics = {
        "all": fidelity.all,
        "far": fidelity.far,
        "sampled": sampled.fitted,
        "tau": fidelity.tau,
    }
    if measures.published:
        counted = published_by_votes(explanation, (1, 2), of.tolerance, fitted=drawn)
        metrics["utility"] = counted[0].fitted
        for one in counted:
            metrics |= {f"vote{one.vote}_all": one.all, f"vote{one.vote}_gap": one.gap}
    return metrics


def _out_of_sample(of: Explained) -> dict[str, float]:
    """Fidelity on pairs and on documents that a method has not seen."""
    method, ranking, measures = of.method, of.ranking, of.measures
    metrics: dict[str, float] = {}
    if measures.heldout and len(ranking) >= 4:
        metrics["heldout_documents"] = heldout_fidelity(
            method, ranking, repeats=measures.heldout, seed=measures.seed
        ).mean
    fits_pairs = {"pairs", "m"} <= {field.name for field in dataclasses.fields(method)}
    number = len(EveryPair(ranking.scores)) // 2
    if measures.heldout_pairs and fits_pairs and number:
        half = dataclasses.replace(method, pairs="random", m=number)
        metrics["heldout_pairs"] = half.explain(ranking).fidelity.heldout
    return metrics


def _stability(of: Explained) -> dict[str, float]:
    """Jaccard of the terms over seeds, of which the explanation at hand has the first."""
    method, seeds = of.method, of.measures.stability
    if not seeds or not hasattr(method, "seed"):  # of another package: nothing in it is drawn
        return {}
    others = [dataclasses.replace(method, seed=method.seed + number) for number in range(1, seeds)]
    found = [of.explanation, *(other.explain(of.explanation.ranking) for other in others)]
    return {"stability": agreement(found).jaccard}


def _edits(of: Explained) -> dict[str, float]:
    """What the terms do in documents, where there is a ranker to ask."""
    terms, ranking, measures = of.explanation.terms, of.ranking, of.measures
    if ranking.scorer is None or not measures.faithfulness:
        return {}
    raised = insertion(terms, ranking, draws=3, seed=measures.seed)
    lost, at_random = deletion(terms, ranking, measures, of.explanation.analyzer)
    return {
        "deletion": lost,
        "random_deletion": at_random,
        "insertion": raised.rises,
        "random_insertion": raised.random_rises,
    }


def deletion(
    terms: Sequence[str], ranking: Ranking, measures: Measures, analyzer: Analyzer
) -> tuple[float, float]:
    """Mean ranks that the first documents lose without the terms, and without as many random words."""
    generator = np.random.default_rng(measures.seed)
    places = range(min(measures.faithfulness, len(ranking)))
    texts: list[str] = []
    for place in places:
        text = ranking.texts[place]
        held = analyzer.terms(text)
        gone = [term for term in terms if term in held]
        drawn = generator.permutation(len(held))[: len(gone)].tolist()
        texts.append(remove_terms(text, gone, analyzer))
        texts.append(remove_terms(text, [held[i] for i in drawn], analyzer))
    source = np.repeat(np.array(places, dtype=np.intp), 2)
    scores = score_edits(ranking, EditedDocuments(tuple(texts), source), "deletion")
    falls = np.array(
        [ranks_of(scores[[i]], ranking, place)[0] - place for i, place in enumerate(source.tolist())]
    )
    return float(falls[::2].mean()), float(falls[1::2].mean())


def _axioms(of: Explained) -> dict[str, float]:
    """What a vote of retrieval axioms reproduces of the same order: a baseline without any words."""
    if not of.measures.axioms:
        return {}
    found = axioms(of.ranking, analyzer=getattr(of.explanation, "analyzer", None), seed=of.measures.seed)
    return {"axioms": found.fitted, "axioms_heldout": found.heldout}


def _changes(of: Explained) -> dict[str, float]:
    """How soon the first documents fall without the terms, beside the smallest change there is."""
    if of.ranking.scorer is None or not of.measures.changes:
        return {}
    explanation, measures = of.explanation, of.measures
    found = changes(of.ranking, explanation.terms, explanation.analyzer, measures.changes, measures.seed)
    return {
        "change_success": found.reached,
        "change_size": found.size,
        "random_change_success": found.random_reached,
        "smallest_success": found.smallest_reached,
        "smallest_size": found.smallest_size,
    }


def _known(of: Explained) -> dict[str, float]:
    """How far the terms are what the ranker looks for, where it says so."""
    known = intent_metrics(of.explanation, of.ranking)
    if known is None:
        return {}
    return {
        "intent_precision": known.precision,
        "intent_recall": known.recall,
        "intent_ap": known.average_precision,
    }


def _shuffled(of: Explained) -> dict[str, float]:
    """What the method finds in a random order of the same documents, where nothing is to be found.

    The order is a recorded one: methods that ask the ranker have no metric.
    """
    method, ranking, measures = of.method, of.ranking, of.measures
    if not measures.shuffled:
        return {}
    shuffled = ranking.shuffled(np.random.default_rng(measures.seed))
    try:
        fitted = method.explain(shuffled).fidelity.all
        held = heldout_fidelity(method, shuffled, repeats=1, seed=measures.seed)
    except InputError:
        return {}
    return {"shuffled_all": fitted, "shuffled_heldout_documents": held.mean}


def _sizes(of: Explained) -> dict[str, float]:
    """How many terms there are, and what they have cost."""
    return {"terms": len(of.explanation.terms), "model_calls": of.explanation.model_calls}


# Each measures some of `METRICS`: a new metric is a line there, and a function here.
PARTS: tuple[Callable[[Explained], Mapping[str, float]], ...] = (
    _fidelities,
    _out_of_sample,
    _edits,
    _axioms,
    _changes,
    _known,
    _stability,
    _shuffled,
    _sizes,
)

"""`verdict`: how far any explanation can be believed."""

from __future__ import annotations

from typing import overload

from intentx.errors import InputError
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.verdict import DocumentVerdict, document_verdict
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.judged import FeatureVerdict
from intentx.explainers.features.verdict import feature_verdict
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.verdict import Verdict

__all__ = ["verdict"]


@overload
def verdict(explanation: IntentExplanation) -> Verdict: ...
@overload
def verdict(explanation: DocumentExplanation) -> DocumentVerdict: ...
@overload
def verdict(explanation: FeatureExplanation) -> FeatureVerdict: ...
def verdict(
    explanation: IntentExplanation | DocumentExplanation | FeatureExplanation,
) -> Verdict | DocumentVerdict | FeatureVerdict:
    """How far an explanation can be believed; kept as ``explanation.verdict``.

    Of one document it is worked out again, which asks the ranker for some more texts. Of features it is
    worked out the first time, which tries the method on parts of the documents. An explanation
    that was loaded from JSON has the verdict that it was saved with.

    Raises
    ------
    InputError
        If the explanation was loaded from JSON, and has none; of one document also if its ranking is a
        recorded one, or it has no word.
    ScorerError
        If the ranker fails on a version of the document.

    Examples
    --------
    >>> import intentx as ix
    >>> score = lambda query, texts: [t.count("piano") - 0.5 * t.count("cable") for t in texts]
    >>> docs = ["a stage piano with keys, pedals and a cable", "desk", "cable", "piano stool"]
    >>> found = ix.KernelSHAP().explain(ix.rank(score, "keyboard", docs), 1)
    >>> ix.verdict(found).level
    'holds'
    """
    if isinstance(explanation, DocumentExplanation) and explanation.ranking.scorer is not None:
        found = document_verdict(explanation)
        explanation.__dict__["_judged"] = found, ""
        return found
    if (
        isinstance(explanation, FeatureExplanation)
        and explanation.verdict is None
        and "_method" in vars(explanation)
    ):
        explanation.__dict__["_verdict"] = feature_verdict(explanation, vars(explanation)["_method"])
    kept = explanation.verdict
    if kept is None and hasattr(explanation, "agreement"):
        raise InputError(
            f"{explanation.method} has no verdict; its agreement says what its order is held against: "
            "explanation.agreement"
        )
    if kept is None:
        raise InputError(
            "an explanation loaded from JSON keeps the verdict that it was saved with, and this one has "
            "none: explain the ranking again"
        )
    return kept

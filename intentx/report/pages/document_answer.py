"""The answer at the head of a document's page: which words speak for it, and how far to believe it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.shown import verdict_of
from intentx.explainers.inside.attention_explanation import AttentionExplanation
from intentx.explainers.inside.token_pairs_explanation import TokenPairsExplanation
from intentx.markup import Html, count, join, listing, missed, real, tag
from intentx.report.pages.explained_document import NOTABLE, DocumentView
from intentx.report.pages.measures import measured
from intentx.report.pages.token_pairs import pairs_add_up

__all__ = ["answer", "other_document"]

NAMED_FOR, NAMED_AGAINST = 5, 3  # words of the answer


def other_document(explanation: DocumentExplanation) -> Html:
    """The document that it is compared with, by its id and rank."""
    above = explanation.above or 0
    return join([tag("bdi", explanation.ranking.doc_ids[above]), f" (rank {count(above + 1)})"])


def answer(view: DocumentView, alone: bool) -> Html:
    """Which words speak for the document's place and which against, and how far to believe it."""
    name = join([tag("strong", tag("bdi", view.label)), ": "]) if not alone else Html("")
    explanation = view.explanation
    verdict = explanation.verdict
    first = [tag("strong", f"Caution: {one}. ") for one in explanation.cautions]
    first.append(tag("strong", verdict_of(explanation), class_=verdict.level if verdict else "none"))
    said = tag("p", name, *first, " ", _sentence(view), " ", _belief(explanation), class_="answer")
    return join([said, *measured(explanation)])


def _sentence(view: DocumentView) -> Html:
    """What the weights say: as a fact only where it may be more than chance."""
    verdict = view.explanation.verdict
    if verdict is not None and verdict.level == "chance" and view.largest:
        words = [tag("b", view.term(term)) for term in view.explanation.terms[:NAMED_FOR]]
        some = [word for word, weight in zip(words, view.explanation.weights, strict=False) if weight]
        return join(["The largest weights are those of ", listing(some), "."])
    return _speaking(view)


def _speaking(view: DocumentView) -> Html:
    explanation = view.explanation
    notable = [(t, w) for t, w in view.of_term.items() if w and abs(w) >= NOTABLE * view.largest]
    pro = [tag("b", view.term(term)) for term, weight in notable if weight > 0][:NAMED_FOR]
    contra = [tag("b", view.term(term)) for term, weight in notable if weight < 0][:NAMED_AGAINST]
    if not notable and isinstance(explanation, AttentionExplanation):
        return Html("The model attends to no word of the document.")
    if not notable:
        rest = "".join(f" What no word carries is {view.rest(weight)}." for _, weight in view.others)
        return Html(f"No word makes a difference.{rest}")
    if isinstance(explanation, AttentionExplanation):
        return join(
            [
                "The model attends most to ",
                listing(pro),
                ". Whether they matter, attention does not say.",
            ]
        )
    if view.signless:
        return join(["Its score depends most on ", listing(pro), ", whichever way."])
    above = [" above ", other_document(explanation)] if explanation.above is not None else []
    if not pro:
        return join([_speak(contra), " against its place", *above, ", no word notably for it."])
    if view.one_sided:
        return join([_speak(pro), " for its place; the method does not see what speaks against it."])
    against = [listing(contra) if contra else "no word notably", " against it."]
    return join([_speak(pro), " for its place", *above, ", ", *against])


def _speak(words: Sequence[Html]) -> Html:
    return join([listing(words), " speaks" if len(words) == 1 else " speak"])


def _belief(explanation: DocumentExplanation) -> Html:
    """How well the weights account for what the ranker does, as far as the method tells."""
    metrics, lines = explanation.metrics, []
    if metrics.get("exact"):
        lines.append(
            "The weights are exact Shapley values: they add up to what the words change, "
            f"{real(metrics['full'] - metrics['empty'])}."
        )
    elif not math.isnan(fit := metrics.get("fit", math.nan)):
        lines.append(f"A model of these weights fits the ranker’s answers by {real(fit)} (at best 1).")
    if isinstance(explanation, TokenPairsExplanation):
        lines.append(pairs_add_up(explanation))
    elif "relative_gap" in metrics:
        pair = "other_score" in metrics
        difference = real(metrics["score"] - metrics["other_score" if pair else "reference"])
        whole = f"difference of {difference} " + ("between the two" if pair else "from the reference")
        gap, rest = (
            metrics["relative_gap"],
            explanation.wordless,
        )  # not told by every method, nor old files
        told = pair and not math.isnan(rest)
        carried = f", {real(rest)} of which no word carries (the rest)" if told else ""
        lines.append(
            "There was no difference to explain: the scores are equal."
            if math.isnan(gap)
            else f"All attributions add up to the {whole}{carried}, but for {missed(gap)}."
        )
    lines.append(
        f"That took the ranker’s scores of {count(explanation.model_calls, 'version')} of it."
        if explanation.model_calls
        else "That took no score besides those of the ranking."
    )
    return join(lines, " ")

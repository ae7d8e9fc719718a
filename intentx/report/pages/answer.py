"""The head of the page: the answer in a sentence, and how several answers differ."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from intentx.evaluation.statistics import kendall_tau_b
from intentx.explainers.change.equivalent_explanation import EquivalentQueryExplanation
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.markup import Html, count, join, listing, percent, real, tag
from intentx.ranking import Ranking
from intentx.report.pages.explained_ranking import Senses, View
from intentx.report.pages.measures import measured
from intentx.signs import visible

__all__ = ["answer", "comparison", "sense_tops"]

FIRST = 10  # documents whose senses are shown


def answer(view: View) -> Html:
    """The intent terms, how far they can be believed, and what else was measured."""
    return join([*_query(view.explanation), _answer(view), *measured(view.explanation)])


def _query(explanation: IntentExplanation) -> list[Html]:
    """Of an equivalent query: how far its order is like the ranker's, and the query to paste."""
    if not isinstance(explanation, EquivalentQueryExplanation):
        return []
    found = explanation.agreement
    said = [] if found is None else [tag("p", tag("strong", found.sentence), class_="answer")]
    code = tag("code", tag("bdi", visible(explanation.to_lucene())))
    return [*said, tag("p", "As a query of Lucene: ", code)]


def _answer(view: View) -> Html:
    explanation = view.explanation
    verdict = explanation.verdict
    terms = [tag("b", view.term(i)) for i in range(len(explanation.terms))]
    before, after = _said(explanation)
    return tag(
        "p",
        *(tag("strong", f"Caution: {one}. ") for one in explanation.cautions),
        tag("strong", verdict.sentence, class_=verdict.level) if verdict is not None else "",
        " ",
        before,
        tag("strong", tag("bdi", view.label)),
        after,
        tag("bdi", explanation.ranking.query),
        "”: ",
        join(terms, ", ") if terms else "nothing that a word expresses",
        ". ",
        _belief(view),
        class_="answer",
    )


def _said(explanation: IntentExplanation) -> tuple[str, str]:
    """What is said before and after the name of the ranker."""
    return {
        "all": ("", " wants these words for “"),
        "some": ("Words that ", " wants, or that go along with its order, for “"),
        "none": ("Words that go along with the order of ", " for “"),
    }[explanation.wanted]


def _belief(view: View) -> Html:
    fidelity = view.explanation.fidelity
    pairs = {row.name: row for row in fidelity.rows}
    if math.isnan(fidelity.all):
        reason = pairs["all"].reason if "all" in pairs else "no reason is given"
        return join([f"How far they reproduce its order could not be measured: {reason}."])
    number = f" {count(pairs['all'].pairs)}" if "all" in pairs else ""
    shares = [f"{percent(fidelity.all)} of its{number} preferences"]
    if not math.isnan(fidelity.far):
        shares.append(f"{percent(fidelity.far)} of those at least {count(fidelity.gap, 'rank')} apart")
    if not math.isnan(fidelity.heldout):
        shares.append(f"{percent(fidelity.heldout)} of the held-out ones, on which they were not chosen")
    verb = "This word reproduces" if len(view.explanation.terms) == 1 else "These words reproduce"
    return join([f"{verb} ", listing(shares), "."])


def comparison(views: Sequence[View]) -> Html:
    """What each explanation has that the others have not, and how far the rankings agree."""
    if len(views) < 2:
        return Html("")
    lines = []
    held = [set(view.explanation.terms) for view in views]
    for i, view in enumerate(views):
        others = set().union(*(terms for j, terms in enumerate(held) if j != i))
        own = [view.term(n) for n, term in enumerate(view.explanation.terms) if term not in others]
        name = tag("strong", tag("bdi", view.label))
        lines.append(tag("li", "Only ", name, ": ", join(own, ", ") if own else "no word"))
    common = set.intersection(*held)
    shared = [views[0].term(n) for n, term in enumerate(views[0].explanation.terms) if term in common]
    everyone = "Both" if len(views) == 2 else "All"
    lines.append(tag("li", f"{everyone}: ", join(shared, ", ") if shared else "no word"))
    lines += [tag("li", _agreement(one, other)) for one, other in combinations(views, 2)]
    return tag("div", tag("h2", "Where they differ"), tag("ul", *lines), class_="comparison")


def _agreement(one: View, other: View) -> Html:
    """Kendall's tau-b of two rankings over the documents that both have."""
    first, second = (_scores(view.explanation.ranking) for view in (one, other))
    both = [doc_id for doc_id in first if doc_id in second]
    names = listing([tag("bdi", one.label), tag("bdi", other.label)])
    if len(both) < 2:
        return join([names, f" rank {count(len(both), 'document')} in common: too few to compare."])
    tau = kendall_tau_b(np.array([first[i] for i in both]), np.array([second[i] for i in both]))
    if math.isnan(tau):
        return join([names, ": their agreement is undefined, for one scores all documents the same."])
    shared = "" if len(both) == len(first) == len(second) else " that both rank"
    text = (
        f": Kendall’s τ-b {real(tau, 2)} between their orders of the {count(len(both), 'document')}"
        f"{shared} (1: the same order, 0: unrelated, −1: reversed)."
    )
    return join([names, text])


def _scores(ranking: Ranking) -> dict[str, float]:
    return dict(zip(ranking.doc_ids, ranking.scores.tolist(), strict=True))


def sense_tops(views: Sequence[View], senses: Senses) -> Html:
    """The senses of each ranker's first documents, in order and counted."""
    if not senses.labels:
        return Html("")
    head = tag(
        "tr", *(tag("th", text) for text in ("", f"first {FIRST}, in order", "top 5", f"top {FIRST}"))
    )
    rows = [_top_row(view, senses) for view in views]
    return tag(
        "div",
        tag("h2", "Which sense comes first"),
        tag("div", tag("table", head, *rows), class_="scroll"),
        senses.legend(),
        class_="senses",
    )


def _top_row(view: View, senses: Senses) -> Html:
    ids = view.explanation.ranking.doc_ids
    cells = [tag("td", _tally(ids[:top], senses)) for top in (5, FIRST)]
    name = tag("th", tag("bdi", view.label), scope="row")
    return tag("tr", name, tag("td", senses.strip(ids[:FIRST])), *cells)


def _tally(doc_ids: Sequence[str], senses: Senses) -> Html:
    times = Counter(senses.of[i] for i in doc_ids if i in senses.of)
    parts = [join([f"{times[label]} ", tag("bdi", label)]) for label in senses.labels if times[label]]
    without = len(doc_ids) - times.total()
    if without:
        parts.append(Html(f"{without} without"))
    return join(parts, ", ")

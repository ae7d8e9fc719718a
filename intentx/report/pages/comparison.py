"""One self-contained HTML page that compares rankers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

import intentx
from intentx.comparison.biases import Bias, RankerBiases
from intentx.comparison.disagreements import PROPERTIES
from intentx.comparison.preferred import OTHERS, Disagreement
from intentx.comparison.results import Comparison, QueryComparison
from intentx.errors import InputError
from intentx.evaluation.metrics import AGREEMENT, METRICS
from intentx.markup import Html, count, join, listing, percent, real, tag
from intentx.report.pages.axioms import compared_axioms
from intentx.report.pages.compared_edits import edits_section
from intentx.report.pages.comparison_head import (
    compared_rankers,
    comparison_header,
    named,
    other_rankers,
)
from intentx.report.pages.comparison_pair import PAIR, pairs_section
from intentx.report.pages.layout import html_page, writable, write_file
from intentx.report.pages.sections import settings_table
from intentx.report.pages.tables import bar, table
from intentx.report.tables.comparison import p_value, too_little
from intentx.text.letters import is_telling

__all__ = ["comparison_page", "write_comparison"]

OPEN = 3  # so many queries are shown unfolded
FIRST = 10  # documents of each ranking
MOVED = 8  # documents that are ranked most differently
BEGIN = 110  # characters of a document
NAMED = 3  # terms of either side in the line of a query
FOLDED = 40  # terms that do not stand out, to be unfolded

_SECTIONS = (
    ("agreement", "How far they agree"),
    ("biases", "What a ranker consistently prefers"),
    ("queries", "Query by query"),
    ("made", "How it was made"),
)


def comparison_page(comparison: Comparison, *, title: str = "") -> str:
    """A page with what holds over all queries, and each query to be unfolded.

    It has no scripts and makes no requests; it is the same for the same comparison. Without ``title``
    it is named after the rankers.

    Raises
    ------
    InputError
        If there is no query.
    """
    if not comparison.queries:
        raise InputError("a page needs at least one query")
    names = list(comparison.rankers)
    sections: tuple[tuple[str, str], ...] = _SECTIONS
    if any(query.pair is not None for query in comparison.queries):
        sections = (("pair", PAIR), *_SECTIONS)
    parts = {
        "pair": pairs_section(comparison),
        "agreement": _agreement(comparison),
        "biases": _biases(comparison),
        "queries": _queries(comparison),
        "made": _made(comparison),
    }
    shown = (
        tag("section", tag("h2", heading), parts[anchor], id=anchor) for anchor, heading in sections
    )
    return html_page(
        title or f"{', '.join(names)}, compared by intentx",
        comparison_header(comparison, title, sections),
        tag("main", *shown),
    )


def write_comparison(path: str | Path, comparison: Comparison, *, title: str = "") -> Path:
    """Write `comparison_page` to a file and return its path.

    Raises
    ------
    InputError
        As `comparison_page`, and if the file cannot be written.
    """
    path = writable(path)
    return write_file(path, comparison_page(comparison, title=title).encode("utf-8"))


def _agreement(comparison: Comparison) -> Html:
    rows = []
    for one, other in combinations(comparison.rankers, 2):
        mean, number = comparison.mean_agreement(one, other)
        metrics = (real(mean.tau, 2), real(mean.rbo, 2), percent(mean.first_ten), percent(mean.jaccard))
        head = tag("th", join([named(one), " and ", named(other)]), scope="row")
        cells = (tag("td", text, class_="n") for text in (*metrics, count(number)))
        rows.append(tag("tr", head, *cells))
    columns = ("orders of", *(metric.title for metric in AGREEMENT.values()), "queries")
    crossed = [
        tag("tr", tag("th", named(one), scope="row"), *(
            _share(comparison.mean_cross(one, other), own=one == other) for other in comparison.rankers
        ))
        for one in comparison.rankers
    ]  # fmt: skip
    return join(
        [
            tag("p", "Means over queries. τ-b and RBO (p = 0.9): 1 is the same order; same terms: of "
                "both explanations, those that are in each.", class_="note"),
            table(columns, rows, "agreements"),
            tag("h4", "Whose terms reproduce whose order"),
            tag("p", "How many preferences of a ranker (column) the terms that explain a ranker (row) "
                "reproduce.", class_="note"),
            table(("terms of", *comparison.rankers), crossed, "cross"),
            *compared_axioms(comparison),
        ]
    )  # fmt: skip


def _share(value: float, own: bool) -> Html:
    width = "0%" if math.isnan(value) else f"{100 * value:.1f}%"
    text = tag("b", percent(value)) if own else percent(value)
    return tag("td", text, class_="share", style=f"--p:{width}")


def _biases(comparison: Comparison) -> Html:
    intro = (
        "Of the pairs of documents that two rankers order differently: the share in which the one "
        "that the ranker prefers holds more of something, minus the share in which it holds less. "
        "Blue: the ranker prefers it; orange: the others do. Averaged over queries, with a 95 % "
        "interval; p by random signs of the queries, adjusted for all that was tested. Two orders "
        "cannot tell whether one ranker prefers something more or the other prefers it less, and a "
        "ranker may prefer documents with a word that it does not look for."
    )
    found = compared_rankers(comparison)
    widest = (
        max((abs(b.net) for one in found for b in (*one.terms, *one.properties)), default=0.0) or 1.0
    )
    parts = [_of_ranker(biases, comparison, widest) for biases in found]
    return join([tag("p", intro, class_="note"), *parts])


def _of_ranker(biases: RankerBiases, comparison: Comparison, widest: float) -> Html:
    against = listing(map(named, other_rankers(comparison, biases.ranker)))
    heading = tag("h3", tag("strong", named(biases.ranker)), " against ", against)
    number = (
        f"{count(biases.queries, 'query', 'queries')}, {count(biases.pairs, 'pair')} in different "
        f"order, {count(biases.tested, 'term')} tested."
    )
    reason = f" No term tested: {biases.reason}." if biases.reason else ""
    weak = f" {too_little(biases).capitalize()}." if len(biases.headline) < len(biases.held) else ""
    note = tag("p", number, reason, weak, class_="note")
    terms = [bias for bias in biases.terms if bias.holds]
    rest = sorted((b for b in biases.terms if not b.holds), key=lambda bias: -abs(bias.net))[:FOLDED]
    none = tag("p", "No term stands out by itself.") if biases.tested else ""
    return tag(
        "div",
        heading,
        note,
        tag("h4", "Terms"),
        _bias_table(terms, widest) if terms else none,
        tag("details", tag("summary", "Terms that do not stand out"), _bias_table(rest, widest))
        if rest
        else "",
        tag("h4", "Properties of documents"),
        _bias_table(biases.properties, widest),
        class_="ranker",
    )


def _bias_table(biases: Sequence[Bias], widest: float) -> Html:
    """Bars on one scale for the whole page, 0 in the middle."""
    rows = []
    for bias in biases:
        name = Html(PROPERTIES[bias.name]) if bias.kind == "property" else named(bias.name)
        follows = bias.stands_out and not bias.holds
        verdict = "follows from stronger ones" if follows else ""
        interval = "–" if math.isnan(bias.low) else f"{real(bias.low, 2)} to {real(bias.high, 2)}"
        metrics = (
            interval,
            f"{percent(bias.more)} / {percent(bias.less)}",
            count(bias.queries),
            p_value(bias.adjusted_p),
        )
        rows.append(
            tag(
                "tr",
                tag("th", name, tag("small", verdict) if verdict else "", scope="row"),
                tag("td", bar(bias.net, -widest, 2 * widest, real(bias.net, 2)), class_="bar"),
                *(tag("td", metric, class_="n") for metric in metrics),
            )
        )
    columns = ("", "net share", "95 %", "more / less", "queries", "adjusted p")
    return table(columns, rows, "signed bias")


def _queries(comparison: Comparison) -> Html:
    first, *rest = comparison.rankers
    other = named(rest[0]) if len(rest) == 1 else "the others"
    parts = [
        join(
            [
                "In the lines: + what ",
                named(first),
                " prefers and not ",
                other,
                ", − the other way round.",
            ]
        ),
        "Bars: the share of the pairs ordered differently that a term tells apart.",
        "Held out: of pairs among documents that the terms were not chosen on; one half is chance.",
    ]
    intro = join(parts, " ")
    opened = len(comparison.queries) <= OPEN
    details = (
        tag(
            "details",
            _summary(query),
            _body(query),
            id=f"q{n}",
            class_="query",
            open="" if opened else None,
        )
        for n, query in enumerate(comparison.queries, start=1)
    )
    return join([tag("p", intro, class_="note"), *details])


def _summary(query: QueryComparison) -> Html:
    """The query, and what the first ranker prefers and does not."""
    said: list[Html | str] = [tag("b", named(query.query)), " "]
    if not query.agreements:
        return tag("summary", *said, tag("small", "not compared"))
    tau = f"τ-b {real(query.agreements[0].tau, 2)}" if len(query.agreements) == 1 else ""
    said.append(tag("small", tau, " · some failed" if query.failed else ""))
    names = list(query.intents)
    one = query.disagreement(names[0], names[1] if len(names) == 2 else OTHERS)
    if not one.believable:
        said.append(tag("small", " · no terms clearly above chance"))
        return tag("summary", *said)
    for sign, style, side in (("+", "for", one.for_first), ("−", "against", one.for_second)):
        telling = [term for term in side.terms if is_telling(term)][:NAMED]
        said += [tag("span", sign, named(term), class_=f"term {style}") for term in telling]
    return tag("summary", *said)


def _body(query: QueryComparison) -> Html:
    parts: list[Html] = [
        tag("p", named(name), ": " if name else "", reason, class_="failed")
        for name, reason in query.failed.items()
    ]
    if not query.intents:
        return join(parts)
    left = [join([count(n), " of ", named(r)]) for r, n in query.left_out.items() if n]
    note = f"{count(len(query.documents), 'document')} that all rank"
    parts.append(
        tag("p", note, join(["; left out: ", listing(left)]) if left else "", ".", class_="note")
    )
    parts.append(_intents(query))
    parts.append(tag("div", *(_contrast(one) for one in query.disagreements), class_="columns"))
    parts += edits_section(query.edits)
    columns = (tag("div", _first(query, ranker)) for ranker in query.intents)
    parts += [tag("h4", "The first documents"), tag("div", *columns, class_="columns")]
    if len(query.intents) > 1:
        parts += [tag("h4", "Ranked most differently"), _moved(query)]
    return join(parts)


def _intents(query: QueryComparison) -> Html:
    """The terms of each ranker with how far they, and those of the others, reproduce its order."""
    held = [set(intent.terms) for intent in query.intents.values()]
    rows = []
    for name, intent in query.intents.items():
        terms = [
            tag(
                "b" if sum(term in one for one in held) == 1 else "span",
                named(term),
                "" if wanted else "*",
            )
            for term, wanted in zip(intent.terms, intent.wanted, strict=True)
        ]
        crossed = (
            query.cross.get(other, {}).get(name, math.nan) for other in query.intents if other != name
        )
        shares = (intent.all, intent.far, *crossed)
        cells = (
            tag("td", percent(share), class_="n") for share in shares[: 2 + (len(query.intents) == 2)]
        )
        words = tag("td", join(terms, ", ") if terms else "nothing that a word expresses")
        rows.append(tag("tr", tag("th", named(name), scope="row"), words, *cells))
    other = ("by the other’s terms",) if len(query.intents) == 2 else ()
    return table(
        (
            "",
            "terms that it wants (bold: it alone; *: go along with its order)",
            METRICS["all"].title,
            METRICS["far"].title,
            *other,
        ),
        rows,
        "intents",
    )


def _contrast(one: Disagreement) -> Html:
    other = Html("all others do") if one.second == OTHERS else join([named(one.second), " does"])
    heading = tag("h4", "What ", named(one.first), " prefers and ", other, " not")
    number = f"{count(one.pairs, 'pair')} of {count(one.of)} in different order"
    if one.reason:
        return tag("div", heading, tag("p", f"{number}: {one.reason}.", class_="note"))
    signed = [*zip(one.for_first.terms, one.for_first.shares, strict=True)]
    signed += [
        (term, -share) for term, share in zip(one.for_second.terms, one.for_second.shares, strict=True)
    ]
    low = min(0.0, *(share for _, share in signed))
    span = (max(0.0, *(share for _, share in signed)) - low) or 1.0
    rows = [
        tag("tr", tag("th", named(term), scope="row"),
            tag("td", bar(share, low, span, real(share, 2)), class_="bar"))
        for term, share in signed
    ]  # fmt: skip
    held = (
        "held out: too few pairs"
        if math.isnan(one.heldout)
        else f"held out {percent(one.heldout)}"
        + ("" if one.believable else " – not clearly above chance: do not rely on them")
    )
    note = f"{number}. These terms tell apart {percent(one.covered)} of them; {held}."
    return tag("div", heading, tag("p", note, class_="note"), table(("", ""), rows, "signed"))


def _ranks(query: QueryComparison) -> dict[str, dict[str, int]]:
    return {
        name: {doc: i for i, doc in enumerate(intent.doc_ids, start=1)}
        for name, intent in query.intents.items()
    }


def _first(query: QueryComparison, ranker: str) -> Html:
    """The first documents of one ranking, with their ranks in the others behind them."""
    ranks = _ranks(query)
    items = []
    for doc in query.intents[ranker].doc_ids[:FIRST]:
        places = join(
            [join([named(other), f" {ranks[other][doc]}"]) for other in ranks if other != ranker],
            " · ",
        )
        text = tag("span", query.documents[doc][:BEGIN].strip() or "(empty)", dir="auto", class_="begin")
        items.append(tag("li", tag("span", named(doc), class_="id"), " ", tag("small", places), text))
    return join([tag("h5", named(ranker)), tag("ol", *items, class_="first")])


def _moved(query: QueryComparison) -> Html:
    ranks = _ranks(query)
    table_of = np.array([[ranks[name][doc] for name in query.intents] for doc in query.documents])
    spread = table_of.max(axis=1) - table_of.min(axis=1)
    docs = list(query.documents)
    rows = []
    for i in np.argsort(-spread, kind="stable")[:MOVED].tolist():
        if not spread[i]:
            break
        cells = (tag("td", count(rank), class_="n") for rank in table_of[i].tolist())
        text = tag("span", query.documents[docs[i]][:BEGIN].strip() or "(empty)", dir="auto")
        head = tag("th", named(docs[i]), scope="row")
        rows.append(tag("tr", head, *cells, tag("td", text, class_="begin")))
    return table(("document", *query.intents, "begins"), rows, "moved")


def _made(comparison: Comparison) -> Html:
    facts = [(f"ranker {name}", spec) for name, spec in comparison.rankers.items()]
    facts += [("explained by", comparison.method), ("intentx", intentx.__version__)]
    listed = (join([tag("dt", named(name)), tag("dd", text, dir="auto")]) for name, text in facts)
    return join([tag("dl", *listed), settings_table(comparison.settings)])

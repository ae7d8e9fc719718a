"""The head of the page that compares rankers: how much was compared, and what it comes to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

from intentx.comparison.biases import Bias, RankerBiases
from intentx.comparison.disagreements import PROPERTIES
from intentx.comparison.results import Comparison
from intentx.markup import Html, count, join, listing, real, tag
from intentx.report.pages.layout import links

__all__ = ["compared_rankers", "comparison_header", "named", "other_rankers"]

PAIRS = 6  # of rankers, those of four: more are a table and no sentence


def comparison_header(comparison: Comparison, title: str, sections: Sequence[tuple[str, str]]) -> Html:
    """The rankers, how much was compared, and what it comes to."""
    rankers = [named(name) for name in comparison.rankers]
    compared = len(comparison.compared)
    rest = len(comparison.queries) - compared
    failed = f" · {count(rest)} could not be compared" if rest else ""
    least, most = comparison.documents
    sizes = count(most, "document") if least == most else f"{least} to {count(most, 'document')}"
    each = f" of {sizes} each" if compared > 1 else f" of {sizes}"
    queries = f"{count(compared, 'query', 'queries')}{each if compared else ''}"
    by = f"{queries}{failed} · explained by {comparison.method}"
    return tag(
        "header",
        tag("p", named(title)) if title else "",
        tag("h1", listing(rankers)),
        tag("p", by, class_="by"),
        tag("p", tag("strong", f"Caution: {comparison.few}."), class_="measure")
        if comparison.few
        else "",
        *(tag("p", line, class_="answer") for line in _answers(comparison)),
        links(sections),
        class_="top",
    )


def _answers(comparison: Comparison) -> Iterable[Html]:
    """What it comes to, in a sentence for the orders and one for each ranker."""
    found = [
        (mean.tau, join([named(one), " and ", named(other), f" {real(mean.tau, 2)}"]))
        for one, other in combinations(comparison.rankers, 2)
        for mean, number in [comparison.mean_agreement(one, other)]
        if number
    ]
    if 0 < len(found) <= PAIRS:
        yield join(["Kendall’s τ-b of their orders: ", join([said for _, said in found], "; "), "."])
    known = sorted((pair for pair in found if not math.isnan(pair[0])), key=lambda pair: pair[0])
    if len(found) > PAIRS and known:
        yield join(
            [
                "Kendall’s τ-b of their orders is lowest of ",
                known[0][1],
                ", highest of ",
                known[-1][1],
                ".",
            ]
        )
    for biases in compared_rankers(comparison):
        held = biases.headline[:4]
        if not held:
            continue
        wanted, refused = ([_thing(b) for b in held if (b.net > 0) == side] for side in (True, False))
        said = [join(["prefers ", listing(wanted)])] if wanted else []
        said += [join(["avoids ", listing(refused)])] if refused else []
        against = listing(map(named, other_rankers(comparison, biases.ranker)))
        name = tag("strong", named(biases.ranker))
        yield join(["Against ", against, ", ", name, " ", join(said, " and "), "."])


def _thing(bias: Bias) -> Html:
    if bias.kind == "property":
        return Html(PROPERTIES[bias.name])
    return join(["“", tag("b", named(bias.name)), "”"])


def compared_rankers(comparison: Comparison) -> Sequence[RankerBiases]:
    """Of two rankers only the first: what it prefers is what the other does not."""
    return comparison.biases[: None if len(comparison.rankers) > 2 else 1]


def other_rankers(comparison: Comparison, ranker: str) -> list[str]:
    """All but one."""
    return [name for name in comparison.rankers if name != ranker]


def named(name: str) -> Html:
    """A name, whatever direction it is written in."""
    return tag("bdi", name)

"""What a study comes to, in words that are made from its metrics."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from intentx.evaluation.statistics import probability
from intentx.markup import Html, count, join, listing, tag
from intentx.study.tables import number

if TYPE_CHECKING:
    from intentx.study.plan import Study
    from intentx.study.results import Results
    from intentx.study.tables import Estimate, Line

__all__ = ["failures", "findings", "how_it_was_run", "state"]

FIRST_FEATURES, FIRST_DELETED = "preservation_5", "deletion_5"
NAMED = 30  # failed queries that are named for each reason; the others are in the CSV file


def state(results: Results) -> Html:
    """What was run, and how far it is."""
    study = results.study
    parts = [
        count(len(study.rankers), "ranker"),
        count(len(study.methods), "method"),
        count(len(results.topics), "query", "queries"),
        f"{count(results.done - results.failed, 'explanation')} of rankings",
    ]
    by = tag("p", " · ".join(parts), class_="by")
    if results.done >= results.cells:
        return by
    missing = tag(
        "p",
        tag("strong", "Unfinished: "),
        f"{count(results.done)} of {count(results.cells)} cells of the queries started so far are "
        "measured. "
        "What follows is about those.",
        class_="unfinished",
        role="status",
    )
    return join([by, missing])


def findings(
    lines: Sequence[Line], baselines: Callable[[str], Sequence[str]] = lambda ranker: ()
) -> Html:
    """Which method explains each ranker best, and how much of a fidelity may be overfitting."""
    rankers = dict.fromkeys(line.ranker for line in lines)
    found = [
        _best_of([line for line in lines if line.ranker == ranker], baselines(ranker))
        for ranker in rankers
    ]
    parts: list[Html] = [tag("p", one, class_="answer") for one in found if one]
    overfitted = [one for one in (_random_order(lines), _gap(lines)) if one]
    if overfitted:
        parts.append(tag("p", join(overfitted, " "), class_="answer caution"))
    if not parts:
        parts.append(tag("p", "No cell has metrics yet.", class_="answer"))
    return tag("div", *parts, class_="findings")


def _best_of(lines: Sequence[Line], baselines: Sequence[str]) -> Html | None:
    """The method that does best on held-out documents; on all pairs, where no document was held out."""
    name = "heldout_documents"
    if any(FIRST_FEATURES in line.metrics for line in lines):
        return _best_features(lines)
    if not any(name in line.metrics for line in lines):
        name = "all"
    judged = [line for line in lines if name in line.metrics]
    if not judged:
        return None
    best = max(judged, key=lambda line: line.metrics[name].mean)
    parts: list[str] = [
        tag("strong", tag("bdi", best.ranker)),
        " is explained best by " if len(judged) > 1 else " is explained by ",
        tag("b", tag("bdi", best.method)),
        ": its terms agree with ",
        _told(best.metrics[name]),
        " of the ranker’s preferences ",
        "among held-out documents" if name != "all" else "among the documents at hand",
    ]
    if name != "all" and "all" in best.metrics:
        parts += [", and with ", _told(best.metrics["all"]), " among those that it was fitted to"]
    parts.append(".")
    versus = best.against.get(name)
    if versus is not None:
        other = "other " if best.method in baselines else ""
        ahead = "ahead of" if versus.difference >= 0 else "behind"
        parts += [
            f" It is {number(name, abs(versus.difference))} {ahead} the best {other}baseline, ",
            tag("bdi", versus.baseline),
            f" ({probability(versus.p)})",
            "." if versus.sign else ", which may be chance.",
        ]
    if name == "all":
        parts.append(" Nothing was measured on held-out documents.")
    return join(parts)


def _best_features(lines: Sequence[Line]) -> Html:
    """Whose first features keep the order of a model best, and whose are missed most."""
    judged = [line for line in lines if FIRST_FEATURES in line.metrics]
    kept = max(judged, key=lambda line: line.metrics[FIRST_FEATURES].mean)
    lost = min(judged, key=lambda line: line.metrics[FIRST_DELETED].mean)
    return join(
        [
            tag("strong", tag("bdi", kept.ranker)),
            ": the first five features of ",
            tag("b", tag("bdi", kept.method)),
            " keep its order best, with a τ of ",
            _told(kept.metrics[FIRST_FEATURES]),
            "; without those of ",
            tag("b", tag("bdi", lost.method)),
            " least is left of it, a τ of ",
            _told(lost.metrics[FIRST_DELETED]),
            ".",
        ]
    )


def _told(estimate: Estimate) -> Html:
    mean = tag("b", number("all", estimate.mean))
    if math.isnan(estimate.low):
        return mean
    low, high = number("all", estimate.low), number("all", estimate.high)
    return join([mean, " ", tag("small", f"[{low}, {high}]", class_="interval")])


def _random_order(lines: Sequence[Line]) -> Html | None:
    """What the most flexible method finds where there is nothing to find."""
    name, held = "shuffled_all", "shuffled_heldout_documents"
    judged = [line for line in lines if name in line.metrics]
    if not judged:
        return None
    most = max(judged, key=lambda line: line.metrics[name].mean)
    parts: list[str] = [
        "Fitted to a ",
        tag("em", "random"),
        " order of the same documents, ",
        _cell_name(most),
        " still “explains” ",
        tag("b", number(name, most.metrics[name].mean)),
        " of it",
    ]
    if held in most.metrics:
        parts.append(f", and {number(name, most.metrics[held].mean)} on held-out documents")
    parts.append(": that much of the fidelity on fitted documents is overfitting.")
    return join(parts)


def _gap(lines: Sequence[Line]) -> Html | None:
    """Where fidelity falls most from fitted to held-out documents."""
    pairs = [
        (line.metrics["all"].mean, line.metrics["heldout_documents"].mean, line)
        for line in lines
        if {"all", "heldout_documents"} <= set(line.metrics)
    ]
    if not pairs:
        return None
    fitted, held, most = max(pairs, key=lambda pair: pair[0] - pair[1])
    if fitted <= held:
        return None
    return join(
        [
            "From fitted to held-out documents, fidelity falls most for ",
            _cell_name(most),
            f": from {number('all', fitted)} to {number('all', held)}.",
        ]
    )


def _cell_name(line: Line) -> Html:
    return join([tag("bdi", line.method), " on ", tag("bdi", line.ranker)])


def failures(lines: Sequence[Line]) -> Html:
    """Queries without metrics and why, together where a ranker fails for all methods alike."""
    found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for line in lines:
        by_reason: dict[str, list[str]] = {}
        for qid, reason in line.failed.items():
            by_reason.setdefault(reason, []).append(qid)
        for reason, some in by_reason.items():
            found.setdefault((line.ranker, reason, tuple(some)), []).append(line.method)
    if not found:
        return Html("")
    total = sum(len(line.failed) for line in lines)
    items = []
    for (ranker, reason, qids), methods in found.items():
        names = listing(tag("bdi", method) for method in methods)
        shown = [tag("a", tag("bdi", qid), href=query_link(qid)) for qid in qids[:NAMED]]
        more = f" and {count(len(qids) - NAMED)} more, in cells.csv" if len(qids) > NAMED else ""
        where = join([tag("strong", tag("bdi", ranker)), ", ", names, ": "])
        why = tag("small", tag("bdi", reason), class_="reason")
        items.append(tag("li", where, "queries ", join(shown, ", "), more, why))
    summary = f"{count(total, 'cell')} without metrics, and why"
    return tag("details", tag("summary", summary), tag("ul", *items), class_="failures", id="failures")


def query_link(qid: str) -> str:
    """Where a page shows a query."""
    return "#query=" + quote(qid, safe="", errors="replace")


def how_it_was_run(study: Study) -> Html:
    """All settings, without the folders of one machine."""
    rankers = ((name, _portable(spec)) for name, spec in study.rankers.items())
    methods = ((name, _settings(settings)) for name, settings in study.methods.items())
    data = {key: value for key, value in study.to_dict()["data"].items() if value not in (None, [], {})}
    measures = study.to_dict()["measures"]
    blocks = [
        ("Rankers", _definitions(rankers)),
        ("Methods", _definitions(methods)),
        ("Data", _definitions((key, _value(value)) for key, value in data.items())),
        ("Measures", _definitions((key, _value(value)) for key, value in measures.items())),
    ]
    parts = (tag("div", tag("h3", heading), block) for heading, block in blocks)
    return tag("div", *parts, class_="halves")


def _definitions(pairs: Any) -> Html:
    return tag(
        "dl",
        *(
            tag(kind, tag("bdi", text))
            for pair in pairs
            for kind, text in zip(("dt", "dd"), pair, strict=True)
        ),
    )


def _settings(settings: Mapping[str, Any]) -> str:
    rest = (f"{key} = {_value(value)}" for key, value in settings.items() if key != "method")
    return ", ".join([_value(settings["method"]), *rest])


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _portable(value)
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(one)}" for key, one in value.items())
    return json.dumps(value, ensure_ascii=False)


def _portable(spec: str) -> str:
    """A spec or a path by what it is called, wherever it lies.

    >>> _portable("drmm:/models/drmm"), _portable("bi-encoder:minilm")
    ('drmm:drmm', 'bi-encoder:minilm')
    """
    kind, colon, rest = spec.rpartition(":")
    parts = [PurePath(part).name if part.startswith("/") else part for part in rest.split(",")]
    return f"{kind}{colon}{','.join(parts)}"

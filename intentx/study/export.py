"""Tables of a study for papers and other programs: Markdown, LaTeX, CSV."""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from intentx.evaluation.known import MOST
from intentx.evaluation.metrics import BY_FIRST, FEATURE_METRICS, KS, METRICS, STUDIED, titled
from intentx.markup import tag
from intentx.signs import visible
from intentx.study.by_query import shown_by_query
from intentx.study.results import Results
from intentx.study.tables import KNOWN, MARKS, TESTED, Line, interval, narrow, number, short
from intentx.study.versus import marks_in_words

__all__ = ["csv_cells", "csv_table", "latex", "markdown", "markdown_queries"]

# What a paper's table has room for.
COLUMNS = (
    *("all", "far", "sampled", "heldout_pairs", "heldout_documents", "shuffled_all", "tau", "terms"),
    *("deletion", "insertion", "stability"),
)
# A table of its own: by the rule of the published one.
PUBLISHED = ("vote1_all", "vote1_gap", "vote2_all", "vote2_gap", "utility")
PUBLISHED_LEGEND = (
    "By the published rule, the query's terms being added: pairs on which one simple ranker, or two, "
    "agree strictly with the ranker, of all pairs and of those whose scores differ by a tolerance or "
    "more ({tolerance}); and the largest share of {sampled} sampled pairs that one simple ranker does "
    "not contradict, where by text matching a word in no document reaches 1.000. With one simple "
    "ranker there is no vote: concordant pairs over the root of (pairs untied by the ranker × pairs "
    "untied by the terms). "
    "Bold, † and ‡: as in the table above."
)
KNOWN_LEGEND = (
    "The terms held against what the ranker says that it looks for in the documents, after stemming: "
    "share of the terms that are among it, share of it that is among the terms, and average precision "
    f"of the first {MOST} terms. Bold, † and ‡: as in the table above."
)
LEGEND = "{columns}. Bold: the highest of a ranker, where higher is better. {marks}{queries}"
FEATURES = (
    *("validity", "completeness", "feature_heldout", "feature_random", "feature_shuffled", "holds"),
    *("used", "places", "same_seeds", "same_backgrounds", "rows_asked"),
)
# Tables of their own, by the first k features: the order by these alone, and without them.
CURVES = {key: tuple(f"{key}_{k}" for k in KS) for key, *_ in BY_FIRST}
INTERVALS = " Below the means: 95 % intervals over queries."
_LATEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"}
    | {"[": "{[}", "]": "{]}", "|": r"\textbar{}", '"': r"\textquotedbl{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "τ": r"$\tau$", "−": "$-$", "\n": " ", "\t": " "}
    | {"†": r"$^\dagger$", "‡": r"$^\ddagger$", "×": r"$\times$"}
)

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # what spreadsheets take for the start of one
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
ROW_END = "\r\n"
_SURROGATE = re.compile("[\ud800-\udfff]")


def markdown(results: Results) -> str:
    """The table in Markdown, with what it means and which queries have no metrics."""
    lines = [f"# {_plain(results.study.name)}", ""]
    lines += [line for said in _unfinished(results) for line in (said, "")]
    for names in _main_tables(results):
        lines += [*_markdown_table(results.lines, names), ""]
    lines += [_legend(results, _plain) + INTERVALS, ""]
    if _columns(results.lines, PUBLISHED):
        lines += [*_markdown_table(results.lines, PUBLISHED), ""]
        lines += [_published_legend(results, _plain) + INTERVALS, ""]
    if _columns(results.lines, KNOWN):
        lines += [*_markdown_table(_having(results.lines, KNOWN), KNOWN), ""]
        lines += [KNOWN_LEGEND + INTERVALS, ""]
    failed = [
        f"- {_plain(line.ranker)}, {_plain(line.method)}, query {_plain(qid)}: {_plain(reason)}"
        for line in results.lines
        for qid, reason in line.failed.items()
    ]
    if failed:
        lines += ["Without metrics:", "", *failed, ""]
    return "\n".join(lines)


def _markdown_table(lines: Sequence[Line], names: Sequence[str]) -> Iterator[str]:
    """The rows of a table of these metrics, as far as any line has them."""
    columns = _columns(lines, names)
    named = ["ranker", "method", *titled(columns).values(), "n"]
    yield from (_row(named), _row(["---", "---", *("--:" for _ in named[2:])]))
    best = _best(lines, columns)
    last = ""
    for line in lines:
        cells = [_plain(line.ranker) if line.ranker != last else "", _plain(line.method)]
        last = line.ranker
        for name in columns:
            shown = short(name, line.metrics.get(name))
            bold = f"**{shown}**" if (line.ranker, name, shown) in best else shown
            interval = _interval(line, name)
            small = tag("br") + tag("sub", interval) if interval else ""
            cells.append(f"{bold}{_mark(line, name)}{small}")
        yield _row([*cells, str(_measured(line))])


def markdown_queries(results: Results) -> Iterator[str]:
    """Lines of a table in Markdown with every query: the terms of each method, and their fidelity."""
    names = shown_by_query(results.lines)
    heads = ["query", "ranker", "method", "terms", *titled(names).values()]
    yield f"# {_plain(results.study.name)}: queries\n\n"
    yield "".join(f"{line}\n\n" for line in _unfinished(results))
    yield _row(heads) + "\n"
    yield _row([*(["---"] * 4), *("--:" for _ in names)]) + "\n"
    queries, last = dict(results.topics), ("", "")
    for row in results.rows():
        begins = (row.qid, row.ranker) != last
        query = f"{_plain(queries[row.qid])} ({_plain(row.qid)})" if row.qid != last[0] else ""
        ranker = _plain(row.ranker) if begins else ""
        last = row.qid, row.ranker
        terms = ", ".join(map(_plain, row.terms)) or _plain(row.reason)
        metrics = (number(name, row.metrics.get(name, math.nan)) for name in names)
        yield _row([query, ranker, _plain(row.method), terms, *metrics]) + "\n"
    yield (
        "\nThe terms of each method, the most useful first, and their fidelity: the share of preference "
        "pairs on which they agree with the ranker, of all and of those that the method has not seen.\n"
    )


def latex(results: Results) -> str:
    """The tables in LaTeX, for the package booktabs."""
    caption = " ".join([*_unfinished(results), visible(_legend(results))])
    lines = [
        r"% needs the package booktabs, and XeLaTeX or LuaLaTeX for names beyond Latin letters",
    ]
    tables: list[tuple[Sequence[Line], Sequence[str], str]] = [
        (results.lines, names, caption) for names in _main_tables(results)
    ]
    if _columns(results.lines, PUBLISHED):
        tables.append((results.lines, PUBLISHED, visible(_published_legend(results))))
    if _columns(results.lines, KNOWN):
        tables.append((_having(results.lines, KNOWN), KNOWN, KNOWN_LEGEND))
    label = "tab:" + (re.sub("[^A-Za-z0-9]+", "-", results.study.name).strip("-") or "study")
    for place, table in enumerate(tables, 1):
        lines += ["", *_latex_table(*table, label if place == 1 else f"{label}-{place}")]
    return "\n".join([*lines, ""])


def _latex_table(lines: Sequence[Line], names: Sequence[str], caption: str, label: str) -> list[str]:
    """A table of these metrics, as far as any line has them."""
    columns = _columns(lines, names)
    best = _best(lines, columns)
    body: list[str] = []
    last = ""
    for line in lines:
        if line.ranker != last and body:
            body.append(r"\midrule")
        cells = [_latex(line.ranker) if line.ranker != last else ""]
        cells.append(_latex(line.method))
        last = line.ranker
        for name in columns:
            shown = short(name, line.metrics.get(name))
            text = shown.translate(_LATEX)
            bold = rf"\textbf{{{text}}}" if (line.ranker, name, shown) in best else text
            cells.append(f"{bold}{_mark(line, name).translate(_LATEX)}")
        body.append(f"{' & '.join(cells)} \\\\")
    return [
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{caption.translate(_LATEX)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{ll{'r' * len(columns)}}}",
        r"\toprule",
        f"ranker & method & {' & '.join(map(_latex_head, columns))} \\\\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table*}",
    ]


def _latex_head(name: str) -> str:
    """The title of a metric, in lines above each other where it is long."""
    lines = [line.translate(_LATEX) for line in narrow(name).split("\n")]
    above = r" \\ ".join(lines)
    return above if len(lines) == 1 else rf"\shortstack[r]{{{above}}}"


def csv_table(results: Results) -> str:
    """Means, intervals and tests, one line for each ranker, method and metric."""
    heads = ["ranker", "method", "metric", "mean", "low", "high", "n", "queries", "failed"]
    heads += ["baseline", "difference", "difference_low", "difference_high", "p"]
    return "".join(_csv_lines(heads, _csv_rows(results.lines)))


def csv_cells(results: Results) -> Iterator[str]:
    """Lines of a CSV file with every cell: its metrics, terms, seconds and the reason for none."""
    names = [*(FEATURE_METRICS if results.study.data.letor else METRICS)]
    heads = ["qid", "query", "ranker", "method", *names, "intent_terms", "seconds_ours"]
    heads += ["seconds_model", "reason"]
    queries = dict(results.topics)
    rows = (
        [
            *(row.qid, queries[row.qid], row.ranker, row.method),
            *(row.metrics.get(name, "") for name in names),
            " ".join(row.terms),
            *(row.seconds.get(part, "") for part in ("ours", "model")),
            row.reason,
        ]
        for row in results.rows()
    )
    yield from _csv_lines(heads, rows)


def _csv_rows(lines: Iterable[Line]) -> Iterator[list[object]]:
    for line in lines:
        for name, one in line.metrics.items():
            tested = line.against.get(name)
            against: list[object] = [""] * 5
            if tested is not None:
                against = [tested.baseline, tested.difference, tested.low, tested.high, tested.p]
            sizes = [one.n, line.queries, len(line.failed)]
            row = [line.ranker, line.method, name, one.mean, one.low, one.high, *sizes, *against]
            yield ["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row]


def _csv_lines(heads: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ROW_END)  # quotes what holds one of these two signs
    for row in itertools.chain([heads], rows):
        writer.writerow([_cell(value) for value in row])
        yield text.getvalue().removesuffix(ROW_END) + "\n"
        text.seek(0)
        text.truncate()


def _main_tables(results: Results) -> list[tuple[str, ...]]:
    """The metrics of each table: one of words, several of features."""
    if not results.study.data.letor:
        return [COLUMNS]
    return [some for some in (FEATURES, *CURVES.values()) if _columns(results.lines, some)]


def _having(lines: Sequence[Line], names: Sequence[str]) -> list[Line]:
    """The lines that have any of these metrics."""
    return [line for line in lines if any(name in line.metrics for name in names)]


def _columns(lines: Sequence[Line], names: Sequence[str]) -> list[str]:
    """The metrics of a table that any line has."""
    return [name for name in names if any(name in line.metrics for line in lines)]


def _best(lines: Sequence[Line], columns: Sequence[str]) -> set[tuple[str, str, str]]:
    """Ranker, metric and its highest mean as it is written, where more is better."""
    found = set()
    for name in columns:
        if name not in TESTED:
            continue
        for ranker in {line.ranker for line in lines}:
            some = [one for one in lines if one.ranker == ranker and name in one.metrics]
            if some:
                highest = max(some, key=lambda one: one.metrics[name].mean)
                found.add((ranker, name, short(name, highest.metrics[name])))
    return found


def _mark(line: Line, name: str) -> str:
    tested = line.against.get(name)
    return MARKS[tested.sign] if tested else ""


def _interval(line: Line, name: str) -> str:
    one = line.metrics.get(name)
    return "" if one is None else interval(name, one)


def _measured(line: Line) -> int:
    return max((one.n for one in line.metrics.values()), default=0)


def _unfinished(results: Results) -> list[str]:
    if results.done == results.cells:
        return []
    return [
        f"Unfinished: {results.done} of {results.cells} cells of the queries started so far are "
        "measured."
    ]


def _legend(results: Results, name: Callable[[str], str] = str) -> str:
    study = results.study
    baselines = dict.fromkeys(name for r in study.rankers for name in study.baselines_of(r))
    sizes = sorted({_measured(line) for line in results.lines})
    failed = f", {results.failed} cells without metrics" if results.failed else ""
    n = f"n = {sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else f"n = {sizes[0] if sizes else 0}"
    columns = _feature_columns(results) if study.data.letor else _word_columns(results)
    # Of the tables below, too: their legends name this one.
    shown = [key for names in (*_main_tables(results), PUBLISHED, KNOWN) for key in names]
    tested = [line.against[key] for line in results.lines for key in shown if key in line.against]
    marks = marks_in_words(tested, ", ".join(map(name, baselines)))
    return LEGEND.format(
        columns=columns[:1].upper() + columns[1:],
        marks=f"{marks} " if marks else "",
        queries=f"{len(results.topics)} queries, {n}{failed}.",
    )


def _word_columns(results: Results) -> str:
    measures = results.study.measures
    settings = {"far": f" (at least {measures.gap} ranks)", "sampled": f" ({measures.sampled} of them)"}
    return _meanings(_columns(results.lines, COLUMNS), settings)


def _feature_columns(results: Results) -> str:
    """The curves share a line: they differ only in how many features they are of."""
    data = results.study.data
    rows = "100 documents of the training files" if data.train or data.folds else "the documents’ mean"
    curves = [
        f"{title}@k: {said.format('k')}"
        for key, title, said, *_ in BY_FIRST
        if _columns(results.lines, CURVES[key])
    ]
    background = [f"features left out have the mean over {rows}"] if curves else []
    return "; ".join([_meanings(_columns(results.lines, FEATURES), {}), *curves, *background])


def _meanings(names: Sequence[str], settings: Mapping[str, str]) -> str:
    return "; ".join(
        f"{STUDIED[key].title}: {STUDIED[key].description}{settings.get(key, '')}" for key in names
    )


def _published_legend(results: Results, name: Callable[[str], str] = str) -> str:
    measures = results.study.measures
    own = [f"{name(ranker)} {least:g}" for ranker, least in measures.tolerance.items()]
    if len(own) < len(results.study.rankers):
        own.append(f"{'others ' if own else ''}the median difference of each ranking")
    return PUBLISHED_LEGEND.format(tolerance=", ".join(own), sampled=measures.sampled)


def _latex(text: str) -> str:
    """A name in LaTeX, where nothing in it is markup."""
    return visible(text).translate(_LATEX)


def _cell(value: object) -> object:
    """A cell of a CSV file that no spreadsheet takes for a formula.

    A text that begins like one gets an apostrophe in front, as spreadsheets write a text; numbers
    stay as they are, and so do texts that are numbers.
    """
    if not isinstance(value, str):
        return value
    text = _SURROGATE.sub("\ufffd", value)
    formula = text[:1] in ("\t", "\r", "\n") or text.lstrip()[:1] in FORMULA
    return f"'{text}" if text.strip() and formula and not _NUMBER.fullmatch(text) else text


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """A name in Markdown, where nothing in it is markup."""
    text = " ".join(visible(text).split())
    return re.sub(r"([\\`*_{}\[\]<>|#~&$])", r"\\\1", text)

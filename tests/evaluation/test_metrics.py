"""Each metric has one name: in code, in files, in every table, on pages, in plots, in the docs."""

from __future__ import annotations

import csv
import dataclasses
import importlib
import inspect
import io
import math
import re
from pathlib import Path

import numpy as np
import pytest

import intentx as ix
from intentx.evaluation import metrics
from intentx.evaluation.metrics import (
    AGREEMENT,
    DOCUMENT,
    METRICS,
    PAIRS,
    SECONDS,
    STUDIED,
    Metric,
)
from intentx.rankers import BM25
from intentx.report.pages.study import study_page
from intentx.report.tables import study
from intentx.report.tables.study import groups
from intentx.study import cells
from intentx.study.cells import PARTS, Explained, measure
from intentx.study.export import csv_cells, csv_table, latex, markdown, markdown_queries
from intentx.study.plan import Measures
from intentx.study.results import read_results
from intentx.study.tables import TESTED, narrow, number, rich_known, rich_tables
from tests.report import toy_studies

DOCS = Path(__file__).parents[2] / "docs"
EVERY = [*STUDIED.values(), *SECONDS.values(), *AGREEMENT.values(), *DOCUMENT.values()]


def found_at(path):
    """What a dotted name stands for: a function, an attribute, or a field of a dataclass."""
    parts = path.split(".")
    for place in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:place]))
        except ModuleNotFoundError:
            continue
        for name in parts[place:]:
            if dataclasses.is_dataclass(found) and name in {f.name for f in dataclasses.fields(found)}:
                return name
            found = inspect.getattr_static(found, name)
        return found
    raise AssertionError(path)


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.key)
def test_where_a_metric_is_measured_is_there(metric):
    assert found_at(metric.measured_by)


@pytest.mark.parametrize("table", ["METRICS", "FEATURE_METRICS", "SECONDS", "AGREEMENT", "DOCUMENT"])
def test_keys_and_titles_are_of_one_metric_each(table):
    some = getattr(metrics, table)
    assert list(some) == [one.key for one in some.values()]
    assert len({one.title for one in some.values()}) == len(some)
    assert all(one.description and not one.description.endswith(".") for one in some.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        next(iter(some.values())).title = "another"


def test_units_say_bounds_and_digits():
    assert METRICS["all"].bounds == (0, 1)
    assert METRICS["stability"].bounds == (0, 1)
    assert METRICS["tau"].bounds == (-1, 1)
    assert METRICS["deletion"].bounds == (-math.inf, math.inf)
    assert [number(key, 0.5) for key in ("all", "tau", "deletion", "model_calls")] == [
        *(".500", ".500", "0.5", "0.5"),
    ]
    assert {one.key for one in METRICS.values() if one.is_count} == {"terms", "model_calls"}


def test_only_what_is_better_when_higher_is_tested():
    assert (
        *("all", "far", "sampled", "heldout_pairs", "heldout_documents", "tau"),
        *("deletion", "insertion", "stability", "vote1_all", "vote1_gap", "vote2_all", "vote2_gap"),
        *("change_success", "intent_precision", "intent_recall", "intent_ap"),
    ) == tuple(name for name in TESTED if name in METRICS), "a new metric: extend the list above"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    toy_studies.write(folder, toy_studies.plan(), toy_studies.queries(5))
    return read_results([folder])


def test_heads_of_all_tables_are_titles(results):
    titles = {one.title for one in METRICS.values()}
    tables = [*rich_tables(results.lines), rich_known(results.lines)]
    heads = {column.header.replace("\n", " ") for table in tables for column in table.columns}
    assert heads - {"ranker", "method", "n"} <= titles
    for text in (markdown(results), "".join(markdown_queries(results))):
        rows = [line for line in text.splitlines() if line.startswith(("| ranker |", "| query |"))]
        shown = {cell.strip() for row in rows for cell in row.strip("|").split("|")}
        assert shown - {"query", "ranker", "method", "terms", "n"} <= titles
    tex = re.sub(r"\\shortstack\[r\]\{(.*?)\}", r"\1", latex(results)).replace(r" \\ ", " ")
    heads = {
        head.strip(" \\").replace(r"$\tau$", "τ")
        for line in tex.splitlines()
        if line.startswith("ranker & ")
        for head in line.split("&")
    }
    assert heads - {"ranker", "method"} <= titles
    page = study_page(results)
    for one in (*METRICS.values(), *SECONDS.values()):
        assert f'data-key="{one.key}">{one.title}</th>' in page, one.key


def test_heads_in_a_terminal_are_titles_with_a_word_on_each_line():
    assert narrow("heldout_documents") == "held-out\ndocuments"
    assert narrow("terms") == "terms"
    assert all(narrow(key).replace("\n", " ") == one.title for key, one in METRICS.items())
    assert PAIRS["heldout"] == METRICS["heldout_pairs"].title == "held-out pairs"


def test_groups_hold_every_metric_once():
    names = [*METRICS, *SECONDS]
    shown = [name for _, own in groups(names) for name in own]
    assert sorted(shown) == sorted(names)
    assert [group for group, _ in groups(["model", "all"])] == ["Fidelity", "Cost"]


def test_the_docs_have_every_metric_of_a_study():
    page = (DOCS / "studies.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, flags=re.MULTILINE))
    for one in STUDIED.values():
        better = {"none": "–"}.get(one.direction, one.direction)
        assert rows.pop(one.key, "") == f"{one.title} | {one.description} | {one.unit} | {better}"


def test_methods_of_documents_have_only_metrics_of_the_table():
    docs = ["piano keys and a stool", "keys of a laptop", "a piano", "a desk", "keys, keys"]
    ranking = ix.rank(BM25(docs), "piano keys", docs)
    for method in (ix.EXS(samples=20), ix.LIRME(samples=20), ix.KernelSHAP()):
        assert set(method.explain(ranking, 0).metrics) <= set(DOCUMENT)


def _longest(of: Explained) -> dict[str, float]:
    return {"longest": max(map(len, of.explanation.terms))}


def test_a_new_metric_is_a_line_and_a_function(monkeypatch, tmp_path):
    """As docs/studies.md says: tables, pages and files have it from then on."""
    longest = Metric(
        "longest", "longest term", "signs of the longest term", "number", "none",
        "tests.evaluation.test_metrics._longest", "Lengths",
    )  # fmt: skip
    monkeypatch.setitem(METRICS, longest.key, longest)
    monkeypatch.setattr(cells, "PARTS", (*PARTS, _longest))
    docs = ["piano keys", "keys of a laptop", "a piano", "a desk", "keys, keys, zither"]
    ranking = ix.rank(BM25(docs), "piano keys", docs)
    quick = Measures(heldout=0, heldout_pairs=False, stability=0, faithfulness=0, shuffled=False)
    found = measure(ix.QueryTerms(), ranking, quick)
    assert found.metrics["longest"] == len("piano")
    assert np.isclose(found.metrics["all"], ix.QueryTerms().explain(ranking).fidelity.all)
    toy_studies.write(tmp_path, toy_studies.plan(), toy_studies.queries(3))
    results = read_results([tmp_path])
    monkeypatch.setitem(study.SHOWN, longest.key, longest)
    page = study_page(results)
    assert page.index(">Terms</th>") < page.index(">Lengths</th>")
    assert f'data-key="longest">{longest.title}</th>' in page
    rows = [*csv.DictReader(io.StringIO(csv_table(results)))]
    assert "longest" in {row["metric"] for row in rows}
    assert "longest" in next(csv.reader(csv_cells(results)))


def test_numbers_of_things_are_not_below_zero():
    assert METRICS["terms"].bounds == (0.0, math.inf)
    assert METRICS["deletion"].bounds == (-math.inf, math.inf)  # a document may rise
    assert (METRICS["terms"].digits, METRICS["all"].digits) == (1, 3)

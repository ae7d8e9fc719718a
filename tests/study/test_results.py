"""What folders of results come to, and the tables for papers made of it."""

import csv
import io
import itertools
import re

import numpy as np
import pytest

import intentx as ix
from intentx.evaluation.metrics import METRICS
from intentx.study.export import csv_cells, csv_table, latex, markdown
from intentx.study.results import read_results
from intentx.study.tables import TESTED
from tests.report.toy_studies import HOSTILE, plan, queries, write

N = 30


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    failed = {(3, 1), (7, 5)}
    return write(tmp_path_factory.mktemp("whole"), plan(), queries(N), failed=failed)


@pytest.fixture(scope="module")
def results(whole):
    return read_results([whole])


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    failed = {(3, 1), (7, 5)}
    return [
        write(tmp_path_factory.mktemp("shard"), plan(), queries(N), failed=failed, shard=(i, 3))
        for i in range(3)
    ]


def everything(results):
    return (
        results,
        list(results.rows()),
        markdown(results),
        latex(results),
        csv_table(results),
        "".join(csv_cells(results)),
    )


def test_shards_in_any_order_are_the_whole(whole, results, shards):
    expected = everything(results)
    for order, twice in (((1, 2, 0), []), ((2, 1, 0), [whole]), ((0, 2, 1), [])):
        assert everything(read_results([*(shards[i] for i in order), *twice])) == expected


def test_some_shards_are_less(results, shards):
    some = read_results(shards[:2])
    assert len(some.topics) == 20
    assert some.lines != results.lines


def test_other_studies_are_not_merged(tmp_path, whole):
    other = write(tmp_path / "other", plan(methods=("QUERY-TERMS", "MULTIPLEX")), queries(N))
    with pytest.raises(ix.InputError, match="BM25 by GREEDY-LM is not in both"):
        read_results([whole, other])


def test_other_documents_are_not_merged(tmp_path, whole):
    changed = [("q0", "another text"), *queries(N)[1:]]
    other = write(tmp_path / "other", plan(), changed)
    with pytest.raises(ix.InputError, match="query 'q0' has other documents"):
        read_results([whole, other])


def test_nothing_there(tmp_path):
    with pytest.raises(ix.InputError, match="no study in"):
        read_results([tmp_path])
    with pytest.raises(ix.InputError, match="name the folder"):
        read_results([])


def test_an_unfinished_run_says_so(tmp_path, whole):
    some = read_results([write(tmp_path, plan(), queries(4), missing={(3, 0), (3, 1)})])
    assert (some.cells, some.done, some.failed) == (24, 22, 0)
    assert "Unfinished: 22 of 24 cells" in markdown(some)
    assert "Unfinished: 22 of 24 cells" in latex(some)
    assert "Unfinished" not in markdown(read_results([whole]))


def test_means_are_over_queries_with_metrics(results):
    line = results.lines[1]  # BM25, GREEDY-LM
    values = [
        row.metrics["all"]
        for row in results.rows()
        if (row.ranker, row.method) == ("BM25", "GREEDY-LM") and not row.reason
    ]
    assert (line.metrics["all"].n, line.queries, list(line.failed)) == (N - 1, N, ["q3"])
    assert line.metrics["all"].mean == pytest.approx(np.mean(values))


def test_the_better_method_is_marked_and_no_other(tmp_path):
    results = read_results([write(tmp_path, plan(), queries(200))])
    for line in results.lines:
        for name in ("all", "far", "heldout_documents"):
            against = line.against[name]
            assert against.baseline != line.method
            assert against.n == 200
            assert against.sign == (1 if line.method == "MULTIPLEX" else 0)
        assert not {*line.against} - {*TESTED}
    table = markdown(results)
    assert "| MULTIPLEX | **" in table
    assert table.count("†") > 10
    assert "‡" not in table.split("All pairs: ")[0]


def test_the_baseline_is_the_best_other_one(results):
    by_name = {(line.ranker, line.method): line for line in results.lines}
    for (ranker, method), line in by_name.items():
        others = {"QUERY-TERMS", "GREEDY-LM"} - {method}
        best = max(others, key=lambda one: by_name[ranker, one].metrics["tau"].mean)
        assert line.against["tau"].baseline == best


def test_csv_holds_every_cell(results):
    lines = list(csv.DictReader(io.StringIO("".join(csv_cells(results)))))
    rows = list(results.rows())
    assert len(lines) == len(rows) == 6 * N
    queries_of = dict(results.topics)
    for line, row in zip(lines, rows, strict=True):
        assert (line["qid"], line["ranker"], line["method"]) == (row.qid, row.ranker, row.method)
        assert (line["query"], line["reason"]) == (queries_of[row.qid], row.reason)
        assert {name: float(line[name]) for name in METRICS if line[name]} == row.metrics
    table = list(csv.DictReader(io.StringIO(csv_table(results))))
    assert len(table) == sum(len(line.metrics) for line in results.lines)
    assert {line["n"] for line in table} == {"29", "30"}


def test_names_are_no_markup(tmp_path):
    study = plan(rankers=(HOSTILE, "a|b_c"), methods=("QUERY-TERMS", "50 % & more_#{}"), name=HOSTILE)
    results = read_results([write(tmp_path, study, queries(5), failed={(1, 1)})])
    table = markdown(results)
    assert not re.search(r"(?<!\\)<(?! |br>|sub>|/sub>)", table)
    rows = [line for line in table.splitlines() if line.startswith("|")]
    cells = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    assert len(rows) == 18, "three tables, each of two lines of head and four of methods"
    assert [len(set(cells[start : start + 6])) for start in (0, 6, 12)] == [1, 1, 1]
    text = latex(results)
    bodies = [part[: part.index("\\bottomrule")] for part in text.split("\\toprule")[1:]]
    assert len(bodies) == 3
    for body in bodies:
        assert r"50 \% \& more\_\#\{\}" in body
        assert not re.search(r"(?<!\\)[%#_]", body)
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert len({len(re.findall(r"(?<!\\)&", line)) for line in lines}) == 1
    depth = list(itertools.accumulate({"{": 1, "}": -1}.get(c, 0) for c in re.sub(r"\\[{}]", "", text)))
    assert min(depth) == 0
    assert depth[-1] == 0

"""The page of a study: its metrics are those of the results, and no name becomes markup."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx.evaluation.metrics import METRICS, SECONDS
from intentx.markup import tag
from intentx.report.pages.layout import html_page
from intentx.report.pages.study import study_page
from intentx.report.pages.study_queries import data_block, query_data
from intentx.report.pictures.study import plots
from intentx.report.tables.study import groups, main_table
from intentx.report.tables.study_sentences import failures, findings, how_it_was_run, query_link, state
from intentx.study.plan import Data, Study
from intentx.study.results import read_results
from intentx.study.tables import TESTED, Estimate, Versus, interval, number
from tests.report import toy_studies
from tests.report.test_page import Reader

QUERIES = toy_studies.queries(7)


@pytest.fixture
def results(tmp_path):
    toy_studies.write(tmp_path, toy_studies.plan(), QUERIES, failed={(2, 1), (4, 5)})
    return read_results([tmp_path])


def script_of(source, kind):
    """The text of the one script with these attributes."""
    (found,) = re.findall(rf"<script{kind}>(.*?)</script>", source, flags=re.DOTALL)
    return found


def data_of(source):
    return json.loads(script_of(source, ' type="application/json" id="data"'))


def plain(html):
    return re.sub(r"<[^>]*>", "", html)


def replaced(line, **changes):
    return dataclasses.replace(line, **changes)


def test_what_the_user_wrote_is_never_markup(tmp_path):
    evil = toy_studies.HOSTILE
    study = toy_studies.plan((evil, "BM25"), (f"1{evil}", f"2{evil}"), evil)
    queries = [(f"{evil}{i}", f"{evil} {i}") for i in range(4)]
    toy_studies.write(tmp_path, study, queries, failed={(1, 0)})
    results = read_results([tmp_path])
    source = study_page(results, plots(results))
    read = Reader(source)
    attributes = {key for _, own in read.tags for key in own}
    assert not {key for key in attributes if key.startswith("on")}
    assert [dict(own) for name, own in read.tags if name == "script"] == [
        {"type": "application/json", "id": "data"},
        {},
    ]
    assert {"img", "iframe", "base", "form", "link", "object"}.isdisjoint(name for name, _ in read.tags)
    assert read.text.count(evil) > 8  # it is all there, as text
    assert data_of(source)["queries"] == [list(pair) for pair in queries]


def test_a_browser_runs_our_script_and_nothing_else(results):
    source = study_page(results, plots(results))
    (policy,) = (own["content"] for _, own in Reader(source).tags if "http-equiv" in own)
    digest = base64.b64encode(hashlib.sha256(script_of(source, "").encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"; script-src 'sha256-{digest}';" in policy
    assert not re.search(r"@import|https?:", re.sub(r'xmlns(:xlink)?="[^"]*"', "", source))
    assert all(found.startswith("url(#") for found in re.findall(r"url\([^)]*\)", source))


def test_pages_without_a_script_allow_none():
    source = html_page("t", tag("p", "a"))
    assert (
        'content="default-src &#x27;none&#x27;; style-src &#x27;unsafe-inline&#x27;; img-src data:"'
        in source
    )
    assert source.endswith("</head><body><p>a</p></body></html>\n")


def test_every_cell_is_in_the_data(results):
    data = query_data(results)
    assert data == data_of(study_page(results))
    names = [one[0] for one in data["metrics"]]
    assert sorted(names) == sorted(METRICS)
    pairs = [(line.ranker, line.method) for line in results.lines]
    assert data["pairs"] == [list(pair) for pair in pairs]
    seen = 0
    for row in results.rows():
        place = data["queries"].index([row.qid, dict(QUERIES)[row.qid]])
        cell = data["cells"][place][pairs.index((row.ranker, row.method))]
        if row.reason:
            assert data["reasons"][cell - 1] == row.reason
        else:
            assert tuple(data["words"][i] for i in cell[0]) == row.terms
            assert cell[1] == [round(row.metrics[name], 6) for name in names]
        seen += 1
    assert seen == len(QUERIES) * len(pairs)


@given(st.recursive(st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_no_text_ends_the_data(plain_data):
    block = data_block({"x": plain_data})
    inside = block.removeprefix('<script type="application/json" id="data">').removesuffix("</script>")
    assert "<" not in inside
    assert json.loads(inside.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")) == {
        "x": plain_data
    }


def cells_of(line, lines):
    """The cells of a line in the table by the names of their columns."""
    source = main_table(lines)
    keys = re.findall(r'data-key="(\w+)"', source)
    keys = [key for key in keys if key not in ("ranker", "method")]
    rows = re.findall(r"<tr[^>]*><th scope=\"row\".*?</tr>", source)
    cells = re.findall(r"<td.*?</td>", rows[list(lines).index(line)])
    return dict(zip(keys, cells, strict=True))


def test_the_table_has_each_metric_once(results):
    assert sorted(name for _, own in groups([*METRICS, *SECONDS]) for name in own) == sorted(
        [*METRICS, *SECONDS]
    )
    for line in results.lines:
        cells = cells_of(line, results.lines)
        assert set(cells) == {"queries", *SECONDS, *METRICS}
        for name, estimate in line.metrics.items():
            assert f'data-v="{estimate.mean!r}"' in cells[name]
            around = interval(name, estimate)
            assert (
                plain(cells[name]).replace("†", "").replace("‡", "")
                == f"{number(name, estimate.mean)}{around}"
            )
        assert cells["model"].endswith(">0.50</td>")


def test_the_best_of_a_ranker_is_bold(results):
    for ranker in ("BM25", "MiniLM"):
        lines = [line for line in results.lines if line.ranker == ranker]
        for name in METRICS:
            highest = max(line.metrics[name].mean for line in lines)
            for line in lines:
                bold = "<b>" in cells_of(line, results.lines)[name]
                assert bold == (
                    name in TESTED and number(name, line.metrics[name].mean) == number(name, highest)
                )


@pytest.mark.parametrize(
    ("difference", "p", "mark"), [(0.1, 0.04, "†"), (-0.1, 0.04, "‡"), (0.1, 0.05, ""), (-0.1, 0.5, "")]
)
def test_marks_of_significance(results, difference, p, mark):
    versus = Versus("<GREEDY>", difference, -0.2, 0.3, p, 7)
    line = replaced(results.lines[2], against={"all": versus})
    cells = cells_of(line, (line,))
    assert re.findall(r"<sup>(.)</sup>", cells["all"]) == [mark] * bool(mark)
    assert "against &lt;GREEDY&gt;" in cells["all"]
    assert "sup" not in cells["far"]


def line_of(line, ranker, method, against=None, **means):
    metrics = {name: Estimate(mean, mean - 0.01, mean + 0.01, 7) for name, mean in means.items()}
    return replaced(
        line, ranker=ranker, method=method, metrics=metrics, against=against or {}, failed={}
    )


def test_the_first_paragraphs(results):
    some = results.lines[0]
    versus = Versus("GREEDY", 0.25, 0.1, 0.3, 0.002, 7)
    lines = [
        line_of(some, "A", "GREEDY", all=0.99, heldout_documents=0.5, shuffled_all=0.94,
                shuffled_heldout_documents=0.51),
        line_of(some, "A", "MINE", {"heldout_documents": versus}, all=0.8, heldout_documents=0.75),
        line_of(some, "B", "MINE", all=0.7, heldout_documents=0.7, shuffled_all=0.2),
    ]  # fmt: skip
    assert plain(findings(lines)) == (
        "A is explained best by MINE: its terms agree with .750 [.740, .760] of the ranker’s "
        "preferences among held-out documents, and with .800 [.790, .810] among those that "
        "it was fitted to. It is .250 ahead of the best baseline, GREEDY (p = .002)."
        "B is explained by MINE: its terms agree with .700 [.690, .710] of the ranker’s preferences "
        "among held-out documents, and with .700 [.690, .710] among those that it was "
        "fitted to."
        "Fitted to a random order of the same documents, GREEDY on A still “explains” .940 of it, and "
        ".510 on held-out documents: that much of the fidelity on fitted documents is overfitting. From "
        "fitted to held-out documents, fidelity falls most for GREEDY on A: from .990 to .500."
    )


def test_a_baseline_that_is_best_is_held_against_the_others(results):
    versus = Versus("RANDOM", 0.1, 0.05, 0.2, 0.01, 7)
    line = line_of(results.lines[0], "A", "GREEDY", {"all": versus}, all=0.8)
    told = plain(findings([line], {"A": ["GREEDY", "RANDOM"]}.__getitem__))
    assert "It is .100 ahead of the best other baseline, RANDOM (p = .010)." in told


def test_what_may_be_chance_is_said_to_be(results):
    versus = Versus("GREEDY", -0.05, -0.1, 0.3, 0.2, 7)
    told = plain(findings([line_of(results.lines[0], "A", "MINE", {"all": versus}, all=0.8)]))
    assert "It is .050 behind the best baseline, GREEDY (p = .200), which may be chance." in told
    assert told.endswith("Nothing was measured on held-out documents.")
    assert "random" not in told
    empty = replaced(results.lines[0], metrics={}, against={})
    assert plain(findings([empty])) == "No cell has metrics yet."


def test_an_unfinished_study_says_so(tmp_path, results):
    assert "Unfinished" not in state(results)
    folder = tmp_path / "half"
    toy_studies.write(folder, toy_studies.plan(), QUERIES, missing={(0, 0), (1, 2), (6, 5)})
    half = read_results([folder])
    assert "Unfinished: 39 of 42 cells of the queries started so far are measured." in plain(state(half))
    assert query_data(half)["cells"][0][0] == 0
    assert "Unfinished" in study_page(half)


def test_failures_are_told_once_for_all_methods_of_a_ranker(results):
    first, second, third = (
        replaced(line, failed={f"q{i}": "no <weights>" for i in range(40)}) for line in results.lines[:3]
    )
    told = failures([first, second, replaced(third, failed={"a/b": "other"})])
    assert told.count("<li>") == 2
    assert "no &lt;weights&gt;" in told
    assert "BM25, QUERY-TERMS and GREEDY-LM: queries q0, q1," in plain(told)
    assert "q29 and 10 more, in cells.csv" in plain(told)
    assert 'href="#query=a%2Fb"' in told
    assert "81 cells without metrics" in told
    assert failures([replaced(first, failed={})]) == ""


def test_links_are_as_a_browser_decodes_them():
    assert query_link("a b/ü#%") == "#query=a%20b%2F%C3%BC%23%25"


def test_the_page_names_no_folder_of_this_machine(results):
    source = study_page(results)
    assert "/somewhere" not in source
    assert "topics.jsonl" in source


def test_metrics_that_nobody_has_are_left_out(tmp_path):
    gone = ("shuffled_all", "shuffled_heldout_documents", "deletion")
    toy_studies.write(tmp_path, toy_studies.plan(), QUERIES, left_out=gone)
    results = read_results([tmp_path])
    source = study_page(results)
    assert ">Shuffled</th>" not in source
    assert 'data-key="random_deletion"' in source
    assert 'data-key="deletion"' not in source
    assert len(query_data(results)["metrics"]) == len(METRICS) - 3


def test_shards_in_any_order_are_the_same_page(tmp_path):
    folders = [tmp_path / str(i) for i in range(3)]
    for i, folder in enumerate(folders):
        toy_studies.write(folder, toy_studies.plan(), QUERIES, failed={(2, 1)}, shard=(i, 3))
    whole = toy_studies.write(tmp_path / "whole", toy_studies.plan(), QUERIES, failed={(2, 1)})
    pages = {
        study_page(read_results(some))
        for some in ([whole], folders, folders[::-1], folders[1:] + folders[:1])
    }
    assert len(pages) == 1


def test_thousands_of_queries_are_one_page(results):
    draw = np.random.default_rng(0)
    vocabulary = [f"term{i}" for i in range(6_000)]
    some = next(row for row in results.rows() if not row.reason)
    pairs = [("BM25", f"M{i}") for i in range(5)]
    topics = toy_studies.queries(2_000)

    def rows():
        for qid, _ in topics:
            for ranker, method in pairs:
                terms = tuple(vocabulary[i] for i in draw.integers(6_000, size=10))
                values = dict(zip(METRICS, draw.random(len(METRICS)).tolist(), strict=True))
                yield dataclasses.replace(
                    some, qid=qid, ranker=ranker, method=method, terms=terms, metrics=values
                )

    large = SimpleNamespace(
        study=results.study,
        topics=topics,
        lines=[replaced(results.lines[0], ranker=ranker, method=method) for ranker, method in pairs],
        cells=10_000,
        done=10_000,
        failed=0,
        rows=rows,
    )
    assert 1e6 < len(study_page(large).encode()) < 3.6e6


def test_how_it_was_run_names_no_folder_of_this_machine_and_nothing_that_is_not_set():
    files = Data(docs="/mine/docs.jsonl", topics="/mine/q.tsv", runs={"BM25": "/runs/b.trec"})
    methods = {"Q": {"method": "query-terms"}}
    shown = how_it_was_run(Study(name="x", data=files, rankers={"B": "drmm:/m/drmm"}, methods=methods))
    assert "BM25: b.trec" in shown
    assert "drmm:drmm" in shown
    assert "/mine" not in shown
    assert "folder" not in shown
    other = Study(name="x", data=Data(folder="/d/dl19"), rankers={"B": "bm25"}, methods=methods)
    assert "dl19" in how_it_was_run(other)
    assert "runs" not in how_it_was_run(other)

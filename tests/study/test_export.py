"""Tables for other programs: what a name holds is text there, and numbers are numbers."""

import csv
import dataclasses
import io
from itertools import pairwise

import pytest

from intentx.evaluation.metrics import METRICS
from intentx.report.tables.study import legend
from intentx.study.export import PUBLISHED, _cell, csv_cells, csv_table, latex, markdown
from intentx.study.plan import Measures
from intentx.study.results import read_results
from intentx.study.tables import KNOWN
from tests.report.toy_studies import plan, queries, write

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+cmd",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1+1",
    "--",
    '=HYPERLINK("x")',
]
TEXTS = ["a=1", "1-2", "tea @ five", "'=1", "", "-12", "+3.5e-2", "-.5", "−1"]


@pytest.fixture
def results(tmp_path):
    rankers = ("=cmd|' /C calc'!A0", "[b] a|b & c", "x\x1b[31m\u202e\ny")
    study = plan(rankers, ("@method", "GREEDY-LM", "a_b*c*\\"), name="-s|*t*\x07")
    asked = [(text, text or "none") for text in (*FORMULAS, *TEXTS, *(one for _, one in queries(2)))]
    asked = [(f"{qid}", query) for qid, query in asked if qid]
    return read_results([write(tmp_path / "s", study, asked, failed={(0, 0)})])


def rows(lines):
    return list(csv.DictReader(io.StringIO("".join(lines), newline="")))


def test_no_cell_of_csv_is_a_formula(results):
    found = rows(csv_cells(results))
    shown = {row["qid"] for row in found}
    assert {f"'{text}" for text in FORMULAS} <= shown
    assert {text for text in TEXTS if text} <= shown, "a text that is none, or a number, stays as it is"
    assert {row["ranker"] for row in found} >= {"'=cmd|' /C calc'!A0", "[b] a|b & c"}
    assert {row["method"] for row in found} == {"'@method", "GREEDY-LM", "a_b*c*\\"}
    for row in (*found, *rows(csv_table(results))):
        for name, cell in row.items():
            if cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
                float(cell)
                assert name not in ("ranker", "method")


def test_numbers_of_csv_stay_numbers(results):
    differences = [row["difference"] for row in rows(csv_table(results)) if row["difference"]]
    assert min(map(float, differences)) < 0 < max(map(float, differences))


def test_csv_with_half_of_a_pair_can_be_written(tmp_path):
    assert _cell("a\ud83d") == "a\ufffd"
    assert (_cell(-0.5), _cell(None)) == (-0.5, None)


def test_markdown_and_latex_hold_no_markup_and_no_control_characters(results):
    table, tex = markdown(results), latex(results)
    for text in (table, tex):
        assert not set(text) & set("\x1b\x07\u202e\r\t")
    assert r"| =cmd\|' /C calc'!A0 |" in table
    assert r"\[b\] a\|b \& c" in table
    assert r"x\\x1b\[31m\\u202e y" in table
    assert r"# -s\|\*t\*\\x07" in table
    assert r"(of GREEDY-LM" in table
    assert r"{[}b{]} a\textbar{}b \& c" in tex
    assert r"x\textbackslash{}x1b{[}31m\textbackslash{}u202e y" in tex
    body = [line.replace(r"\|", "") for line in table.splitlines() if line.startswith("|")]
    starts = [place for place, line in enumerate(body) if line.startswith("| ranker")]
    assert len(starts) == 3, "then by the published rule, and against what rankers look for"
    for start, end in pairwise([*starts, None]):
        bars = {line.count("|") for line in body[start:end]}
        assert bars == {body[start].count("|")}, "each row has the columns of the head"


def test_each_table_has_a_label_of_its_own(results):
    tex = latex(results)
    labels = [line for line in tex.split("\n") if line.startswith(r"\label")]
    assert labels == [rf"\label{{tab:{one}}}" for one in ("s-t", "s-t-2", "s-t-3")]


def test_marks_are_explained_where_there_are_any(tmp_path):
    few = read_results([write(tmp_path / "few", plan(), queries(2))])
    alone = dataclasses.replace(few, lines=[dataclasses.replace(line, against={}) for line in few.lines])
    many = read_results([write(tmp_path / "many", plan(), queries(40))])
    for results, marked, tested in ((few, False, True), (alone, False, False), (many, True, True)):
        for text in (markdown(results), latex(results), legend(results.lines)):
            told = text.split("Published" if "Published" in text else "By the published rule")[0]
            assert ("better and" in told) is marked
            assert ("is better or worse than the best other baseline" in told) is (tested and not marked)
            assert ("Holm" in told) is tested


def test_a_mark_of_the_second_table_is_explained_in_the_first(tmp_path):
    few = read_results([write(tmp_path / "few", plan(), queries(2))])
    line = next(one for one in few.lines if "vote1_all" in one.against)
    sure = dataclasses.replace(line.against["vote1_all"], difference=0.5, p=0.001)
    marked = dataclasses.replace(line, against={**line.against, "vote1_all": sure})
    lines = [marked if one is line else one for one in few.lines]
    for text in (markdown(few), latex(few)):
        assert "better and" not in text
    for write_table in (markdown, latex):
        assert "better and" in write_table(dataclasses.replace(few, lines=lines))


def test_a_table_begins_right_below_its_title(results):
    title, empty, head, *_ = markdown(results).split("\n")
    assert (title[:2], empty, head[:8]) == ("# ", "", "| ranker")


def test_names_of_baselines_are_no_markup_either(tmp_path):
    study = plan(("BM25",), ("QUERY-TERMS", "a|b*c"))
    study = dataclasses.replace(study, baselines=("a|b*c",))
    found = read_results([write(tmp_path / "s", study, queries(3))])
    assert r"(of a\|b\*c)" in markdown(found)
    assert r"(of a\textbar{}b*c)" in latex(found)


def test_the_legend_says_what_the_columns_are_and_names_no_other(results):
    known = ("all", "far", "stability")
    lines = tuple(
        dataclasses.replace(line, metrics={key: line.metrics[key] for key in known})
        for line in results.lines
    )
    said = [METRICS[key].description for key in known]
    legend = (
        f"\nAll pairs: {said[0]}; far pairs: {said[1]} (at least {results.study.measures.gap} ranks); "
        f"stability: {said[2]}. Bold: "
    )
    assert legend in markdown(dataclasses.replace(results, lines=lines))


def test_metrics_by_the_published_rule_have_a_table_of_their_own(tmp_path):
    measures = Measures(published=True, tolerance={"B|M": 2, "D&M": 0.25})
    study = dataclasses.replace(plan(("B|M", "D&M", "MiniLM")), measures=measures)
    found = read_results([write(tmp_path / "with", study, queries(3))])
    table, tex = markdown(found), latex(found)
    head = (
        "| ranker | method | one agrees, all pairs | one agrees, gap pairs | two agree, all pairs | two "
        "agree, gap pairs | utility | n |"
    )
    assert table.count(head) == 1
    assert r"(B\|M 2, D\&M 0.25, others the median difference of each ranking)" in table
    assert r"(B\textbar{}M 2, D\&M 0.25, others the median difference of each ranking)" in tex
    assert tex.count(r"\begin{table*}") == tex.count(r"\end{table*}") == 3
    assert "×" not in tex
    line = next(one for one in found.lines if one.method == "MULTIPLEX")
    assert set(PUBLISHED) <= set(line.metrics)
    assert set(PUBLISHED) - set(line.against) == {"utility"}  # more of it is not better
    means = {
        row["metric"]: row["mean"] for row in rows(csv_table(found)) if row["method"] == "MULTIPLEX"
    }
    assert set(PUBLISHED) <= set(means)
    assert set(PUBLISHED) <= set(rows(csv_cells(found))[0])


def test_results_from_before_the_published_rule(tmp_path):
    old = read_results([write(tmp_path / "old", plan(), queries(3), left_out=[*PUBLISHED, *KNOWN])])
    assert old.study.measures == Measures()
    table, tex = markdown(old), latex(old)
    assert table.count("| ranker") == 1
    assert "ublished" not in table + tex  # codespell:ignore ublished
    assert "looks for" not in table + tex
    assert tex.count(r"\begin{table*}") == 1
    assert {row["vote1_all"] for row in rows(csv_cells(old))} == {""}
    assert not {*PUBLISHED, *KNOWN} & {row["metric"] for row in rows(csv_table(old))}


def test_terms_held_against_what_rankers_look_for_have_a_table_of_their_own(tmp_path):
    found = read_results([write(tmp_path / "with", plan(), queries(3), left_out=PUBLISHED)])
    table, tex = markdown(found), latex(found)
    assert table.count("| ranker | method | intent precision | intent recall | intent AP | n |") == 1
    assert table.count("held against what the ranker says that it looks for") == 1
    assert tex.count(r"\begin{table*}") == 2
    heads = (r"\shortstack[r]{intent \\ precision}", r"\shortstack[r]{intent \\ recall}")
    last = r"\shortstack[r]{intent \\ AP}"
    assert rf"ranker & method & {' & '.join([*heads, last])} \\" in tex
    line = next(one for one in found.lines if one.method == "MULTIPLEX")
    assert set(KNOWN) <= set(line.metrics)
    assert set(KNOWN) <= set(line.against)
    assert set(KNOWN) <= set(rows(csv_cells(found))[0])
    silent = dataclasses.replace(line, ranker="silent", metrics={"all": line.metrics["all"]})
    both = dataclasses.replace(found, lines=(*found.lines, silent))
    assert markdown(both).count("| silent |") == 1
    assert sum(row.startswith("silent &") for row in latex(both).split("\n")) == 1

"""Tables for other programs: what a name holds is text there, and numbers are numbers."""

import csv
import dataclasses
import io

import pytest

from intentx.study.export import _cell, csv_cells, csv_table, latex, markdown
from intentx.study.results import read_results
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
    heads = next(line for line in table.splitlines() if line.startswith("| ranker"))
    body = [line for line in table.splitlines() if line.startswith("|")]
    bars = {line.replace(r"\|", "").count("|") for line in body}
    assert bars == {heads.count("|")}, "each row has the columns of the head"


def test_names_of_baselines_are_no_markup_either(tmp_path):
    study = plan(("BM25",), ("QUERY-TERMS", "a|b*c"))
    study = dataclasses.replace(study, baselines=("a|b*c",))
    found = read_results([write(tmp_path / "s", study, queries(3))])
    assert r"(of a\|b\*c)" in markdown(found)
    assert r"(of a\textbar{}b*c)" in latex(found)

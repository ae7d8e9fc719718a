"""Smallest changes as JSON, page, picture and on the command line."""

import json

import pytest

import intentx as ix
from intentx.cli import main
from tests.explainers.change.weighed_documents import DOCS, weighed


def test_json_notebook_terminal_and_page(ranking, tmp_path):
    found = ix.Counterfactual(k=2, most=2).explain(ranking, "a")
    again = ix.load(found.save(tmp_path / "a.json"))
    assert again.to_json() == found.to_json()
    assert again.changes == found.changes
    plain = json.loads(found.to_json())
    assert {"kind", "text", "start", "end"} <= set(plain["changes"][0])
    assert "[-piano-]" in found.text()
    assert "<del>piano</del>" in found._repr_html_()
    page = found.to_html(tmp_path / "a.html").read_text()
    assert "<del>piano</del>" in page
    assert "<script" not in page
    assert list(found.to_dataframe()["text"]) == [one.text for one in found.changes]
    same = ix.Counterfactual(k=2, most=2).explain(ix.rank(weighed, "piano", DOCS), "a").to_dict()
    assert {**same, "seconds": 0} == {**found.to_dict(), "seconds": 0}
    with pytest.raises(ix.InputError, match="status must be one of"):
        ix.ChangeExplanation.from_dict({**found.to_dict(), "status": "sure"})


@pytest.fixture
def ranking():
    return ix.rank(weighed, "piano", DOCS)


def test_the_ladder_and_the_diff_are_drawn(ranking, tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    found = ix.Counterfactual(goal="leave", k=2).explain(ranking, "a")
    axis = found.plot()
    line = axis.get_lines()[0]
    assert line.get_xdata().tolist() == [1, *found.ranks]
    shown = [label.get_text() for label in axis.get_yticklabels()]
    assert shown == ["as it is", *(one.words for one in found.changes)]
    [dashed] = [one for one in axis.get_lines() if one.get_linestyle() == "--"]
    assert dashed.get_xdata() == [2.5, 2.5]
    texts = [one.get_text() for one in axis.figure.axes[0].texts]
    assert "".join(texts) == DOCS["a"].replace(" ", "")
    assert len(axis.figure.axes[0].patches) == len(found.changes)
    _, ax = pyplot.subplots()
    assert found.plot(ax) is ax
    assert len(ax.figure.axes) == 1
    nothing = ix.Counterfactual(goal="leave", k=2).explain(ranking, "e")
    assert nothing.plot().get_lines()[0].get_xdata().tolist() == [5]
    with pytest.raises(ix.InputError, match="most must be 1 or more"):
        found.plot(most=0)
    pyplot.close("all")


def test_the_command_line(tmp_path, capsys):
    docs = tmp_path / "docs.jsonl"
    docs.write_text("\n".join(json.dumps({"id": i, "text": t}) for i, t in DOCS.items()))
    given = ["explain", "--ranker", "bm25", "--query", "piano keys", "--docs", str(docs)]
    assert main([*given, "--doc", "e", "--goal", "enter", "--k", "3", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["format"] == "intentx.change/1"
    assert plain["rank_after"] <= 3
    for wrong, said in (
        (["--goal", "enter"], "needs one document"),
        (["--keep", "query", "--doc", "e"], "--keep goes with --goal"),
        (["--doc", "e", "--goal", "above"], "--above"),
        (["--doc", "e", "--goal", "enter", "--above", "a"], "--above goes with"),
        (["--doc", "e", "--goal", "enter", "--samples", "9"], "--samples is of explanations by words"),
        (["--doc", "e", "--goal", "enter", "--edits", "magic"], "edits must be"),
    ):
        assert main([*given, *wrong]) == 2
        assert said in capsys.readouterr().err

"""Explanations of one document held against each other: words of one alone, agreement, what is kept."""

from __future__ import annotations

import dataclasses
import json

import pytest

import intentx as ix
from tests.explainers.document.linear import Linear
from tests.report.test_page import Reader

DOCS = ["stage piano with cable and pedal", "cable", "piano stool", "desk"]
TERMS = ("piano", "pedal", "cable", "with")
WEIGHTS = {"piano": 2.0, "cable": -1.0, "stage": 0.5}


@pytest.fixture(scope="module")
def explanations():
    ranking = ix.rank(Linear(WEIGHTS), "q", DOCS)
    return [ix.KernelSHAP().explain(ranking, "0"), ix.EXS(labels="score", k=4).explain(ranking, "0")]


@pytest.fixture(scope="module")
def beside(explanations):
    other = dataclasses.replace(
        explanations[0],
        terms=TERMS,
        weights=(2.0, 1.0, -1.0, 0.001),
        method="DeepSHAP",
    )
    return ix.side_by_side([explanations[0], other], ["shap", "deep"])


def test_words_that_one_alone_names(beside):
    assert beside.first == {
        "shap": ("piano", "cable", "stage"),
        "deep": (
            "piano",
            "pedal",
            "cable",
        ),
    }
    assert beside.alone == {"shap": ("stage",), "deep": ("pedal",)}, "a thousandth names no word"
    assert beside.words == ("piano", "cable", "pedal", "stage")
    assert (beside.doc_id, beside.above, beside.varies) == ("0", None, "method")


def test_how_far_they_agree_is_what_agreement_says(beside):
    [one] = beside.agreements
    assert (one.first, one.second) == ("shap", "deep")
    assert one.agreement == beside.agreement
    shorter = dataclasses.replace(beside.explanations[1], terms=TERMS[:3], weights=(2.0, 1.0, -1.0))
    again = ix.agreement([beside.explanations[0], shorter], 10)
    assert (one.agreement.rbo, one.agreement.jaccard) == (again.rbo, again.jaccard)
    assert one.agreement.kendall == pytest.approx(again.kendall)
    assert one.agreement.jaccard == pytest.approx(2 / 4)
    assert "shap and deep share 0.50 (Jaccard)" in beside.sentence


def test_each_has_its_verdict_and_its_faithfulness(beside, explanations):
    assert beside.faithfulness_of("shap") == ix.faithfulness(explanations[0])
    assert all(one.verdict is not None for one in beside.explanations)
    unasked = ix.side_by_side(explanations, faithful=False)
    assert unasked.faithfulness_of("EXS") is None
    assert ix.SideBySide.from_dict(unasked.to_dict()).explanations[0].measures == {}


def test_json_both_ways_table_notebook_and_page(beside, tmp_path):
    plain = json.loads(beside.to_json())
    assert [one["method"] for one in plain["explanations"]] == ["KernelSHAP", "DeepSHAP"]
    assert plain["alone"] == {"shap": ["stage"], "deep": ["pedal"]}
    again = ix.load(beside.save(tmp_path / "beside.json"))
    assert isinstance(again, ix.SideBySide)
    assert again.to_json() == beside.to_json()
    shown = beside.text(100)
    row, *_ = [line for line in shown.splitlines() if "│ pedal" in line]
    assert row.count("*") == 1
    assert "this method alone" in shown
    assert "<b>+1.00* </b>" in beside._repr_html_()
    page = beside.to_html(tmp_path / "p.html").read_text(encoding="utf-8")
    assert "<b><bdi>pedal</bdi></b>" in page
    assert "<b><bdi>cable</bdi></b>" not in page.split('id="beside"')[1].split("</section>")[0]
    assert "shap and deep share 0.50" in Reader(page).text


def test_several_rankers_are_told_apart():
    found = [
        ix.KernelSHAP().explain(ix.rank(Linear({"piano": weight}), "q", DOCS), "0")
        for weight in (1.0, -1.0)
    ]
    beside = ix.side_by_side(found, ["likes", "dislikes"])
    assert beside.varies == "ranker"
    assert beside.votes.summary.startswith("The rankers contradict each other on 1 word")
    assert "this ranker alone" in beside.text(90)
    same = ix.side_by_side([found[0], found[0]], ["a", "b"])
    assert (same.varies, same.agreement.rbo) == ("method", pytest.approx(1.0))


def test_what_cannot_stand_side_by_side(explanations):
    one = explanations[0]
    elsewhere = dataclasses.replace(one, ranking=dataclasses.replace(one.ranking, query="other"))
    pair = ix.KernelSHAP().explain(one.ranking, "0", above="3")
    for given, labels, message in (
        ([one], None, "needs two explanations or more"),
        ([one, one], ["a", "a"], "labels must differ from each other, not a, a"),
        ([one, elsewhere], None, "for different queries: q, other"),
        ([one, pair], None, "compare it with different documents: 3, no other"),
    ):
        with pytest.raises(ix.InputError, match=message):
            ix.side_by_side(given, labels, faithful=False)


def test_a_variant_is_a_method_of_its_own():
    from intentx.explainers.methods import find_method, make_method

    assert find_method("deepshap:TOPK").name == "deepshap:topk"
    assert make_method("lirme:uniform", {"samples": 9}) == ix.LIRME(sampler="uniform", samples=9)
    with pytest.raises(ix.InputError, match="has chosen reference='oov', and cannot have 'idf'"):
        make_method("deepshap:oov", {"reference": "idf"})
    with pytest.raises(ix.InputError, match=r"no method 'deepshap:oof'; .* did you mean"):
        find_method("deepshap:oof")

"""Methods side by side: who speaks for a word, who against, and where they contradict each other."""

import dataclasses
import functools
import json

import pytest

import intentx as ix
from intentx.cli import main
from intentx.explainers.document.votes import word_votes
from intentx.report.pages.document import document_page
from intentx.report.pictures.votes import votes_figure, write_votes
from tests.explainers.document.linear import Linear
from tests.report.test_within import outside

DOCS = ["stage piano with cable", "cable", "piano stool", "desk"]


def explanations():
    return [*_explanations()]


@functools.cache
def _explanations():
    """Three that agree, and one that has the sign of the piano wrong."""
    ranking = ix.rank(Linear({"piano": 2.0, "cable": -1.0, "stage": 0.01}), "q", DOCS)
    found = [
        method.explain(ranking, "0")
        for method in (ix.KernelSHAP(), ix.LIRME(sampler="uniform"), ix.EXS(labels="score", k=4))
    ]
    turned = tuple(-w if t == "piano" else w for t, w in zip(*_columns(found[0]), strict=True))
    return [*found, dataclasses.replace(found[0], method="IntegratedGradients", weights=turned)]


def _columns(found):
    return found.terms, found.weights


def test_one_against_three():
    told = word_votes(explanations())
    [piano] = told.contradictions
    assert told.words[0] == piano
    assert piano.votes_against == ("IntegratedGradients",)
    assert piano.sentence == (
        "piano: IntegratedGradients says against, KernelSHAP, LIRME and EXS say for"
    )
    assert told.summary.startswith("The methods contradict each other on 1 word of ")
    cable = told.of("cable")
    assert (len(cable.votes_for), len(cable.votes_against), cable.contradicted) == (0, 4, False)
    assert told.of("stage") is None, "half a percent of the largest weight matters to nobody"


def test_agreement_is_said_as_well():
    told = word_votes(explanations()[:3])
    assert told.contradictions == ()
    assert told.summary.startswith("No method contradicts another")


def test_sizes_have_no_side():
    saliency = dataclasses.replace(explanations()[3], method="Saliency")
    told = word_votes([*explanations()[:2], saliency])
    assert told.left_out == ("Saliency",)
    assert told.contradictions == ()
    assert told.summary.endswith("Saliency has no part in it: they give sizes without a sign.")
    alone = word_votes([explanations()[0], saliency])
    assert alone.summary.startswith("There are no two methods whose weights have a sign. Saliency")


def test_the_picture_says_so(tmp_path):
    from matplotlib.text import Text

    figure = votes_figure(explanations(), ["shap", "lirme", "exs", "ig"])
    said = [text.get_text() for text in figure.findobj(Text) if text.get_text()]
    assert "piano: ig says against, shap, lirme and exs say for" in said
    [title] = [text for text in figure.texts if "side by side" in text.get_text()]
    assert title.get_text() == "0 (rank 2) for “q”, side by side"
    start = said.index("piano")
    assert said[start : start + 6] == ["piano", "+2.00", *said[start + 2 : start + 4], "−2.00",
                                       "3 : 1 contradicted"]  # fmt: skip
    bold = {text.get_text() for text in figure.findobj(Text) if text.get_fontweight() == "bold"}
    assert {"piano", "3 : 1 contradicted"} <= bold
    assert not {"cable", "0 : 4"} & bold
    path = write_votes(tmp_path / "votes.svg", explanations())
    assert path.read_bytes() == write_votes(tmp_path / "again.svg", explanations()).read_bytes()


@pytest.mark.parametrize("name", ["W" * 200, "钢琴键盘" * 50])
def test_nothing_leaves_the_picture(name):
    some = explanations()
    terms = tuple(name if term == "piano" else term for term in some[0].terms)
    some[0] = dataclasses.replace(some[0], terms=terms)
    some[3] = dataclasses.replace(some[3], terms=terms)
    ranking = dataclasses.replace(some[0].ranking, query=name)
    some[0] = dataclasses.replace(some[0], ranking=ranking)
    assert outside(votes_figure(some, [name, *"bcd"])) == {}


def test_the_command_draws_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs.tsv").write_text("\n".join(f"d{n}\t{text}" for n, text in enumerate(DOCS)))
    code = main(["explain", "--ranker", "bm25", "--query", "piano", "--docs", "docs.tsv", "--doc", "#1",
                 "--method", "exs", "--method", "shap", "--png", "p.svg"])  # fmt: skip
    assert code == 0
    assert "picture: p-side-by-side.svg" in capsys.readouterr().out
    written = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert written == ["p-exs.svg", "p-shap.svg", "p-side-by-side.svg"]


def test_the_page_says_so():
    page = document_page(explanations())
    assert "IntegratedGradients says against, KernelSHAP, LIRME and EXS say for" in page
    assert "3 : 1 contradicted" in page
    assert '<th scope="row"><em>the rest: no word</em></th>' in page
    assert "contradict" not in document_page(explanations()[:1])


def test_plain_data_and_table():
    told = word_votes(explanations(), ["shap", "lirme", "exs", "ig"])
    plain = json.loads(json.dumps(told.to_dict()))
    assert plain["methods"] == ["shap", "lirme", "exs", "ig"]
    assert plain["contradictions"] == ["piano"]
    assert plain["words"][0]["against"] == ["ig"]
    from intentx.explainers.plain import printed

    assert "ig says against, shap, lirme and exs say for" in printed(told, 120)


@pytest.mark.parametrize(
    ("given", "labels", "message"),
    [
        (1, None, "two explanations or more and one label for each, not 1 and 1"),
        (2, ["a"], "not 2 and 1"),
    ],
)
def test_what_cannot_stand_side_by_side(given, labels, message):
    with pytest.raises(ix.InputError, match=message):
        word_votes(explanations()[:given], labels)


def test_of_different_documents():
    ranking = ix.rank(Linear({"piano": 2.0}), "q", DOCS)
    found = [ix.KernelSHAP().explain(ranking, doc) for doc in (0, 1)]
    with pytest.raises(ix.InputError, match="different documents: 0, 2"):
        word_votes(found)


def test_the_same_method_twice_is_numbered():
    one = explanations()[0]
    assert word_votes([one, one]).labels == ("KernelSHAP 1", "KernelSHAP 2")

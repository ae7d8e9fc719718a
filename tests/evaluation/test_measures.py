"""What was measured of an explanation is wherever the explanation is shown."""

import json

import pytest
from matplotlib.text import Text

import intentx as ix
from intentx.cli import main
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.report import page, picture

TEXTS = [
    "a stage piano with piano action", "reviews of a digital piano and its keys", "a piano stool",
    "typing on a keyboard", "keys of a car", "a desk of oak", "piano music played by a friend",
    "a boat on a lake", "the piano and the violin of a band",
]  # fmt: skip


def pianos(query, texts):
    return [2 * text.count("piano") + text.count("keys") - len(text) / 1000 for text in texts]


@pytest.fixture(scope="module")
def ranking():
    return ix.rank(pianos, "keyboard <b>", TEXTS)


@pytest.fixture(scope="module")
def whole(ranking):
    method = ix.Multiplex(seed=0, max_terms=4, budget=0)
    return method.explain(ranking).with_measures(
        ix.heldout_fidelity(method, ranking, share=0.45, repeats=3)
    )


@pytest.fixture(scope="module")
def one(ranking):
    found = ix.KernelSHAP(samples=60).explain(ranking, 0)
    return found.with_measures(ix.faithfulness(found, words=3, draws=2))


def drawn(explanation):
    texts = [text.get_text() for text in picture(explanation).findobj(Text)]
    return " ".join(" ".join(texts).split())


WAYS = {
    "terminal": lambda explanation: " ".join(explanation.text(200).split()),
    "notebook": lambda explanation: explanation._repr_html_(),
    "page": lambda explanation: page([explanation]),
    "picture": drawn,
}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_asked_for_is_shown(way, whole, one):
    for explanation in (whole, one):
        [measure] = explanation.measures.values()
        assert measure.sentence in WAYS[way](explanation)
    assert f"{whole.measures['heldout_documents'].mean:.3f} of the preferences" in WAYS[way](whole)
    assert f"falls by {one.measures['faithfulness'].falls:.1f} ranks" in WAYS[way](one)


@pytest.mark.parametrize("way", WAYS)
def test_what_was_not_measured_is_not_shown(way, whole, one):
    for explanation in (whole, one):
        bare = type(explanation).from_dict(
            {
                name: part
                for name, part in explanation.to_dict().items()
                if name not in explanation.measures
            }
        )
        shown = WAYS[way](bare)
        assert "Held-out documents" not in shown
        assert "Faithfulness" not in shown


def test_the_row_of_the_page(whole):
    held = whole.measures["heldout_documents"]
    row = page([whole]).partition("held-out documents<small>")[2].partition("</tr>")[0]
    assert f"the mean of 3 splits, {held.interval}" in row
    assert f">{held.mean:.3f}</td>" in row
    assert f">{held.majority:.3f}</td>" in row
    assert all(f">{share:.3f}</td>" in row for share in held.by_ranker.values())
    assert f'class="n">{sum(row.pairs for row in held.rows)}</td>' in row
    assert "not measured" not in row
    assert "held-out pairs<small>" in page([whole])  # another thing, and called so


def test_the_curves_of_the_page_and_of_the_picture(one):
    found = one.measures["faithfulness"]
    table = page([one]).partition('<table class="faithfulness">')[2].partition("</table>")[0]
    for curve in (found.deletion, found.random_deletion, found.preservation, found.random_preservation):
        assert all(f"<span>{rank + 1:.1f}</span>" in table for rank in curve)
    lines = {
        line.get_label(): list(line.get_ydata()) for axes in picture(one).axes for line in axes.lines
    }
    assert lines["its words taken away"] == [rank + 1 for rank in found.deletion]
    assert lines["only random words left"] == [rank + 1 for rank in found.random_preservation]


def test_round_trip(whole, one):
    for kind, explanation in ((IntentExplanation, whole), (DocumentExplanation, one)):
        again = kind.from_json(explanation.to_json())
        assert again.to_json() == explanation.to_json()
        [(name, measure)] = again.measures.items()
        assert measure.sentence == explanation.measures[name].sentence
        assert type(measure) is type(explanation.measures[name])


def test_splits_that_could_not_be_measured_are_told(ranking):
    method = ix.Multiplex(seed=0, max_terms=2, budget=0)
    tied = ix.rank(lambda query, texts: [float("piano" in text) for text in texts], "x", TEXTS)
    found = method.explain(tied).with_measures(ix.heldout_fidelity(method, tied, share=0.2, repeats=6))
    held = found.measures["heldout_documents"]
    missed = sum(map(bool, held.reasons))
    assert 0 < missed < 6
    assert f"{6 - missed} of 6 splits" in held.sentence
    assert f"not measured in {missed} of 6 splits: " in page([found])


def test_only_measures_are_kept(whole):
    with pytest.raises(ix.InputError, match=r"Axioms or StagePlaces, not 0\.5"):
        whole.with_measures(0.5)


@pytest.mark.parametrize(
    ("options", "key", "shown"),
    [
        (["--heldout", "2", "--method", "query-terms"], "heldout_documents",
         "held-out documents<small>"),
        (["--doc", "#1", "--method", "exs", "--method", "lirme", "--faithfulness"], "faithfulness",
         "Faithfulness: without"),
    ],
)  # fmt: skip
def test_the_command_shows_what_it_is_asked_for_everywhere(
    options, key, shown, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    lines = (f"{number}\t{text}" for number, text in enumerate(TEXTS))
    (tmp_path / "docs.tsv").write_text("\n".join(lines))
    command = ["explain", "--ranker", "bm25", "--query", "piano keys", "--docs", "docs.tsv", *options]
    assert main([*command, "--html", "page.html", "--png", "p.svg"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert main([*command, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    several = [plain] if key in plain else plain["explanations"]
    kind = {"heldout_documents": ix.HeldoutFidelity, "faithfulness": ix.Faithfulness}[key]
    written = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert shown in written
    for one in several:
        sentence = kind.from_dict(one[key]).sentence
        assert sentence in written
        assert sentence.partition(":")[0] in told

"""Answers in files: `load` finds the class by the format, and refuses what is something else."""

import json
import math
from dataclasses import dataclass
from typing import ClassVar

import pytest

import intentx as ix
from intentx.comparison.compare import compare_rankers
from intentx.explainers.document.verdict import DocumentVerdict
from intentx.study.data import Topic
from tests.toys import keyboards


@pytest.fixture(scope="module")
def ranking():
    texts, scorer = keyboards(number=12)
    return ix.rank(scorer, "keyboard reviews", texts)


@pytest.fixture(scope="module")
def whole(ranking):
    return ix.QueryTerms().explain(ranking)


@pytest.fixture(scope="module")
def single(ranking):
    return ix.EXS(samples=40).explain(ranking, 0)


@pytest.fixture(scope="module")
def measures(ranking, whole, single):
    """One measure of each kind, by its class."""
    other = ix.LIRME(samples=40).explain(ranking, 0)
    found = [
        whole.fidelity,
        whole.verdict,
        single.verdict,
        ix.heldout_fidelity(ix.QueryTerms(), ranking, repeats=2),
        ix.faithfulness(single, words=2, draws=2),
        ix.agreement([single, other]),
        ix.insertion(["piano", "<b>"], ranking, draws=2, pool=[]),
        ix.plausibility(single, [(0, 5), (5, 400)], [True, False]),
        ix.plausibility(single, [(0, 5)], [False]),
        ix.contrast([3.0, 4.0, math.nan], [1.0, 2.0]),
        ix.published_fidelity(whole),
    ]
    assert len({type(one) for one in found}) == 10
    return found


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a.json.bz2", "a.json.xz", "a"])
def test_explanations_come_back_from_files(whole, single, tmp_path, name):
    for found in (whole, single):
        path = found.save(tmp_path / name)
        again = ix.load(path)
        assert type(again) is type(found)
        assert again.to_json() == found.to_json()
        before = path.read_bytes()
        assert found.save(str(path)).read_bytes() == before


def test_an_old_file_is_still_read(whole, tmp_path):
    plain = json.loads(whole.to_json())
    for newer in ("effects", "avoids", "verdict", "cautions"):
        del plain[newer]
    plain["format"] = "intentx.intent/1"
    (tmp_path / "old.json").write_text(json.dumps(plain))
    again = ix.load(tmp_path / "old.json")
    assert again.terms == whole.terms
    assert again.verdict is None
    assert {one.kind for one in again.effects} == {"not asked"}


def test_measures_come_back_from_files(measures, tmp_path):
    for place, found in enumerate(measures):
        again = ix.load(found.save(tmp_path / f"{place}.json"))
        assert type(again) is type(found)
        assert repr(again) == repr(found)
        assert again.to_json() == found.to_json() == type(found).from_json(found.to_json()).to_json()
        assert type(found).from_dict(found.to_dict()).to_dict() == found.to_dict()


def test_measures_have_tables_for_terminals_and_notebooks(measures):
    for found in measures:
        assert found.sentence.rstrip().endswith((".", "draws)."))
        assert "━" in found.text() or "┃" in found.text()
        shown = found._repr_html_()
        assert shown.startswith("<p>")
        assert "<table><tr><th>" in shown
    text, shown = measures[6].text(), measures[6]._repr_html_()
    assert "<b>" in text
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert "–" in text  # what terms drawn from nothing do is not known
    assert "average_precision" in measures[7].text()
    assert "not measured: no sentence is marked as evidence" in measures[8].sentence


def test_comparisons_come_back_from_files(tmp_path):
    texts, scorer = keyboards(number=8)
    docs = {str(number): text for number, text in enumerate(texts)}
    rankers = {"planted": scorer, "length": lambda query, some: [len(text) for text in some]}
    topics = [Topic("1", "keyboard", docs, tuple(docs))]
    found = compare_rankers(rankers, topics, method=ix.QueryTerms())
    again = ix.load(found.save(tmp_path / "compared.json"))
    assert again.to_json() == found.to_json()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"format": "other/1"}', r"a\.json is of format 'other/1', and is not an answer of intentx"),
        ('{"format": 3}', r"a\.json is of format 3, and is not an answer"),
        ('{"format": "/1"}', r"a\.json is of format '/1', and is not an answer"),
        ("{}", r"a\.json names no format, and is not an answer"),
        ("[1]", r"a\.json: a JSON object expected, not \[1\]"),
        ("<html>", r"a\.json: broken JSON"),
        ("", r"a\.json: broken JSON"),
    ],
)
def test_what_is_something_else_is_refused_with_what_is_known(tmp_path, content, said):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ix.InputError, match=said) as caught:
        ix.load(tmp_path / "a.json")
    for known in ("intentx.intent/", "intentx.document/", "intentx.gradcam/", "intentx.comparison/"):
        assert known in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "intentx.intent/99"}, "a.json: no explanation: format is 'intentx.intent/99'"),
        ({"terms": 3}, "a.json: the explanation is damaged: terms must be a list of strings"),
        ({"seconds": None}, "a.json: the explanation is damaged"),
    ],
)
def test_damaged_explanations_are_refused_by_the_name_of_the_file(whole, tmp_path, change, said):
    (tmp_path / "a.json").write_text(json.dumps({**json.loads(whole.to_json()), **change}))
    with pytest.raises(ix.InputError, match=said.replace(".", r"\.")):
        ix.load(tmp_path / "a.json")


def test_damaged_measures_are_refused(measures):
    for found in measures:
        kind = type(found)
        plain = found.to_dict()
        for text in ("[]", "{}", json.dumps({**plain, "format": "intentx.intent/1"})):
            with pytest.raises(ix.InputError):
                kind.from_json(text)
        for key in (field for field in plain if field in kind.__dataclass_fields__):
            with pytest.raises(ix.InputError, match=kind.__name__):
                kind.from_dict({**plain, key: {"a": object}})


def test_files_that_cannot_be_read_or_written(whole, tmp_path):
    with pytest.raises(ix.InputError, match=r"cannot read .*nowhere"):
        ix.load(tmp_path / "nowhere")
    with pytest.raises(ix.InputError, match="there is no folder"):
        whole.save(tmp_path / "no" / "folder.json")


@dataclass(frozen=True)
class Longest(ix.Explanation):
    """An explanation of a user's own kind."""

    method: str
    ranking: ix.Ranking
    settings: dict
    notes: tuple
    model_calls: int
    seconds: dict

    FORMAT: ClassVar[str] = "mine.longest/1"

    def to_dict(self):
        return {"format": self.FORMAT, "query": self.ranking.query}

    @classmethod
    def from_dict(cls, plain):
        ranking = ix.Ranking.from_run({"a": 1.0}, plain["query"], {"a": "text"})
        return cls("mine", ranking, {}, (), 0, {"total": 0.0})

    def __rich__(self):
        return "longest"

    def _repr_html_(self):
        return "<p>longest</p>"

    def _columns(self):
        return {"doc": list(self.ranking.doc_ids)}


def test_an_explanation_of_ones_own_kind(tmp_path):
    made = Longest.from_dict({"query": "tea"})
    again = ix.load(made.save(tmp_path / "own.json"))
    assert type(again) is Longest
    assert again.ranking.query == "tea"
    assert again.verdict is None
    assert again.to_dataframe()["doc"].tolist() == ["a"]
    assert again.text() == "longest\n"
    with pytest.raises(ix.InputError, match="a Longest is none: give it a plot of its own"):
        again.plot()
    with pytest.raises(ix.InputError, match="a Longest is none: give it a to_html of its own"):
        again.to_html(tmp_path / "own.html")


def test_verdicts_of_files_are_of_known_levels(single):
    with pytest.raises(ix.InputError, match=r"DocumentVerdict is damaged.*level"):
        DocumentVerdict.from_dict({**single.verdict.to_dict(), "level": "sure"})

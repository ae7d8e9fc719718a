"""Rankers whose statistics and words are those of the documents at hand: bm25, lm, rm3."""

import json

import pytest

import intentx as ix
from intentx.cli import main
from intentx.cli.compare import split_specs
from intentx.rankers import RM3, LanguageModel, load_ranker
from intentx.rankers.specs import is_lexical
from intentx.study.data import Topic
from intentx.study.plan import Data, Measures, Study
from intentx.study.rankings import mark_of, ranking_of
from intentx.study.results import read_results
from intentx.study.run import run_study
from intentx.text import Analyzer

SPECS = ("bm25", "lm", "rm3")
DOCS = {
    "a": "Green tea leaves from the hills",
    "b": "Black tea in a pot, and tea leaves",
    "c": "A piano stands beside the window",
    "d": "Leaves fall from old trees",
}
OTHERS = {**DOCS, **{f"e{n}": f"Tea number {n} with milk" for n in range(8)}}


def topic(docs):
    return Topic("1", "tea", docs, tuple(docs))


@pytest.mark.parametrize("spec", SPECS)
def test_statistics_are_those_of_the_documents(spec):
    """Of the same text for the same query, other documents make other scores."""
    few, many = (ranking_of(spec, topic(docs)) for docs in (DOCS, OTHERS))
    scores = [dict(zip(r.doc_ids, r.scores.tolist(), strict=True)) for r in (few, many)]
    assert few.doc_ids[:2] in (("a", "b"), ("b", "a"))
    assert abs(scores[0]["b"] - scores[1]["b"]) > 1e-4
    assert few.scorer.scorer.fingerprint != many.scorer.scorer.fingerprint
    again = ranking_of(spec, topic(DOCS))  # nothing is left of the other documents
    assert again.scores.tolist() == few.scores.tolist()


@pytest.mark.parametrize("spec", SPECS)
def test_marks_say_kind_settings_and_words(spec):
    german, bound = Analyzer(language="german", stem=True), Analyzer(ngrams=2)
    assert mark_of(spec) == mark_of(spec, Analyzer()) == mark_of(spec, bound)
    numbers = {"bm25": "k1=2", "lm": "mu=300", "rm3": "terms=3"}[spec]
    marks = {mark_of(one, w) for one in (spec, f"{spec}#{numbers}") for w in (None, german)}
    marks |= {mark_of(other) for other in SPECS if other != spec}
    assert len(marks) == 6


def test_settings_and_words_reach_the_ranker():
    german = Analyzer(language="german", stem=True)
    texts = ["Alte Häuser am Fluss", "Ein Boot"]
    lm = load_ranker("lm#mu=300", texts, german)
    assert isinstance(lm, LanguageModel)
    assert (lm.mu, lm.analyzer, dict(lm.term_weights("Haus"))) == (300.0, german, {"haus": 1.0})
    rm3 = load_ranker("rm3#documents=1&terms=2&original=0.75&stem=false", texts, german)
    assert isinstance(rm3, RM3)
    assert (rm3.documents, rm3.terms, rm3.original) == (1, 2, 0.75)
    own = load_ranker("lm#language=german&stem=true", texts, Analyzer(language="french"))
    assert own.analyzer == german
    assert load_ranker("rm3", texts, Analyzer()).analyzer == Analyzer(stem="english")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("lm:x", "lm takes nothing after a colon, not 'x'"),
        ("rm3#mu=1", "no setting 'mu' .* of rm3: there are 'documents', 'language', 'original'"),
        ("lm#mu=0", "mu must be above 0"),
        ("lm#mu=much", "mu after the # of lm cannot be 'much'"),
        ("rm3#documents=0", "RM3 needs 1 document"),
    ],
)
def test_settings_that_are_none_are_named(spec, message):
    for load in (lambda: load_ranker(spec, ["tea"]), lambda: mark_of(spec)):
        with pytest.raises(ix.InputError, match=message):
            load()


def test_specs_of_them_are_split():
    assert [is_lexical(one) for one in ("rm3#terms=3", "lm:x", "rm3s")] == [True, False, False]
    text = "lm#mu=300,L=lm#mu=9,rm3,bm25"
    assert split_specs(text) == {"lm#mu=300": "lm#mu=300", "L": "lm#mu=9", "rm3": "rm3", "bm25": "bm25"}
    with pytest.raises(ix.InputError, match="no ranker 'x'"):
        split_specs("lm,x")


def test_they_are_compared(tmp_path, capsys):
    path = tmp_path / "docs.jsonl"
    path.write_text("\n".join(json.dumps({"id": k, "text": t}) for k, t in OTHERS.items()))
    command = ["compare", "--rankers", "bm25,lm,rm3#terms=2", "--docs", str(path), "--json"]
    code = main([*command, "--queries", "green tea leaves", "--max-terms", "2"])
    out, err = capsys.readouterr()
    assert code == 0, err
    [query] = json.loads(out)["queries"]
    assert list(query["intents"]) == ["bm25", "lm", "rm3#terms=2"]
    model = LanguageModel(list(OTHERS.values()))("green tea leaves", list(OTHERS.values()))
    found = query["intents"]["lm"]
    scores = dict(zip(found["doc_ids"], found["scores"], strict=True))
    assert scores == pytest.approx(dict(zip(OTHERS, model.tolist(), strict=True)))


def test_they_are_studied(tmp_path):
    (tmp_path / "topics.jsonl").write_text(
        "\n".join(
            json.dumps(
                {"qid": n, "query": "tea", "docs": [{"id": k, "text": t} for k, t in docs.items()]}
            )
            for n, docs in (("few", DOCS), ("many", OTHERS))
        )
    )
    study = Study(
        name="x",
        data=Data(topics=str(tmp_path / "topics.jsonl")),
        rankers={spec: spec for spec in (*SPECS, "lm#mu=10")},
        methods={"Q": {"method": "query-terms"}},
        measures=Measures(heldout=0, heldout_pairs=False, stability=0, faithfulness=0, shuffled=False),
    )
    outcome = run_study(study, tmp_path / "out")
    assert (outcome.measured, outcome.failed) == (8, 0)
    rows = list(read_results([tmp_path / "out"]).rows())
    assert {row.terms for row in rows} == {("tea",)}

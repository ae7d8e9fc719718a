import json

import pytest

import intentx as ix
from intentx.cli import main

DOCS = {
    "a": "The museum opens at ten. A grand piano stands in the hall, and students play it on Sundays.",
    "b": "Our stage piano weighs eleven kilos, and its keys are weighted like those of a grand.",
    "c": "Tea should be poured at eighty degrees. A keyboard spilled with tea forgives nothing.",
    "d": "The boat leaves at noon, weather permitting, with tea on board and a piano below.",
}


def run(capsys, *arguments):
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def docs(tmp_path):
    path = tmp_path / "docs.jsonl"
    path.write_text("\n".join(json.dumps({"id": i, "text": text}) for i, text in DOCS.items()))
    return path


def test_a_survey_is_made_and_counted(capsys, tmp_path, docs):
    out = tmp_path / "survey"
    arguments = ("survey", "make", "--ranker", "bm25", "--method", "vanilla", "--docs", docs)
    queries = ("--queries", "grand piano", "tea", "boat at noon", "--words", "4", "--per-query", "2")
    code, said, told = run(
        capsys, *arguments, *queries, "--method", "lirme", "--copies", "2", "--out", out
    )
    assert code == 0, told
    assert said.splitlines()[:2] == [f"page: {out / 'survey-1.html'}", f"page: {out / 'survey-2.html'}"]
    survey = ix.load(out / "key.json")
    assert survey.methods == ("vanilla", "lirme")
    assert len(survey.questions) + survey.same == 6
    for one in survey.questions:
        assert one.document == DOCS[one.doc_id]
        assert one.first in one.document
        assert one.second in one.document
    code, _, told = run(capsys, *arguments, *queries, "--method", "lirme", "--out", out)
    assert code == 2
    assert "holds a survey already" in told
    plain = {"format": "intentx.survey-answers/1", "survey": survey.id, "copy": 0}
    files = []
    for who in ("ann", "bob"):
        choices = {
            str(n): "left" if survey.sides[0][n] else "right" for n in range(len(survey.questions))
        }
        files.append(tmp_path / f"{who}.json")
        files[-1].write_text(json.dumps({**plain, "assessor": who, "answers": choices}))
    code, said, told = run(capsys, "survey", "count", out, *files, "--json")
    assert code == 0, told
    found = json.loads(said)
    assert (found["share"], found["assessors"]) == (1.0, 2)
    code, said, _ = run(capsys, "survey", "count", out / "key.json", *files)
    assert "2 assessors" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--method", "vanilla"), "two different methods: give --method twice, not vanilla and vanilla"),
        ((), "give --method twice, not vanilla"),
        (("--method", "multiplex"), "multiplex explains a whole ranking"),
        (("--method", "grad"), "no method 'grad'"),
        (("--method", "saliency"), "bm25"),
        (("--method", "lirme", "--words", "0"), "a whole number, 1 or more, expected"),
        (("--method", "lirme", "--limit", "0"), "--limit must be 1 or more"),
    ],
)
def test_what_cannot_be_asked(capsys, tmp_path, docs, change, message):
    code, _, told = run(
        capsys, "survey", "make", "--ranker", "bm25", "--method", "vanilla", "--docs", docs,
        "--queries", "tea", "--out", tmp_path / "out", *change,
    )  # fmt: skip
    assert code == 2
    assert message.lower() in told.lower()


def test_a_key_that_is_none(capsys, tmp_path, docs):
    ranking = ix.rank(lambda query, texts: [len(text) for text in texts], "tea", DOCS)
    path = ix.LIRME(samples=30).explain(ranking, 0).save(tmp_path / "other.json")
    code, _, told = run(capsys, "survey", "count", path, path)
    assert code == 2
    assert "no key of a survey" in told

"""The options of the command line that choose how texts become terms."""

import contextlib
import json
import re
import sqlite3

import pytest

from intentx.cli import main
from intentx.study.plan import Study, read_study
from intentx.text import TextSettings

DOCS = {
    "a": "Die Häuser und das Meer, <b>Häuser</b> am Meer&nbsp;2",
    "b": "Das Haus und der Garten und die Häuser",
    "c": "Ein Garten am Meer",
    "d": "Der Hund",
}


def pairs(text):
    """A segmenter: words of two letters."""
    return [m.span() for m in re.finditer(r"\w{2}", text)]


@pytest.fixture
def docs(tmp_path):
    path = tmp_path / "docs.jsonl"
    lines = (json.dumps({"id": name, "text": text}) for name, text in DOCS.items())
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def explained(capsys, docs, *more):
    start = (
        "explain",
        "--query",
        "Haus am Meer",
        "--docs",
        docs,
        "--ranker",
        "bm25",
        "--json",
        "--doc",
        "a",
    )
    code = main([str(argument) for argument in (*start, "--method", "exs", "--samples", "20", *more)])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else None, err


def terms(plain):
    return {word["term"] for word in plain["words"]}


@pytest.mark.filterwarnings("default::intentx.errors.TextWarning")
def test_language_and_stem_reach_the_analyzer(capsys, docs):
    _, plain, err = explained(capsys, docs, "--language", "de", "--stem")
    assert "1 of 4 documents look like HTML, 'a' for one" in err
    for analyzer in (plain["analyzer"], plain["intent_analyzer"]):
        assert analyzer["stem"] == "german"
        assert analyzer["language"] == "de"
        assert analyzer["segmenter"]["name"] == "icu"
    assert "und" in plain["intent_analyzer"]["stopwords"]


def test_stopwords_from_a_file_or_none(capsys, docs, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("# mine\nhäuser\n", encoding="utf-8")
    _, plain, _ = explained(capsys, docs, "--stopwords", words)
    assert plain["intent_analyzer"]["stopwords"] == ["häuser"]
    _, plain, _ = explained(capsys, docs, "--stopwords", "none", "--language", "german")
    assert plain["intent_analyzer"]["stopwords"] == []


def test_markup_is_stripped(capsys, docs):
    _, plain, err = explained(capsys, docs, "--strip-markup", "--stopwords", "none")
    assert "HTML" not in err
    assert not {"b", "nbsp"} & terms(plain)
    assert {"meer", "2"} <= terms(plain)
    text = next(t for t in plain["ranking"]["texts"] if "<b>" in t)
    assert {text[w["start"] : w["end"]].casefold() for w in plain["words"]} == terms(plain)


def test_a_segmenter_of_ones_own(capsys, docs):
    _, plain, _ = explained(capsys, docs, "--segmenter", f"{__name__}:pairs")
    assert plain["analyzer"]["segmenter"] == {"name": f"{__name__}:pairs", "version": None}
    assert all(len(term) == 2 for term in terms(plain))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--language", "klingon"], "no language 'klingon'; give a name or an ISO code"),
        (["--language", "khmer"], "no stopwords for khmer"),
        (["--stopwords", "absent.txt"], "cannot read absent.txt"),
        (["--stem", "thai"], "no stemmer for 'thai'"),
        (["--segmenter", "absent:cut"], "module 'absent' cannot be imported"),
        (["--segmenter", "builtins:len"], "the segmenter builtins:len failed"),
    ],
)
def test_what_cannot_be_is_told_and_ends_with_2(capsys, docs, more, message):
    code, plain, err = explained(capsys, docs, *more)
    assert (code, plain) == (2, None)
    assert message in err


def test_compare_takes_them_too(capsys, docs):
    arguments = ["--queries", "Haus am Meer", "--docs", str(docs), "--language", "de", "--strip-markup"]
    code = main(["compare", "--rankers", f"bm25,{__name__}:backwards", "--json", *arguments])
    plain = json.loads(capsys.readouterr().out)
    assert code == 0
    assert plain["settings"]["analyzer"]["language"] == "de"
    found = {term for intent in plain["queries"][0]["intents"].values() for term in intent["terms"]}
    assert not found & {"b", "nbsp", "und", "am", "das"}


def backwards(query, texts):
    return [-len(text) for text in texts]


STUDY = """
name = "words"
[data]
topics = "topics.jsonl"
[rankers]
LENGTH = "tests.cli.test_word_options:backwards"
[methods]
QUERY = "query-terms"
[measures]
heldout = 0
stability = 0
shuffled = false
[text]
language = "de"
stopwords = "words.txt"
stem = true
strip_markup = true
"""


@pytest.fixture
def study(tmp_path):
    docs = [{"id": name, "text": text} for name, text in DOCS.items()]
    topic = {"qid": "1", "query": "Häuser und Meer", "docs": docs}
    (tmp_path / "topics.jsonl").write_text(json.dumps(topic) + "\n", encoding="utf-8")
    (tmp_path / "words.txt").write_text("und\ndas\n", encoding="utf-8")
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def test_a_study_says_how_texts_become_terms(study):
    found = read_study(study)
    assert found.text == TextSettings(
        language="de", stopwords=("das", "und"), stem=True, strip_markup=True
    )
    analyzer = found.method("QUERY").analyzer
    assert analyzer.terms("Die Häuser &amp; das Haus") == ("die", "haus")
    assert Study.from_dict(found.to_dict()) == found
    plain = read_study(study.with_name("study.toml")).to_dict()
    del plain["text"]
    assert "text" not in Study.from_dict(plain).to_dict()  # as before there was the table


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"de"', '"xx"', "no language 'xx'"),
        ("stem = true", "stem = 'xx'", "no stemmer for 'xx'"),
        ("stem = true", "stem = 3", "stem must be true, false or a language, not 3"),
        ('"words.txt"', '"absent.txt"', "cannot read .*absent.txt"),
        ('"words.txt"', "3", "stopwords must be words, a file, or 'none', not 3"),
        ("strip_markup = true", "strip_markup = 1", "strip_markup must be true or false, not 1"),
        ("strip_markup = true", "segmenter = 1", "segmenter must be named as module:callable, not 1"),
        ("strip_markup = true", "ngrams = 0", "ngrams must be 1 or more, not 0"),
        ("strip_markup = true", "words = 1", r"\[text\] has no key 'words'"),
    ],
)
def test_a_study_that_says_it_wrongly(study, old, new, message):
    study.write_text(STUDY.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_study(study)


def test_the_options_of_bench_stand_in_for_the_study_s(study, tmp_path, capsys):
    def terms_of(out, *more):
        assert main(["bench", str(study), "--out", str(tmp_path / out), *more]) == 0
        capsys.readouterr()
        with contextlib.closing(sqlite3.connect(tmp_path / out / "study.sqlite")) as base:
            return set(json.loads(base.execute("SELECT terms FROM cells").fetchone()[0]))

    assert terms_of("one") == {"häuser", "meer"}
    assert terms_of("two", "--stopwords", "none", "--stem", "english") >= {"und", "häuser"}

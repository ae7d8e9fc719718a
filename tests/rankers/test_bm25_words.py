"""BM25 on the command line finds words as the explanation does."""

import json

import pytest

import intentx as ix
from intentx.cli import main
from intentx.rankers import BM25, load_ranker
from intentx.rankers.kinds import own_words
from intentx.study.data import topics
from intentx.study.plan import Data
from intentx.study.rankings import mark_of
from intentx.text import Analyzer

GERMAN = {
    "a": "Alte Häuser in der Stadt, viele Häuser am Fluss",
    "b": "Die Stadt und der Fluss und die Brücke",
    "c": "Ein Boot auf dem Fluss in der Stadt",
    "d": "Bäume stehen in dem Garten der Stadt",
}
# 用, ของ and เขา are stopwords: who counts them takes the weather for a phone.
CHINESE = {
    "weather": "用 雨，用 风，用 雪",
    "phone": "新手机很好看",
    "camera": "相机拍照片",
    "train": "火车站的早晨",
}
THAI = {
    "tea": "ชาเขียวจากภูเขา",
    "of": "ของเขา ของเรา ของเขา",
    "boat": "เรือในแม่น้ำ",
    "tree": "ต้นไม้ในสวน",
}


@pytest.fixture
def written(tmp_path):
    def write(docs):
        path = tmp_path / "docs.jsonl"
        lines = (json.dumps({"id": doc, "text": text}) for doc, text in docs.items())
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("docs", "query", "options", "words"),
    [
        (GERMAN, "Haus", ["--language", "german", "--stem"], Analyzer(language="german", stem=True)),
        (CHINESE, "用 手机", ["--language", "chinese"], Analyzer(language="chinese")),
        (THAI, "ชาของเขา", ["--language", "th"], Analyzer(language="th")),
        (GERMAN, "Häuser", ["--stopwords", "none"], Analyzer(stopwords=())),
        (GERMAN, "Haus", ["--language", "de", "--stem", "--ngrams", "2"],
         Analyzer(language="de", stem=True)),
    ],
)  # fmt: skip
def test_the_words_of_the_command_are_those_of_bm25(written, capsys, docs, query, options, words):
    code = main(["explain", "--ranker", "bm25", "--query", query, "--docs", written(docs), "--json",
                 "--method", "query-terms", *options])  # fmt: skip
    out = capsys.readouterr().out
    assert code == 0
    ranked = json.loads(out)["ranking"]
    found = ix.rank(BM25(docs, analyzer=words), query, docs)
    assert ranked["doc_ids"] == list(found.doc_ids)
    assert ranked["scores"] == found.scores.tolist()
    assert sum(score > 0 for score in ranked["scores"]) == 1  # what English rules get wrong
    english = ix.rank(BM25(docs), query, docs)
    assert english.scores.tolist() != ranked["scores"] or options[0] == "--stopwords"


def test_settings_of_its_own_win(written, capsys):
    def scores(spec, *options):
        assert main(["explain", "--ranker", spec, "--query", "Haus", "--docs", written(GERMAN),
                     "--method", "query-terms", "--json", *options]) == 0  # fmt: skip
        return json.loads(capsys.readouterr().out)["ranking"]["scores"]

    own = scores("bm25#language=german&stem=true", "--language", "french")
    assert own == scores("bm25", "--language", "german", "--stem")
    assert own[0] > own[1] == 0
    steep = scores("bm25#k1=2&b=0", "--language", "german", "--stem")
    assert steep[0] > own[0]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bm25:german", "bm25 takes nothing after a colon"),
        ("bm25#words=de", "no setting 'words' .* of bm25: there are 'b', 'k1', 'language'"),
        ("bm25#language=klingon", "klingon"),
        ("bm25#k1=-1", "k1 of 0 or more"),
        ("bm25#b=much", "b .* cannot be 'much'"),
        ("bm25#stem=klingon", "klingon"),
    ],
)
def test_settings_that_are_none_are_named(spec, message):
    with pytest.raises(ix.InputError, match=message):
        load_ranker(spec, ["tea"])
    with pytest.raises(ix.InputError, match=message):
        mark_of(spec)


def test_compare_and_studies_find_and_rank_by_the_same_words(written, tmp_path, capsys):
    docs = {**GERMAN, **{f"e{n}": f"Fluss Boot Stadt {n}" for n in range(6)}}
    files = ["--docs", written(docs), "--queries", "Haus Boot", "--depth", "4", "--json"]
    rankers = "bm25,other=bm25#stem=english"
    assert main(["compare", "--rankers", rankers, *files, "--language", "de", "--stem"]) == 0
    [query] = json.loads(capsys.readouterr().out)["queries"]
    assert query["intents"]["bm25"]["doc_ids"][0] == "a"  # found, of ten documents, and put first
    others = query["intents"]["other"]
    assert dict(zip(others["doc_ids"], others["scores"], strict=True))["a"] == 0  # Haus is not Häuser

    (tmp_path / "q.tsv").write_text("1\tHaus\n", encoding="utf-8")
    (tmp_path / "s.toml").write_text(
        'name = "x"\n[data]\ndocs = "docs.jsonl"\ntopics = "q.tsv"\ndepth = 4\n[rankers]\nB = "bm25"\n'
        '[methods.q]\nmethod = "query-terms"\n[measures]\nheldout = 0\nstability = 0\n',
        encoding="utf-8",
    )
    words = ["--language", "de", "--stem"]
    assert main(["bench", str(tmp_path / "s.toml"), "--out", str(tmp_path / "out"), *words]) == 0
    assert "1 cells measured" in capsys.readouterr().err


def test_an_index_beside_german_words_is_german(written, tmp_path):
    (tmp_path / "q.tsv").write_text("1\tHaus\n", encoding="utf-8")
    data = Data(docs=written(dict(reversed(GERMAN.items()))), topics=str(tmp_path / "q.tsv"), depth=2)
    german = Analyzer(language="german", stem=True)
    pools = [topic.pool for words in (german, None) for topic in topics(data, analyzer=words)]
    assert pools == [("a", "d"), ("d", "c")]  # found, filled up with the first ones
    assert own_words(german) == german
    assert own_words(Analyzer()) is None is own_words(Analyzer(ngrams=3))


def test_rankings_by_other_words_are_other_cells():
    german, bound = Analyzer(language="german"), Analyzer(ngrams=2)
    assert mark_of("bm25") == mark_of("bm25", Analyzer()) == mark_of("bm25", bound)
    assert len({mark_of("bm25"), mark_of("bm25", german), mark_of("bm25#k1=2"),
                mark_of("bm25#k1=2", german)}) == 4  # fmt: skip

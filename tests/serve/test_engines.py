"""What the page searches in: indexes on disk, known again; search servers; callables."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import intentx as ix
from intentx.errors import InputError, ScorerError
from intentx.rankers import BM25
from intentx.search import SearchIndex
from intentx.serve.engines import DemoEngine, Engine
from intentx.serve.opening import open_engine
from tests.serve.conftest import Server
from tests.serve.sent import in_another_process

ROOT = Path(__file__).parents[2]
TEXTS = {f"d{i}": f"tea number {i % 7} {'pot ' * (i % 3)}" for i in range(60)} | {"z": "a boat"}


def written(path, texts=TEXTS):
    path.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in texts.items()))
    return path


@pytest.fixture
def docs(tmp_path):
    return written(tmp_path / "papers.jsonl")


def opened(docs, tmp_path, **more):
    return open_engine("docs", docs, state=tmp_path / "state", **more)


def test_scores_and_places_are_those_of_the_ranker(docs, tmp_path):
    engine = opened(docs, tmp_path)
    assert isinstance(engine, Engine)
    assert (engine.name, len(engine)) == ("papers", 61)
    scorer = BM25(list(TEXTS.values()))
    for query in ("tea pot", "number 3", "boat"):
        scores = scorer(query, list(TEXTS.values()))
        expected = sorted((-score, doc_id) for doc_id, score in zip(TEXTS, scores, strict=True) if score)
        found = engine.search(query, 100)
        assert [(-hit.score, hit.doc_id) for hit in found] == expected
        assert engine.search(query, 7) == found[:7]
        for rank, hit in enumerate(found, start=1):
            assert engine.place(query, hit.doc_id) == (rank, hit.score)
    assert engine.place("boat", "d1") == (None, 0.0)
    assert engine.search("nothing of it", 5) == []


def test_documents_by_id_and_in_another_process(docs, tmp_path):
    engine = in_another_process(opened(docs, tmp_path, name="mine"))
    assert engine.name == "mine"
    assert [one.text for one in engine.documents(["z", "d3"])] == ["a boat", TEXTS["d3"]]
    with pytest.raises(InputError, match="no document 'nope' in the collection 'mine'"):
        engine.documents(["z", "nope"])
    with pytest.raises(InputError, match="no document 'nope'"):
        engine.place("tea", "nope")
    engine.close()


def test_it_is_indexed_once_and_known_again_by_what_the_file_holds(docs, tmp_path, monkeypatch):
    told = []
    first = opened(docs, tmp_path, progress=lambda name, count: told.append((name, count)))
    assert told == [("papers", 61)]
    built = []
    build = SearchIndex.build
    monkeypatch.setattr(SearchIndex, "build", lambda *a, **k: built.append(1) or build(*a, **k))
    assert opened(docs, tmp_path).index.fingerprint == first.index.fingerprint
    written(docs)  # the same once more
    opened(docs, tmp_path)
    assert (built, len(told)) == ([], 1)
    stat = docs.stat()
    written(docs, {**TEXTS, "z": "a goat"})
    os.utime(docs, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as large and as old as before
    again = opened(docs, tmp_path)
    assert built == [1]
    assert [hit.doc_id for hit in again.search("goat", 5)] == ["z"]
    assert [one.text for one in again.documents(["z"])] == ["a goat"]
    german = opened(docs, tmp_path, analyzer=ix.Analyzer(language="de", stem=True))
    assert built == [1, 1]
    assert german.index.folder != again.index.folder
    assert german.index.analyzer.language == "de"


BUILD = """
import sys
from intentx.serve.opening import open_engine
if __name__ == "__main__":
    said = lambda name, count: print(count, flush=True)
    open_engine("docs", sys.argv[1], state=sys.argv[2], workers=1, progress=said)
    print("done", flush=True)
"""


def test_killed_at_any_moment_it_goes_on_and_never_serves_half(tmp_path):
    texts = {f"d{i}": f"tea number {i % 100} {'pot ' * (i % 3)}" for i in range(3_500)}
    docs = written(tmp_path / "large.jsonl", texts)
    state = tmp_path / "state"
    command = [sys.executable, "-c", BUILD, str(docs), str(state)]
    for line in (b"1000", b"3000", b"3500"):  # in the middle; twice; and as weights are written
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            said = [process.stdout.readline().strip()]
            while said[-1] not in (line, b"done"):
                said.append(process.stdout.readline().strip())
            process.send_signal(signal.SIGKILL)
        if said[-1] == b"done":
            break
        if line != b"3500":  # it may be done by then
            (folder,) = state.iterdir()
            with pytest.raises(InputError, match="no complete search index"):
                SearchIndex.open(folder / "index")
    assert b"1000" not in said  # it went on behind what was kept
    engine = open_engine("docs", docs, state=state)
    assert engine.index.fingerprint == SearchIndex.build(texts).fingerprint
    assert len(engine) == 3_500


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no file .*papers.jsonl' with documents"),
        ("", "holds no documents"),
        ('{"id": "a", "text": "tea"}\n{"id": "a", "text": "pot"}\n', "line 2: .*'a' is already used"),
        ('{"id": "a", "headline": "tea"}\n', "line 1: none of the keys text, contents, .*headline"),
        ('{"id": "a", "text": "tea"}\n{"id"\n', "line 2: broken JSON"),
        ('{"id": "a", "text": "the"}\n', "at least one word"),
    ],
)
def test_documents_that_cannot_be_used(docs, tmp_path, content, message):
    docs.unlink()
    if content is not None:
        docs.write_text(content)
    with pytest.raises(InputError, match=message):
        opened(docs, tmp_path)


def test_places_that_cannot_be_used(docs, tmp_path):
    with pytest.raises(InputError, match="is a folder; name a file"):
        opened(tmp_path, tmp_path)
    with pytest.raises(InputError, match="cannot come from standard input"):
        opened("-", tmp_path)
    with pytest.raises(InputError, match=r"lacks corpus.jsonl"):
        open_engine("beir", tmp_path, state=tmp_path / "state")
    with pytest.raises(InputError, match="a collection is one of docs"):
        open_engine("solr", "x", state=tmp_path / "state")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"the index cannot be kept in .*file"):
        open_engine("docs", docs, state=tmp_path / "file")


def test_a_full_disk_is_told_and_damages_nothing(docs, tmp_path):
    before = opened(docs, tmp_path)
    written(docs, {**TEXTS, **{f"n{i}": "new tea " * 50 for i in range(2_000)}})
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limit[1]))
    try:
        with pytest.raises(InputError, match="the index cannot be kept in "):
            opened(docs, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert len(SearchIndex.open(before.index.folder)) == 61
    assert len(opened(docs, tmp_path)) == 2_061


def test_folders_give_their_queries(tmp_path):
    written(tmp_path / "corpus.jsonl", {"a": "green tea", "b": "a boat"})
    (tmp_path / "queries.jsonl").write_text('{"_id": "q1", "text": "tea"}\n')
    beir = open_engine("beir", tmp_path, state=tmp_path / "state")
    assert (beir.name, beir.queries) == (tmp_path.name, {"q1": "tea"})
    written(tmp_path / "passages.jsonl", {"a": "green tea", "b": "a boat"})
    data = open_engine("data", tmp_path, state=tmp_path / "state", queries=tmp_path / "queries.jsonl")
    assert data.queries == {"q1": "tea"}
    assert data.search("boats", 3)[0].doc_id == "b"


def test_the_demo_collection_orders_ties_by_id():
    engine = in_another_process(DemoEngine())
    found = engine.search("jaguar speed", 50)
    assert found == sorted(found, key=lambda hit: (-hit.score, hit.doc_id))
    assert engine.place("jaguar speed", found[3].doc_id) == (4, found[3].score)


OWN = """
class Search:
    queries = ["tea"]
    texts = {"a": "green tea", "b": ("Boats", "a boat")}
    def __call__(self, query, k):
        return [("b", 1), ("a", 1.0)]
    def __len__(self):
        return 2
    def documents(self, ids):
        return [self.texts.get(one) for one in ids]

def texts(query, k):
    yield "b", 2.0, "Boats", "a boat"
    yield {"id": 7, "score": 3, "text": "seven"}
    yield ("a", 2, "green tea")

def fails(query, k):
    raise ValueError("no")

def wrong(query, k):
    return {"none": None, "pair": [("a", 1)], "text": "tea", "score": [("a", "high", "tea")],
            "nan": [("a", float("nan"), "tea")], "id": [(None, 1, "tea")], "one": ["a"],
            "twice": [("a", 1, "x"), ("a", 1, "x")], "number": [("a", 1, 5)], "map": {"a": 1}}[query]

def many(query, k):
    return [(f"m{i:03}", 300.0 - i, "tea " * (300 - i)) for i in range(300)][:k]

number = 5
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_engines.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return lambda found, **more: open_engine("engine", f"own_engines:{found}", state="", **more)


def test_a_callable(own):
    engine = own("texts")
    assert isinstance(engine, Engine)
    assert engine.search("x", 2) == [("7", 3.0), ("a", 2.0)]
    assert [tuple(one) for one in engine.documents(["b", "7"])] == [
        ("b", "Boats", "a boat"), ("7", "", "seven"),
    ]  # fmt: skip
    assert engine.place("x", "b") == (3, 2.0)
    with pytest.raises(InputError, match="texts found no document 'z' of late, and cannot be asked"):
        engine.documents(["z"])
    made = in_another_process(own("Search", name="mine"))
    assert (made.name, len(made), made.queries) == ("mine", 2, ["tea"])
    assert [hit.doc_id for hit in made.search("x", 9)] == ["a", "b"]
    assert made.documents(["b"])[0] == ("b", "Boats", "a boat")
    with pytest.raises(InputError, match="no document 'z'"):
        made.place("x", "z")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("none", r"a list of hits, \(id, score, text\) each, not None"),
        ("text", "a list of hits"),
        ("map", "a list of hits"),
        ("one", r"\(id, score, text\) for each hit, not 'a'"),
        ("pair", r"a text for each hit, .*or have a method documents"),
        ("score", "a finite number as the score of 'a', not 'high'"),
        ("nan", "a finite number as the score of 'a', not nan"),
        ("id", "an id, .*not None"),
        ("twice", "each document once, and gives 'a' twice"),
        ("number", "a string as the text of 'a', not 5"),
    ],
)
def test_callables_of_a_wrong_shape(own, query, message):
    with pytest.raises(ScorerError, match=f"own_engines:wrong must give {message}"):
        own("wrong").search(query, 5)


def test_callables_that_cannot_be_used(own):
    with pytest.raises(ScorerError, match=r"own_engines:fails failed on 'x', 3: ValueError: no"):
        own("fails").search("x", 3)
    with pytest.raises(InputError, match="has no 'absent'"):
        own("absent")
    with pytest.raises(InputError, match="own_engines:number is not callable"):
        own("number")
    with pytest.raises(InputError, match="cannot be imported"):
        open_engine("engine", "no_such_module:find", state="")
    with pytest.raises(InputError, match="an engine is elasticsearch:URL/INDEX or module:callable"):
        open_engine("engine", "http://me:sk-pw@host/x", state="")
    with pytest.raises(InputError, match="an engine is elasticsearch") as told:
        open_engine("engine", "elastic:http://me:sk-pw@host/x", state="")
    assert "sk-pw" not in str(told.value)


def test_the_server_searches_files_and_callables(docs, tmp_path):
    (tmp_path / "own_engines.py").write_text(OWN)
    started = Server(
        tmp_path / "state", "--docs", docs, "--docs", docs, "--engine", "own_engines:Search",
        "--engine", "own_engines:many", "--ranker", "BM25=bm25", env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    try:
        _, found, _ = started.get("collections")
        assert [(one["name"], one["documents"]) for one in found] == [
            ("papers", 61), ("papers-2", 61), ("Search", 2), ("many", 0),
        ]  # fmt: skip
        asked = {"query": "boat", "k": 3}
        _, default, _ = started.post("search", asked)
        assert [one["doc_id"] for one in default["rankings"][0]["results"]] == ["z"]
        _, second, _ = started.post("search", {**asked, "collection": "papers-2"})
        assert second["rankings"][0]["results"] == default["rankings"][0]["results"]
        _, own, _ = started.post("search", {**asked, "collection": "Search"})
        assert [one["doc_id"] for one in own["rankings"][0]["results"]] == ["b", "a"]
        lost = {"query": "tea", "collection": "many", "k": 5}  # its search alone knows its documents
        assert started.answer("missing", **lost, doc="m211")["stages"][0]["rank"] == 212
        _, answer, _ = started.post("missing", {**lost, "doc": "m900"})
        assert "whether there is one is not known" in answer["error"]["message"]
        explained = started.answer("explain", **asked, collection="papers", question="document", doc="z")
        assert explained["doc_id"] == "z"
    finally:
        assert started.stop() == 0
    assert "documents indexed: 61 done" in started.errors

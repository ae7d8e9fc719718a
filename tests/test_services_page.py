"""What docs/services.md shows is run against services on loopback."""

import json
import math
import re
import shlex
import urllib.error
from pathlib import Path

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.datasets import load_demo
from tests.services import Service

PAGE = (Path(__file__).parents[1] / "docs" / "services.md").read_text("utf-8")
EXAMPLES = re.findall(r"```(?:py|python)\n(.*?)```", PAGE, re.S)
COMMANDS = re.findall(r"^\$ intentx (.*)$", PAGE, re.M)
(ENGINE,) = (code for code in EXAMPLES if "class Elasticsearch" in code)
(ENGINE_USED,) = (code for code in EXAMPLES if "9200" in code)
(HTTP_USED,) = (code for code in EXAMPLES if "8080" in code)


def words(text):
    return re.findall(r"\w+", text.lower())


def lucene_bm25(query, text, collection, k1=1.2, b=0.75):
    """BM25 as Lucene has it since version 8, times (k1 + 1) as Elasticsearch multiplies it."""
    mean = sum(len(words(one)) for one in collection) / len(collection)
    score = 0.0
    for word in words(query):
        df = sum(word in words(one) for one in collection)
        tf = words(text).count(word)
        if tf:
            idf = math.log(1 + (len(collection) - df + 0.5) / (df + 0.5))
            score += (k1 + 1) * idf * tf / (tf + k1 * (1 - b + b * len(words(text)) / mean))
    return score


class Engine:
    """The five requests of a search engine that the page's scorer makes."""

    def __init__(self, texts):
        settings = {
            "uuid": "x",
            "creation_date": "1",
            "number_of_shards": "3",
            "analysis": {"analyzer": {"a": {}}},
        }
        mappings = {"properties": {"text": {"type": "text", "analyzer": "a"}}}
        documents = {f"p{i}": {"text": text} for i, text in enumerate(texts)}
        self.indices = {"passages": {"settings": settings, "mappings": mappings, "documents": documents}}
        self.made = []
        self.shards_failed = 0

    def __call__(self, service, request):
        path, _, parameters = request.path.partition("?")
        names, _, what = path.strip("/").partition("/")
        unknown = [name for name in names.split(",") if name not in self.indices]
        if unknown and request.method != "PUT":
            return 404, {"error": f"no such index {unknown}"}
        if what == "_search":
            return 200, self.search(names.split(","), parameters, request.json)
        if what == "_bulk":
            return 200, self.bulk(names, parameters, request.body)
        return 200, getattr(self, request.method.lower())(names, request)

    def get(self, name, request):
        index = self.indices[name]
        return {
            name: {
                "aliases": {},
                "mappings": index["mappings"],
                "settings": {"index": index["settings"]},
            }
        }

    def put(self, name, request):
        self.indices[name] = {**request.json, "documents": {}}
        self.made.append(request.json)
        return {"acknowledged": True}

    def delete(self, name, request):
        del self.indices[name]
        return {"acknowledged": True}

    def bulk(self, name, parameters, body):
        assert parameters == "refresh=true", "else the search does not find them"
        rows = [json.loads(line) for line in body.splitlines()]
        errors = False
        for action, source in zip(rows[::2], rows[1::2], strict=True):
            errors = errors or "unindexable" in source["text"]
            self.indices[name]["documents"][action["index"]["_id"]] = source
        return {"errors": errors, "items": []}

    def search(self, names, parameters, body):
        assert parameters in ("", "search_type=dfs_query_then_fetch")
        query = body["query"]
        must, filters = [query], []
        if "bool" in query:
            must, filters = query["bool"]["must"], query["bool"]["filter"]
        wanted = [set(one["ids"]["values"]) for one in filters]  # and no other kind of filter
        (asked,) = (one["match"]["text"] for one in must)
        documents = {i: d["text"] for name in names for i, d in self.indices[name]["documents"].items()}
        hits = []
        for name in names:
            own = [document["text"] for document in self.indices[name]["documents"].values()]
            statistics = [*documents.values()] if parameters else own
            for doc_id, source in self.indices[name]["documents"].items():
                score = lucene_bm25(asked, source["text"], statistics)
                if score and all(doc_id in ids for ids in wanted):
                    hit = {"_index": name, "_id": doc_id, "_score": score}
                    hits.append(hit if body.get("_source") is False else {**hit, "_source": source})
        hits.sort(key=lambda hit: -hit["_score"])
        shards = {"total": 4, "successful": 4, "skipped": 0, "failed": self.shards_failed}
        return {"timed_out": False, "_shards": shards, "hits": {"hits": hits[: body.get("size", 10)]}}


@pytest.fixture
def engine():
    return Engine([document.text for document in load_demo().documents])


def scorer_class():
    names = {}
    exec(compile(ENGINE, "docs/services.md", "exec"), names)  # noqa: S102
    return names["Elasticsearch"]


def rerank(service, request):
    asked = request.json
    kind = "texts" if "texts" in asked else "documents"
    results = [{"index": i, "relevance_score": float(len(text))} for i, text in enumerate(asked[kind])]
    return 200, {"results": results}


def test_texts_are_scored_with_the_statistics_of_the_collection(engine):
    texts = ["The jaguar ran at full speed.", "Speed, speed, speed!", "A lamp.", ""]
    with Service(engine) as service:
        scores = scorer_class()(service.url, "passages")("jaguar speed", texts)
    collection = [d["text"] for d in engine.indices["passages"]["documents"].values()]
    expected = [lucene_bm25("jaguar speed", text, [*collection, *texts]) for text in texts]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    assert scores[2:] == [0.0, 0.0]
    alone = [lucene_bm25("jaguar speed", text, texts) for text in texts]
    assert not np.allclose(scores[:2], alone[:2], rtol=0.1), "statistics matter here"
    (made,) = engine.made
    assert made["mappings"] == engine.indices["passages"]["mappings"]
    assert made["settings"]["index"] == {
        "analysis": {"analyzer": {"a": {}}}, "number_of_shards": 1, "number_of_replicas": 0
    }  # fmt: skip
    assert list(engine.indices) == ["passages"], "its own index is deleted"


def test_what_the_engine_cannot_do_is_an_error_and_leaves_nothing(engine):
    with Service(engine) as service:
        scorer = scorer_class()(service.url, "passages")
        with pytest.raises(ix.ScorerError, match="cannot be indexed") as caught:
            ix.rank(scorer, "tea", ["tea", "an unindexable text", "more tea"])
        assert caught.value.texts == ("an unindexable text",)
        assert list(engine.indices) == ["passages"]
        engine.shards_failed = 1
        with pytest.raises(RuntimeError, match="only a part was searched"):
            scorer("tea", ["tea"])
        assert list(engine.indices) == ["passages"]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            scorer_class()(service.url, "absent")("tea", ["tea"])


@pytest.mark.filterwarnings("ignore:the scores of Elasticsearch depend")  # in an index so small they do
def test_the_page_explains_a_search_engine(engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Service(engine) as service:
        names = {"Elasticsearch": scorer_class()}
        code = ENGINE_USED.replace("http://127.0.0.1:9200", service.url)
        exec(compile(code, "docs/services.md", "exec"), names)  # noqa: S102
    names["box"].cache.close()
    assert 10 < len(names["docs"]) <= 100
    assert sorted(names["ranking"].doc_ids) == sorted(names["recorded"].doc_ids)
    assert names["explanation"].model_calls > 0
    assert {"jaguar", "speed"} & set(names["explanation"].terms)
    assert list(engine.indices) == ["passages"]


def test_the_page_asks_a_rerank_service():
    with Service(rerank) as service:
        names = {}
        code = HTTP_USED.replace("http://127.0.0.1:8080", service.url)
        exec(compile(code, "docs/services.md", "exec"), names)  # noqa: S102
    assert names["ranking"].doc_ids[0] == "a"


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command, tmp_path, monkeypatch, capsys):
    documents = load_demo().documents[:12]
    lines = [json.dumps({"id": document.id, "text": document.text}) for document in documents]
    (tmp_path / "passages.jsonl").write_text("\n".join(lines), encoding="utf-8")
    package = tmp_path / "mypackage"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "rankers.py").write_text("def score(query, texts):\n    return [len(t) for t in texts]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with Service(rerank) as service:
        code = main(shlex.split(command.replace("http://127.0.0.1:8080", service.url)))
    out, err = capsys.readouterr()
    assert code == 0, err
    assert out
    assert ("in scores.sqlite" in err) == ("--cache" in command)


def test_there_is_something_to_run():
    assert len(EXAMPLES) >= 6
    assert len(COMMANDS) >= 4

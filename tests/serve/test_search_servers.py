"""The page searches in indexes of Elasticsearch, over real HTTP."""

import time

import numpy as np
import pytest

from intentx.errors import InputError, ScorerError
from intentx.serve.opening import open_engine
from tests.serve.sent import in_another_process
from tests.services import Service

SOURCES = {
    "a": {"title": "Tea", "words": "green tea tea"},
    "b": {"title": "Boats", "words": "a boat"},
    "c": {"title": "Pots", "words": ["a tea", "pot"]},
    "d": {"title": None, "words": "a tea pot"},
}


def score_of(query, source):
    text = f"{source['title'] or ''} {source['words']}".lower()
    return float(np.float32(1.1 * sum(text.count(word) for word in query.split())))


def elastic(service, request):
    """`_search`, `_mget` and `_count` of an index named papers."""
    path = request.path.partition("?")[0]
    if not path.startswith("/papers/"):
        return 404, {"error": {"type": "index_not_found_exception"}, "status": 404}
    asked = request.json
    if path.endswith("/_count"):
        return 200, {"count": len(SOURCES)}
    if path.endswith("/_mget"):
        found = [
            {"_id": one["_id"], "found": one["_id"] in SOURCES,
             "_source": {f: SOURCES.get(one["_id"], {}).get(f) for f in one["_source"]}}
            for one in asked["docs"]
        ]  # fmt: skip
        return 200, {"docs": found}
    query, only = asked["query"], None
    if "match_all" in query:
        hits = [{"_id": i, "_score": 1.0, "_source": source} for i, source in SOURCES.items()]
    else:
        if "bool" in query:
            only = query["bool"]["filter"][0]["ids"]["values"]
            query = query["bool"]["must"][0]
        assert query["multi_match"]["fields"] == ["title", "words"]
        scored = [(i, score_of(query["multi_match"]["query"], s)) for i, s in SOURCES.items()]
        hits = [
            {"_id": i, "_score": score} for i, score in scored
            if score >= max(asked.get("min_score", 0), 1e-9) and (only is None or i in only)
        ]  # fmt: skip
    hits.sort(key=lambda hit: -hit["_score"])
    total = {"value": len(hits), "relation": "eq"}
    found = hits[: asked["size"]]
    return 200, {"timed_out": False, "_shards": {"failed": 0}, "hits": {"total": total, "hits": found}}


def es(service, settings="#text=words", **more):
    return open_engine("engine", f"elasticsearch:{service.url}/papers{settings}", state="", **more)


def test_an_index_of_elasticsearch(monkeypatch):
    monkeypatch.setenv("ES_KEY", "sk-secret-1")
    with Service(elastic) as service:
        engine = in_another_process(es(service, "#text=words&key_env=ES_KEY"))
        assert (engine.name, len(engine)) == ("papers", 4)
        found = engine.search("tea", 10)
        assert [hit.doc_id for hit in found] == ["a", "c", "d"]
        assert [engine.place("tea", hit.doc_id) for hit in found] == [
            (rank, hit.score) for rank, hit in enumerate(found, start=1)
        ]
        assert engine.place("tea", "b") == (None, 0.0)
        assert [tuple(one) for one in engine.documents(["c", "d"])] == [
            ("c", "Pots", "a tea\npot"), ("d", "", "a tea pot"),
        ]  # fmt: skip
        with pytest.raises(InputError, match="no document 'x', 'y' in the collection 'papers'"):
            engine.documents(["a", "x", "y"])
        assert {one.headers["Authorization"] for one in service.requests} == {"ApiKey sk-secret-1"}
        with pytest.raises(InputError, match="has no field 'headline' for the title; it has: title"):
            es(service, "#text=words&title=headline")
        with pytest.raises(InputError, match=r"none of the fields text, .*they have: title, words"):
            es(service, "")
        with pytest.raises(InputError, match="has no index of this name"):
            open_engine("engine", f"opensearch:{service.url}/other", state="")
        with pytest.raises(InputError, match="names no index"):
            open_engine("engine", f"elasticsearch:{service.url}/", state="")
        with pytest.raises(InputError, match="must not contain a user or a password") as told:
            open_engine("engine", "elasticsearch:http://me:sk-pw@127.0.0.1:9/x", state="")
        assert "sk-pw" not in str(told.value)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((200, b'{"hits": '), "answered no JSON but"),
        ((200, []), "answered no JSON object"),
        ((200, {}), "without hits"),
        ((200, {"hits": {}}), "without a list of hits"),
        ((200, {"hits": {"hits": [{"_id": "a"}]}}), "a hit without an id and a score"),
        ((200, {"hits": {"hits": [{"_id": "a", "_score": None}]}}), "a hit without an id and a score"),
        ((200, {"hits": {"hits": [7]}}), "a hit without an id and a score"),
        ((200, {"timed_out": True, "hits": {"hits": []}}), "a part of the index only"),
        ((200, {"_shards": {"failed": 2}, "hits": {"hits": []}}), "2 of its shards failed"),
        ((401, {"error": "sk-secret-1 is wrong"}), r"answered 401 .*… is wrong"),
        ((500, b"oops"), r"answered 500 .*tries: 2"),
        ("slow", "gave no answer: TimeoutError"),
        ("gone", "gave no answer"),
    ],
)
def test_a_search_server_that_misbehaves(monkeypatch, reply, message):
    monkeypatch.setenv("ES_KEY", "sk-secret-1")
    bad = []

    def answers(service, request):
        if not bad:
            return elastic(service, request)
        if reply == "slow":
            time.sleep(0.5)
        if reply == "gone":
            request.handler.connection.close()
        return None if isinstance(reply, str) else reply

    with Service(answers) as service:
        settings = "#text=words&key_env=ES_KEY&retries=1&backoff=0&timeout="
        engine = es(service, settings + ("0.2" if reply == "slow" else "10"))
        bad.append(True)
        with pytest.raises(ScorerError, match=message) as told:
            engine.search("tea", 5)
        assert "the search engine at http://127.0.0.1" in str(told.value)
        assert "sk-secret" not in str(told.value)


def test_a_search_server_that_is_busy_is_asked_again():
    refused = []

    def busy(service, request):
        if request.path.endswith("_search") and len(refused) < 2:
            refused.append(request)
            return 429, {"error": "busy"}, {"Retry-After": "0"}
        return elastic(service, request)

    with Service(busy) as service:
        assert es(service, "#text=words&backoff=0").search("boat", 3)[0].doc_id == "b"
        assert len(refused) == 2

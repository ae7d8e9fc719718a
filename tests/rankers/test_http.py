import json
import os
import pickle
import threading

import numpy as np
import pytest

import intentx as ix
from intentx.rankers import HTTPReranker, load_ranker
from tests.rankers.reranking import QUICK, TEXTS, documents_shape, scores_of, texts_shape
from tests.services import Service
from tests.toys import keyboards


@pytest.mark.parametrize("reply", [documents_shape, texts_shape])
@pytest.mark.parametrize("shape", ["auto", "own"])
def test_both_shapes(reply, shape):
    name = reply.__name__.removesuffix("_shape")
    with Service(reply) as service:
        ranker = HTTPReranker(f"{service.url}/rerank", shape=name if shape == "own" else "auto", **QUICK)
        for _ in range(2):
            scores = ranker("tea", TEXTS)
            np.testing.assert_array_equal(scores, scores_of(TEXTS))
            assert scores.dtype == np.float64
        asked = [request.json for request in service.requests]
    extra = {"top_n": 5} if name == "documents" else {}
    assert asked[-1] == {"query": "tea", name: TEXTS, **extra}
    assert len(asked) == (3 if (name, shape) == ("texts", "auto") else 2), "the shape is found out once"
    assert service.requests[-1].path == "/rerank"
    assert service.requests[-1].headers["Content-Type"] == "application/json"
    assert "Authorization" not in service.requests[-1].headers


def test_model_options_and_query_string_are_sent():
    with Service(texts_shape) as service:
        url = f"{service.url}/v1/rerank?api-version=2"
        ranker = HTTPReranker(url, shape="texts", model="big", options={"truncate": True}, **QUICK)
        ranker("tea", ["a"])
    request = service.requests[0]
    assert request.json == {"query": "tea", "texts": ["a"], "model": "big", "truncate": True}
    assert request.path == "/v1/rerank?api-version=2"


def test_batches_share_one_connection():
    texts = [f"text {'x' * i}" for i in range(17)]
    with Service(documents_shape) as service:
        ranker = HTTPReranker(service.url, batch_size=5, **QUICK)
        assert ranker("tea", texts).tolist() == scores_of(texts)
        assert ranker("tea", []).shape == (0,)
    assert [len(request.json["documents"]) for request in service.requests] == [5, 5, 5, 2]
    assert service.connections == 1


def test_a_listwise_service_gets_whole_lists():
    texts = [f"text {i}" for i in range(40)]
    with Service(documents_shape) as service:
        ranker = HTTPReranker(service.url, listwise=True, **QUICK)
        ix.rank(ranker, "tea", texts)
    whole, *again = [request.json["documents"] for request in service.requests]
    assert whole == texts
    assert [len(pair) for pair in again] == [2, 2], "the same list twice: are its scores steady?"


def test_texts_of_all_scripts_arrive():
    texts = ['"quoted" \\ </script>', "チャ 茶 \U0001f375", "\ud800", "", "a\0b\r\n"]
    with Service(documents_shape) as service:
        assert HTTPReranker(service.url, **QUICK)("Grüße\n", texts).tolist() == scores_of(texts)
    assert service.requests[0].json == {"query": "Grüße\n", "documents": texts, "top_n": 5}


def test_a_ranking_by_a_service_is_explained():
    texts, scorer = keyboards(number=16)

    def reply(service, request):
        asked = request.json
        scores = scorer(asked["query"], asked["documents"])
        return 200, {"results": [{"index": i, "relevance_score": s} for i, s in enumerate(scores)]}

    with Service(reply) as service:
        explanation = ix.Multiplex(budget=40).explain(ix.rank(HTTPReranker(service.url), "keys", texts))
    assert explanation.fidelity.all > 0.8
    assert explanation.model_calls > 0


def test_the_key_is_sent_and_shown_nowhere(monkeypatch):
    key = "sk-very-secret-0123"
    monkeypatch.setenv("MY_KEY", f"{key}\n")

    def reply(service, request):
        sent = request.headers["Authorization"]
        return documents_shape(service, request) if len(service.requests) == 1 else (401, {"bad": sent})

    with Service(reply) as service:
        ranker = HTTPReranker(f"{service.url}/?token=hidden", key_env="MY_KEY", **QUICK)
        ranker("tea", TEXTS)
        assert service.requests[0].headers["Authorization"] == f"Bearer {key}"
        with pytest.raises(ix.ScorerError, match=r"401 Unauthorized: .*Bearer …") as caught:
            ix.rank(ranker, "tea", TEXTS)
    shown = [repr(ranker), str(ranker), ranker.fingerprint, str(caught.value), repr(vars(ranker))]
    assert not any(key in one for one in shown)
    assert key.encode() not in pickle.dumps(ranker)
    assert "hidden" not in repr(ranker) + str(caught.value)
    monkeypatch.setenv("MY_KEY", "another")
    with Service(documents_shape) as service:
        pickle.loads(pickle.dumps(HTTPReranker(service.url, key_env="MY_KEY")))("tea", TEXTS)  # noqa: S301
        assert service.requests[0].headers["Authorization"] == "Bearer another"


@pytest.mark.parametrize("key", [None, "", "  ", "two\nlines-secret", "schlüssel-secret"])
def test_a_key_that_is_none(monkeypatch, key):
    monkeypatch.delenv("MY_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("MY_KEY", key)
    with pytest.raises(ix.InputError, match=r"'MY_KEY' (is not set|holds no key)") as caught:
        HTTPReranker("http://127.0.0.1/rerank", key_env="MY_KEY")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8080/rerank", "a URL such as http://127.0.0.1:8080/rerank expected, not 'localhost"),
        ("ftp://host/x", "URL such as"),
        ("http://", "URL such as"),
        ("", "URL such as"),
        ("http:///rerank", "URL such as"),
        ("http://host:port/", "URL such as .*Port"),
        ("http://host:99999/", "URL such as .*[Pp]ort"),
        ("http://[::1/", "URL such as"),
        ("http://host/a b", "%-escapes"),
        ("http://host/\r\nX-Injected: 1", "%-escapes"),
        ("http://höst/", "%-escapes"),
        (
            "https://me:secret@host/rerank",
            "a URL must not contain a user or a password: https://…@host/rerank",
        ),
        ("http://host/rerank#model=x", "from_spec"),
    ],
)
def test_urls_that_cannot_be_used(url, message):
    with pytest.raises(ix.InputError, match=message) as caught:
        HTTPReranker(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shape": "cohere"}, "shape must be one of .*'cohere'"),
        ({"batch_size": 0}, "batch_size"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"retries": -1}, "retries"),
        ({"backoff": float("inf")}, "backoff"),
        ({"options": {"query": "x"}}, r"not \['query'\]"),
    ],
)
def test_settings_that_cannot_be_used(settings, message):
    with pytest.raises(ix.InputError, match=message):
        HTTPReranker("http://127.0.0.1/", **settings)


def test_rankers_by_name(monkeypatch):
    monkeypatch.setenv("MY_KEY", "k")
    plain = load_ranker("http:http://127.0.0.1:1/rerank", [])
    assert plain.url == load_ranker("http://127.0.0.1:1/rerank", []).url == "http://127.0.0.1:1/rerank"
    assert load_ranker("https://example.org/rerank", []).url == "https://example.org/rerank"
    assert load_ranker("http:https://example.org/rerank", []).url == "https://example.org/rerank"
    full = load_ranker(
        "https://example.org/v2/rerank?a=1#model=rerank-v3.5&key_env=MY_KEY&batch_size=7&timeout=2.5&retries=1"
        '&backoff=0.25&shape=texts&listwise=true&options={"truncate": true}',
        [],
    )
    assert (full.url, full.model, full.key_env) == (
        "https://example.org/v2/rerank?a=1",
        "rerank-v3.5",
        "MY_KEY",
    )
    assert (full.batch_size, full.timeout, full.retries, full.backoff) == (7, 2.5, 1, 0.25)
    assert (full.shape, full.listwise, full.options) == ("texts", True, {"truncate": True})
    for spec, message in (
        ("http://h/#modle=x", "no setting 'modle' .*'model'"),  # codespell:ignore modle
        ("http://h/#batch_size=many", "batch_size .* cannot be 'many'"),
        ("http://h/#listwise=maybe", "true or false expected"),
        ("http://h/#options={", "options .* cannot be '{'"),
        ("http:localhost:8080", "URL such as"),
        ("http:", "URL|http:"),
    ):
        with pytest.raises(ix.InputError, match=message):
            load_ranker(spec, [])


def test_the_fingerprint_is_url_model_and_shape():
    def fingerprint(url="http://127.0.0.1:1/rerank", **settings):
        return HTTPReranker(url, **settings).fingerprint

    reference = fingerprint()
    assert fingerprint(batch_size=4, timeout=3.0, retries=0, backoff=0.0) == reference
    others = [
        fingerprint("http://127.0.0.1:2/rerank"),
        fingerprint(model="m"),
        fingerprint(shape="texts"),
        fingerprint(options={"raw_scores": True}),
        fingerprint(listwise=True),
    ]
    assert len({reference, *others}) == 6


def test_scores_of_a_service_are_remembered(tmp_path):
    with Service(documents_shape) as service:
        for _ in range(2):
            ranking = ix.rank(HTTPReranker(service.url), "tea", TEXTS, cache=tmp_path / "scores.sqlite")
    assert ranking.scorer.texts_found == 5
    assert [len(request.json["documents"]) for request in service.requests] == [5, 1, 2]


def test_threads_may_share_a_ranker():
    failures = []
    with Service(texts_shape) as service:
        ranker = HTTPReranker(service.url, batch_size=2, **QUICK)

        def one():
            if ranker("tea", TEXTS).tolist() != scores_of(TEXTS):
                failures.append(1)

        threads = [threading.Thread(target=one) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
    assert service.connections == 6


def test_the_environment_is_left_alone():
    before = dict(os.environ)
    HTTPReranker("http://127.0.0.1/")
    assert dict(os.environ) == before
    assert json.dumps(HTTPReranker("http://127.0.0.1/").fingerprint)

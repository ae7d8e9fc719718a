import json
import os
import pickle
import socket
import threading
import time
from email.utils import formatdate

import numpy as np
import pytest

import intentx as ix
from intentx.rankers import HTTPReranker, load_ranker
from intentx.rankers import http as http_module
from tests.services import Service
from tests.toys import keyboards

TEXTS = ["ccc", "a", "bb", "dddd", "eeeee"]
QUICK = {"backoff": 0.001, "timeout": 5.0}


def scores_of(texts):
    return [len(text) / 8 for text in texts]


def best_first(texts):
    return sorted(enumerate(scores_of(texts)), key=lambda pair: -pair[1])


def documents_shape(service, request):
    asked = request.json
    if "documents" not in asked:
        return 422, {"detail": "field required: documents"}
    results = [{"index": i, "relevance_score": s} for i, s in best_first(asked["documents"])]
    return 200, {"id": "x", "results": results[: asked["top_n"]], "meta": {}}


def texts_shape(service, request):
    asked = request.json
    if "texts" not in asked:
        return 422, {"error": "missing field `texts`", "error_type": "Validation"}
    return 200, [{"index": i, "score": s} for i, s in best_first(asked["texts"])]


def answers(*replies):
    """These replies one after the other, then the last for ever."""
    return lambda service, request: replies[min(len(service.requests), len(replies)) - 1]


def results(*pairs):
    return 200, {"results": [{"index": index, "relevance_score": score} for index, score in pairs]}


FINE = results(*enumerate(scores_of(TEXTS)))


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
    assert [request.json["documents"] for request in service.requests] == [texts]


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


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(status):
    busy = (status, b"come back later")
    with Service(answers(busy, busy, FINE)) as service:
        assert HTTPReranker(service.url, **QUICK)("tea", TEXTS).tolist() == scores_of(TEXTS)
    assert len(service.requests) == 3
    with (
        Service(answers(busy)) as service,
        pytest.raises(ix.ScorerError, match=rf"answered {status} .*come back later \(tries: 3\)"),
    ):
        HTTPReranker(service.url, retries=2, **QUICK)("tea", TEXTS)
    assert len(service.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 501])
def test_other_failures_are_not(status):
    said = {"message": "no such\nmodel"}
    with (
        Service(answers((status, said))) as service,
        pytest.raises(ix.ScorerError, match=rf"answered {status} .*: .*no such.nmodel") as caught,
    ):
        HTTPReranker(service.url, shape="documents", **QUICK)("tea", TEXTS)
    assert len(service.requests) == 1
    assert service.url in str(caught.value)
    assert ("name its environment variable with key_env" in str(caught.value)) == (status in {401, 403})


def test_a_refusal_in_both_shapes_names_both():
    with (
        Service(lambda service, request: (400, {"bad": list(request.json)[1]})) as service,
        pytest.raises(
            ix.ScorerError, match=r"400.*documents.*asked with 'documents'.*400.*asked with 'texts'"
        ),
    ):
        HTTPReranker(service.url, **QUICK)("tea", TEXTS)
    assert len(service.requests) == 2


@pytest.fixture
def slept(monkeypatch):
    """Seconds the ranker would have slept."""
    seconds = []
    monkeypatch.setattr(http_module.time, "sleep", seconds.append)
    return seconds


def test_waits_double_and_differ_and_leave_the_global_random_state_alone(slept):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    with Service(answers((503, b""))) as service, pytest.raises(ix.ScorerError):
        HTTPReranker(service.url, retries=9, backoff=0.5)("tea", TEXTS)
    longest = [0.5 * 2**i for i in range(9)]
    assert len(slept) == 9
    assert all(most / 2 <= wait <= most or wait == 60 for wait, most in zip(slept, longest, strict=True))
    assert max(slept) <= 60
    assert len({wait / most for wait, most in zip(slept[:6], longest, strict=False)}) == 6
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 0.00005, 0.001),
        ("-3", 0.00005, 0.001),
        ("soon", 0.00005, 0.001),
        ("²", 0.00005, 0.001),
        ("Mon, 01 Jan 2001 99:99:99 GMT", 0.00005, 0.001),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.00005, 0.001),
    ],
)
def test_retry_after_is_honoured(slept, said, least, most):
    with Service(answers((429, b"", {"Retry-After": said}), FINE)) as service:
        assert HTTPReranker(service.url, backoff=0.001)("tea", TEXTS).tolist() == scores_of(TEXTS)
    assert len(slept) == 1
    assert least <= slept[0] <= most


def test_retry_after_a_date(slept):
    date = formatdate(time.time() + 30, usegmt=True)
    with Service(answers((503, b"", {"Retry-After": date}), FINE)) as service:
        HTTPReranker(service.url)("tea", TEXTS)
    assert 20 < slept[0] <= 31


def test_who_asks_for_an_hour_is_not_waited_for(slept):
    with (
        Service(answers((429, b"quota", {"Retry-After": "3600"}), FINE)) as service,
        pytest.raises(
            ix.ScorerError, match=r"429 Too Many Requests: quota \(and to come again in 3600 s\)"
        ),
    ):
        HTTPReranker(service.url)("tea", TEXTS)
    assert not slept


def test_a_real_wait():
    started = time.monotonic()
    with Service(answers((429, b"", {"Retry-After": "1"}), FINE)) as service:
        HTTPReranker(service.url, **QUICK)("tea", TEXTS)
    assert time.monotonic() - started >= 1


def closes(service, request):
    request.handler.close_connection = True


def closes_halfway(service, request):
    handler = request.handler
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"results": [')
    handler.close_connection = True


def speaks_no_http(service, request):
    request.handler.wfile.write(b"220 mail.example ESMTP\r\n")
    request.handler.close_connection = True


@pytest.mark.parametrize("reply", [closes, closes_halfway, speaks_no_http])
def test_broken_connections_are_made_again(reply):
    def once(service, request):
        return reply(service, request) if len(service.requests) == 1 else FINE

    with Service(once) as service:
        assert HTTPReranker(service.url, **QUICK)("tea", TEXTS).tolist() == scores_of(TEXTS)
    assert (len(service.requests), service.connections) == (2, 2)
    with (
        Service(reply) as service,
        pytest.raises(ix.ScorerError, match=r"gave no answer: .*\(tries: 2\)"),
    ):
        HTTPReranker(service.url, retries=1, **QUICK)("tea", TEXTS)
    assert len(service.requests) == 2


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_slow_service_is_not_waited_for(how):
    done = threading.Event()

    def reply(service, request):
        if how == "dripping":
            request.handler.send_response(200)
            request.handler.send_header("Content-Length", "100000")
            request.handler.end_headers()
        while not done.wait(0.05):
            if how == "dripping":
                request.handler.wfile.write(b" ")
        request.handler.close_connection = True

    started = time.monotonic()
    with Service(reply) as service:
        try:
            with pytest.raises(ix.ScorerError, match=r"gave no answer: TimeoutError: .*\(tries: 2\)"):
                HTTPReranker(service.url, retries=1, timeout=0.3, backoff=0.001)("tea", TEXTS)
            assert time.monotonic() - started < 30
        finally:
            done.set()


def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/rerank"
        ranker = HTTPReranker(url, retries=1, **QUICK)
        with pytest.raises(ix.ScorerError, match=r"gave no answer: ConnectionRefusedError") as caught:
            ix.rank(ranker, "tea", TEXTS)
    assert url in str(caught.value)
    assert str(caught.value).endswith("query: 'tea'"), "no document is at fault"
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_a_failing_service_is_not_asked_for_parts():
    with Service(answers((500, b"down"))) as service, pytest.raises(ix.ScorerError, match="500"):
        ix.rank(HTTPReranker(service.url, retries=0), "tea", TEXTS)
    assert len(service.requests) == 1


def test_batches_too_large_are_halved():
    def reply(service, request):
        few = len(request.json["documents"]) <= 2
        return documents_shape(service, request) if few else (413, b"at most 2")

    with Service(reply) as service:
        assert HTTPReranker(service.url, **QUICK)("tea", TEXTS).tolist() == scores_of(TEXTS)
        sizes = [len(request.json["documents"]) for request in service.requests]
        with pytest.raises(ix.ScorerError, match=r"413.*at most 2"):
            HTTPReranker(service.url, listwise=True, **QUICK)("tea", TEXTS)
    assert sizes == [5, 2, 3, 1, 2]


def test_a_text_too_large_is_named():
    def reply(service, request):
        long = any("long" in text for text in request.json["documents"])
        return (413, b"too long") if long else documents_shape(service, request)

    docs = {"x": "short", "y": "a long text", "z": "other"}
    with Service(reply) as service, pytest.raises(ix.ScorerError, match=r"413.*too long") as caught:
        ix.rank(HTTPReranker(service.url, **QUICK), "tea", docs)
    assert caught.value.texts == ("a long text",)
    assert str(caught.value).endswith("document: 'a long text'\n  document id: 'y'")


def numbered(*scores):
    return results(*enumerate(scores))


@pytest.mark.parametrize(
    ("answer", "message", "at_fault"),
    [
        (numbered(1, 2, 3, 4), r"answered 4 of 5 texts", {"eeeee"}),
        (results((4, 1), (0, 2)), r"answered 2 of 5 texts", {"a", "bb", "dddd"}),
        (numbered(1, 2, 3, 4, 5, 6), r"the index 5 to 5 texts, counted from 0", set()),
        (results((1, 1), (2, 1), (3, 1), (4, 1), (5, 1)), "the index 5 to 5 texts", set()),
        (results((-1, 1)), "the index -1 to 5 texts", set()),
        (results(("0", 1)), "the index '0' to 5 texts", set()),
        (results((True, 1)), "the index True to 5 texts", set()),
        (results((1.0, 1)), "the index 1.0 to 5 texts", set()),
        (results((0, 1), (1, 1), (0, 2), (2, 1), (3, 1)), "answered index 0 twice", {"ccc"}),
        (numbered(1, 2, "0.5", 4, 5), "the score '0.5'", {"bb"}),
        (numbered(1, 2, None, 4, 5), "the score None", {"bb"}),
        (numbered(1, 2, True, 4, 5), "the score True", {"bb"}),
        (numbered(1, 2, float("nan"), 4, 5), "the score nan", {"bb"}),
        (numbered(1, 2, float("inf"), 4, 5), "the score inf", {"bb"}),
        (numbered(1, 2, 10**400, 4, 5), "the score 1000", {"bb"}),
        (numbered(1, 2, [3], 4, 5), r"the score \[3\]", {"bb"}),
        ((200, b""), "answered no JSON but ''", set()),
        ((200, b"<html>\n <b>It works!</b>"), "answered no JSON but '<html> <b>It works!</b>'", set()),
        ((200, b"\xff\xfe\xfa"), "answered no JSON", set()),
        ((200, b"[" * 100_000), "answered no JSON", set()),
        ((200, b"\x00" * 100_000), "answered no JSON", set()),
        ((200, {"scores": [1, 2]}), r"no list of results but {\"scores\": \[1, 2\]}", set()),
        ((200, {"results": {"0": 1}}), "no list of results", set()),
        ((200, [1, 2, 3, 4, 5]), r"no list of results but \[1, 2, 3, 4, 5\]", set()),
        ((200, None), "no list of results but null", set()),
        ((200, []), "answered 0 of 5 texts", set(TEXTS)),
        ((204, b""), "answered no JSON", set()),
        (
            (307, b"", {"Location": "http://elsewhere/x?key=1"}),
            "307.*'http://elsewhere/x.…'; give",
            set(),
        ),
    ],
)
def test_wrong_answers_are_named(answer, message, at_fault):
    with Service(answers(answer)) as service, pytest.raises(ix.ScorerError, match=message) as caught:
        HTTPReranker(service.url, **QUICK)("tea", TEXTS)
    assert set(caught.value.texts) == at_fault
    assert len(str(caught.value)) < 800
    assert service.url in str(caught.value)
    assert len(service.requests) == 1


def test_a_huge_answer_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(http_module, "LARGEST_ANSWER", 3_000_000)
    with (
        Service(answers((200, b" " * 50_000_000))) as service,
        pytest.raises(ix.ScorerError, match="answered more than 3,000,000 bytes"),
    ):
        HTTPReranker(service.url, **QUICK)("tea", TEXTS)
    assert len(service.requests) == 1


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
        ("https://me:secret@host/rerank", "no user or password in a URL, please: https://…@host/rerank"),
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
        ("http://h/#modle=x", "no setting 'modle' .*'model'"),
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
    assert len(service.requests) == 1


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

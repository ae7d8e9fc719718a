import socket
import threading
import time
from email.utils import formatdate

import numpy as np
import pytest

import intentx as ix
from intentx.rankers import HTTPReranker
from intentx.rankers.services import service as http_module
from tests.rankers.reranking import FINE, QUICK, TEXTS, answers, documents_shape, results, scores_of
from tests.services import Service


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
    monkeypatch.setattr(time, "sleep", seconds.append)
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
            ix.ScorerError,
            match=r"429 Too Many Requests: quota \(and asked to wait 3600 s before a retry\)",
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

    with Service(reply) as service:  # which goes on for ever, if it is let
        try:
            with pytest.raises(ix.ScorerError, match=r"gave no answer: TimeoutError: .*\(tries: 2\)"):
                HTTPReranker(service.url, retries=1, timeout=0.3, backoff=0.001)("tea", TEXTS)
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
        (results(("x", 1)), 'the index "x" to 5 texts', set()),
        (results(("0", 1)), "answered 1 of 5 texts", {"a", "bb", "dddd", "eeeee"}),
        (results((True, 1)), "the index true to 5 texts", set()),
        (results((1.0, 1)), "the index 1.0 to 5 texts", set()),
        (results((0, 1), (1, 1), (0, 2), (2, 1), (3, 1)), "answered index 0 twice", {"ccc"}),
        (numbered(1, 2, "0.5.1", 4, 5), 'the score "0.5.1"', {"bb"}),
        (numbered(1, 2, "nan", 4, 5), 'the score "nan"', {"bb"}),
        (numbered(1, 2, None, 4, 5), "the score null", {"bb"}),
        (numbered(1, 2, True, 4, 5), "the score true", {"bb"}),
        (numbered(1, 2, float("nan"), 4, 5), "the score NaN", {"bb"}),
        (numbered(1, 2, float("inf"), 4, 5), "the score Infinity", {"bb"}),
        (numbered(1, 2, 10**400, 4, 5), "the score 1000", {"bb"}),
        (numbered(1, 2, [3], 4, 5), r"the score \[3\]", {"bb"}),
        ((200, b""), "answered no JSON but ''", set()),
        ((200, b"<html>\n <b>It works!</b>"), "answered no JSON but '<html> <b>It works!</b>'", set()),
        ((200, b"\xff\xfe\xfa"), "answered no JSON", set()),
        ((200, b"[" * 100_000), "answered no JSON", set()),
        ((200, b"\x00" * 100_000), "answered no JSON", set()),
        ((200, {"scores": [1, 2]}), "answered 2 scores to 5 texts", set()),
        ((200, {"scores": [1, "two", 3, 4, 5]}), 'the score "two"', {"a"}),
        ((200, {"scores": {"0": 1}}), r"{\"scores\": {\"0\": 1}} instead of a list of results", set()),
        ((200, {"results": {"0": 1}}), "instead of a list of results", set()),
        ((200, [1, 2, None, 4, 5]), "the score null", {"bb"}),
        ((200, [1, 2, {"index": 2, "score": 1}, 4, 5]), "the index null", set()),
        ((200, None), "null instead of a list of results", set()),
        ((200, []), "answered 0 scores to 5 texts", set()),
        ((204, b""), "answered no JSON", set()),
        (
            (307, b"", {"Location": "http://elsewhere/x?key=1"}),
            "307.*'http://elsewhere/x.key=…'; give",
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


DRIPPED = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
    "one header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"1"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunk extension": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n", b"X: 1\r\n"),
}


@pytest.mark.parametrize("where", DRIPPED)
def test_no_part_of_an_answer_gets_more_than_the_timeout(where):
    first, drop = DRIPPED[where]
    drops = []

    def reply(service, request):
        request.handler.close_connection = True
        request.handler.wfile.write(first)
        while len(drops) < 2_000:  # a hundred seconds of drops: far more than the timeout
            drops.append(time.monotonic())
            request.handler.wfile.write(drop)
            time.sleep(0.05)

    with (
        Service(reply) as service,
        pytest.raises(ix.ScorerError, match=r"TimeoutError: no whole answer within 0.3 s"),
    ):
        HTTPReranker(service.url, retries=0, timeout=0.3)("tea", TEXTS)
    assert len(drops) < 2_000

"""What must not happen does not: other pages, other hosts, keys, pile-ups, lost answers."""

import asyncio
import json
import signal
import socket
import threading

import pytest

from intentx.cli import main
from intentx.serve.app import make_app
from intentx.serve.engines import DemoEngine
from intentx.serve.guard import Manners
from intentx.serve.rankers import served_rankers
from intentx.serve.service import Options, Service
from intentx.serve.store import Store, StoreError
from tests.serve.conftest import Server

QUERY = "jaguar speed"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"host": "evil.example"}, 421, "wrong_host"),
        ({"host": "127.0.0.1.evil.example"}, 421, "wrong_host"),
        ({"host": "10.1.2.3"}, 421, "wrong_host"),
        ({"host": "localhost:1234"}, 200, None),
        ({"host": "[::1]:99"}, 200, None),
        ({"origin": "http://evil.example"}, 403, "forbidden"),
        ({"origin": "null"}, 403, "forbidden"),
        ({"origin": "https://localhost", "host": "localhost"}, 403, "forbidden"),
        ({"origin": "http://localhost", "host": "localhost"}, 200, None),
        ({"sec-fetch-site": "cross-site"}, 403, "forbidden"),
        ({"sec-fetch-site": "same-origin"}, 200, None),
    ],
)
def test_only_its_own_page_may_ask(server, headers, status, code):
    found, body, sent = server.get("health", headers=headers)
    assert found == status
    assert (body.get("error") or {}).get("code") == code
    assert "default-src 'none'; script-src 'self'" in sent["content-security-policy"]
    assert "unsafe" not in sent["content-security-policy"]
    assert sent["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in sent


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("search", b'{"query": "' + b"x" * 1_100_000 + b'"}', 413, "at most 1,048,576 bytes"),
        ("search", {"query": "x" * 3000}, 422, "length <= 2000"),
        ("search", {"query": QUERY, "k": 100_000}, 422, "<= 1000"),
        ("search", {"query": "   "}, 422, "the query is blank"),
        ("score", {"query": QUERY, "edited_query": " \n"}, 422, "the edited query is blank"),
        ("score", {"query": QUERY, "text": " "}, 422, "the text is blank"),
        ("missing", {"query": QUERY, "text": "\t"}, 422, "the text is blank"),
        ("snapshots", {"name": " ", "queries": ["q"]}, 422, "the name is blank"),
        ("snapshots", {"name": "a", "queries": ["q", " "]}, 422, "a query is blank"),
        ("search", {"query": QUERY, "rankers": ["a", "b", "c"]}, 422, "length <= 2"),
        ("search", {"query": QUERY, "colour": 1}, 422, "unknown field `colour`"),
        ("search", b"{", 400, "no JSON"),
        ("search", b'{"query": "\\ud800"}', 400, "no JSON"),
        ("snapshots", {"name": "a", "queries": ["q"] * 101}, 422, "length <= 100"),
        ("search", {"query": QUERY, "rankers": ["nobody"]}, 404, "choose one of BM25"),
        ("search", {"query": QUERY, "collection": "../etc"}, 404, "choose one of demo"),
        ("explain", {"query": QUERY, "question": "document"}, 400, "needs a doc"),
        ("explain", {"query": QUERY, "method": "magic"}, 400, "no method 'magic'"),
        ("explain", {"query": QUERY, "settings": {"max_terms": "x"}}, 400, "max_terms must be"),
        ("explain", {"query": QUERY, "settings": {"max_terms": 10**9}}, 400, "at most 100,000"),
        ("explain", {"query": QUERY, "settings": {"vectors": "/etc/passwd"}}, 400, "cannot be chosen"),
        ("explain", b'{"settings": ' + b'{"a":' * 50_000, 400, "no JSON"),
        ("explain", {"query": QUERY, "question": "document", "doc": "x"}, 404, "is not among the"),
        ("counterfactual", {"query": QUERY, "doc": "jaguar-speed-02", "goal": "above"}, 400, "above"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(server, path, body, status, says):
    found, answer, _ = server.post(path, body)
    assert found == status, answer
    assert says in answer["error"]["message"] + answer["error"]["todo"]


def test_a_query_that_finds_nothing_is_told_so(server):
    _, found, _ = server.post("search", {"query": "zzz qqq"})
    assert found["rankings"][0]["results"] == []
    assert found["rankings"][0]["notes"] == ["The first stage finds no document for this query."]
    job = server.done("explain", query="zzz qqq")
    assert "there is nothing to rank" in job["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../pyproject.toml", "/static/%2e%2e/%2e%2e/pyproject.toml", "/static//etc/passwd",
        "/static/..%2f..%2fpyproject.toml", "/../etc/passwd", "/api/v1/answers/..%2f..%2fetc%2fpasswd",
        "/api/v1/documents/demo/..%2f..%2fetc%2fpasswd", "/api/v1/documents/..%2f..%2fetc/passwd",
    ],
)  # fmt: skip
def test_no_path_of_a_request_is_one_of_a_file(server, path):
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer.split()[1] == b"404"
    assert b"root:" not in answer
    assert b"[project]" not in answer


def test_no_key_of_a_service_is_told(server):
    told = [json.dumps(server.get("rankers")[1], ensure_ascii=False)]
    assert "https://…@127.0.0.1:9/rank?api_key=…#retries=0" in told[0]
    told.append(json.dumps(server.post("search", {"query": QUERY, "rankers": ["service"]})[1]))
    for ranker in ("service", "fails"):
        job = server.done("explain", query="bat control", ranker=ranker, k=5)
        assert job["state"] == "failed"
        told.append(json.dumps(job))
    told.append(json.dumps(server.get("history")[1]))
    assert "sk-secret" not in "".join(told)


def test_a_ranker_that_hangs_is_given_up_and_others_go_on(server):
    _, hung, _ = server.post("explain", {"query": "hang on crane", "ranker": "hangs", "k": 5})
    server.until(hung["id"], "running")
    _, found, _ = server.post("search", {"query": "palm care", "k": 5})  # BM25, beside it
    assert len(found["rankings"][0]["results"]) == 5
    _, waiting, _ = server.post("explain", {"query": "palm care", "k": 10})
    assert waiting["state"] == "queued"
    assert waiting["place"] == 1
    ended = server.until(hung["id"], "failed")
    assert ended["error"]["code"] == "timeout"
    assert "gave no answer for 8 s" in ended["error"]["message"]
    assert server.until(waiting["id"], "done")["answer"]["terms"]


def test_a_search_that_takes_too_long_says_so(server):
    status, found, _ = server.post("search", {"query": "hang on a crane", "rankers": ["hangs"], "k": 5})
    assert (status, found["error"]["code"]) == (504, "timeout")


def test_a_ranker_that_was_not_loaded_in_time_can_be_used_once_it_answers(tmp_path):
    (tmp_path / "late_ranker.py").write_text(
        "import pathlib, time\n"
        "seen = pathlib.Path(__file__).with_name('seen')\n"
        "if not seen.exists():\n    seen.touch()\n    time.sleep(60)\n"
        "def score(query, texts):\n    return [len(text) for text in texts]\n"
    )
    state = tmp_path / "state"
    state.mkdir()
    server = Server(
        state, "--ranker", "BM25=bm25", "--ranker", "late=late_ranker:score", "--timeout", "2",
        env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip

    def late():
        return next(one for one in server.get("rankers")[1] if one["name"] == "late")

    def until(good):
        for _ in range(300):
            if good(late()):
                return
            threading.Event().wait(0.1)
        raise AssertionError(late())

    until(lambda one: "gave no answer for 2 s" in (one["error"] or ""))
    status, found, _ = server.post("search", {"query": "palm", "rankers": ["late"], "k": 5})
    assert status == 200, found
    until(lambda one: one["error"] is None)
    server.stop()


def test_a_job_is_cancelled_for_one_and_goes_on_for_others(server):
    asked = {"query": "palm care", "ranker": "slow", "k": 20}
    one, two = (server.post("explain", asked)[1] for _ in range(2))
    assert one["key"] == two["key"]
    assert one["id"] != two["id"]
    assert server.send("DELETE", f"jobs/{one['id']}")[1]["state"] == "cancelled"
    assert server.until(two["id"], "done", "failed", "cancelled")["state"] == "done"
    asked["k"] = 19
    one = server.post("explain", asked)[1]
    two = server.post("explain", asked)[1]
    assert server.send("DELETE", f"jobs/{one['id']}")[1]["state"] == "cancelled"
    assert server.send("DELETE", f"jobs/{two['id']}")[1]["state"] == "cancelled"
    health = server.get("health")[1]
    for _ in range(100):
        if not health["running"]:
            break
        threading.Event().wait(0.1)
        health = server.get("health")[1]
    assert health["running"] == 0
    assert server.get(f"answers/{one['key']}")[0] == 404


def test_too_many_questions_are_told_to_come_back(tmp_path, rankers):
    server = Server(
        tmp_path, "--ranker", "slow=serve_rankers:slow", "--ranker", "BM25=bm25",
        "--queue", "2", "--token", "secret-token", env=rankers,
    )  # fmt: skip
    try:
        server.token = "secret-token"  # noqa: S105
        status, body, headers = server.get("health", headers={"authorization": "Bearer secret-tokeN"})
        assert (status, body["error"]["code"]) == (401, "unauthorized")
        assert headers["www-authenticate"] == "Bearer"
        status, _, headers = server.get("/?token=secret-token", raw=True)
        assert status == 303
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        server.token = None
        assert server.get("health")[0] == 401
        assert server.get("health", headers={"cookie": cookie.partition(";")[0]})[0] == 200
        server.token = "secret-token"  # noqa: S105
        kept = server.done("explain", query="bass lessons", ranker="BM25", k=10)
        asked = [{"query": QUERY, "ranker": "slow", "k": k} for k in range(20, 26)]
        found = [server.post("explain", asked[0])]
        server.until(found[0][1]["id"], "running")
        found += [server.post("explain", one) for one in asked[1:]]
        assert [status for status, _, _ in found] == [202] * 3 + [429] * 3
        assert 1 <= int(found[-1][2]["retry-after"]) <= 600
        assert found[-1][1]["error"]["code"] == "busy"
        assert server.post("search", {"query": QUERY, "rankers": ["BM25"]})[0] == 200
        jobs = [job["id"] for _, job, _ in found[:3]]
        server.kill()
        again = Server(
            tmp_path, "--ranker", "slow=serve_rankers:slow", "--ranker", "BM25=bm25", env=rankers
        )
        try:
            found = [again.get(f"jobs/{job}")[1] for job in jobs]
            assert {job["state"] for job in found} <= {"queued", "running"}
            for job in jobs[1:]:
                assert again.send("DELETE", f"jobs/{job}")[1]["state"] == "cancelled"
            resumed = again.until(jobs[0], "done", "failed", "lost")
            assert resumed["state"] == "done"
            assert again.get(f"answers/{resumed['key']}")[1]["answer"] == resumed["answer"]
            assert again.get(f"answers/{kept['key']}")[1]["answer"] == kept["answer"]
            assert again.get(f"jobs/{kept['id']}")[1]["answer"] == kept["answer"]
        finally:
            assert again.stop() == 0
            assert "3 questions were under way" in again.errors
            assert "resumed: 3, lost: 0" in again.errors
    finally:
        server.stop()


def test_a_state_folder_that_cannot_be_used_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "serve.sqlite").write_text("no database" * 100)
    for folder in (tmp_path / "file" / "state", tmp_path / "broken"):
        assert main(["serve", "--port", "0", "--ranker", "bm25", "--state", str(folder)]) == 2
        assert f"the state folder {folder} cannot be used" in capsys.readouterr().err
    assert (tmp_path / "broken" / "serve.sqlite").read_text() == "no database" * 100


def test_a_full_disk_damages_nothing(tmp_path):
    store = Store(tmp_path)
    store.keep("a", "explain", "demo", {}, {"terms": ["tea"]}, "", 1.0)
    store._db.execute("PRAGMA max_page_count=1")  # as many as there are: the next write finds no room
    with pytest.raises(StoreError, match="full"):
        store.keep("b", "explain", "demo", {}, {"terms": ["x" * 100_000]}, "", 1.0)
    assert store.answer("a")["answer"] == {"terms": ["tea"]}
    store.close()
    again = Store(tmp_path)
    assert again.answer("a")["answer"] == {"terms": ["tea"]}
    assert again.answer("b") is None
    again.close()


def test_only_the_last_jobs_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("intentx.serve.store.JOBS_KEPT", 3)
    store = Store(tmp_path)
    for number in range(7):
        store.note_job(f"job {number}", f"key {number}", "explain", "done", {})
    assert [number for number in range(7) if store.job(f"job {number}")] == [3, 4, 5, 6]
    store.close()
    again = Store(tmp_path)
    assert [number for number in range(7) if again.job(f"job {number}")] == [4, 5, 6]
    again.close()


def test_a_question_is_resumed_once_and_else_lost(tmp_path, rankers):
    """What the ranker does at the question would end each server; and another ranker is none."""
    store = Store(tmp_path)
    store.note_job("again", "key", "explain", "resumed", {"query": QUERY})
    store.note_job("other", "key-of-other-texts", "explain", "queued", {"query": QUERY, "k": 5})
    store.note_job("broken", "key-3", "explain", "running", {"colour": 1})
    store.note_job("gone", "key-4", "explain", "running", {"query": QUERY, "ranker": "nobody", "k": 5})
    store.close()
    server = Server(tmp_path, "--ranker", "BM25=bm25")
    try:
        for job in ("again", "other", "broken", "gone"):
            found = server.get(f"jobs/{job}")[1]
            assert found["state"] == "lost"
            assert found["error"]["message"] == "the server ended before the answer was there"
    finally:
        assert server.stop() == 0
    assert "4 questions were under way" in server.errors
    assert "resumed: 0, lost: 4" in server.errors


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_without_a_traceback(tmp_path, rankers, end):
    """While a stream of events, a request that waits, and a search by a slow ranker are open."""
    server = Server(tmp_path, "--ranker", "hangs=serve_rankers:hangs", env=rankers)
    asked = {"query": "hang on", "ranker": "hangs", "k": 5}
    _, job, _ = server.post("explain", {**asked, "query": "hang on palm care"})
    server.until(job["id"], "running")  # before the search, which goes first where both wait
    got = []

    def open_(method, path, body=None):
        got.append(server.send(method, path, body, raw=True))

    requests = [
        ("GET", f"jobs/{job['id']}/events"),
        ("POST", "explain?wait=60", {**asked, "query": "hang on palm tree"}),
        ("POST", "search", {"query": "hang on palm", "rankers": ["hangs"], "k": 5}),
    ]
    threads = [threading.Thread(target=open_, args=one) for one in requests]
    for one in threads:
        one.start()
    while server.get("health")[1]["queued"] + server.get("health")[1]["running"] < 3:
        threading.Event().wait(0.05)
    server.process.send_signal(end)
    for one in threads:
        one.join(20)
    server.process.wait(20)
    assert sorted(status for status, _, _ in got) == [200, 202, 503]
    server.stop()
    assert server.errors == ""


def test_collections_have_names_and_scifact_its_sentences(tmp_path):
    (tmp_path / "a=b.jsonl").write_text('{"id": "1", "text": "one cat"}\n')
    (tmp_path / "corpus.jsonl").write_text('{"id": 1, "title": "Cats", "sentences": ["One.", "Two."]}\n')
    server = Server(
        tmp_path / "state", "--ranker", "bm25", "--docs", f"news={tmp_path / 'a=b.jsonl'}",
        "--docs", tmp_path / "a=b.jsonl", "--beir", f"our claims={tmp_path}",
    )  # fmt: skip
    try:
        names = [one["name"] for one in server.get("collections")[1]]
        assert names == ["news", "a=b", "our claims"]
        assert server.get("documents/our claims/1")[1]["text"] == "One. Two."
    finally:
        assert server.stop() == 0


def test_what_cannot_be_served_is_refused_at_the_start(tmp_path, capsys, monkeypatch):
    (tmp_path / "one.jsonl").write_text('{"id": "1", "text": "one cat"}\n')
    given = ["serve", "--port", "0", "--state", str(tmp_path / "state")]
    assert main([*given, "--ranker", f"run:{tmp_path / 'none.trec'}"]) == 2
    assert "with a recorded run; look at its path" in capsys.readouterr().err
    named = ["--docs", f"a={tmp_path / 'one.jsonl'}"]
    assert main([*given, "--ranker", "bm25", *named, *named]) == 2
    assert "two collections are called 'a'" in capsys.readouterr().err
    pytest.importorskip("ir_datasets", reason="ir_datasets is not installed")
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "ir"))
    monkeypatch.setenv("IR_DATASETS_DL_TRIES", "1")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert main([*given, "--ranker", "bm25", "--ir-datasets", "vaswani"]) == 2
    said = capsys.readouterr().err
    assert "ir_datasets cannot give 'vaswani': All download sources failed" in said
    assert "look whether this machine reaches the network" in said


def test_collections_are_warm_before_the_first_search(tmp_path):
    """The first search of a process reads files and compiles: it is made before the address is said."""

    class Told(DemoEngine):
        def search(self, query, k):
            told.append("searched")
            return super().search(query, k)

    told = []
    service = Service({"demo": Told()}, {}, served_rankers(["bm25"]), Options(state=tmp_path))
    app = make_app(service, Manners(hosts={"localhost"}), lambda *_: told.append("ready"))

    async def start_and_stop():
        events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive():
            return next(events)

        async def send(message):
            assert message["type"].endswith("complete"), message

        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)

    asyncio.run(start_and_stop())
    assert told == ["searched", "ready"]

"""The API, asked as the page asks it."""

import json
import runpy
import socket
import threading

import pytest
import urllib3

import intentx as ix

QUERY, DOC = "jaguar speed", "jaguar-speed-02"


def test_search_by_two_rankers_beside_each_other(server):
    status, found, _ = server.post("search", {"query": QUERY, "rankers": ["BM25", "slow"], "k": 7})
    assert status == 200
    left, right = found["rankings"]
    assert [one["rank"] for one in left["results"]] == [*range(1, 8)]
    assert [one["first_rank"] for one in left["results"]] == [*range(1, 8)]
    assert {one["doc_id"] for one in left["results"]} == {one["doc_id"] for one in right["results"]}
    lengths = [len(one["text"]) for one in right["results"]]
    assert lengths == sorted(lengths, reverse=True) == [one["score"] for one in right["results"]]
    top = left["results"][0]
    words = {top["text"][start:end].lower() for start, end in top["snippet"]}
    assert words == {"jaguar", "speed"}


def test_scores_of_the_first_stage_are_those_that_are_explained(server):
    _, found, _ = server.post("search", {"query": QUERY, "k": 20})
    scores = [one["score"] for one in found["rankings"][0]["results"]]
    answer = server.answer("explain", query=QUERY, k=20)
    assert answer["ranking"]["scores"] == pytest.approx(scores)
    assert answer["terms"][:2] == ["jaguar", "speed"]


def test_an_answer_is_computed_once_and_kept(server):
    first = server.done("explain", query="bass lessons", k=15)
    again = server.done("explain", query="bass lessons", k=15, ranker="BM25", question="ranking")
    assert first["key"] == again["key"]
    assert again["answer"] == json.loads(json.dumps(first["answer"]))  # its seconds, too
    other = server.done("explain", query="bass lessons", k=16)
    assert other["key"] != first["key"]
    _, kept, _ = server.get(f"answers/{first['key']}")
    assert kept["answer"] == first["answer"]
    assert kept["question"]["method"] == "multiplex"
    _, history, _ = server.get("history?limit=2")
    assert [one["key"] for one in history] == [other["key"], first["key"]]


def test_a_job_is_told_of_after_many_others(server):
    """Its answer comes from the disk: the memory of the server does not grow with answers."""
    asked = {"query": QUERY, "doc": DOC, "k": 5}
    first, *others = (server.done("score", **asked, text="jaguar " * n) for n in range(1, 41))
    status, told, _ = server.get(f"jobs/{first['id']}")
    assert (status, told["state"], told["permalink"]) == (200, "done", first["permalink"])
    assert told["answer"] == first["answer"] != others[0]["answer"]


def test_terms_are_taken_out_without_a_new_search(server):
    asked = {"query": "crane safety", "k": 15}
    status, body, _ = server.post("explain?wait=60", {**asked, "without": ["crane"]})
    assert (status, body["error"]["code"]) == (409, "not_done")
    whole = server.answer("explain", **asked)
    less = server.answer("explain", **asked, without=[whole["terms"][0]])
    assert less["terms"] == whole["terms"][1:]
    assert less["fidelity"]["all"] < whole["fidelity"]["all"]


def test_where_a_document_is(server):
    found = server.answer("missing", query=QUERY, doc="apple-season-01", k=20)
    assert (found["stage"], found["doc_id"]) == ("ranker", "apple-season-01")
    assert {one["word"] for one in found["lacks"]} == {"jaguar", "speed"}
    text = ix.datasets.load_demo("apple season").documents[0].text[20:90]
    assert server.answer("missing", query=QUERY, text=text, k=20)["doc_id"] == "apple-season-01"
    status, body, _ = server.post("missing", {"query": QUERY, "text": "no such text at all"})
    assert status == 404
    assert body["error"]["message"].startswith("not found: no document of 'demo' has this text")
    status, body, _ = server.post("missing", {"query": QUERY, "doc": "nobody"})
    assert (status, body["error"]["message"]) == (
        404, "not found: no document 'nobody' in the collection 'demo'",
    )  # fmt: skip


def test_edit_and_see(server):
    edited = server.answer("score", query=QUERY, k=20, doc=DOC, text="Nothing of the kind.")
    moved = edited["doc"]
    assert (moved["rank_before"], moved["rank_after"], moved["score_after"]) == (1, 20, 0.0)
    assert edited["before"][0]["doc_id"] == DOC
    assert sorted(one["doc_id"] for one in edited["before"]) == sorted(
        one["doc_id"] for one in edited["after"]
    )
    other = server.answer("score", query=QUERY, k=20, edited_query="speed")
    assert other["doc"] is None
    assert other["before"] != other["after"]


def test_the_smallest_change(server):
    found = server.answer("counterfactual", query=QUERY, k=20, doc=DOC, goal="leave", top=3)
    assert (found["rank_before"], found["status"]) == (1, "minimal")
    assert found["rank_after"] > 3


def test_the_contrast_of_two_rankers(server):
    found = server.answer("compare", query=QUERY, rankers=["BM25", "slow"], k=20)
    assert found["rankers"] == {"BM25": "bm25", "slow": "serve_rankers:slow"}
    assert found["queries"][0]["query"] == QUERY


ASKED = [
    ("explain", {}, "list(explanation.terms)", lambda answer: answer["terms"]),
    (
        "explain",
        {"doc": DOC, "question": "document", "method": "shap", "settings": {"samples": 32}},
        "list(explanation.terms)",
        lambda answer: answer["terms"],
    ),
    (
        "compare",
        {"rankers": ["BM25", "slow"]},
        "list(comparison.queries[0].intents['BM25'].terms)",
        lambda answer: answer["queries"][0]["intents"]["BM25"]["terms"],
    ),
    (
        "counterfactual",
        {"doc": DOC, "goal": "leave", "top": 3},
        "explanation.edited_text",
        lambda answer: answer["edited_text"],
    ),
    ("missing", {"doc": "apple-season-01"}, "None", lambda answer: None),
    (
        "score",
        {"doc": DOC, "text": "a jaguar"},
        "list(after.doc_ids)",
        lambda answer: [one["doc_id"] for one in answer["after"]],
    ),
]


def test_python_text_asks_the_same(server, rankers, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(rankers["PYTHONPATH"])
    for number, (kind, body, found, of) in enumerate(ASKED):
        job = server.done(kind, query=QUERY, k=8, **body)
        assert job["state"] == "done", job
        _, kept, _ = server.get(f"answers/{job['key']}")
        script = tmp_path / f"{number}.py"
        script.write_text(f"{kept['python']}FOUND = {found}\n")
        assert runpy.run_path(str(script))["FOUND"] == of(job["answer"])
    assert "'apple-season-01'" in capsys.readouterr().out


def test_the_report_page_is_downloaded(server):
    job = server.done("explain", query=QUERY, k=20)
    status, page, headers = server.get(f"answers/{job['key']}/page", raw=True)
    assert status == 200
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    assert "jaguar speed" in page
    assert headers["content-disposition"].startswith("attachment")


def test_snapshots_and_their_difference(server):
    ids = []
    for name, ranker in (("before", "BM25"), ("after", "slow")):
        asked = {"name": name, "queries": [QUERY, "bass lessons"], "ranker": ranker, "k": 6}
        status, made, _ = server.post("snapshots", asked)
        assert status == 200
        ids.append(made["id"])
    _, diff, _ = server.get(f"diff?left={ids[0]}&right={ids[1]}")
    assert [one["query"] for one in diff["queries"]] == [QUERY, "bass lessons"]
    one = diff["queries"][0]
    assert one["entered"] == one["left"] == []
    assert len(one["moved"]) + one["unchanged"] == 6
    assert all(doc["rank_before"] != doc["rank_after"] for doc in one["moved"])
    _, same, _ = server.get(f"diff?left={ids[0]}&right={ids[0]}")
    assert [(one["moved"], one["unchanged"]) for one in same["queries"]] == [([], 6), ([], 6)]


def test_events_tell_of_the_job_until_it_ends(server):
    _, job, _ = server.post("explain", {"query": "bat control", "ranker": "slow", "k": 10})
    answer = urllib3.request(
        "GET", f"{server.url}/api/v1/jobs/{job['id']}/events", preload_content=False, timeout=60
    )
    events = [
        json.loads(part.removeprefix("data: ")) for part in answer.read().decode().split("\n\n") if part
    ]
    assert answer.headers["content-type"].startswith("text/event-stream")
    states = [one["state"] for one in events]
    assert states[-1] == "done"
    assert "running" in states
    assert any(one["progress"]["of"] > 0 for one in events if "progress" in one)
    assert events[-1]["answer"]["terms"]


def test_an_explanation_gets_surer(server):
    _, job, _ = server.post(
        "explain",
        {"query": QUERY, "ranker": "slow", "k": 3, "question": "document", "doc": DOC,
         "method": "exs"},
    )  # fmt: skip
    answer = urllib3.request(
        "GET", f"{server.url}/api/v1/jobs/{job['id']}/events", preload_content=False, timeout=60
    )
    partial = None
    for line in answer.stream(1 << 20):
        for part in line.decode().split("\n\n"):
            if '"partial":' in part:
                partial = json.loads(part.removeprefix("data: "))["partial"]
        if partial:
            break
    answer.close()
    assert partial["settings"]["samples"] == 125
    server.send("DELETE", f"jobs/{job['id']}")


def test_the_client_reads_answers(server):
    client = server.client()
    assert client.rankers()[0]["name"] == "BM25"
    found = client.explain(QUERY, k=20)
    assert isinstance(found, ix.IntentExplanation)
    assert found.terms[:2] == ("jaguar", "speed")
    assert isinstance(client.missing(QUERY, "apple-season-01"), ix.MissingDocument)
    assert client.counterfactual(QUERY, DOC, "leave").goal == "leave"
    assert client.counterfactual(QUERY, DOC, "leave", k=3).target == "to leave the first 3"
    assert [*client.compare(QUERY, ["BM25", "slow"], k=20).rankers] == ["BM25", "slow"]
    assert client.score(QUERY, DOC, text="a boat")["doc"]["rank_before"] == 1
    with pytest.raises(ix.InputError, match="no ranker 'nobody'; choose one of BM25"):
        client.explain(QUERY, ranker="nobody")
    with pytest.raises(ix.ScorerError, match="raised ValueError"):
        client.explain(QUERY, ranker="fails")
    with pytest.raises(ix.InputError, match="start one with intentx serve"):
        ix.Client("http://127.0.0.1:9").rankers()


def test_of_two_rankers_one_may_fail(server):
    asked = {"query": QUERY, "k": 5}
    status, found, _ = server.post("search", {**asked, "rankers": ["fails", "BM25"]})
    failed, other = found["rankings"]
    assert (status, failed["ranker"], failed["results"], len(other["results"])) == (200, "fails", [], 5)
    assert "no key" in failed["error"]["message"]
    assert "sk-secret" not in json.dumps(found)
    assert other["error"] is None
    status, found, _ = server.post("search", {**asked, "rankers": ["fails", "service"]})
    assert (status, found["error"]["code"]) == (500, "internal")


def test_a_connection_that_the_server_closed_is_opened_again_once():
    """Servers close those that are idle, and a request may be on its way just then."""

    def answers(closes):
        """How a client fares whose first ``closes`` connections end without an answer."""
        with socket.create_server(("127.0.0.1", 0)) as listening:

            def serve():
                for number in range(min(closes + 1, 2)):  # a client opens two at most
                    line, _ = listening.accept()
                    with line:
                        line.recv(10_000)
                        if number == closes:
                            line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            try:
                return ix.Client(f"http://127.0.0.1:{listening.getsockname()[1]}").rankers()
            finally:
                thread.join(20)

    assert answers(1) == []
    with pytest.raises(ix.InputError, match="no server answers at"):
        answers(2)

"""Services as they are run: their requests and answers, and keys in headers of their own."""

import contextlib
import json
import sqlite3

import pytest

import intentx as ix
from intentx.rankers import HTTPReranker, load_ranker
from intentx.rankers.services.formats import SHAPES, Shape
from intentx.rankers.services.redaction import redacted, without_secrets
from tests.rankers.reranking import QUICK, TEXTS, answers, best_first, scores_of
from tests.services import Service


def voyage(asked):
    ranked = [{"index": i, "relevance_score": s} for i, s in best_first(asked["documents"])]
    return {"object": "list", "data": ranked[: asked["top_k"]], "usage": {"total_tokens": 9}}


def mixedbread(asked):
    return {"data": [{"index": i, "score": s} for i, s in best_first(asked["input"])][: asked["top_k"]]}


def vllm_score(asked):
    ranked = [{"index": i, "object": "score", "score": s} for i, s in best_first(asked["text_2"])]
    return {"object": "list", "data": ranked, "query": asked["text_1"]}


def pinecone(asked):
    assert asked["return_documents"] is False
    texts = [one["text"] for one in asked["documents"]]
    return {"data": [{"index": i, "score": s} for i, s in best_first(texts)][: asked["top_n"]]}


def nvidia(asked):
    assert set(asked["query"]) == {"text"}
    texts = [one["text"] for one in asked["passages"]]
    return {"rankings": [{"index": i, "logit": s} for i, s in best_first(texts)]}


SERVICES = {
    "voyage": voyage,
    "mixedbread": mixedbread,
    "vllm-score": vllm_score,
    "pinecone": pinecone,
    "nvidia": nvidia,
    "documents": lambda asked: {"results": voyage(asked | {"top_k": asked["top_n"]})["data"]},
    "texts": lambda asked: [{"index": i, "score": s} for i, s in best_first(asked["texts"])],
}


def served(reply):
    """A service that refuses what it does not understand, as real ones do."""

    def answer(service, request):
        try:
            return 200, reply(request.json)
        except (KeyError, TypeError, AssertionError) as error:
            return 422, {"detail": repr(error)}

    return Service(answer)


def test_every_shape_has_its_service():
    assert set(SERVICES) == set(SHAPES)


@pytest.mark.parametrize("name", SERVICES)
def test_services_by_name(name):
    with served(SERVICES[name]) as service:
        ranker = load_ranker(f"{service.url}/rerank#shape={name}&model=m&batch_size=2", ())
        assert ranker("tea", TEXTS).tolist() == scores_of(TEXTS)
    assert [request.json["model"] for request in service.requests] == ["m"] * 3


@pytest.mark.parametrize(
    "answer",
    [
        lambda texts: scores_of(texts),
        lambda texts: {"scores": scores_of(texts)},
        lambda texts: {"results": [str(score) for score in scores_of(texts)]},
        lambda texts: {"data": [{"index": str(i), "score": f"{s:e}"} for i, s in best_first(texts)]},
        lambda texts: {"rankings": [{"index": i, "logit": s} for i, s in best_first(texts)]},
    ],
)
def test_answers_of_other_services(answer):
    with served(lambda asked: answer(asked["documents"])) as service:
        assert HTTPReranker(service.url, **QUICK)("tea", TEXTS).tolist() == scores_of(TEXTS)


def test_a_service_of_another_shape():
    fields = {
        "query": "input.question",
        "texts": "input.passages",
        "text": "content",
        "top": None,
        "model": "parameters.model",
        "fixed": {"truncate": True},
        "answer": "output.ranking",
        "index": "passage.number",
        "score": "passage.value",
    }

    def reply(asked):
        assert (asked["input"]["question"], asked["truncate"]) == ("tea", True)
        assert (asked["parameters"], asked["more"]) == ({"model": "m"}, 1)
        texts = [one["content"] for one in asked["input"]["passages"]]
        ranking = [{"passage": {"number": i, "value": s}} for i, s in best_first(texts)]
        return {"output": {"ranking": ranking}}

    with served(reply) as service:
        spec = f'{service.url}#fields={json.dumps(fields)}&model=m&options={{"more":1}}'
        ranker = load_ranker(spec, ())
        assert ranker("tea", TEXTS).tolist() == scores_of(TEXTS)
    assert ranker.fingerprint != HTTPReranker(service.url, model="m", options={"more": 1}).fingerprint


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"question": "q"}, "no part 'question'; there are like, answer,"),
        ({"query": ""}, "query must be the name of a field, not ''"),
        ({"texts": None}, "texts must be the name of a field, not None"),
        ({"top": 3}, "top must be the name of a field, or null, not 3"),
        ({"fixed": []}, r"fixed must be an object, not \[\]"),
        ({"like": "cohere"}, "like must be one of documents, texts, voyage.*not 'cohere'"),
    ],
)
def test_fields_that_cannot_be_used(fields, message):
    with pytest.raises(ix.InputError, match=message):
        HTTPReranker("http://127.0.0.1/", fields=fields)


def test_a_shape_on_top_of_another():
    assert Shape.of({"like": "voyage", "texts": "passages"}) == Shape(
        texts="passages", top="top_k", answer="data", score="relevance_score"
    )
    with pytest.raises(ix.InputError, match="not both"):
        HTTPReranker("http://127.0.0.1/", shape="voyage", fields={"texts": "passages"})


def test_keys_in_headers_and_in_the_url(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-0123456789")
    monkeypatch.setenv("URL_KEY", "url-9876543210")
    headers = {"x-api-key": "$MY_KEY", "X-Version": "2025-10", "Authorization": "ApiKey ${MY_KEY}"}

    def reply(service, request):
        if len(service.requests) > 1:
            return 403, {"sent": {**request.headers, "path": request.path}}
        return 200, scores_of(request.json["documents"])

    with Service(reply) as service:
        spec = f"{service.url}/?key=${{URL_KEY}}#headers={json.dumps(headers)}"
        ranker = load_ranker(spec, ())
        ranker("tea", TEXTS)
        first = service.requests[0]
        assert first.path == "/?key=url-9876543210"
        assert first.headers["x-api-key"] == "sk-0123456789"
        assert first.headers["Authorization"] == "ApiKey sk-0123456789"
        assert first.headers["X-Version"] == "2025-10"
        with pytest.raises(ix.ScorerError, match="403") as caught:
            ranker("tea", TEXTS)
    for shown in (str(caught.value), repr(ranker), repr(vars(ranker)), ranker.fingerprint):
        assert "0123456789" not in shown
        assert "9876543210" not in shown


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"x-api-key": "sk-1234"}, r"must not stand in settings.*\{'x-api-key': '\$MY_KEY'\}"),
        ({"Cookie": "session=1"}, "must not stand in settings"),
        ({"X-Version": "a\r\nB: c"}, "printable ASCII"),
        ({"X Version": "1"}, "not a valid header name"),
        ({"X-Version": 1}, "must be a text"),
        ({"x-api-key": "$NOT_SET_ANYWHERE"}, "variable 'NOT_SET_ANYWHERE' is not set"),
    ],
)
def test_headers_that_cannot_be_sent(headers, message):
    with pytest.raises(ix.InputError, match=message) as caught:
        HTTPReranker("http://127.0.0.1/", headers=headers)
    assert "sk-1234" not in str(caught.value)


KEY = "sk-Ab/12+34=&<é".replace("é", "x")


@pytest.mark.parametrize(
    "said",
    [
        KEY,
        json.dumps({"bad": KEY}),
        json.dumps({"bad": KEY}).replace("/", "\\/"),
        "".join(f"\\u{ord(c):04x}" for c in KEY),
        "".join(f"\\u{ord(c):04X}" for c in KEY),
        "".join(f"%{ord(c):02X}" for c in KEY),
        "".join(f"%25{ord(c):02x}" for c in KEY),
        "".join(f"&#{ord(c)};" for c in KEY),
        "".join(f"&#x{ord(c):X};" for c in KEY),
        KEY.replace("&", "&amp;").replace("<", "&lt;"),
        json.dumps(json.dumps({"bad": json.dumps(KEY)})).replace("/", "\\\\/"),
        " " * 140 + KEY,  # across the end of the excerpt
        "x" * 155 + KEY,
        "y" * 700 + KEY,
    ],
)
def test_keys_are_taken_out_before_anything_is_cut(monkeypatch, said):
    monkeypatch.setenv("MY_KEY", KEY)
    with Service(answers((401, said.encode()))) as service:
        ranker = HTTPReranker(service.url, key_env="MY_KEY", **QUICK)
        with pytest.raises(ix.ScorerError, match="401") as caught:
            ranker("tea", TEXTS)
    shown = str(caught.value)
    assert "sk" not in shown
    assert not any(form in shown for form in ("Ab", "s\\", "\\u0073", "%73", "&#115", "%2573"))


def test_what_is_no_key_stays():
    assert redacted("the task at 12/34", ["sk-Ab/12"]) == "the task at 12/34"
    assert redacted("a.b", ["a+b", ""]) == "a.b"


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("https://h/r?api_key=abc&v=1", "https://h/r?api_key=…&v=…"),
        ("https://h/r?api_key=${KEY}#model=m", "https://h/r?api_key=${KEY}#model=m"),
        ("http:http://u:p@h/r?abc", "http:http://…@h/r?…"),
        ("http://127.0.0.1:8080/rerank", "http://127.0.0.1:8080/rerank"),
        ("module:callable?x", "module:callable?x"),
    ],
)
def test_specs_without_secrets(spec, shown):
    assert without_secrets(spec) == shown


def test_a_study_writes_no_key(tmp_path):
    """Its URL stands in the study's file, and nowhere else."""
    from intentx.cli import main

    lines = [{"qid": "1", "query": "tea", "docs": [{"id": t, "text": f"{t} tea"} for t in TEXTS]}]
    (tmp_path / "topics.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with served(SERVICES["documents"]) as service:
        (tmp_path / "study.toml").write_text(
            f'name = "s"\n[data]\ntopics = "topics.jsonl"\n'
            f'[rankers]\nservice = "{service.url}/?api_key=sk-hidden-key"\n'
            '[methods]\nterms = {method = "query-terms"}\n'
            "[measures]\nheldout = 0\nstability = 0\nfaithfulness = 0\n"
        )
        out = tmp_path / "results"
        assert main(["bench", str(tmp_path / "study.toml"), "--out", str(out)]) == 0
        assert main(["report", str(out)]) == 0
        asked = len(service.requests)
        assert main(["bench", str(tmp_path / "study.toml"), "--out", str(out)]) == 0  # resumed
        assert len(service.requests) == asked
        assert all(request.path == "/?api_key=sk-hidden-key" for request in service.requests)
    written = [path for path in out.rglob("*") if path.is_file()]
    assert any(path.suffix == ".html" for path in written)
    for path in written:
        assert b"sk-hidden" not in path.read_bytes(), path
    with contextlib.closing(sqlite3.connect(out / "study.sqlite")) as db:
        plain = json.loads(db.execute("SELECT plain FROM study").fetchone()[0])
    assert plain["rankers"]["service"].endswith("/?api_key=…")

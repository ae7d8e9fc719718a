"""Services of language models that fail, are busy, refuse, or are given a key."""

import pickle
import threading
import time

import numpy as np
import pytest

import intentx as ix
from intentx.rankers import LLMRanker
from tests.rankers.language_models import QUICK, completion, fine, ordered
from tests.rankers.llm_documents import DOCS, TEXTS
from tests.rankers.reranking import answers
from tests.services import Service

pytestmark = pytest.mark.filterwarnings("ignore::intentx.errors.CostWarning")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>busy</html>", "answered no JSON but '<html>busy</html>'"),
        ({"error": {"message": "no such model"}}, "answered no choices but .*no such model"),
        ({"choices": []}, "no choices"),
        ({"choices": ["x"]}, "no choices"),
        ([1, 2], "no choices"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_completion_is_an_error(content, said):
    with Service(answers((200, content))) as service, pytest.raises(ix.ScorerError, match=said):
        LLMRanker(service.url, **QUICK)("tea", TEXTS)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failures_are_tried_again(status):
    busy = (status, b"later", {"Retry-After": "0"})
    reply = lambda service, request: busy if len(service.requests) < 3 else fine(service, request)  # noqa: E731
    with Service(reply) as service:
        ranker = LLMRanker(service.url, **QUICK)
        assert np.argsort(-ranker("tea", TEXTS)).tolist() == ordered("tea", TEXTS)
    assert len(service.requests) == 3
    assert ranker.usage.calls == 1


def test_a_wait_is_as_long_as_asked(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    reply = lambda service, request: (  # noqa: E731
        (429, b"slow down", {"Retry-After": "7"})
        if len(service.requests) < 2
        else fine(service, request)
    )
    with Service(reply) as service:
        LLMRanker(service.url, **QUICK)("tea", TEXTS)
    assert 7 in slept
    with (
        Service(answers((429, b"quota", {"Retry-After": "3600"}))) as service,
        pytest.raises(ix.ScorerError, match="asked to wait 3600 s"),
    ):
        LLMRanker(service.url, **QUICK)("tea", TEXTS)


def test_a_service_that_does_not_answer():
    done = threading.Event()
    settings = {**QUICK, "timeout": 0.1, "retries": 1}
    with Service(lambda service, request: done.wait(5) and None) as service:
        with pytest.raises(ix.ScorerError, match=r"no whole answer within 0.1 s|timed out"):
            LLMRanker(service.url, **settings)("tea", TEXTS)
        done.set()
    assert len(service.requests) == 2


def test_a_refused_request_is_an_error_without_the_key(monkeypatch):
    key = "sk-very-secret-0123"
    monkeypatch.setenv("LLM_KEY", key)

    def reply(service, request):
        assert request.headers["Authorization"] == f"Bearer {key}"
        return 401, {"error": f"bad key {key}"}

    with Service(reply) as service, pytest.raises(ix.ScorerError, match="401 Unauthorized") as caught:
        LLMRanker(service.url, key_env="LLM_KEY", **QUICK)("tea", TEXTS)
    assert key not in str(caught.value)


def test_the_key_is_nowhere(monkeypatch, tmp_path):
    key = "sk-very-secret-0123"
    monkeypatch.setenv("LLM_KEY", key)
    file = tmp_path / "answers.sqlite"
    leaky = completion(f"With the key {key}: [2] > [1] > [3] > [4]")
    with Service(answers(leaky)) as service:
        ranker = LLMRanker(f"{service.url}/v1?token=hidden-0", key_env="LLM_KEY", cache=file, **QUICK)
        ranking = ix.rank(ranker, "tea", DOCS)
        found = ix.QueryTerms().explain(ranking)
        found.to_html(tmp_path / "page.html")
    shown = [repr(ranker), ranker.fingerprint, str(ranker.problems), found.to_json(), repr(vars(ranker))]
    shown += [(tmp_path / "page.html").read_text(), str(pickle.dumps(ranker)), str(ranker.remarks)]
    assert not any(key in one for one in shown)
    assert "hidden-0" not in repr(ranker) + found.to_json()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert key.encode() not in kept
    assert b"With the key" in kept
    assert any("With the key" in one for one in found.notes)
    ranker.cache.close()

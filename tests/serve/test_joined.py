"""Searches of several people by one ranker are put to it together."""

import asyncio
import re

import pytest

from intentx.serve.errors import ApiError
from intentx.serve.joined import Joined
from intentx.serve.loaded import Loaded
from intentx.serve.pool import BusyError
from intentx.serve.tasks import TASKS
from intentx.serve.turns import Turns

TEXTS = [f"tea number {number}" + " and more" * number for number in range(5)]


def plain(query, ranker="R", texts=TEXTS):
    documents = [{"doc_id": f"d{i}", "title": "", "text": text} for i, text in enumerate(texts)]
    return {"query": query, "ranker": ranker, "collection": "c", "documents": documents}


class Worker:
    """Answers once it is let; keeps what it was asked."""

    def __init__(self, answer=None):
        self.asked, self.open, self._answer = [], asyncio.Event(), answer

    async def ask(self, task, given, lane):
        self.asked.append((task, [one["query"] for one in given.get("searches", [given])]))
        await self.open.wait()
        if self._answer:
            return self._answer(task, given)
        if task == "search":
            return {"doc_ids": [given["query"]]}
        return {"answers": [{"doc_ids": [one["query"]]} for one in given["searches"]]}


async def asked_at_once(worker, queries, **limits):
    joined = Joined(worker.ask, limits.get("workers", 1), limits.get("limit", 64), str.upper)
    tasks = [asyncio.ensure_future(joined.search(plain(query))) for query in queries]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    worker.open.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_those_that_come_meanwhile_are_asked_together():
    async def run(**limits):
        worker = Worker()
        found = await asked_at_once(worker, "abcdefghijkl", **limits)
        assert [one["doc_ids"] for one in found] == [[query] for query in "abcdefghijkl"]
        return worker.asked

    one, *more = asyncio.run(run())
    assert one == ("searches", [*"abcdefgh"])
    assert more == [("searches", [*"ijkl"])]
    assert len(asyncio.run(run(workers=3))) <= 3


def test_long_lists_go_a_few_at_a_time():
    """So that nobody waits for much more than what was asked for."""

    async def run():
        worker = Worker()
        joined = Joined(worker.ask, 1, 64, str)
        given = [
            plain(query, texts=["tea"] * size)
            for query, size in zip("abcd", (30, 34, 1, 90), strict=True)
        ]
        tasks = [asyncio.ensure_future(joined.search(one)) for one in given]
        worker.open.set()
        await asyncio.gather(*tasks)
        return worker.asked

    assert asyncio.run(run()) == [("searches", ["a", "b"]), ("search", ["c"]), ("search", ["d"])]


def test_a_failure_is_that_of_one_search_alone():
    def answer(task, given):
        return {
            "answers": [
                {"error": ("ranker_failed", f"no {one['query']}", "look")} if one["query"] == "b" else {}
                for one in given["searches"]
            ]
        }

    one, other, third = asyncio.run(asked_at_once(Worker(answer), "abc"))
    assert one == third == {}
    assert isinstance(other, ApiError)
    assert (other.body.code, other.body.message, other.cause) == ("internal", "NO B", "ranker_failed")


def test_one_that_hangs_does_not_take_the_others_with_it():
    def answer(task, given):
        if task == "searches" or given["query"] == "b":
            raise ApiError.of_worker("timeout", "gave no answer", "")
        return {"doc_ids": [given["query"]]}

    worker = Worker(answer)
    one, other, third = asyncio.run(asked_at_once(worker, "abc"))
    assert (one, third) == ({"doc_ids": ["a"]}, {"doc_ids": ["c"]})
    assert other.cause == "timeout"
    assert worker.asked == [("searches", [*"abc"]), *(("search", [one]) for one in "abc")]


def test_too_many_are_told_to_come_back_and_those_that_wait_are_let_go():
    async def run():
        worker = Worker()
        joined = Joined(worker.ask, 1, 2, str)
        first = asyncio.ensure_future(joined.search(plain("a")))
        while not worker.asked:
            await asyncio.sleep(0)
        others = [asyncio.ensure_future(joined.search(plain(query))) for query in "bcd"]
        await asyncio.sleep(0)
        joined.leave()
        found = await asyncio.gather(*others, return_exceptions=True)
        worker.open.set()
        await first
        return found

    *waited, refused = asyncio.run(run())
    assert isinstance(refused, BusyError)
    assert [one.body.code for one in waited] == ["stopping"] * 2


RANKERS = """
CALLS = []

def score(query, text):
    return text.count(query) + len(text) / 100

class Pairs:
    def __call__(self, query, texts):
        CALLS.append(len(texts))
        return [score(query, text) for text in texts]

    def score_pairs(self, queries, texts):
        CALLS.append(len(texts))
        if "bad" in queries:
            raise ValueError("bad")
        return [score(query, text) for query, text in zip(queries, texts, strict=True)]

pairs = Pairs()

def alone(query, texts):
    CALLS.append(len(texts))
    return [score(query, text) for text in texts]
"""


@pytest.mark.parametrize(("name", "calls"), [("pairs", [32, 8]), ("alone", [])])
def test_their_texts_go_in_common_batches(name, calls, tmp_path, monkeypatch):
    """Eight searches of five texts each: two calls in the place of eight."""
    module = f"rankers_of_{name}"
    (tmp_path / f"{module}.py").write_text(RANKERS)
    monkeypatch.syspath_prepend(tmp_path)
    own = __import__(module)

    def loaded():
        return Loaded({"R": f"{module}:{name}"}, {}, Turns())

    asked = [plain(query) for query in "aenumtor"]
    there = loaded()
    alone = [TASKS["search"](there, one, print) for one in asked]
    checks = [2, 1] * 8  # `ix.rank` asks for some texts again, each search by itself
    assert sorted(own.CALLS) == sorted([5] * 8 + checks)
    own.CALLS.clear()
    found = TASKS["searches"](loaded(), {"ranker": "R", "searches": asked}, print)["answers"]
    assert found == alone
    assert sorted(own.CALLS) == sorted([*(calls or [5] * 8), *checks])
    # A query at which the ranker fails when it is asked together: each is asked by itself.
    bad = [*asked, plain("bad")]
    found = TASKS["searches"](loaded(), {"ranker": "R", "searches": bad}, print)["answers"]
    assert found[:8] == alone
    # One without documents fails alone.
    found = TASKS["searches"](
        loaded(), {"ranker": "R", "searches": [asked[0], plain("e", texts=[])]}, print
    )
    assert found["answers"][0] == alone[0]
    code, message, _ = found["answers"][1]["error"]
    assert code == "bad_request"
    assert re.search("there is nothing to rank", message)

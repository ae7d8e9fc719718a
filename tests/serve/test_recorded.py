"""Recorded runs as rankers, and how much a server remembers of searches."""

import asyncio

import pytest

from intentx.errors import InputError
from intentx.search import SearchIndex
from intentx.serve import service as serving
from intentx.serve.engines import DemoEngine, Hit, IndexEngine
from intentx.serve.errors import ApiError
from intentx.serve.rankers import served_rankers
from intentx.serve.recorded import recorded
from intentx.serve.service import Found, Options, Service
from intentx.serve.structs import Search


@pytest.fixture
def run(tmp_path):
    def written(*rows):
        path = tmp_path / "old.trec"
        path.write_text("".join(f"{qid} Q0 {doc} 1 {score} old\n" for qid, doc, score in rows))
        return served_rankers([f"old=run:{path}"])

    return written


def search(rankers, engine, query, tmp_path):
    service = Service({"c": engine}, {}, rankers, Options(state=tmp_path / "state"))
    try:
        return asyncio.run(service.search(Search(query=query, k=5))).rankings[0]
    finally:
        service.store.close()


def searched(*given):
    return search(*given).results


def test_a_run_is_shown_in_its_order_with_the_texts_of_the_collection(run, tmp_path):
    index = SearchIndex.build({"a": "green tea", "b": "a boat", "c": "black tea"})
    engine = IndexEngine("c", index, {"q1": "tea", "q2": "boat"})
    rankers = run(("q1", "b", 1.5), ("q1", "c", 2.5), ("q2", "a", 9.0))
    found = searched(rankers, engine, "tea", tmp_path)
    assert [(one.doc_id, one.score, one.text) for one in found] == [
        ("c", 2.5, "black tea"), ("b", 1.5, "a boat"),
    ]  # fmt: skip
    assert [one.doc_id for one in searched(rankers, engine, "q2", tmp_path)] == ["a"]


def test_a_run_is_not_shown_for_a_query_that_it_lacks(run, tmp_path):
    ranker = run(("q1", "b", 1.5))["old"]
    known = {"q1": "tea", "q2": "boat"}
    assert recorded(ranker, "tea", known) == recorded(ranker, "q1", known) == ({"b": 1.5}, "")
    for query in ("boat", "q2", "any"):
        with pytest.raises(InputError, match=f"'old' has no query '{query}'; it has 'tea'$"):
            recorded(ranker, query, known)
    engine = IndexEngine("c", SearchIndex.build({"b": "green tea"}), known)
    with pytest.raises(ApiError, match="has no query 'any'; it has 'tea'"):
        searched({"old": ranker}, engine, "any", tmp_path)
    many = run(*((f"q{i}", "b", 1.0) for i in range(10)))["old"]
    with pytest.raises(InputError, match=r"it has 'tea', 'boat', 'q2', .*'q7' and 2 more$"):
        recorded(many, "any", {"q0": "tea", "q1": "boat"})


def test_a_run_of_one_query_says_so_where_nobody_knows_its_text(run, tmp_path):
    engine = IndexEngine("c", SearchIndex.build({"a": "green tea", "b": "a boat"}))
    rankers = run(("7", "b", 1.5))
    ranking = search(rankers, engine, "any", tmp_path)
    assert [one.doc_id for one in ranking.results] == ["b"]
    assert "has one query, '7'" in ranking.notes[0]
    assert search(rankers, engine, "7", tmp_path).notes == []
    with pytest.raises(ApiError, match="has no query 'any'; it has '7', '8'"):
        searched(run(("7", "b", 1.5), ("8", "b", 1.5)), engine, "any", tmp_path)


def test_searches_that_are_remembered_are_bounded_by_their_documents(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "REMEMBERED", 4)
    monkeypatch.setattr(serving, "MOST_REMEMBERED", 25)
    service = Service({"demo": DemoEngine()}, {}, served_rankers(["bm25"]), Options(state=tmp_path))

    async def ask(sizes):
        for number, size in enumerate(sizes):
            found = Found((), ()) if size is None else Found(tuple(range(size)), (Hit("a", 1.0),))

            async def work(found=found):
                return found

            await service.once((number, size), work)
            await asyncio.sleep(0)
        return [key[1] for key in service._searches.known], service._searches.documents

    assert asyncio.run(ask([1] * 9)) == ([1] * 4, 4)
    service.forget_searches()
    assert asyncio.run(ask([10, 10, 10])) == ([10, 10], 20)
    service.forget_searches()
    assert asyncio.run(ask([3, 100])) == ([100], 100)  # the last one stays, however large
    assert asyncio.run(ask([3, 5])) == ([3, 5], 8)
    service.store.close()

"""Questions: checked, put in one form, and known by a key that stands for all that they ask."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

import intentx
from intentx.errors import InputError
from intentx.explainers.change.counterfactual import Counterfactual as Change
from intentx.explainers.change.query import QueryCounterfactual
from intentx.serve import structs
from intentx.serve.engines import Engine
from intentx.serve.errors import ApiError
from intentx.serve.methods import check_settings, default_method, method_named, methods_for, questions_of
from intentx.serve.rankers import ServedRanker
from intentx.serve.searched import plain_documents
from intentx.serve.service import Found, Service
from intentx.serve.worker import QUICK, SLOW

__all__ = ["Prepared", "key_of", "prepared"]


@dataclass(frozen=True)
class Prepared:
    """A question that can be computed.

    Attributes
    ----------
    kind
        What the API calls it.
    question
        All of it, with what was left out filled in.
    key
        The same for the same question about the same documents and rankers.
    task, plain, lane
        What a worker does for it.
    """

    kind: str
    question: dict[str, Any]
    key: str
    task: str
    plain: dict[str, Any]
    lane: str
    found: Found


async def prepared(service: Service, kind: str, asked: Any) -> Prepared:
    """A request as a question that can be computed.

    Raises
    ------
    ApiError
        If there is no such ranker, collection, document, method or setting.
    """
    try:
        made: Prepared = await _MAKERS[kind](service, asked)
    except InputError as error:
        message = service.clean(str(error))
        raise ApiError("bad_request", message, "change the question, and ask again") from error
    return made


def key_of(*parts: Any) -> str:
    """Twenty-four signs that stand for plain data.

    >>> key_of("explain", {"a": 1, "b": 2}) == key_of("explain", {"b": 2, "a": 1})
    True
    """
    packed = msgspec.json.encode(parts, order="deterministic")
    return hashlib.sha256(packed).hexdigest()[:24]


async def _explain(service: Service, asked: structs.Explain) -> Prepared:
    ranker, engine = _about(service, asked)
    if asked.question == "ranking" and (asked.doc or asked.above):
        raise ApiError("bad_request", "question 'ranking' takes no doc", "ask question 'document'")
    if asked.question != "ranking" and asked.doc is None:
        raise ApiError("bad_request", f"question {asked.question!r} needs a doc", "name a document")
    if (asked.question == "pair") != (asked.above is not None):
        raise ApiError(
            "bad_request", "above goes with question 'pair', and that needs it",
            "ask question 'pair' with doc and above",
        )  # fmt: skip
    name = asked.method or default_method(ranker.can, asked.question)
    method = method_named(name)
    if asked.question not in questions_of(method):
        raise ApiError(
            "bad_request", f"method {name!r} does not explain a {asked.question}",
            "GET methods?question= lists those that do",
        )  # fmt: skip
    if name not in [one.name for one in methods_for(ranker.can, asked.question)]:
        raise ApiError(
            "bad_request", f"method {name!r} needs what the ranker {ranker.name!r} does not offer",
            "GET methods?ranker= lists those that it allows",
        )  # fmt: skip
    check_settings(asked.settings)
    method.make(asked.settings)  # refuses what is not allowed before any work is done
    if asked.without and asked.question != "ranking":
        raise ApiError("bad_request", "without goes with question 'ranking'", "leave it out")
    question = _plain(asked) | {"ranker": ranker.name, "collection": engine.name, "method": name}
    found = await service.first_stage(engine.name, asked.query, asked.depth, ranker)
    _refuse_unknown(found, asked.doc, asked.above)
    plain = _asking(question, found) | {
        name: question[name] for name in ("method", "settings", "doc", "above", "seconds")
    }
    if not asked.without:
        key = _key("explain", question, service, (ranker,), found)
        return Prepared("explain", question, key, "explain", plain, SLOW, found)
    base = {**question, "without": []}
    whole = service.store.answer(_key("explain", base, service, (ranker,), found))
    if whole is None:
        raise ApiError(
            "not_done", "terms are taken out of an answer, and this was not answered yet",
            "ask without 'without' first",
        )  # fmt: skip
    plain = {"whole": whole["answer"], "without": asked.without, "ranker": ranker.name}
    key = _key("explain", question, service, (ranker,), found)
    return Prepared("explain", question, key, "without", plain, QUICK, found)


async def _compare(service: Service, asked: structs.Compare) -> Prepared:
    rankers = [service.ranker(name) for name in asked.rankers]
    if rankers[0] is rankers[1]:
        raise ApiError("bad_request", "these are one ranker", "name two")
    engine = service.engine(asked.collection)
    question = _plain(asked) | {
        "collection": engine.name, "rankers": [one.name for one in rankers],
    }  # fmt: skip
    founds = [
        await service.first_stage(engine.name, asked.query, asked.depth, ranker) for ranker in rankers
    ]
    passages = {one.doc_id: one for found in founds for one in found.passages}
    whole = Found(tuple(passages.values()), founds[0].hits)
    plain = {
        "query": asked.query, "collection": engine.name, "rankers": question["rankers"],
        "documents": plain_documents(whole.passages),
        "specs": {ranker.name: ranker.shown for ranker in rankers},
        "runs": {r.name: f.run for r, f in zip(rankers, founds, strict=True) if f.run is not None},
    }  # fmt: skip
    key = _key("compare", question, service, rankers, whole)
    return Prepared("compare", question, key, "compare", plain, SLOW, whole)


async def _counterfactual(service: Service, asked: structs.Counterfactual) -> Prepared:
    ranker, engine = _about(service, asked)
    _refuse_run(ranker)
    given: dict[str, Any] = {
        "goal": asked.goal, "rank": asked.rank, "keep": asked.keep, "edits": asked.edits,
        "words": asked.insert, "most": asked.most, "seconds": asked.seconds,
        "k": asked.top if asked.goal in ("enter", "leave") else None,
    }  # fmt: skip
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
    kind = QueryCounterfactual if asked.change == "query" else Change
    try:
        kind(**settings)
    except TypeError as error:
        raise ApiError(
            "bad_request", "keep and insert are of changes of a document, not of a query",
            "leave them out",
        ) from error  # fmt: skip
    if (asked.goal in ("above", "below")) != (asked.above is not None):
        raise ApiError(
            "bad_request", "above goes with goals 'above' and 'below', which need it", "name it"
        )
    question = _plain(asked) | {"ranker": ranker.name, "collection": engine.name}
    found = await service.first_stage(engine.name, asked.query, asked.depth, ranker)
    _refuse_unknown(found, asked.doc, asked.above)
    plain = _asking(question, found) | {
        "change": asked.change, "settings": settings, "doc": asked.doc, "above": asked.above,
    }  # fmt: skip
    key = _key("counterfactual", question, service, (ranker,), found)
    return Prepared("counterfactual", question, key, "counterfactual", plain, SLOW, found)


async def _missing(service: Service, asked: structs.Missing) -> Prepared:
    ranker, engine = _about(service, asked)
    _refuse_run(ranker)
    if (asked.doc is None) == (asked.text is None):
        raise ApiError("bad_request", "give doc or text, one of them", "name the document")
    doc = asked.doc
    if asked.text is not None:
        doc = await _id_of_text(service, engine, asked.text)
    else:
        await _known(service, engine, doc, asked.query)
    top = asked.top or min(10, asked.depth)
    question = _plain(asked) | {
        "ranker": ranker.name, "collection": engine.name, "doc": doc, "top": top,
    }  # fmt: skip
    found = await service.first_stage(engine.name, asked.query, asked.depth, ranker)
    plain = {
        "query": asked.query, "ranker": ranker.name, "collection": engine.name, "k": asked.depth,
        "doc": doc, "top": top, "first_only": ranker.is_first_stage, "documents": found.plain,
    }  # fmt: skip
    key = _key("missing", question, service, (ranker,), found)
    return Prepared("missing", question, key, "missing", plain, SLOW, found)


async def _score(service: Service, asked: structs.Score) -> Prepared:
    ranker, engine = _about(service, asked)
    _refuse_run(ranker)
    if asked.text is None and asked.edited_query is None:
        raise ApiError("bad_request", "nothing is edited", "give text, edited_query, or both")
    question = _plain(asked) | {"ranker": ranker.name, "collection": engine.name}
    found = await service.first_stage(engine.name, asked.query, asked.depth, ranker)
    if asked.doc is not None and all(one.doc_id != asked.doc for one in found.passages):
        await _known(service, engine, asked.doc)
        if asked.text is None:
            _refuse_unknown(found, asked.doc)
    plain = _asking(question, found) | {name: question[name] for name in ("doc", "text", "edited_query")}
    key = _key("score", question, service, (ranker,), found)
    return Prepared("score", question, key, "score", plain, QUICK, found)


_MAKERS: Mapping[str, Any] = {
    "explain": _explain,
    "compare": _compare,
    "counterfactual": _counterfactual,
    "missing": _missing,
    "score": _score,
}


def _about(service: Service, asked: structs.Asked) -> tuple[ServedRanker, Engine]:
    return service.ranker(asked.ranker), service.engine(asked.collection)


def _plain(asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(asked)
    return found


def _asking(question: Mapping[str, Any], found: Found) -> dict[str, Any]:
    names = "query", "ranker", "collection"
    return {name: question[name] for name in names} | {"documents": found.plain, "run": found.run}


def _key(kind: str, question: Mapping[str, Any], service: Service, rankers: Any, found: Found) -> str:
    """Also of the documents and the rankers as they are now: other ones have other answers."""
    marks = [ranker.mark for ranker in rankers]
    documents = [[*one] for one in found.passages]
    return key_of(kind, question, marks, documents, found.run, intentx.__version__)


def _refuse_run(ranker: ServedRanker) -> None:
    if ranker.is_run:
        raise ApiError(
            "bad_request", f"{ranker.name!r} is a recorded run, which cannot be asked about texts",
            "choose a ranker that scores texts",
        )  # fmt: skip


def _refuse_unknown(found: Found, *docs: str | None) -> None:
    ids = {one.doc_id for one in found.passages}
    for doc in docs:
        if doc is not None and doc not in ids:
            raise ApiError(
                "not_found", f"document {doc!r} is not among the {len(ids)} that the ranker orders",
                "POST missing says where it is; or ask with a larger k",
            )  # fmt: skip


async def _known(service: Service, engine: Engine, doc: str | None, query: str = "") -> None:
    """Refuse a document that the engine does not have, or, with a query, cannot find by it either."""

    def look() -> None:
        try:
            engine.documents([str(doc)])
        except InputError as error:
            try:
                if query and engine.place(query, str(doc))[0] is not None:
                    return
            except InputError:
                pass
            raise ApiError(
                "not_found", f"not found: {error}", "look at its id, or give a part of its text"
            ) from error

    await service.in_thread(look)


async def _id_of_text(service: Service, engine: Engine, text: str) -> str:
    """The document of a text, or the one that holds it."""

    def look() -> str:
        hits = engine.search(text[: structs.MOST_QUERY], 20)
        wanted = " ".join(text.split()).casefold()
        for one in engine.documents([hit.doc_id for hit in hits]):
            if wanted in " ".join(f"{one.title} {one.text}".split()).casefold():
                return one.doc_id
        near = f"; the nearest one is {hits[0].doc_id!r}" if hits else ""
        raise ApiError(
            "not_found", f"not found: no document of {engine.name!r} has this text{near}",
            "give a longer part of it as it stands in the document, or the id; the score of this text "
            "says at which rank it would stand",
        )  # fmt: skip

    found: str = await service.in_thread(look)
    return found

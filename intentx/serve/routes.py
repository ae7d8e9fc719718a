"""The addresses of the API in one table: what is served, and its OpenAPI document, are made from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

import intentx
from intentx.serve import structs

__all__ = ["BASE", "ROUTES", "Route", "openapi"]

BASE = "/api/v1"
TEXT = {"type": "string"}
COMMON = (400, 401, 403, 404, 405, 413, 421, 422, 429, 503, 504)


@dataclass(frozen=True, kw_only=True)
class Route:
    """One address.

    Attributes
    ----------
    method, path
        As in HTTP; the path below `BASE`.
    handler
        Name of the method of `intentx.serve.api.Api`.
    summary
        For people.
    body, answer
        Types of what comes in and goes out.
    kind
        Of the job that it makes.
    query
        Schemas of parameters behind the ``?``.
    answers
        Further types of content by status.
    """

    method: str
    path: str
    handler: str
    summary: str
    answer: Any = None
    body: type | None = None
    kind: str = ""
    query: Mapping[str, Any] | None = None
    media: str = "application/json"
    status: tuple[int, ...] = (200,)


def _asking(kind: str, body: type, summary: str) -> Route:
    wait = {"wait": {"type": "number", "minimum": 0, "maximum": 120}}
    return Route(
        method="POST", path=f"/{kind}", handler="ask", summary=summary, body=body, kind=kind,
        answer=structs.JobAnswer, query=wait, status=(200, 202),
    )  # fmt: skip


def _get(path: str, handler: str, summary: str, answer: Any, **more: Any) -> Route:
    return Route(method="GET", path=path, handler=handler, summary=summary, answer=answer, **more)


QUESTIONS = {"type": "string", "enum": ["ranking", "document", "pair"]}
ROUTES = (
    _get("/health", "health", "Whether the server can answer.", structs.Health),
    _get("/rankers", "rankers", "Rankers to choose from.", list[structs.RankerInfo]),
    _get("/collections", "collections", "Collections to search.", list[structs.CollectionInfo]),
    _get(
        "/methods", "methods", "Methods that a ranker allows, quickest first.",
        list[structs.MethodInfo], query={"ranker": TEXT, "question": QUESTIONS},
    ),
    Route(
        method="POST", path="/search", handler="search", summary="Search by one ranker or two.",
        body=structs.Search, answer=structs.SearchAnswer,
    ),
    _asking("explain", structs.Explain, "Explain a ranking, a document, or a pair: a job."),
    _asking("compare", structs.Compare, "Contrast two rankers: a job."),
    _asking("counterfactual", structs.Counterfactual, "What would move a document: a job."),
    _asking("missing", structs.Missing, "Where a document is, and what it lacks: a job."),
    _asking("score", structs.Score, "Edit and see: a job, and a quick one."),
    _get("/jobs/{job_id}", "job", "How far a job is, and its answer.", structs.JobAnswer),
    Route(
        method="DELETE", path="/jobs/{job_id}", handler="cancel", summary="Cancel a job.",
        answer=structs.JobAnswer,
    ),
    _get(
        "/jobs/{job_id}/events", "events", "The job whenever it changes, as server-sent events.",
        None, media="text/event-stream",
    ),
    _get("/answers/{key}", "answer", "An answer that was kept.", structs.Kept),
    _get("/answers/{key}/page", "page", "Its report page, to download.", None, media="text/html"),
    _get(
        "/history", "history", "What was asked, the last one first.", list[structs.HistoryEntry],
        query={"collection": TEXT, "limit": {"type": "integer", "minimum": 1, "maximum": 1000}},
    ),
    _get("/snapshots", "snapshots", "Snapshots, the last one first.", list[structs.SnapshotInfo]),
    Route(
        method="POST", path="/snapshots", handler="snapshot", body=structs.NewSnapshot,
        summary="Keep the rankings of some queries as they are now.", answer=structs.SnapshotInfo,
    ),
    _get(
        "/diff", "diff", "Two snapshots compared.", structs.Diff,
        query={"left": {**TEXT, "required": True}, "right": {**TEXT, "required": True}},
    ),
    _get("/documents/{collection}/{doc_id}", "document", "A document.", structs.Document),
    _get("/openapi.json", "openapi", "This document.", dict[str, Any]),
)  # fmt: skip


def openapi() -> dict[str, Any]:
    """The OpenAPI document of the API.

    >>> openapi()["paths"]["/api/v1/search"]["post"]["operationId"]
    'post_search'
    """
    types = {route.body for route in ROUTES if route.body} | {structs.ErrorAnswer}
    listed = [*types, *(route.answer for route in ROUTES if route.answer is not None)]
    schemas, components = msgspec.json.schema_components(
        listed, ref_template="#/components/schemas/{name}"
    )
    of = dict(zip(map(str, listed), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(BASE + route.path, {})[route.method.lower()] = _operation(route, of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "intentx", "version": intentx.__version__,
            "description": "Search, and ask why: see docs/serve.md.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


def _operation(route: Route, of: Mapping[str, Any]) -> dict[str, Any]:
    words = re.findall(r"\w+", route.path.replace("{", "").replace("}", ""))
    error = {"application/json": {"schema": of[str(structs.ErrorAnswer)]}}
    content = {route.media: {"schema": TEXT if route.answer is None else of[str(route.answer)]}}
    found: dict[str, Any] = {
        "operationId": "_".join([route.method.lower(), *words]),
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": {
            **{str(status): {"description": "Fine.", "content": content} for status in route.status},
            **{str(status): {"description": "An error.", "content": error} for status in COMMON},
        },
    }
    if route.kind == "explain":
        found["responses"]["409"] = {"description": "Not answered yet.", "content": error}
    if route.body is not None:
        schema = of[str(route.body)]
        found["requestBody"] = {
            "required": True, "content": {"application/json": {"schema": schema}},
        }  # fmt: skip
    return found


def _parameters(route: Route) -> list[dict[str, Any]]:
    within = [
        {"name": name, "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    behind = []
    for name, schema in (route.query or {}).items():
        plain = {key: value for key, value in schema.items() if key != "required"}
        needed = bool(schema.get("required"))
        behind.append({"name": name, "in": "query", "required": needed, "schema": plain})
    return [*within, *behind]

"""The application of ASGI: addresses, static files, errors."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from intentx.serve import routes
from intentx.serve.api import Api, answered
from intentx.serve.begun import resume
from intentx.serve.errors import ApiError
from intentx.serve.guard import COOKIE, Guard, Manners
from intentx.serve.pool import BusyError
from intentx.serve.service import Service
from intentx.serve.store import StoreError
from intentx.serve.structs import ErrorAnswer, ErrorBody

__all__ = ["make_app"]

TYPES = {
    "css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml",
    "png": "image/png", "ico": "image/x-icon", "woff2": "font/woff2", "json": "application/json",
    "webmanifest": "application/manifest+json",
}  # fmt: skip


def make_app(
    service: Service, manners: Manners, ready: Callable[[int, int], None] | None = None
) -> Guard:
    """The application of a service; ``ready`` is called once it can answer.

    ``ready`` takes how many jobs of a server before it are resumed, and how many are lost.
    """
    api = Api(service)
    served = [*(_served(api, one) for one in routes.ROUTES), *_pages()]

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await service.start()
        resumed = await resume(service)
        if ready is not None:
            ready(*resumed)
        try:
            yield
        finally:
            await service.stop()

    app = Starlette(
        routes=served,
        lifespan=lifespan,
        exception_handlers={
            ApiError: _api_error,
            BusyError: _busy,
            StoreError: _no_storage,
            HTTPException: _http_error,
            Exception: _defect,
        },
    )
    return Guard(app, manners)


def _served(api: Api, route: routes.Route) -> Route:
    handler: Any = getattr(api, route.handler)
    if route.kind:
        handler = functools.partial(handler, route.kind, route.body)
    path = route.path.replace("{doc_id}", "{doc_id:path}")  # ids may hold a slash
    return Route(f"{routes.BASE}{path}", handler, methods=[route.method])


def _pages() -> list[Route]:
    """The page and its files: those that are there at the start, and no others."""
    room = files("intentx.serve") / "static"
    known = {one.name: one.read_bytes() for one in room.iterdir() if one.is_file()}

    async def page(request: Request) -> Response:
        token = request.query_params.get("token")
        if token is not None and request.url.path == "/":  # out of the address, into a cookie
            answer: Response = RedirectResponse("/", 303)
            answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
            return answer
        return Response(known["index.html"], media_type="text/html")

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in known:
            raise ApiError("not_found", "no such file")
        kind = TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        return Response(known[name], media_type=kind, headers={"cache-control": "no-cache"})

    return [
        Route("/", page, methods=["GET"]),
        Route("/a/{key}", page, methods=["GET"]),
        Route("/static/{name}", static, methods=["GET"]),
    ]


async def _api_error(request: Request, error: Any) -> Response:
    headers = {} if error.retry is None else {"retry-after": str(error.retry)}
    return answered(ErrorAnswer(error.body), error.status, **headers)


async def _busy(request: Request, error: Any) -> Response:
    body = ErrorBody("busy", str(error), f"try again in {error.seconds} s")
    return answered(ErrorAnswer(body), 429, **{"retry-after": str(error.seconds)})


async def _no_storage(request: Request, error: Exception) -> Response:
    body = ErrorBody("no_storage", str(error), "make room on its disk, or make it writable")
    return answered(ErrorAnswer(body), 503)


async def _http_error(request: Request, error: Any) -> Response:
    code = {404: "not_found", 405: "not_allowed"}.get(error.status_code, "bad_request")
    body = ErrorBody(code, str(error.detail), "see /api/v1/openapi.json")
    return answered(ErrorAnswer(body), error.status_code, **(error.headers or {}))


async def _defect(request: Request, error: Exception) -> Response:
    body = ErrorBody("internal", "a defect of the server", "please report it with the server's log")
    return answered(ErrorAnswer(body), 500)

"""What stands before every request: Host, Origin, token, size, and the headers of answers."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intentx.serve.errors import ApiError
from intentx.serve.structs import ErrorAnswer

__all__ = ["COOKIE", "LARGEST_BODY", "Guard", "Manners", "is_loopback"]

COOKIE = "intentx_token"
LARGEST_BODY = 1024 * 1024
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]
_LOCAL = {"localhost", "127.0.0.1", "::1"}


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, kw_only=True)
class Manners:
    """Who may ask.

    Attributes
    ----------
    hosts
        Names and addresses that the server goes by, besides those of the loopback; any address where
        it is bound to all of them.
    any_address
        Whether it is bound to all addresses.
    token
        What requests must bring; None: nothing.
    origins
        Origins of other pages that may ask.
    """

    hosts: Collection[str] = ()
    any_address: bool = False
    token: str | None = None
    origins: Collection[str] = ()

    def is_host(self, host: str) -> bool:
        """Whether a Host header names this server, and no name that was made to lead here."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in _LOCAL or name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.any_address or is_loopback(name)


class Guard:
    """ASGI middleware: refuses what must not come in, and adds headers to what goes out."""

    def __init__(self, app: ASGIApp, manners: Manners) -> None:
        self._app, self._manners = app, manners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin")
        allowed = [origin.encode()] if origin in self._manners.origins and origin else []

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [*HEADERS]
                if allowed:
                    more = [one for one in more if one[0] != b"cross-origin-resource-policy"]
                    more += [(b"access-control-allow-origin", allowed[0]), (b"vary", b"origin")]
                message["headers"] = [*message.get("headers", []), *more]
            await send(message)

        try:
            self._check(scope, headers)
            if allowed and scope["method"] == "OPTIONS":
                await _preflight(sent)
                return
            receive = await _limited(headers, receive)
        except ApiError as error:
            await refuse(error, sent)
            return
        await self._app(scope, receive, sent)

    def _check(self, scope: Scope, headers: dict[bytes, str]) -> None:
        manners, host = self._manners, headers.get(b"host", "")
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not manners.is_host(host):
            raise ApiError(
                "wrong_host", "the Host header names another server",
                "open the address that the server printed; start it with --allow-host NAME for a name",
            )  # fmt: skip
        origin = headers.get(b"origin")
        own = f"{scope.get('scheme', 'http')}://{host}"
        if origin is not None and origin != own and origin not in manners.origins:
            raise ApiError(
                "forbidden", "another page may not ask this server",
                "start it with --allow-origin ORIGIN to allow that",
            )  # fmt: skip
        api = scope["path"].startswith("/api/")
        if origin is None and api and headers.get(b"sec-fetch-site") in ("cross-site", "same-site"):
            raise ApiError("forbidden", "another page may not ask this server", "open its own page")
        # A preflight brings no token, and learns nothing.
        preflight = scope["method"] == "OPTIONS" and origin in manners.origins
        if api and manners.token is not None and not preflight and not self._has_token(scope, headers):
            raise ApiError(
                "unauthorized", "this server needs its token",
                "open the address with ?token= that it printed, or send Authorization: Bearer TOKEN",
            )  # fmt: skip

    def _has_token(self, scope: Scope, headers: dict[bytes, str]) -> bool:
        wanted = (self._manners.token or "").encode()
        given = []
        scheme, _, bearer = headers.get(b"authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            given.append(bearer.strip())
        try:
            cookie = SimpleCookie(headers.get(b"cookie", "")).get(COOKIE)
            given += [cookie.value] if cookie is not None else []
        except CookieError:
            pass
        # All are compared, and each in the same time, whatever it has in common with the token.
        fits = [hmac.compare_digest(one.encode("utf-8", "replace"), wanted) for one in given]
        return any(fits)


async def _limited(headers: dict[bytes, str], receive: Receive) -> Receive:
    """The body, read as far as it may be long."""
    too_large = ApiError(
        "too_large", f"a body has at most {LARGEST_BODY:,} bytes", "send less at a time"
    )
    length = headers.get(b"content-length", "0")
    if not length.isdigit() or int(length) > LARGEST_BODY:
        raise too_large
    parts, size, more = [], 0, True
    if length == "0" and b"transfer-encoding" not in headers:
        return receive
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return _once(message, receive)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > LARGEST_BODY:
            raise too_large
    return _once({"type": "http.request", "body": b"".join(parts), "more_body": False}, receive)


def _once(message: Message, receive: Receive) -> Receive:
    messages = [message]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def refuse(error: ApiError, send: Send) -> None:
    """Send an error as the API does."""
    headers: list[Any] = [(b"content-type", b"application/json")]
    if error.retry is not None:
        headers.append((b"retry-after", str(error.retry).encode()))
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    body = msgspec.json.encode(ErrorAnswer(error.body))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _preflight(send: Send) -> None:
    headers = [
        (b"access-control-allow-methods", b"GET, POST, DELETE"),
        (b"access-control-allow-headers", b"authorization, content-type"),
        (b"access-control-max-age", b"600"),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})

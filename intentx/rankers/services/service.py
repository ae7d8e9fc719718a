"""Services behind HTTP that are posted to: tries, waits, keys and messages, for all of them alike."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from intentx.errors import InputError, ScorerError
from intentx.rankers.services.deadline import deadline
from intentx.rankers.services.redaction import filled_in, named_in, redacted, value_of, without_secrets

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection
    from urllib3.response import BaseHTTPResponse

__all__ = ["REFUSING", "TOO_LARGE", "Posted", "Service"]

PASSING = {429, 500, 502, 503, 504}  # answers that another try may change
REFUSING = {400, 422}  # what services answer to a request of the other shape
TOO_LARGE = 413
LONGEST_WAIT = 60.0  # seconds before another try
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes
LONGEST_READ = 65_536  # bytes of an answer that a message is made from
SHORTEST_KEY = 6  # characters: what is shorter is no key, and may stand in any text
EXCERPT = 160  # characters of an answer that a message shows
SECRET_HEADER = re.compile(r"key|token|secret|auth|cookie|password", re.I)
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Posted(NamedTuple):
    """What a service answered to one request."""

    response: BaseHTTPResponse
    content: bytes

    @property
    def status(self) -> int:
        """The status of HTTP."""
        return self.response.status


class _Place(NamedTuple):
    secure: bool
    host: str
    port: int | None
    target: str


class Service:
    """A service that requests are posted to, with tries, waits and a deadline.

    A request that fails for a passing reason (no connection, no answer in time, status 429, 500, 502,
    503 or 504) is tried again, after waits that double, are drawn from their upper half, and are as
    long as ``Retry-After`` asks. Redirects are not followed, since they might carry texts and key
    elsewhere, and proxies named in the environment not used.

    Parameters
    ----------
    url
        Where to post. ``${NAME}`` stands for the value of an environment variable.
    key_env, headers, timeout, retries, backoff
        As in `intentx.rankers.HTTPReranker`.

    Raises
    ------
    InputError
        If the URL or a setting cannot be used, or the environment has no such key.
    """

    what = "ranker"  # in messages
    scheme = "Bearer"  # of the header with the key

    def __init__(
        self,
        url: str,
        *,
        key_env: str | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        timeout: float = 60.0,
        retries: int = 4,
        backoff: float = 0.5,
    ) -> None:
        self.url = url
        self._place = _place(url)
        for name, value, kind, least in (
            ("timeout", timeout, Real, math.ulp(0.0)),
            ("retries", retries, Integral, 0),
            ("backoff", backoff, Real, 0),
        ):
            number = isinstance(value, kind) and not isinstance(value, bool)
            if not number or not least <= value < math.inf:
                raise InputError(f"{name} is too small, or no number: {value!r}")
        self.headers = _checked_headers(headers)
        self.key_env = key_env
        self.timeout = timeout
        self.retries = retries
        self.backoff = backoff
        self._sent_headers(), filled_in(self._place.target)  # a key that is missing is told at once

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {without_secrets(self.url)}>"

    def _post(self, connection: HTTPConnection, body: bytes, below: str = "") -> Posted:
        """The first answer that another try cannot change, or the ScorerError of the last try.

        ``below`` comes behind the path of the URL.
        """
        from http.client import HTTPException

        from urllib3.exceptions import HTTPError, MaxRetryError

        from intentx.rankers.services.waits import Waits

        waits = Waits(
            self.retries,
            allowed_methods=None,
            status_forcelist=PASSING,
            backoff_factor=self.backoff,
            backoff_max=LONGEST_WAIT,
        )
        while True:
            answer, cause = None, None
            try:
                answer = self._post_once(connection, body, below)
            except (OSError, HTTPException, HTTPError) as error:
                connection.close()  # the next request opens it again
                cause = error.__cause__ if isinstance(error, HTTPError) and error.__cause__ else error
                problem = f"gave no answer: {type(cause).__name__}: {self._excerpt(str(cause))}"
            else:
                if not waits.is_retry("POST", answer.status):
                    return answer
                problem, asked = self._refusal(answer), waits.get_retry_after(answer.response) or 0
                if asked > LONGEST_WAIT:
                    raise self._failure(f"{problem} (and asked to wait {asked:.0f} s before a retry)")
            try:
                waits = waits.increment("POST")
            except MaxRetryError:
                raise self._failure(f"{problem} (tries: {self.retries + 1})") from cause
            waits.sleep(answer and answer.response)

    def _post_once(self, connection: HTTPConnection, body: bytes, below: str) -> Posted:
        with deadline(connection, self.timeout):
            path, asks, query = filled_in(self._place.target).partition("?")
            target = f"{path}{below}{asks}{query}"
            connection.request("POST", target, body, self._sent_headers(), preload_content=False)
            # closed, it leaves the connection to the next one
            with contextlib.closing(connection.getresponse()) as response:
                content = response.read(LARGEST_ANSWER + 1)
        if len(content) > LARGEST_ANSWER:
            raise self._failure(f"answered more than {LARGEST_ANSWER:,} bytes")
        return Posted(response, content)

    def _connection(self) -> HTTPConnection:
        from urllib3.connection import HTTPConnection, HTTPSConnection

        kind = HTTPSConnection if self._place.secure else HTTPConnection
        return kind(self._place.host, self._place.port, timeout=self.timeout)

    def _sent_headers(self) -> dict[str, str]:
        sent = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.key_env is not None:
            sent["Authorization"] = f"{self.scheme} {value_of(self.key_env)}"
        return sent | {name: filled_in(value) for name, value in self.headers.items()}

    def _keys(self) -> list[str]:
        """What no message may show: the keys as they are now, and the values of the URL's query."""
        named = [self.key_env] if self.key_env else []
        for value in (*self.headers.values(), self._place.target):
            named += named_in(value)
        found = []
        for name in named:
            with contextlib.suppress(InputError):
                found.append(value_of(name))
        query = urlsplit(self.url).query
        return [*found, *(v for _, v in parse_qsl(query) if len(v) >= SHORTEST_KEY)]

    def _refusal(self, answer: Posted) -> str:
        said = f"answered {answer.status} {answer.response.reason or ''}".rstrip()
        if 300 <= answer.status < 400:
            location = answer.response.headers.get("Location", "")
            target = without_secrets(location)
            return f"{said}: it redirects to {target!r}; give that URL if you trust it"
        if answer.status in {401, 403} and self.key_env is None:
            said += ", and no key was sent: name its environment variable with key_env"
        return f"{said}: {self._excerpt(answer.content)}" if answer.content.strip() else said

    def _excerpt(self, content: bytes | str) -> str:
        """The beginning of an answer on one line; keys are taken out before anything is cut."""
        text = content if isinstance(content, str) else content[:LONGEST_READ].decode("utf-8", "replace")
        text = " ".join(redacted(text, self._keys()).split())
        return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"

    def _failure(self, problem: str, texts: Sequence[str] = ()) -> ScorerError:
        message = f"the {self.what} at {without_secrets(self.url)} {problem}"
        return ScorerError(redacted(message, self._keys()), texts=texts)


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers that can be sent, and that hold no key themselves."""
    for name, value in headers.items():
        if not isinstance(name, str) or not HEADER.fullmatch(name):
            raise InputError(f"headers: {name!r} is not a valid header name")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise InputError(
                f"headers: the value of {name} must be a text of printable ASCII characters"
            )
        if SECRET_HEADER.search(name) and not named_in(value):
            raise InputError(
                f"headers: {name} is a header of keys, and a key must not stand in settings, which are "
                f"written to files: name an environment variable, {{{name!r}: '$MY_KEY'}}"
            )
    return dict(headers)


def _place(url: str) -> _Place:
    example = "a URL such as http://127.0.0.1:8080/rerank expected"
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InputError(f"{example}, with %-escapes for blanks and other characters")
    shown = without_secrets(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"{example}, not {shown!r}: {error}") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise InputError(f"{example}, not {shown!r}")
    if parts.username is not None or parts.password is not None:
        raise InputError(f"a URL must not contain a user or a password: {shown}; see key_env")
    if parts.fragment:
        raise InputError(f"{shown} has settings after a #; HTTPReranker.from_spec reads them")
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return _Place(parts.scheme == "https", host, port, target)

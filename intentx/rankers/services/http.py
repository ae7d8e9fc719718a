"""Rerank services behind HTTP as scorers."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, ScorerError
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.services.deadline import deadline
from intentx.rankers.services.formats import SHAPES, AnswerError, Shape
from intentx.rankers.services.redaction import filled_in, named_in, redacted, value_of, without_secrets
from intentx.rankers.spec_settings import settings_from, true_or_false

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection
    from urllib3.response import BaseHTTPResponse

__all__ = ["HTTPReranker"]

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


class _Answer(NamedTuple):
    response: BaseHTTPResponse
    content: bytes

    @property
    def status(self) -> int:
        return self.response.status


class _Place(NamedTuple):
    secure: bool
    host: str
    port: int | None
    target: str


class HTTPReranker:
    """A rerank service, asked over HTTP.

    Two shapes of request and answer are in wide use, and both are understood::

        {"query", "documents", "top_n"}  ->  {"results": [{"index", "relevance_score"}, …]}
        {"query", "texts"}               ->  [{"index", "score"}, …]

    The first is Cohere's, Jina's, vLLM's and Infinity's, the second Text Embeddings Inference's. Others
    have shapes of their own (`intentx.rankers.services.formats`). Lists of scores in the order of the
    texts, and numbers written as text, are understood in any answer.

    A request that fails for a passing reason (no connection, no answer in time, status 429, 500, 502,
    503 or 504) is tried again, after waits that double, are drawn from their upper half, and are as
    long as ``Retry-After`` asks. A batch that is too large (413) is halved. Redirects are not followed,
    since they might carry texts and key elsewhere, and proxies named in the environment not used.

    Parameters
    ----------
    url
        Where to post, e.g. ``http://127.0.0.1:8080/rerank``. ``${NAME}`` stands for the value of an
        environment variable.
    shape
        One of `intentx.rankers.services.formats.SHAPES`; ``"auto"`` begins with ``"documents"`` and
        takes ``"texts"`` when the service refuses it (400 or 422).
    fields
        Parts of `intentx.rankers.services.formats.Shape` by name, for a service of another shape, such
        as
        ``{"query": "q", "texts": "passages", "answer": "output.ranking"}``; ``"like"`` names the shape
        that has the others.
    model
        Name of the model, for services that have several.
    options
        Further fields of each request, e.g. ``{"truncate": True}`` for Text Embeddings Inference,
        which by default refuses texts that are too long.
    key_env
        Name of the environment variable that holds the key, sent as ``Authorization: Bearer``. The
        key itself is read for each call and kept nowhere.
    headers
        Further headers. ``$NAME`` in a value stands for an environment variable, read for each call:
        ``{"x-api-key": "$MY_KEY"}``. A header of keys must name one.
    batch_size
        Most texts in one request.
    timeout
        Seconds to wait for a whole answer, from the first attempt to connect.
    retries
        Further tries after the first.
    backoff
        Seconds before the second try; the waits double from there.
    listwise
        The service scores a text in the light of the others: lists then go to it whole.

    Raises
    ------
    InputError
        If the URL or a setting cannot be used, or the environment has no such key.
    """

    def __init__(
        self,
        url: str,
        *,
        shape: str = "auto",
        fields: Mapping[str, Any] | None = None,
        model: str | None = None,
        options: Mapping[str, object] = MappingProxyType({}),
        key_env: str | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        batch_size: int = 32,
        timeout: float = 60.0,
        retries: int = 4,
        backoff: float = 0.5,
        listwise: bool = False,
    ) -> None:
        self.url = url
        self._place = _place(url)
        if shape != "auto" and shape not in SHAPES:
            raise InputError(f"shape must be one of {('auto', *SHAPES)}, not {shape!r}")
        if fields is not None and shape != "auto":
            raise InputError(f"give shape or fields, not both; fields may say {{'like': {shape!r}}}")
        names = ["documents", "texts"] if shape == "auto" else [shape]
        shapes = [SHAPES[name] for name in names] if fields is None else [Shape.of(fields)]
        for name, value, fine in (
            ("batch_size", batch_size, batch_size >= 1),
            ("timeout", timeout, 0 < timeout < math.inf),
            ("retries", retries, retries >= 0),
            ("backoff", backoff, 0 <= backoff < math.inf),
        ):
            if not fine:
                raise InputError(f"{name} is too small, or no number: {value!r}")
        taken = set().union(*(one.taken for one in shapes)) & set(options)
        if taken:
            raise InputError(f"options are further fields of a request, not {sorted(taken)}")
        self.shape = shape
        self.model = model
        self.fields = fields
        self.options = dict(options)
        self.headers = _checked_headers(headers)
        self.key_env = key_env
        self.batch_size = batch_size
        self.timeout = timeout
        self.retries = retries
        self.backoff = backoff
        self.listwise = listwise
        self._shapes = dict(zip(names, shapes, strict=True)) if fields is None else {"fields": shapes[0]}
        self._sent_headers(), filled_in(self._place.target)  # a key that is missing is told at once

    @classmethod
    def from_spec(cls, spec: str) -> HTTPReranker:
        """The service that a command line names: a URL, with settings behind a ``#``.

        >>> HTTPReranker.from_spec("http://127.0.0.1:8080/rerank#shape=texts&batch_size=8")
        <HTTPReranker http://127.0.0.1:8080/rerank>
        """
        url, _, text = spec.partition("#")
        return cls(url, **settings_from("http", text, FROM_TEXT))

    @property
    def fingerprint(self) -> str:
        """Stands for URL, model and options; what the service does behind them, it cannot know."""
        names = ("url", "shape", "fields", "model", "options", "listwise")
        return fingerprint_of(
            {"ranker": "HTTPReranker", **{name: getattr(self, name) for name in names}}
        )

    def __repr__(self) -> str:
        return f"<HTTPReranker {without_secrets(self.url)}>"

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Scores of ``texts`` for ``query``, (N,).

        Raises
        ------
        ScorerError
            If the service cannot be reached, refuses, or answers something else than one finite
            score for each text.
        """
        size = max(len(texts), 1) if self.listwise else self.batch_size
        scores: list[float] = []
        with contextlib.closing(self._connection()) as connection:  # one for all batches of this call
            for start in range(0, len(texts), size):
                scores += self._scores(connection, query, texts[start : start + size])
        return np.array(scores, dtype=np.float64)

    def _scores(self, connection: HTTPConnection, query: str, texts: Sequence[str]) -> list[float]:
        answer = self._answer(connection, query, texts)
        if answer.status == TOO_LARGE and len(texts) > 1 and not self.listwise:
            half = len(texts) // 2
            first = self._scores(connection, query, texts[:half])
            return [*first, *self._scores(connection, query, texts[half:])]
        if not 200 <= answer.status < 300:
            at_fault = texts if answer.status == TOO_LARGE else ()
            raise self._failure(self._refusal(answer), at_fault)
        try:
            plain = json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise self._failure(f"answered no JSON but {self._excerpt(answer.content)!r}") from error
        try:
            return next(iter(self._shapes.values())).scores(plain, texts)
        except AnswerError as error:
            raise self._failure(self._excerpt(str(error)), error.at_fault) from None

    def _answer(self, connection: HTTPConnection, query: str, texts: Sequence[str]) -> _Answer:
        """The answer to a request in the shape that is known, or in the first that is accepted."""
        refusals = []
        for name, shape in list(self._shapes.items()):
            fields = shape.request(query, texts, self.model, self.options)
            answer = self._post(connection, json.dumps(fields).encode())
            if answer.status not in REFUSING:
                self._shapes = {name: shape} if answer.status < 300 else self._shapes
                return answer
            refusals.append(f"{self._refusal(answer)} (asked with {name!r})")
        raise self._failure("; ".join(refusals))

    def _post(self, connection: HTTPConnection, body: bytes) -> _Answer:
        """The first answer that another try cannot change, or the ScorerError of the last try."""
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
                answer = self._post_once(connection, body)
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

    def _post_once(self, connection: HTTPConnection, body: bytes) -> _Answer:
        with deadline(connection, self.timeout):
            target = filled_in(self._place.target)
            connection.request("POST", target, body, self._sent_headers(), preload_content=False)
            # closed, it leaves the connection to the next one
            with contextlib.closing(connection.getresponse()) as response:
                content = response.read(LARGEST_ANSWER + 1)
        if len(content) > LARGEST_ANSWER:
            raise self._failure(f"answered more than {LARGEST_ANSWER:,} bytes")
        return _Answer(response, content)

    def _connection(self) -> HTTPConnection:
        from urllib3.connection import HTTPConnection, HTTPSConnection

        kind = HTTPSConnection if self._place.secure else HTTPConnection
        return kind(self._place.host, self._place.port, timeout=self.timeout)

    def _sent_headers(self) -> dict[str, str]:
        sent = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.key_env is not None:
            sent["Authorization"] = f"Bearer {value_of(self.key_env)}"
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

    def _refusal(self, answer: _Answer) -> str:
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
        message = f"the ranker at {without_secrets(self.url)} {problem}"
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


def _json_object(text: str) -> dict[str, Any]:
    plain = json.loads(text)
    if not isinstance(plain, dict):
        raise ValueError('a JSON object expected, such as {"name": "value"}')
    return plain


FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "shape": str,
    "fields": _json_object,
    "model": str,
    "options": _json_object,
    "key_env": str,
    "headers": _json_object,
    "batch_size": int,
    "timeout": float,
    "retries": int,
    "backoff": float,
    "listwise": true_or_false,
}

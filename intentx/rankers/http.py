"""Rerank services behind HTTP as scorers."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, ScorerError
from intentx.rankers.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from http.client import HTTPConnection

__all__ = ["HTTPReranker"]

Shape = Literal["auto", "documents", "texts"]

KEYS = {"query", "documents", "texts", "model", "top_n"}
PASSING = {429, 500, 502, 503, 504}  # answers that another try may change
REFUSING = {400, 422}  # what services answer to a request of the other shape
TOO_LARGE = 413
LONGEST_WAIT = 60.0  # seconds before another try
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes


class _Answer(NamedTuple):
    status: int
    reason: str
    headers: Mapping[str, str]
    content: bytes


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

    The first is Cohere's, Jina's, vLLM's and Infinity's, the second that of Hugging Face's Text
    Embeddings Inference. A request that fails for a passing reason (no connection, no answer in
    time, status 429, 500, 502, 503 or 504) is tried again, after waits that double, are drawn from
    their upper half, and are as long as the service's ``Retry-After`` asks. A batch that is too
    large for the service (413) is halved. Redirects are not followed: they might carry texts and
    key to another host. Proxies named in the environment are not used.

    Parameters
    ----------
    url
        Where to post, e.g. ``http://127.0.0.1:8080/rerank``.
    shape
        ``"documents"`` or ``"texts"``; ``"auto"`` begins with the first and takes the second when
        the service refuses it (400 or 422).
    model
        Name of the model, for services that have several.
    options
        Further fields of each request, e.g. ``{"truncate": True}`` for Text Embeddings Inference,
        which by default refuses texts that are too long.
    key_env
        Name of the environment variable that holds the key, sent as ``Authorization: Bearer``. The
        key itself is read for each call and kept nowhere.
    batch_size
        Most texts in one request.
    timeout
        Seconds to wait for a connection, for each part of an answer, and for the whole of it.
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
        shape: Shape = "auto",
        model: str | None = None,
        options: Mapping[str, object] = MappingProxyType({}),
        key_env: str | None = None,
        batch_size: int = 32,
        timeout: float = 60.0,
        retries: int = 4,
        backoff: float = 0.5,
        listwise: bool = False,
    ) -> None:
        self.url = url
        self._place = _place(url)
        if shape not in get_args(Shape):
            raise InputError(f"shape must be one of {get_args(Shape)}, not {shape!r}")
        for name, value, fine in (
            ("batch_size", batch_size, batch_size >= 1),
            ("timeout", timeout, 0 < timeout < math.inf),
            ("retries", retries, retries >= 0),
            ("backoff", backoff, 0 <= backoff < math.inf),
        ):
            if not fine:
                raise InputError(f"{name} is too small, or no number: {value!r}")
        if KEYS & set(options):
            raise InputError(
                f"options are further fields of a request, not {sorted(KEYS & set(options))}"
            )
        self.shape = shape
        self.model = model
        self.options = dict(options)
        self.key_env = key_env
        self.batch_size = batch_size
        self.timeout = timeout
        self.retries = retries
        self.backoff = backoff
        self.listwise = listwise
        self._shapes = [shape] if shape != "auto" else ["documents", "texts"]
        self._key()

    @classmethod
    def from_spec(cls, spec: str) -> HTTPReranker:
        """The service that a command line names: a URL, with settings behind a ``#``.

        >>> HTTPReranker.from_spec("http://127.0.0.1:8080/rerank#shape=texts&batch_size=8")
        <HTTPReranker http://127.0.0.1:8080/rerank>
        """
        url, _, fragment = spec.partition("#")
        settings: dict[str, Any] = {}
        for name, value in parse_qsl(fragment, keep_blank_values=True):
            if name not in FROM_TEXT:
                raise InputError(
                    f"no setting {name!r} behind the # of a URL; there are {sorted(FROM_TEXT)}"
                )
            try:
                settings[name] = FROM_TEXT[name](value)
            except ValueError as error:
                raise InputError(f"{name} behind the # of a URL cannot be {value!r}: {error}") from error
        return cls(url, **settings)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Stands for URL, model and options; what the service does behind them, it cannot know."""
        names = ("url", "shape", "model", "options", "listwise")
        return fingerprint_of(
            {"ranker": "HTTPReranker", **{name: getattr(self, name) for name in names}}
        )

    def __repr__(self) -> str:
        return f"<HTTPReranker {_without_secrets(self.url)}>"

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
            raise self._failure(f"answered no JSON but {_excerpt(answer.content)!r}") from error
        return self._read(plain, texts)

    def _answer(self, connection: HTTPConnection, query: str, texts: Sequence[str]) -> _Answer:
        """The answer to a request in the shape that is known, or in the first that is accepted."""
        refusals = []
        for shape in list(self._shapes):
            fields: dict[str, object] = {"query": query, shape: list(texts), **self.options}
            if shape == "documents":
                fields["top_n"] = len(texts)
            if self.model is not None:
                fields["model"] = self.model
            answer = self._post(connection, json.dumps(fields).encode())
            if answer.status not in REFUSING:
                self._shapes = [shape] if answer.status < 300 else self._shapes
                return answer
            refusals.append(f"{self._refusal(answer)} (asked with {shape!r})")
        raise self._failure("; ".join(refusals))

    def _post(self, connection: HTTPConnection, body: bytes) -> _Answer:
        """The first answer that another try cannot change, or the ScorerError of the last try."""
        from http.client import HTTPException

        tries = self.retries + 1
        for attempt in range(tries):
            wait = self.backoff * 2**attempt * float(np.random.default_rng().uniform(0.5, 1.0))
            cause: Exception | None = None
            try:
                answer = self._post_once(connection, body)
            except (OSError, HTTPException) as error:
                connection.close()  # the next request opens it again
                cause, problem = error, f"gave no answer: {type(error).__name__}: {_excerpt(str(error))}"
            else:
                if answer.status not in PASSING:
                    return answer
                problem, asked = self._refusal(answer), _retry_after(answer.headers)
                if asked > LONGEST_WAIT:
                    raise self._failure(f"{problem} (and to come again in {asked:.0f} s)")
                wait = max(wait, asked)
            if attempt + 1 < tries:
                time.sleep(min(wait, LONGEST_WAIT))
        raise self._failure(f"{problem} (tries: {tries})") from cause

    def _post_once(self, connection: HTTPConnection, body: bytes) -> _Answer:
        from http.client import IncompleteRead

        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key := self._key():
            headers["Authorization"] = f"Bearer {key}"
        ends = time.monotonic() + self.timeout
        connection.request("POST", self._place.target, body, headers)
        content = bytearray()
        with connection.getresponse() as response:  # closed, it leaves the connection to the next one
            while part := response.read1(1024 * 1024):
                content += part
                if len(content) > LARGEST_ANSWER:
                    raise self._failure(f"answered more than {LARGEST_ANSWER:,} bytes")
                if time.monotonic() > ends:  # a drop now and then keeps the socket's own timeout away
                    raise TimeoutError(f"no whole answer within {self.timeout:g} s")
            if response.length:  # bytes that were announced, of which read1 says nothing
                raise IncompleteRead(bytes(content), response.length)
        return _Answer(response.status, response.reason, dict(response.headers.items()), bytes(content))

    def _connection(self) -> HTTPConnection:
        from http.client import HTTPConnection, HTTPSConnection

        kind = HTTPSConnection if self._place.secure else HTTPConnection
        return kind(self._place.host, self._place.port, timeout=self.timeout)

    def _read(self, plain: Any, texts: Sequence[str]) -> list[float]:
        """One score per text from an answer of either shape, whatever its order."""
        results = plain.get("results") if isinstance(plain, dict) else plain
        if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
            raise self._failure(f"answered no list of results but {_excerpt(json.dumps(plain))}")
        scores: dict[int, float] = {}
        for one in results:
            index, score = one.get("index"), one.get("relevance_score", one.get("score"))
            if type(index) is not int or not 0 <= index < len(texts):
                raise self._failure(
                    f"answered the index {index!r} to {len(texts)} texts, counted from 0"
                )
            if index in scores:
                raise self._failure(f"answered index {index} twice", texts[index : index + 1])
            if not _is_finite(score):
                raise self._failure(f"answered the score {score!r}", texts[index : index + 1])
            scores[index] = float(score)
        missing = [text for index, text in enumerate(texts) if index not in scores]
        if missing:
            raise self._failure(f"answered {len(scores)} of {len(texts)} texts", missing)
        return [scores[index] for index in range(len(texts))]

    def _key(self) -> str:
        if self.key_env is None:
            return ""
        key = os.environ.get(self.key_env, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            what = "is not set" if not key else "holds no key: a key is of printable ASCII characters"
            raise InputError(f"the environment variable {self.key_env!r} {what}")
        return key

    def _refusal(self, answer: _Answer) -> str:
        said = f"answered {answer.status} {answer.reason}".rstrip()
        if 300 <= answer.status < 400:
            location = answer.headers.get("Location", "")
            return (
                f"{said}: it sends us to {_without_secrets(location)!r}; give that URL if you trust it"
            )
        if answer.status in {401, 403} and self.key_env is None:
            said += ", and no key was sent: name its environment variable with key_env"
        return f"{said}: {_excerpt(answer.content)}" if answer.content.strip() else said

    def _failure(self, problem: str, texts: Sequence[str] = ()) -> ScorerError:
        message = f"the ranker at {_without_secrets(self.url)} {problem}"
        key = os.environ.get(self.key_env, "").strip() if self.key_env else ""
        return ScorerError(message.replace(key, "…") if key else message, texts=texts)


def _place(url: str) -> _Place:
    example = "a URL such as http://127.0.0.1:8080/rerank expected"
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InputError(f"{example}, with %-escapes for blanks and other characters")
    shown = _without_secrets(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"{example}, not {shown!r}: {error}") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise InputError(f"{example}, not {shown!r}")
    if parts.username is not None or parts.password is not None:
        raise InputError(f"no user or password in a URL, please: {shown}; see key_env")
    if parts.fragment:
        raise InputError(f"{shown} has settings behind a #; HTTPReranker.from_spec reads them")
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return _Place(parts.scheme == "https", host, port, target)


def _without_secrets(url: str) -> str:
    """``url`` without what may be a password or a key: user, query and fragment."""
    return re.sub(r"([?#]).*", r"\1…", re.sub(r"//[^/?#]*@", "//…@", url))


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds until another try is welcome, from a number or a date; 0 when nothing is said."""
    from email.utils import parsedate_to_datetime

    said = headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def _is_finite(score: Any) -> bool:
    with contextlib.suppress(OverflowError):  # JSON's integers have no bounds
        return type(score) in {int, float} and math.isfinite(score)
    return False


def _excerpt(content: bytes | str, most: int = 160) -> str:
    """The beginning of an answer on one line."""
    text = content if isinstance(content, str) else content[: 4 * most].decode("utf-8", "replace")
    text = " ".join(text[: 4 * most].split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _true_or_false(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("true or false expected")
    return text == "true"


FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "shape": str,
    "model": str,
    "options": json.loads,
    "key_env": str,
    "batch_size": int,
    "timeout": float,
    "retries": int,
    "backoff": float,
    "listwise": _true_or_false,
}

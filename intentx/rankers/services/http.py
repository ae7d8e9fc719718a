"""Rerank services behind HTTP as scorers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.services.formats import SHAPES, AnswerError, Shape
from intentx.rankers.services.redaction import without_secrets
from intentx.rankers.services.service import Answer, HTTPService
from intentx.rankers.spec_settings import settings_from, true_or_false

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

__all__ = ["HTTPReranker"]

REFUSING = {400, 422}  # what services answer to a request of the other shape
TOO_LARGE = 413


class HTTPReranker(HTTPService):
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
        super().__init__(
            url, key_env=key_env, headers=headers, timeout=timeout, retries=retries, backoff=backoff
        )
        if shape != "auto" and shape not in SHAPES:
            raise InputError(f"shape must be one of {('auto', *SHAPES)}, not {shape!r}")
        if fields is not None and shape != "auto":
            raise InputError(f"give shape or fields, not both; fields may say {{'like': {shape!r}}}")
        names = ["documents", "texts"] if shape == "auto" else [shape]
        shapes = [SHAPES[name] for name in names] if fields is None else [Shape.of(fields)]
        if not batch_size >= 1:
            raise InputError(f"batch_size is too small, or no number: {batch_size!r}")
        taken = set().union(*(one.taken for one in shapes)) & set(options)
        if taken:
            raise InputError(f"options are further fields of a request, not {sorted(taken)}")
        self.shape = shape
        self.model = model
        self.fields = fields
        self.options = dict(options)
        self.batch_size = batch_size
        self.listwise = listwise
        self._shapes = dict(zip(names, shapes, strict=True)) if fields is None else {"fields": shapes[0]}

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

    def _answer(self, connection: HTTPConnection, query: str, texts: Sequence[str]) -> Answer:
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

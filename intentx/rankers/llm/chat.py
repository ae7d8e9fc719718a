"""Language models behind the chat-completions API, with the tries and waits of other services."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from hashlib import blake2b
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from intentx.errors import InputError
from intentx.rankers.llm.answer_file import Said
from intentx.rankers.llm.prompts import Messages
from intentx.rankers.services.redaction import redacted, without_secrets
from intentx.rankers.services.service import Service

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

__all__ = ["Chat", "estimated_tokens"]

PATH = "/chat/completions"
CHARACTERS = 4  # of a token, where the service does not say what an answer cost
OURS = ("model", "messages", "temperature", "stream")  # fields of a request


class Chat(Service):
    """A language model that answers messages.

    Parameters
    ----------
    url
        The address of the API, ``http://127.0.0.1:8000/v1``, or of its ``…/chat/completions``.
    model
        The name of the model there.
    temperature
        Sent with each request; None: it is left out, for models that refuse it.
    options
        Further fields of each request, such as ``{"max_tokens": 200}``.
    key_env, headers, timeout, retries, backoff
        As in `intentx.rankers.HTTPReranker`.

    Raises
    ------
    InputError
        If the URL or a setting cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str,
        temperature: float | None = 0.0,
        options: Mapping[str, object] = MappingProxyType({}),
        **settings: Any,
    ) -> None:
        if not isinstance(model, str) or not model.strip():
            raise InputError(f"model must be the name of a model, as in #model=NAME, not {model!r}")
        if not url.startswith(("http://", "https://")):
            shown = without_secrets(url)
            raise InputError(f"an address such as http://127.0.0.1:8000/v1 expected, not {shown!r}")
        number = isinstance(temperature, Real) and not isinstance(temperature, bool)
        if temperature is not None and not (number and 0 <= temperature < math.inf):
            raise InputError(f"temperature must be a number, 0 or more, or None, not {temperature!r}")
        try:
            json.dumps(dict(options), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(f"options must be what JSON can say: {error}") from error
        taken = sorted(set(options) & set(OURS))
        if taken:
            raise InputError(f"options are further fields of a request, not {taken}")
        super().__init__(_completions(url), **settings)
        self.model, self.temperature, self.options = model, temperature, dict(options)

    def key_of(self, messages: Messages) -> bytes:
        """A hash of what is asked: service, model, settings and messages, and no key."""
        plain = [without_secrets(self.url), self._request(messages)]
        told = json.dumps(plain, sort_keys=True, ensure_ascii=True)
        return blake2b(told.encode(), digest_size=16).digest()

    def ask(self, connection: HTTPConnection, messages: Messages) -> Said:
        """What the model says.

        Raises
        ------
        ScorerError
            If the service cannot be reached, refuses the request, or answers what is no completion.
        """
        posted = self._post(connection, json.dumps(self._request(messages)).encode())
        if not 200 <= posted.status < 300:
            raise self._failure(self._refusal(posted))
        try:
            plain = json.loads(posted.content)
        except (ValueError, RecursionError) as error:
            raise self._failure(f"answered no JSON but {self._excerpt(posted.content)!r}") from error
        choices = plain.get("choices") if isinstance(plain, dict) else None
        first = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(first, dict):
            raise self._failure(f"answered no choices but {self._excerpt(posted.content)!r}")
        return self._said(plain, first, messages)

    def _said(self, plain: dict[str, Any], choice: dict[str, Any], messages: Messages) -> Said:
        message = choice.get("message")
        message = message if isinstance(message, dict) else {"content": choice.get("text")}
        refusal = message.get("refusal")
        text = _text_of(message.get("content"))
        refused = not text and isinstance(refusal, str) and bool(refusal.strip())
        text = str(refusal) if refused else text
        text = None if text is None else redacted(text, self._keys())
        asked = sum(len(one["content"]) for one in messages)
        usage = plain.get("usage")
        counted = [_count(usage, name) for name in ("prompt_tokens", "completion_tokens")]
        prompt, completion = (
            estimated_tokens(length) if number is None else number
            for number, length in zip(counted, (asked, len(text or "")), strict=True)
        )
        cut_off = choice.get("finish_reason") == "length"
        return Said(text, prompt, completion, None in counted, cut_off, refused)

    def _request(self, messages: Messages) -> dict[str, Any]:
        warmth = {} if self.temperature is None else {"temperature": self.temperature}
        return {"model": self.model, "messages": messages, **warmth, **self.options}


def estimated_tokens(characters: int) -> int:
    """Tokens of a text where nobody has counted them: one for four characters.

    >>> estimated_tokens(401)
    101
    """
    return -(-characters // CHARACTERS)


def _completions(url: str) -> str:
    """The address that is posted to."""
    where, asks, query = url.partition("?")
    if not where.rstrip("/").endswith(PATH):
        where = where.rstrip("/") + PATH
    return where + asks + query


def _text_of(content: Any) -> str | None:
    """The text of a message, which may be in parts."""
    if isinstance(content, list):
        parts = [one.get("text") if isinstance(one, dict) else one for one in content]
        content = "".join(one for one in parts if isinstance(one, str))
    return content if isinstance(content, str) else None


def _count(usage: Any, name: str) -> int | None:
    number = usage.get(name) if isinstance(usage, dict) else None
    return number if type(number) is int and 0 <= number < 2**53 else None

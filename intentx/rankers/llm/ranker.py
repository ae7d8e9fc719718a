"""`LLMRanker`: a language model that orders passages, or compares them pair by pair."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.capabilities import CallCost
from intentx.errors import InputError, ScorerWarning
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.llm.answer_file import AnswerFile, Said
from intentx.rankers.llm.answers import KINDS, Trouble, read_order, read_pair
from intentx.rankers.llm.chat import Chat, estimated_tokens
from intentx.rankers.llm.prompts import (
    PROMPTS,
    Messages,
    cut_to_words,
    order_prompt,
    pair_prompt,
)
from intentx.rankers.llm.records import Problem, Usage
from intentx.rankers.pairwise import PairsAsked, PairwiseRanker, read_pairs
from intentx.rankers.services.redaction import redacted, without_secrets
from intentx.rankers.tournament import Aggregate

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

__all__ = ["FROM_TEXT", "LLMRanker", "llm_named"]

Floats = npt.NDArray[np.float64]
Mode = Literal["listwise", "pairwise"]

MOST_CALLS = 30
UNREAD: tuple[Trouble, ...] = ("empty", "refusal", "no order")  # nothing came of these answers
EXCERPT = 160  # characters of an answer that a problem shows


class LLMRanker:
    """A language model as a ranker, asked over the chat-completions API.

    ``mode="listwise"``: it is asked for the order of ``window`` passages at a time. A longer list is
    ordered from its end to its beginning, by windows that overlap by ``window - step`` passages, so that
    the best ones move up (RankGPT; Sun et al., EMNLP 2023). Scores are ``N - rank``, from 0: they mean
    something within one list only, and the order of the texts matters, as it does to the model.

    ``mode="pairwise"``: it is asked which of two passages is better, in both orders, and the answers are
    added up as by `intentx.PairwiseRanker`.

    Answers are read with repair, see `intentx.rankers.llm.answers`; what had to be repaired is counted
    in `problems`. Failures of the service are handled as by `intentx.rankers.HTTPReranker`: tries again
    after 429, 5xx and time-outs, waits as ``Retry-After`` asks; what lasts is a `ScorerError`.

    Parameters
    ----------
    url
        The address of the API, such as ``http://127.0.0.1:8000/v1``.
    model
        The name of the model there.
    mode
        ``"listwise"`` or ``"pairwise"``.
    window, step
        Passages of one question, and how far the window moves; listwise only.
    pairs, aggregate
        As in `intentx.PairwiseRanker`; pairwise only.
    words
        Words of a passage that the model gets, from its beginning; `seen` tells.
    temperature, options, key_env, headers, timeout, retries, backoff
        As in `intentx.rankers.llm.chat.Chat`.
    cache
        A file that remembers answers by prompts, for other processes, too.
    most_calls
        Most calls that one explanation may make. One that would make more is refused before it asks.

    Attributes
    ----------
    usage
        Calls, remembered answers and tokens so far: a `intentx.rankers.llm.records.Usage`.
    problems
        What was wrong with answers so far, by kind: `intentx.rankers.llm.records.Problem`.

    Raises
    ------
    InputError
        If the URL or a setting cannot be used, or the environment has no such key.

    Notes
    -----
    An answer is remembered by its prompt, in memory and in ``cache``, and not asked for again: a list in
    which one text has changed costs the windows, or pairs, with that text. So chance in the model's
    answers to one prompt is never seen; set the temperature to 0.

    Examples
    --------
    >>> ranker = LLMRanker("http://127.0.0.1:8000/v1", model="any", window=20, step=10)
    >>> ranker.calls_for(20), ranker.calls_for(100), ranker.seen("tea", ["a pot"])
    (1, 9, ('a pot',))
    """

    listwise = True

    def __init__(
        self,
        url: str,
        *,
        model: str,
        mode: Mode = "listwise",
        window: int = 20,
        step: int = 10,
        pairs: PairsAsked = "all",
        aggregate: Aggregate = "sum",
        words: int = 200,
        temperature: float | None = 0.0,
        options: Mapping[str, object] = MappingProxyType({}),
        key_env: str | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        timeout: float = 120.0,
        retries: int = 4,
        backoff: float = 0.5,
        cache: str | Path | None = None,
        most_calls: int = MOST_CALLS,
    ) -> None:
        if mode not in get_args(Mode):
            raise InputError(f"mode must be one of {get_args(Mode)}, not {mode!r}")
        for name, value, least in (
            ("window", window, 2), ("step", step, 1), ("words", words, 1), ("most_calls", most_calls, 0)
        ):  # fmt: skip
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise InputError(f"{name} must be a whole number, {least} or more, not {value!r}")
        if step > window:
            raise InputError(
                f"step must be {window} or less, which is the window, not {step}: passages would be "
                "left out"
            )
        self.chat = Chat(
            url, model=model, temperature=temperature, options=options, key_env=key_env,
            headers=headers, timeout=timeout, retries=retries, backoff=backoff,
        )  # fmt: skip
        self.mode, self.window, self.step, self.words = mode, int(window), int(step), int(words)
        self.most_calls = int(most_calls)
        self._pairs = PairwiseRanker(self._prefers, pairs=pairs, aggregate=aggregate)
        self.cache = None if cache is None else AnswerFile(cache)
        self.usage, self._problems = Usage(), dict[Trouble, Problem]()
        self._known: dict[bytes, Said] = {}
        self._told: dict[Trouble, int] = {}  # of how many answers the last warning was
        self._connection: HTTPConnection | None = None

    def __repr__(self) -> str:
        return f"<LLMRanker {self.chat.model} at {without_secrets(self.chat.url)}, {self.mode}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_connection": None}

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        """(N,) scores of a list of texts.

        Raises
        ------
        ScorerError
            If the service cannot be reached, refuses, or answers what is no completion.

        Warns
        -----
        ScorerWarning
            If nothing can be read out of an answer: the passages then keep their order, or the pair is
            a tie. Of each kind the first time, and whenever there are twice as many.
        """
        before = {kind: self._problems[kind].answers for kind in self._problems}
        with self._connected():
            if self.mode == "pairwise":
                scores = self._pairs(query, texts)
            else:
                scores = np.empty(len(texts))
                scores[self._ordered(query, texts)] = np.arange(len(texts), 0, -1) - 1.0
        # A tie may be meant; a list of ties alone says that the answers are of another form.
        tied = self.mode == "pairwise" and len(texts) > 2 and bool((scores == scores[0]).all())
        self._warn_of_unread(before, (*UNREAD, "undecided") if tied else UNREAD)
        return scores

    @property
    def preference(self) -> Callable[[str, str, str], float] | None:
        """In pairwise mode, what asks about two texts directly; see `intentx.PairwiseRanker`."""
        return self._preference if self.mode == "pairwise" else None

    def calls_for(self, texts: int) -> int:
        """Calls that a list of so many texts costs, at most."""
        if self.mode == "pairwise":
            return self._pairs.calls_for(texts)
        if texts <= self.window:
            return int(texts > 1)
        return 1 + -(-(texts - self.window) // self.step)

    @property
    def cost(self) -> CallCost:
        """What explanations may ask, and what that costs."""
        window = self.window if self.mode == "listwise" else None
        return CallCost(self.most_calls, window, self.calls_for, self._in_tokens)

    @property
    def problems(self) -> Mapping[str, Problem]:
        """What was wrong with answers so far, by kind; see `intentx.rankers.llm.answers.KINDS`."""
        return MappingProxyType({kind: self._problems[kind] for kind in KINDS if kind in self._problems})

    @property
    def remarks(self) -> tuple[str, ...]:
        """What explanations should note: each kind of problem, with a number and an example; and pairs
        that are ties since the place of a passage decided.
        """
        asked = self.usage.calls + self.usage.remembered
        found = [
            f"{problem.answers} of {asked} answers of {self.chat.model}: {KINDS[kind]} "
            f"(for example {problem.example!r})"
            for kind, problem in self._problems.items()
        ]
        if self._pairs.contradictions:
            found.append(
                f"{self._pairs.contradictions} of {self._pairs.calls // 2} pairs: {self.chat.model} "
                "preferred the passage in the same place when both had changed places: they were ties"
            )
        return tuple(found)

    def seen(self, query: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Each text as far as the model gets it."""
        return tuple(cut_to_words(text, self.words) for text in texts)

    @property
    def fingerprint(self) -> str:
        """Stands for service, model, settings and prompts; what lies behind them, it cannot know."""
        chat = self.chat
        return fingerprint_of(
            {
                "ranker": "LLMRanker", "prompts": PROMPTS, "url": without_secrets(chat.url),
                "model": chat.model, "temperature": chat.temperature, "options": chat.options,
                "mode": self.mode, "window": self.window, "step": self.step, "words": self.words,
                "pairs": self._pairs.pairs, "aggregate": self._pairs.aggregate,
            }
        )  # fmt: skip

    def _ordered(self, query: str, texts: Sequence[str]) -> list[int]:
        """Places of the texts, best first: windows from the end of the list to its beginning."""
        order = list(range(len(texts)))
        read = self.seen(query, texts)
        end = len(texts)
        while end > 1:
            start = max(0, end - self.window)
            some = order[start:end]
            said = self._said(order_prompt(query, [read[i] for i in some]))
            found = read_order(None if said.refused else said.text, len(some))
            self._note({"refusal": 1} if said.refused else found.troubles, said)
            order[start:end] = [some[i] for i in found.order]
            if start == 0:
                break
            end -= self.step
        return order

    def _prefers(self, query: str, text_a: str, text_b: str) -> float:
        """The answer to one question about two texts."""
        one, other = self.seen(query, (text_a, text_b))
        said = self._said(pair_prompt(query, one, other))
        found = read_pair(None if said.refused else said.text)
        self._note({"refusal": 1} if said.refused else found.troubles, said)
        return found.first

    def _preference(self, query: str, text_a: str, text_b: str) -> float:
        with self._connected():
            return self._pairs.preference(query, text_a, text_b)

    def _said(self, messages: Messages) -> Said:
        """The answer to a prompt, remembered or new."""
        key = self.chat.key_of(messages)
        said = self._known.get(key)
        if said is None and self.cache is not None:
            said = self.cache.find(key)
        if said is not None:
            self._known[key] = said
            self.usage = self.usage.with_remembered()
            return said
        assert self._connection is not None  # noqa: S101
        said = self._known[key] = self.chat.ask(self._connection, messages)
        self.usage = self.usage.with_call(said)
        if self.cache is not None:
            self.cache.keep(key, said)
        return said

    @contextlib.contextmanager
    def _connected(self) -> Any:
        """One connection for all that is asked in a call."""
        with contextlib.closing(self.chat._connection()) as self._connection:
            try:
                yield
            finally:
                self._connection = None

    def _note(self, troubles: Mapping[Trouble, int], said: Said) -> None:
        """Count what was wrong with an answer."""
        every = {**troubles, "cut off": 1} if said.cut_off else troubles
        for kind, number in every.items():
            known = self._problems.get(kind)
            example = known.example if known else self._excerpt(said.text or "")
            answers, numbers = (known.answers, known.numbers) if known else (0, 0)
            self._problems[kind] = Problem(answers + 1, numbers + number, example)

    def _warn_of_unread(self, before: Mapping[Trouble, int], kinds: Sequence[Trouble]) -> None:
        for kind in kinds:
            problem = self._problems.get(kind)
            if problem is None or problem.answers == before.get(kind, 0):
                continue
            if problem.answers >= 2 * self._told.get(kind, 0):
                self._told[kind] = problem.answers
                warnings.warn(
                    f"{self.chat.model}: {KINDS[kind]} ({problem.answers} of "
                    f"{self.usage.calls + self.usage.remembered} answers so far; for example "
                    f"{problem.example!r})",
                    ScorerWarning,
                    stacklevel=3,
                )

    def _excerpt(self, text: str) -> str:
        text = " ".join(redacted(text, self.chat._keys()).split())
        return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"

    def _in_tokens(self, texts: Sequence[str], calls: int) -> str:
        """What so many calls about such texts cost, in words."""
        read = self.seen("", texts)
        mean = sum(map(len, read)) / max(len(read), 1)
        some = min(self.window, len(texts)) if self.mode == "listwise" else 2
        tokens = calls * (estimated_tokens(int(some * mean)) + estimated_tokens(600) + 4 * some)
        rounded = float(f"{tokens:.2g}")
        return f"about {rounded:,.0f} tokens"


def llm_named(url: str, settings: Mapping[str, Any]) -> LLMRanker:
    """The language model of a spec, ``llm:URL#model=NAME``.

    Raises
    ------
    InputError
        If no model is named, or a setting cannot be used.
    """
    if "model" not in settings:
        raise InputError("llm needs the name of a model: llm:URL#model=NAME")
    return LLMRanker(url, **settings)


def _json_object(text: str) -> dict[str, Any]:
    plain = json.loads(text)
    if not isinstance(plain, dict):
        raise ValueError('a JSON object expected, such as {"name": "value"}')
    return plain


def _temperature(text: str) -> float | None:
    return None if text == "none" else float(text)


FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "model": str,
    "mode": str,
    "window": int,
    "step": int,
    "pairs": read_pairs,
    "aggregate": str,
    "words": int,
    "temperature": _temperature,
    "options": _json_object,
    "key_env": str,
    "headers": _json_object,
    "timeout": float,
    "retries": int,
    "backoff": float,
    "cache": str,
    "most_calls": int,
}
"""How settings behind a ``#`` are read."""

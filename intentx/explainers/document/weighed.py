"""Weights of a document's words: what verdicts and tables read of an explanation of one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from intentx.ranking import Ranking
from intentx.text import Analyzer

__all__ = ["Weighed", "Word"]


class Word(NamedTuple):
    """One occurrence of a term: ``text[start:end]`` of the document, and its weight."""

    term: str
    start: int
    end: int
    weight: float


class Weighed(Protocol):
    """A `DocumentExplanation` as far as its weights are judged."""

    @property
    def method(self) -> str: ...
    @property
    def ranking(self) -> Ranking: ...
    @property
    def position(self) -> int: ...
    @property
    def above(self) -> int | None: ...
    @property
    def terms(self) -> tuple[str, ...]: ...
    @property
    def weights(self) -> tuple[float, ...]: ...
    @property
    def metrics(self) -> Mapping[str, float]: ...
    @property
    def analyzer(self) -> Analyzer: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def model_calls(self) -> int: ...
    @property
    def scored(self) -> frozenset[bytes]: ...

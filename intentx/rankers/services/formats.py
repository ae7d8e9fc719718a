"""How rerank services are asked, and what they answer: the shapes in use."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from intentx.errors import InputError

__all__ = ["SHAPES", "AnswerError", "Shape"]

NUMBERS = ("relevance_score", "score", "logit")
LISTS = ("results", "data", "rankings", "scores", "")


class AnswerError(ValueError):
    """What a service answered is not one finite score for each text; ``at_fault`` are the texts."""

    def __init__(self, message: str, at_fault: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.at_fault = tuple(at_fault)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The fields of a request, and where an answer has its scores. Paths have dots between their parts.

    Parameters
    ----------
    query, texts
        Fields of the query and of the list of texts.
    text
        Field of each text in an object of its own; None: the list holds the texts themselves.
    top
        Field of the number of results that are wanted, all of them; None: there is none.
    model
        Field of the model's name, sent where one is given.
    fixed
        Further fields of each request.
    answer
        Path of the list of results, ``""`` when it is the whole answer; None: the first of results,
        data, rankings and scores that the answer has, or itself.
    index, score
        Paths in each result of the text's number, from 0, and of its score; ``score`` None: the first of
        relevance_score, score and logit. Results that are numbers are in the order of the texts.
    """

    query: str = "query"
    texts: str = "documents"
    text: str | None = None
    top: str | None = None
    model: str | None = "model"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    answer: str | None = None
    index: str = "index"
    score: str | None = None

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Shape:
        """From plain data, on top of the shape that ``like`` names ("documents" unless given).

        Raises
        ------
        InputError
            If there is no such part, or a part is of the wrong kind.
        """
        parts = dict(plain)
        like = parts.pop("like", "documents")
        if not isinstance(like, str) or like not in SHAPES:
            raise InputError(f"fields: like must be one of {', '.join(SHAPES)}, not {like!r}")
        known = {one.name for one in fields(cls)}
        for name, value in parts.items():
            if name not in known:
                raise InputError(f"fields: no part {name!r}; there are like, {', '.join(sorted(known))}")
            if name == "fixed":
                fine, kind = isinstance(value, Mapping), "an object"
            elif name in ("query", "texts", "index"):
                fine, kind = isinstance(value, str) and bool(value), "the name of a field"
            else:
                fine, kind = value is None or isinstance(value, str), "the name of a field, or null"
            if not fine:
                raise InputError(f"fields: {name} must be {kind}, not {value!r}")
        return replace(SHAPES[like], **parts)

    def request(
        self, query: str, texts: Sequence[str], model: str | None, options: Mapping[str, object]
    ) -> dict[str, Any]:
        """The body of a request."""
        body: dict[str, Any] = {}
        _put(body, self.query, query)
        _put(body, self.texts, list(texts) if self.text is None else [{self.text: t} for t in texts])
        if self.top:
            _put(body, self.top, len(texts))
        if model is not None and self.model:
            _put(body, self.model, model)
        return {**body, **self.fixed, **options}

    @property
    def taken(self) -> set[str]:
        """Fields of a request that are not free for options."""
        parts = (self.query, self.texts, self.top, self.model)
        return {part.partition(".")[0] for part in parts if part}

    def scores(self, answer: Any, texts: Sequence[str]) -> list[float]:
        """One score for each text, whatever the order of the answer.

        Raises
        ------
        AnswerError
            If the answer is anything else.
        """
        results = self._results(answer)
        if all(not isinstance(one, dict | list) for one in results):
            return self._in_order(results, texts)
        found: dict[int, float] = {}
        for one in results:
            index = _get(one, self.index)
            if type(index) is str and index.isdecimal() and len(index) < 10:
                index = int(index)
            if type(index) is not int or not 0 <= index < len(texts):
                raise AnswerError(
                    f"answered the index {_shown(index)} to {len(texts)} texts, counted from 0"
                )
            if index in found:
                raise AnswerError(f"answered index {index} twice", texts[index : index + 1])
            found[index] = _number(self._score(one), texts[index : index + 1])
        missing = [text for index, text in enumerate(texts) if index not in found]
        if missing:
            raise AnswerError(f"answered {len(found)} of {len(texts)} texts", missing)
        return [found[index] for index in range(len(texts))]

    def _results(self, answer: Any) -> list[Any]:
        if self.answer is not None:
            found, where = _get(answer, self.answer), self.answer or "the answer"
        else:
            found, where = answer, "results"
            if isinstance(answer, dict):
                present = [name for name in LISTS if isinstance(answer.get(name), list)]
                found = answer[present[0]] if present else None
        if not isinstance(found, list):
            raise AnswerError(f"answered {_shown(answer)} instead of a list of {where}")
        return found

    def _in_order(self, results: Sequence[Any], texts: Sequence[str]) -> list[float]:
        if len(results) != len(texts):
            raise AnswerError(f"answered {len(results)} scores to {len(texts)} texts")
        return [_number(one, (text,)) for one, text in zip(results, texts, strict=True)]

    def _score(self, result: Any) -> Any:
        if self.score is not None:
            return _get(result, self.score)
        return next((result[n] for n in NUMBERS if isinstance(result, dict) and n in result), None)


def _put(body: dict[str, Any], path: str, value: object) -> None:
    *outer, last = path.split(".")
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = value


def _get(plain: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        plain = plain.get(name) if isinstance(plain, dict) else None
    return plain


def _number(score: Any, texts: Sequence[str]) -> float:
    try:
        # JSON's integers have no bounds, and some services write numbers as text.
        number = float(score) if type(score) in {int, float, str} else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise AnswerError(f"answered the score {_shown(score)}", texts)
    return number


def _shown(plain: Any) -> str:
    """A value as JSON; what it came from was JSON, of any depth."""
    try:
        return json.dumps(plain, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "something that JSON cannot express"


SHAPES: dict[str, Shape] = {
    # Cohere, Jina, vLLM's and Infinity's /rerank, Together
    "documents": Shape(top="top_n"),
    # Hugging Face's Text Embeddings Inference
    "texts": Shape(texts="texts"),
    "voyage": Shape(top="top_k", answer="data", score="relevance_score"),
    "mixedbread": Shape(texts="input", top="top_k", answer="data", score="score"),
    # vLLM's /score
    "vllm-score": Shape(query="text_1", texts="text_2", answer="data", score="score"),
    "pinecone": Shape(
        text="text", top="top_n", fixed={"return_documents": False}, answer="data", score="score"
    ),
    "nvidia": Shape(query="query.text", texts="passages", text="text", answer="rankings", score="logit"),
}

"""What language models answer, read and repaired: an order of passages, or the better one of two."""

from __future__ import annotations

import json
import re
from typing import Literal, NamedTuple, get_args

__all__ = ["KINDS", "Order", "Preferred", "Trouble", "read_order", "read_pair"]

Trouble = Literal[
    "empty", "refusal", "no order", "undecided", "missing numbers", "doubled numbers",
    "unknown numbers", "cut off",
]  # fmt: skip
KINDS: dict[Trouble, str] = {
    "empty": "an answer without text: the passages kept their order, or the pair was a tie",
    "refusal": "the model refused: the passages kept their order, or the pair was a tie",
    "no order": "an answer without an order of passages: they kept the one they had",
    "undecided": "neither passage of a pair was named, or both were: it was a tie",
    "missing numbers": "passages that were not named: they came last, in the order they had",
    "doubled numbers": "passages that were named twice: the first time counted",
    "unknown numbers": "numbers of no passage: they were left out",
    "cut off": "an answer that the service cut off: what there was of it was read",
}
"""What can be wrong with an answer, and what was done about it."""
assert tuple(KINDS) == get_args(Trouble)  # noqa: S101

_THOUGHTS = (  # closed ones; what only ends, since the prompt opened it; what never ends
    re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.S | re.I),
    re.compile(r"\A.*</(?:think|thinking|reasoning)>", re.S | re.I),
    re.compile(r"<(?:think|thinking|reasoning)>.*\Z", re.S | re.I),
)
_WHAT = r"(?:(?:passage|document|doc|text|option|段落|文档|\b[pd])[\s_#]*)"
_BRACKETED = re.compile(rf"\[\s*{_WHAT}?(\d{{1,6}})\s*\]", re.I)
_NUMBER = r"(?<![.\d])\b\d{1,6}\b(?!\.\d)"  # no part of a decimal number
_ITEM = rf"(?:{_WHAT}?\[\s*{_WHAT}?\d{{1,6}}\s*\]|{_WHAT}\d{{1,6}}\b(?!\.\d)|{_NUMBER})"
_IN_CHAIN = rf"(?:{_ITEM}|\(\s*\d{{1,6}}\s*\)|#\d{{1,6}}\b)"
_CHAIN = re.compile(rf"{_IN_CHAIN}(?:\s*(?:[-=]?>{{1,3}}=?|=)\s*{_IN_CHAIN})+", re.I)
_LIST = re.compile(r"\[\s*\d{1,6}(?:\s*,\s*\d{1,6})*\s*\]")
_COMMAS = re.compile(rf"{_ITEM}(?:\s*[,;]\s*{_ITEM})+", re.I)
# What names passages in another order than the best first, or in one that cannot be told.
_OF_SCORES = re.compile(rf"\[\s*{_WHAT}?\d{{1,6}}\s*\][^\w\[\]\n]{{0,4}}\d", re.I)
_UPWARDS = re.compile(rf"{_IN_CHAIN}\s*<\s*{_IN_CHAIN}", re.I)
_BY_NAME = re.compile(r"\{\s*\d{1,6}\s*:\s*\d")  # ranks of passages, or passages of ranks
_RANKED = re.compile(
    rf"^\s*(?:rank\s*)?\d{{1,6}}(?:[):]|\.(?!\d))\s*{_WHAT}?\[?(\d{{1,6}})\b", re.I | re.M
)
_LINE = re.compile(rf"^\W*{_WHAT}?(\d{{1,6}})\W*$", re.I | re.M)
_NUMBERS_ALONE = re.compile(r"\d{1,6}(?:(?:\s+|\s*[|/]\s*)\d{1,6})+\.?")
_AS_PLAIN = str.maketrans(
    {
        **dict.fromkeys("＞→≻≥⩾≽", ">"), **dict.fromkeys("【［〔", "["), **dict.fromkeys("】］〕", "]"),
        **dict.fromkeys("、，", ","), **dict.fromkeys("*`\\\"'“”‘’\u200b\u200c\u200d\ufeff", ""),
    }
)  # fmt: skip
_DIGITS = re.compile(r"\d{1,6}")
_REFUSING = re.compile(
    r"\b(?:I\s+(?:can(?:no|')?t|cannot|can’t|am\s+(?:unable|not\s+able)|won['’]t|must\s+decline)|"
    r"I['’]m\s+(?:sorry|unable|not\s+able)|sorry,|unable\s+to|as\s+an\s+AI)",
    re.I,
)
_ALONE = re.compile(rf"^[\W_]*(?:(?:answer|boxed)[\W_]*)?{_WHAT}?([ab])[\W_]*(?:answer[\W_]*)?$", re.I)
_SAID = re.compile(
    r"(?:(?<!not )(?<!n['’]t )\b(?:[Aa]nswer|[Cc]hoice|[Cc]hoose|[Pp]refer|[Pp]ick|[Ww]inner)|答案)"
    rf"(?:\s+is|是)?\s*[:：]?[\s*_\"'(\[]*(?i:{_WHAT})?([AB])\b"
)
_NAMED = re.compile(r"\b(?:[Pp]assage|[Dd]ocument|[Tt]ext|[Oo]ption)\s+([AB])\b")
_BETTER = re.compile(
    rf"(?:^|[.!\n]\s*)[\s*_\"'(\[]*(?i:{_WHAT})?([AB])\b[\s*_\"')\]]*"
    r"(?:>|is\s+(?:the\s+)?(?:(?:much|far|(?!hardly|scarcely|barely|only)\w+ly)\s+)?"
    r"(?:better|best|more\s+relevant|most\s+relevant)\b|,?\s+(?:because|since)\b)"
    rf"|\b(?:better|more\s+relevant)(?:\s+(?:passage|one))?\s+is\W*(?i:{_WHAT})?([AB])\b"
)
# A sentence that says what a passage is not does not choose it.
_NEGATED = re.compile(
    r"\b(?:not|never|neither|nor|no|less|least|worse|worst|irrelevant|unrelated|lacks?|fails?|cannot)\b"
    r"|n['’]t\b",
    re.I,
)
_SENTENCE = re.compile(r"(?<=[.!?\n])\s*")


class Order(NamedTuple):
    """An order of passages (numbers from 0, each once), and what was repaired: a number by kind."""

    order: tuple[int, ...]
    troubles: dict[Trouble, int]


class Preferred(NamedTuple):
    """The probability that the first of two passages is better, 1, 0 or .5, and what was wrong."""

    first: float
    troubles: dict[Trouble, int]


def read_order(text: str | None, passages: int) -> Order:
    """The order that an answer names, repaired so that it has each passage once.

    Looked for are, one after the other: numbers with ``>`` or ``=`` between them (the longest such
    chain, and of equally long ones the last), a list of JSON or numbers with commas, numbers in
    brackets, numbers behind ranks (``1. Passage 4``), numbers that are all of the answer, and numbers
    that stand on lines of their own. Reasoning between ``<think>`` marks is left out, and what stands
    before a ``</think>`` that the prompt opened.

    Parameters
    ----------
    text
        What the model answered.
    passages
        How many there were; they were numbered from 1.

    Examples
    --------
    >>> read_order("Sure! Of these 3, in 2024: [2] > [1] > [3]", 3)
    Order(order=(1, 0, 2), troubles={})
    >>> read_order("[2] > [2] > [7]", 3)
    Order(order=(1, 0, 2), troubles={'doubled numbers': 1, 'unknown numbers': 1, 'missing numbers': 2})
    >>> read_order("I'm sorry, but I cannot rank these.", 2)
    Order(order=(0, 1), troubles={'refusal': 1})
    """
    text = _spoken(text)
    as_they_were = tuple(range(passages))
    if not text:
        return Order(as_they_were, {"empty": 1})
    named = _numbers(text, passages)
    if not any(1 <= one <= passages for one in named):
        return Order(as_they_were, {"refusal" if _REFUSING.search(text) else "no order": 1})
    troubles: dict[Trouble, int] = {}
    known = [one - 1 for one in named if 1 <= one <= passages]
    order = tuple(dict.fromkeys(known))
    missing = tuple(one for one in as_they_were if one not in set(order))
    counts: dict[Trouble, int] = {
        "doubled numbers": len(known) - len(order),
        "unknown numbers": len(named) - len(known),
        "missing numbers": len(missing),
    }
    troubles.update({kind: number for kind, number in counts.items() if number})
    return Order((*order, *missing), troubles)


def _numbers(text: str, passages: int) -> list[int]:
    """The numbers of passages in the order in which an answer names them; none where it names none."""
    text = text.replace("&gt;", ">").translate(_AS_PLAIN)
    for pattern in (_CHAIN, _LIST, _COMMAS):
        if pattern is not _CHAIN and (_BY_NAME.search(text) or _UPWARDS.search(text)):
            return []
        chains = [[int(one) for one in _DIGITS.findall(found)] for found in pattern.findall(text)]
        chains = [one for one in chains if len(one) > 1 or passages == 1]
        if chains:
            return max(reversed(chains), key=len)
    bracketed = [int(one) for one in _BRACKETED.findall(text)]
    if bracketed:
        return [] if len(_OF_SCORES.findall(text)) == len(bracketed) else bracketed
    ranked = [int(one) for one in _RANKED.findall(text)]
    if ranked:
        return ranked
    if _NUMBERS_ALONE.fullmatch(text.strip()):
        return [int(one) for one in _DIGITS.findall(text)]
    return [int(one) for one in _LINE.findall(text)]


def _spoken(text: str | None) -> str:
    """An answer without the reasoning before it."""
    found = text or ""
    for thought in _THOUGHTS:
        found = thought.sub(" ", found)
    return found.strip()


def read_pair(text: str | None) -> Preferred:
    """Which of the passages A and B an answer names.

    It counts where the answer, or its first or last line, is the letter alone; where it says "answer:
    A", "A is better", "the better one is A" or "A > B"; or where it names one of "Passage A" and
    "Passage B" only, in sentences that negate nothing.

    Examples
    --------
    >>> [read_pair(text).first for text in ("**B**", "Passage A.", "The answer is B, not A.")]
    [0.0, 1.0, 0.0]
    >>> read_pair("A passage on tea is better than one on boats."), read_pair("").troubles
    (Preferred(first=0.5, troubles={'undecided': 1}), {'empty': 1})
    """
    text = _spoken(text)
    if not text:
        return Preferred(0.5, {"empty": 1})
    lines = (text.partition("\n")[0], text.rpartition("\n")[2])
    alone = _ALONE.match(text) or _of_json(text) or _ALONE.match(lines[0]) or _ALONE.match(lines[1])
    said = _SAID.findall(text)
    better = {one or other for one, other in _BETTER.findall(text)}
    plain = (one for one in _SENTENCE.split(text) if not _NEGATED.search(one))
    named = better if len(better) == 1 else set(_NAMED.findall(" ".join(plain))) - better
    letter = alone[1].upper() if alone else said[-1] if said else named.pop() if len(named) == 1 else ""
    if letter:
        return Preferred(float(letter == "A"), {})
    return Preferred(0.5, {"refusal" if _REFUSING.search(text) else "undecided": 1})


def _of_json(text: str) -> re.Match[str] | None:
    """The letter where the answer is an object of JSON with one value that is one."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return None
    values = [*plain.values()] if isinstance(plain, dict) else []
    found = [letter for one in values if isinstance(one, str) and (letter := _ALONE.match(one))]
    return found[0] if len(found) == 1 else None

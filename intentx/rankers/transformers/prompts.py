"""Prompts of language models, split where the document stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from intentx.errors import InputError

__all__ = ["MARK", "Prompt", "around_document", "of_chat"]

PLACE = "\N{OBJECT REPLACEMENT CHARACTER}document\N{OBJECT REPLACEMENT CHARACTER}"

MARK = (
    "\N{OBJECT REPLACEMENT CHARACTER}query\N{OBJECT REPLACEMENT CHARACTER}"  # to find the query's place
)


class Prompt(NamedTuple):
    """What a model reads before the document and after it.

    ``special`` is whether the tokenizer puts its own first and last tokens around the whole.
    """

    before: str
    after: str
    special: bool


def around_document(tokenizer: Any, prompt: str, told: Mapping[str, str]) -> Prompt:
    """The prompt as it is.

    >>> around_document(None, "Query: {query} Document: {document} Relevant:", {"query": "tea"})
    Prompt(before='Query: tea Document: ', after=' Relevant:', special=True)
    """
    return _split(_filled(prompt, told), special=True)


def of_chat(tokenizer: Any, system: str, prompt: str, told: Mapping[str, str]) -> Prompt:
    """The prompt as a chat: by the template of the tokenizer, or one after the other without one.

    Raises
    ------
    InputError
        If the template cannot take it.
    """
    text = _filled(prompt, told)
    if not getattr(tokenizer, "chat_template", None):
        return _split("\n\n".join(part for part in (system, text, "Answer: ") if part), special=True)
    from jinja2 import TemplateError

    messages = [{"role": "system", "content": system}] if system else []
    user = {"role": "user", "content": text}
    options: Any = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
    try:
        try:
            whole = tokenizer.apply_chat_template([*messages, user], **options)
        except TemplateError:  # templates that know no system message
            user["content"] = f"{system}\n\n{text}"
            whole = tokenizer.apply_chat_template([user], **options)
    except TemplateError as error:
        raise InputError(f"the chat template of the model cannot take the prompt: {error}") from error
    return _split(whole, special=False)


def _filled(prompt: str, told: Mapping[str, str]) -> str:
    """Each name once and at the same time: a query with ``{document}`` in it stays as it is."""
    found, rest = "", prompt
    names = {f"{{{name}}}": value for name, value in {**told, "document": PLACE}.items()}
    while rest:
        name = next((name for name in names if rest.startswith(name)), None)
        found += rest[0] if name is None else names[name]
        rest = rest[1 if name is None else len(name) :]
    return found


def _split(whole: str, *, special: bool) -> Prompt:
    before, place, after = whole.rpartition(PLACE)
    if not place or PLACE in before:
        raise InputError("the chat template must leave the document where it is, once")
    return Prompt(before, after, special)

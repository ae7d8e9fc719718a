"""Explanations and settings as plain data and plain text."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from intentx.errors import InputError
from intentx.preferences import Pairs
from intentx.text import Analyzer

__all__ = ["json_object", "plain_settings", "printed"]


def plain_settings(method: Any) -> dict[str, Any]:
    """The fields of a method, save term vectors; the same for the same settings, on every machine."""
    return {
        field.name: _plain(getattr(method, field.name))
        for field in dataclasses.fields(method)
        if field.name != "vectors"
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Analyzer):
        return value.to_dict()
    if isinstance(value, Pairs):
        return f"{len(value)} given"
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return getattr(value, "name", value)  # a simple ranker goes by its name


def json_object(text: str) -> dict[str, Any]:
    """The JSON object that ``text`` is, or an InputError."""
    try:
        plain = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}") from error
    if not isinstance(plain, dict):
        raise InputError("not an explanation: a JSON object is expected")
    return plain


def printed(something: Any, width: int) -> str:
    """What a terminal of so many columns shows, as plain text."""
    from rich.console import Console

    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(something)
    return captured.get()

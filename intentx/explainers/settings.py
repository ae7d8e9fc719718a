"""Settings of methods as plain data, for JSON and for telling one from another."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from intentx.preferences import Pairs
from intentx.text import Analyzer

__all__ = ["plain_settings"]


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

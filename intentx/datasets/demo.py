"""The demo collection: ambiguous queries, and passages with the sense that each one is about.

Written for intentx and under its licence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from intentx.errors import InputError
from intentx.ranking import Document

__all__ = ["DemoQuery", "demo_queries", "load_demo"]


@dataclass(frozen=True)
class DemoQuery:
    """One ambiguous query.

    Attributes
    ----------
    query
        Such as "keyboard reviews".
    senses
        What each sense label stands for; passages off both topics are "other".
    documents
        The passages.
    sense_of
        Sense label of each document id.
    """

    query: str
    senses: Mapping[str, str]
    documents: tuple[Document, ...]
    sense_of: Mapping[str, str]


def demo_queries() -> tuple[str, ...]:
    """The queries of the demo collection, sorted."""
    names = [file.name for file in (files("intentx.datasets") / "demo").iterdir()]
    return tuple(sorted(name[:-5].replace("-", " ") for name in names if name.endswith(".json")))


def load_demo(query: str = "jaguar speed") -> DemoQuery:
    """One query of the demo collection with its passages.

    >>> sorted(load_demo("keyboard reviews").senses)
    ['computer', 'music', 'other']
    """
    if query not in demo_queries():
        raise InputError(f"no demo query {query!r}; choose one of: {', '.join(demo_queries())}")
    file = files("intentx.datasets") / "demo" / f"{query.replace(' ', '-')}.json"
    entry = json.loads(file.read_text(encoding="utf-8"))
    passages = entry["passages"]
    return DemoQuery(
        entry["query"],
        entry["senses"],
        tuple(Document(passage["id"], passage["text"]) for passage in passages),
        {passage["id"]: passage["sense"] for passage in passages},
    )

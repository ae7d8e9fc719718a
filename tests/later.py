"""Libraries that take seconds to import, imported when a test first uses them.

Each process of ``make test`` collects all tests, and one of them runs those of transformers.
"""

from __future__ import annotations

import importlib
from typing import Any


class Later:
    """A module by its name, not imported yet."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # of Python's own or of pytest, which looks for tests and fixtures
            raise AttributeError(name)
        return getattr(importlib.import_module(self._name), name)


sentence_transformers, transformers = Later("sentence_transformers"), Later("transformers")

"""Vectors of texts that encoders have made, kept for the next query."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Remembered"]

Vectors = npt.NDArray[Any]


class Remembered:
    """Vectors of texts, as many as are allowed; the least recently used leave first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, Vectors] = OrderedDict()

    def __deepcopy__(self, memo: object) -> Remembered:
        return Remembered(self._most)  # the copy of a model may be changed: it has encoded nothing yet

    def forget(self) -> None:
        """Let go of all of them."""
        self._kept.clear()

    def of(self, texts: Sequence[str], encode: Callable[[list[str]], Vectors]) -> Vectors:
        """(N, D) vectors of ``texts``; ``encode`` makes those that are not at hand."""
        return np.stack(self.each(texts, lambda new: list(encode(new))))

    def each(
        self, texts: Sequence[str], encode: Callable[[list[str]], Sequence[Vectors]]
    ) -> list[Vectors]:
        """The same where what is made of each text is of a size of its own."""
        # Digests, because texts would take more memory than their vectors.
        keys = [hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=16).digest() for t in texts]
        found = {key: self._kept[key] for key in keys if key in self._kept}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if new:
            made = encode(list(new.values()))
            found.update((key, row.copy()) for key, row in zip(new, made, strict=True))
        for key, row in found.items():
            self._kept[key] = row
            self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return [found[key] for key in keys]

"""What one explanation asks the ranker for, counted apart from all others, in other threads too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from hashlib import blake2b

__all__ = ["Asked", "asking", "asking_now", "mark_of_text"]

# A thread begins with none, so that it never counts for another one.
_NOW: ContextVar[tuple[Asked, ...]] = ContextVar("asked", default=())


class Asked:
    """What is asked of one ranker between two points of one thread, remembered answers included.

    Attributes
    ----------
    texts
        Number of texts of each thing asked for, once each: of query and text it is 1; of query and
        list, with a listwise scorer, the length of the list.
    versions
        Versions of embeddings that the model itself was run on.
    seconds
        Time spent inside the ranker.
    """

    def __init__(self, ranker: object) -> None:
        self._ranker = ranker
        self.texts: dict[tuple[str, str | tuple[str, ...]], int] = {}
        self.versions = 0
        self.seconds = 0.0

    def besides(self, query: str, texts: Sequence[str], before: frozenset[bytes] = frozenset()) -> int:
        """How much was asked for besides the scores of a ranking's documents, ``texts`` in order.

        The number is the same whatever was asked before by anyone, and whatever is remembered.

        Parameters
        ----------
        before
            `marks` of what else does not count.
        """
        known: set[tuple[str, str | tuple[str, ...]]] = {(query, text) for text in texts}
        known.add((query, tuple(texts)))
        return self.versions + sum(
            number
            for one, number in self.texts.items()
            if one not in known and not (before and mark_of_text(*one) in before)
        )

    def lists(self, query: str) -> frozenset[tuple[str, ...]]:
        """The lists of texts that were asked for as a whole, for a query."""
        return frozenset(one for of, one in self.texts if of == query and isinstance(one, tuple))

    @property
    def marks(self) -> frozenset[bytes]:
        """What was asked for, as `mark_of_text` has it: a few bytes for each text."""
        return frozenset(mark_of_text(*one) for one in self.texts)


@contextlib.contextmanager
def asking(ranker: object) -> Iterator[Asked]:
    """Around calls of a ranker: what they ask for. Such blocks may stand within each other.

    Examples
    --------
    >>> from intentx.scoring import BlackBox
    >>> box = BlackBox(lambda query, texts: [len(text) for text in texts])
    >>> known = box("tea", ["a pot", "milk"])
    >>> with asking(box) as asked:
    ...     scores = box("tea", ["a pot", "a", "a"])
    >>> len(asked.texts), asked.besides("tea", ["a pot", "milk"]), box.texts_scored
    (2, 1, 3)
    """
    asked = Asked(ranker)
    before = _NOW.set((*_NOW.get(), asked))
    try:
        yield asked
    finally:
        _NOW.reset(before)


def asking_now(ranker: object) -> tuple[Asked, ...]:
    """Those that count what this thread asks of a ranker."""
    return tuple(one for one in _NOW.get() if one._ranker is ranker)


def mark_of_text(query: str, text: str | tuple[str, ...]) -> bytes:
    """Eight bytes that stand for a query and a text, or a list of texts, in every process.

    >>> mark_of_text("tea", "a pot") == mark_of_text("tea", "a pot") != mark_of_text("tea", ("a pot",))
    True
    """
    return blake2b(repr((query, text)).encode("utf-8", "surrogatepass"), digest_size=8).digest()

"""A first stage that is a callable of a user's own."""

from __future__ import annotations

import importlib
import inspect
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from intentx.errors import InputError, IntentxError, ScorerError
from intentx.files import excerpt
from intentx.rankers.services.redaction import without_secrets
from intentx.serve.engines import Hit, Passage, Queries

__all__ = ["CallableEngine"]

FIRST = 1_000  # hits among which a document is looked for
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
REMEMBERED = 20_000  # texts that a callable gave, of late


class CallableEngine:
    """A search of a user's own: ``module:callable``, which takes ``(query, k)``.

    Parameters
    ----------
    spec
        ``module:callable``. It gives the best documents, best first: ``(id, score, text)``,
        ``(id, score, title, text)`` or mappings with ``id``, ``score``, ``text`` and perhaps ``title``;
        ``(id, score)`` alone where it has a method ``documents``, which gives the text, ``(title,
        text)`` or such a mapping for each of some ids. A class is called without arguments first.
        With ``len(…)`` it tells its documents; the page says 0 without.
    name
        What the page calls the collection; None: as the callable.
    queries
        Queries to suggest; None: its ``queries``, if there are any.

    Raises
    ------
    InputError
        If there is no such module or callable.

    Notes
    -----
    Hits of equal scores are put in the order of their ids. `place` looks at the first 1,000 hits.
    """

    def __init__(self, spec: str, *, name: str | None = None, queries: Queries | None = None) -> None:
        self.spec, self._asked = spec, {"name": name, "queries": queries}
        self._call = _callable(spec)
        self.name = spec.rpartition(":")[2] if name is None else name
        self.queries: Queries = getattr(self._call, "queries", ()) if queries is None else queries
        self._known: OrderedDict[str, Passage] = OrderedDict()
        self._one = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return _own, (self.spec, {**self._asked, "name": self.name})

    def __repr__(self) -> str:
        return f"<CallableEngine {self.spec}>"

    def __len__(self) -> int:
        return len(self._call) if hasattr(self._call, "__len__") else 0

    def search(self, query: str, k: int) -> list[Hit]:
        rows = self._asks(lambda: self._call(query, k), f"{query!r}, {k}")
        if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
            raise self._wrong(f"a list of hits, (id, score, text) each, not {excerpt(rows)}")
        found: dict[str, float] = {}
        passages: list[Passage] = []
        for row in rows:
            doc_id, score, passage = self._hit(row)
            if doc_id in found:
                raise self._wrong(f"each document once, and gives {doc_id!r} twice")
            found[doc_id] = score
            if passage is not None:
                passages.append(passage)
            elif not hasattr(self._call, "documents"):
                raise self._wrong(
                    f"a text for each hit, (id, score, text), or have a method documents(ids); it gives "
                    f"{excerpt(row)}"
                )
        self._remember(passages)
        hits = [Hit(*one) for one in found.items()]
        return sorted(hits, key=lambda hit: (-hit.score, hit.doc_id))[:k]

    def documents(self, ids: Sequence[str]) -> list[Passage]:
        with self._one:
            found = {doc_id: self._known[doc_id] for doc_id in ids if doc_id in self._known}
        absent = [doc_id for doc_id in dict.fromkeys(ids) if doc_id not in found]
        if absent and hasattr(self._call, "documents"):
            given = self._asks(lambda: self._call.documents(absent), "documents")
            rows = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else []
            if isinstance(given, Mapping):
                rows = [given.get(doc_id) for doc_id in absent]
            if len(rows) != len(absent):
                raise self._wrong(f"one text for each of {len(absent)} ids from documents(ids)")
            new = [self._passage(d, row) for d, row in zip(absent, rows, strict=True) if row is not None]
            self._remember(new)
            found |= {one.doc_id: one for one in new}
            absent = [doc_id for doc_id in absent if doc_id not in found]
        if absent:
            named = ", ".join(map(repr, absent[:5]))
            if hasattr(self._call, "documents"):
                raise InputError(f"no document {named} in the collection {self.name!r}")
            raise InputError(
                f"{self.spec} found no document {named} of late, and cannot be asked for one by its id: "
                "whether there is one is not known; a method documents(ids) would say"
            )
        return [found[doc_id] for doc_id in ids]

    def place(self, query: str, doc_id: str) -> tuple[int | None, float]:
        for rank, hit in enumerate(self.search(query, FIRST), start=1):
            if hit.doc_id == doc_id:
                return rank, hit.score
        self.documents([doc_id])
        return None, 0.0

    def close(self) -> None:
        """Close the search, if it can be closed."""
        closes = getattr(self._call, "close", None)
        if callable(closes):
            closes()

    def _asks(self, call: Callable[[], Any], what: str) -> Any:
        try:
            found = call()
            return list(found) if inspect.isgenerator(found) else found
        except IntentxError:
            raise
        except Exception as error:
            raise ScorerError(
                f"{self.spec} failed on {what}: {type(error).__name__}: {error}"
            ) from error

    def _hit(self, row: Any) -> tuple[str, float, Passage | None]:
        texts: Any = None
        if isinstance(row, Mapping):
            doc_id, score = row.get("id", row.get("doc_id")), row.get("score")
            texts = row if "text" in row else None
        elif isinstance(row, tuple | list) and 2 <= len(row) <= 4:
            doc_id, score, *more = row
            texts = (more[0] if len(more) == 1 else tuple(more)) if more else None
        else:
            raise self._wrong(f"(id, score, text) for each hit, not {excerpt(row)}")
        if isinstance(doc_id, bool) or not isinstance(doc_id, str | int | np.integer) or doc_id == "":
            raise self._wrong(f"an id, a string or a whole number, for each hit, not {excerpt(doc_id)}")
        if not _finite(score):
            raise self._wrong(f"a finite number as the score of {doc_id!r}, not {excerpt(score)}")
        doc_id = str(doc_id)
        number: Any = score
        return doc_id, float(number), None if texts is None else self._passage(doc_id, texts)

    def _passage(self, doc_id: str, given: Any) -> Passage:
        """From a text, (title, text) or a mapping."""
        title, text = "", given
        if isinstance(given, Mapping):
            title, text = given.get("title") or "", given.get("text")
        elif isinstance(given, tuple | list) and len(given) == 2:
            title, text = given
        if not isinstance(title, str) or not isinstance(text, str):
            raise self._wrong(f"a string as the text of {doc_id!r}, not {excerpt(given)}")
        return Passage(doc_id, title, text)

    def _remember(self, passages: Iterable[Passage]) -> None:
        with self._one:
            for one in passages:
                self._known[one.doc_id] = one
                self._known.move_to_end(one.doc_id)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def _wrong(self, what: str) -> ScorerError:
        return ScorerError(f"{self.spec} must give {what}")


def _own(spec: str, asked: dict[str, Any]) -> CallableEngine:
    return CallableEngine(spec, **asked)


def _callable(spec: str) -> Any:
    """What ``module:callable`` names; of a class an object."""
    module, colon, name = spec.partition(":")
    if not (colon and _DOTTED.fullmatch(module) and _DOTTED.fullmatch(name)):
        raise InputError(
            f"an engine is elasticsearch:URL/INDEX or module:callable, such as mypackage.search:find, "
            f"not {without_secrets(spec)!r}"
        )
    try:
        found: Any = reduce(getattr, name.split("."), importlib.import_module(module))
    except ImportError as error:
        raise InputError(f"the engine {spec}: module {module!r} cannot be imported: {error}") from error
    except AttributeError as error:
        raise InputError(f"the engine {spec}: module {module!r} has no {name!r}") from error
    if inspect.isclass(found):
        try:
            found = found()
        except Exception as error:
            raise InputError(
                f"the engine {spec} cannot be made: {type(error).__name__}: {error}"
            ) from error
    if not callable(found):
        raise InputError(f"{spec} is not callable; an engine is (query, k) -> [(id, score, text)]")
    return found


def _finite(value: Any) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return bool(number and math.isfinite(value))

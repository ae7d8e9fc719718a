"""Rankers that the page offers: what they are called, what they can do, how a search by one is made."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from intentx.errors import InputError
from intentx.rankers import RankerSpec
from intentx.rankers.abilities import kind_can
from intentx.rankers.services.redaction import named_in, redacted, without_secrets
from intentx.serve.structs import Can

__all__ = ["ServedRanker", "keys_in", "served_rankers", "without_keys"]

SHORTEST_KEY = 4  # characters: what is shorter is no key, and may stand in any text
_SIDES = "bi-encoder", "dpr"
_OF_LISTS = "llm", "pairwise", "pipeline"


@dataclass
class ServedRanker:
    """A ranker of the server.

    Attributes
    ----------
    name
        What the page calls it.
    spec
        What makes it; its keys are shown nowhere.
    can
        What it can do: by its kind, until a worker has loaded it.
    error
        Why it cannot be used; empty: it can, as far as is known.
    """

    name: str
    spec: RankerSpec
    can: Can = field(init=False)
    error: str = ""

    def __post_init__(self) -> None:
        kind = self.spec.kind
        able = kind_can(kind)
        self.can = Can(
            kind != "run", "gradients" in able, "Grad-CAM" in able, "features" in able,
            attention="attention" in able, token_pairs="token pairs" in able or "token matches" in able,
            two_sides=kind in _SIDES, each_alone=kind not in _OF_LISTS,
        )  # fmt: skip

    @property
    def is_run(self) -> bool:
        return self.spec.kind == "run"

    @property
    def is_first_stage(self) -> bool:
        """Whether it is the first stage itself: BM25 without settings of its own."""
        return self.spec.kind == "bm25" and not self.spec.settings

    @property
    def shown(self) -> str:
        """Its spec without keys."""
        return without_secrets(str(self.spec).removeprefix(f"{self.spec.name}="))

    @property
    def text(self) -> str:
        """Its spec as a worker reads it."""
        return str(self.spec).removeprefix(f"{self.spec.name}=")

    @property
    def mark(self) -> str:
        """Stands for the ranker as it is on disk now: other weights are another ranker."""
        digest = hashlib.sha256(self.text.encode())
        for path in sorted(_files(self.spec)):
            about = path.stat()
            digest.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
        return digest.hexdigest()[:16]


def served_rankers(specs: Iterable[str]) -> dict[str, ServedRanker]:
    """Rankers from ``NAME=SPEC`` or ``SPEC``, by their names.

    Raises
    ------
    InputError
        If a spec cannot be read, or two rankers have one name.

    Examples
    --------
    >>> [(one.name, one.shown) for one in served_rankers(["bm25", "mine=bm25#k1=2"]).values()]
    [('bm25', 'bm25'), ('mine', 'bm25#k1=2')]
    """
    found: dict[str, ServedRanker] = {}
    for text in specs:
        spec = RankerSpec.parse(text, named=True)
        if spec.of_kind.of_features_only:
            raise InputError(
                f"{without_secrets(text)!r} scores features, not texts, and the page searches texts"
            )
        if spec.kind == "run" and not Path(spec.target).is_file():
            raise InputError(f"no file {spec.target!r} with a recorded run; look at its path")
        ranker = ServedRanker(spec.name or without_secrets(text), spec)
        if ranker.name in found:
            raise InputError(f"two rankers are called {ranker.name!r}; name them: --ranker NAME=SPEC")
        found[ranker.name] = ranker
    return found


def keys_in(text: str, rankers: Iterable[ServedRanker]) -> str:
    """A message without the keys that stand in the specs of rankers."""
    for ranker in rankers:
        if keys := _secrets(ranker.text):
            text = redacted(text.replace(ranker.text, ranker.shown), keys)
    return text


def without_keys(plain: Any, rankers: Iterable[ServedRanker]) -> Any:
    """Plain data without the keys that stand in the specs of rankers, or that these name."""
    keys = {key for one in rankers for key in _secrets(one.text)}
    if not keys:
        return plain
    packed = msgspec.json.encode(plain).decode()
    found = [key for key in sorted(keys, key=len, reverse=True) if _in_json(key) in packed]
    for key in found:
        packed = packed.replace(_in_json(key), "…")
    return msgspec.json.decode(packed) if found else plain


def _in_json(text: str) -> str:
    return msgspec.json.encode(text).decode()[1:-1]


def _secrets(spec: str) -> list[str]:
    """What `without_secrets` leaves out of a spec, and the keys in the variables that it names."""
    where = spec.partition("#")[0]
    host, _, query = where.partition("?")
    user = host.partition("//")[2].partition("/")[0].rpartition("@")[0]
    parts = [*user.split(":", 1), *(part.partition("=")[2] or part for part in query.split("&"))]
    variables = [*named_in(spec), *re.findall(r"key_env=([^&]+)", spec)]
    parts += [os.environ.get(name, "").strip() for name in variables]
    return [part for part in parts if len(part) >= SHORTEST_KEY and not part.startswith("$")]


def _files(spec: RankerSpec) -> Iterable[Path]:
    """The files that a ranker is made of, where it is made of files."""
    if spec.kind == "module":
        module = spec.target.partition(":")[0]
        try:
            about: Any = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return []
        return [Path(about.origin)] if about is not None and about.origin else []
    if not (spec.of_kind.on_disk or spec.kind == "run"):
        return []
    found: list[Path] = []
    if spec.of_kind.of_rankers:
        with contextlib.suppress(InputError):  # which loading it tells
            found += [path for one in spec.parts().specs for path in _files(one)]
    for target in spec.target.split(","):
        path = Path(target.strip())
        if path.is_file():
            found.append(path)
        elif target.strip() and path.is_dir():
            found += [one for one in path.rglob("*") if one.is_file()]
    return found

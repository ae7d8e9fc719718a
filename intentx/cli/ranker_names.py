"""What several rankers of a command are called: as the user names them, or by their specs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from intentx.errors import InputError
from intentx.rankers.services.redaction import without_secrets
from intentx.rankers.specs import is_lexical, named_spec

__all__ = ["named_rankers"]


def named_rankers(specs: Sequence[str], option: str) -> dict[str, str]:
    """Specs by the names of the rankers: ``NAME=SPEC``, or the spec with the last part of a path.

    Raises
    ------
    InputError
        If two rankers have one name or are the same.

    Examples
    --------
    >>> named_rankers(["bm25", "my=bi-encoder:models/one", "bi-encoder:models/two"], "--ranker")
    {'bm25': 'bm25', 'my': 'bi-encoder:models/one', 'bi-encoder:two': 'bi-encoder:models/two'}
    """
    named = [named_spec(spec) for spec in specs]
    repeated = [spec for spec, n in Counter(spec for _, spec in named).items() if n > 1]
    if repeated:
        raise InputError(
            f"{option} has {without_secrets(repeated[0])!r} twice; a ranker agrees with itself"
        )
    short = Counter(_short(spec) for _, spec in named)
    shown = [_short(s) if short[_short(s)] == 1 else without_secrets(s) for _, s in named]
    names = [name or one for (name, _), one in zip(named, shown, strict=True)]
    twice = next((name for name, n in Counter(names).items() if n > 1), None)
    if twice is not None:
        raise InputError(f"{option} has two rankers of the name {twice!r}; name them NAME=SPEC")
    return dict(zip(names, (spec for _, spec in named), strict=True))


def _short(spec: str) -> str:
    """A spec with the last part of a path only."""
    kind, colon, rest = spec.partition(":")
    if is_lexical(spec):
        return spec
    if kind in ("http", "https"):
        return without_secrets(spec)
    return kind + colon + ",".join(Path(part).name or part for part in rest.split(",")) if rest else spec

"""What other packages add to intentx by entry points: methods and rankers."""

from __future__ import annotations

import functools
import re
import sys
import warnings
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

from intentx.errors import InputError, PluginWarning

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["load_plugin", "nearest", "package_of", "plugins"]

_NAME = re.compile(r"[^\s:#=,]+")


def plugins(group: str, built_in: Collection[str]) -> Mapping[str, EntryPoint]:
    """The entry points of a group that installed packages add, by name; nothing is imported.

    They are looked for once in a process, and again where ``sys.path`` has changed.

    Parameters
    ----------
    group
        ``"intentx.methods"`` or ``"intentx.rankers"``.
    built_in
        Names that no package can take.

    Warns
    -----
    PluginWarning
        For an entry point that is left out: it has the name of something built in, or a name with a
        blank, a colon, a comma, ``#`` or ``=``, or another package has added the name already. Of
        two packages, the first in alphabetical order has it.

    Examples
    --------
    >>> dict(plugins("intentx.no_such_group", ()))
    {}
    """
    return _plugins(group, frozenset(built_in), tuple(sys.path))


@functools.lru_cache(maxsize=16)
def _plugins(group: str, built_in: frozenset[str], path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    from importlib.metadata import entry_points  # here, because it takes time to import

    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=group), key=lambda entry: (package_of(entry), entry.name)):
        fault = ""
        if entry.name in built_in:
            fault = "intentx has that name itself"
        elif not _NAME.fullmatch(entry.name):
            fault = "a name must not have a blank, colon, comma, # or ="
        elif entry.name in found:
            fault = f"package {package_of(found[entry.name])!r} has added that name already"
        if fault:
            warnings.warn(
                f"the package {package_of(entry)!r} adds {entry.name!r} to {group}, which is left out: "
                f"{fault}",
                PluginWarning,
                stacklevel=2,
            )
        else:
            found[entry.name] = entry
    return MappingProxyType(found)


def package_of(entry: EntryPoint) -> str:
    """The name of the package that an entry point comes from."""
    return entry.dist.name if entry.dist is not None else entry.module


def load_plugin(entry: EntryPoint) -> object:
    """What an entry point stands for.

    Raises
    ------
    InputError
        If it cannot be imported, whatever the reason; the message names the package.
    """
    try:
        return entry.load()
    except Exception as error:  # other people's code: anything can happen when it is imported
        raise InputError(
            f"the package {package_of(entry)!r}, which adds {entry.name!r} to {entry.group}, cannot be "
            f"loaded: {type(error).__name__}: {error}; update or uninstall it"
        ) from error


def nearest(name: str, names: Iterable[str]) -> str:
    """The name that is most like one that there is not, for the end of a message; or nothing.

    >>> nearest("bm52", ["bm25", "lm"]), nearest("xyz", ["bm25", "lm"])
    ("; did you mean 'bm25'?", '')
    """
    close = get_close_matches(name.lower(), [*names], 1)
    return f"; did you mean {close[0]!r}?" if close else ""

"""Values of a study file: checked, and with paths that start from its folder."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intentx.checks import shown
from intentx.errors import InputError
from intentx.rankers.pipeline_file import beside
from intentx.text.settings import NONE

__all__ = [
    "limited", "made", "name_of", "names_of", "resolved", "runs_of", "spec_of", "table_of", "text_of",
    "with_paths",
]  # fmt: skip

_RUN_SUFFIX = re.compile(r"(\.trec|\.run|\.txt)?(\.gz)?$")


def table_of(plain: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = plain.get(key, {})
    if not isinstance(table, Mapping):
        raise InputError(f"{key} must be a table of keys and values, not {shown(table)}")
    return table


def name_of(name: Any) -> str:
    """The name of a study: a text, or a number that is one."""
    if type(name) not in (str, int, float) or not str(name).strip():
        raise InputError(f"name must be a string, not {shown(name)}")
    return str(name)


def names_of(names: Any, key: str) -> tuple[str, ...]:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{key} must be a list of names, not {shown(names)}")
    return tuple(names)


def runs_of(runs: Any) -> dict[str, str]:
    """Run files by name; those of a list go by the names of the files."""
    if isinstance(runs, list):
        paths = names_of(runs, "[data] runs")
        named = {_RUN_SUFFIX.sub("", Path(path).name): path for path in paths}
        if len(named) < len(paths):
            raise InputError("[data] runs must have different names: give a table, NAME = 'FILE'")
        return named
    if not isinstance(runs, Mapping) or not all(
        isinstance(path, str) and path for path in runs.values()
    ):
        raise InputError(
            f"[data] runs must be a list of files, or a table of names and files, not {shown(runs)}"
        )
    return {str(name): path for name, path in runs.items()}


def resolved(path: str, base: Path) -> str:
    return str((base / Path(path).expanduser()).resolve())


def limited(name: str, plain: Any) -> Any:
    """A method as a table, with the rankers it is for in a form that can be checked."""
    if isinstance(plain, str):
        return {"method": plain}
    if not isinstance(plain, Mapping):
        raise InputError(f"[methods] {name} must be a method's name or a table, not {shown(plain)}")
    if "rankers" not in plain:
        return plain
    return {**plain, "rankers": names_of(plain["rankers"], f"[methods] {name}: rankers")}


def spec_of(spec: Any, base: Path | None) -> Any:
    """A ranker's spec, with paths that it may name and that exist beside the study made absolute."""
    return beside(spec, base) if isinstance(spec, str) and base is not None else spec


def with_paths(plain: Mapping[str, Any], key: str, base: Path | None) -> Mapping[str, Any]:
    """``plain`` with the model or file that it names under ``key`` as `spec_of` has paths."""
    if not isinstance(plain.get(key), str):
        return plain
    return {**plain, key: spec_of(f"bi-encoder:{plain[key]}", base).removeprefix("bi-encoder:")}


def made(kind: type[Any], key: str, plain: Mapping[str, Any]) -> Any:
    known = [f.name for f in dataclasses.fields(kind)]
    unknown = [name for name in plain if name not in known]
    if unknown:
        raise InputError(f"[{key}] has no key {unknown[0]!r}; it has {', '.join(known)}")
    try:
        return kind(**plain)
    except TypeError as error:
        raise InputError(f"[{key}] {', '.join(plain)}: a value has the wrong type: {error}") from error


def text_of(plain: Mapping[str, Any], base: Path | None) -> dict[str, Any]:
    """The table ``[text]``, with the path of a file of stopwords, and a list of them as a tuple."""
    found = dict(plain)
    words = found.get("stopwords")
    if isinstance(words, str) and words != NONE and base is not None:
        found["stopwords"] = resolved(words, base)
    elif isinstance(words, list):
        found["stopwords"] = tuple(words)
    return found

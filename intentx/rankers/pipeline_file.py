"""Files that name the stages of a pipeline: TOML or JSON with ``first``, ``second`` and ``k``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from intentx.errors import InputError
from intentx.files import excerpt, json_object, read_text
from intentx.rankers.kinds import find_kind
from intentx.rankers.spec_settings import split_settings

__all__ = ["MINILM", "PipelineFile", "beside", "read_pipeline"]

MINILM = "minilm"
"""The bi-encoder that the demo extra brings, whatever folders there are."""
K = 100


class PipelineFile(NamedTuple):
    """The specs of both stages, with absolute paths, and how many documents the second one scores."""

    first: str
    second: str
    k: int


def read_pipeline(path: str | Path) -> PipelineFile:
    """Read a file with the keys ``first`` and ``second``, specs of rankers, and perhaps ``k``.

    Paths in the specs are relative to the file.

    Raises
    ------
    InputError
        If the file cannot be read, is neither TOML nor JSON, or a key is missing, unknown or wrong.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "two.toml")
    ...     _ = file.write_text('first = "bm25"\\nsecond = "bi-encoder:minilm"\\nk = 50')
    ...     read_pipeline(file)
    PipelineFile(first='bm25', second='bi-encoder:minilm', k=50)
    """
    text = read_text(path)
    if text.lstrip().startswith("{"):
        plain: dict[str, Any] = json_object(text, str(path))
    else:
        try:
            plain = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path} is neither TOML nor JSON: {error}") from error
    for name in plain:
        if name not in PipelineFile._fields:
            raise InputError(f"{path} has no key {excerpt(name)}: a pipeline has first, second and k")
    for name in ("first", "second"):
        if not isinstance(plain.get(name), str) or not plain[name].strip():
            raise InputError(
                f'{path} needs {name}, the spec of a ranker such as "bm25", not '
                f"{excerpt(plain.get(name))}"
            )
    k = plain.get("k", K)
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise InputError(f"{path}: k must be a whole number, 1 or more, not {excerpt(k)}")
    base = Path(path).resolve().parent
    return PipelineFile(beside(plain["first"], base), beside(plain["second"], base), k)


def beside(spec: str, base: Path) -> str:
    """A ranker's spec, with paths that it may name and that exist in a folder made absolute."""
    kind, colon, rest = spec.partition(":")
    known = find_kind(kind)
    if known is None or not known.on_disk:
        return spec
    rest, settings = split_settings(rest)
    if (kind, rest) == ("bi-encoder", MINILM):
        return spec
    parts = [part.strip() for part in rest.split(",")] if known.targets > 1 else [rest.strip()]
    found = [base / Path(part).expanduser() for part in parts]
    paths = [str(f.resolve()) if p and f.exists() else p for f, p in zip(found, parts, strict=True)]
    return f"{kind}{colon}{','.join(paths)}{'#' * bool(settings)}{settings}"

"""Files that name the stages of a pipeline, or the parts of a fusion: TOML or JSON."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from intentx.errors import InputError
from intentx.files import excerpt, json_object, read_text
from intentx.rankers.fusion import RRF_K, Fusion
from intentx.rankers.kinds import find_kind
from intentx.rankers.spec_settings import split_settings

__all__ = ["MINILM", "FusionTable", "PipelineFile", "beside", "read_pipeline"]

MINILM = "minilm"
"""The bi-encoder that the demo extra brings, whatever folders there are."""
K = 100


class FusionTable(NamedTuple):
    """The table ``[fusion]``: specs of the parts with absolute paths, and how they are put together."""

    parts: tuple[str, ...]
    how: str | tuple[float, ...] = "rrf"
    normalise: str | None = None
    rrf_k: float = RRF_K

    @property
    def settings(self) -> dict[str, Any]:
        """Those of `intentx.Fusion`, by name."""
        return {"how": self.how, "normalise": self.normalise, "rrf_k": self.rrf_k}


class PipelineFile(NamedTuple):
    """The specs of the stages, with absolute paths, and how many documents the second one scores.

    With a fusion, ``first`` is empty: the fusion is the first stage, or, where ``second`` is empty, too,
    the whole ranker.
    """

    first: str
    second: str
    k: int
    fusion: FusionTable | None = None


def read_pipeline(path: str | Path) -> PipelineFile:
    """Read a file with the keys ``first`` and ``second``, specs of rankers, and perhaps ``k``.

    In the place of ``first`` there may be a table ``[fusion]`` with ``parts``, specs of rankers, and
    perhaps ``how``, ``normalise`` and ``rrf_k``, as in `intentx.Fusion`; ``second`` is then optional.
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
    PipelineFile(first='bm25', second='bi-encoder:minilm', k=50, fusion=None)
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
            raise InputError(
                f"{path} has no key {excerpt(name)}: a pipeline has first, second and k, and in the "
                "place of first perhaps a table [fusion]"
            )
    base = Path(path).resolve().parent
    fusion = None
    if "fusion" in plain:
        if "first" in plain:
            raise InputError(f"{path}: the table [fusion] stands in the place of first; leave one out")
        fusion = _fusion_table(path, plain["fusion"], base)
    needed = [name for name in ("first", "second") if fusion is None or name in plain]
    for name in needed:
        if not isinstance(plain.get(name), str) or not plain[name].strip():
            raise InputError(
                f'{path} needs {name}, the spec of a ranker such as "bm25", not '
                f"{excerpt(plain.get(name))}"
            )
    if "k" in plain and "second" not in needed:
        raise InputError(
            f"{path}: k is the number of documents for second, and there is none; the constant of "
            "reciprocal ranks is rrf_k, in the table [fusion]"
        )
    k = plain.get("k", K)
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise InputError(f"{path}: k must be a whole number, 1 or more, not {excerpt(k)}")
    first, second = (beside(plain[n], base) if n in needed else "" for n in ("first", "second"))
    return PipelineFile(first, second, k, fusion)


def _fusion_table(path: str | Path, table: Any, base: Path) -> FusionTable:
    """The table ``[fusion]`` of a file; its values are checked where a fusion is made of them."""
    if not isinstance(table, dict):
        raise InputError(f"{path}: fusion must be a table, [fusion], not {excerpt(table)}")
    for name in table:
        if name not in FusionTable._fields:
            known = ", ".join(FusionTable._fields)
            raise InputError(f"{path}: [fusion] has no key {excerpt(name)}; there are {known}")
    parts = table.get("parts")
    fine = isinstance(parts, list) and all(isinstance(one, str) and one.strip() for one in parts)
    if not isinstance(parts, list) or not fine or len(parts) < 2:
        raise InputError(
            f'{path}: [fusion] needs parts, a list of two specs or more, such as ["bm25", "lm"], not '
            f"{excerpt(parts)}"
        )
    found = FusionTable(**{**table, "parts": tuple(beside(one, base) for one in parts)})
    found = found._replace(how=tuple(found.how)) if isinstance(found.how, list) else found
    try:  # so that a setting that cannot be used is told before a model is loaded
        Fusion([_nothing] * len(parts), **found.settings)
    except InputError as error:
        raise InputError(f"{path}: [fusion]: {error}") from error
    return found


def _nothing(query: str, texts: Sequence[str]) -> list[float]:
    return [0.0] * len(texts)


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

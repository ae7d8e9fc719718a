"""Settings in the spec of a ranker, behind a ``#``: ``cross-encoder:PATH#raw=false&batch_size=8``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from intentx.errors import InputError

__all__ = ["MODEL_SETTINGS", "WORDS", "settings_from", "split_settings", "true_or_false"]


def true_or_false(text: str) -> bool:
    """``"true"`` or ``"false"``, as JSON and TOML write them; 1, 0, yes and no, too.

    >>> true_or_false("False")
    False
    """
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in known:
        raise ValueError("true or false expected")
    return known[text.lower()]


def _stem(text: str) -> str | bool:
    """The language of a stemmer, or whether words are stemmed by the rules of theirs."""
    try:
        return true_or_false(text)
    except ValueError:
        return text


ENCODER: dict[str, Callable[[str], Any]] = {
    "similarity": str,
    "remember": int,
    "batch_size": int,
    "device": str,
    "precision": str,
}
WORDS: dict[str, Callable[[str], Any]] = {
    "language": str,
    "stopwords": str,
    "stem": _stem,
    "segmenter": str,
    "strip_markup": true_or_false,
}
MODEL_SETTINGS: dict[str, dict[str, Callable[[str], Any]]] = {
    "bi-encoder": ENCODER,
    "dpr": ENCODER,
    "bm25": {**WORDS, "k1": float, "b": float},
    "lm": {**WORDS, "mu": float},
    "rm3": {**WORDS, "documents": int, "terms": int, "original": float},
    "cross-encoder": {
        "raw": true_or_false,
        "batch_size": int,
        "device": str,
        "precision": str,
    },
}
"""What each kind takes, and how it is read from text; kinds that are not here take nothing."""


def split_settings(text: str) -> tuple[str, str]:
    """What a spec names, and its settings; both parts as they are written.

    A file or folder that has a ``#`` in its name is named as it is; settings then follow its last ``#``.

    Examples
    --------
    >>> split_settings("models/cross#raw=false"), split_settings("models/cross")
    (('models/cross', 'raw=false'), ('models/cross', ''))
    """
    if "#" not in text or Path(text).exists():
        return text, ""
    whole, _, settings = text.rpartition("#")
    if Path(whole).exists() or "#" not in whole:
        return whole, settings
    first, _, rest = text.partition("#")
    return (whole, settings) if "=" in settings and "=" not in rest.partition("#")[0] else (first, rest)


def settings_from(
    kind: str, text: str, known: Mapping[str, Callable[[str], Any]] | None = None
) -> dict[str, Any]:
    """Settings written as ``key=value&key=value``, by name.

    Parameters
    ----------
    kind
        What the spec begins with.
    known
        What there is, and how it is read; None: `MODEL_SETTINGS` of the kind.

    Raises
    ------
    InputError
        If there is no such setting, it is given twice, or a value is of the wrong kind.

    Examples
    --------
    >>> settings_from("cross-encoder", "raw=false&batch_size=8")
    {'raw': False, 'batch_size': 8}
    """
    known = MODEL_SETTINGS.get(kind, {}) if known is None else known
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name not in known:
            there = f"there are {', '.join(map(repr, sorted(known)))}" if known else f"{kind} takes none"
            raise InputError(f"no setting {name!r} behind the # of {kind}: {there}")
        if name in found:
            raise InputError(f"{name} stands twice behind the # of {kind}: {text!r}")
        try:
            found[name] = known[name](value)
        except ValueError as error:
            raise InputError(f"{name} behind the # of {kind} cannot be {value!r}: {error}") from error
    return found

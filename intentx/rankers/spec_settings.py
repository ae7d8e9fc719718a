"""Settings in the spec of a ranker, behind a ``#``: ``cross-encoder:PATH#raw=false&batch_size=8``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from intentx.errors import InputError

__all__ = [
    "CAUSAL_LM",
    "CROSS_ENCODER",
    "ENCODER",
    "LATE_INTERACTION",
    "SEQ2SEQ",
    "SPARSE",
    "WORDS",
    "Readers",
    "read_settings",
    "settings_from",
    "settings_of",
    "settings_text",
    "split_settings",
    "true_or_false",
]

Readers = Mapping[str, Callable[[str], Any]]
"""How the value of a setting is read from text, by the name of the setting."""
_NOT_AS_IT_IS = re.compile(r"[%&+=#\s]")


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


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"one of {', '.join(allowed)} expected")
        return text

    return read


_MODEL: Readers = {
    "batch_size": int,
    "device": str,
    "precision": _one_of("float32", "float16", "bfloat16"),
    "max_length": int,
    "prompt": str,
}
_TWO_SIDES: Readers = {"remember": int, **_MODEL, "document_prompt": str}
ENCODER: Readers = {"similarity": _one_of("cosine", "dot"), **_TWO_SIDES}
CROSS_ENCODER: Readers = {"raw": true_or_false, **_MODEL}
SPARSE: Readers = _TWO_SIDES
LATE_INTERACTION: Readers = {"stored": _one_of("float32", "float16"), **_TWO_SIDES}
SEQ2SEQ: Readers = {"yes": str, "no": str, **_MODEL}
CAUSAL_LM: Readers = {"instruction": str, "system": str, **SEQ2SEQ}
WORDS: Readers = {
    "language": str,
    "stopwords": str,
    "stem": _stem,
    "segmenter": str,
    "strip_markup": true_or_false,
}


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


def settings_of(kind: str, text: str) -> dict[str, str]:
    """Settings written as ``key=value&key=value``, by name, their values as text.

    Raises
    ------
    InputError
        If one is given twice.

    Examples
    --------
    >>> settings_of("cross-encoder", "raw=false&batch_size=8")
    {'raw': 'false', 'batch_size': '8'}
    """
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name in found:
            raise InputError(f"{name} is given twice after the # of {kind}: {text!r}")
        found[name] = value
    return found


def settings_text(settings: Mapping[str, str]) -> str:
    """Settings as they are written behind a ``#``: what `settings_of` reads.

    >>> settings_text({"fields": '{"a": "b&c"}', "batch_size": "8"})
    'fields={"a":%20"b%26c"}&batch_size=8'
    """
    return "&".join(
        f"{_NOT_AS_IT_IS.sub(_quoted, name)}={_NOT_AS_IT_IS.sub(_quoted, value)}"
        for name, value in settings.items()
    )


def _quoted(sign: re.Match[str]) -> str:
    return quote(sign.group(), safe="", errors="surrogatepass")


def read_settings(kind: str, settings: Mapping[str, str], known: Readers) -> dict[str, Any]:
    """Settings with their values read from text.

    Parameters
    ----------
    kind
        What the spec begins with.
    known
        What there is, and how it is read.

    Raises
    ------
    InputError
        If there is no such setting, or a value is of the wrong kind.

    Examples
    --------
    >>> read_settings("cross-encoder", {"raw": "false", "batch_size": "8"}, CROSS_ENCODER)
    {'raw': False, 'batch_size': 8}
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in known:
            there = f"there are {', '.join(map(repr, sorted(known)))}" if known else f"{kind} takes none"
            raise InputError(f"no setting {name!r} after the # of {kind}: {there}")
        try:
            found[name] = known[name](value)
        except ValueError as error:
            raise InputError(f"{name} after the # of {kind} cannot be {value!r}: {error}") from error
    return found


def settings_from(kind: str, text: str, known: Readers) -> dict[str, Any]:
    """Settings written as ``key=value&key=value``, by name; errors as in the two steps of it.

    >>> settings_from("bm25", "k1=0.9&stem=false", {**WORDS, "k1": float})
    {'k1': 0.9, 'stem': False}
    """
    return read_settings(kind, settings_of(kind, text), known)

"""A study with other simple rankers in place of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from intentx.errors import InputError
from intentx.explainers.methods import find_method
from intentx.preferences.simple_rankers import NO_ENCODER, chosen_simple_rankers
from intentx.study.plan import Study

__all__ = ["with_simple_rankers"]

Plain = Mapping[str, Any]


def with_simple_rankers(study: Study, names: Sequence[str], dense: str | None = None) -> Study:
    """The study with simple rankers by their names in place of its own.

    A method that has one simple ranker stands for each of them alone: it becomes as many methods, named
    for them, and others that differ from it in the simple ranker only are left out. All other methods
    but the greedy one, which takes one, get all of them together.

    Parameters
    ----------
    dense
        The model of ``"dense"``.

    Raises
    ------
    InputError
        If a name is unknown or there twice, ``"dense"`` has no model, or another method has the name.

    Examples
    --------
    >>> from intentx.study import read_study
    >>> list(with_simple_rankers(read_study("simple-rankers"), ["tf", "proximity"]).methods)
    ['tf', 'proximity', 'together']
    """
    names = [name.strip() for name in names]
    chosen_simple_rankers(names, None if dense is None else NO_ENCODER)
    found: dict[str, Plain] = {}
    became: dict[str, Sequence[str]] = {}  # what stands in the place of a method
    groups: list[Plain] = []  # of methods that differ in their one simple ranker only ...
    first: list[str] = []  # ... and the name of the first one
    for name, plain in study.methods.items():
        rest = {key: value for key, value in plain.items() if key not in ("simple_rankers", "dense")}
        if rest in groups and _is_alone(plain):
            became[name] = became[first[groups.index(rest)]]
            continue
        made: dict[str, Plain] = {name: rest | _entry(names, dense)}
        if "simple_rankers" not in find_method(plain["method"]).settings:
            made = {name: plain}
        elif _is_alone(plain):
            kind = f"{plain['method']} " if groups else ""  # so that two groups have different names
            made = {kind + one: rest | _entry([one], dense) for one in names}
            groups.append(rest)
            first.append(name)
        became[name] = list(made)
        taken = {one for one, own in study.methods.items() if one != name and not _is_alone(own)}
        for one in made:
            if one in taken or one in found:
                raise InputError(f"the study has a method {one!r} already; give that another name")
        found |= made
    kept: dict[str, Plain] = {}
    for name, plain in found.items():  # of one simple ranker, alone and together are the same
        if plain not in kept.values():
            kept[name] = plain
    baselines = dict.fromkeys(new for old in study.baselines for new in became[old] if new in kept)
    return dataclasses.replace(study, methods=kept, baselines=tuple(baselines))


def _is_alone(plain: Plain) -> bool:
    """Whether a method names one simple ranker."""
    given = plain.get("simple_rankers")
    return given is not None and len(chosen_simple_rankers(given, NO_ENCODER)) == 1


def _entry(names: Sequence[str], dense: str | None) -> dict[str, Any]:
    """What an entry of ``[methods]`` says of simple rankers."""
    entry: dict[str, Any] = {"simple_rankers": list(names)}
    if dense is not None and "dense" in map(str.lower, names):
        entry["dense"] = dense
    return entry

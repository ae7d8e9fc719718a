"""Answers are equal where what is not known is not known in both: NaN to NaN."""

import dataclasses
import importlib
import pkgutil
import re

import pytest

from intentx.equality import equal_by_values

NUMBER = re.compile(r"\bfloat\b")
# Settings and parts of a computation: a NaN is refused there, or nobody compares them.
OTHERS = set(
    "ChoiceSettings FoundQuery KnownSum Limits Prior Shape Topic TreeNode Weighted _Found".split()
)
ROOMS = ("comparison", "evaluation", "explainers", "study")


def answers():
    """Dataclasses with numbers, of which two objects are compared by their fields."""
    found = {}
    modules = [
        module.name
        for room in ROOMS
        for module in pkgutil.walk_packages(
            importlib.import_module(f"intentx.{room}").__path__, f"intentx.{room}."
        )
    ]
    for module in modules:
        for name, kind in vars(importlib.import_module(module)).items():
            if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
                continue
            fields = [one for one in dataclasses.fields(kind) if one.compare]
            numbers = [one for one in fields if NUMBER.search(str(one.type))]
            if kind.__module__ == module and kind.__dataclass_params__.eq and numbers:
                found[f"{kind.__module__}.{name}"] = kind
    return found


def unknown(kind):
    """An object whose fields are all NaN, each another one."""
    made = object.__new__(kind)
    for field in dataclasses.fields(kind):
        object.__setattr__(made, field.name, float("nan"))
    return made


def test_answers_of_unknown_numbers_are_equal():
    found = {name: kind for name, kind in answers().items() if kind.__name__ not in OTHERS}
    assert len(found) > 30
    assert [name for name, kind in found.items() if unknown(kind) != unknown(kind)] == []


def test_those_that_are_left_out_are_there():
    assert {kind.__name__ for kind in answers().values()} >= OTHERS


@equal_by_values
@dataclasses.dataclass(frozen=True)
class Answer:
    value: float
    parts: tuple[float, ...] = ()
    by_name: dict[str, float] = dataclasses.field(default_factory=dict)
    note: str = dataclasses.field(default="", compare=False)


@equal_by_values
@dataclasses.dataclass(frozen=True)
class Another(Answer):
    pass


def nan():
    return float("nan")


def test_by_values():
    assert Answer(nan(), (1.0, nan()), {"a": nan()}) == Answer(nan(), (1.0, nan()), {"a": nan()})
    assert Answer(nan(), note="one") == Answer(nan(), note="other")
    assert Answer(1.0) == Answer(1.0) != Answer(2.0)
    assert Answer(nan()) != Answer(1.0)
    assert Answer(1.0, (nan(),)) != Answer(1.0, (1.0,))


def test_what_is_of_another_kind_is_not_equal():
    assert Answer(1.0) != Another(1.0)
    assert Answer(1.0) != (1.0, (), {})


@dataclasses.dataclass(frozen=True)
class Plain:
    value: float
    parts: tuple[float, ...] = ()


def test_equal_ones_have_one_hash():
    kind = equal_by_values(Plain)
    assert len({kind(nan(), (nan(),)), kind(nan(), (nan(),)), kind(1.0)}) == 2
    assert kind.__hash__ is not None


def test_what_has_no_hash_gets_none():
    kind = equal_by_values(dataclasses.make_dataclass("Open", [("value", float)]))
    with pytest.raises(TypeError, match="unhashable"):
        hash(kind(1.0))

"""Public names: what a program, a type checker, a star import and a pickle see of the package."""

import ast
import importlib
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import intentx

PACKAGES = ["intentx", "intentx.rankers"]


def stub(package):
    """The stub of a package, parsed."""
    return ast.parse(Path(package.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))


def listed(package):
    """``__all__`` of the stub, which type checkers read."""
    for node in stub(package).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    raise AssertionError("no __all__")


@pytest.mark.parametrize("name", PACKAGES)
def test_type_checkers_and_programs_see_the_same_names(name):
    package = importlib.import_module(name)
    assert sorted(listed(package)) == sorted(package.__all__)
    assert len(set(package.__all__)) == len(package.__all__) > 20
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("name", PACKAGES)
def test_each_name_is_what_its_module_holds(name):
    package = importlib.import_module(name)
    for node in stub(package).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(f"{name}.{node.module}")
            for alias in node.names:
                assert getattr(package, alias.name) is getattr(module, alias.name)
                assert alias.name in package.__all__


def test_rooms_can_be_touched():
    rooms = set(dir(intentx)) - set(intentx.__all__)
    assert {"rankers", "coverage", "datasets"} <= rooms
    for room in rooms:
        assert getattr(intentx, room) is importlib.import_module(f"intentx.{room}")


@pytest.mark.parametrize("name", PACKAGES)
def test_no_name_is_that_of_a_module(name):
    """A module of that name would take the name's place when it is loaded."""
    package = importlib.import_module(name)
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not modules & set(package.__all__)


def test_a_star_import_brings_the_names_alone():
    code = "from intentx import *; print(*(name for name in dir() if not name.startswith('__')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(intentx.__all__)


def test_names_go_through_a_pickle():
    for name in intentx.__all__:
        thing = getattr(intentx, name)
        assert pickle.loads(pickle.dumps(thing)) is thing  # noqa: S301  (our own)
    assert pickle.loads(pickle.dumps(intentx.Multiplex(seed=3))) == intentx.Multiplex(seed=3)  # noqa: S301


def test_an_unknown_name_is_an_attribute_error():
    for name in PACKAGES:
        with pytest.raises(AttributeError, match="no_such_name"):
            importlib.import_module(name).no_such_name  # noqa: B018  (touching it is the point)
    with pytest.raises(ImportError, match="no_such_name"):
        from intentx import no_such_name  # noqa: F401

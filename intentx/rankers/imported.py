"""Callables that are named as ``module:callable``."""

from __future__ import annotations

import importlib
import inspect
from functools import reduce
from pathlib import PurePath
from typing import Any

from intentx.errors import InputError
from intentx.plugins import nearest

__all__ = ["imported", "module_of_path", "named"]


def imported(target: str, kinds: str) -> Any:
    """The callable of a name, as `named` finds it.

    Raises
    ------
    InputError
        Also if it is no callable.

    Examples
    --------
    >>> imported("os.path:join", "").__name__
    'join'
    """
    found = named(target, kinds)
    if not callable(found):
        raise InputError(f"{target} is not callable; a ranker is (query, texts) -> scores")
    return found


def named(target: str, kinds: str) -> Any:
    """What a ``module:name`` stands for; a class is made without arguments.

    Parameters
    ----------
    kinds
        What else a ranker can be, for the error where there is no such module.

    Raises
    ------
    InputError
        If the module, or the name in it, is not there, or a class cannot be made.
    """
    module, _, name = target.partition(":")
    within: Any = None
    try:
        within = importlib.import_module(module)
        found: Any = reduce(getattr, name.split("."), within)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise InputError(f"module {module!r} cannot be imported: {error}") from error
        raise InputError(
            f"no ranker {target!r}: there is no module {error.name!r}, neither in this folder nor in "
            f"one of PYTHONPATH, and it is none of: {kinds}"
        ) from error
    except AttributeError as error:
        meant = nearest(name, vars(within) if within is not None else ())
        raise InputError(f"module {module!r} has no {name!r}{meant}") from error
    return _made(target, found) if inspect.isclass(found) else found


def _made(target: str, kind: Any) -> Any:
    """An instance of a class."""
    try:
        return kind()
    except Exception as error:
        module, _, name = target.partition(":")
        raise InputError(
            f"{target} is a class and cannot be made without arguments ({type(error).__name__}: "
            f"{error}); name an instance of it, such as ranker = {name}(…) in {module}: {module}:ranker"
        ) from error


def module_of_path(path: str) -> str | None:
    """How a file of Python is named as a module; None where it is none.

    >>> module_of_path("lib/rankers.py"), module_of_path("/mine/rankers.py"), module_of_path("lib")
    ('lib.rankers', 'rankers', None)
    """
    parts = PurePath(path.replace("\\", "/")).with_suffix("").parts if path.endswith(".py") else ()
    names = parts[-1:] if path.startswith(("/", "..")) or ":" in path else parts
    return ".".join(names) if names and all(map(str.isidentifier, names)) else None

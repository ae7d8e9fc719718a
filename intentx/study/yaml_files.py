"""Studies in YAML."""

from __future__ import annotations

from typing import Any

from intentx.errors import InputError, MissingExtraError

__all__ = ["read_yaml"]

MOST = 100_000  # values, each alias counted as what it stands for


def read_yaml(text: str) -> Any:
    """Plain data from YAML.

    Raises
    ------
    InputError
        If it is no YAML, a value holds itself, or aliases of aliases make it larger than any study.
    MissingExtraError
        If PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("pyyaml", "study") from error
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _values(node, {}) > MOST:
            raise InputError(
                f"it holds more than {MOST:,} values, aliases counted as what they stand for; write out "
                "what the study needs"
            )
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise InputError(f"no YAML: {error}") from error
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"no YAML: {error}") from error
    finally:
        loader.dispose()


def _values(node: Any, known: dict[int, int]) -> int:
    """How many values a node holds; one that is named twice is counted twice, and looked at once."""
    if id(node) in known:
        if not known[id(node)]:
            raise InputError("a value contains itself, through an alias")
        return known[id(node)]
    known[id(node)] = 0
    total = 1
    for part in node.value if isinstance(node.value, list) else ():
        parts = part if isinstance(part, tuple) else (part,)
        total += sum(_values(one, known) for one in parts)
    known[id(node)] = total
    return total

"""First stages elsewhere, by their specs."""

from __future__ import annotations

from intentx.errors import InputError, ScorerError
from intentx.serve.callable_engine import CallableEngine
from intentx.serve.elasticsearch_engine import ElasticsearchEngine
from intentx.serve.engines import Engine, Queries

__all__ = ["open_remote"]

ELASTICSEARCH = ("elasticsearch:", "opensearch:")


def open_remote(spec: str, *, name: str | None = None, queries: Queries | None = None) -> Engine:
    """The engine of ``elasticsearch:URL/INDEX``, ``opensearch:URL/INDEX`` or ``module:callable``.

    Raises
    ------
    InputError
        If it cannot be used as it is now.
    """
    kind = next((one for one in ELASTICSEARCH if spec.startswith(one)), None)
    if kind is None:
        return CallableEngine(spec, name=name, queries=queries)
    try:
        return ElasticsearchEngine.from_spec(spec.removeprefix(kind), name=name, queries=queries)
    except ScorerError as error:
        raise InputError(str(error)) from error

"""Fingerprints of rankers: scores remembered on disk are found again by them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from intentx.errors import InputError

__all__ = ["fingerprint_of"]


def fingerprint_of(
    settings: Mapping[str, object], weights: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """A digest that is the same for the same settings and weights, in every process.

    Parameters
    ----------
    settings
        Plain data, as for JSON: the name of the ranker and everything else that its scores depend
        on. The order of the keys does not matter.
    weights
        NumPy arrays or torch tensors by name, e.g. ``model.state_dict()``; on any device. The order
        does not matter; names, shapes, precision and every bit of the values do.

    Returns
    -------
    str
        32 hexadecimal digits: BLAKE2b (RFC 7693) of 128 bits.

    Raises
    ------
    InputError
        If a setting is no plain data, or a weight is no array of numbers.

    Examples
    --------
    >>> fingerprint_of({"ranker": "BM25", "k1": 0.9, "b": 0.4})
    'f3311bf2c5f71cba3751692e3bb79db7'
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(_line(settings))
    for name in sorted(weights):
        kind, shape, values = _flat(name, weights[name])
        digest.update(_line([name, kind, shape]))  # says how many bytes follow
        digest.update(values)
    return digest.hexdigest()


def _line(plain: object) -> bytes:
    try:
        return json.dumps(plain, sort_keys=True, default=_scalar).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise InputError(f"a fingerprint is made of plain data, as for JSON: {error}") from error


def _scalar(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is of type {type(value).__name__}")


def _flat(name: str, weight: Any) -> tuple[str, list[int], memoryview]:
    """Kind of number, shape and bytes of an array or tensor, the same for both."""
    kind, shape = str(getattr(weight, "dtype", "object")).removeprefix("torch."), list(np.shape(weight))
    if hasattr(weight, "detach"):
        import torch

        # Bytes, because NumPy knows no bfloat16.
        weight = weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    array = np.ascontiguousarray(weight)
    if "object" in (kind, str(array.dtype)):
        raise InputError(f"the weight {name!r} must be an array of numbers, not {weight!r}")
    return kind, shape, array.reshape(-1).view(np.uint8).data

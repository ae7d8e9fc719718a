"""How large the settings of rankers may be, so that no file and no typing error fills the memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import msgspec

from intentx.errors import InputError

if TYPE_CHECKING:
    import torch

__all__ = ["Layers", "Limited", "Number", "Seed", "TwoSizes", "refuse_undefined"]

Seed = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1, description="a whole number from 0 to 2**63 - 1")]
Limited = Annotated[int, msgspec.Meta(le=10_000, description="a whole number up to 10,000")]
Number = Annotated[float, msgspec.Meta(ge=-1e30, le=1e30, description="a finite number")]
Layers = Annotated[
    tuple[Limited, ...],
    msgspec.Meta(max_length=16, description="sizes, 16 at most, each up to 10,000"),
]
TwoSizes = Annotated[
    tuple[Limited, Limited], msgspec.Meta(description="two sizes, each up to 10,000, such as (3, 3)")
]


def refuse_undefined(where: str, tensors: Mapping[str, torch.Tensor]) -> None:
    """Refuse weights that are NaN or infinite, and name the first tensor that has some.

    Raises
    ------
    InputError
        It names ``where`` they lie, and the tensor.

    Examples
    --------
    >>> import torch
    >>> refuse_undefined("model.safetensors", {"idf": torch.tensor([1.0, float("nan")])})
    Traceback (most recent call last):
        ...
    intentx.errors.InputError: model.safetensors: 1 of 2 numbers of 'idf' are NaN or infinite; ...
    """
    import torch

    for name, values in tensors.items():
        # The sum is finite where all numbers are; where it is not, they are looked at one by one.
        if not values.is_floating_point() or values.device.type == "meta":
            continue
        if torch.isfinite(values.detach().sum(dtype=torch.float64)):
            continue
        bad = int((~torch.isfinite(values)).sum())
        if bad:
            raise InputError(
                f"{where}: {bad:,} of {values.numel():,} numbers of {name!r} are NaN or infinite; the "
                "file is damaged, or training went wrong: train or download the ranker again"
            )

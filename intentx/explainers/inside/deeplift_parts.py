"""Functions of torch by their parts, for the rules of DeepLIFT in `intentx.explainers.inside.deeplift`.

Each takes what its namesake takes. They run while the rules are open, and for their gradient alone:
the numbers are the namesake's own. None is the answer for what cannot be written so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from intentx.errors import MissingExtraError

try:
    import torch
    from torch import Tensor
except ImportError as error:
    raise MissingExtraError("torch", "neural") from error

__all__ = ["COMPOSITES"]


def _layer_norm(
    x: Tensor,
    shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *_: Any,
) -> Tensor:
    return _scaled(_standardised(x, tuple(range(-len(shape), 0)), eps), weight, bias)


def _group_norm(
    x: Tensor,
    groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *_: Any,
) -> Tensor:
    grouped = x.reshape(len(x), groups, -1)
    channels = (-1, *(1 for _ in x.shape[2:]))
    parts = [None if part is None else part.reshape(channels) for part in (weight, bias)]
    return _scaled(_standardised(grouped, (-1,), eps).reshape(x.shape), *parts)


def _rms_norm(
    x: Tensor, shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    mean = (x * x).mean(tuple(range(-len(shape), 0)), keepdim=True)
    return _scaled(x / torch.sqrt(mean + eps), weight, None)


def _standardised(x: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    centred = x - x.mean(dims, keepdim=True)
    return centred / torch.sqrt((centred * centred).mean(dims, keepdim=True) + eps)


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    if enable_gqa:
        times = query.shape[-3] // key.shape[-3]
        key, value = (x.repeat_interleave(times, dim=-3) for x in (key, value))
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    logits = query @ key.transpose(-1, -2) * scale
    if is_causal:
        attn_mask = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        logits = logits.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        logits = logits + attn_mask
    return torch.softmax(logits, dim=-1) @ value


def _norm(
    x: Tensor,
    ord: Any = 2,  # noqa: A002
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor | None:
    if dim is None or ord not in (1, 2):
        return None
    if ord == 1:
        return torch.sum(x.abs(), dim, keepdim=keepdim)
    return torch.sqrt((x * x).sum(dim, keepdim=keepdim))


def _matrix_norm(
    x: Tensor,
    ord: Any = None,  # noqa: A002
    dim: Any = None,
    keepdim: bool = False,
) -> Tensor | None:
    if ord is not None and not isinstance(dim, int):
        return None
    return _norm(x, 2 if ord is None else ord, dim, keepdim)


def _cosine(one: Tensor, other: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    lengths = [torch.linalg.vector_norm(x, dim=dim).clamp_min(eps) for x in (one, other)]
    return torch.div((one * other).sum(dim), lengths[0] * lengths[1])


def _variance(
    x: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: Any = None
) -> Tensor | None:
    if dim is None or isinstance(dim, bool):
        return None
    centred = x - x.mean(dim, keepdim=True)
    total = (centred * centred).sum(dim, keepdim=keepdim)
    return total / (x.numel() / total.numel() - (int(unbiased) if correction is None else correction))


def _deviation(*args: Any, **kwargs: Any) -> Tensor | None:
    variance = _variance(*args, **kwargs)
    return None if variance is None else torch.sqrt(variance)


def _gated(x: Tensor, dim: int = -1) -> Tensor:
    one, gate = x.chunk(2, dim)
    return one * torch.sigmoid(gate)


def _added(multiply: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def added(*given: Tensor, beta: Any = 1, alpha: Any = 1, **named: Tensor) -> Tensor:
        x, one, other = (*given, *named.values())  # the factors have names of their own in each
        return torch.add(beta * x, multiply(one, other), alpha=alpha)

    return added


COMPOSITES: dict[str, Callable[..., Any]] = {
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "rms_norm": _rms_norm,
    "scaled_dot_product_attention": _attention,
    "linalg_norm": _matrix_norm,
    "linalg_vector_norm": _norm,
    "cosine_similarity": _cosine,
    "var": _variance,
    "std": _deviation,
    "glu": _gated,
    "addmm": _added(torch.matmul),
    "addmv": _added(torch.matmul),
    "baddbmm": _added(torch.matmul),
}

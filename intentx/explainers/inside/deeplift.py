"""The rules of DeepLIFT, for any model that is written in functions of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from intentx.errors import MissingExtraError
from intentx.explainers.inside.deeplift_calls import Call, in_parts, out_of_place, varies
from intentx.explainers.inside.deeplift_names import (
    CHOICES,
    ELEMENTWISE,
    FRESH,
    LINEAR,
    POOLS,
    PRODUCTS,
    RESHAPED,
    SOFT,
    SWITCHED,
    name_of,
)
from intentx.explainers.inside.deeplift_parts import COMPOSITES
from intentx.explainers.inside.hidden import HiddenCalls, own_gradients

try:
    import torch
    from torch import Tensor, nn
    from torch.overrides import TorchFunctionMode
    from torch.utils._pytree import tree_flatten, tree_leaves
except ImportError as error:
    raise MissingExtraError("torch", "neural") from error

__all__ = ["DeepLiftRules"]

# Where an input and its reference are this near to each other, relative to their size, the slope
# between them is mostly rounding; the gradient half-way is off by the square of it.
NEAR = 1e-4

MERGED = "_intentx_merged"  # a mark on tensors whose first dimension is the batch and others


class _As(torch.autograd.Function):
    """The numbers of ``value``, with the gradient of ``surrogate``."""

    @staticmethod
    def forward(ctx: Any, surrogate: Tensor, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0], None


class DeepLiftRules(TorchFunctionMode):
    """While this is open, the gradient of what a model computes is DeepLIFT's multiplier.

    The model runs on B inputs and, behind them in the same batch, their B references. The numbers it
    computes are its own; but each function's part in the backward pass is a rule by which the
    contributions of its inputs add up to the difference of its outputs, Δy = y - ȳ. So they do for
    the model as a whole.

    Rules, with m for half-way between a value and its reference:

    - *elementwise* functions: Rescale, ``Δf / Δx`` (Shrikumar, Greenside & Kundaje, ICML 2017,
      "Learning Important Features Through Propagating Activation Differences", section 3.5.1);
    - *products* of two that vary: ``Δ(ab) = aₘ Δb + bₘ Δa``, the Shapley values of the factors; and,
      solved for the other, *quotients*: ``Δ(a/b) = (Δa - (a/b)ₘ Δb) / bₘ``;
    - *softmax*, which is ``exp(x - logsumexp(x))``: Rescale for exp gives L, the logarithmic mean of a
      probability and its reference; and as both add up to 1, ``Δlogsumexp = Σ LΔx / ΣL``;
    - *maxima*: with c the larger of y and ȳ, ``c - ȳ`` goes to where the input has its maximum and
      ``y - c`` to where the reference has it (Lundberg & Lee, DeepSHAP's rule);
    - *norms*, normalisation layers and attention: by their parts.

    What has no rule keeps its plain gradient, and `uncovered` names it; contributions then miss the
    difference. They also do where the model has branches that depend on the numbers, or lets no
    gradient through: `cut` names functions that may be the cause. Dimension 0 is the batch, by itself
    or with others behind it that `Tensor.view` and its like have merged with it.

    Parameters
    ----------
    pairs
        B.

    Attributes
    ----------
    uncovered
        Functions without a rule, in the order in which they came; with them what is computed out of
        sight, see `intentx.explainers.inside.hidden`.
    cut
        Functions that are given what varies and return numbers without a gradient. Some mean no
        harm, as ``x - x.max().detach()``.

    Examples
    --------
    >>> x = torch.tensor([[3.0, -1.0], [0.0, 0.0]], requires_grad=True)  # an input, its reference
    >>> with DeepLiftRules(pairs=1):
    ...     y = torch.relu(x[:, 0] * x[:, 1] + 4)
    >>> torch.autograd.grad(y[:1].sum(), x)[0][:1]  # times (3, -1) this is 1 - 4
    tensor([[-0.5000,  1.5000]])
    """

    def __init__(self, pairs: int) -> None:
        super().__init__()
        self.pairs = pairs
        self._uncovered: dict[str, None] = {}
        self._cut: dict[str, None] = {}
        self._within: list[Callable[..., Any]] = []
        self._hidden = HiddenCalls(self._uncovered)

    @property
    def uncovered(self) -> tuple[str, ...]:
        return tuple(self._uncovered)

    @property
    def cut(self) -> tuple[str, ...]:
        return tuple(self._cut)

    def __enter__(self) -> DeepLiftRules:
        if not self._hidden.depth:  # else a function is taken apart, and this is open already
            self._hidden.open()
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        if not self._hidden.depth:
            self._hidden.close()

    def look_back(self, value: Tensor) -> None:
        """Add to `uncovered` what brought gradients of its own on the way to a value."""
        self._uncovered |= dict.fromkeys(own_gradients(value, _As))

    def __torch_function__(
        self,
        function: Callable[..., Any],
        kinds: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given, spec = tree_flatten((args, dict(kwargs or {})))
        places = tuple(place for place, value in enumerate(given) if varies(value))
        call = Call(function, given, spec, places)
        with self._hidden.in_sight():
            if not places:
                return call()
            name = name_of(function)
            value = self._called(name, call)
            self._mark(name, call, value)
        return value

    def _called(self, name: str, call: Call) -> Any:
        """The function's value, by its rule."""
        if name in LINEAR or (name in SWITCHED and not call.argument("training", SWITCHED[name])):
            return call()
        function = call.function
        parts = None if name.startswith(POOLS) or function in self._within else in_parts(function)
        if parts is not None:
            self._within.append(function)  # some call their namesake in C, which comes as themselves
            try:
                with self:
                    return call._replace(function=parts)()
            finally:
                self._within.pop()
        changed = out_of_place(name)
        if changed is not None:
            return call.arguments[0][0].copy_(self._ruled(name[:-1], call._replace(function=changed)))
        return self._ruled(name, call)

    def _mark(self, name: str, call: Call, value: Any) -> None:
        """Note where a dimension is merged with the batch, and where the gradient ends."""
        for part in tree_leaves(value):
            if not isinstance(part, Tensor) or not part.is_floating_point() or not part.ndim:
                continue
            if not part.requires_grad:
                if name not in FRESH:
                    self._cut[name] = None
            elif len(part) != 2 * self.pairs and any(
                len(x) == len(part) and hasattr(x, MERGED)
                if name not in RESHAPED
                else self._batched(x) and len(part) % (2 * self.pairs) == 0
                for x in call.inputs
                if x.ndim
            ):
                setattr(part, MERGED, True)

    def _batched(self, x: Tensor) -> bool:
        """Whether the batch is the first dimension, or the outer part of it."""
        return x.ndim > 0 and (len(x) == 2 * self.pairs or hasattr(x, MERGED))

    def _ruled(self, name: str, call: Call) -> Any:
        """The function's own value, with the gradient that its rule says."""
        value = call()
        if not any(varies(part) for part in tree_leaves(value)):
            return value
        several = isinstance(value, tuple)  # a maximum comes with its place
        surrogate = self._surrogate(name, call, value[0] if several else value)
        if surrogate is None:
            self._uncovered[name] = None
            return value
        if several:
            return type(value)((_as(surrogate, value[0]), *value[1:]))
        return _as(surrogate, value)

    def _surrogate(self, name: str, call: Call, value: Tensor) -> Tensor | None:
        """Something whose gradient is the multiplier; None where there is no rule."""
        if name in COMPOSITES:
            args, kwargs = call.arguments
            with self:
                composed: Tensor | None = COMPOSITES[name](*args, **kwargs)
            return composed
        single = len(call.varying) == 1
        if name in CHOICES or (name in PRODUCTS and single) or (name == "div" and call.varying == (0,)):
            if not self._differs(name, call, value):
                return None if "rounding_mode" in call.arguments[1] else value
            return self._rescaled(call, value) if single and name not in ("bmm", "matmul") else None
        if not all(self._batched(x) for x in call.inputs) or not self._fits(value, call):
            return None
        if name in PRODUCTS or (name == "div" and not single):
            return self._product(name, call, value)
        if single and (name in ELEMENTWISE or name == "div"):
            return self._rescaled(call, value)
        if name in SOFT:
            return self._softmax(name, call, value)
        if name in ("amax", "amin", "max", "min", "maximum", "minimum", "fmax", "fmin"):
            return self._maximum(name, call, value)
        return self._pooled(name, call, value) if name.startswith(POOLS) else None

    def _fits(self, value: Tensor, call: Call) -> bool:
        """Whether a value has the batch where what it was made from has it."""
        return value.ndim > 0 and len(value) == max(len(x) for x in call.inputs)

    def _halves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach()
        return x[: len(x) // 2], x[len(x) // 2 :]

    def _mid(self, x: Tensor) -> Tensor:
        """Half-way between inputs and references, once for each half."""
        one, other = self._halves(x)
        return _twice((one + other) / 2)

    def _differs(self, name: str, call: Call, value: Tensor) -> bool:
        """Whether a constant is another for the inputs than for the references, such as ``x > 0``."""
        if name in PRODUCTS and name not in ("mul", "multiply", "bmm", "matmul"):
            return False  # their constants are weights: no batch in dimension 0
        constants = [
            x
            for place, x in enumerate(call.given)
            if isinstance(x, Tensor) and place not in call.varying and not isinstance(x, nn.Parameter)
            if x.ndim == value.ndim > (2 if name == "matmul" else 0) and len(x) == len(value)
            if len(x) % (2 * self.pairs) == 0
        ]
        return any(not torch.equal(*self._halves(x)) for x in constants)

    def _product(self, name: str, call: Call, value: Tensor) -> Tensor | None:
        if len(call.varying) != 2 or "rounding_mode" in call.arguments[1]:
            return None
        (i, j), (a, b) = call.varying, call.inputs
        if name == "div":
            return torch.div(a - self._mid(value) * b, self._mid(b))
        parts: list[Tensor] = [call((j, self._mid(b))), call((i, self._mid(a)))]
        return parts[0] + parts[1]

    def _rescaled(self, call: Call, value: Tensor) -> Tensor | None:
        """The slope from the reference to the input."""
        [place], [x] = call.varying, call.inputs
        if x.ndim != value.ndim or not self._batched(x) or len(x) != len(value):
            return None
        x = x.expand_as(value)
        (one, other), (y, y_of_other) = self._halves(x), self._halves(value)
        away = one - other
        near = ~(away.abs() > NEAR * (one.abs() + other.abs()))  # also where both are infinite
        slope = _twice((y - y_of_other) / torch.where(near, 1.0, away))
        if bool(near.any()):
            middle = self._mid(x).requires_grad_()
            [local] = torch.autograd.grad(call((place, middle)).sum(), middle)
            local = local.nan_to_num(posinf=0.0, neginf=0.0)  # a root that stays at 0
            slope = torch.where(_twice(near), local, slope)
        return x * slope

    def _softmax(self, name: str, call: Call, value: Tensor) -> Tensor | None:
        [x], dim = call.inputs, call.argument("dim", 1)
        dim = dim[0] if isinstance(dim, tuple | list) and len(dim) == 1 else dim
        if not isinstance(dim, int) or dim % x.ndim == 0:
            return None
        x = x.to(value.dtype)
        one, other = self._halves(x.detach().log_softmax(dim))
        apart = (one - other).abs()
        mean = torch.maximum(one, other).exp()
        mean = torch.where(apart > 0, mean * -torch.expm1(-apart) / apart, mean).nan_to_num()
        mean = _twice(mean)
        weights = mean / mean.sum(dim, keepdim=True)
        if name == "logsumexp":
            return torch.sum(weights * x, dim, keepdim=call.argument("keepdim", 2, default=False))
        centred = x - (weights * x).sum(dim, keepdim=True)
        return mean * centred if name == "softmax" else centred

    def _maximum(self, name: str, call: Call, value: Tensor) -> Tensor | None:
        """The largest or smallest over dimensions, or of two that vary."""
        sign = -1 if "min" in name else 1
        if len(call.varying) == 2:
            flat = torch.stack([x.expand_as(value) for x in call.inputs], dim=-1)
        else:
            [x], dims = call.inputs, call.argument("dim", 1)
            dims = dims if isinstance(dims, tuple | list) else [dims]
            last = [dim % x.ndim for dim in dims if isinstance(dim, int)]
            if not last or 0 in last:
                return None  # over the batch
            flat = x.permute(*(d for d in range(x.ndim) if d not in last), *last).flatten(-len(last))
        where = (sign * flat.detach()).argmax(-1, keepdim=True)
        return sign * self._routed(sign * flat, where).reshape(value.shape)

    def _pooled(self, name: str, call: Call, value: Tensor) -> Tensor | None:
        """The largest under a window that moves over the last dimensions of several maps."""
        [x], (args, kwargs) = call.inputs, call.arguments
        n = int(name[-2]) if name[-1] == "d" else 0
        if x.ndim != n + 2 or call.argument("return_indices", 2 if "adaptive" in name else 6):
            return None
        kwargs.pop("return_indices", None)
        with_places = getattr(nn.functional, f"{name}_with_indices")
        _, where = with_places(*args[: 2 if "adaptive" in name else 6], **kwargs)
        return self._routed(x.flatten(-n), where.flatten(-n)).reshape(value.shape)

    def _routed(self, x: Tensor, where: Tensor) -> Tensor:
        """Maxima of ``x`` (2B, …, K) that lie at ``where`` (2B, …, M) in its last dimension."""
        y, y_of_other = self._halves(x.detach().gather(-1, where))
        rise = y - y_of_other
        parts = []
        halves = self._halves(where)
        for places, counts in zip(halves, (rise > 0, rise < 0), strict=True):
            there = x.gather(-1, _twice(places))
            one, other = self._halves(there)
            slope = torch.where(counts, rise, 0.0) / torch.where(counts, one - other, 1.0)
            parts.append(there * _twice(slope))
        return parts[0] + parts[1]


def _as(surrogate: Tensor, value: Tensor) -> Tensor:
    # Detached: else autograd walks through what made the value, too, with nothing in its hands.
    ruled: Tensor = _As.apply(surrogate, value.detach())  # type: ignore[no-untyped-call]
    return ruled


def _twice(x: Tensor) -> Tensor:
    return torch.cat([x, x])

"""Which rule of DeepLIFT each function of torch has, by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = [
    "CHOICES",
    "ELEMENTWISE",
    "FRESH",
    "LINEAR",
    "POOLS",
    "PRODUCTS",
    "RESHAPED",
    "SOFT",
    "SWITCHED",
    "name_of",
]

LINEAR = frozenset(
    """add add_ sub sub_ subtract rsub neg negative positive sum mean cumsum diff view view_as reshape
    reshape_as transpose permute t adjoint flatten unflatten ravel squeeze unsqueeze expand expand_as
    broadcast_to broadcast_tensors repeat repeat_interleave tile cat concat concatenate stack hstack
    vstack dstack column_stack split split_with_sizes chunk tensor_split unbind unsafe_chunk
    unsafe_split narrow select index_select gather take_along_dim getitem setitem_ get index_copy
    index_copy_ index_add index_add_ index_put index_put_ scatter scatter_ scatter_add scatter_add_
    masked_select pad constant_pad_nd roll flip fliplr flipud movedim moveaxis swapaxes swapdims
    contiguous clone to type type_as float double half bfloat16 cpu cuda detach alias real
    requires_grad_ copy_ zero_ tril triu diagonal diag_embed unfold im2col col2im as_strided avg_pool1d
    avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
    upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d pixel_shuffle
    pixel_unshuffle trace fft_fft fft_fft2 fft_fftn fft_ifft fft_ifft2 fft_ifftn fft_rfft
    fft_irfft""".split()
)
"""Linear in whatever of their arguments varies: the gradient is the multiplier."""

ELEMENTWISE = frozenset(
    """relu gelu tanh sigmoid silu mish elu selu celu leaky_relu prelu relu6 hardtanh hardswish
    hardsigmoid hardshrink softshrink threshold softplus log_sigmoid exp exp2 expm1 log log2 log10
    log1p sqrt rsqrt pow square float_power clamp clamp_min clamp_max clip abs absolute reciprocal erf
    erfc sin cos tan sinh cosh asin acos atan asinh acosh atanh nan_to_num sign floor ceil round trunc
    frac maximum minimum fmax fmin""".split()
)
"""Each number by itself, where one argument varies: the rule Rescale."""

PRODUCTS = frozenset(
    """mul multiply matmul mm bmm mv dot inner outer ger einsum linear bilinear conv1d conv2d conv3d
    conv_transpose1d conv_transpose2d conv_transpose3d tensordot kron""".split()
)
"""Linear in each of their arguments; where one varies, linear."""

CHOICES = frozenset(("where", "masked_fill"))
SOFT = frozenset(("softmax", "log_softmax", "logsumexp"))
POOLS = ("max_pool", "adaptive_max_pool")
SWITCHED = {"dropout": 2, "feature_dropout": 2, "batch_norm": 5}  # where they are told to be training

_BASIC = ("add", "sub", "mul", "pow")
SPELLINGS = {
    **{f"__{name}__": name for name in (*_BASIC, "rsub", "matmul", "neg", "abs")},
    **{f"__i{name}__": f"{name}_" for name in _BASIC},
    **dict.fromkeys(("__truediv__", "__div__", "true_divide", "divide"), "div"),
    **dict.fromkeys(("__itruediv__", "__idiv__", "true_divide_", "divide_"), "div_"),
    **{"__radd__": "add", "__rmul__": "mul", "__get__": "get", "__getitem__": "getitem"},
    **{"__setitem__": "setitem_", "special_softmax": "softmax"},
}


RESHAPED = frozenset(("view", "reshape", "flatten", "unflatten", "view_as", "reshape_as"))
"""They keep the order of numbers: what they merge with the batch lies behind it."""

FRESH = frozenset(
    """zeros_like ones_like empty_like full_like rand_like randn_like new_zeros new_ones new_empty
    new_full new_tensor bernoulli""".split()
)
"""They return new numbers that depend on nothing but a shape."""


def name_of(function: Callable[..., Any]) -> str:
    """The name that a function goes by in the tables here.

    Operators of torch by another way, such as ``torch.ops.aten.gelu.default``, go by their short
    names. Those of other libraries have their library's name before their own, and so no rule.

    >>> import torch
    >>> name_of(torch.Tensor.__truediv__), name_of(torch.ops.aten.gelu.default)
    ('div', 'gelu')
    """
    packet = getattr(function, "overloadpacket", function)
    qualified = getattr(packet, "_qualified_op_name", None)
    if isinstance(qualified, str):
        library, _, own = qualified.partition("::")
        return SPELLINGS.get(own, own) if library == "aten" else qualified
    spelled = getattr(function, "__name__", str(function))
    return SPELLINGS.get(spelled, spelled)

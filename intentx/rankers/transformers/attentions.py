"""The attention of a transformer, seen while it reads one text."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.capabilities import AttentionMaps
from intentx.errors import InputError
from intentx.rankers.transformers.batches import on_device
from intentx.rankers.transformers.models import undisturbed
from intentx.rankers.transformers.word_pieces import Reading

__all__ = ["attention_maps", "attentions_of", "cross_attention_maps", "eager"]

Floats = npt.NDArray[np.float64]


@contextlib.contextmanager
def eager(inner: Any) -> Iterator[None]:
    """While this is open, attention is computed step by step, so that its weights can be seen.

    Afterwards the model is as before: transformers leaves hooks and marks in it, and they are taken out.
    Faster kernels never have the weights.
    """
    modules = [*inner.modules()]
    hooks = [(module, dict(module._forward_hooks), set(vars(module))) for module in modules]
    configs = [module.config for module in inner.modules() if hasattr(module, "config")]
    configs = list({id(config): config for config in configs}.values())
    before = [(config, getattr(config, "_attn_implementation", None)) for config in configs]
    try:
        for config in configs:
            config._attn_implementation = "eager"
        yield
    finally:
        for config, kind in before:
            config._attn_implementation = kind
        for module, known, names in hooks:
            for key in [key for key in module._forward_hooks if key not in known]:
                del module._forward_hooks[key]
            for name in vars(module).keys() - names:
                delattr(module, name)


def attentions_of(inner: Any, features: Mapping[str, Any], device: Any) -> Floats:
    """(layers, heads, T, T) weights of the T tokens of one text: row t is what token t attends to.

    Raises
    ------
    InputError
        If the model does not tell them.
    """
    return _together(inner, _shown(inner, features, device).get("attentions"))


def _shown(inner: Any, features: Mapping[str, Any], device: Any) -> Any:
    """What a model returns of one text when it is asked for its attention."""
    import torch

    if not isinstance(inner, torch.nn.Module):
        raise InputError(
            f"the model runs as a {type(inner).__name__}, which shows no attention; load it with "
            "backend='torch'"
        )
    names = ("input_ids", "attention_mask", "token_type_ids", "position_ids", "decoder_input_ids")
    given = on_device({k: v for k, v in features.items() if k in names}, device)
    with undisturbed(inner), torch.no_grad(), eager(inner):
        return inner(**given, output_attentions=True, return_dict=True)


def _together(inner: Any, found: Sequence[Any] | None) -> Floats:
    """(layers, heads, …) of the one text that a model was shown."""
    import torch

    if not found or any(one is None for one in found):
        raise InputError(
            f"{type(inner).__name__} does not show its attention: it has no eager implementation; "
            "KernelSHAP and DeepSHAP weigh words by what they do"
        )
    if len({tuple(one.shape) for one in found}) > 1:  # layers that look at a window only
        raise InputError(f"the layers of {type(inner).__name__} attend to windows of different sizes")
    return np.asarray(torch.stack([one[0] for one in found]).cpu().double().numpy())


def attention_maps(
    inner: Any,
    features: Mapping[str, Any],
    reading: Reading,
    read_from: Floats,
    device: Any,
    query_places: npt.NDArray[np.intp] | None = None,
) -> AttentionMaps:
    """The attention of one text, with (T,) shares of the tokens that its score is read off.

    They are brought to 1 in all. Without ``query_places`` the text is read alone.
    """
    weights = attentions_of(inner, features, device)
    none = np.empty(0, dtype=np.intp)
    asked = none if query_places is None else query_places
    return AttentionMaps(
        weights, reading.places, reading.spans, asked, read_from / max(read_from.sum(), 1e-12)
    )


def cross_attention_maps(
    inner: Any,
    features: Mapping[str, Any],
    reading: Reading,
    device: Any,
    query_places: npt.NDArray[np.intp],
) -> AttentionMaps:
    """The attention of an encoder and decoder whose score is read off the decoder's first position.

    ``features`` have that position's token, ``decoder_input_ids``.

    Raises
    ------
    InputError
        If the model does not tell it, or for other positions.
    """
    out = _shown(inner, features, device)
    weights = _together(inner, out.get("cross_attentions"))
    number = features["input_ids"].shape[1]
    if weights.shape[2:] != (1, number):
        raise InputError(
            f"the decoder of {type(inner).__name__} attends to the encoder's {number} tokens by "
            f"{weights.shape[2]} × {weights.shape[3]} weights and not by one row"
        )
    before = out.get("encoder_attentions") or (None,)
    square = all(one is not None and one.shape[2:] == (number, number) for one in before)
    encoder = _together(inner, before) if square else None
    return AttentionMaps(
        weights, reading.places, reading.spans, query_places, np.ones(1), encoder=encoder
    )

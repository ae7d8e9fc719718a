"""Other people's models: loaded with care, and left as they were found."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from intentx.errors import InputError, IntentxError
from intentx.folders import checkpoint
from intentx.rankers.limits import refuse_undefined
from intentx.rankers.watch import structure_of

if TYPE_CHECKING:
    import torch

    from intentx.capabilities import EmbeddedText
    from intentx.rankers.transformers.word_pieces import Ints

__all__ = [
    "Precision",
    "checked",
    "embedding_layer",
    "load",
    "prompt_of",
    "refuse_settings",
    "replaced_rows",
    "settings_mark",
    "settings_of",
    "undisturbed",
]

Precision = Literal["float32", "float16", "bfloat16"]


def load(
    kind: str,
    name: str | Path,
    make: Callable[[], Any],
    trial: Callable[[Any, str], object],
    *,
    device: str | None = None,
    precision: Precision | None = None,
    max_length: int | None = None,
    prompt: str | None = None,
    document_prompt: str | None = None,
) -> Any:
    """What ``make`` returns, if all of it came from its files and it computes what ``trial`` asks.

    Parameters
    ----------
    kind, name
        What is loaded, for messages.
    make
        Loads the model onto ``device``. The random state of torch is found again afterwards.
    trial
        Computes something with it and a text, as long a one as ``max_length`` allows.
    max_length
        Pieces that it reads of a text, special ones among them; None: as many as it does.
    prompt, document_prompt
        What it reads before queries and before documents; None: as it was saved.

    Raises
    ------
    InputError
        If there is no such device, precision, length or model, its files are damaged, its weights lie
        in a pickle, some of them lie nowhere or are no finite numbers, or the device cannot compute in
        that precision.
    """
    import torch
    from safetensors import SafetensorError

    _check_device(device, precision)
    _refuse_pickles(name)
    with torch.random.fork_rng(devices=[]):
        try:
            model = make()
        except (
            OSError, ValueError, LookupError, TypeError, RuntimeError, ArithmeticError, AttributeError,
            MemoryError, AssertionError, SafetensorError,
        ) as error:  # fmt: skip
            here = "" if Path(name).exists() else "it is no folder here, and as a name on the hub: "
            raise InputError(f"no {kind} {str(name)!r}: {here}{error}") from error
        _check_complete(kind, name, model)
    refuse_undefined(f"{kind} {str(name)!r}", model.state_dict())
    _check_tokenizer(name, model)
    if precision is not None:
        model.to(getattr(torch, precision))
    if max_length is not None:
        _shorten(kind, name, model, max_length)
    _put_prompts(model, prompt, document_prompt)
    try:
        trial(model, "a " * (max_length or 1))
    except IntentxError:
        raise
    except (RuntimeError, NotImplementedError, LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"{kind} {str(name)!r} cannot run on {model.device} in {model.dtype}; try another precision "
            f"or device: {error}"
        ) from error
    return model


def refuse_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings of a model given by name where a loaded one is given, which is left as it is."""
    given = [name for name, value in settings.items() if value is not None]
    if given:
        raise InputError(
            f"{' and '.join(given)} {'are' if len(given) > 1 else 'is'} for a model given by name; "
            "this one is loaded, and is used as it is"
        )


def _shorten(kind: str, name: str | Path, model: Any, max_length: int) -> None:
    inner = model.transformers_model
    most = getattr(getattr(inner, "config", None), "max_position_embeddings", None)
    if isinstance(max_length, bool) or not isinstance(max_length, int) or max_length < 4:
        raise InputError(f"max_length must be a whole number, 4 or more, not {max_length!r}")
    if isinstance(most, int) and 0 < most < max_length:
        raise InputError(
            f"max_length must be {most} or less for {kind} {str(name)!r}, which has no more positions; "
            f"not {max_length}"
        )
    model.max_seq_length = max_length


def _put_prompts(model: Any, prompt: str | None, document_prompt: str | None) -> None:
    for side, text in (("query", prompt), ("document", document_prompt)):
        if text is not None:
            model.prompts[side] = text


def _check_device(device: str | None, precision: str | None) -> None:
    import torch

    if precision is not None and precision not in get_args(Precision):
        raise InputError(f"precision must be one of {get_args(Precision)}, not {precision!r}")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # AssertionError: a torch without CUDA
        raise InputError(f"torch has no device {device!r} here: {error}") from error


def _refuse_pickles(name: str | Path) -> None:
    """Refuse a folder with weights in a pickle and no safetensors file beside it."""
    for pickle in sorted(Path(name).rglob("pytorch_model*.bin")) if Path(name).is_dir() else ():
        if not any(pickle.parent.glob("*.safetensors")):
            raise InputError(
                f"{pickle} is a pickle, which can run code when it is loaded; save the model again "
                "with save_pretrained, which writes safetensors"
            )


def _check_complete(kind: str, name: str | Path, model: Any) -> None:
    """Refuse a model some of whose weights were drawn at random, for want of them in its files."""
    from sentence_transformers import CrossEncoder

    if model.transformers_model is None:
        return
    # Encoders pool the last layer by themselves; BERT's own pooler is idle there.
    idle = () if isinstance(model, CrossEncoder) else ("pooler.",)
    told = model.missing_keys if hasattr(model, "missing_keys") else _missing_keys(name, model)
    missing = sorted(key for key in told if not key.startswith(idle))
    if missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise InputError(
            f"{str(name)!r} cannot be loaded as {kind}: its files hold no weights for {shown}, and "
            f"random ones would take their place; they hold a {_architecture(name)}"
        )


def _missing_keys(name: str | Path, model: Any) -> list[str]:
    from sentence_transformers.util import load_file_path

    inner: Any = model.transformers_model
    modules = load_file_path(str(name), "modules.json")
    path = json.loads(Path(modules).read_text("utf-8"))[0].get("path", "") if modules else ""
    # Only transformers knows which names in the files stand for which weights. It tells when it
    # loads them, and sentence-transformers does not hand that on: so they are read once more.
    try:
        _, told = type(inner).from_pretrained(
            inner.name_or_path,
            config=inner.config,
            subfolder=path,
            output_loading_info=True,
            use_safetensors=True,
        )
    except OSError:  # an adapter's files hold no weights of the model that it adapts
        return []
    return sorted(told["missing_keys"])


def _check_tokenizer(name: str | Path, model: Any) -> None:
    """Refuse the tokenizer that transformers makes up when there are no files of one."""
    if model.transformers_model is None:
        return
    layer: Any = embedding_layer(model)
    known, rows = len(model.tokenizer), layer.weight.shape[0]
    if known < rows / 2:
        raise InputError(
            f"the tokenizer of {str(name)!r} knows {known} pieces and its model {rows}: are the "
            "tokenizer's files missing, such as tokenizer.json?"
        )


def _architecture(name: str | Path) -> str:
    return ", ".join(checkpoint(name).get("architectures") or ["model of unknown architecture"])


@contextlib.contextmanager
def undisturbed(*models: torch.nn.Module) -> Iterator[None]:
    """Models in evaluation mode, and no gradients for their parameters; afterwards as before."""
    modes = [(module, module.training) for model in models for module in model.modules()]
    wanting = [p for model in models for p in model.parameters() if p.requires_grad]
    try:
        for model in models:
            model.eval()
        for parameter in wanting:
            parameter.requires_grad_(False)
        yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter in wanting:
            parameter.requires_grad_(True)


def prompt_of(model: Any, side: str) -> str:
    """What the model puts in front of a text, as its ``encode_query`` and ``encode_document`` do."""
    names = ("query",) if side == "query" else ("document", "passage", "corpus")
    known = [name for name in (*names, model.default_prompt_name) if name in model.prompts]
    return (model.prompts[known[0]] or "") if known else ""


def embedding_layer(model: Any, reader: Any = None) -> torch.nn.Module:
    """The layer that turns ids of pieces into vectors; of an encoder and a decoder, the encoder's.

    Raises
    ------
    InputError
        If the model has none that can be reached, as one that has been exported to ONNX.
    """
    import torch

    inner: Any = model.transformers_model if reader is None else reader
    if inner is None:
        raise InputError(f"a {type(model[0]).__name__} is no transformer, and has no embedding layer")
    backend = getattr(model[0], "backend", "torch")
    if backend != "torch" or not isinstance(inner, torch.nn.Module):
        raise InputError(
            f"the model runs by {backend} as a {type(inner).__name__}, which has neither an embedding "
            "layer nor gradients to look at; load it with backend='torch', or explain it by its "
            "scores alone: KernelSHAP, EXS or LIRME"
        )
    layer: torch.nn.Module = inner.get_input_embeddings()  # type: ignore[operator]
    # One that is shared by an encoder and a decoder lies beside both, and neither calls it.
    for name, module in inner.named_modules():
        shares = getattr(module, "weight", None) is getattr(layer, "weight", layer)
        if shares and "encoder." in f".{name}":
            layer = module
            break
    return layer


@contextlib.contextmanager
def replaced_rows(layer: torch.nn.Module, places: Ints, rows: torch.Tensor) -> Iterator[None]:
    """While this is open, ``layer`` gives ``rows`` (B, L, D) at ``places`` (L,) of its output."""
    import torch

    def put(module: torch.nn.Module, ids: Any, output: torch.Tensor) -> torch.Tensor:
        if output.ndim != 3 or len(output) != len(rows):
            raise InputError(
                f"the embedding layer of the model gives numbers of shape {tuple(output.shape)} for "
                f"{len(rows)} texts, and not one row of vectors for each text; methods that look inside "
                "cannot read it, KernelSHAP and EXS explain it by its scores alone"
            )
        index = torch.as_tensor(places, device=output.device)
        return output.index_copy(1, index, rows.to(output.device, output.dtype))

    handle = layer.register_forward_hook(put, prepend=True)  # the user's hooks see the new rows
    try:
        yield
    finally:
        handle.remove()


def checked(query: str, texts: Sequence[str]) -> list[str]:
    """The texts as a list, or an InputError for what a model cannot read."""
    if not isinstance(query, str) or not query.strip():
        raise InputError(f"the query must be a text with at least one character, not {query!r}")
    if isinstance(texts, str):
        raise InputError("texts must be a sequence of texts, not a single one; put it in a list")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"text {place} must be a string, not {type(text).__name__}")
    return list(texts)


def checked_rows(embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
    """``vectors`` if they can stand for the document's, or an InputError."""
    shape = tuple(embedded.vectors.shape)
    if vectors.ndim != 3 or tuple(vectors.shape[1:]) != shape or not len(vectors):
        raise InputError(
            f"the vectors must have shape (B, {shape[0]}, {shape[1]}), those of B versions of the "
            f"document, not {tuple(vectors.shape)}"
        )
    return vectors


def mask_of(model: Any) -> str | None:
    """The mask token of a model's tokenizer; None where it has none, as decoders."""
    special = getattr(getattr(model, "tokenizer", None), "special_tokens_map", None) or {}
    token = special.get("mask_token")
    return None if token is None else str(token)


def settings_of(model: Any) -> dict[str, object]:
    """What scores depend on besides the weights, as plain data for a fingerprint."""
    tokenizer: Any = getattr(model, "tokenizer", None)
    backend: Any = getattr(tokenizer, "backend_tokenizer", tokenizer)
    spelling = json.loads(backend.to_str()) if hasattr(backend, "to_str") else repr(tokenizer)
    if isinstance(spelling, dict):  # how the last call padded is no part of the model
        spelling = {k: v for k, v in spelling.items() if k not in ("padding", "truncation")}
    return {**_settings(model), "tokenizer": spelling}


def settings_mark(model: Any) -> str:
    """The same in less time: of the tokenizer's vocabulary, only how large it is."""
    tokenizer: Any = getattr(model, "tokenizer", None)
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    parts = [getattr(backend, name, None) for name in ("normalizer", "pre_tokenizer", "post_processor")]
    states = [part.__getstate__() if hasattr(part, "__getstate__") else None for part in parts]
    size = len(tokenizer) if hasattr(tokenizer, "__len__") else None
    return repr((id(tokenizer), size, states, sorted(_settings(model).items())))


def _settings(model: Any) -> dict[str, object]:
    tokenizer: Any = getattr(model, "tokenizer", None)
    inner = model.transformers_model
    config = {} if inner is None else json.loads(inner.config.to_json_string(use_diff=False))
    for name in ("_name_or_path", "transformers_version", "dtype"):
        config.pop(name, None)
    sides = ("padding_side", "truncation_side")
    return {
        "model": str(model),
        "modules": structure_of(model),
        "config": config,
        "longest": str(model.max_seq_length),
        "sides": [str(getattr(tokenizer, side, None)) for side in sides],
        "prompts": dict(model.prompts),
        "default_prompt": model.default_prompt_name,
    }

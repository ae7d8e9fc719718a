"""The models of encoders, by name: those of sentence-transformers and DPR's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from intentx.errors import InputError, MissingExtraError, ScorerWarning
from intentx.folders import PLAIN, architecture_of, refuse_other_kinds, refuse_other_objects
from intentx.rankers.transformers.models import load, refuse_settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["Side", "tower"]

Side = Literal["query", "document"]


def tower(
    model: SentenceTransformer | str | Path,
    side: Side | None,
    settings: Mapping[str, Any],
) -> SentenceTransformer:
    """One encoder, loaded if it is not; ``side`` is None when it is to encode both.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    InputError
        If there is no such model, it is of another kind, or it cannot run as asked.
    """
    spec = "bi-encoder" if side is None else "dpr"
    if not isinstance(model, str | Path):
        refuse_other_objects(spec, model)
        refuse_settings(settings)
        return model
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "neural") from error
    kind = refuse_other_kinds(spec, model)
    architecture = architecture_of(model)
    if kind is not None and kind.name.startswith("dpr"):
        return _dpr_tower(model, architecture, side, settings)
    if kind is PLAIN:
        warnings.warn(
            f"{str(model)!r} is a plain {architecture}, and does not say how it makes one vector of a "
            "text: the mean over its pieces is taken, as sentence-transformers does by default",
            ScorerWarning,
            stacklevel=4,
        )
    found: SentenceTransformer = load(
        "sentence-transformers model",
        model,
        lambda: SentenceTransformer(
            str(model), device=settings.get("device"), model_kwargs={"use_safetensors": True}
        ),
        lambda loaded, text: loaded.encode([text], show_progress_bar=False),
        **settings,
    )
    return found


def _dpr_tower(
    name: str | Path,
    architecture: str,
    side: Side | None,
    settings: Mapping[str, Any],
) -> SentenceTransformer:
    from intentx.rankers.transformers.dpr import CLASSES, load_dpr

    if side is None:
        raise InputError(
            f"{str(name)!r} is one of DPR's two encoders; load both: dpr:QUERY_ENCODER,DOC_ENCODER"
        )
    if architecture != CLASSES[side].__name__:
        raise InputError(
            f"{str(name)!r} holds a {architecture}, and the {side} encoder must be a "
            f"{CLASSES[side].__name__}"
        )
    found: SentenceTransformer = load(
        "encoder of DPR",
        name,
        lambda: load_dpr(name, side, settings.get("device")),
        lambda loaded, text: loaded.encode([text], show_progress_bar=False),
        **settings,
    )
    return found

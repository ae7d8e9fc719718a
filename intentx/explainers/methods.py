"""Every method by its name, as the command line and study files spell it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from intentx.checks import check_settings
from intentx.errors import InputError
from intentx.explainers.document.exs import EXS
from intentx.explainers.document.lirme import LIRME
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.shap import KernelSHAP
from intentx.explainers.inside.gradcam import GradCAM
from intentx.explainers.inside.gradients import (
    DeepLIFT,
    DeepSHAP,
    GradientInput,
    IntegratedGradients,
    Saliency,
)
from intentx.explainers.ranking.multiplex import IntentGreedy, Multiplex, QueryTerms, RandomTerms

__all__ = ["LISTWISE", "POINTWISE", "make_method"]

LISTWISE: Mapping[str, Callable[..., Any]] = {
    "multiplex": Multiplex,
    "multiplex-published": Multiplex.published,
    "greedy": IntentGreedy,
    "query-terms": QueryTerms,
    "random-terms": RandomTerms,
}
POINTWISE: Mapping[str, type[DocumentMethod]] = {
    "exs": EXS,
    "lirme": LIRME,
    "shap": KernelSHAP,
    "saliency": Saliency,
    "gradient-input": GradientInput,
    "ig": IntegratedGradients,
    "deeplift": DeepLIFT,
    "deepshap": DeepSHAP,
    "gradcam": GradCAM,
}


def make_method(name: str, settings: Mapping[str, Any]) -> Any:
    """A method with settings from plain data, such as a study file holds.

    Raises
    ------
    InputError
        If there is no such method, it has no such setting, or a value is out of range.

    Examples
    --------
    >>> make_method("exs", {"labels": "topk"}).labels
    'topk'
    """
    makers: dict[str, Callable[..., Any]] = {**LISTWISE, **POINTWISE}
    if name not in makers:
        raise InputError(f"no method {name!r}; choose one of {', '.join(makers)}")
    make = makers[name]
    made: Any = make if inspect.isclass(make) else Multiplex
    fields = {field.name for field in dataclasses.fields(made)}
    unknown = [key for key in settings if key not in fields]
    if unknown:
        raise InputError(
            f"method {name!r} has no setting {unknown[0]!r}; it has {', '.join(sorted(fields))}"
        )
    settings = check_settings(f"method {name!r}", made, settings)
    try:
        return make(**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()})
    except TypeError as error:
        raise InputError(f"settings of {name!r} that do not fit: {error}") from error

"""The table of methods: each by its name, as the command line and study files spell it."""

from __future__ import annotations

import dataclasses
import inspect
import typing
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, get_args

from intentx.checks import check_settings
from intentx.errors import InputError, PluginWarning
from intentx.explainers.base import Explainer
from intentx.explainers.change.counterfactual import Counterfactual
from intentx.explainers.change.equivalent import EquivalentQuery
from intentx.explainers.change.query import QueryCounterfactual
from intentx.explainers.document.exs import EXS, Labels
from intentx.explainers.document.lirme import LIRME
from intentx.explainers.document.shap import KernelSHAP
from intentx.explainers.document.signed import ONE_SIDED, SIZES
from intentx.explainers.inside.attention import Attention
from intentx.explainers.inside.gradcam import GradCAM
from intentx.explainers.inside.gradients import (
    DeepLIFT,
    DeepSHAP,
    GradientInput,
    IntegratedGradients,
    Saliency,
)
from intentx.explainers.inside.token_pairs import TokenPairs
from intentx.explainers.ranking.multiplex import IntentGreedy, Multiplex, QueryTerms, RandomTerms
from intentx.plugins import load_plugin, nearest, package_of, plugins

__all__ = ["METHODS", "Method", "all_methods", "find_method", "make_method", "method_names"]

GROUP = "intentx.methods"

# Their answers are no weighted words, so that they have no entry below; messages name them all the same.
OF_CHANGES = (Counterfactual, QueryCounterfactual)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method that explains rankers, and what callers need to know of it before they use it.

    Parameters
    ----------
    name
        As the command line and study files spell it.
    explainer
        The class, with ``explain(ranking)``, or ``explain(ranking, doc, above=None)`` for one that
        explains documents. Studies need a dataclass: its fields are the settings.
    maker
        What makes one where its settings are not those of the class, such as a preset; it takes the
        settings of the class by their names. None: the class.
    explains
        ``"ranking"``, or ``"document"`` for methods that explain one document, and perhaps, by several
        of them, a ranking.
    signed
        Whether a weight says by its sign if a word speaks for a document or against it.
    needs_scorer
        Whether the ranker must be there to be asked; a recorded run is not enough.
    needs_gradients
        Whether the ranker must offer gradients.
    labels
        Kinds of label, of a method that can explain more than the score.
    kept
        Settings that are part of what the name stands for: options of the command line leave them as
        they are. ``"dense"`` among them: no encoder becomes one of its simple rankers.
    variant
        The setting that chooses between variants of the method: ``NAME:VALUE`` stands for the method
        with this value, such as ``"deepshap:oov"``. None: it has no variants.
    chosen
        Settings that the name has chosen in this way.

    Examples
    --------
    >>> METHODS["exs"].contrastive, METHODS["exs"].settings["k"], METHODS["exs"].labels
    (True, 10, ('rank', 'score', 'topk'))
    """

    name: str
    explainer: type
    maker: Callable[..., Any] | None = None
    explains: Literal["ranking", "document"]
    signed: bool = True
    needs_scorer: bool = True
    needs_gradients: bool = False
    labels: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    variant: str | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.explains not in ("ranking", "document"):
            raise InputError(
                f"method {self.name!r} explains a 'ranking' or a 'document', not {self.explains!r}"
            )
        if not isinstance(self.explainer, type) or not callable(
            getattr(self.explainer, "explain", None)
        ):
            raise InputError(
                f"the explainer of method {self.name!r} must be a class with explain, not "
                f"{self.explainer!r}"
            )

    @property
    def settings(self) -> Mapping[str, Any]:
        """The names of its settings with their defaults; `inspect.Parameter.empty` where there is none.

        A default that is made anew each time, such as an analyzer, is shown as it is made.
        """
        if not dataclasses.is_dataclass(self.explainer):
            found = inspect.signature(self.explainer).parameters.values()
            named = (one for one in found if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL))
            return {one.name: one.default for one in named}
        fields = (one for one in dataclasses.fields(self.explainer) if one.init)
        return {one.name: _default(one) for one in fields} | dict(self.chosen)

    @property
    def variants(self) -> tuple[str, ...]:
        """The values that can stand after the name; () where the method has no variants.

        Examples
        --------
        >>> METHODS["exs"].variants
        ('rank', 'score', 'topk')
        """
        if self.variant is None or self.chosen:
            return ()
        return get_args(typing.get_type_hints(self.explainer)[self.variant])

    def of_variant(self, value: str) -> Method:
        """The method with the setting that chooses between its variants.

        Raises
        ------
        InputError
            If it has no such variant.
        """
        known = self.variants
        if value.lower() not in known or self.variant is None:
            which = f"one of {', '.join(known)}" if known else f"no value: {self.name} has no variants"
            raise InputError(
                f"no method '{self.name}:{value}'; after the colon stands {which}{nearest(value, known)}"
            )
        return dataclasses.replace(
            self,
            name=f"{self.name}:{value.lower()}",
            kept=(*self.kept, self.variant),
            chosen={self.variant: value.lower()},
        )

    @property
    def contrastive(self) -> bool:
        """Whether it can say why one document is above another."""
        questions = getattr(self.explainer, "questions", ())
        return "pair" in questions or bool(getattr(self.explainer, "contrastive", False))

    @property
    def takes_one_simple_ranker(self) -> bool:
        """Whether it fits one simple ranker, and not several."""
        return "simple_ranker" in self.settings

    @property
    def takes_encoder(self) -> bool:
        """Whether an encoder can be one more of its simple rankers, beside the default ones."""
        return (
            self.explains == "ranking" and "simple_rankers" in self.settings and "dense" not in self.kept
        )

    def make(self, settings: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """The method with these settings; of others it has the defaults.

        Raises
        ------
        InputError
            If it has no such setting, or a value is not allowed.
        """
        known = self.settings
        unknown = [key for key in settings if key not in known]
        if unknown:
            raise InputError(
                f"method {self.name!r} has no setting {unknown[0]!r}; it has "
                f"{', '.join(sorted(known)) or 'none'}{nearest(unknown[0], known)}"
            )
        twice = [key for key in settings if settings[key] != self.chosen.get(key, settings[key])]
        if twice:
            raise InputError(
                f"method {self.name!r} has chosen {twice[0]}={self.chosen[twice[0]]!r}, and cannot have "
                f"{settings[twice[0]]!r} as well; leave one of them out"
            )
        settings = {**self.chosen, **settings}
        if dataclasses.is_dataclass(self.explainer):
            settings = check_settings(f"method {self.name!r}", self.explainer, settings)
        given = {key: tuple(one) if isinstance(one, list) else one for key, one in settings.items()}
        try:
            return (self.maker or self.explainer)(**given)
        except TypeError as error:
            raise InputError(
                f"method {self.name!r} does not accept its settings, {', '.join(given)}: {error}"
            ) from error


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default


def _of_rankings(name: str, explainer: type, **more: Any) -> Method:
    return Method(name=name, explainer=explainer, explains="ranking", needs_scorer=False, **more)


def _of_documents(name: str, explainer: type, **more: Any) -> Method:
    signed = explainer.__name__ not in SIZES + ONE_SIDED
    return Method(name=name, explainer=explainer, explains="document", signed=signed, **more)


# The command line leaves the published objectives as they are.
_OBJECTIVE = ("generality", "effects", "budget", "seconds", "stability")
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            _of_rankings("multiplex", Multiplex),
            _of_rankings(
                "multiplex-published", Multiplex, maker=Multiplex.published, kept=(*_OBJECTIVE, "dense")
            ),
            _of_rankings("greedy", IntentGreedy, kept=_OBJECTIVE),
            _of_rankings("query-terms", QueryTerms, kept=("seed",)),  # it draws nothing
            _of_rankings("random-terms", RandomTerms),
            _of_rankings("equivalent-query", EquivalentQuery),
            _of_documents("exs", EXS, labels=get_args(Labels), variant="labels"),
            _of_documents("lirme", LIRME, variant="sampler"),
            _of_documents("shap", KernelSHAP, variant="removal"),
            _of_documents("saliency", Saliency, needs_gradients=True),
            _of_documents("gradient-input", GradientInput, needs_gradients=True, variant="reference"),
            _of_documents("ig", IntegratedGradients, needs_gradients=True, variant="reference"),
            _of_documents("deeplift", DeepLIFT, needs_gradients=True, variant="reference"),
            _of_documents("deepshap", DeepSHAP, needs_gradients=True, variant="reference"),
            _of_documents("gradcam", GradCAM, needs_gradients=True),
            _of_documents("attention", Attention),
            _of_documents(
                "attention-rollout", Attention, maker=partial(Attention, how="rollout"), kept=("how",)
            ),
            _of_documents("token-pairs", TokenPairs),
            _of_documents(
                "token-pairs-integrated",
                TokenPairs,
                maker=partial(TokenPairs, method="integrated"),
                kept=("method",),
            ),
            _of_documents(
                "token-pairs-deletion",
                TokenPairs,
                maker=partial(TokenPairs, method="deletion"),
                kept=("method", "steps"),
            ),
        )
    }
)
"""The methods that come with intentx; other packages add theirs by entry points."""


def method_names() -> tuple[str, ...]:
    """The names of all methods: those that come along, then those of installed packages."""
    return (*METHODS, *plugins(GROUP, METHODS))


def find_method(name: str) -> Method:
    """The method of that name, or a variant of it: ``NAME:VALUE``.

    Raises
    ------
    InputError
        If there is none, or it is another package's, which cannot be loaded.

    Examples
    --------
    >>> find_method("ig").explainer.__name__
    'IntegratedGradients'
    >>> find_method("deepshap:oov").make().reference
    'oov'
    """
    if name in METHODS:
        return METHODS[name]
    name, colon, value = name.partition(":")
    if colon:
        return find_method(name).of_variant(value)
    added = plugins(GROUP, METHODS)
    if name not in added:
        names = method_names()
        raise InputError(f"no method {name!r}; choose one of {', '.join(names)}{nearest(name, names)}")
    entry = added[name]
    found = load_plugin(entry)
    if isinstance(found, Method):
        return dataclasses.replace(found, name=name)
    try:
        return _of_class(name, found)
    except InputError as error:
        raise InputError(f"the package {package_of(entry)!r} adds no method: {error}") from error


def _of_class(name: str, explainer: Any) -> Method:
    """The record of a class; what it does not say by an attribute of that name is as by default."""
    stated = {
        fact: getattr(explainer, fact)
        for fact in ("explains", "signed", "needs_scorer", "needs_gradients", "variant")
        if hasattr(explainer, fact)
    }
    is_ours = isinstance(explainer, type) and issubclass(explainer, Explainer)
    if "explains" not in stated and is_ours:
        stated["explains"] = "document" if "document" in explainer.questions else "ranking"
    elif "explains" not in stated:
        explain = getattr(explainer, "explain", None)
        of_documents = callable(explain) and "doc" in inspect.signature(explain).parameters
        stated["explains"] = "document" if of_documents else "ranking"
    return Method(name=name, explainer=explainer, **stated)


def all_methods() -> dict[str, Method]:
    """Every method by its name, loaded; a package that cannot be loaded is left out with a warning."""
    found = dict(METHODS)
    for name in plugins(GROUP, METHODS):
        try:
            found[name] = find_method(name)
        except InputError as error:
            warnings.warn(str(error), PluginWarning, stacklevel=2)
    return found


def make_method(name: str, settings: Mapping[str, Any] = MappingProxyType({})) -> Any:
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
    return find_method(name).make(settings)

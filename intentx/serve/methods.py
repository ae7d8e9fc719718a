"""Methods that the page offers for a ranker and a question, quickest first."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from intentx.checks import allowed, field_types
from intentx.errors import InputError
from intentx.explainers.features.methods import FEATURE_METHODS
from intentx.explainers.methods import Method, all_methods, find_method
from intentx.explainers.plain import plain_value
from intentx.serve.structs import Can, MethodInfo, SettingInfo

__all__ = ["check_settings", "default_method", "method_named", "methods_for", "questions_of"]

DOCUMENTS = 10  # that a method for documents explains of a ranking
BUDGET = 1_000  # texts of a method that names no number
PASSES = 4  # of a method that looks inside, where it names no steps
LARGEST = {"exact_up_to": 16, "steps": 1_000_000, "seed": 2**63 - 1}
MOST = 100_000  # of any other setting
NEEDS = {  # of a ranker, besides scores and gradients
    "gradcam": "grad_cam", "attention": "attention", "attention-rollout": "attention",
    "token-pairs": "token_pairs", "token-pairs-integrated": "two_sides",
    "token-pairs-deletion": "each_alone",
}  # fmt: skip
HIDDEN = ("vectors", "simple_rankers", "simple_ranker", "analyzer")  # no plain data


def methods_for(can: Can, question: str | None = None) -> list[MethodInfo]:
    """Methods that a ranker allows, quickest first.

    Examples
    --------
    >>> asked = Can(scores=True, gradients=True, grad_cam=False, features=False)
    >>> [one.name for one in methods_for(asked, "pair")][:2]
    ['deeplift', 'deepshap']
    >>> [one.name for one in methods_for(asked, "ranking")][:1]
    ['multiplex']
    >>> of_lists = Can(True, False, False, False, each_alone=False)
    >>> [one.name for one in methods_for(of_lists, "pair")]
    ['exs', 'shap']
    """
    found = []
    of_features = FEATURE_METHODS if can.features else {}
    for name, method in {**all_methods(), **of_features}.items():
        questions = questions_of(method)
        if not _applies(name, method, can) or (question is not None and question not in questions):
            continue
        cost = _cost(method) * (
            DOCUMENTS if question == "ranking" and method.explains != question else 1
        )
        found.append((_order(name, method, question, cost), name, method, questions, cost))
    return [
        MethodInfo(name, _title(method), questions, _settings(method), cost)
        for _, name, method, questions, cost in sorted(found, key=lambda one: one[:2])
    ]


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings that a request may not choose: they are too large, or no plain data.

    Raises
    ------
    InputError
        It names the setting, and what is allowed.

    Examples
    --------
    >>> check_settings({"exact_up_to": 40})
    Traceback (most recent call last):
    intentx.errors.InputError: the setting exact_up_to is at most 16 here, not 40
    """
    for name, value in settings.items():
        if name in HIDDEN:
            raise InputError(f"the setting {name} cannot be chosen by a request: leave it out")
        most = LARGEST.get(name, MOST)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > most:
            raise InputError(f"the setting {name} is at most {most:,} here, not {value:g}")


def default_method(can: Can, question: str) -> str:
    """The method that answers a question where none is named: DeepLIFT, else KernelSHAP.

    Raises
    ------
    InputError
        If the ranker allows none.
    """
    able = [one.name for one in methods_for(can, question)]
    for name in ("multiplex",) if question == "ranking" else ("deeplift", "shap"):
        if name in able:
            return name
    if not able:
        raise InputError(
            f"no method explains a {question} of this ranker: a recorded run cannot be asked about "
            "edited texts; its whole ranking can be explained"
        )
    return able[0]


def method_named(name: str) -> Method:
    """The method of a name, those for rankers over features among them; errors as `find_method`."""
    return FEATURE_METHODS[name] if name in FEATURE_METHODS else find_method(name)


def questions_of(method: Method) -> list[str]:
    """The questions of the API that a method answers."""
    said = getattr(method.explainer, "questions", None)
    if said is None:
        said = ("ranking",) if method.explains == "ranking" else ("document",)
    return [one for one in said if one != "rankings"]


def _applies(name: str, method: Method, can: Can) -> bool:
    if not can.scores and method.needs_scorer:
        return False
    if name in NEEDS:
        return bool(getattr(can, NEEDS[name]))
    return can.gradients or not method.needs_gradients


def _order(name: str, method: Method, question: str | None, cost: int) -> tuple[int, int]:
    """What explains a ranking by its intent comes before controls and methods for documents."""
    if question == "ranking":
        first = ("multiplex", "multiplex-published", "greedy", "equivalent-query")
        return (first.index(name) if name in first else 9, cost)
    return (0, cost)


def _cost(method: Method) -> int:
    """Texts that the ranker is asked about, roughly."""
    settings = method.settings
    if method.needs_gradients:
        steps = settings.get("steps")
        return steps if isinstance(steps, int) else PASSES
    if not method.needs_scorer:
        budget = settings.get("budget")
        return budget if isinstance(budget, int) else 1
    samples = settings.get("samples", settings.get("budget"))
    return samples if isinstance(samples, int) else BUDGET


def _title(method: Method) -> str:
    return method.explainer.__name__


def _settings(method: Method) -> list[SettingInfo]:
    try:
        types = field_types(method.explainer)
    except TypeError:  # another package's, no dataclass
        types = {}
    found = []
    for name, default in method.settings.items():
        if name in method.kept or name in HIDDEN:
            continue
        info = SettingInfo(name=name)
        if default is not inspect.Parameter.empty:
            info.default = _plain(default)
        if name in types:
            info.words = allowed(types[name])
            info.values = _values(types[name])
        found.append(info)
    return found


def _plain(value: Any) -> Any:
    try:
        return plain_value(value)
    except (TypeError, ValueError):
        return str(value)


def _values(hint: Any) -> list[Any] | None:
    """The values of a type, where they can be listed."""
    if hint is bool:
        return [True, False]
    if str(get_origin(hint)) == "typing.Literal":
        return [*get_args(hint)]
    return None

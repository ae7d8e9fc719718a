"""Settings of all methods are checked when they are made, by the same rules."""

import dataclasses
import inspect
import math
import typing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.explainers import methods
from intentx.explainers.features.methods import FEATURE_METHODS


def concrete(kind):
    for one in kind.__subclasses__():
        if one.__module__.startswith("intentx.") and not inspect.isabstract(one):
            yield one
        yield from concrete(one)


assert methods
assert FEATURE_METHODS  # which makes all of them known
METHODS = sorted(concrete(ix.Explainer), key=lambda kind: kind.__name__)
FIELDS = [(kind, field) for kind in METHODS for field in dataclasses.fields(kind)]
ids = [f"{kind.__name__}.{field.name}" for kind, field in FIELDS]

# By the kind of a setting: values of other types, and values that are out of range.
WHOLE = ("x", 2.5, True, math.nan, math.inf, [1], -1, object())
NUMBER = ("x", True, math.nan, math.inf, -math.inf, [0.5], -2, 1j)
BY_NAME = {
    "simple_rankers": (3, "nonsense", [], [3], ["text", "text"]),
    "simple_ranker": (3, "nonsense", None, "text,position"),
    "vectors": ("glove", 3, {}, [[1.0]]),
    "analyzer": ("english", 3, ix.Analyzer),
    "pairs": ("both", 3, [(0, 1)], None),
    "alphas": ([], ["x"], (math.nan,), (math.inf,), 0.1, (0.1, -1), "0.1", None),
    "collection": ("a text", 3, [], [3], {"a": 3}),
    "mask": (3, ["[MASK]"]),
    "edits": ("words", 3, (), ["nonsense"]),
    "words": (3, "tea", [3]),
    "keep": (3, "everything", [3]),
    "rank": (*WHOLE, 0),
    "background": ("middle", "", 3, None, [["x"]]),
    "features": (0, 2.5, "BM25", (3,), ()),
    "features_of": ("x", 3),
    "layer": WHOLE,
    "head": WHOLE,
}
MAY_BE_NONE = ("m", "log_weights", "effects", "budget", "seconds", "stability", "batch_size", "mask")


def wrong_values(field):
    """Values that a setting cannot have, by what it is."""
    if field.name in BY_NAME:
        return BY_NAME[field.name]
    default = field.default
    if isinstance(default, bool) or field.name == "log_weights":
        found = ("yes", 1, 0, 0.0, math.nan)
    elif isinstance(default, int) or field.name in ("m", "batch_size", "budget", "steps"):
        found = WHOLE
    elif isinstance(default, float) or field.name in ("effects", "seconds", "stability"):
        found = NUMBER
    else:
        assert isinstance(default, str)
        found = ("nonsense", "", 3, math.nan, [default])
    return found if field.name in MAY_BE_NONE or default is None else (*found, None)


def test_all_of_ours_are_explainers():
    assert {kind.__name__ for kind in METHODS} == {
        *("Multiplex", "IntentGreedy", "QueryTerms", "RandomTerms", "EXS", "LIRME", "KernelSHAP"),
        *("Counterfactual", "QueryCounterfactual", "EquivalentQuery"),
        *("ValidFeatures", "FeatureBaseline", "ListwiseSHAP", "MimicTree"),
        *("Attention", "TokenPairs"),
        *("Saliency", "GradientInput", "IntegratedGradients", "DeepLIFT", "DeepSHAP", "GradCAM"),
    }


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=ids)
def test_wrong_values_are_refused_when_the_method_is_made(kind, field):
    for value in wrong_values(field):
        with pytest.raises(ix.InputError) as caught:
            kind(**{field.name: value})
        said = str(caught.value)
        assert field.name in said, said
        assert len(said) < 500
        if not isinstance(value, type) and field.name not in BY_NAME:
            assert repr(value)[:20] in said, said


@pytest.mark.parametrize("kind", METHODS)
def test_defaults_are_right_and_numbers_of_numpy_too(kind):
    made = kind()
    assert made.name == kind.__name__
    numbers = {
        field.name: (np.float64 if isinstance(value, float) else np.int64)(value)
        for field in dataclasses.fields(kind)
        if isinstance(value := getattr(made, field.name), int | float) and not isinstance(value, bool)
    }
    again = kind(**numbers)
    assert again.settings() == made.settings()
    assert all(type(getattr(again, name)) in (int, float) for name in numbers)


WHOLE_NUMBERS = [
    (kind, field) for kind, field in FIELDS if type(field.default) is int or field.name == "m"
]


@given(st.sampled_from(WHOLE_NUMBERS), st.integers(-(2**70), 2**70))
def test_any_whole_number_is_taken_as_it_is_or_refused(place, value):
    kind, field = place
    try:
        made = kind(**{field.name: value})
    except ix.InputError as error:
        assert field.name in str(error)  # noqa: PT017
        assert value < 5 or value > 9  # no setting has a reason to refuse these
    else:
        assert getattr(made, field.name) == value >= 0
        assert made.settings()[field.name] == value


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ix.Multiplex(min_terms=5, max_terms=4),
            "min_terms <= max_terms is needed, not 5",
        ),
        (lambda: ix.Multiplex(literal=True), r"literal settings exist for .*'tanh'.*, not for 'auto'"),
        (lambda: ix.Multiplex(budget=None), "budget=None .*give seconds, too"),
        (lambda: ix.IntentGreedy(budget=None), "budget=None .*give seconds, too"),
        (lambda: ix.Multiplex(pairs="random"), "'random' needs m"),
        (lambda: ix.IntentGreedy(pairs="rank-biased"), "'rank-biased' needs m"),
        (lambda: ix.QueryTerms(pairs="random"), "'random' needs m"),
        (lambda: ix.RandomTerms(pairs="random"), "'random' needs m"),
        (lambda: ix.EXS(surrogate="svm"), "needs labels 0 and 1"),
        (lambda: ix.GradCAM(effective=0.1, filtered=0.2), "filtered < effective"),
        (
            lambda: ix.KernelSHAP(
                simple_rankers="text", vectors=ix.TermVectors(("a",), np.ones((1, 1)))
            ),
            "there is no 'semantic' by its name in bm25",
        ),
    ],
)
def test_settings_that_do_not_fit_each_other(make, message):
    with pytest.raises(ix.InputError, match=message):
        make()


def test_messages_say_what_is_allowed():
    for make, said in (
        (lambda: ix.Multiplex(seed="x"), "Multiplex: seed must be a whole number, 0 or more, not 'x'"),
        (lambda: ix.Multiplex(seed=-1), "Multiplex: seed must be a whole number, 0 or more, not -1"),
        (
            lambda: ix.Multiplex(max_terms=2.5),
            "Multiplex: max_terms must be a whole number, 1 or more, not 2.5",
        ),
        (lambda: ix.EXS(samples="many"), "EXS: samples must be a whole number, 2 or more, not 'many'"),
        (
            lambda: ix.KernelSHAP(samples=True),
            "KernelSHAP: samples must be a whole number, 4 or more, not True",
        ),
        (
            lambda: ix.Multiplex(pairs="both"),
            "Multiplex: pairs must be one of 'all', 'random', 'top-tail', 'rank-biased', or a Pairs, "
            "not 'both'",
        ),
        (
            lambda: ix.Multiplex(effects=math.nan),
            "Multiplex: effects must be a number from 0 to 1 or None, not nan",
        ),
    ):
        with pytest.raises(ix.InputError) as caught:
            make()
        assert str(caught.value) == said


def test_types_are_seen_by_type_checkers_as_they_were():
    hints = typing.get_type_hints(ix.Multiplex)  # without what the ranges are
    assert hints["seed"] is int
    assert hints["generality"] is float

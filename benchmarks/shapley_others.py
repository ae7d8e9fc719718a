"""The Shapley value estimators of shapiq and shap, each behind the same call."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from shapley_games import Game

__all__ = ["Estimator", "estimators"]

Floats = npt.NDArray[np.float64]
Estimator = Callable[[Game, int, int], Floats]  # game, budget, seed

SHORT = 14  # words of games for averages of gains: slow on more words, and ten times as far off
COLUMNS = 1_400  # interactions that a regression may have: more of them take minutes
SLOW = {(14, 250), (60, 250)}  # words, budgets of SPEX and ProxySPEX: seconds to minutes each


def estimators(players: int, budget: int) -> dict[str, Estimator]:
    """All estimators of both packages that are meant for so many players."""
    try:
        import shap  # noqa: F401
        import shapiq.approximator as known
    except ImportError as error:
        raise SystemExit(
            f"this benchmark needs shap and shapiq ({error}): pip install 'intentx[bench-estimators]'"
        ) from error
    even = np.r_[0.0, np.ones(players - 1), 0.0]  # leverage scores: every size as often
    pair: dict[str, Any] = {"pairing_trick": True}
    made: dict[str, tuple[Any, dict[str, Any]]] = {
        "KernelSHAP": (known.KernelSHAP, {}),
        "KernelSHAP, paired": (known.KernelSHAP, pair),
        "KernelSHAP, leverage": (known.KernelSHAP, {"sampling_weights": even}),
        "KernelSHAP, paired, leverage": (known.KernelSHAP, {**pair, "sampling_weights": even}),
        "PermutationSamplingSV": (known.PermutationSamplingSV, {}),
    }
    if players <= SHORT:
        made |= {
            "UnbiasedKernelSHAP, paired": (known.UnbiasedKernelSHAP, pair),
            "StratifiedSamplingSV": (known.StratifiedSamplingSV, {}),
            "OwenSamplingSV": (known.OwenSamplingSV, {"n_anchor_points": 2}),
            "SVARM": (known.SVARM, {}),
            "SVARMIQ, paired": (known.SVARMIQ, {**pair, "index": "SII", "max_order": 1}),
            "SHAPIQ, paired": (known.SHAPIQ, {**pair, "index": "SII", "max_order": 1}),
        }
    if (players, budget) in SLOW and players <= SHORT:
        made["SPEX"] = (known.SPEX, {"index": "SV", "max_order": 1})
    if (players, budget) in SLOW:
        made["ProxySPEX"] = (known.ProxySPEX, {"index": "SV", "max_order": 1})
    if players + math.comb(players, 2) <= COLUMNS:
        two = {**pair, "max_order": 2}
        made |= {
            "kADDSHAP of 2, paired": (known.kADDSHAP, two),
            "KernelSHAPIQ, paired": (known.KernelSHAPIQ, {**two, "index": "SII"}),
            "InconsistentKernelSHAPIQ, paired": (
                known.InconsistentKernelSHAPIQ,
                {**two, "index": "SII"},
            ),
        }
    if sum(math.comb(players, order) for order in (1, 2, 3)) <= COLUMNS:
        made["kADDSHAP of 3, paired"] = (known.kADDSHAP, {**pair, "max_order": 3})
    found: dict[str, Estimator] = {
        f"shapiq {name}": partial(_shapiq, kind, settings) for name, (kind, settings) in made.items()
    }
    for l1_reg in ("num_features(10)", 0, "aic", "bic"):
        found[f"shap KernelExplainer, l1_reg={l1_reg}"] = partial(_shap_kernel, l1_reg)
    found["shap PermutationExplainer"] = _shap_permutation
    if players <= SHORT:
        found["shap SamplingExplainer"] = _shap_sampling
    return {name: partial(_quietly, estimate) for name, estimate in found.items()}


def _quietly(estimate: Estimator, game: Game, budget: int, seed: int) -> Floats:
    """(T,) estimated values; NaN where the estimator refuses the budget."""
    logging.disable(logging.ERROR)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return estimate(game, budget, seed)
        except (ValueError, ZeroDivisionError, IndexError, np.linalg.LinAlgError):
            return np.full(game.players, np.nan)


def _shapiq(kind: Any, settings: dict[str, Any], game: Game, budget: int, seed: int) -> Floats:
    approximator = kind(n=game.players, random_state=seed, **settings)
    values = approximator.approximate(budget, lambda kept: game(np.atleast_2d(kept).astype(bool)))
    lookup = values.interaction_lookup
    return np.array(
        [values.values[lookup[(i,)]] if (i,) in lookup else 0.0 for i in range(game.players)]
    )


def _ends(game: Game) -> tuple[Callable[[Any], Floats], Floats, Floats]:
    return lambda x: game(np.asarray(x) > 0.5), np.zeros((1, game.players)), np.ones((1, game.players))


def _shap_kernel(l1_reg: Any, game: Game, budget: int, seed: int) -> Floats:
    import shap

    value, none, every = _ends(game)
    np.random.seed(seed)  # noqa: NPY002  KernelExplainer draws from the global state
    explainer = shap.KernelExplainer(value, none)
    found = explainer.shap_values(every, nsamples=budget - 2, l1_reg=l1_reg, silent=True)
    return np.asarray(found[0])


def _shap_permutation(game: Game, budget: int, seed: int) -> Floats:
    import shap

    if budget < 2 * game.players + 1:
        raise ValueError("fewer than one pass both ways")
    value, none, every = _ends(game)
    explainer = shap.PermutationExplainer(value, none, seed=seed)
    return np.asarray(explainer(every, max_evals=budget, silent=True).values[0])


def _shap_sampling(game: Game, budget: int, seed: int) -> Floats:
    import shap

    value, none, every = _ends(game)
    np.random.seed(seed)  # noqa: NPY002
    explainer = shap.SamplingExplainer(value, none)
    found = explainer.shap_values(every, nsamples=budget, min_samples_per_feature=2, silent=True)
    return np.asarray(found[0])

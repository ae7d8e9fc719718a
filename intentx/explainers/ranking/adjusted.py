"""Effects under randomisation: mean differences that chance made, sharpened by regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.quiet import quiet
from intentx.random_edits import RandomisedEdits

__all__ = ["Adjusted", "Together", "randomised_effects", "standard_errors"]

Floats = npt.NDArray[np.float64]

FOLDS = 5
PENALTIES, SMALLEST = 16, 300  # the lasso's, and how much the last is below the first
PENALTY_OF_OTHERS = 0.02  # for what changed beside terms, as a share of the penalty for a term
FEWER = 0.2  # columns, as a share, that are far fewer ...
ALIKE = 0.15  # ... where the squared error is more by this share, at most, of what length leaves
COLLINEAR = 1e-3  # of the largest singular value: weights along smaller ones would be huge, and cancel
MISFIT = 1e-3  # of the deviation of changes: what covariates of another form than the ranker's leave
NEGLIGIBLE = 1e-9  # of the largest change of score: rounding


class Together(NamedTuple):
    """Q pairs of terms that may count only together.

    Attributes
    ----------
    change
        (E, Q): 1 where an edited document holds both terms and the original did not, -1 the other way
        round, else 0.
    members
        (Q, 2) columns of the two terms.
    """

    change: Floats
    members: npt.NDArray[np.intp]


class Adjusted(NamedTuple):
    """Effects of T terms on K responses.

    Attributes
    ----------
    effects, errors
        (K, T), and their standard errors.
    freedom
        (T,) degrees of freedom.
    left
        (K, E, T) what all else but the term leaves to explain.
    """

    effects: Floats
    errors: Floats
    freedom: Floats
    left: Floats


def randomised_effects(
    responses: Floats,
    edits: RandomisedEdits,
    matching: Floats,
    covariates: Floats,
    seed: int = 0,
    together: Together | None = None,
) -> Adjusted:
    """Effects of terms on responses.

    Parameters
    ----------
    responses
        (K, E) of the edited documents. The first one decides which terms are adjusted for.
    matching
        (E, T) change of a simple ranker's score for each term: a better guess at what a term does in
        a document than that it was changed, for rankers that count.
    covariates
        (E, C) what else changed; it is always adjusted for.
    together
        Pairs of terms, always adjusted for, too: in what is left for one of the two, they stay.

    Notes
    -----
    With ``z`` the change of a term less its expectation, which chance alone made, and ``r`` the
    response less what a regression on the other documents says of all other terms, the effect is
    ``Σ z r / Σ z x``. A term that was never changed has the error infinity, and so have all terms
    where there are fewer than three edited documents.
    """
    number, terms = edits.change.shape
    change, surprise = edits.change, edits.change - edits.expected
    power = np.sum(surprise * change, axis=0)
    changed = (power > 0) & np.any(change, axis=0) & (number > 2)  # two points say nothing of errors
    freedom = np.sum(surprise**2, axis=0) ** 2 / np.maximum(np.sum(surprise**4, axis=0), NEGLIGIBLE)
    freedom = np.clip(freedom, 1.5, max(number - 2, 1.5))
    if together is None:
        together = Together(np.zeros((number, 0)), np.zeros((0, 2), dtype=np.intp))
    pairs = slice(2 * terms, 2 * terms + len(together.members))
    design = np.column_stack([change, matching, together.change, covariates])
    left = np.zeros((len(responses), *change.shape))
    effects, errors = np.zeros((len(responses), terms)), np.full((len(responses), terms), np.inf)
    fitted = _cross_fitted(design, responses, 2 * terms, seed)
    for k, (response, (coefficients, predicted)) in enumerate(zip(responses, fitted, strict=True)):
        own = coefficients[:, : 2 * terms] * design[:, : 2 * terms]
        residual = (response - predicted)[:, None] + own[:, :terms] + own[:, terms:]
        for pair, members in enumerate(together.members.tolist()):
            residual[:, members] += (coefficients * design)[:, pairs][:, pair, None]
        left[k] = residual
        np.divide(np.sum(surprise * residual, axis=0), power, out=effects[k], where=changed)
        apart = surprise * (residual - change * effects[k])
        variance = np.sum(apart**2, axis=0) * freedom / (freedom - 1)
        chosen = np.any(coefficients[:, : 2 * terms], axis=0)
        if np.any(coefficients):
            others = np.column_stack(
                [design[:, : 2 * terms][:, chosen], together.change, np.ones(number)]
            )
            variance += _of_covariates(
                covariates, others, response - predicted, surprise, edits.edits.source
            )
        errors[k, changed] = standard_errors(variance[changed], power[changed], response)
        effects[k, np.abs(effects[k]) <= NEGLIGIBLE * np.abs(response).max(initial=0.0)] = 0.0
    return Adjusted(effects, errors, freedom, left)


def standard_errors(variance: Floats, power: Floats, response: Floats) -> Floats:
    """Of effects ``Σ z r / Σ z x``, by the variance of the sum above and the sum below.

    What rounding and covariates of another form than the ranker's leave is their least.
    """
    rounding = NEGLIGIBLE * np.abs(response).max(initial=0.0)
    found = np.maximum(np.sqrt(variance) / power, rounding)
    return np.asarray(np.hypot(found, MISFIT * response.std()))


def _of_covariates(
    covariates: Floats,
    others: Floats,
    residual: Floats,
    surprise: Floats,
    source: npt.NDArray[np.intp],
) -> Floats:
    """(T,) variance of ``Σ z r`` that comes from weights of the covariates being estimates.

    What they get wrong goes to all terms that change with them. The weights' covariance is that of
    least squares beside ``others`` (E, O), with (E,) residuals that go together in one document.
    """
    own = covariates - others @ np.linalg.lstsq(others, covariates, rcond=COLLINEAR)[0]
    scale = own.std(axis=0)
    explained = scale <= NEGLIGIBLE * np.maximum(covariates.std(axis=0), NEGLIGIBLE)
    scale[explained] = 1.0  # no weight of its own: what is left of it is rounding
    own = np.where(explained, 0.0, own / scale)
    of_document = np.zeros((source.max(initial=0) + 1, own.shape[1]))
    np.add.at(of_document, source, own * residual[:, None])
    inverse = np.linalg.pinv(own.T @ own, rcond=COLLINEAR**2)
    covariance = inverse @ (of_document.T @ of_document) @ inverse
    moved = surprise.T @ ((covariates - covariates.mean(axis=0)) / scale)
    return np.asarray(np.einsum("tc,cd,td->t", moved, covariance, moved))


def _cross_fitted(
    design: Floats, responses: Floats, choosable: int, seed: int
) -> list[tuple[Floats, Floats]]:
    """For each response (E, D) coefficients of each row, fitted to the rows of other folds, and (E,)
    what they predict.

    A lasso on the first response chooses among the first ``choosable`` columns; the fit is by least
    squares on those chosen and the others, since a lasso's shrunken weights would leave a bit of all.

    What the other columns explain is taken away before the lasso. But in a small vocabulary the change
    of length is the sum of all terms, and one of these is the length less all others: so they are
    chosen together, too, and that is taken where it needs far fewer columns for about the same.
    """
    number = design.shape[0]
    mean = [(np.zeros(design.shape), np.full(number, one.mean())) for one in responses]
    folds = min(FOLDS, number // 2)
    if folds < 2 or not responses[0].std():
        return mean
    scale = design.std(axis=0)
    scale[scale == 0] = 1.0
    rows = design / scale
    fold = np.random.default_rng(seed).permutation(number) % folds
    always = rows[:, choosable:]
    known = np.column_stack([always, np.ones(number)])
    both = np.column_stack([responses[0], rows[:, :choosable]])
    apart = both - known @ np.linalg.lstsq(known, both, rcond=1e-10)[0]
    choices = [
        _chosen(apart[:, 1:], apart[:, 0], fold),
        _chosen(np.column_stack([rows[:, :choosable], always / PENALTY_OF_OTHERS]), responses[0], fold),
    ]
    choices = [[columns[:choosable] for columns in chosen] for chosen in choices]
    fits = [_refitted(rows, scale, responses, chosen, fold) for chosen in choices]
    usual, sparse = (float(np.mean((responses[0] - fit[0][1]) ** 2)) for fit in fits)
    many, few = (sum(int(columns.sum()) for columns in chosen) for chosen in choices)
    found = fits[int(few <= FEWER * many and sparse <= usual + ALIKE * apart[:, 0].var())]
    return [  # a fit that predicts worse than the mean, as one to few rows may, adds noise alone
        one if np.mean((response - one[1]) ** 2) < response.var() else plain
        for response, one, plain in zip(responses, found, mean, strict=True)
    ]


def _refitted(
    rows: Floats,
    scale: Floats,
    responses: Floats,
    chosen: Sequence[npt.NDArray[np.bool_]],
    fold: npt.NDArray[np.intp],
) -> list[tuple[Floats, Floats]]:
    """Least squares on the columns chosen for each fold, and on those that could not be chosen."""
    number = len(rows)
    found = [(np.zeros(rows.shape), np.zeros(number)) for _ in responses]
    for out, columns in enumerate(chosen):
        here = fold == out
        used = np.concatenate([np.flatnonzero(columns), np.arange(len(columns), rows.shape[1])])
        known = np.column_stack([rows[:, used], np.ones(number)])
        fit = np.linalg.lstsq(known[~here], responses[:, ~here].T, rcond=COLLINEAR)[0]
        for (coefficients, predicted), weights in zip(found, fit.T, strict=True):
            coefficients[np.ix_(here, used)] = weights[:-1] / scale[used]
            predicted[here] = known[here] @ weights
    return found


def _chosen(rows: Floats, response: Floats, fold: npt.NDArray[np.intp]) -> list[npt.NDArray[np.bool_]]:
    """For each fold the columns that a lasso on the other folds chooses, by the penalty that is best
    on the rows left out.
    """
    from sklearn import config_context
    from sklearn.linear_model import lasso_path

    rest, target = rows - rows.mean(axis=0), response - response.mean()
    target = target / (target.std() or 1.0)
    largest = np.abs(rest.T @ target).max(initial=0.0) / len(rest)
    if not largest:
        none = np.zeros(rest.shape[1], dtype=bool)
        return [none for _ in range(fold.max() + 1)]
    penalties = np.geomspace(largest, largest / SMALLEST, PENALTIES)
    wrong, weights = np.zeros(PENALTIES), []
    # Nothing depends on this generator. Without one it draws from NumPy's own, and to make one takes
    # as long as a small fit; so does a check of the arguments, which are ours.
    unused = np.random.RandomState(0)
    # A fit that stops early only leaves more to the average.
    with quiet(), config_context(skip_parameter_validation=True):
        for out in range(fold.max() + 1):
            here = fold == out
            some, goal = np.asfortranarray(rest[~here]), target[~here]
            _, path, _ = lasso_path(
                some,
                goal,
                alphas=penalties,
                precompute=some.T @ some,
                Xy=some.T @ goal,
                check_input=False,  # all of them once for each penalty, which takes longer than the fit
                max_iter=200,
                tol=1e-3,
                random_state=unused,
            )
            wrong += np.sum((target[here, None] - rest[here] @ path) ** 2, axis=0)
            weights.append(path)
    best = int(np.argmin(np.round(wrong, 12)))
    return [path[:, best] != 0 for path in weights]

"""A verdict on an explanation of one document: whether it holds, is weak, or may be chance."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.asked import asking
from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.faithfulness import ranks_of
from intentx.evaluation.statistics import f_test, probability
from intentx.explainers.document.signed import SIZES
from intentx.explainers.document.versions import Versions
from intentx.explainers.document.weighed import Weighed
from intentx.explainers.levels import OPENINGS, Judgement, Level
from intentx.scoring import unit_of

__all__ = ["FEWEST", "MOST", "DocumentVerdict", "document_verdict"]

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]

FEWEST, MOST = 60, 140  # versions of the document that a verdict looks at
TIMES = 3  # what the verdict may ask, over what the explanation asked
DRAWS = 40  # sets of random words, at most
WORDS = 10  # that are taken away together, at most
ENUMERATED = 9  # words of which all versions may be looked at
SHUFFLES, FEWEST_SHUFFLES = 999, 199  # of the weights
MOST_NUMBERS = 2_000_000  # in all shuffles, before there are fewer of them
HOLDS, WEAK = 0.3, 0.1  # lift over shuffled weights, for that level
SURE, LIKELY = 0.02, 0.1  # p-values of the fit, for that level
CLEAR = 0.05  # p-value of a fall
NEARLY = 0.95  # a correlation from which on weights account for nearly all there is
MISSED = 0.5  # of the difference that weights should add up to


@equal_by_values
@dataclasses.dataclass(frozen=True)
class DocumentVerdict(Judgement):
    """How far the weights of a document's words can be believed, and what that rests on.

    Attributes
    ----------
    level
        ``"holds"``: on versions of the document that the method did not see, the weights predict the
        ranker's scores clearly better than the same weights on words at random. ``"chance"``: they do
        not, or there is nothing to predict. ``"weak"``: in between, or too few words to decide.
    sentence
        The same in words, with the numbers.
    fit
        Correlation of the ranker's scores of other versions, each with about 70 % of the words, with
        the sums of the weights of the words left; NaN where the scores, or the sums, are all equal.
    shuffled
        The mean of that correlation with the weights put on the words at random.
    p_value
        Share of such shuffles that do as well.
    versions
        Number of those versions.
    unseen
        Whether the method asked for none of these versions. It has, where a document has so few words
        that there are no others; ``additive`` then must be small, too.
    additive
        p-value of an F-test that single words matter at all, over all versions of a document of few
        words; NaN for others.
    gap
        By how much the weights miss the difference of scores that they should add up to, over it;
        NaN for methods that promise no sum.
    words
        Words that speak most for the document and are taken away together.
    falls
        Places that the document falls by without them.
    random_falls, random_error
        Places that it falls by without as many random words: the mean, and its standard error.
    score_falls, random_score_falls
        The same in the score; of a method whose weights have no sign, the size of the change.
    falls_p_value
        Share of the sets, the words themselves among them, without which the score falls as far.
    draws
        Sets of random words.
    asked
        Texts that the ranker scored for the verdict, besides those for the explanation.
    """

    fit: float
    shuffled: float
    p_value: float
    versions: int
    unseen: bool
    additive: float
    gap: float
    words: int
    falls: float
    random_falls: float
    random_error: float
    score_falls: float
    random_score_falls: float
    falls_p_value: float
    draws: int
    asked: int

    FORMAT: ClassVar[str] = "intentx.document-verdict/1"


class _Fit(NamedTuple):
    """The part of a verdict that is of the fit; see `DocumentVerdict`."""

    versions: int
    unseen: bool
    additive: float
    fit: float = math.nan
    shuffled: float = math.nan
    p_value: float = math.nan
    sample: bool = False  # whether the versions are a sample of unseen ones
    alike: bool = False  # whether all scores are equal


class _Fall(NamedTuple):
    """The part of a verdict that is of the fall; see `DocumentVerdict`."""

    words: int = 0
    falls: float = math.nan
    random_falls: float = math.nan
    random_error: float = math.nan
    score_falls: float = math.nan
    random_score_falls: float = math.nan
    falls_p_value: float = math.nan
    draws: int = 0
    clear: bool = False  # whether it is more than chance, in versions that the method did not see


def document_verdict(explanation: Weighed) -> DocumentVerdict:
    """The verdict on the words of one document.

    Raises
    ------
    InputError
        If the ranking is a recorded one, or the explanation has no word of the document.
    ScorerError
        If the ranker fails on a version of the document.

    Notes
    -----
    The ranker scores at most `TIMES` times as many texts as for the explanation, or `FEWEST` versions of
    the document where that is more, and never more than `MOST`. A version of a pair is two texts,
    and with a listwise ranker a text is a list.
    """
    ranking = explanation.ranking
    box = ranking.black_box(f"a verdict on an explanation by {explanation.method}")
    made = Versions(explanation)
    if not made.terms:
        raise InputError("the explanation has no word of the document, so there is nothing to judge")
    generator = np.random.default_rng([int(explanation.settings.get("seed", 0)), 17])
    allowed = min(MOST, max(FEWEST, TIMES * explanation.model_calls // made.texts_each))
    with asking(box) as asked:
        fall = _fall(made, allowed, generator)
        fit = _fit(made, allowed - fall.draws - 2, generator)
    new = asked.besides(ranking.query, ranking.texts, explanation.scored)
    gap = _gap(explanation)
    level = _level(made, fit, fall, gap)
    parts: dict[str, Any] = fit._asdict() | fall._asdict()
    shown = [one.name for one in dataclasses.fields(DocumentVerdict) if one.name in parts]
    return DocumentVerdict(
        level=level,
        sentence=_sentence(explanation, made, level, fit, fall, gap, new),
        **{name: parts[name] for name in shown},
        gap=gap,
        asked=new,
    )


def _fall(made: Versions, allowed: int, generator: np.random.Generator) -> _Fall:
    """How far the document falls without the words that speak most for it, and without others."""
    own = np.flatnonzero(made.in_document)
    order = own[np.argsort(-made.weights[own], kind="stable")]
    most = min(WORDS, max(1, len(own) // 3))
    first = [place for place in order[:most].tolist() if made.weights[place] > 0]
    if not first:
        return _Fall()
    kept = np.ones((1, len(made.terms)), dtype=bool)
    kept[0, first] = False
    drawn = {kept.tobytes(): kept[0]}
    for _ in range(5 * DRAWS if len(own) > len(first) else 0):
        if len(drawn) > min(DRAWS, allowed // 3):
            break
        one = np.ones(len(made.terms), dtype=bool)
        one[generator.choice(own, len(first), replace=False)] = False
        drawn.setdefault(one.tobytes(), one)
    whole = np.ones((1, len(made.terms)), dtype=bool)
    scores = made.scores(np.concatenate([whole, np.array([*drawn.values()])]))
    places = ranks_of(scores[:, 0], made.ranking, made.position)
    unit = unit_of(scores)
    values = made.values(scores / unit)
    fell, lost = places[1:] - places[0], values[0] - values[1:]
    if made.method in SIZES:  # they say nothing of the direction
        lost = np.abs(lost)
    number = len(lost) - 1
    share = float(np.mean(lost >= lost[0])) if number else math.nan
    return _Fall(
        words=len(first),
        falls=float(fell[0]),
        random_falls=float(fell[1:].mean()) if number else math.nan,
        random_error=float(fell[1:].std(ddof=1) / math.sqrt(number)) if number > 1 else math.nan,
        score_falls=_in_unit(float(lost[0]), unit),
        random_score_falls=_in_unit(float(lost[1:].mean()), unit) if number else math.nan,
        falls_p_value=share,
        draws=number,
        clear=share <= CLEAR and bool(made.new(kept)[0]),
    )


def _in_unit(value: float, unit: float) -> float:
    """A difference of scores, as far as there are such numbers."""
    most = float(np.finfo(np.float64).max)
    return min(max(value, -most / unit), most / unit) * unit


def _fit(made: Versions, allowed: int, generator: np.random.Generator) -> _Fit:
    """How well the weights tell the scores of other versions than those that they come from."""
    kept, unseen, sample = made.drawn(allowed, ENUMERATED, generator)
    scores = made.scores(kept)
    values = made.values(scores / unit_of(scores))
    if made.method in SIZES:  # they tell how much the score changes, and not whither
        [whole] = made.values(made.scores(np.ones((1, len(made.terms)), dtype=bool)) / unit_of(scores))
        values = -np.abs(values - whole)
    additive = math.nan if sample else _additive(kept, values)
    alike = bool(np.ptp(values) == 0)
    nothing = _Fit(len(kept), unseen, additive, sample=sample, alike=alike)
    if nothing.alike or not made.weights.any():
        return nothing
    weights = made.weights / np.abs(made.weights).max()
    number = min(SHUFFLES, max(FEWEST_SHUFFLES, MOST_NUMBERS // len(weights)))
    shuffles = np.stack([generator.permutation(weights) for _ in range(number)], axis=1)
    [fit] = _correlations(kept, (weights * made.times)[:, None], values)
    others = _correlations(kept, shuffles * made.times[:, None], values)
    if math.isnan(fit):
        return nothing
    others = np.nan_to_num(others)
    as_well = int((others >= fit - 1e-9).sum())
    return nothing._replace(
        fit=float(fit), shuffled=float(others.mean()), p_value=(1 + as_well) / (1 + number)
    )


def _correlations(kept: Kept, weights: Floats, values: Floats) -> Floats:
    """(K,) correlation of ``values`` (S,) with the sums of K columns of weights (T, K); NaN without."""
    sums = kept.astype(np.float64) @ weights
    sums -= sums.mean(axis=0)
    moved = values - values.mean()
    sizes = np.sqrt((sums**2).sum(axis=0)) * math.sqrt(float(moved @ moved))
    smallest = 1e-12 * math.sqrt(len(values)) * math.sqrt(float(moved @ moved))
    return np.where(sizes > smallest, moved @ sums / np.where(sizes > smallest, sizes, 1.0), np.nan)


def _additive(kept: Kept, values: Floats) -> float:
    """p-value of the F-test that scores depend on single words, by least squares over the versions."""
    number, terms = kept.shape
    free = number - 1 - terms
    spread = float(((values - values.mean()) ** 2).sum())
    if free < 1 or spread == 0:
        return math.nan
    design = np.column_stack([np.ones(number), kept])
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    unexplained = float(left @ left)
    if unexplained <= 1e-20 * spread:
        return 0.0
    return f_test(spread - unexplained, terms, unexplained, free)


def _gap(explanation: Weighed) -> float:
    """By how much the weights miss what they should add up to, over it."""
    metrics = explanation.metrics
    if "relative_gap" in metrics:
        return float(metrics["relative_gap"])
    if "full" in metrics and metrics["full"] != metrics["empty"]:
        unit = unit_of([metrics["full"], metrics["empty"]])
        difference = metrics["full"] / unit - metrics["empty"] / unit
        return abs(math.fsum(weight / unit for weight in explanation.weights) / difference - 1)
    return math.nan


def _level(made: Versions, fit: _Fit, fall: _Fall, gap: float) -> Level:
    """By how much better the weights are than the same on words at random, and how surely."""
    if math.isnan(fit.fit):
        return "chance"
    lift = (fit.fit - fit.shuffled) / (1 - fit.shuffled) if fit.shuffled < 1 else 0.0
    nearly = fit.fit >= NEARLY
    contrary = fall.score_falls < fall.random_score_falls
    some = lift >= WEAK and fit.p_value <= LIKELY
    better = nearly or (lift >= HOLDS and fit.p_value <= SURE) or (some and fall.clear)
    if better and (fit.sample or fit.additive <= SURE) and not contrary and not gap > MISSED:
        return "holds"
    if fall.clear:
        return "weak"
    # Of one word there is nothing to test, and of three chance is hard to tell.
    few = len(made.terms) <= 3
    real = fit.sample or len(made.terms) == 1 or fit.additive <= LIKELY
    return "weak" if fit.fit > WEAK and real and (few or nearly or some) else "chance"


def _sentence(
    explanation: Weighed,
    made: Versions,
    level: Level,
    fit: _Fit,
    fall: _Fall,
    gap: float,
    asked: int,
) -> str:
    versions = f"{fit.versions} {'other ' if fit.unseen else ''}versions of the document"
    if fit.alike:
        alone = len(made.ranking) == 1 and made.ranking.can.listwise
        first = f"the ranker scores {versions} alike"
        first += (
            ": it compares documents, and this is the only one"
            if alone
            else ", so no word of it matters"
        )
    elif not made.weights.any():
        first = f"no word has a weight, and the ranker scores {versions} differently"
    elif math.isnan(fit.fit):
        first = f"all words weigh the same, and the ranker scores {versions} differently"
    else:
        first = (
            f"on {versions} the weights go with the ranker’s scores by a correlation of "
            f"{_real(fit.fit)} ({_real(fit.shuffled)} with the weights put on random words; "
            f"{probability(fit.p_value)})"
        )
    parts = [f"{OPENINGS[level]}: {first}"]
    if fall.words:
        parts.append(_fallen(fall, len(made.ranking)))
    if len(made.terms) <= 3 and level != "holds":
        words = "one word" if len(made.terms) == 1 else f"{len(made.terms)} words"
        parts.append(f"with only {words}, chance cannot be ruled out")
    if not math.isnan(gap):
        missed = f", but for {100 * gap:.2g} %" if gap >= 0.0005 else ""
        parts.append(f"the weights add up to what they should{missed}")
    texts = "1 more text" if asked == 1 else f"{asked or 'no'} more texts"
    parts.append(f"for this verdict the ranker scored {texts}")
    return f"{'; '.join(parts)}."


def _fallen(fall: _Fall, documents: int) -> str:
    words = "its first word" if fall.words == 1 else f"its first {fall.words} words"
    if documents > 1 and (fall.falls or fall.random_falls):
        own, other, unit = fall.falls, fall.random_falls, " places"
        error = "" if math.isnan(fall.random_error) else f" ± {fall.random_error:.1f}"
        shown, random = f"{own:z.1f}", f"{other:z.1f}{error}"
    else:
        own, other, unit = fall.score_falls, fall.random_score_falls, " in score"
        shown, random = f"{own:.3g}", f"{other:.3g}"
    text = f"without {words} it falls by {shown}{unit}"
    if not fall.draws:
        return text.replace("-", "−")
    which = "a random word" if fall.words == 1 else f"{fall.words} random words"
    share = f"; {probability(fall.falls_p_value)}, {fall.draws} {'draw' if fall.draws == 1 else 'draws'}"
    return f"{text} ({random} without {which}{share})".replace("-", "−")


def _real(value: float) -> str:
    """A correlation as people read it.

    >>> _real(-0.123), _real(-0.001)
    ('−.12', '.00')
    """
    return f"{value:z.2f}".replace("0.", ".", 1).replace("-", "−")

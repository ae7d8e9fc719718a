"""`PairwiseRanker`: a ranker made of what prefers one of two texts."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.capabilities import Capabilities
from intentx.checks import shown
from intentx.errors import InputError, IntentxError, ScorerError
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.spec_settings import true_or_false
from intentx.rankers.tournament import (
    Aggregate,
    aggregated,
    asked_pairs,
    pairs_needed,
    sorted_scores,
)

__all__ = ["FROM_TEXT", "PairsAsked", "PairwiseRanker", "Prefers", "of_callable", "read_pairs"]

Floats = npt.NDArray[np.float64]
Prefers = Callable[[str, str, str], Any]
Answers = Literal["probability", "score"]
PairsAsked = int | Literal["all", "sorted"]


class PairwiseRanker:
    """A ranker of a callable that is asked which of two texts is better for a query.

    Its answers about pairs are added up to scores of a list, which therefore depend on the other texts:
    it is `listwise`. With two texts the list is the pair, and `preference` says what was answered.

    Parameters
    ----------
    prefers
        ``(query, text_a, text_b)`` -> what is answered about ``text_a``.
    pairs
        ``"all"`` pairs of a list; or how many of them: a sample in which each text is equally often,
        drawn by ``seed`` and by places in the list alone; or ``"sorted"``: as many as sorting takes,
        about N log2 N, and scores are then N - rank.
    aggregate
        ``"sum"``: by the probabilities with which a text is preferred to the others; ``"copeland"``: by
        pairs won less pairs lost; ``"bradley-terry"``: by fitted strengths. See
        `intentx.rankers.tournament.aggregated`. Not used when ``pairs="sorted"``.
    answers
        ``"probability"``: the answer is the probability that ``text_a`` is better, in [0, 1]; True and
        False are 1 and 0, here and with ``"score"``. ``"score"``: any number, above 0 where ``text_a``
        is better; its logistic function is taken for the probability.
    symmetric
        True: the callable is known to give 1 - p for the texts in the other order, and is asked in one
        order only. False: it is asked in both, and the mean is taken; pairs whose two answers name
        different texts count as `contradictions`.
    seed
        For the sample.

    Attributes
    ----------
    calls
        How often the callable was asked so far.
    contradictions
        Pairs so far in which it preferred another text in the other order.

    Raises
    ------
    InputError
        If ``prefers`` is not callable, or a setting is not allowed.

    Notes
    -----
    A text is as good as itself, and that is not asked. Answers about the last query are remembered, so
    that a list in which one text has changed costs the pairs of that text.

    Examples
    --------
    >>> def longer(query, text_a, text_b):
    ...     return len(text_a) > len(text_b)
    >>> ranker = PairwiseRanker(longer)
    >>> ranker("tea", ["a", "ccc", "bb"]).tolist(), ranker.calls
    ([0.0, 2.0, 1.0], 6)
    >>> ranker.preference("tea", "ccc", "a"), ranker.calls
    (1.0, 6)
    """

    listwise = True

    def __init__(
        self,
        prefers: Prefers,
        *,
        pairs: PairsAsked = "all",
        aggregate: Aggregate = "sum",
        answers: Answers = "probability",
        symmetric: bool = False,
        seed: int = 0,
    ) -> None:
        if not callable(prefers):
            raise InputError(
                "a pairwise ranker needs a callable (query, text_a, text_b) -> preference, not "
                f"{type(prefers).__name__}"
            )
        whole = isinstance(pairs, int | np.integer) and not isinstance(pairs, bool) and pairs >= 1
        if pairs not in ("all", "sorted") and not whole:
            raise InputError(
                f"pairs must be 'all', 'sorted', or a whole number, 1 or more, not {pairs!r}"
            )
        for name, value, known in (
            ("aggregate", aggregate, get_args(Aggregate)),
            ("answers", answers, get_args(Answers)),
            ("symmetric", symmetric, (True, False)),
        ):
            if value not in known:
                raise InputError(f"{name} must be one of {known}, not {value!r}")
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InputError(f"seed must be a whole number, 0 or more, not {seed!r}")
        self.prefers = prefers
        self.pairs: PairsAsked = int(pairs) if whole else pairs
        self.aggregate, self.answers = aggregate, answers
        self.symmetric, self.seed = bool(symmetric), int(seed)
        self.calls = self.contradictions = 0
        self._known: tuple[Any, dict[tuple[str, str], float]] = None, {}

    def __repr__(self) -> str:
        name = Capabilities.of(self.prefers).name
        return f"<PairwiseRanker of {name}, pairs={self.pairs!r}, {self.aggregate}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_known": (None, {})}

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        """(N,) scores of a list of texts.

        Raises
        ------
        ScorerError
            If the callable fails, or answers something else than ``answers`` says; it names the pair.
        InputError
            If ``pairs`` are too few to join all texts.
        """
        if self.pairs == "sorted":
            return sorted_scores(len(texts), lambda i, j: self.preference(query, texts[i], texts[j]))
        number = None if self.pairs == "all" else int(self.pairs)
        one, other = asked_pairs(len(texts), number, self.seed)
        preferred = np.array(
            [
                self.preference(query, texts[i], texts[j])
                for i, j in zip(one.tolist(), other.tolist(), strict=True)
            ]
        )
        return aggregated(self.aggregate, len(texts), one, other, preferred)

    def preference(self, query: str, text_a: str, text_b: str) -> float:
        """The probability that ``text_a`` is better than ``text_b``, both orders taken together.

        Raises
        ------
        ScorerError
            As when it scores a list.
        """
        if text_a == text_b:
            return 0.5
        known = self._answers(query)
        if self.symmetric:
            if (text_b, text_a) in known:
                return 1.0 - known[text_b, text_a]
            return self._asked(query, text_a, text_b, known)
        new = (text_a, text_b) not in known or (text_b, text_a) not in known
        there = self._asked(query, text_a, text_b, known)
        back = self._asked(query, text_b, text_a, known)
        self.contradictions += new and (there - 0.5) * (back - 0.5) > 0
        return (there + 1.0 - back) / 2

    def calls_for(self, texts: int) -> int:
        """How often the callable is asked about a list of so many texts, at most.

        >>> PairwiseRanker(lambda query, a, b: 0.5).calls_for(10)
        90
        """
        return pairs_needed(texts, self.pairs) * (1 if self.symmetric else 2)

    @property
    def fingerprint(self) -> str | None:
        """Stands for the callable, where it has one, and the settings."""
        found = Capabilities.of(self.prefers).fingerprint
        if found is None:
            return None
        names = ("pairs", "aggregate", "answers", "symmetric", "seed")
        settings = {name: getattr(self, name) for name in names}
        return fingerprint_of({"ranker": "PairwiseRanker", "prefers": found, **settings})

    def state_mark(self, thorough: bool = False) -> Any:
        """What differs once the callable has changed; None where it does not tell."""
        return Capabilities.of(self.prefers).state_mark(thorough=thorough)

    def _answers(self, query: str) -> dict[tuple[str, str], float]:
        """What was answered about the query, as long as the callable is what it was."""
        key = query, self.state_mark()
        if self._known[0] != key:
            self._known = key, {}
        return self._known[1]

    def _asked(self, query: str, text_a: str, text_b: str, known: dict[tuple[str, str], float]) -> float:
        if (text_a, text_b) not in known:
            self.calls += 1
            try:
                answer = self.prefers(query, text_a, text_b)
            except IntentxError:
                raise
            except Exception as error:
                message = f"the pairwise ranker raised {type(error).__name__}: {error}"
                raise ScorerError(message, query, (text_a, text_b)) from error
            known[text_a, text_b] = self._probability(answer, query, text_a, text_b)
        return known[text_a, text_b]

    def _probability(self, answer: Any, query: str, text_a: str, text_b: str) -> float:
        plain, number = answer, math.nan
        with contextlib.suppress(Exception):  # what cannot be read is told below
            plain = answer.item() if hasattr(answer, "item") and np.size(answer) == 1 else answer
            number = float(plain) if isinstance(plain, Real) else math.nan
        if isinstance(plain, bool) or (self.answers == "probability" and 0 <= number <= 1):
            return number
        if self.answers == "score" and math.isfinite(number):
            return _logistic(number)
        wanted = "a probability in [0, 1], or True or False"
        hint = "; for numbers above 0 where text_a is better, set answers='score'"
        if self.answers == "score":
            wanted, hint = "a finite number", ""
        raise ScorerError(
            f"the pairwise ranker must answer {wanted}, not {shown(answer)}{hint}",
            query,
            (text_a, text_b),
        )


def of_callable(target: str) -> str:
    """What stands behind ``pairwise:``, if it is written as a callable.

    Raises
    ------
    InputError
        If it is not.

    Examples
    --------
    >>> of_callable("mypackage.rankers:prefers")
    'mypackage.rankers:prefers'
    """
    module, _, name = target.partition(":")
    if not (module and name):
        raise InputError(f"pairwise needs a callable: pairwise:module:callable, not pairwise:{target}")
    return target


def _logistic(score: float) -> float:
    """Without an overflow."""
    small = math.exp(-abs(score))
    return 1 / (1 + small) if score >= 0 else small / (1 + small)


def read_pairs(text: str) -> PairsAsked:
    """``"all"``, ``"sorted"`` or a whole number.

    >>> read_pairs("all"), read_pairs("40")
    ('all', 40)
    """
    return text if text in ("all", "sorted") else int(text)  # type: ignore[return-value]


FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "pairs": read_pairs,
    "aggregate": str,
    "answers": str,
    "symmetric": true_or_false,
    "seed": int,
}
"""How settings behind a ``#`` are read."""

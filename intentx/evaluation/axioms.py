"""Which known principles of retrieval does an order follow, and where an explanation fails?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from intentx.checks import shown
from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.axiom_tally import AxiomRow, Tally, least_squares
from intentx.evaluation.axiom_votes import AXIOMS, Axiom, Facts
from intentx.evaluation.base import Measure, Sheet
from intentx.evaluation.expanded_query import ExpandedQuery
from intentx.evaluation.fidelity import unfitted_matrices
from intentx.evaluation.statistics import student_interval
from intentx.preferences import preference_pairs
from intentx.preferences.pairs import EveryPair, refuse_too_many
from intentx.preferences.simple_rankers import simple_rankers_for, term_scores
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

__all__ = ["AxiomRow", "Axioms", "axioms"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

PAIRS_AT_ONCE = 100_000
HELD, REPEATS = 0.3, 5  # of the documents, and how often: as `intentx.heldout_fidelity`


@equal_by_values
@dataclass(frozen=True)
class Axioms(Measure):
    """Which retrieval axioms decide the preference pairs of a ranking, and how often it agrees.

    Attributes
    ----------
    rows
        One `AxiomRow` for each axiom.
    pairs
        Preference pairs of the ranking.
    right, wrong, ties
        How many of them the explanation orders right, and how many not; ties are among the latter.
        0 where a ranking was given.
    undecided
        Pairs for which no axiom prefers a document.
    vote
        Share of the pairs that the axioms' majority orders right; a tie is not right.
    fitted
        The same for a vote with one weight for each axiom, fitted to all pairs by least squares.
    heldout, heldout_low, heldout_high
        The same for weights fitted to pairs among 70 % of the documents, on pairs among the others:
        mean over five splits, and its 95 % interval (`student_interval`); NaN where documents are too
        few.
    vote_heldout
        What the majority has on the same pairs, on average.
    weights
        Of the fitted vote, by the names of the axioms.
    margin
        Of the preconditions.
    """

    rows: tuple[AxiomRow, ...] = field(repr=False)
    pairs: int
    right: int
    wrong: int
    ties: int
    undecided: int
    vote: float
    fitted: float
    heldout: float
    heldout_low: float
    heldout_high: float
    vote_heldout: float
    weights: dict[str, float] = field(repr=False)
    margin: float

    NAME: ClassVar[str] = "axioms"
    FORMAT: ClassVar[str] = "intentx.axioms/1"

    def __getitem__(self, name: str) -> AxiomRow:
        """The row of an axiom by its name."""
        for row in self.rows:
            if row.name == name:
                return row
        raise InputError(
            f"no axiom {name!r} was asked; there are {', '.join(r.name for r in self.rows)}"
        )

    @property
    def explained(self) -> bool:
        """Whether an explanation was given, and not a ranking alone."""
        return bool(self.right + self.wrong)

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        held = "" if math.isnan(self.heldout) else f"; {self.heldout:.3f} of pairs of other documents"
        return (
            f"Axioms: their majority orders {self.vote:.3f} of {self.pairs:,} preferences as the ranker "
            f"does, a fitted vote {self.fitted:.3f}{held}. None decides {self.undecided:,}."
        )

    def _sheet(self) -> Sheet:
        apart = ("right: decides", "agrees", "wrong: decides", "agrees") if self.explained else ()
        rows = []
        for row in self.rows:
            interval = "–" if math.isnan(row.low) else f"{row.low:.3f} to {row.high:.3f}"
            cells = [row.name, row.about, f"{row.decided:,}", _share(row.agreement), interval]
            if self.explained:
                cells += [f"{row.right_decided:,}", _share(row.right)]
                cells += [f"{row.wrong_decided:,}", _share(row.wrong)]
            rows.append(tuple(cells))
        head = ("axiom", "about", "decides", "agrees", "95 % interval", *apart)
        said = "" if not self.explained else (
            f" The explanation orders {self.right:,} pairs right and {self.wrong:,} not."
        )  # fmt: skip
        return Sheet(head, tuple(rows), f"{self.sentence}{said} Agreement by chance is .5.")


def axioms(
    subject: Any,
    names: Sequence[str] | None = None,
    *,
    margin: float = 0.1,
    vectors: TermVectors | None = None,
    analyzer: Analyzer | None = None,
    seed: int = 0,
) -> Axioms:
    """Which retrieval axioms decide the pairs of a ranking, and how often the ranker agrees.

    No text is scored: an agreement says what goes along with the order, and not why it is so.

    Parameters
    ----------
    subject
        A `Ranking`, or an explanation with words: its pairs then are counted apart, those that its
        words order right and those that they do not.
    names
        Of `AXIOMS`; None: all.
    margin
        By which share of the larger one two numbers may differ and count as equal, such as lengths: .1
        is the relaxed form that the literature uses on real documents. 0: the strict one, in which
        few pairs meet a precondition. For LB1 it is a share of the range of the ranker's scores.
    vectors
        Of terms, for STMC1, STMC2 and REG; None: learned from the documents (`TermVectors.from_lsa`).
    analyzer
        How texts become terms; None: as the ranker has it (`Ranking.analyzer`), or ``Analyzer()``
        with vectors.
    seed
        Of the splits for ``heldout``.

    Raises
    ------
    InputError
        If there is no such axiom, the query has no term, or the ranking has no preference pair.

    Examples
    --------
    >>> import intentx as ix
    >>> texts = ["tea and tea", "tea and rice", "rice and beans", "beans and corn"]
    >>> ranking = ix.rank(lambda query, some: [text.count("tea") for text in some], "tea", texts)
    >>> found = axioms(ranking)
    >>> found["TFC1"].decided, found["TFC1"].agreement, found["AND"].decided
    (5, 1.0, 4)
    """
    ranking = subject if isinstance(subject, Ranking) else getattr(subject, "ranking", None)
    if not isinstance(ranking, Ranking):
        raise InputError(f"axioms need a ranking, or an explanation of one, not {shown(subject)}")
    asked = _asked(names)
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 <= margin < 1:
        raise InputError(f"margin must be a number from 0 to below 1, not {margin!r}")
    refuse_too_many(len(ranking))
    facts = _facts(ranking, float(margin), vectors, analyzer)
    every = EveryPair(ranking.scores)
    if not len(every):
        preference_pairs(ranking)  # says why there is none
    sums, least = (None, 0.0) if subject is ranking else _by_words(subject)
    tally = Tally(len(asked), len(ranking))
    for high, low in every.blocks(PAIRS_AT_ONCE):
        votes = _votes(asked, facts, high, low)
        strength = None if sums is None else np.tanh(sums[:, high] - sums[:, low]).sum(axis=0)
        tally.add(votes, high, low, strength, least)
    weights = tally.weights()
    held = _held_out(asked, facts, ranking, seed)
    return Axioms(
        rows=tuple(tally.row(number, axiom) for number, axiom in enumerate(asked)),
        pairs=len(every),
        right=tally.right,
        wrong=tally.wrong,
        ties=tally.ties,
        undecided=tally.undecided,
        vote=tally.majority / len(every),
        fitted=_fitted_share(asked, facts, every, weights),
        heldout=held[0],
        heldout_low=held[1],
        heldout_high=held[2],
        vote_heldout=held[3],
        weights=dict(zip((one.name for one in asked), weights.tolist(), strict=True)),
        margin=float(margin),
    )


def _asked(names: Sequence[str] | None) -> tuple[Axiom, ...]:
    if names is None:
        return tuple(AXIOMS.values())
    given = (names,) if isinstance(names, str) else tuple(names)
    unknown = [name for name in given if name not in AXIOMS]
    if unknown or not given:
        what = repr(unknown[0]) if unknown else "in an empty list"
        raise InputError(f"no axiom {what}; choose from {', '.join(AXIOMS)}")
    return tuple(AXIOMS[name] for name in dict.fromkeys(given))


def _facts(
    ranking: Ranking, margin: float, vectors: TermVectors | None, analyzer: Analyzer | None
) -> Facts:
    chosen = analyzer or (ranking.analyzer if vectors is None else Analyzer())
    sequence = tuple(token.term for token in chosen.tokens(ranking.query))
    if not sequence:
        raise InputError(f"the query {ranking.query!r} has no term that is not a stopword")
    index = TextIndex(ranking.texts, chosen)
    given = TermVectors.from_lsa(index) if vectors is None else vectors
    return Facts(index, sequence, ranking.scores, given, margin)


def _by_words(explanation: Any) -> tuple[Floats, float]:
    """(R, N) scaled scores of the documents by the explanation's words, and the least vote."""
    if not hasattr(explanation, "terms"):
        raise InputError(f"axioms need an explanation that has words, not {shown(explanation)}")
    query, ranking = ExpandedQuery.of(explanation), explanation.ranking
    matrices = query.matrices
    if matrices is None:
        rankers = simple_rankers_for(ranking, query.simple_rankers)
        scores = term_scores(query.terms, TextIndex(ranking.texts, query.analyzer), rankers)
        matrices = unfitted_matrices(ranking, scores)
    return matrices.document_sums(range(matrices.n_terms)), matrices.margin


def _votes(asked: Sequence[Axiom], facts: Facts, high: Indices, low: Indices) -> Floats:
    """(A, P) votes of the axioms on pairs."""
    return np.stack([axiom.votes(facts, high, low) for axiom in asked]).astype(np.float64)


def _fitted_share(asked: Sequence[Axiom], facts: Facts, every: EveryPair, weights: Floats) -> float:
    right = sum(
        int((weights @ _votes(asked, facts, high, low) > 1e-9).sum())
        for high, low in every.blocks(PAIRS_AT_ONCE)
    )
    return right / len(every)


def _held_out(
    asked: Sequence[Axiom], facts: Facts, ranking: Ranking, seed: int
) -> tuple[float, float, float, float]:
    """Mean share on pairs of documents that were not fitted, its interval, and that of the majority."""
    n = len(ranking)
    held = min(n - 2, max(2, round(HELD * n)))
    found, majority = [], []
    for generator in np.random.default_rng(seed).spawn(REPEATS if held >= 2 else 0):
        out = np.zeros(n, dtype=bool)
        out[generator.permutation(n)[:held]] = True
        square, total = np.zeros((len(asked), len(asked))), np.zeros(len(asked))
        for high, low in _among(ranking, np.flatnonzero(~out)):
            votes = _votes(asked, facts, high, low)
            square += votes @ votes.T
            total += votes.sum(axis=1)
        weights, right, most, number = least_squares(square, total), 0, 0, 0
        for high, low in _among(ranking, np.flatnonzero(out)):
            votes = _votes(asked, facts, high, low)
            right += int((weights @ votes > 1e-9).sum())
            most += int((votes.sum(axis=0) > 0).sum())
            number += len(high)
        if number and square.any():
            found.append(right / number)
            majority.append(most / number)
    if not found:
        return math.nan, math.nan, math.nan, math.nan
    lowest, highest = student_interval(
        np.array(found), tested_to_fitted=held / (n - held), bounds=(0.0, 1.0)
    )
    return float(np.mean(found)), lowest, highest, float(np.mean(majority))


def _among(ranking: Ranking, positions: Indices) -> list[tuple[Indices, Indices]]:
    """The preference pairs among documents at these positions, in blocks."""
    every = EveryPair(ranking.scores[positions])
    return [(positions[a], positions[b]) for a, b in every.blocks(PAIRS_AT_ONCE)]


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"

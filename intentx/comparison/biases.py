"""What a ranker consistently prefers over others, query after query: its biases."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.comparison.disagreements import Evidence, Query
from intentx.comparison.preferred import with_nan
from intentx.equality import equal_by_values
from intentx.errors import InputError
from intentx.evaluation.statistics import bootstrap, false_discovery_rate, sign_flips
from intentx.text import Analyzer
from intentx.text.letters import is_telling

__all__ = ["MIN_QUERIES", "Bias", "RankerBiases", "find_biases"]

Floats = npt.NDArray[np.float64]

MIN_QUERIES = 6  # fewer can give no p value below .05: all signs alike have 2 / 2^5
LEVEL = 0.05
OWN = 0.5  # of a net share must be left beside the stronger ones
SHOWN = 20  # terms that are kept on either side though chance may have made them
MOST_TESTED_AGAIN = 40  # of the terms that stand out, how many are looked at together
HEADLINE_DOCUMENTS = 10  # different documents that hold a term, or were compared: fewer are no headline
HEADLINE_TESTED = 5  # terms: the only one that could be tested says little about what a ranker prefers


@equal_by_values
@dataclass(frozen=True)
class Bias:
    """What a ranker does about one term, or one property of documents, against the other rankers.

    Attributes
    ----------
    name, kind
        The term, or one of `PROPERTIES`; ``"term"`` or ``"property"``.
    net
        Of the pairs that the ranker and another order differently, the share in which the document
        that the ranker prefers holds more of it, minus the share in which it holds less. The mean
        over queries; above 0 the ranker prefers it, below 0 the others do.
    low, high
        95 % interval over queries, NaN where there is none (`intentx.evaluation.statistics.bootstrap`).
    more, less
        Both shares.
    queries
        How many have disagreements that it separates. Only these count.
    p, adjusted_p
        Probability of a net share so far from 0 if each query's sign were a coin's (two-sided), by
        itself, and adjusted for the number of terms, or of properties (Benjamini & Hochberg 1995).
        NaN for one that was not tested, since too few queries have it.
    beyond
        What is left of `net` when the stronger ones that stand out are taken into account. NaN for one
        that does not stand out.
    holds
        Whether it stands out at the 5 % level, and beside the stronger ones still does with half of
        its net share or more.
    documents
        How many different documents of these queries hold the term; of a property, how many there are.
    """

    name: str
    kind: str
    net: float
    low: float
    high: float
    more: float
    less: float
    queries: int
    p: float
    adjusted_p: float
    beyond: float = math.nan
    holds: bool = False
    documents: int = 0

    @property
    def stands_out(self) -> bool:
        """Whether chance is an unlikely reason, the others not looked at."""
        return self.adjusted_p <= LEVEL


@dataclass(frozen=True)
class RankerBiases:
    """The biases of one ranker against all others.

    Attributes
    ----------
    queries, pairs
        Queries with a disagreement, and disagreements in all of them.
    tested
        Terms that were tested: those that separate disagreements of enough queries to stand out
        among them, of `MIN_QUERIES` at least. That takes about 13 queries for 200 terms.
    terms
        Those that stand out, and the twenty of the largest net share on either side.
    properties
        All of `PROPERTIES` that can be told.
    reason
        Why no term was tested, "" otherwise.
    """

    ranker: str
    queries: int
    pairs: int
    tested: int
    terms: tuple[Bias, ...]
    properties: tuple[Bias, ...]
    reason: str = ""

    @property
    def held(self) -> tuple[Bias, ...]:
        """Those that stand out beside each other, the largest net share first."""
        found = [bias for bias in (*self.properties, *self.terms) if bias.holds]
        return tuple(sorted(found, key=lambda bias: -abs(bias.net)))

    @property
    def headline(self) -> tuple[Bias, ...]:
        """Those of `held` that can stand alone in a sentence.

        They rest on `HEADLINE_DOCUMENTS` different documents or more. A term is longer than a letter
        or a digit, in a script whose words are, and is one of `HEADLINE_TESTED` or more that were
        tested.
        """
        return tuple(
            bias
            for bias in self.held
            if bias.documents >= HEADLINE_DOCUMENTS
            and (bias.kind == "property" or (self.tested >= HEADLINE_TESTED and is_telling(bias.name)))
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> RankerBiases:
        """The inverse of `dataclasses.asdict`, None standing for NaN."""
        found = dict(plain)
        for kind in ("terms", "properties"):
            found[kind] = tuple(Bias(**with_nan(bias)) for bias in plain[kind])
        return cls(**found)


def find_biases(
    evidence: Sequence[Evidence],
    rankers: Sequence[str],
    *,
    analyzer: Analyzer | None = None,
    seed: int = 0,
) -> tuple[RankerBiases, ...]:
    """For each ranker, the terms and properties that it consistently prefers over the others.

    Terms are weighed by text matching (BM25). No ranker is asked. A ranker that has no scores for a
    query has no part in it.

    Parameters
    ----------
    rankers
        Names, the keys of the scores; two or more.
    seed
        For the bootstrap and, with more than 14 queries, the patterns of signs.

    Notes
    -----
    Where a ranker prefers longer documents, most words stand out, for long documents hold more of
    all. So those that stand out are looked at together: the strongest is taken, the others keep
    what it leaves (least squares over all pairs, on signs and amounts, each query counting the
    same), and so on as long as one is left that keeps half of its net share and that the same test
    does not put down to chance.

    Two orders cannot tell whether one ranker prefers something more or the other one less.

    Examples
    --------
    >>> texts = ["a cheap boat", "a boat", "a red car", "one cheap car"]
    >>> scores = {"plain": np.array([4.0, 3, 2, 1]), "thrifty": np.array([4.0, 2, 1, 3])}
    >>> some = [Evidence(str(n), "boat", texts, scores) for n in range(6)]
    >>> [(bias.name, bias.net) for bias in find_biases(some, ["plain", "thrifty"])[1].terms][:1]
    [('cheap', 1.0)]
    """
    if len(rankers) < 2:
        raise InputError(
            f"biases compare rankers with each other: give two rankers or more, not {len(rankers)}"
        )
    analyzer = analyzer or Analyzer()
    queries = [Query(one, analyzer, rankers) for one in evidence]
    if len(rankers) > 2:
        return tuple(_of_ranker(ranker, queries, seed) for ranker in rankers)
    first = _of_ranker(rankers[0], queries, seed)
    return first, _mirrored(first, rankers[1])


@dataclass(frozen=True)
class _Tested:
    """All terms, or all properties, of one ranker: (Q, K) shares, NaN where a query says nothing."""

    kind: str
    names: tuple[str, ...]
    more: Floats
    less: Floats
    documents: tuple[int, ...]

    @property
    def net(self) -> Floats:
        return self.more - self.less


def _of_ranker(ranker: str, queries: Sequence[Query], seed: int) -> RankerBiases:
    used = [query for query in queries if len(query.pairs(ranker)[0])]
    pairs = sum(len(query.pairs(ranker)[0]) for query in used)
    if not used:
        return RankerBiases(
            ranker, 0, 0, 0, (), (), "no query has a pair that rankers order differently"
        )
    terms, properties = (_collected(ranker, used, kind) for kind in ("term", "property"))
    of_terms, tested = _measured(terms, seed)
    found = _held(ranker, used, [*_measured(properties, seed)[0], *of_terms], seed)
    reason = ""
    if len(used) < MIN_QUERIES:
        reason = f"{_count(len(used))} with disagreements, and at least {MIN_QUERIES} are needed"
    elif not tested:
        reason = f"no term could stand out among {len(terms.names)} by {_count(len(used))}"
    return RankerBiases(
        ranker,
        len(used),
        pairs,
        tested,
        tuple(bias for bias in found if bias.kind == "term"),
        tuple(bias for bias in found if bias.kind == "property"),
        reason,
    )


def _count(queries: int) -> str:
    return "1 query" if queries == 1 else f"{queries} queries"


def _collected(ranker: str, queries: Sequence[Query], kind: str) -> _Tested:
    """The shares of each query; of terms, those that enough queries tell something about."""
    shares = [query.counted(ranker) / len(query.pairs(ranker)[0]) for query in queries]
    held: dict[str, list[tuple[int, int]]] = {}
    for number, (query, (more, less)) in enumerate(zip(queries, shares, strict=True)):
        for (one, name), place in query.place.items():
            if one == kind and more[place] + less[place] > 0:
                held.setdefault(name, []).append((number, place))
    least = min(MIN_QUERIES, max(2, len(queries))) if kind == "term" else 1
    names = sorted(name for name, places in held.items() if len(places) >= least)
    both = np.full((2, len(queries), len(names)), np.nan)
    for column, name in enumerate(names):
        for number, place in held[name]:
            both[:, number, column] = shares[number][:, place]
    holding = [
        {text for number, place in held[name] for text in queries[number].holding(place)}
        for name in names
    ]
    return _Tested(kind, tuple(names), both[0], both[1], tuple(map(len, holding)))


def _measured(tested: _Tested, seed: int) -> tuple[list[Bias], int]:
    """Those worth showing, with p values that know of all that were tested, and how many those are."""
    if not tested.names:
        return [], 0
    net = tested.net
    number = np.count_nonzero(~np.isnan(net), axis=0)
    means = np.nanmean(net, axis=0)
    known = number >= _least_queries(number, tested.kind)
    p = np.where(known, sign_flips(np.nan_to_num(net), seed), np.nan)
    adjusted = p.copy()
    if known.any():
        adjusted[known] = false_discovery_rate(p[known])
    order = np.lexsort((np.array(tested.names), -means))
    kept = set(np.flatnonzero(adjusted <= LEVEL).tolist())
    kept |= {*order[:SHOWN].tolist(), *order[-SHOWN:].tolist()}
    found = []
    for i in order.tolist():
        if i in kept:
            values = net[~np.isnan(net[:, i]), i]
            estimate = bootstrap(values, seed, (-1.0, 1.0))
            found.append(
                Bias(
                    tested.names[i], tested.kind, estimate.mean, estimate.low, estimate.high,
                    float(np.nanmean(tested.more[:, i])), float(np.nanmean(tested.less[:, i])),
                    estimate.n, float(p[i]), float(adjusted[i]), documents=tested.documents[i],
                )
            )  # fmt: skip
    return found, int(known.sum())


def _least_queries(number: npt.NDArray[np.intp], kind: str) -> float:
    """How many queries a term must separate pairs of, so that it could stand out among those tested.

    All signs alike in n queries have p = 2^(1 - n), to be multiplied by the number of tests: what
    cannot stand out is not tested and costs the others nothing (Tarone 1990).
    """
    if kind == "property":
        return MIN_QUERIES
    for least in range(MIN_QUERIES, int(number.max()) + 1):
        if np.count_nonzero(number >= least) * 2.0 ** (1 - least) <= LEVEL:
            return least
    return math.inf


def _held(ranker: str, queries: Sequence[Query], found: list[Bias], seed: int) -> list[Bias]:
    """The biases, with what is left of each beside the stronger ones."""
    out = sorted((b for b in found if b.stands_out), key=lambda b: -abs(b.net))[:MOST_TESTED_AGAIN]
    if not out:
        return found
    keys = [(bias.kind, bias.name) for bias in out]
    means, products = _moments(ranker, queries, keys)
    number = len(out)
    said = products[:, range(number), range(number)] > 0  # queries that something separates pairs of
    whole = np.array([means[said[:, i], i].mean() for i in range(number)])
    taken: list[int] = []
    left = means[:, :number]
    beyond = whole.copy()
    while True:
        net = np.array([left[said[:, i], i].mean() for i in range(number)])
        rest = [i for i in range(number) if i not in taken]
        beyond[rest] = net[rest]
        p = sign_flips(left, seed)
        own = [i for i in rest if p[i] <= LEVEL and net[i] / whole[i] >= OWN]
        if not own:
            break
        taken.append(max(own, key=lambda i: abs(net[i])))
        columns = [*taken, *(i + number for i in taken)]
        total, mean = products.mean(axis=0)[np.ix_(columns, columns)], means.mean(axis=0)[columns]
        weights = np.linalg.lstsq(total, mean, rcond=1e-9)[0]
        left = means[:, :number] - products[:, :number, columns] @ weights
        left[~said] = 0.0
    changed = {
        key: dataclasses.replace(bias, beyond=float(value), holds=i in taken)
        for i, (key, bias, value) in enumerate(zip(keys, out, beyond.tolist(), strict=True))
    }
    return [changed.get((bias.kind, bias.name), bias) for bias in found]


def _moments(
    ranker: str, queries: Sequence[Query], keys: Sequence[tuple[str, str]]
) -> tuple[Floats, Floats]:
    """(Q, 2k) means over the pairs of each query, and (Q, 2k, 2k) of products.

    Of signs, then of amounts: a document ten times as long is another matter than one a word longer.
    """
    number = len(keys)
    means = np.zeros((len(queries), 2 * number))
    products = np.zeros((len(queries), 2 * number, 2 * number))
    for place, query in enumerate(queries):
        here = [i for i, key in enumerate(keys) if key in query.place]
        both = query.differences(ranker, [query.place[keys[i]] for i in here])
        columns = [*here, *(i + number for i in here)]
        means[place, columns] = both.mean(axis=0)
        products[np.ix_([place], columns, columns)] = (both.T @ both / len(both))[None]
    return means, products


def _mirrored(one: RankerBiases, ranker: str) -> RankerBiases:
    """The biases of the other one of two rankers."""

    def turned(biases: Iterable[Bias]) -> tuple[Bias, ...]:
        found = [
            dataclasses.replace(
                bias, net=-bias.net, low=-bias.high, high=-bias.low, more=bias.less, less=bias.more,
                beyond=-bias.beyond,
            )
            for bias in biases
        ]  # fmt: skip
        return tuple(found[::-1])

    return dataclasses.replace(
        one, ranker=ranker, terms=turned(one.terms), properties=turned(one.properties)
    )

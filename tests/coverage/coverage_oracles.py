"""Slow, obvious versions of what the coverage solvers compute, and problems to try them on."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import strategies as st

from intentx.preferences import Pairs, PreferenceMatrices, TermScores


def slow_vote(matrices, pair, indices):
    values, scale = matrices.scores.values, matrices.scale
    high, low = int(matrices.pairs.high[pair]), int(matrices.pairs.low[pair])
    vote = 0.0
    for ranker in range(len(values)):
        difference = math.fsum(
            (values[ranker, t, high] - values[ranker, t, low]) / scale[ranker] for t in indices
        )
        vote += math.tanh(difference)
    return vote


def slow_value(matrices, indices, softness=0.0, soft_share=1.0):
    weight = matrices.pairs.weight
    total = reached = 0.0
    for pair in range(matrices.n_pairs):
        one = 1.0 if weight is None else float(weight[pair])
        excess = slow_vote(matrices, pair, indices) - matrices.margin
        total += one
        strict = one if excess > 0 else 0.0
        soft = one / (1.0 + math.exp(-excess / softness)) if softness else strict
        reached += (1 - soft_share) * strict + soft_share * soft
    return reached / total


def brute_force(matrices, most, least=1, softness=0.0, soft_share=1.0):
    """Highest value of all sets."""
    return max(
        slow_value(matrices, one, softness, soft_share)
        for size in range(least, min(most, matrices.n_terms) + 1)
        for one in itertools.combinations(range(matrices.n_terms), size)
    )


def make(seed, rankers=3, terms=7, documents=6, pairs=11, *, weighted=False, sparse=False, margin=1e-9):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(rankers, terms, documents))
    if sparse:  # small whole numbers, many zeros: many exact ties
        values = generator.integers(0, 3, size=values.shape) * (generator.random(values.shape) < 0.4)
    high, low = np.triu_indices(documents, 1)
    chosen = np.sort(generator.choice(len(high), size=min(pairs, len(high)), replace=False))
    weight = generator.uniform(0.5, 3.0, size=len(chosen)) if weighted else None
    scores = TermScores(np.asarray(values, dtype=float))
    return PreferenceMatrices(scores, Pairs(high[chosen], low[chosen], weight), margin=margin)


matrices = st.builds(
    make,
    seed=st.integers(0, 10_000),
    rankers=st.integers(1, 3),
    terms=st.integers(1, 8),
    documents=st.integers(2, 6),
    pairs=st.integers(1, 13),
    weighted=st.booleans(),
    sparse=st.booleans(),
    margin=st.sampled_from([1e-9, 0.05, 0.7]),
)

"""The selection problems that the benchmarks share: one place to change where they come from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from intentx.preferences import Pairs, PreferenceMatrices, TermScores

__all__ = ["generated_scores", "problems"]

Floats = npt.NDArray[np.float64]


def problems(
    queries: int = 43,
    *,
    documents: int = 100,
    terms: int = 200,
    pairs: int | None = None,
    rankers: int = 3,
    seed: int = 0,
) -> Iterator[tuple[str, PreferenceMatrices]]:
    """Name and matrices of each problem; ``pairs`` drawn at random, None for all of them."""
    for query in range(queries):
        values = generated_scores(documents, terms, np.random.default_rng([seed, query]))[:rankers]
        high, low = np.triu_indices(documents, 1)
        if pairs is not None and pairs < len(high):
            generator = np.random.default_rng([seed, query, 1])
            drawn = np.sort(generator.choice(len(high), size=pairs, replace=False))
            high, low = high[drawn], low[drawn]
        yield f"generated-{query}", PreferenceMatrices(TermScores(values), Pairs(high, low))


def generated_scores(documents: int, terms: int, generator: np.random.Generator) -> Floats:
    """(3, T, N) scores as of text matching, position and semantic rankers; documents sorted.

    Words follow Zipf's law around three topics. The ranking is by a hidden mixture of topics, a
    few hidden words, and as much noise.
    """
    topics, dimensions, length = 3, 24, 60
    centres = generator.normal(size=(topics, dimensions))
    words = centres[generator.integers(topics, size=terms)] + generator.normal(size=(terms, dimensions))
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    mixture = generator.dirichlet(np.full(topics, 0.7), size=documents)
    taste = np.exp(1.5 * words @ (mixture @ centres).T / np.sqrt(dimensions))  # (T, N)
    frequency = taste / (1 + generator.permutation(terms))[:, None] ** 0.8
    counts = generator.poisson(length * frequency / frequency.sum(axis=0))
    lengths = np.maximum(counts.sum(axis=0), 1)
    matching = counts / lengths
    position = (counts > 0) * generator.beta(1.0, 2.0, size=counts.shape) * np.log1p(counts)
    semantic = ((1 + words @ words.T) / 2) @ matching
    hidden = generator.choice(terms, size=6, replace=False)
    parts = [mixture @ generator.normal(size=topics), matching[hidden].sum(axis=0)]
    parts.append(generator.normal(size=documents))
    score = sum((part - part.mean()) / (part.std() or 1.0) for part in parts)
    order = np.argsort(-np.asarray(score), kind="stable")
    return np.stack([matching, position, semantic])[:, :, order]

"""Rankers that are a sum over words, and documents to plant them in: the truth is known exactly."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np

import intentx as ix

ANALYZER = ix.Analyzer(stopwords=frozenset())  # these rankers read every word


class Linear:
    """A document's score: the weight of every occurrence of a word, and a constant."""

    def __init__(self, weights, constant=0.0):
        self.weights, self.constant = dict(weights), constant

    def __call__(self, query, texts):
        tokens = (ANALYZER.tokens(text) for text in texts)
        return [self.constant + sum(self.weights.get(t.term, 0.0) for t in some) for some in tokens]


class LinearInLists(Linear):
    """The same less the mean of the list: the scores of a list depend on each other."""

    listwise = True

    def __call__(self, query, texts):
        scores = np.array(super().__call__(query, texts))
        return scores - scores.mean()


def chaotic(query, texts):
    """A number between -1 and 1 for each set of words: every interaction there can be."""

    def number(text):
        words = " ".join(sorted(Counter(t.term for t in ANALYZER.tokens(text))))
        digest = hashlib.blake2b(f"{query}|{words}".encode(), digest_size=6).digest()
        return int.from_bytes(digest, "big") / 2**47 - 1

    return [number(text) for text in texts]


def written(generator, words, most=3):
    """Each of the words one to ``most`` times, shuffled."""
    flat = [word for word in words for _ in range(generator.integers(1, most + 1))]
    return " ".join(flat[i] for i in generator.permutation(len(flat)))


def planted(seed, documents=24, vocabulary=60, words=25):
    """Four words for and four against, weighing 0.5 to 2, and documents of random words.

    Document "0" has all of the planted ones.
    """
    generator = np.random.default_rng(seed)
    names = np.array([f"word{i}" for i in range(vocabulary)])
    order = generator.permutation(vocabulary)
    signs = np.repeat([1, -1], 4)
    weights = dict(zip(names[order[:8]], signs * generator.uniform(0.5, 2, 8), strict=True))
    texts = [written(generator, names[order[:words]])]
    texts += [
        written(generator, names[generator.permutation(vocabulary)[:words]])
        for _ in range(documents - 1)
    ]
    return {str(name): float(w) for name, w in weights.items()}, texts


def frequencies(text):
    return Counter(token.term for token in ANALYZER.tokens(text))


def found_rightly(explanation, weights):
    """Of the first words, as many as were planted: the share planted, with the right sign."""
    first = list(zip(explanation.terms, explanation.weights, strict=True))[: len(weights)]
    return float(np.mean([np.sign(w) == np.sign(weights.get(term, 0.0)) != 0 for term, w in first]))


def weights_of(explanation):
    return dict(zip(explanation.terms, explanation.weights, strict=True))

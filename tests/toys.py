"""Scorers and rankings small enough to know everything about."""

from __future__ import annotations

import numpy as np

from intentx import Analyzer, Ranking
from intentx.text import TextIndex


class Counting:
    """Passes texts on to a scorer and keeps every call."""

    def __init__(self, scorer=None):
        self.scorer = scorer or by_length
        self.calls = []

    def __call__(self, query, texts):
        self.calls.append((query, list(texts)))
        return self.scorer(query, texts)

    @property
    def texts(self):
        return [text for _, texts in self.calls for text in texts]


def by_length(query, texts):
    return [float(len(text)) for text in texts]


class Listwise(Counting):
    """A text's score depends on the others: its length less the mean length of the list."""

    listwise = True

    def __init__(self):
        super().__init__(
            lambda query, texts: np.array([len(t) for t in texts]) - np.mean([*map(len, texts)])
        )


class Failing(Counting):
    """Raises when a text holds the word; counts the calls that raised, too."""

    def __init__(self, word="poison", error=ValueError):
        super().__init__()
        self.word, self.error = word, error

    def __call__(self, query, texts):
        scores = super().__call__(query, texts)
        if any(self.word in text for text in texts):
            raise self.error("cannot read this")
        return scores


def returning(answer):
    """A scorer that returns ``answer``, or what it gives for the texts."""
    return lambda query, texts: answer(texts) if callable(answer) else answer


def spoiled(word, value):
    """By length, but ``value`` for texts that hold the word."""
    return lambda query, texts: [value if word in text else float(len(text)) for text in texts]


class Planted:
    """The black box *is* a simple ranker over known terms; statistics come from ``collection``."""

    def __init__(self, simple_ranker, terms, collection, analyzer=None):
        self.simple_ranker, self.terms = simple_ranker, tuple(terms)
        self.background = TextIndex(collection, analyzer or Analyzer())

    def __call__(self, query, texts):
        index = TextIndex(texts, self.background.analyzer, self.background)
        return self.simple_ranker.term_scores(self.terms, index).sum(axis=0)


def ranked(texts, scores=None, query="piano keys"):
    """A recorded ranking of texts, the first best unless scores say otherwise."""
    scores = -np.arange(float(len(texts))) if scores is None else np.asarray(scores, dtype=float)
    return Ranking(query, tuple(f"d{i}" for i in range(len(texts))), tuple(texts), scores)


def sentences_of(generator, words, counts):
    """A document with ``counts[i]`` times ``words[i]``, shuffled, in sentences of 2 to 5 words."""
    flat = [word for word, count in zip(words, counts, strict=True) for _ in range(count)]
    flat = [flat[i] for i in generator.permutation(len(flat))]
    sentences = []
    while flat:
        size = int(generator.integers(2, 6))
        sentences.append(" ".join(flat[:size]).capitalize() + ".")
        flat = flat[size:]
    return " ".join(sentences)


def random_documents(seed, number, words, most=4, absent=0.5):
    """Texts that lack each word with probability ``absent``, else hold it up to ``most`` times."""
    generator = np.random.default_rng(seed)
    counts = generator.integers(1, most + 1, (number, len(words)))
    counts *= generator.random(counts.shape) >= absent
    counts[counts.sum(axis=1) == 0, 0] = 1
    return [sentences_of(generator, words, row) for row in counts]


MUSIC = ["piano", "hammer", "pedal", "chord", "melody"]
COMPUTER = ["laptop", "typing", "switch", "shortcut", "layout"]
COMMON = ["keyboard", "review", "price", "size", "colour", "sound", "desk", "shop"]


def keyboards(seed=0, number=24):
    """Reviews of two kinds of keyboards, with a scorer that prefers the musical ones."""
    texts = random_documents(seed, number, MUSIC + COMPUTER + COMMON, absent=0.7)
    return texts, Counting(
        lambda query, batch: [
            sum(t.lower().count(w) for w in MUSIC)
            - 0.3 * sum(t.lower().count(w) for w in COMPUTER)
            + 0.001 * len(t)
            for t in batch
        ]
    )


def named(scorer, fingerprint="toy 1"):
    """A scorer whose scores may be remembered on disk."""
    scorer.fingerprint = fingerprint
    return scorer

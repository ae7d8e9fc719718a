"""Features of a text for a query that a person can follow, for rankers that are learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.documents import Documents
from intentx.errors import InputError
from intentx.preferences.simple_rankers import TextMatching
from intentx.rankers.features.matches import CollectionStatistics, Matches
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.watch import Same, Watch
from intentx.text import Analyzer

__all__ = ["FEATURES", "TextFeatures"]

Floats = npt.NDArray[np.float64]

BM25 = TextMatching("bm25")
TF = TextMatching("tf")
LM = TextMatching("lm", mu=100.0)  # passages are short: 1,000 tokens of smoothing would drown them
OPENING = 10  # terms
NEAR = 8  # terms, the window of Metzler & Croft (2005)

# Each takes the Matches of N texts and returns (N,) finite numbers; the first line of its
# docstring describes it to people. Each query term counts once, however often the query has it.


def bm25(m: Matches) -> Floats:
    """BM25, summed over the query terms."""
    return np.asarray(m.weighted(BM25).sum(axis=0))


def tf_idf(m: Matches) -> Floats:
    """Share of the text that is a query term, times the term's idf, summed."""
    return np.asarray(m.idf @ m.weighted(TF))


def lm_dirichlet(m: Matches) -> Floats:
    """Log likelihood of the query terms by a smoothed language model, against the collection's."""
    return np.asarray(m.weighted(LM).sum(axis=0))


def matches(m: Matches) -> Floats:
    """Occurrences of query terms."""
    return np.asarray(m.counts.sum(axis=0))


def match_share(m: Matches) -> Floats:
    """Share of the text that is a query term."""
    return np.asarray(m.weighted(TF).sum(axis=0))


def coverage(m: Matches) -> Floats:
    """Query terms that the text holds."""
    return np.asarray(m.held.sum(axis=0, dtype=np.float64))


def coverage_share(m: Matches) -> Floats:
    """Share of the query terms that the text holds."""
    return np.asarray(coverage(m) / max(len(m.terms), 1))


def coverage_idf(m: Matches) -> Floats:
    """Share of the query terms that the text holds, weighted by idf."""
    return np.asarray(m.idf @ m.held / _total_idf(m))


def idf_max(m: Matches) -> Floats:
    """Largest idf of a query term that the text holds."""
    return np.asarray((m.idf[:, None] * m.held).max(axis=0, initial=0.0))


def idf_min(m: Matches) -> Floats:
    """Least idf of a query term that the text holds."""
    least = np.where(m.held, m.idf[:, None], np.inf).min(axis=0, initial=np.inf)
    return np.where(np.isfinite(least), least, 0.0)


def idf_mean(m: Matches) -> Floats:
    """Mean idf of the query terms that the text holds."""
    return np.asarray(m.idf @ m.held / np.maximum(coverage(m), 1.0))


def idf_missed(m: Matches) -> Floats:
    """Largest idf of a query term that the text lacks."""
    return np.asarray((m.idf[:, None] * ~m.held).max(axis=0, initial=0.0))


def window(m: Matches) -> Floats:
    """Terms in the shortest stretch with every query term that the text holds."""
    return m.window


def window_share(m: Matches) -> Floats:
    """Query terms that the text holds, over the terms in the shortest stretch with all of them."""
    return np.asarray(coverage(m) / np.maximum(m.window, 1.0))


def closest(m: Matches) -> Floats:
    """Distance in terms of the closest two different query terms (Tao & Zhai 2007)."""
    return m.closest


def bigrams(m: Matches) -> Floats:
    """Share of the query's pairs of neighbours that are neighbours in the text, in order."""
    return m.bigrams


def near_pairs(m: Matches) -> Floats:
    """Share of the query's pairs of neighbours within eight terms, in any order."""
    return m.near(NEAR)


def longest_phrase(m: Matches) -> Floats:
    """Terms of the longest stretch of the query that the text has word for word."""
    return m.longest_phrase


def exact_phrase(m: Matches) -> Floats:
    """1 where the text has the whole query word for word (stopwords aside), else 0."""
    return np.asarray((m.longest_phrase == max(len(m.sequence), 1)) * 1.0)


def first_match(m: Matches) -> Floats:
    """Terms in front of the first query term."""
    return m.first


def first_match_share(m: Matches) -> Floats:
    """Share of the text in front of the first query term."""
    return np.where(m.lengths > 0, m.first / np.maximum(m.lengths, 1), 1.0)


def last_match_share(m: Matches) -> Floats:
    """Share of the text up to the last query term."""
    return np.asarray(m.last / np.maximum(m.lengths, 1))


def opening_coverage(m: Matches) -> Floats:
    """Share of the query terms that the first ten terms of the text hold."""
    return np.asarray(m.held_before(OPENING).sum(axis=0) / max(len(m.terms), 1))


def best_sentence(m: Matches) -> Floats:
    """Largest share of the query terms that one sentence holds, weighted by idf."""
    return np.asarray(m.best_sentence / _total_idf(m))


def length(m: Matches) -> Floats:
    """Terms of the text."""
    return m.lengths.astype(np.float64)


def distinct_share(m: Matches) -> Floats:
    """Different terms over all terms of the text."""
    return np.asarray(m.distinct / np.maximum(m.lengths, 1))


def sentences(m: Matches) -> Floats:
    """Sentences of the text."""
    return m.sentence_counts.astype(np.float64)


def question_marks(m: Matches) -> Floats:
    """Question marks in the text."""
    return m.question_marks.astype(np.float64)


def digit_share(m: Matches) -> Floats:
    """Share of the characters that are digits."""
    return np.asarray(m.digits / np.maximum(m.characters, 1))


def _total_idf(m: Matches) -> float:
    return max(float(m.idf.sum()), 1e-12)


FEATURES: dict[str, Callable[[Matches], Floats]] = {
    feature.__name__: feature
    for feature in (
        bm25,
        tf_idf,
        lm_dirichlet,
        matches,
        match_share,
        coverage,
        coverage_share,
        coverage_idf,
        idf_max,
        idf_min,
        idf_mean,
        idf_missed,
        window,
        window_share,
        closest,
        bigrams,
        near_pairs,
        longest_phrase,
        exact_phrase,
        first_match,
        first_match_share,
        last_match_share,
        opening_coverage,
        best_sentence,
        length,
        distinct_share,
        sentences,
        question_marks,
        digit_share,
    )
}


class TextFeatures:
    """Features of texts for a query: a callable ``(query, texts) -> (N, F)`` with names.

    A text's row depends on the query, the text and the collection's statistics, not on the texts
    beside it. Reading a text costs its length, and the terms of the last 8,192 texts are
    remembered; for texts that are remembered, features of T terms in all texts, M of them
    occurrences of Q query terms, cost O(T + M Q).

    Parameters
    ----------
    collection
        Texts that document frequencies, term frequencies and the mean length are taken from, or
        statistics taken before. Texts picked for their query terms, such as the candidates of
        those very queries, make these terms look common; take others where you can.
    analyzer
        How texts become terms; by default English stems, stopwords left out.
    names
        Which of `FEATURES`, and in which order; None: all.

    Raises
    ------
    InputError
        If the collection holds no term, a name is unknown, or the analyzer makes n-grams.

    Examples
    --------
    >>> features = TextFeatures(["green tea", "a grand piano"], names=["coverage", "first_match"])
    >>> features("tea pots", ["A pot of green tea.", "Tea.", "Boats."]).tolist()
    [[2.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    >>> features.descriptions["coverage"]
    'Query terms that the text holds.'
    """

    def __init__(
        self,
        collection: Documents | CollectionStatistics,
        *,
        analyzer: Analyzer | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        if isinstance(collection, str):
            raise InputError("a collection is several texts, not one string")
        self.analyzer = analyzer or Analyzer(stem="english")
        if self.analyzer.ngrams != 1:
            raise InputError("text features need an analyzer with ngrams=1: places count single words")
        self.names = tuple(FEATURES if names is None else names)
        unknown = [name for name in self.names if name not in FEATURES]
        if unknown or not self.names or len(set(self.names)) < len(self.names):
            problem = f"no feature {unknown[0]!r}" if unknown else "names must be different, one or more"
            raise InputError(f"{problem}; choose of: {', '.join(FEATURES)}")
        if not isinstance(collection, CollectionStatistics):
            collection = CollectionStatistics.from_texts(collection, self.analyzer)
        if not collection.tokens:
            raise InputError("a collection with at least one word that is not a stopword is needed")
        self.statistics = collection
        self._watch = Watch()

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        found = Matches(query, texts, self.analyzer, self.statistics)
        return np.stack([FEATURES[name](found) for name in self.names], axis=1)

    @property
    def descriptions(self) -> Mapping[str, str]:
        """What each feature is, in a sentence."""
        return {name: (FEATURES[name].__doc__ or "").partition("\n")[0] for name in self.names}

    @property
    def fingerprint(self) -> str:
        """Stands for the features, the analyzer and the collection's statistics as they are now."""
        quick = self.names, Same(self.analyzer), Same(self.statistics)
        return self._watch.text(
            self._watch.look(quick, lambda: None, thorough=False),
            lambda: fingerprint_of({**self.settings(), "statistics": self.statistics.to_dict()}),
        )

    def settings(self) -> dict[str, Any]:
        """Plain data for JSON: everything but the statistics."""
        return {"names": list(self.names), "analyzer": self.analyzer.to_dict()}

"""Rankers that say themselves what they look for, to hold explanations against."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from intentx.documents import Documents, documents_in
from intentx.errors import InputError
from intentx.rankers.bm25 import BM25
from intentx.rankers.fingerprint import fingerprint_of
from intentx.search import SearchIndex
from intentx.text import Analyzer

__all__ = ["RM3", "LanguageModel"]

Floats = npt.NDArray[np.float64]


class LanguageModel:
    """Query likelihood with Dirichlet smoothing (Zhai & Lafferty, TOIS 2004).

    Parameters
    ----------
    collection
        Texts that the probabilities of terms are taken from.
    analyzer
        How texts become terms; by default English stems, stopwords left out.
    mu
        Weight of the collection, in terms; above 0.

    Notes
    -----
    The sum over the query's terms that the collection holds of ``ln((tf + mu p) / (length + mu))``,
    less the same for an empty text: 0 for a text without any of them and without length.

    Examples
    --------
    >>> model = LanguageModel(["green tea", "black tea", "a piano"])
    >>> model("tea", ["green tea", "a piano"]).round(4).tolist(), dict(model.term_weights("tea room"))
    ([0.0005, -0.001], {'tea': 1.0})
    """

    def __init__(
        self, collection: Documents, *, analyzer: Analyzer | None = None, mu: float = 1000.0
    ) -> None:
        if not 0 < mu < math.inf:
            raise InputError(f"mu must be above 0, not {mu!r}")
        self.analyzer = analyzer or Analyzer(stem="english")
        self.mu = mu
        self._counts = Counter(
            token.term for one in documents_in(collection) for token in self.analyzer.tokens(one.text)
        )
        self._total = self._counts.total()
        if not self._total:
            raise InputError("a language model needs a collection with a word that is no stopword")

    @property
    def fingerprint(self) -> str:
        """Stands for the settings and the collection's statistics."""
        settings = {"mu": self.mu, "analyzer": self.analyzer.to_dict()}
        return fingerprint_of({"ranker": "LanguageModel", **settings, "counts": dict(self._counts)})

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        asked = [token.term for token in self.analyzer.tokens(query) if token.term in self._counts]
        share = np.array([self._counts[term] / self._total for term in asked])
        rows = [Counter(token.term for token in self.analyzer.tokens(text)) for text in texts]
        tf = np.array([[row[term] for term in asked] for row in rows], dtype=np.float64)
        tf = tf.reshape(len(texts), len(asked))
        length = np.array([row.total() for row in rows], dtype=np.float64)
        shorter = len(asked) * np.log(self.mu / (length + self.mu))
        return np.asarray(np.log1p(tf / (self.mu * share)).sum(axis=1) + shorter)

    def term_weights(self, query: str) -> Mapping[str, float]:
        """What it looks for: the query's terms that the collection holds, and their times."""
        times = Counter(token.term for token in self.analyzer.tokens(query))
        return {term: float(n) for term, n in times.items() if term in self._counts}


class RM3:
    """BM25 with pseudo-relevance feedback: the query, and terms of the best documents for it.

    Relevance model 3 (Abdul-Jaleel et al., TREC 2004) over BM25, with the defaults of Anserini. The
    feedback comes from a search of the collection; any text can then be scored.

    Parameters
    ----------
    collection
        What is searched, and where statistics come from.
    analyzer
        How texts become terms; by default English stems, stopwords left out.
    documents, terms
        Documents that feedback comes from, and terms that are taken from them.
    original
        Weight of the query, in [0, 1]; that of the feedback is the rest.

    Examples
    --------
    >>> rm3 = RM3(["green tea leaf", "black tea leaf", "a piano", "a boat"], terms=2)
    >>> dict(rm3.term_weights("tea"))
    {'tea': 0.75, 'leaf': 0.25}
    """

    def __init__(
        self,
        collection: Documents,
        *,
        analyzer: Analyzer | None = None,
        documents: int = 10,
        terms: int = 10,
        original: float = 0.5,
    ) -> None:
        if documents < 1 or terms < 1 or not 0 <= original <= 1:
            raise InputError(
                "RM3 needs 1 document and 1 term of feedback or more, and a weight of the query from 0 "
                f"to 1, not {documents!r}, {terms!r} and {original!r}"
            )
        known = list(documents_in(collection))
        self.analyzer = analyzer or Analyzer(stem="english")
        self.documents, self.terms, self.original = documents, terms, original
        self._index = SearchIndex.build(known, analyzer=self.analyzer)
        self._bm25 = BM25(known, analyzer=self.analyzer)

    @property
    def fingerprint(self) -> str:
        """Stands for the settings and the collection."""
        settings = {"documents": self.documents, "terms": self.terms, "original": self.original}
        return fingerprint_of({"ranker": "RM3", **settings, "index": self._index.fingerprint})

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        intent = self.term_weights(query)
        if not intent:
            return np.zeros(len(texts))
        return np.array(list(intent.values())) @ self._bm25.term_scores(list(intent), texts)

    def term_weights(self, query: str) -> Mapping[str, float]:
        """What it looks for: terms and their weights, which sum to 1; the heaviest first."""
        own = Counter(token.term for token in self.analyzer.tokens(query))
        hits = self._index.search(query, self.documents)
        kept = hits.scores > 0
        weight = hits.scores[kept] / (hits.scores[kept].sum() or 1.0)
        model: dict[str, float] = defaultdict(float)
        found = [doc_id for doc_id, keep in zip(hits.ids, kept.tolist(), strict=True) if keep]
        for doc_id, share in zip(found, weight.tolist(), strict=True):
            row = Counter(
                token.term for token in self.analyzer.tokens(self._index.document(doc_id).text)
            )
            for term, times in row.items():
                model[term] += share * times / row.total()
        best = sorted(model.items(), key=lambda one: (-one[1], one[0]))[: self.terms]
        total = sum(value for _, value in best) or 1.0
        both: dict[str, float] = defaultdict(float)
        original = self.original if best else 1.0
        for term, times in own.items():
            both[term] += original * times / own.total()
        for term, value in best:
            both[term] += (1 - original) * value / total
        return dict(sorted(both.items(), key=lambda one: (-one[1], one[0])))

"""`QueryCounterfactual`: the smallest change of the query that moves a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from intentx.checks import Count, Size
from intentx.errors import InputError
from intentx.explainers.change.edits import Edit
from intentx.explainers.change.explanation import Of
from intentx.explainers.change.forms import written_forms
from intentx.explainers.change.goals import Outcome, Target
from intentx.explainers.change.method import ChangeMethod, Task
from intentx.explainers.document.subject import every_word
from intentx.perturbation import within_limit
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex
from intentx.text.letters import is_telling

__all__ = ["QueryCounterfactual"]

ADDED, REPLACED = 30, 5  # words that may be added; that may stand for each one
QueryEdit = Literal["drop", "add", "replace"]


@dataclass(frozen=True, kw_only=True)
class QueryCounterfactual(ChangeMethod):
    """The smallest change of the query that moves a document out of the first k, or into them.

    Each changed query ranks all documents anew, so that one costs as many texts as there are documents.

    Parameters
    ----------
    goal, k, rank, most, robust, seconds, analyzer, seed
        As in `intentx.Counterfactual`.
    edits
        ``"drop"`` a word of the query, ``"add"`` one, ``"replace"`` one by a near word. Where the
        document is to rise, words of it are added, else words of the other documents.
    prove, budget
        Most changed queries to ask about, in the proof and in the search.
    vectors
        What says which words are near; None: learned from the documents.

    Examples
    --------
    >>> from intentx import rank
    >>> texts = {"a": "piano tea", "b": "piano milk", "c": "milk"}
    >>> match = lambda query, some: [sum(t.count(w) for w in query.split()) for t in some]
    >>> ranking = rank(match, "piano tea", texts)
    >>> found = QueryCounterfactual(goal="leave", k=1, edits=("drop", "add")).explain(ranking, "a")
    >>> found.edited_text, found.rank_before, found.rank_after
    ('piano milk', 1, 2)
    """

    edits: tuple[QueryEdit, ...] = ("drop", "add", "replace")
    prove: Count = 100
    budget: Size = 100
    vectors: TermVectors | None = None

    def _check(self) -> None:
        super()._check()
        if not self.edits:
            raise InputError(f"{self.name}: edits must name at least one of 'drop', 'add', 'replace'")

    @property
    def _of(self) -> Of:
        return "query"

    def _task(self, ranking: Ranking, target: Target) -> Task:
        query, position = ranking.query, target.position
        tokens = every_word(self.analyzer).tokens(query)
        places: dict[str, tuple[tuple[int, int], ...]] = {}
        for token in tokens:
            places[token.term] = (*places.get(token.term, ()), (token.start, token.end))
        found: list[tuple[Edit, float]] = []
        content = set(self.analyzer.terms(query))
        if "drop" in self.edits:
            found += [
                (Edit("remove", query[s[0][0] : s[0][1]], s), 10.0 + (term in content))
                for term, s in places.items()
            ]
        index = TextIndex([within_limit(t, self.analyzer)[0] for t in ranking.texts], self.analyzer)
        held = index.counts.toarray() > 0
        here = held[:, position] if len(held) else np.zeros(0, dtype=bool)
        rare = np.log1p(len(ranking) / np.maximum(held.sum(axis=1), 1))
        telling = [term not in places and is_telling(term) for term in index.vocabulary]
        wanted = (here if target.rises else ~here) & np.array(telling, dtype=bool)
        if "add" in self.edits:
            worth = rare if target.rises else rare * held[:, : target.rank].sum(axis=1)
            best = [i for i in np.argsort(-worth, kind="stable").tolist() if wanted[i]][:ADDED]
            end, forms = len(query.rstrip()), written_forms(index.texts, self.analyzer)
            names = [forms[term] for term in index.vocabulary]
            found += [(Edit("insert", names[i], ((end, end),)), float(worth[i])) for i in best]
        if "replace" in self.edits:
            found += self._near(query, places, index)
        # A query without any word asks nothing.
        found = [one for one in found if one[0].kind != "remove" or len(places) > 1]
        if not found:
            raise InputError(
                f"the query {query!r} can be changed by none of {', '.join(self.edits)}; offer others: "
                "edits=, of drop, add, replace"
            )
        edits = tuple(edit for edit, _ in found)
        order = tuple(sorted(range(len(edits)), key=lambda i: (-found[i][1], i)))
        gaps = (0, *(token.end for token in tokens))
        asked = _Queries(ranking, target, every_word(self.analyzer))
        return Task(ranking, target, query, edits, order, gaps, asked, (), "query")

    def _near(
        self, query: str, places: dict[str, tuple[tuple[int, int], ...]], index: TextIndex
    ) -> list[tuple[Edit, float]]:
        """Near words of the documents for each word of the query."""
        vectors = self.vectors or TermVectors.from_lsa(index)
        terms = list(dict.fromkeys((*index.vocabulary, *places)))
        known, units = vectors.units(terms)
        forms = written_forms(index.texts, self.analyzer)
        names = [term for term, is_known in zip(terms, known.tolist(), strict=True) if is_known]
        found = []
        for term, spans in places.items():
            if term not in names:
                continue
            near = units @ units[names.index(term)]
            others = [j for j in np.argsort(-near, kind="stable").tolist() if names[j] not in places]
            old = query[spans[0][0] : spans[0][1]]
            found += [
                (Edit("replace", forms.get(names[j], names[j]), spans, "word", old), float(near[j]))
                for j in others[:REPLACED]
            ]
        return found


class _Queries:
    """Asks about changed queries; one without any word asks nothing, and reaches nothing."""

    def __init__(self, ranking: Ranking, target: Target, analyzer: Analyzer) -> None:
        self.ranking, self.target, self.analyzer = ranking, target, analyzer
        self.box = ranking.black_box("a counterfactual of the query")
        self.texts_each = len(ranking)

    def outcomes(self, texts: Sequence[str]) -> list[Outcome]:
        return [
            self._outcome(self.box(query, self.ranking.texts))
            if self.analyzer.terms(query)
            else self._unasked()
            for query in texts
        ]

    def again(self, text: str, *, others: bool = False) -> tuple[Outcome, int]:
        """The outcome of a query that is asked anew, and the texts that it was asked about."""
        return self._outcome(self.box.ask_again(text, self.ranking.texts)), self.texts_each

    def _outcome(self, scores: np.ndarray) -> Outcome:
        return self.target.outcome(float(scores[self.target.position]), scores)

    def _unasked(self) -> Outcome:
        position = self.target.position
        now = self.target.outcome(float(self.ranking.scores[position]), self.ranking.scores)
        return now._replace(margin=min(now.margin, 0.0))

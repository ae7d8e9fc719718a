"""`Counterfactual`: the smallest edits of a document that move it to where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from intentx.capabilities import one_look
from intentx.errors import InputError
from intentx.explainers.change.explanation import Of
from intentx.explainers.change.goals import Outcome, Target
from intentx.explainers.change.kept import Kept
from intentx.explainers.change.method import ChangeMethod, Task
from intentx.explainers.change.offered import DOWN, UP, Offer, Source, offered_edits
from intentx.explainers.document.subject import every_word
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Ranking

__all__ = ["Counterfactual"]

BETTER = 20  # documents, at most, whose words may be put in


@dataclass(frozen=True, kw_only=True)
class Counterfactual(ChangeMethod):
    """The smallest set of edits of a document that moves it out of the first k, into them, or elsewhere.

    The ranker is asked about edited documents: single edits, those that promise most first, then sets
    chosen by what it said of others. Then all smaller sets are asked about, as far as ``prove`` goes.

    Parameters
    ----------
    goal
        ``"leave"`` the first ``k``, or ``"enter"`` them; stand ``"below"`` or ``"above"`` another
        document, that is given to ``explain`` as ``above=``; or come to a ``"rank"``. A document that
        only ties with another is not past it.
    k, rank
        How many first documents; the rank to reach, from 1, for ``goal="rank"``.
    edits
        Kinds of edits: ``"remove-words"`` (a word, all its occurrences), ``"remove-sentences"``,
        ``"remove-passages"``; ``"insert-top-words"`` (words of better documents),
        ``"insert-query-words"``, ``"insert-own-words"`` (those of ``words``),
        ``"insert-sentences"`` (of better documents); ``"replace-words"`` by near ones. None: to
        rise, words of the query and of better documents are inserted, or ``words`` alone where they are
        given; to fall, words are removed.
    words
        Words of one's own to insert.
    keep
        Words that no edit removes, inserts or writes, in any form: ``"query"`` for those of the query,
        or a list.
    most
        How many different answers to look for.
    robust
        Whether an answer must hold at three quarters of the positions and orders of inserted words.
    prove
        Most edited documents to ask about in the proof that no smaller set is enough.
    budget
        Most edited documents to ask about in the search; of a listwise ranker each is a whole list. The
        rank after each change, asking again, and robustness come on top.
    seconds
        A limit in time, too; the answer then depends on how fast the machine is.
    vectors
        What says which words are near; None: learned from the documents.
    analyzer, seed
        How texts become words; for drawing positions and orders.

    Examples
    --------
    >>> from intentx import rank
    >>> texts = {"a": "grand piano keys", "b": "piano", "c": "a desk"}
    >>> ranking = rank(lambda query, some: [t.count("piano") + len(t) / 99 for t in some], "x", texts)
    >>> found = Counterfactual(goal="leave", k=1).explain(ranking, "a")
    >>> found.edited_text, found.rank_before, found.rank_after, found.status
    ('grand keys', 1, 2, 'minimal')
    """

    edits: tuple[Offer, ...] | None = None
    words: tuple[str, ...] | None = None
    keep: Literal["query"] | tuple[str, ...] | None = None
    vectors: TermVectors | None = None

    def _check(self) -> None:
        super()._check()
        if self.edits is not None and not self.edits:
            raise InputError(f"{self.name}: edits must name at least one kind")
        own = self.edits is not None and "insert-own-words" in self.edits
        if own and not self.words:
            raise InputError(f"{self.name}: 'insert-own-words' needs words=, a list of words")
        if self.words is not None and self.edits is not None and not own:
            raise InputError(f"{self.name}: words= needs 'insert-own-words' among edits")
        if self.words is not None and not all(word.strip() for word in self.words):
            raise InputError(f"{self.name}: words must not be blank, not {self.words!r}")

    @property
    def _of(self) -> Of:
        return "document"

    def _task(self, ranking: Ranking, target: Target) -> Task:
        position = target.position
        (read,), unknown = ranking.can.read(ranking.query, [ranking.texts[position]])
        notes = []
        if unknown:
            notes.append(f"whether the ranker reads the document to its end is unknown: {unknown}")
        text = ranking.texts[position]
        start = max(0, text.find(read))
        if read != text:
            notes.append(
                f"the ranker reads {len(read):,} of {len(text):,} characters: nothing is changed in the "
                "others"
            )
        kept_texts = [ranking.query] if self.keep == "query" else list(self.keep or ())
        source = Source(
            ranking, position, start, start + len(read), _better(ranking, target),
            every_word(self.analyzer), self.analyzer, Kept(kept_texts, self.analyzer),
            self.words or (), self.vectors,
        )  # fmt: skip
        offers = self.edits or (("insert-own-words",) if self.words else UP if target.rises else DOWN)
        offered = offered_edits(source, offers)
        if offered.left_alone:
            notes.append(f"{offered.left_alone} edits are not offered: they are of words to keep")
        gaps = (source.start, *(token.end for token in source.tokens))
        asked = _Versions(ranking, target)
        return Task(ranking, target, text, offered.edits, offered.order, gaps, asked, tuple(notes))


def _better(ranking: Ranking, target: Target) -> tuple[int, ...]:
    """Documents whose words may help: the one of a pair, then the first ones."""
    first = [] if target.other is None else [target.other]
    top = max(target.rank, 1) if target.other is None else BETTER
    others = range(min(top, BETTER, len(ranking)))
    return tuple(dict.fromkeys(i for i in (*first, *others) if i != target.position))


class _Versions:
    """Asks about versions of a document among the others."""

    def __init__(self, ranking: Ranking, target: Target) -> None:
        self.ranking, self.target = ranking, target
        self.box = ranking.black_box("a counterfactual")
        self.texts_each = len(ranking) if self.box.listwise else 1

    def outcomes(self, texts: Sequence[str]) -> list[Outcome]:
        if self.box.listwise:
            with one_look():
                lists = [self.box(self.ranking.query, self._list(text)) for text in texts]
            return [self._listed(scores) for scores in lists]
        scores = self.box(self.ranking.query, texts)
        return [self.target.outcome(float(one), self.ranking.scores) for one in scores]

    def again(self, text: str, *, others: bool = False) -> tuple[Outcome, int]:
        """The outcome of a text that is asked anew, the other documents as well or not; texts asked."""
        if self.box.listwise or others:
            scores = self.box.ask_again(self.ranking.query, self._list(text))
            return self._listed(scores), len(scores)
        [score] = self.box.ask_again(self.ranking.query, [text])
        return self.target.outcome(float(score), self.ranking.scores), 1

    def _list(self, text: str) -> list[str]:
        texts = list(self.ranking.texts)
        texts[self.target.position] = text
        return texts

    def _listed(self, scores: np.ndarray) -> Outcome:
        return self.target.outcome(float(scores[self.target.position]), scores)

"""Several explanations of one document side by side: which methods speak for a word, which against?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from intentx.errors import InputError
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.signed import SIZES

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["NOTABLE", "SIZES", "Votes", "WordVotes", "numbered", "word_votes"]

NOTABLE = 0.1  # of a method's largest weight: words below it are not worth a sentence
SHOWN = 20  # words of the table


@dataclass(frozen=True)
class WordVotes:
    """What several methods say of one word.

    Attributes
    ----------
    term
        The word.
    votes_for, votes_against
        Labels of the methods that give it a notable weight above and below 0.
    silent
        Labels of those that give it none, or a small one.
    """

    term: str
    votes_for: tuple[str, ...]
    votes_against: tuple[str, ...]
    silent: tuple[str, ...]

    @property
    def contradicted(self) -> bool:
        """Whether one method speaks for the word and another against it."""
        return bool(self.votes_for and self.votes_against)

    @property
    def sentence(self) -> str:
        """What they say, in words; the fewer first where they contradict each other."""
        sides = [(self.votes_for, "for"), (self.votes_against, "against")]
        said = [_said(who, side) for who, side in sorted(sides, key=lambda side: len(side[0])) if who]
        return f"{self.term}: {', '.join(said) or 'no method finds that it matters'}"


@dataclass(frozen=True)
class Votes:
    """Words that matter to one method or more, and what each method says of them.

    Attributes
    ----------
    labels
        The methods that were compared.
    words
        Those that methods contradict each other on come first, then those that most methods name.
    left_out
        Methods whose weights have no direction.
    varies
        What the labels are: ``"method"``, or ``"ranker"`` where one method explains several rankers.
    """

    labels: tuple[str, ...]
    words: tuple[WordVotes, ...]
    left_out: tuple[str, ...] = ()
    varies: str = "method"

    @property
    def contradictions(self) -> tuple[WordVotes, ...]:
        """The words that one method speaks for and another against."""
        return tuple(word for word in self.words if word.contradicted)

    @property
    def summary(self) -> str:
        """How many words the methods contradict each other on, and which have no part in it."""
        number, of = len(self.contradictions), len(self.words)
        left = ""
        if self.left_out:
            verb = "has" if len(self.left_out) == 1 else "have"
            left = f" {_listed(self.left_out)} {verb} no part in it: they give sizes without a sign."
        if len(self.labels) < 2:
            return f"There are no two {self.varies}s whose weights have a sign.{left}"
        if not number:
            some = "the one word that matters" if of == 1 else f"any of the {of} words that matter"
            return f"No {self.varies} contradicts another on {some} to one of them.{left}"
        words = "1 word" if number == 1 else f"{number} words"
        each = f"The {self.varies}s contradict each other"
        return f"{each} on {words} of {of} that matter to one of them.{left}"

    def of(self, term: str) -> WordVotes | None:
        """What is said of a word; None for one that matters to no method."""
        return next((word for word in self.words if word.term == term), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``."""
        return {
            "methods": list(self.labels),
            "left_out": list(self.left_out),
            "summary": self.summary,
            "contradictions": [word.term for word in self.contradictions],
            "words": [
                {
                    "term": word.term,
                    "for": list(word.votes_for),
                    "against": list(word.votes_against),
                    "contradicted": word.contradicted,
                    "sentence": word.sentence,
                }
                for word in self.words
            ],
        }

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(title="Side by side", title_justify="left", caption_justify="left")
        table.caption = Text(self.summary)
        table.add_column("word", overflow="fold", min_width=10)
        for name in ("for", "against"):
            table.add_column(name, justify="right")
        table.add_column("contradiction", overflow="fold")
        for word in self.words[: max(SHOWN, len(self.contradictions))]:
            told = word.sentence.removeprefix(f"{word.term}: ") if word.contradicted else ""
            cells = str(len(word.votes_for)), str(len(word.votes_against))
            table.add_row(Text(word.term), *cells, Text(told, style="bold"))
        return table


def word_votes(
    explanations: Sequence[DocumentExplanation],
    labels: Sequence[str] | None = None,
    varies: str = "method",
) -> Votes:
    """Hold explanations of one document by several methods against each other.

    A method speaks for or against a word by the sign of its weight, where that is notable: a tenth
    of the method's largest weight or more. Methods weigh in units of their own, so that only signs
    can be compared.

    Parameters
    ----------
    explanations
        Two or more of the same document.
    labels
        What tells them apart; None: their methods, numbered where one comes twice.
    varies
        As in `Votes`.

    Raises
    ------
    InputError
        For fewer than two, different documents, or labels that are not one for each.

    Examples
    --------
    >>> import intentx as ix
    >>> ranking = ix.rank(lambda q, texts: [len(t) for t in texts], "tea", ["green tea", "pot"])
    >>> found = [method.explain(ranking, 0) for method in (ix.KernelSHAP(), ix.LIRME())]
    >>> [word.sentence for word in word_votes(found).words]
    ['green: KernelSHAP and LIRME say for', 'tea: KernelSHAP and LIRME say for']
    """
    names = tuple(numbered(explanations) if labels is None else labels)
    if len(explanations) < 2 or len(names) != len(explanations):
        raise InputError(
            "a side-by-side view needs two explanations or more and one label for each, not "
            f"{len(explanations)} and {len(names)}"
        )
    documents = list(dict.fromkeys(one.ranking.doc_ids[one.position] for one in explanations))
    if len(documents) > 1:
        raise InputError(f"the explanations are of different documents: {', '.join(documents)}")
    signed = {
        name: one for name, one in zip(names, explanations, strict=True) if one.method not in SIZES
    }
    notable = {name: _notable(one) for name, one in signed.items()}
    terms = dict.fromkeys(term for weights in notable.values() for term in weights)
    words = [
        WordVotes(
            term,
            tuple(name for name, weights in notable.items() if weights.get(term, 0.0) > 0),
            tuple(name for name, weights in notable.items() if weights.get(term, 0.0) < 0),
            tuple(name for name, weights in notable.items() if term not in weights),
        )
        for term in terms
    ]
    words.sort(key=lambda word: (not word.contradicted, len(word.silent)))
    return Votes(
        tuple(signed), tuple(words), tuple(name for name in names if name not in signed), varies
    )


def numbered(explanations: Sequence[DocumentExplanation]) -> list[str]:
    """The methods of explanations, those that come several times with a number."""
    methods = [one.method for one in explanations]
    return [
        f"{method} {methods[: place + 1].count(method)}" if methods.count(method) > 1 else method
        for place, method in enumerate(methods)
    ]


def _notable(explanation: DocumentExplanation) -> dict[str, float]:
    """The weights that are notable, the largest first."""
    least = NOTABLE * max(map(abs, explanation.weights), default=0.0)
    pairs = zip(explanation.terms, explanation.weights, strict=True)
    return {term: weight for term, weight in pairs if weight and abs(weight) >= least}


def _said(who: Sequence[str], side: str) -> str:
    return f"{_listed(who)} {'say' if len(who) > 1 else 'says'} {side}"


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last

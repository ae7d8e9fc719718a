"""One document explained several times, side by side: by several methods, or for several rankers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self, get_args

from intentx.answers import Answer, kind_of
from intentx.errors import InputError, ScorerError
from intentx.evaluation.base import none_for_nan
from intentx.evaluation.faithfulness import Faithfulness, faithfulness
from intentx.evaluation.stability import Agreement, agreement, first_words
from intentx.explainers.document.beside_shown import beside_html, beside_tables
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.votes import Votes, numbered, word_votes
from intentx.explainers.plain import parts_of, strings

if TYPE_CHECKING:
    from rich.console import Group

__all__ = ["FIRST", "Agreeing", "SideBySide", "Varies", "side_by_side"]

Varies = Literal["method", "ranker"]
FIRST = 10  # words of each explanation that are held against those of the others
FAINT = 0.01  # of an explanation's largest weight: words below it are named by nobody


class _Named(NamedTuple):
    """The words that an explanation names, with their weights."""

    terms: tuple[str, ...]
    weights: tuple[float, ...]


class Agreeing(NamedTuple):
    """How far two explanations agree."""

    first: str
    second: str
    agreement: Agreement


@dataclass(frozen=True, eq=False)
class SideBySide(Answer):
    """Explanations of one document for one query, held against each other.

    Attributes
    ----------
    explanations
        Two or more, each with its verdict and, where it was measured, its faithfulness.
    labels
        What tells them apart, in the same order.
    varies
        ``"method"`` where several methods, or several settings of one, explain the document;
        ``"ranker"`` where one method explains it for several rankers.
    """

    explanations: tuple[DocumentExplanation, ...]
    labels: tuple[str, ...]
    varies: Varies = "method"

    FORMAT: ClassVar[str] = "intentx.side-by-side/1"

    def __post_init__(self) -> None:
        if len(set(self.labels)) < len(self.labels):
            raise InputError(f"labels must differ from each other, not {', '.join(self.labels)}")
        if self.varies not in get_args(Varies):
            raise InputError(f"varies must be one of {get_args(Varies)}, not {self.varies!r}")
        queries = list(dict.fromkeys(one.ranking.query for one in self.explanations))
        if len(queries) > 1:
            raise InputError(f"the explanations are for different queries: {', '.join(queries)}")
        compared = {
            "no other" if one.above is None else one.ranking.doc_ids[one.above]
            for one in self.explanations
        }
        if len(compared) > 1:
            raise InputError(
                f"the explanations compare it with different documents: {', '.join(sorted(compared))}"
            )
        _ = self.votes  # refuses what cannot stand side by side

    def __repr__(self) -> str:
        return f"<{', '.join(self.labels)} for {self.subject}: {self.sentence}>"

    @property
    def doc_id(self) -> str:
        """The document."""
        first = self.explanations[0]
        return first.ranking.doc_ids[first.position]

    @property
    def above(self) -> str | None:
        """The document that it is compared with, or None."""
        first = self.explanations[0]
        return None if first.above is None else first.ranking.doc_ids[first.above]

    @property
    def subject(self) -> str:
        """What is explained, in words."""
        above = "" if self.above is None else f" above {self.above!r}"
        return f"{self.doc_id!r}{above} of {self.explanations[0].ranking.query!r}"

    @cached_property
    def votes(self) -> Votes:
        """Which explanations speak for a word and which against, and where they contradict."""
        return word_votes(self.explanations, self.labels, self.varies)

    @cached_property
    def _named(self) -> dict[str, _Named]:
        """By label, the words with a hundredth of the explanation's largest weight or more."""
        found = {}
        for label, one in zip(self.labels, self.explanations, strict=True):
            least = FAINT * max(map(abs, one.weights), default=0.0)
            pairs = zip(one.terms, one.weights, strict=True)
            kept = [(term, weight) for term, weight in pairs if weight and abs(weight) >= least]
            found[label] = _Named(tuple(t for t, _ in kept), tuple(w for _, w in kept))
        return found

    @cached_property
    def first(self) -> dict[str, tuple[str, ...]]:
        """By label, the first ten words of each explanation: those of largest absolute weight.

        Words with less than a hundredth of its largest weight are none.
        """
        return {label: tuple(first_words(one, FIRST)) for label, one in self._named.items()}

    @cached_property
    def alone(self) -> dict[str, tuple[str, ...]]:
        """By label, those of its first ten words that no other explanation has among its first ten."""
        times = Counter(word for words in self.first.values() for word in words)
        return {
            label: tuple(word for word in words if times[word] == 1)
            for label, words in self.first.items()
        }

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every word among the first ten of one explanation or more.

        Words of more explanations come first, then those of larger weight: the mean share of an
        explanation's largest weight.
        """
        share: dict[str, float] = dict.fromkeys((w for some in self.first.values() for w in some), 0.0)
        times = Counter(word for words in self.first.values() for word in words)
        for one in self.explanations:
            largest = max(map(abs, one.weights), default=0.0) or 1.0
            for term, weight in zip(one.terms, one.weights, strict=True):
                if term in share:
                    share[term] += abs(weight) / largest
        return tuple(sorted(share, key=lambda word: (-times[word], -share[word], word)))

    @cached_property
    def agreements(self) -> tuple[Agreeing, ...]:
        """How far each two explanations agree (`intentx.agreement`), by the words as in `first`."""
        pairs = combinations(self._named.items(), 2)
        return tuple(Agreeing(a, b, agreement([one, two], FIRST)) for (a, one), (b, two) in pairs)

    @cached_property
    def agreement(self) -> Agreement:
        """The mean over all pairs of explanations."""
        return agreement([*self._named.values()], FIRST)

    @property
    def sentence(self) -> str:
        """How far they agree, in words."""
        best = max(self.agreements, key=lambda one: one.agreement.rbo)
        worst = min(self.agreements, key=lambda one: one.agreement.rbo)
        said = f"Of their first {FIRST} words"
        if len(self.agreements) == 1:
            return (
                f"{said}, {best.first} and {best.second} share {best.agreement.jaccard:.2f} (Jaccard), "
                f"with a rank-biased overlap of {best.agreement.rbo:.2f}."
            )
        return (
            f"{said}, {best.first} and {best.second} agree most (rank-biased overlap "
            f"{best.agreement.rbo:.2f}), {worst.first} and {worst.second} least "
            f"({worst.agreement.rbo:.2f}); the mean over {len(self.agreements)} pairs is "
            f"{self.agreement.rbo:.2f}."
        )

    def faithfulness_of(self, label: str) -> Faithfulness | None:
        """What `intentx.faithfulness` found of one of them; None where it was not measured."""
        found = self.explanations[self.labels.index(label)].measures.get(Faithfulness.NAME)
        return found if isinstance(found, Faithfulness) else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``; NaN becomes None."""
        plain: dict[str, Any] = {
            "format": self.FORMAT,
            "query": self.explanations[0].ranking.query,
            "doc_id": self.doc_id,
            "above": self.above,
            "varies": self.varies,
            "labels": list(self.labels),
            "sentence": self.sentence,
            "first": {label: list(words) for label, words in self.first.items()},
            "alone": {label: list(words) for label, words in self.alone.items()},
            "agreement": self.agreement.to_dict(),
            "agreements": [
                {"first": one.first, "second": one.second, **one.agreement.to_dict()}
                for one in self.agreements
            ],
            "votes": self.votes.to_dict(),
            "explanations": [one.to_dict() for one in self.explanations],
        }
        return {key: none_for_nan(value) for key, value in plain.items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; the rankers do not come back.

        Raises
        ------
        InputError
            If the data is of another format or lacks a part.
        """
        with parts_of(cls.__name__, plain, cls.FORMAT) as plain:
            found = tuple(_kind(one).from_dict(one) for one in plain["explanations"])
            return cls(found, strings(plain, "labels"), plain["varies"])

    def to_html(self, path: str | Path) -> Path:
        """Write a page about the document that needs no other file, and return its path.

        Raises
        ------
        InputError
            If the file cannot be written, for instance since its folder does not exist.
        """
        # The report room stands below this one: an exception in tests/test_layers.py.
        from intentx.report.pages.document import write_document_page

        return write_document_page(path, self.explanations, labels=self.labels, varies=self.varies)

    def __rich__(self) -> Group:
        return beside_tables(self)

    def _repr_html_(self) -> str:
        return beside_html(self)


def side_by_side(
    explanations: Sequence[DocumentExplanation],
    labels: Sequence[str] | None = None,
    *,
    varies: Varies | None = None,
    faithful: bool = True,
) -> SideBySide:
    """Hold explanations of one document against each other: whose words, how far they agree, how good.

    Parameters
    ----------
    explanations
        Two or more of the same document for the same query: by several methods, by one method with
        several settings, or of several rankers.
    labels
        What tells them apart; None: their methods, numbered where one comes twice.
    varies
        As in `SideBySide`; None: ``"ranker"`` where all have one method and the documents other
        scores, ``"method"`` otherwise.
    faithful
        Whether `intentx.faithfulness` is measured of each that has none yet, which asks the ranker for
        up to 122 texts each. Those of recorded rankings are left as they are.

    Raises
    ------
    InputError
        For fewer than two, different documents or queries, or labels that are not one for each.

    Examples
    --------
    >>> import intentx as ix
    >>> ranking = ix.rank(lambda q, texts: [len(t) for t in texts], "tea", ["green tea", "pot"])
    >>> found = [method.explain(ranking, 0) for method in (ix.KernelSHAP(), ix.LIRME())]
    >>> both = side_by_side(found, ["shap", "lirme"])
    >>> both.words, both.alone["shap"], both.agreement.rbo
    (('green', 'tea'), (), 1.0)
    """
    names = tuple(numbered(explanations) if labels is None else labels)
    word_votes(explanations, names)  # refuses what cannot stand side by side before anything is asked
    if varies is None:
        varies = "ranker" if _of_rankers(explanations) else "method"
    if faithful:
        explanations = [_judged(one) for one in explanations]
    return SideBySide(tuple(explanations), names, varies)


def _of_rankers(explanations: Sequence[DocumentExplanation]) -> bool:
    """Whether one method explains the document for several rankers."""
    scores = {tuple(sorted(zip(one.ranking.doc_ids, one.ranking.scores.tolist(), strict=True)))
              for one in explanations}  # fmt: skip
    return len({one.method for one in explanations}) == 1 and len(scores) == len(explanations)


def _judged(explanation: DocumentExplanation) -> DocumentExplanation:
    if Faithfulness.NAME in explanation.measures:
        return explanation
    try:
        return explanation.with_measures(faithfulness(explanation))
    except (InputError, ScorerError):  # the comparison is right without it
        return explanation


def _kind(plain: Mapping[str, Any]) -> type[DocumentExplanation]:
    """The class of an explanation in plain data."""
    import intentx.explainers.methods  # noqa: F401  (so that the classes of all answers are there)

    kind = kind_of(str(plain.get("format")))
    return next(
        (one for one in _kinds(DocumentExplanation) if kind_of(one.FORMAT) == kind), DocumentExplanation
    )


def _kinds(one: type[DocumentExplanation]) -> Iterator[type[DocumentExplanation]]:
    yield one
    for other in one.__subclasses__():
        yield from _kinds(other)

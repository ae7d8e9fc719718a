"""The contract: `Explainer`, what explains a ranking, and `Explanation`, what it answers with."""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from intentx.answers import Answer
from intentx.checks import check_made, shown
from intentx.errors import InputError, MissingExtraError
from intentx.evaluation.measures import Measured
from intentx.explainers.plain import plain_settings, plain_value
from intentx.ordered import Ordered
from intentx.ranking import Ranking

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

    from intentx.explainers.levels import Judgement

__all__ = ["Explainer", "Explanation", "Question"]

Question = Literal["ranking", "document", "pair", "rankings"]
Document = str | int
Found = TypeVar("Found", bound="Explanation", covariant=True)

ASKED: Mapping[Question, str] = {
    "ranking": "a whole ranking",
    "document": "one document",
    "pair": "why one document is above another",
    "rankings": "several rankings together",
}


class Explanation(Measured, Answer):
    """What a method answers; the base of all explanations.

    Attributes
    ----------
    method
        Name of the method.
    ranking
        What is explained, or what the document that is explained stands in.
    settings
        The settings of the method, as plain data.
    notes
        What a reader should know.
    model_calls
        Different texts that the method has the ranker score besides the documents of the ranking.
    seconds
        Per stage, their ``"total"``, and the ``"model"``'s part of it.
    """

    method: str
    ranking: Ordered
    settings: Mapping[str, Any]
    notes: tuple[str, ...]
    model_calls: int
    seconds: Mapping[str, float]

    WEIGHTS: ClassVar[str] = "weight"  # what its weights are

    @property
    def verdict(self) -> Judgement | None:
        """How far the explanation can be believed; None where that is not known."""
        return None

    @abstractmethod
    def _columns(self) -> dict[str, Sequence[Any]]:
        """The columns of `to_dataframe`."""

    def to_dataframe(self) -> pandas.DataFrame:
        """What is explained as a frame of pandas, a row for each term.

        Raises
        ------
        MissingExtraError
            Without pandas.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingExtraError("pandas", "pandas") from error
        return pandas.DataFrame(self._columns())

    # The report room stands below this one, so that nothing here imports it. These two methods do, once
    # they are called, and `_able` looks at the table of methods: the exceptions in tests/test_layers.py.

    def plot(self, ax: Axes | None = None, *, most: int = 20) -> Axes:
        """Draw the terms as horizontal bars of their weights, and return the axis.

        Blue bars speak for the ranking or the document, orange ones against. Where the ranker was
        asked what terms do to it, that stands beside the bars.

        Parameters
        ----------
        ax
            The axis of matplotlib to draw on; None: one of its own figure, made by pyplot, with the
            verdict as a title.
        most
            Most bars; those of the largest absolute weight.

        Raises
        ------
        InputError
            If ``most`` is not 1 or more.
        MissingExtraError
            Without matplotlib.
        """
        from intentx.report.pictures.words import bars_axis

        return bars_axis(self, ax, most)

    def to_html(self, path: str | Path) -> Path:
        """Write a page about the explanation that needs no other file, and return its path.

        Raises
        ------
        InputError
            If the file cannot be written, for instance since its folder does not exist.
        """
        from intentx.report.pages.ranking import write_page

        return write_page(path, [self])


class Explainer(ABC, Generic[Found]):
    """A method that explains rankings, or documents in them.

    Subclass it for a method of your own: write `_explain`, and name the `questions` that it can answer.
    As a dataclass with typed fields it has settings, and they are checked when it is made.

    Attributes
    ----------
    questions
        What the method can be asked: about a whole ``"ranking"``, about a ``"document"``, about a
        ``"pair"`` of documents, about several ``"rankings"`` together. A call that asks something
        else is an InputError that names methods that can answer.
    takes
        The kinds of ranking that it explains: those of texts, `intentx.Ranking`, and perhaps those of
        features, `intentx.FeatureRanking`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from intentx import IntentExplanation, rank
    >>> from intentx.explainers.ranking.given import given_terms
    >>> @dataclass(frozen=True, kw_only=True)
    ... class FirstWords(Explainer[IntentExplanation]):
    ...     max_terms: int = 2
    ...
    ...     def _explain(self, ranking, doc, above):
    ...         words = ranking.analyzer.terms(ranking.texts[0])
    ...         terms = words[: self.max_terms]
    ...         return given_terms(ranking, self.name, terms, settings=self.settings())
    >>> score = lambda query, texts: [text.count("piano") for text in texts]
    >>> FirstWords().explain(rank(score, "keys", ["piano lamp", "desk"])).terms
    ('piano', 'lamp')
    >>> FirstWords(max_terms="two")
    Traceback (most recent call last):
    intentx.errors.InputError: FirstWords: max_terms must be a whole number, not 'two'
    """

    questions: ClassVar[tuple[Question, ...]] = ("ranking",)
    takes: ClassVar[tuple[type[Ordered], ...]] = (Ranking,)

    def __post_init__(self) -> None:
        check_made(self.name, self)
        self._check()

    def _check(self) -> None:
        """Refuse settings that fit their types and not each other; they are settled here, too."""

    @property
    def name(self) -> str:
        """What explanations, tables and pages call the method."""
        return type(self).__name__

    def settings(self) -> dict[str, Any]:
        """The settings as plain data for JSON: the fields of a dataclass, else public attributes."""
        if dataclasses.is_dataclass(self):
            return plain_settings(self)
        return {key: plain_value(value) for key, value in vars(self).items() if not key.startswith("_")}

    def explain(
        self,
        ranking: Any,
        doc: Document | None = None,
        *,
        above: Document | None = None,
    ) -> Found:
        """Explain a ranking; with ``doc``, one of its documents.

        Parameters
        ----------
        ranking
            What `intentx.rank` returned. Methods that explain several rankings together take a list.
        doc
            The document's id, or its 0-based position in the ranking.
        above
            A document to compare it with: why is ``doc`` above it?

        Raises
        ------
        InputError
            If the method cannot answer this; the message names methods that can. If there is no such
            document, no preference pair, or nothing to explain by; the message says why.
        ScorerError
            If the ranker fails on an edited document.
        """
        self._check_question(ranking, doc, above)
        found = self._explain(ranking, doc, above)
        if hasattr(found, "made_by"):  # so that it can be judged by trying the method elsewhere
            found.made_by(self)
        return found

    @abstractmethod
    def _explain(self, ranking: Any, doc: Document | None, above: Document | None) -> Found:
        """The answer to a question that is among `questions`."""

    def _check_question(self, ranking: Any, doc: Document | None, above: Document | None) -> None:
        several = not isinstance(ranking, Ordered) and isinstance(ranking, Sequence)
        if several and ranking and all(isinstance(one, Ordered) for one in ranking):
            if "rankings" not in self.questions:
                raise InputError(
                    f"{self.name} explains one ranking at a time, not {len(ranking)}; "
                    f"{_able('rankings')}. Call it for each of them"
                )
            for one in ranking:
                if not isinstance(one, self.takes):
                    raise InputError(self._other_kind(one))
            return
        if not isinstance(ranking, self.takes):
            raise InputError(self._other_kind(ranking))
        asked: Question = "pair" if above is not None else "ranking" if doc is None else "document"
        if asked not in self.questions:
            given = ", ".join(
                f"{key}={shown(one)}" for key, one in (("doc", doc), ("above", above)) if one is not None
            )
            own = " or ".join(ASKED[one] for one in self.questions)
            raise InputError(
                f"{self.name} explains {own}, not {ASKED[asked]}{given and f' ({given})'}; "
                f"{_able(asked)}"
            )
        if doc is None and above is not None:
            raise InputError(f"above={above!r} needs a document to compare with it: give doc, too")

    def _other_kind(self, given: Any) -> str:
        """Why what is given cannot be explained."""
        if isinstance(given, Ordered):
            kinds = " or ".join(f"a {one.__name__}" for one in self.takes)
            return (
                f"{self.name} explains {kinds}, not a {type(given).__name__}; {_able(kind=type(given))}"
            )
        made = {"Ranking": "ix.rank and Ranking.from_run make it"}
        ways = [
            f"a {one.__name__}, as {made.get(one.__name__, f'{one.__name__}.from_model makes it')}"
            for one in self.takes
        ]
        return f"{self.name} explains {', or '.join(ways)}, not {shown(given)}"


def _able(question: Question | None = None, kind: type[Ordered] = Ranking) -> str:
    """Which methods can answer a question about a kind of ranking, those of users among them."""
    # So that all of ours are known; see the comment above `Explanation.plot`.
    import intentx.explainers.features.methods
    import intentx.explainers.methods  # noqa: F401

    able = {
        one.__name__
        for one in _concrete(Explainer)
        if issubclass(kind, one.takes) and (question is None or question in one.questions)
    }
    names = sorted(able, key=str.casefold)
    what = f"a {kind.__name__}" if question is None else ASKED[question]
    return f"{', '.join(names) or 'no method yet'} can explain {what}"


def _concrete(kind: Any) -> Iterator[type[Explainer[Any]]]:
    for one in kind.__subclasses__():
        if not inspect.isabstract(one) and not one.__name__.startswith("_"):
            yield one
        yield from _concrete(one)

"""What was measured of an explanation beside its fidelity: kept with it, for all that shows it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from intentx.errors import InputError
from intentx.evaluation.axioms import Axioms
from intentx.evaluation.base import Measure
from intentx.evaluation.faithfulness import Faithfulness
from intentx.evaluation.feature_faithfulness import FeatureFaithfulness
from intentx.evaluation.heldout import HeldoutFidelity
from intentx.markup import Html, join, tag
from intentx.signs import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Measured", "measures_in"]

KINDS: tuple[type[HeldoutFidelity], type[Faithfulness], type[FeatureFaithfulness], type[Axioms]] = (
    HeldoutFidelity,
    Faithfulness,
    FeatureFaithfulness,
    Axioms,
)


class Measured:
    """An explanation that keeps what was measured of it.

    Attributes
    ----------
    measures
        By their names in JSON, ``"heldout_documents"``, ``"faithfulness"``,
        ``"feature_faithfulness"`` and ``"axioms"``.
    """

    measures: Mapping[str, Measure]

    def with_measures(self, *measures: Measure) -> Self:
        """The same explanation with these measures, and those that it has.

        Tables, JSON, pages, pictures and notebooks show them from then on.

        Parameters
        ----------
        measures
            What `intentx.heldout_fidelity`, `intentx.faithfulness`, `intentx.feature_faithfulness` and
            `intentx.axioms` returned of it.

        Raises
        ------
        InputError
            For anything else.

        Examples
        --------
        >>> import intentx as ix
        >>> texts = ["piano keys", "piano", "keys", "a desk", "a boat"]
        >>> ranking = ix.rank(lambda query, some: [len(t) for t in some], "x", texts)
        >>> method = ix.Multiplex(seed=0)
        >>> found = method.explain(ranking)
        >>> shown = found.with_measures(ix.heldout_fidelity(method, ranking, repeats=2))
        >>> sorted(shown.measures), found.measures
        (['heldout_documents'], {})
        """
        for measure in measures:
            if not isinstance(measure, KINDS):
                *some, last = (kind.__name__ for kind in KINDS)
                names = f"{', '.join(some)} or {last}"
                raise InputError(f"a measure of an explanation is a {names}, not {measure!r}")
        found = copy.copy(self)  # with what it has computed of itself
        object.__setattr__(
            found, "measures", {**self.measures, **{measure.NAME: measure for measure in measures}}
        )
        return found

    def _measures_to_plain(self) -> dict[str, Any]:
        return {name: measure.to_dict() for name, measure in self.measures.items()}

    def _rich_measures(self) -> list[RenderableType]:
        return [measure._rich_briefly() for measure in self.measures.values()]

    def _html_measures(self) -> Html:
        sentences = (visible(measure.sentence) for measure in self.measures.values())
        return join(tag("p", sentence) for sentence in sentences)


def measures_in(plain: Mapping[str, Any]) -> dict[str, Measure]:
    """The measures in the plain data of an explanation."""
    return {kind.NAME: kind.from_dict(plain[kind.NAME]) for kind in KINDS if kind.NAME in plain}

"""`FeatureExplanation`: the features that explain a ranking, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError
from intentx.evaluation.base import Measure, none_for_nan
from intentx.evaluation.measures import measures_in
from intentx.explainers.base import Explanation
from intentx.explainers.features.background import MaskedModel, background_rows
from intentx.explainers.features.judged import FeatureEffect, FeatureVerdict, feature_effects
from intentx.explainers.features.shown import decimal, feature_html, feature_tables
from intentx.explainers.plain import number, numbers, parts_of, spent, strings, table
from intentx.feature_ranking import FeatureRanking

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.console import Group

__all__ = ["FeatureExplanation"]

BACKGROUND_ROWS = 100  # at most


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FeatureExplanation(Explanation):
    """Features of a ranking; the base of what the methods for features answer.

    Attributes
    ----------
    method
        Name of the method.
    ranking
        What is explained.
    features
        Names of features, the most useful first.
    weights
        What each counts for, as the method says it.
    alone
        (N,) scores of the documents by the explanation alone, in the ranking's order: by the model
        with all other features at background values, or by the mimic.
    metrics
        What was measured of it, by name: `METRICS` of the class says what they are.
    status
        What is known of the features as a solution: "optimal", "feasible", "heuristic", or "".
    settings, notes, model_calls, seconds
        As in `intentx.Explanation`; ``model_calls`` counts rows of features that the model was asked.
    measures
        What was measured beside, as `with_measures` keeps it.
    """

    method: str
    ranking: FeatureRanking
    features: tuple[str, ...]
    weights: tuple[float, ...]
    alone: npt.NDArray[np.float64] = field(repr=False)
    metrics: Mapping[str, float] = field(default_factory=dict)
    status: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    model_calls: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict, repr=False)

    FORMAT: ClassVar[str] = ""
    METRICS: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        if len(self.features) != len(self.weights):
            raise InputError(f"{len(self.features)} features have {len(self.weights)} weights")
        if len(self.alone) != len(self.ranking):
            raise InputError(f"{len(self.ranking)} documents have {len(self.alone)} scores alone")

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name} {decimal(value)}" for name, value in self.metrics.items())
        return f"<{self.method} for {self.ranking.query!r}: {', '.join(self.features)} | {numbers}>"

    @property
    def in_words(self) -> str:
        """A readable model as text, where the explanation is one; else empty."""
        return ""

    @property
    def terms(self) -> tuple[str, ...]:
        """The features, as explanations of rankings of texts call what they have weights of."""
        return self.features

    @property
    def document_scores(self) -> npt.NDArray[np.float64]:
        """(N,) `alone`, as explanations of rankings of texts call it."""
        return np.asarray(self.alone)

    @property
    def kept(self) -> tuple[str, ...]:
        """The features that `alone` is by."""
        return self.features

    @property
    def useful(self) -> tuple[str, ...]:
        """The features as they are judged: those first that keep the order best."""
        return self.features

    def scores_alone(self, ranking: FeatureRanking) -> npt.NDArray[np.float64]:
        """(M,) scores of other documents with only the features of `kept`, as `alone` has them.

        Background values that are a mean or a median are taken over the documents that are explained.

        Raises
        ------
        InputError
            If the ranking has no model to ask, or the explanation was loaded from JSON and its
            background was rows, which are not kept there.
        """
        if not isinstance(ranking, FeatureRanking):
            raise InputError(
                f"{self.method} scores documents by their features, and a {type(ranking).__name__} has "
                "texts"
            )
        rows = self.background()
        mask = np.isin(self.ranking.names, self.kept)[None]
        asked = MaskedModel(ranking.ask("an order by some features"), ranking.X, rows)
        return np.asarray(asked.scores(mask)[0].mean(axis=0))

    def background(self) -> npt.NDArray[np.float64]:
        """(B, F) values of features that are left out.

        Raises
        ------
        InputError
            If the explanation was loaded from JSON and these were rows.
        """
        method = self.__dict__.get("_method")
        given = getattr(method, "background", self.settings.get("background", "mean"))
        if isinstance(given, str) and given not in ("mean", "median", "zero"):
            raise InputError(f"the background, {given}, is not kept in JSON: explain the ranking again")
        return background_rows(self.ranking, given, most=BACKGROUND_ROWS)

    def made_by(self, method: Any) -> None:
        """Keep the method, so that it can be tried on other documents and on shuffled scores."""
        self.__dict__["_method"] = method

    @property
    def effects(self) -> tuple[FeatureEffect, ...]:
        """What the model does when each feature of `kept` is set to its background; asked once.

        Raises
        ------
        InputError
            If the ranking has no model to ask and none were kept.
        """
        if "_effects" not in self.__dict__:
            self.__dict__["_effects"] = feature_effects(self.ranking, self.background(), self.kept)
        found: tuple[FeatureEffect, ...] = self.__dict__["_effects"]
        return found

    @property
    def known_effects(self) -> Mapping[str, FeatureEffect]:
        """The effects by feature, if they were asked for; else empty."""
        return {one.feature: one for one in self.__dict__.get("_effects", ())}

    @property
    def verdict(self) -> FeatureVerdict | None:
        """How far it can be believed, once `intentx.verdict` has worked it out; else None."""
        return self.__dict__.get("_verdict")

    @property
    def explained_order(self) -> npt.NDArray[np.intp]:
        """(N,) positions of the ranking in the order of `alone`, best first; ties keep the ranker's."""
        return np.argsort(-np.asarray(self.alone), kind="stable")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``."""
        return {
            "format": self.FORMAT,
            "method": self.method,
            "query": self.ranking.query,
            "features": list(self.features),
            "weights": list(self.weights),
            "ranking": self.ranking.to_dict(),
            "alone": np.asarray(self.alone).tolist(),
            "metrics": none_for_nan(self.metrics),
            "status": self.status,
            "settings": dict(self.settings),
            "model_calls": self.model_calls,
            "seconds": dict(self.seconds),
            "notes": list(self.notes),
            **({} if self.verdict is None else {"verdict": self.verdict.to_dict()}),
            **({"effects": [one.to_dict() for one in self.effects]} if "_effects" in vars(self) else {}),
            **self._own_parts(),
            **self._measures_to_plain(),
        }

    def _own_parts(self) -> dict[str, Any]:
        """What a subclass adds to the plain data."""
        return {}

    @classmethod
    def _own_values(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        """The inverse of `_own_parts`: values of the fields that a subclass adds."""
        return {}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; the model does not come back.

        Raises
        ------
        InputError
            If the data is of another format or lacks a part.
        """
        with parts_of("explanation", plain, cls.FORMAT) as plain:
            found = cls(
                method=str(plain["method"]),
                ranking=FeatureRanking.from_dict(plain["query"], table(plain, "ranking")),
                features=strings(plain, "features"),
                weights=numbers(plain, "weights"),
                alone=np.array(numbers(plain, "alone"), dtype=np.float64),
                metrics={
                    name: float("nan") if value is None else value
                    for name, value in table(plain, "metrics").items()
                },
                status=str(plain["status"]),
                settings=table(plain, "settings"),
                model_calls=number(plain, "model_calls"),
                seconds=spent(plain),
                notes=strings(plain, "notes"),
                measures=measures_in(plain),
                **cls._own_values(plain),
            )
            if plain.get("verdict") is not None:
                found.__dict__["_verdict"] = FeatureVerdict.from_dict(plain["verdict"])
            if "effects" in plain:
                found.__dict__["_effects"] = tuple(map(FeatureEffect.from_dict, plain["effects"]))
            return found

    def _columns(self) -> dict[str, Sequence[Any]]:
        return {"feature": self.features, "weight": self.weights}

    # The report room stands below this one: see `Explanation.plot`.
    def plot(self, ax: Axes | None = None, *, most: int = 20) -> Axes:
        """Draw the first features as horizontal bars, and return the axis.

        Of one document, or of one above another, each bar begins where the one above it ends. A mimic
        that is one tree is drawn as a tree.

        Raises
        ------
        InputError
            If ``most`` is not 1 or more.
        MissingExtraError
            Without matplotlib.
        """
        try:
            from intentx.report.pictures.features import feature_axis

            return feature_axis(self, ax, most)
        except ImportError as error:
            raise MissingExtraError("matplotlib", "plot") from error

    def __rich__(self) -> Group:
        return feature_tables(self)

    def _repr_html_(self) -> str:
        return feature_html(self)

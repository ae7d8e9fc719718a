"""Mimic trees (Singh & Anand 2018): a readable model that orders documents as a ranker does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from intentx.checks import Count, Part, Samples, Seed, Size, shown
from intentx.errors import InputError
from intentx.evaluation.base import restored
from intentx.explainers.base import Explainer, Question
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.mimic_metrics import (
    Labels,
    best_feature_of,
    labels_of,
    mimic_metrics,
    tau_of,
)
from intentx.explainers.features.mimic_shapes import Shape, TreeNode, shapes_of, tree_nodes
from intentx.explainers.features.mimics import Kind, boosted_trees, fit_mimic
from intentx.explainers.features.set_explanation import check_order
from intentx.explainers.plain import table
from intentx.feature_ranking import FeatureRanking
from intentx.preferences.pairs import EveryPair
from intentx.ranking import Ranking

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MimicExplanation", "MimicTree"]

Floats = npt.NDArray[np.float64]
SHAPES = 10  # features whose shape is kept


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MimicExplanation(FeatureExplanation):
    """A readable model in the place of a ranker; what it is like on queries it was not fitted on.

    Attributes
    ----------
    ranking
        A held-out query: the one where the mimic's τ is the median.
    features, weights
        The features that it uses, and the share of each.
    tree
        The model in words: the tree, or what it does with each feature.
    tau, tau_at_10, ndcg, precision
        Against the ranker's order, in the mean over the held-out queries: Kendall's τ-b of all
        documents and of the ranker's first ten; nDCG@10, gains being how many documents the ranker
        puts below one; the share of the ranker's first ten among the mimic's.
    fitted
        The same on the queries that it was fitted on.
    beside
        τ on the held-out queries of the best single feature, and of boosted trees on the same features.
    queries
        How many queries it was fitted on, and how many were held out.
    nodes
        Of kind ``"tree"``, its nodes, the root first; else ().
    shapes
        What the mimic does with each feature that it uses, as far as ten of them.
    mimic
        What scores documents, (M, F) of the features in ``inputs``; None after a round trip through
        JSON.
    inputs
        Names of the features that it may use, in the order in which ``mimic`` takes them; () after a
        round trip through JSON.
    """

    tree: str
    fitted: Mapping[str, float]
    beside: Mapping[str, float]
    queries: tuple[int, int]
    nodes: tuple[TreeNode, ...] = field(default=(), repr=False)
    shapes: tuple[Shape, ...] = field(default=(), repr=False)
    mimic: Any = field(default=None, repr=False)
    inputs: tuple[str, ...] = field(default=(), repr=False)

    FORMAT: ClassVar[str] = "intentx.mimic/1"
    METRICS: ClassVar[Mapping[str, str]] = {
        "tau": "held-out τ-b", "tau_at_10": "of the first ten", "ndcg": "nDCG@10", "precision": "P@10",
    }  # fmt: skip

    @property
    def tau(self) -> float:
        return self.metrics["tau"]

    @property
    def tau_at_10(self) -> float:
        return self.metrics["tau_at_10"]

    @property
    def ndcg(self) -> float:
        return self.metrics["ndcg"]

    @property
    def precision(self) -> float:
        return self.metrics["precision"]

    def scores_alone(self, ranking: FeatureRanking) -> Floats:
        """Refused: the metrics of a mimic are of held-out queries already."""
        raise InputError("a mimic is measured on held-out queries: see tau, ndcg and precision")

    def measured_on(self, rankings: Sequence[FeatureRanking]) -> dict[str, float]:
        """The metrics on other queries, such as those of another collection, against their order.

        Raises
        ------
        InputError
            If there is no ranking, one lacks a feature or a preference pair, or the mimic was loaded
            from JSON.
        """
        if self.mimic is None:
            raise InputError("a mimic loaded from JSON cannot score documents: fit it again")
        for one in rankings:
            check_order(one)
            one.columns(self.inputs)
        if not rankings:
            raise InputError("a mimic is measured on one ranking or more, not on none")
        columns = rankings[0].columns(self.inputs)
        if any(one.columns(self.inputs) != columns for one in rankings):
            raise InputError("the rankings have their features in different orders")
        return mimic_metrics(rankings, self.mimic.predict, columns)

    def plot_shapes(self, *, most: int = 6) -> list[Axes]:
        """Draw the mimic's mean answer by the value of each of its first features.

        Raises
        ------
        MissingExtraError
            Without matplotlib.
        """
        from intentx.report.pictures.mimic import shapes_axes

        return shapes_axes(self, most)

    @property
    def in_words(self) -> str:
        """The same as `tree`."""
        return self.tree

    def _own_parts(self) -> dict[str, Any]:
        return {
            "tree": self.tree, "fitted": dict(self.fitted), "beside": dict(self.beside),
            "queries": list(self.queries), "nodes": [asdict(one) for one in self.nodes],
            "shapes": [asdict(one) for one in self.shapes],
        }  # fmt: skip

    @classmethod
    def _own_values(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        first, second = plain["queries"]
        return {
            "tree": str(plain["tree"]), "fitted": dict(table(plain, "fitted")),
            "beside": dict(table(plain, "beside")), "queries": (int(first), int(second)),
            "nodes": tuple(restored(TreeNode, one) for one in plain.get("nodes", ())),
            "shapes": tuple(map(Shape.from_dict, plain.get("shapes", ()))),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MimicTree(Explainer[MimicExplanation]):
    """Fit a readable model to the order of a ranker on many queries (Singh & Anand 2018).

    The documents of the given queries, labelled by the ranker, are the secondary training data. What the
    answer says is measured on queries that were held out.

    Parameters
    ----------
    features
        Names of the features that the mimic may use; a number: so many, those that boosted trees on all
        features use most; None: all.
    kind
        ``"tree"``, ``"boosted"``, ``"lambdarank"`` or ``"linear"``, as
        `intentx.explainers.features.mimics.fit_mimic` says.
    max_leaves
        Most leaves of a tree.
    labels
        What the mimic is fitted to. ``"scores"``: the ranker's scores, in units of their standard
        deviation; ``"order"``: the share of the other documents of a query that one beats, which
        needs no common scale of scores over queries. ``"auto"``: what has the larger mean τ on a third
        of the fitted queries after a fit to the others; the order where both are the same, or there are
        fewer than 3 queries. `kind` ``"lambdarank"`` takes the order.
    synthetic
        Synthetic documents for each query: each feature is drawn from any document of the fitted
        queries, and the ranker's model scores them. 0: none.
    heldout
        Share of the queries that are held out.
    features_of
        For rankings of texts: callable ``(query, texts) -> (N, F)`` with ``names``, such as
        `intentx.rankers.TextFeatures`.
    seed
        Of what is held out, of synthetic documents, and of the fit.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> model = lambda X: np.where(X[:, 0] > 0, 2.0, 0.0) + (X[:, 1] > 0)
    >>> rankings = [
    ...     FeatureRanking.from_model(
    ...         model, f"q{i}", [f"d{j}" for j in range(20)], generator.normal(size=(20, 3)),
    ...         ["BM25", "title", "links"])
    ...     for i in range(20)]
    >>> found = MimicTree(max_leaves=4).explain(rankings)
    >>> sorted(found.features), found.tau, found.queries
    (['BM25', 'title'], 1.0, (14, 6))
    """

    features: tuple[str, ...] | Size | None = None
    kind: Kind = "tree"
    max_leaves: Samples = 16
    labels: Labels = "auto"
    synthetic: Count = 0
    heldout: Part = 0.3
    features_of: Callable[..., Any] | None = None
    seed: Seed = 0

    def _check(self) -> None:
        if self.features == ():
            raise InputError("features must name one feature or more; None: all")
        if self.features_of is not None and not (
            callable(self.features_of) and hasattr(self.features_of, "names")
        ):
            raise InputError(
                "features_of must be a callable (query, texts) -> (N, F) with names, such as "
                f"intentx.rankers.TextFeatures, not {shown(self.features_of)}"
            )

    questions: ClassVar[tuple[Question, ...]] = ("rankings",)
    takes: ClassVar[tuple[type, ...]] = (FeatureRanking, Ranking)

    def settings(self) -> dict[str, Any]:
        """The settings as plain data."""
        named = type(self.features_of).__name__ if self.features_of is not None else None
        return {**super().settings(), "features_of": named}

    def _explain(
        self, ranking: Sequence[FeatureRanking | Ranking], doc: object, above: object
    ) -> MimicExplanation:
        start = time.perf_counter()
        rankings = [self._with_features(one) for one in ranking]
        first, kept, notes = rankings[0], [one for one in rankings if len(EveryPair(one.scores))], []
        self._check_rankings(rankings, kept)
        if len(kept) < len(rankings):
            notes.append(f"{len(rankings) - len(kept)} queries without a preference pair are left out.")
        order = np.random.default_rng(self.seed).permutation(len(kept))
        number = min(len(kept) - 1, max(1, round(self.heldout * len(kept))))
        heldout, fitted = ([kept[i] for i in sorted(part)] for part in (order[:number], order[number:]))
        before = sum(one.model.rows_asked for one in kept[:1] if one.model)
        X, by_query = self._training(fitted, notes)
        how, sizes = self._chosen_labels(fitted, notes), [len(scores) for scores in by_query]
        labels = labels_of(how, by_query)
        columns = self._columns(first, X, labels, sizes)
        names = [first.names[i] for i in columns]
        some = {"max_leaves": self.max_leaves, "seed": self.seed}
        mimic = fit_mimic(self.kind, X[:, columns], labels, sizes, names, **some)
        predict = mimic.model.predict
        beside = {"best_feature": best_feature_of(fitted, heldout, columns)}
        if self.kind != "boosted":
            boosted = boosted_trees(X[:, columns], labels, **some)
            beside["boosted"] = mimic_metrics(heldout, boosted.predict, columns)["tau"]
        metrics = mimic_metrics(heldout, predict, columns)
        each = [tau_of(one, predict(one.X[:, columns])) for one in heldout]
        shown_one = heldout[int(np.argsort(each, kind="stable")[(len(each) - 1) // 2])]
        used = [i for i in np.argsort(-mimic.importance, kind="stable") if mimic.importance[i] > 0]
        asked = sum(one.model.rows_asked for one in kept[:1] if one.model) - before
        notes.append(
            f"Fitted on {len(fitted)} queries, measured on {len(heldout)} others; the best single "
            f"feature has τ {beside['best_feature']:.3f} there"
            + (f", boosted trees {beside['boosted']:.3f}." if "boosted" in beside else ".")
        )
        return MimicExplanation(
            method=self.name,
            ranking=shown_one,
            features=tuple(names[i] for i in used),
            weights=tuple(float(mimic.importance[i]) for i in used),
            alone=np.asarray(predict(shown_one.X[:, columns]), dtype=np.float64),
            metrics=metrics,
            settings=self.settings(),
            model_calls=asked,
            seconds={"model": 0.0, "total": time.perf_counter() - start},
            notes=tuple(notes),
            tree=mimic.text,
            fitted=mimic_metrics(fitted, predict, columns),
            beside=beside,
            queries=(len(fitted), len(heldout)),
            nodes=tree_nodes(mimic.model, names),
            shapes=shapes_of(mimic.model, X[:, columns], names, used[:SHAPES]),
            mimic=mimic.model,
            inputs=tuple(names),
        )

    def _with_features(self, one: FeatureRanking | Ranking) -> FeatureRanking:
        if isinstance(one, FeatureRanking):
            return one
        return FeatureRanking.of(one, self.features_of)

    def _check_rankings(self, rankings: Sequence[FeatureRanking], kept: Sequence[object]) -> None:
        names = rankings[0].names
        for one in rankings:
            if one.names != names:
                raise InputError(
                    f"the rankings have different features: {shown(names)} for {rankings[0].query!r}, "
                    f"{shown(one.names)} for {one.query!r}"
                )
        if len(kept) < 2:
            raise InputError(
                "a mimic is fitted on some queries and measured on others: two or more with a "
                f"preference pair are needed, not {len(kept)} of {len(rankings)}"
            )

    def _training(
        self, fitted: Sequence[FeatureRanking], notes: list[str]
    ) -> tuple[Floats, list[Floats]]:
        """Features (M, F), and the ranker's scores of each query, synthetic documents included."""
        X = [one.X for one in fitted]
        scores = [one.scores for one in fitted]
        if self.synthetic:
            generator, pool = np.random.default_rng((self.seed, 1)), np.concatenate(X)
            model = fitted[0].ask("a mimic with synthetic documents")
            for _ in fitted:
                drawn = generator.integers(0, len(pool), (self.synthetic, pool.shape[1]))
                some = np.take_along_axis(pool, drawn, axis=0)
                X.append(some)
                scores.append(model(some))
            notes.append(
                f"{self.synthetic * len(fitted)} synthetic documents: each feature drawn from any "
                "document of the fitted queries."
            )
        return np.concatenate(X), scores

    def _chosen_labels(self, fitted: Sequence[FeatureRanking], notes: list[str]) -> Labels:
        """What the mimic is fitted to; chosen on fitted queries alone."""
        if self.kind == "lambdarank" or (self.labels == "auto" and len(fitted) < 3):
            return "order"
        if self.labels != "auto":
            return self.labels
        named = self.features if isinstance(self.features, tuple) else fitted[0].names
        columns = fitted[0].columns(named)
        inner = fitted[::3]
        rest = [one for i, one in enumerate(fitted) if i % 3]
        X, names = np.concatenate([one.X[:, columns] for one in rest]), [*named]
        taus_of: dict[Labels, float] = {}
        for how in ("order", "scores"):
            labels = labels_of(how, [one.scores for one in rest])
            some = {"max_leaves": self.max_leaves, "seed": self.seed}
            found = fit_mimic(self.kind, X, labels, [len(one) for one in rest], names, **some)
            predict = found.model.predict
            taus_of[how] = float(np.mean([tau_of(one, predict(one.X[:, columns])) for one in inner]))
        best = max(taus_of, key=lambda how: taus_of[how])
        notes.append(
            f"Fitted to {'the scores' if best == 'scores' else 'the order within each query'}: on "
            f"{len(inner)} of the fitted queries, labels of the order have τ {taus_of['order']:.3f} "
            f"and scores {taus_of['scores']:.3f}."
        )
        return best

    def _columns(
        self, first: FeatureRanking, X: Floats, labels: Floats, sizes: Sequence[int]
    ) -> list[int]:
        """The places of the features that the mimic may use."""
        if self.features is None:
            return list(range(len(first.names)))
        if isinstance(self.features, tuple):
            return first.columns(self.features)
        some = {"max_leaves": self.max_leaves, "seed": self.seed}
        importance = fit_mimic("boosted", X, labels, sizes, first.names, **some).importance
        return sorted(int(i) for i in np.argsort(-importance, kind="stable")[: self.features])

"""Training of a feature-based ranker: LambdaMART, by LightGBM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError
from intentx.rankers.features.ltr import FeatureRanker, Features

if TYPE_CHECKING:
    from lightgbm import Dataset

__all__ = ["graded_lists", "train_lambdamart"]

PATIENCE = 20  # trees without a better nDCG@10 of the held-out queries
TOP_GRADE = 30  # LightGBM's limit


GradedList = tuple[str, Sequence[str], Sequence[float]]


def graded_lists(
    queries: Mapping[str, str],
    texts: Mapping[str, str],
    first_stage: Mapping[str, Mapping[str, float]],
    qrels: Mapping[str, Mapping[str, int]],
    *,
    depth: int = 100,
) -> list[GradedList]:
    """Lists to train a re-ranker on: for each judged query the best candidates of a first stage.

    Parameters
    ----------
    queries, texts
        By query id and by document id.
    first_stage
        For each query id the scores of its candidates; the best ``depth`` are taken.
    qrels
        For each query id the grades of documents. One that nobody judged, or that has a grade below
        0, counts as 0.

    Examples
    --------
    >>> texts = {"a": "green tea", "b": "tea", "c": "a boat"}
    >>> graded_lists({"7": "tea"}, texts, {"7": {"c": 0.5, "b": 2.0}}, {"7": {"b": 3}})
    [('tea', ['tea', 'a boat'], [3, 0])]
    """
    lists: list[GradedList] = []
    for qid, run in first_stage.items():
        if qid in qrels:
            ids = sorted(run, key=run.__getitem__, reverse=True)[:depth]
            grades = [max(qrels[qid].get(doc_id, 0), 0) for doc_id in ids]
            lists.append((queries[qid], [texts[doc_id] for doc_id in ids], grades))
    return lists


def train_lambdamart(
    lists: Iterable[GradedList],
    features: Features,
    *,
    heldout: Iterable[GradedList] = (),
    trees: int = 100,
    leaves: int = 4,
    learning_rate: float = 0.05,
    least_texts: int = 50,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> FeatureRanker:
    """Train LambdaMART (Burges 2010), by LightGBM, to order the texts of each query by grade.

    The same input, seed and version of LightGBM give the same model.

    Parameters
    ----------
    lists
        For each query: the query, its texts, and their grades, whole numbers from 0 to 30, higher
        is better. Train on lists such as the model is to order (see `graded_lists`): where it
        re-ranks the first 100 of BM25, these, with grade 0 for what nobody judged. Judged texts
        alone are another kind of text, and taught less in our benchmark.
    features
        What the model sees of a text.
    heldout
        Lists of other queries: with some, training stops when their nDCG@10 has not risen for 20
        trees, and the model keeps the trees up to the peak.
    trees, leaves, learning_rate
        How many trees at most, how large they are, and how much each counts.
    least_texts
        Least number of texts in a leaf; lower it when there are few.
    seed
        Of the samples that each tree sees: 70 % of the queries and half of the features.
    progress
        Called with the number of trees so far and the most there can be, after each.

    Returns
    -------
    FeatureRanker
        Its background is the mean of each feature over all texts of ``lists``.

    Raises
    ------
    MissingExtraError
        If LightGBM is not installed.
    InputError
        If a list or setting is broken, no list has texts of different grades, or no tree could be
        grown.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("lightgbm", "ltr") from error
    _check_sizes(trees, leaves, least_texts, learning_rate)
    train, valid = _Lists.of(lists, features), _Lists.of(heldout, features)
    if not any(len(set(grades.tolist())) > 1 for grades in np.split(train.grades, train.sizes.cumsum())):
        raise InputError("nothing to learn: no training query has texts of different grades")
    settings = {
        "objective": "lambdarank",
        "metric": "ndcg" if len(valid.X) else "None",
        "eval_at": [10],
        # Gains as in trec_eval's nDCG, and pairs from the whole list, not its first 30 alone.
        "label_gain": list(range(TOP_GRADE + 1)),
        "lambdarank_truncation_level": int(train.sizes.max()),
        "num_leaves": leaves,
        "learning_rate": learning_rate,
        "min_data_in_leaf": least_texts,
        "bagging_by_query": True,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction": 0.5,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    callbacks: list[Callable[..., Any]] = []
    if progress is not None:
        callbacks.append(lambda state: progress(state.iteration + 1, state.end_iteration))
    if len(valid.X):
        callbacks.append(lightgbm.early_stopping(PATIENCE, verbose=False))
    data = train.dataset(features)
    evaluated = [valid.dataset(features, data)] if len(valid.X) else None
    booster = lightgbm.train(settings, data, trees, valid_sets=evaluated, callbacks=callbacks)
    if not booster.feature_importance("split").any():
        raise InputError(
            f"no tree could be grown: {len(train.X)} texts do not divide into leaves of at least "
            f"{least_texts}; lower least_texts"
        )
    return FeatureRanker(features, booster, background=train.X.mean(axis=0).tolist())


class _Lists(NamedTuple):
    """Lists of all queries, one after the other: features (M, F), grades (M,) and sizes (Q,)."""

    X: npt.NDArray[np.float64]
    grades: npt.NDArray[np.intp]
    sizes: npt.NDArray[np.intp]

    @classmethod
    def of(cls, lists: Iterable[GradedList], features: Features) -> _Lists:
        rows = [np.empty((0, len(features.names)))]
        grades: list[int] = []
        sizes = []
        for query, texts, given in lists:
            if len(texts) != len(given) or not len(texts):
                raise InputError(
                    f"query {query!r} must have one grade for each text, one or more: it has "
                    f"{len(texts)} texts and {len(given)} grades"
                )
            for grade in given:
                if grade not in range(TOP_GRADE + 1):
                    raise InputError(
                        f"grades must be whole numbers from 0 to {TOP_GRADE}; query {query!r} has "
                        f"{grade!r}"
                    )
            X = np.asarray(features(query, texts), dtype=np.float64)
            if X.shape != (len(texts), len(features.names)) or not np.isfinite(X).all():
                raise InputError(
                    f"features must be finite and of shape ({len(texts)}, {len(features.names)}), "
                    f"texts x features; for query {query!r} they are not: {X.shape}"
                )
            rows.append(X)
            grades += map(int, given)
            sizes.append(len(texts))
        return cls(np.concatenate(rows), np.array(grades, dtype=np.intp), np.array(sizes, dtype=np.intp))

    def dataset(self, features: Features, train: Dataset | None = None) -> Dataset:
        import lightgbm

        names = list(features.names)
        return lightgbm.Dataset(
            self.X,
            self.grades,
            group=self.sizes,
            # It refuses names with marks such as a colon, and then makes up its own.
            feature_name=names if all(name.isidentifier() for name in names) else "auto",
            reference=train,
        )


def _check_sizes(trees: int, leaves: int, least_texts: int, learning_rate: float) -> None:
    """Refuse settings of which no tree could be grown."""
    for name, value, least in (
        ("trees", trees, 1),
        ("leaves", leaves, 2),
        ("least_texts", least_texts, 1),
    ):
        if value < least:
            raise InputError(f"{name} must be {least} or more, not {value!r}")
    if not learning_rate > 0:
        raise InputError(f"learning_rate must be positive, not {learning_rate!r}")

"""The queries of a study of rankers over features, and the models that rank their documents."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.datasets.letor import Letor, read_letor
from intentx.errors import InputError, MissingExtraError
from intentx.feature_ranking import FeatureRanking
from intentx.files import numbered_lines
from intentx.models import FeatureModel
from intentx.rankers import RankerSpec
from intentx.study.data_settings import Data
from intentx.study.spread import spread_places

__all__ = ["LAMBDAMART", "FeatureTopic", "feature_mark", "feature_ranking", "feature_topics"]

Floats = npt.NDArray[np.float64]

LAMBDAMART = "lambdamart"
RECIPE = {  # of the ranker that a study trains itself; early stopping by nDCG@10 after 50 trees
    "objective": "lambdarank", "metric": "ndcg", "eval_at": [10], "num_leaves": 15,
    "learning_rate": 0.05, "min_data_in_leaf": 20, "seed": 0, "deterministic": True,
    "force_row_wise": True, "num_threads": 1, "verbosity": -1,
}  # fmt: skip
TREES, PATIENCE = 300, 50
ROWS = 100  # of the background
GRADES = 30  # the largest of LightGBM


@dataclass(frozen=True, eq=False)
class FeatureTopic:
    """One query of a study of rankers over features.

    Attributes
    ----------
    qid, query
        Its id; there is no text.
    doc_ids, X, names
        Documents with their features, (N, F).
    background
        (B, F) rows of training documents; None where there are none.
    train, stop
        Files that a ranker is trained on, and the one that stops the training.
    read
        Stands for what is in these files.
    """

    qid: str
    query: str
    doc_ids: tuple[str, ...]
    X: Floats = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    background: Floats | None = field(default=None, repr=False)
    train: tuple[str, ...] = ()
    stop: str | None = None
    read: str = ""

    @functools.cached_property
    def digest(self) -> str:
        """Stands for all of it."""
        found = hashlib.blake2b(digest_size=12)
        found.update(repr((self.qid, self.doc_ids, self.names, self.read)).encode())
        for rows in (self.X, self.background):
            found.update(b"none" if rows is None else np.ascontiguousarray(rows).tobytes())
        return found.hexdigest()


def feature_topics(data: Data, number: Callable[[int], None] | None = None) -> Iterator[FeatureTopic]:
    """The queries of ``[data] letor``; with folds those of each part, one part after the other.

    Raises
    ------
    InputError
        If a file is broken, or no query has documents enough.
    """
    names = None
    if data.feature_names is not None:
        names = tuple(line.strip() for _, line in numbered_lines(data.feature_names))
    parts: list[tuple[tuple[str, ...], tuple[str, ...], str | None]] = [(data.letor, data.train, None)]
    if data.folds:
        files, size = data.letor, len(data.letor)
        parts = []
        for i in range(size):  # as MQ2008 has it: three to train on, one to stop, the last to judge
            turned = [files[(i + j) % size] for j in range(size)]
            parts.append(((turned[-1],), tuple(turned[:-2]), turned[-2]))
    found = [
        (place, qid)
        for place, (judged, _, _) in enumerate(parts)
        for qid, one in _read(judged, names).queries.items()
        if len(one.doc_ids) >= data.least
    ]
    if not found:
        raise InputError(f"no query of [data] letor has {data.least} documents or more")
    chosen = [found[i] for i in spread_places(len(found), data.queries)]
    if number is not None:
        number(len(chosen))
    for place, qid in chosen:
        judged, train, stop = parts[place]
        yield _topic(_read(judged, names), qid, train, stop, names, data.depth)


def _topic(
    letor: Letor, qid: str, train: tuple[str, ...], stop: str | None, names: Any, depth: int
) -> FeatureTopic:
    one = letor.query(qid)
    background, read = None, ""
    if train:
        known = _read(train, names)
        if known.names != letor.names:
            raise InputError(
                f"[data] train has {len(known.names)} features, and letor {len(letor.names)}: give "
                "files of the same features"
            )
        rows = known.rows()[0]
        drawn = np.random.default_rng(0).choice(len(rows), min(ROWS, len(rows)), replace=False)
        background, read = rows[drawn], _mark(train, stop)
    return FeatureTopic(
        qid, qid, one.doc_ids[:depth], one.X[:depth], letor.names, background, train, stop, read
    )


@functools.lru_cache(maxsize=8)
def _read(files: tuple[str, ...], names: tuple[str, ...] | None) -> Letor:
    return read_letor(files, names)


@functools.lru_cache(maxsize=32)
def _mark(train: tuple[str, ...], stop: str | None) -> str:
    """Stands for the contents of the files of a ranker that is trained."""
    found = hashlib.blake2b(digest_size=12)
    for file in (*train, *([stop] if stop else [])):
        found.update(Path(file).read_bytes())
    return found.hexdigest()


def feature_mark(spec: str) -> str:
    """What stands for a model over features: the content of its file, or its spec.

    Raises
    ------
    InputError
        If there is no such model.
    """
    if spec == LAMBDAMART:
        return f"{LAMBDAMART}, {RECIPE}, {TREES}, {PATIENCE}"
    parsed = RankerSpec.parse(spec)
    parsed.load_model()
    path = Path(parsed.target)
    files = sorted(path.rglob("*")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        return spec
    found = hashlib.blake2b(digest_size=12)
    for file in files:
        if file.is_file():
            found.update(file.read_bytes())
    return f"{parsed.kind}, {found.hexdigest()}"


def feature_ranking(spec: str, topic: FeatureTopic) -> FeatureRanking:
    """The documents of a query as a model orders them.

    Raises
    ------
    InputError
        If the model cannot be loaded or trained, or was fitted on other features.
    """
    model = _trained(topic.train, topic.stop, topic.names) if spec == LAMBDAMART else _loaded(spec)
    asked = FeatureModel(model, topic.names)
    ranking = FeatureRanking.from_model(asked, topic.query, topic.doc_ids, topic.X)
    return dataclasses.replace(ranking)


@functools.lru_cache(maxsize=8)
def _loaded(spec: str) -> Any:
    return RankerSpec.parse(spec).load_model()


@functools.lru_cache(maxsize=8)
def _trained(train: tuple[str, ...], stop: str | None, names: tuple[str, ...]) -> Any:
    """LambdaMART on the documents of some files, stopped by those of another."""
    if not train:
        raise InputError(
            f"the ranker {LAMBDAMART!r} is trained by the study: it needs [data] train, or folds = true"
        )
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("lightgbm", "ltr") from error
    X, grades, sizes = _read(train, names).rows()
    if not np.isin(grades, np.arange(GRADES + 1)).all():
        raise InputError(f"{LAMBDAMART!r} learns grades that are whole numbers from 0 to {GRADES}")
    data = lightgbm.Dataset(X, grades, group=sizes)
    if stop is None:
        return lightgbm.train({**RECIPE, "metric": "None"}, data, TREES)
    X, grades, sizes = _read((stop,), names).rows()
    return lightgbm.train(
        RECIPE, data, TREES, valid_sets=[data.create_valid(X, grades, group=sizes)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip

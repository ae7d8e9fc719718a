"""`Data`: where a study's queries and documents come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec

from intentx.checks import Size, check_fields
from intentx.errors import InputError
from intentx.files import file_name

__all__ = ["Data"]

SOURCES = ("demo", "folder", "beir", "ir_datasets", "topics", "letor")
FOLDS = 3  # parts at least: one to judge, one to stop the training, one to train on
LEAST = 2


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where queries and documents come from: one of the first six.

    Parameters
    ----------
    demo
        The queries that come with intentx, by their names; ``["*"]``: all of them.
    folder
        One with passages, queries and candidates, as `intentx.datasets.read_collection` reads.
    beir
        One in BEIR's form: ``corpus.jsonl``, ``queries.jsonl``, and ``qrels/``.
    ir_datasets
        The name of a dataset of the package ir_datasets.
    topics
        A JSONL file with a query on each line: ``qid``, ``query``, ``docs`` (a list of ``id`` and
        ``text``) and perhaps ``runs``, the scores of documents by the name of a run. It is read as it
        goes, so that it may be longer than memory. With ``docs``, a file of queries alone, as
        `intentx.datasets.read_queries` reads.
    letor
        Files of documents with features, as `intentx.datasets.read_letor` reads; the study is then of
        rankers over features. With ``folds`` the parts of a collection, three or more.
    docs
        With ``topics``: a file of documents, as `intentx.datasets.read_documents` reads.
    runs
        TREC run files by the names of the runs, besides those that the data brings.
    pool
        The recorded run whose documents are ranked; None: BM25 finds them, where the data has no run.
    depth
        Documents of each query, at most.
    queries
        Queries, at most, spread evenly over those that there are; None: all.
    train
        With ``letor``: files of other queries, whose documents stand for features that are left out, and
        which the ranker ``"lambdamart"`` is trained on.
    folds
        With ``letor``: whether each part is judged in turn, by a ranker that the others but the one
        before it are ``train`` of; that one stops the training.
    feature_names
        With ``letor``: a file with a name for each feature, one a line.
    least
        With ``letor``: documents of a query, at least; others are left out.
    """

    demo: tuple[str, ...] = ()
    folder: str | None = None
    beir: str | None = None
    ir_datasets: str | None = None
    topics: str | None = None
    docs: str | None = None
    runs: Mapping[str, str] = field(default_factory=dict)
    pool: str | None = None
    depth: Annotated[int, msgspec.Meta(ge=2, le=2**63 - 1, description="a whole number, 2 or more")] = (
        100
    )
    queries: Size | None = None
    letor: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    folds: bool = False
    feature_names: str | None = None
    least: Size = 2

    def __post_init__(self) -> None:
        check_fields("data", self)
        sources = [n for n in SOURCES if getattr(self, n)]
        if len(sources) != 1:
            raise InputError(
                "[data] needs one source: demo, folder, beir, ir_datasets, topics or letor; it has "
                f"{', '.join(sources) or 'none'}"
            )
        if self.docs is not None and self.topics is None:
            raise InputError("[data] docs needs topics, a file of queries")
        if self.runs and sources[0] in ("demo", "topics") and self.docs is None:
            raise InputError("[data] runs goes with docs, folder, beir or ir_datasets")
        if self.letor and (self.runs or self.pool):
            raise InputError("[data] letor has no recorded runs: leave runs and pool out")
        if not self.letor and (self.train or self.folds or self.feature_names or self.least != LEAST):
            raise InputError("[data] train, folds, feature_names and least go with letor")
        if self.folds and (self.train or len(self.letor) < FOLDS):
            raise InputError(
                f"[data] folds are made of {FOLDS} files of letor or more, and have no other train; "
                f"there are {len(self.letor)} files"
            )

    def look_for_files(self) -> None:
        """Ask whether all files and folders are there, before anything slow begins.

        Raises
        ------
        InputError
            If one is not.
        """
        if self.folder is not None and not Path(self.folder).is_dir():
            raise InputError(
                f"no folder {self.folder!r} with passages, queries and candidates; name yours as "
                "[data] folder, or with --data"
            )
        named = [(name, getattr(self, name)) for name in ("beir", "topics", "docs")]
        named += [(f"runs.{name}", path) for name, path in self.runs.items()]
        named += [("letor", path) for path in self.letor] + [("train", path) for path in self.train]
        named += [("feature_names", self.feature_names)]
        for name, path in named:
            if path not in (None, "-") and not Path(path).exists():
                raise InputError(f"[data] {name}: there is no file or folder '{file_name(path)}'")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, without what is of rankers over features where there is nothing of it."""
        plain = dataclasses.asdict(self)
        if not self.letor:  # as before there were such studies: the same data is the same study
            for key in ("letor", "train", "folds", "feature_names", "least"):
                del plain[key]
        return plain

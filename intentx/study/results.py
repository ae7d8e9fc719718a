"""The results of a study, read from one folder or from the folders of its shards."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from intentx.errors import InputError
from intentx.study.plan import Study
from intentx.study.store import Row, Store
from intentx.study.tables import Line, summarise

__all__ = ["Results", "read_results"]


@dataclass(frozen=True)
class Results:
    """What a study has come to so far; folders in any order are the same results.

    Attributes
    ----------
    study
        What was asked for.
    topics
        Id and text of each query begun, in the order of the data.
    lines
        One for each ranker and method, in the order of the study.
    cells, done, failed
        Cells of the queries begun, those that are measured, and those of them without metrics.
    """

    study: Study
    topics: tuple[tuple[str, str], ...] = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)
    cells: int
    done: int
    failed: int
    _source: _Shards = field(repr=False, compare=False)

    def rows(self) -> Iterator[Row]:
        """Every cell, by query and then in the order of `lines`, read as it goes."""
        yield from self._source.rows()


def read_results(folders: Sequence[str | Path]) -> Results:
    """The results in the folders of one study, which may each have some of its queries.

    Raises
    ------
    InputError
        If a folder has no study, or they are of different studies: the message says what differs.
    """
    if not folders:
        raise InputError("name the folder of a study")
    shards = _Shards.read(folders)
    study = shards.study
    lines = summarise(shards.rows(), shards.variants.values(), study.baselines_of, study.measures.seed)
    return Results(
        study=study,
        topics=tuple((qid, query) for qid, query, _ in shards.topics),
        lines=lines,
        cells=len(shards.topics) * len(shards.variants),
        done=sum(line.queries for line in lines),
        failed=sum(len(line.failed) for line in lines),
        _source=shards,
    )


@dataclass(frozen=True)
class _Shards:
    """Folders of one study.

    Attributes
    ----------
    topics
        Id, text and digest of each query, in the order of the data.
    """

    folders: tuple[Path, ...]
    study: Study
    variants: Mapping[str, tuple[str, str]]
    topics: tuple[tuple[str, str, str], ...]

    @classmethod
    def read(cls, folders: Sequence[str | Path]) -> _Shards:
        paths = tuple(sorted({Path(folder).resolve() for folder in folders}))
        studies: list[str] = []  # as JSON, so that they have an order
        known: list[dict[str, tuple[str, str]]] = []
        topics: dict[str, tuple[int, str, str]] = {}
        for path in paths:
            with Store(path, write=False) as store:
                studies.append(json.dumps(store.study(), sort_keys=False))
                known.append(store.variants())
                for place, qid, query, topic in store.topics():
                    _, _, there = topics.get(qid, (place, query, topic))
                    if there != topic:
                        raise InputError(
                            f"query {qid!r} has other documents in {path} than in another folder; only "
                            "shards of one study can be merged"
                        )
                    topics[qid] = min((place, query, topic), topics.get(qid, (place, query, topic)))
        for path, variants in zip(paths, known, strict=True):
            if list(variants.items()) != list(known[0].items()):
                differs = sorted({*variants.values()} ^ {*known[0].values()})
                what = " by ".join(differs[0]) if differs else "a ranker or a method"
                raise InputError(
                    f"{path} and {paths[0]} hold different studies: {what} is not in both with the same "
                    "settings"
                )
        ordered = sorted((place, qid, query, topic) for qid, (place, query, topic) in topics.items())
        study = Study.from_dict(json.loads(min(studies)))
        return cls(paths, study, known[0], tuple(topic[1:] for topic in ordered))

    def rows(self) -> Iterator[Row]:
        with contextlib.ExitStack() as stack:
            stores = [stack.enter_context(Store(path, write=False)) for path in self.folders]
            for _, _, topic in self.topics:
                found: dict[str, list[Row]] = {}
                for store in stores:
                    for row in store.cells(topic, list(self.variants)):
                        found.setdefault(row.variant, []).append(row)
                for variant in self.variants:
                    if variant in found:  # measured in two folders it differs in its seconds alone
                        yield min(found[variant], key=lambda row: sorted(row.seconds.items()))

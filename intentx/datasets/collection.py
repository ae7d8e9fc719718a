"""Test collections from folders: passages, queries, recorded runs and judgements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from intentx.datasets.readers import read_documents, read_queries
from intentx.datasets.records import filled
from intentx.errors import InputError
from intentx.files import PACKED, excerpt, file_name, number_in, numbered_lines
from intentx.ranking import Ranking

__all__ = ["Collection", "file_in", "read_candidates", "read_collection", "read_qrels"]

Runs = Mapping[str, Mapping[str, Mapping[str, float]]]
Qrels = Mapping[str, Mapping[str, int]]

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")

COLUMNS = ("qid", "docid", "rank", "score", "retriever")


@dataclass(frozen=True)
class Collection:
    """Passages and queries, with what retrieval systems and people said about them.

    Attributes
    ----------
    name
        For people.
    texts
        Text of each passage id.
    queries
        Text of each query id.
    runs
        For each system and query id the scores of its candidates, best first.
    qrels
        For each query id the grades of judged passages; these need not be among ``texts``.
    """

    name: str
    texts: Mapping[str, str] = field(repr=False)
    queries: Mapping[str, str] = field(repr=False)
    runs: Runs = field(repr=False)
    qrels: Qrels = field(default_factory=dict, repr=False)

    def run(self, system: str) -> Mapping[str, Mapping[str, float]]:
        """The candidates of one system, by query id."""
        if system not in self.runs:
            known = ", ".join(self.runs) or "none"
            raise InputError(f"{self.name} has no run of {system!r}; it has: {known}")
        return self.runs[system]

    def ranking(self, system: str, qid: str) -> Ranking:
        """The recorded ranking of one system for one query."""
        return Ranking.from_run(self.run(system)[qid], self.queries[qid], self.pool(system, qid))

    def pool(self, system: str, qid: str) -> dict[str, str]:
        """The candidate passages of one system for one query."""
        return {doc_id: self.texts[doc_id] for doc_id in self.run(system)[qid]}

    def pools(self) -> list[list[str]]:
        """For each query, the texts that any system found for it."""
        found: dict[str, dict[str, None]] = {}  # as sets that keep their order
        for run in self.runs.values():
            for qid, scores in run.items():
                found.setdefault(qid, {}).update(dict.fromkeys(scores))
        return [[self.texts[doc_id] for doc_id in ids] for ids in found.values()]


def read_collection(folder: str | Path) -> Collection:
    """Read a folder with ``passages``, ``queries``, ``candidates`` and perhaps ``qrels``.

    Parameters
    ----------
    folder
        It holds ``passages.jsonl`` or ``passages.tsv`` (see `read_documents`), ``queries.tsv`` or
        ``queries.jsonl`` (see `read_queries`), ``candidates.tsv`` (see `read_candidates`) and, where
        there are judgements, ``qrels.txt`` (see `read_qrels`). Each may be packed, with ``.gz``,
        ``.bz2`` or ``.xz`` behind its name.

    Raises
    ------
    InputError
        If a file is missing or broken, or candidates name a query or passage that is not there; the
        message names file and line.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder {str(folder)!r} with passages, queries and candidates")
    passages = file_in(folder, "passages.jsonl", "passages.tsv")
    texts = {document.id: document.content for document in read_documents(passages)}
    listed = file_in(folder, "queries.tsv", "queries.jsonl")
    queries = read_queries(listed)
    candidates = file_in(folder, "candidates.tsv")
    runs = read_candidates(candidates)
    for system, run in runs.items():
        for qid, scores in run.items():
            if qid not in queries:
                raise InputError(f"{candidates}: {system} has query {qid!r}, which {listed.name} lacks")
            absent = next((doc_id for doc_id in scores if doc_id not in texts), None)
            if absent is not None:
                raise InputError(
                    f"{candidates}: {system} has document {absent!r} under query {qid!r}, which "
                    f"{passages.name} lacks"
                )
    judged = any((folder / f"qrels.txt{end}").is_file() for end in ("", *PACKED))
    qrels = read_qrels(file_in(folder, "qrels.txt")) if judged else {}
    return Collection(folder.name, texts, queries, runs, qrels)


def file_in(folder: Path, *names: str) -> Path:
    """The first file of these names in a folder, packed or not; an InputError where there is none."""
    for name in names:
        for ending in ("", *PACKED):
            path = folder / f"{name}{ending}"
            if path.is_file():
                return path
    raise InputError(f"{folder} lacks {' or '.join(names)}, packed or not")


def read_candidates(path: str | Path) -> dict[str, dict[str, dict[str, float]]]:
    """Read recorded runs: a TSV file with the columns ``qid docid rank score retriever``.

    The first line names the columns, which may stand in any order. The order of the lines is kept;
    the rank is not used.

    Returns
    -------
    dict
        For each retriever and query id the score of each document id.

    Raises
    ------
    InputError
        If a line is broken, a score is not finite, or a document stands twice in one ranking.
    """
    lines = numbered_lines(path)
    _, head = next(lines, ("", ""))
    names = [name.strip() for name in head.split("\t")]
    if len(set(names)) < len(names):
        raise InputError(f"{file_name(path)}: the first line names a column twice: {excerpt(head)}")
    absent = [name for name in ("qid", "docid", "score", "retriever") if name not in names]
    if absent:
        raise InputError(
            f"{file_name(path)}: the first line must name the columns {', '.join(COLUMNS)}; it lacks "
            f"{', '.join(absent)}"
        )
    runs: dict[str, dict[str, dict[str, float]]] = {}
    for where, line in lines:
        columns = line.split("\t")
        if len(columns) != len(names):
            raise InputError(f"{where}: {len(names)} columns expected, not {excerpt(line)}")
        row = dict(zip(names, columns, strict=True))
        score = number_in(row["score"], where)
        for name in ("qid", "docid", "retriever"):
            filled(row[name], name, where)
        run = runs.setdefault(row["retriever"], {}).setdefault(row["qid"], {})
        if row["docid"] in run:
            raise InputError(
                f"{where}: document {row['docid']!r} is listed twice under query {row['qid']!r} of "
                f"{row['retriever']}"
            )
        run[row["docid"]] = score
    if not runs:
        raise InputError(f"{file_name(path)} holds no candidates")
    return runs


def read_qrels(path: str | Path) -> dict[str, dict[str, int]]:
    """Read TREC judgements: ``qid 0 docid grade`` on each line, white space between.

    Raises
    ------
    InputError
        If a line has not four columns or no whole grade, or a document is judged twice.
    """
    qrels: dict[str, dict[str, int]] = {}
    for where, line in numbered_lines(path):
        columns = line.split()
        if len(columns) != 4:
            raise InputError(f"{where}: 'qid 0 docid grade' expected, not {excerpt(line)}")
        qid, _, doc_id, grade = columns
        if not _WHOLE.fullmatch(grade):
            raise InputError(f"{where}: the grade must be a whole number, not {excerpt(grade)}")
        if doc_id in qrels.setdefault(qid, {}):
            raise InputError(f"{where}: document {doc_id!r} is judged twice under query {qid!r}")
        qrels[qid][doc_id] = int(grade)
    if not qrels:
        raise InputError(f"{file_name(path)} holds no judgements")
    return qrels

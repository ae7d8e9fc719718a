"""Recorded rankings: TREC run files."""

from __future__ import annotations

from pathlib import Path

from intentx.errors import InputError
from intentx.files import PACKED, excerpt, file_name, number_in, numbered_lines

__all__ = ["named_run", "read_run", "run_of"]

Scores = dict[str, float]  # by document id


def read_run(path: str | Path) -> dict[str, Scores]:
    """Read a TREC run: ``qid Q0 docid rank score tag`` on each line, white space between.

    Parameters
    ----------
    path
        The file, packed or not (see `intentx.files.numbered_lines`); ``"-"`` is standard input.

    Returns
    -------
    dict
        For each query id the score of each document id, in the order of the file. TREC orders by
        score; the rank column is not used.

    Raises
    ------
    InputError
        If the file cannot be read, a line has not six columns or no finite score, or a document
        stands twice under one query; the message names the line.
    """
    return {qid: scores for qid, (scores, _) in _read(path).items()}


def run_of(path: str | Path, qid: str | None = None) -> Scores:
    """One query's scores from a run file; without ``qid``, the only one there is."""
    return named_run(path, qid)[1]


def named_run(path: str | Path, qid: str | None = None) -> tuple[str, Scores]:
    """What a run is called, and one query's scores; without ``qid``, the only query there is.

    It goes by its tag, the last column; where the lines of the query have several, by its file.
    """
    runs = _read(path)
    if qid is None and len(runs) == 1:
        qid = next(iter(runs))
    if qid is None or qid not in runs:
        known = ", ".join(list(runs)[:5]) + (", …" if len(runs) > 5 else "")
        problem = "holds several queries" if qid is None else f"has no query {excerpt(qid)}"
        raise InputError(f"{file_name(path)} {problem}; choose a query id of its {len(runs)}: {known}")
    scores, tags = runs[qid]
    return tags[0] if len(tags) == 1 else _name_of(path), scores


def _name_of(path: str | Path) -> str:
    name = Path(file_name(path)).name
    packed = next((ending for ending in PACKED if name.endswith(ending)), "")
    return name.removesuffix(packed)


def _read(path: str | Path) -> dict[str, tuple[Scores, list[str]]]:
    """For each query its scores and the tags of its lines."""
    runs: dict[str, tuple[Scores, list[str]]] = {}
    for where, line in numbered_lines(path):
        columns = line.split()
        if len(columns) != 6:
            raise InputError(f"{where}: 'qid Q0 docid rank score tag' expected, not {excerpt(line)}")
        qid, _, doc_id, _, score, tag = columns
        value = number_in(score, where)
        scores, tags = runs.setdefault(qid, ({}, []))
        if doc_id in scores:
            also = "" if tag in tags else f"; a file holds one run, and this one is of {tags[0]!r}, too"
            raise InputError(
                f"{where}: document {excerpt(doc_id)} is listed twice under query {excerpt(qid)}{also}"
            )
        scores[doc_id] = value
        if tag not in tags[:2]:
            tags.append(tag)
    if not runs:
        raise InputError(f"{file_name(path)} holds no ranking")
    return runs

"""Recorded rankings: TREC run files."""

from __future__ import annotations

import math
from pathlib import Path

from intentx.errors import InputError
from intentx.files import numbered_lines

__all__ = ["read_run", "run_of"]


def read_run(path: str | Path) -> dict[str, dict[str, float]]:
    """Read a TREC run: ``qid Q0 docid rank score tag`` on each line, white space between.

    Parameters
    ----------
    path
        The file; one whose name ends in ``.gz`` is unpacked.

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
    runs: dict[str, dict[str, float]] = {}
    for where, line in numbered_lines(path):
        columns = line.split()
        if len(columns) != 6:
            raise InputError(f"{where}: 'qid Q0 docid rank score tag' expected, not {line[:80]!r}")
        qid, _, doc_id, _, score, _ = columns
        try:
            value = float(score)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"{where}: the score must be a finite number, not {score!r}")
        run = runs.setdefault(qid, {})
        if doc_id in run:
            raise InputError(f"{where}: document {doc_id!r} stands twice under query {qid!r}")
        run[doc_id] = value
    if not runs:
        raise InputError(f"{path} holds no ranking")
    return runs


def run_of(path: str | Path, qid: str | None = None) -> dict[str, float]:
    """One query's scores from a run file; without ``qid``, the only one there is."""
    runs = read_run(path)
    if qid is None and len(runs) == 1:
        return next(iter(runs.values()))
    if qid not in runs:
        known = ", ".join(list(runs)[:5]) + (", …" if len(runs) > 5 else "")
        problem = "holds several queries" if qid is None else f"has no query {qid!r}"
        raise InputError(f"{path} {problem}; choose a query id of its {len(runs)}: {known}")
    return runs[qid]

"""Rows that are kept as they are measured, and a benchmark in parts that run beside each other.

for i in 0 1 2 3; do python benchmarks/NAME.py … --shard $i/4 --kept rows$i.jsonl & done; wait
cat rows?.jsonl > rows.jsonl; python benchmarks/NAME.py … --kept rows.jsonl --out benchmarks/results
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["add_options", "keep", "kept_rows", "sharded"]
T = TypeVar("T")


def _shard(text: str) -> tuple[int, int]:
    first, _, step = text.partition("/")
    if not (first.isdigit() and step.isdigit() and int(first) < int(step)):
        raise argparse.ArgumentTypeError(f"'{text}' is no part, such as 0/4, 1/4, 2/4, 3/4")
    return int(first), int(step)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kept", type=Path, required=True, help="rows, JSONL: read, and added to")
    parser.add_argument("--shard", type=_shard, default=(0, 1), help="I/N: every Nth question from I")


def sharded(items: Sequence[T], shard: tuple[int, int]) -> Sequence[T]:
    """Every Nth of the items, from the Ith."""
    return items[shard[0] :: shard[1]]


def kept_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def keep(path: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same rows, each written to the file when it is there."""
    with path.open("a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
            file.flush()
            yield row

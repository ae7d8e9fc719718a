"""First-stage search: building, opening and asking an index, held against bm25s alone.

Passages are made of the sentences of TREC Deep Learning passages, put together anew.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
from trec import DATA, machine

import intentx as ix
from intentx.datasets import read_collection
from intentx.rankers import BM25
from intentx.search import SearchIndex

COLLECTIONS = ("dl19", "dl21", "dl22")
K = 100
RATIO = 3  # of bm25s's own time that a search may take


def sentences() -> tuple[list[str], list[str]]:
    """Sentences of all passages, each once, and the queries."""
    analyzer = ix.Analyzer()
    found: dict[str, None] = {}
    queries: list[str] = []
    for name in COLLECTIONS:
        collection = read_collection(DATA / name)
        queries += collection.queries.values()
        for text in collection.texts.values():
            ends = [*analyzer.sentences(text)[1:], len(text)]
            found.update(
                (text[start:end].strip(), None)
                for start, end in zip(analyzer.sentences(text), ends, strict=True)
            )
    return list(found), queries


def passages(number: int, parts: list[str]) -> Iterator[ix.Document]:
    """Passages of three sentences, drawn at random."""
    generator = np.random.default_rng(0)
    for start in range(0, number, 10_000):
        for i, row in enumerate(generator.integers(len(parts), size=(10_000, 3)).tolist()):
            if start + i < number:
                yield ix.Document(f"p{start + i}", " ".join(parts[j] for j in row))


class Watch:
    """Processor and wall seconds of what is called."""

    def __init__(self) -> None:
        self.seconds: dict[str, tuple[float, float]] = {}

    def of(self, name: str, call: Callable[[], Any]) -> Any:
        before = time.process_time()
        started = time.perf_counter()
        answer = call()
        self.seconds[name] = time.process_time() - before, time.perf_counter() - started
        return answer


def measure(number: int, workers: int, folder: Path) -> dict[str, Any]:
    """One size: build, open, search; bm25s alone where all of it fits into memory at ease."""
    parts, queries = sentences()
    watch = Watch()
    given = passages(number, parts)
    watch.of("build", lambda: SearchIndex.build(given, folder, workers=workers).close())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    index = watch.of("open", lambda: SearchIndex.open(folder))
    index.search(queries[0])
    found: dict[str, Any] = {"passages": number, "queries": len(queries), "peak": peak}
    found["disk"] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    alone = _alone(index, passages(number, parts), watch) if number <= 20_000 else None
    laps: dict[str, list[float]] = {"ours": [], "bm25s": []}
    for query in queries:
        lap = time.process_time()
        hits = index.search(query, K)
        laps["ours"].append(time.process_time() - lap)
        if alone is not None:
            tokens = [[token.term for token in index.analyzer.tokens(query)]]
            lap = time.process_time()
            theirs = alone.retrieve(tokens, k=K, show_progress=False)
            laps["bm25s"].append(time.process_time() - lap)
            expected = theirs.scores[0][: len(hits.scores)] * (index.k1 + 1)
            np.testing.assert_allclose(hits.scores, expected, rtol=1e-5)
    found["ms"] = {name: (np.array(lap) * 1e3).tolist() for name, lap in laps.items() if lap}
    if alone is not None:
        texts = [document.text for document in passages(number, parts)]
        scorer = watch.of("scorer: collection", lambda: BM25(texts))
        for call in ("first", "second"):
            scores = watch.of(f"scorer: {call} query", lambda: scorer(queries[0], texts))
        hits = index.search(queries[0], K)
        best = np.argsort(-scores, kind="stable")[: len(hits.ids)]
        assert [f"p{i}" for i in best] == list(hits.ids), "the scorer and the index agree"
        assert scores[best].tolist() == hits.scores.tolist()
    return {**found, "seconds": watch.seconds}


def _alone(index: SearchIndex, given: Iterator[ix.Document], watch: Watch) -> bm25s.BM25:
    """bm25s as it comes, given the same terms."""
    rows = [[token.term for token in index.analyzer.tokens(one.text)] for one in given]
    model = bm25s.BM25(k1=index.k1, b=index.b)
    watch.of("bm25s alone: index of terms", lambda: model.index(rows, show_progress=False))
    model.retrieve([rows[0]], k=K, show_progress=False)
    return model


def page(small: dict[str, Any], large: dict[str, Any], workers: int) -> str:
    ours, theirs = np.array(small["ms"]["ours"]), np.array(small["ms"]["bm25s"])
    ratio = float(np.median(ours) / np.median(theirs))
    lines = [
        "# First-stage search\n",
        f"Passages of three sentences, drawn from those of {', '.join(COLLECTIONS)}; their "
        f"{small['queries']} queries, the first {K} documents of each. `SearchIndex` analyses the "
        "query, searches, and looks the ids up in SQLite; bm25s alone (`retrieve`, float32) gets the "
        "query's terms. Seconds of this process's processor, wall seconds in brackets; "
        f"{workers} more processes analyse the larger collection, and their seconds come on "
        f"top. Machine: {machine()}, while other work shared the two cores.\n",
        "| | " + " | ".join(f"{found['passages']:,} passages" for found in (small, large)) + " |",
        "|---|---|---|",
    ]

    def row(name: str, *cells: str) -> None:
        lines.append(f"| {name} | {' | '.join(cells)} |")

    def both(name: str, cell: Callable[[dict[str, Any]], str]) -> None:
        row(name, cell(small), cell(large))

    def seconds(found: dict[str, Any], name: str) -> str:
        if name not in found["seconds"]:
            return ""
        processor, wall = found["seconds"][name]
        return f"{processor:.2f} ({wall:.2f})"

    both("build, s", lambda found: seconds(found, "build"))
    both("most memory until then, GB", lambda found: f"{found['peak']:.2f}")
    both("on disk, MB", lambda found: f"{found['disk']:,.0f}")
    both("open, s", lambda found: seconds(found, "open"))
    both("search, ms, median", lambda found: f"{np.median(found['ms']['ours']):.2f}")
    both("search, ms, 95th of 100", lambda found: f"{np.percentile(found['ms']['ours'], 95):.2f}")
    row("bm25s alone, ms, median", f"{np.median(theirs):.2f}", "")
    row(f"**ratio of the medians** (bound: {RATIO})", f"**{ratio:.2f}**", "")
    for name in ("bm25s alone: index of terms", "scorer: collection", "scorer: first query"):
        row(f"{name}, s", seconds(small, name), "")
    row("scorer: second query, s", seconds(small, "scorer: second query"), "")
    lines.append(
        "\nThe scores are those of bm25s times k1 + 1, and those of the scorer `BM25` to the last bit; "
        "`BM25` is for short lists, and here it scores all passages."
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--large", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--one", nargs=2, metavar=("PASSAGES", "WORKERS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    missing = [name for name in COLLECTIONS if not (DATA / name).is_dir()]
    if missing:
        print(f"no {DATA / missing[0]}: nothing is measured", file=sys.stderr)
        return
    if options.one:
        folder = Path(tempfile.mkdtemp())
        try:
            found = measure(int(options.one[0]), int(options.one[1]), folder / "index")
        finally:
            shutil.rmtree(folder)
        print(json.dumps(found))
        return
    sizes = []
    for number, workers in ((options.passages, 1), (options.large, options.workers)):
        command = [sys.executable, __file__, "--one", str(number), str(workers)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        sizes.append(json.loads(done.stdout))
    text = page(sizes[0], sizes[1], options.workers)
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "search.md").write_text(text)


if __name__ == "__main__":
    main()

"""The index behind the search page: a million passages indexed, kept, opened and searched.

Run: python serve_index.py --out results [--passages 1000000]. It writes results/serve_index.md.
Passages are made of the sentences of TREC Deep Learning passages, put together anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from search import COLLECTIONS, passages, sentences
from trec import DATA, machine

from intentx.serve.opening import open_engine

K = 50
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Processes(threading.Thread):
    """Looks at a process and all that it started: their memory together, and processor seconds."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root, self.peak = root, 0
        self.seconds: dict[int, float] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.5):
            self.look()

    def look(self) -> None:
        parents, memory = {}, {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:  # it has ended
                    continue
                pid = int(entry.name)
                parents[pid], memory[pid] = int(fields[1]), int(fields[21]) * PAGE
                seconds = (int(fields[11]) + int(fields[12])) / TICKS
                if self._ours(pid, parents):
                    self.seconds[pid] = seconds
        self.peak = max(self.peak, sum(m for pid, m in memory.items() if self._ours(pid, parents)))

    def _ours(self, pid: int, parents: dict[int, int]) -> bool:
        while pid > 1 and pid != self.root:
            pid = parents.get(pid, 0)
        return pid == self.root


def measure(docs: Path, state: Path, workers: int) -> dict[str, Any]:
    """Index, open again, search and look for places; in a process of its own."""
    watch = Processes(os.getpid())
    watch.look()
    ahead = sum(watch.seconds.values())
    watch.start()
    began = time.perf_counter()
    open_engine("docs", docs, state=state, workers=workers).close()
    found: dict[str, Any] = {"wall": time.perf_counter() - began}
    watch.ended.set()
    watch.join()
    watch.look()
    found["cpu"] = sum(watch.seconds.values()) - ahead
    found["main"] = watch.seconds[os.getpid()] - ahead
    found["peak"] = watch.peak / 1e9
    found["disk"] = sum(p.stat().st_size for p in state.rglob("*") if p.is_file()) / 1e6
    began, cpu = time.perf_counter(), time.process_time()
    engine = open_engine("docs", docs, state=state, workers=workers)
    found["open"] = time.process_time() - cpu, time.perf_counter() - began
    found["documents"] = len(engine)
    _, queries = sentences()
    began, cpu = time.perf_counter(), time.process_time()
    engine.search(queries[0], K)
    found["first"] = time.process_time() - cpu, time.perf_counter() - began
    rng = np.random.default_rng(1)
    laps: dict[str, list[tuple[float, float]]] = {"search": [], "place": []}
    for query in queries:
        began, cpu = time.perf_counter(), time.process_time()
        hits = engine.search(query, K)
        engine.documents([hit.doc_id for hit in hits])
        laps["search"].append((time.process_time() - cpu, time.perf_counter() - began))
        doc_id = f"p{rng.integers(len(engine))}"
        began, cpu = time.perf_counter(), time.process_time()
        engine.place(query, doc_id)
        laps["place"].append((time.process_time() - cpu, time.perf_counter() - began))
    found |= {name: (np.array(lap) * 1e3).tolist() for name, lap in laps.items()}
    return found


def page(found: dict[str, Any], workers: int, size: float) -> str:
    lines = [
        "# The index behind the search page\n",
        f"{found['documents']:,} passages of three sentences, drawn from those of "
        f"{', '.join(COLLECTIONS)} ({size:,.0f} MB of JSON lines), indexed by `open_engine` with "
        f"{workers} processes that analyse them; then {len(found['search'])} queries of these "
        f"collections: the first {K} documents with their texts, and the place of a document drawn at "
        f"random. Machine: {machine()}; its load in the last 15 minutes was "
        f"{os.getloadavg()[2]:.0f}.\n",
        "| | processor | wall |",
        "|---|---|---|",
        f"| index, all processes together, s | {found['cpu']:.0f} | {found['wall']:.0f} |",
        f"| index, the process that reads and writes, s | {found['main']:.0f} | |",
        f"| open again, s | {found['open'][0]:.2f} | {found['open'][1]:.2f} |",
        f"| first query of a process, ms | {found['first'][0] * 1e3:.0f} | "
        f"{found['first'][1] * 1e3:.0f} |",
    ]
    for name, said in (("search", "first stage"), ("place", "place of a document")):
        cpu, wall = np.array(found[name]).T
        for what, q in (("median", 50), ("95th of 100", 95)):
            numbers = f"{np.percentile(cpu, q):.1f} | {np.percentile(wall, q):.1f}"
            lines.append(f"| {said}, ms, {what} | {numbers} |")
    lines.append(
        f"\nMost memory of all processes together: {found['peak']:.2f} GB. On disk: "
        f"{found['disk']:,.0f} MB. Aims: 300 s, 4 GB, 50 ms at the median."
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--one", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        docs, state = options.one
        print(json.dumps(measure(docs, state, options.workers)))
        return
    missing = [name for name in COLLECTIONS if not (DATA / name).is_dir()]
    if missing:
        print(f"no {DATA / missing[0]}: nothing is measured", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        docs = Path(folder) / "passages.jsonl"
        with docs.open("w", encoding="utf-8") as file:
            for one in passages(options.passages, sentences()[0]):
                file.write(json.dumps({"id": one.id, "text": one.text}) + "\n")
        command = [sys.executable, __file__, "--workers", str(options.workers), "--one", str(docs)]
        done = subprocess.run(
            [*command, str(Path(folder) / "state")], check=True, stdout=subprocess.PIPE, text=True
        )
        text = page(json.loads(done.stdout), options.workers, docs.stat().st_size / 1e6)
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "serve_index.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

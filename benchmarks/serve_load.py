"""Load on the search page: many people search by BM25 while others have MiniLM explain.

Run: python serve_load.py --out results [--seconds 300]. It writes results/serve_load.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import urllib3
from trec import machine

from intentx.datasets import demo_queries, load_demo

PAUSE = 1.0  # seconds between two searches of one person, on average


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--searching", type=int, default=50)
    parser.add_argument("--explaining", type=int, default=8)
    parser.add_argument("--many", type=int, default=3000, help="quick explanations after the load")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        command = [sys.executable, "-m", "intentx", "serve", "--port", "0", "--state", state]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                found = _loaded(server, options)
            finally:
                server.terminate()
    options.out.mkdir(exist_ok=True)
    (options.out / "serve_load.md").write_text(_report(found, options), encoding="utf-8")


def _loaded(server: subprocess.Popen[str], options: argparse.Namespace) -> dict[str, Any]:
    url = ""
    while not url:
        line = re.search(
            r"search page: (\S+)/$", (server.stdout.readline() if server.stdout else "").strip()
        )
        url = line[1] if line else ""
    pool = urllib3.PoolManager(maxsize=options.searching + options.explaining, retries=False)
    found: dict[str, Any] = {"search": [], "explain": [], "errors": [], "busy": 0, "memory": []}

    def ask(kind: str, body: dict[str, Any]) -> Any:
        began = time.perf_counter()
        try:
            answer = pool.request(
                "POST", f"{url}/api/v1/{kind}", body=json.dumps(body),
                headers={"content-type": "application/json"}, timeout=180,
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            found["errors"].append(repr(error))
            return {"rankings": []}
        plain = json.loads(answer.data)
        if answer.status == 429:
            found["busy"] += 1
            time.sleep(float(answer.headers["retry-after"]))
        elif answer.status >= 400 or plain.get("state") == "failed":
            found["errors"].append(str(plain)[:200])
        else:
            found[kind.partition("?")[0]].append((time.perf_counter() - began, plain.get("key")))
        return plain

    ask("search", {"query": "jaguar speed", "rankers": ["MiniLM"]})  # until the model is loaded
    found["search"].clear()
    until = time.monotonic() + options.seconds
    people = [
        threading.Thread(target=_search, args=(ask, number, until))
        for number in range(options.searching)
    ]
    people += [
        threading.Thread(target=_explain, args=(ask, number, until))
        for number in range(options.explaining)
    ]
    for one in people:
        one.start()
    while time.monotonic() < until:
        found["memory"].append(_memory(server.pid))
        time.sleep(min(10.0, options.seconds / 10))
    for one in people:
        one.join()
    keys = {key for _, key in found["explain"] if key}
    kept = [pool.request("GET", f"{url}/api/v1/answers/{key}").status for key in sorted(keys)]
    found["kept"], found["keys"] = kept.count(200), len(keys)
    timed = {kind: [*found[kind]] for kind in ("search", "explain")}
    found["many"] = _many(ask, options, server.pid)
    return {**found, **timed}


def _search(ask: Any, number: int, until: float) -> None:
    drawn = random.Random(number)  # noqa: S311
    words = [word for query in demo_queries() for word in query.split()]
    while time.monotonic() < until:
        ask("search", {"query": " ".join(drawn.sample(words, 2)), "rankers": ["BM25"]})
        time.sleep(drawn.uniform(0, 2 * PAUSE))


def _explain(ask: Any, number: int, until: float) -> None:
    drawn = random.Random(1000 + number)  # noqa: S311
    while time.monotonic() < until:
        query = drawn.choice(demo_queries())
        doc = drawn.choice(load_demo(query).documents).id
        body = {"query": query, "ranker": "MiniLM", "k": 30, "question": "document", "doc": doc}
        methods: list[dict[str, Any]] = [
            {"method": "shap", "settings": {"samples": 200}}, {"method": "deeplift"},
        ]  # fmt: skip
        method = drawn.choice(methods)
        found = ask("search", {"query": query, "rankers": ["BM25"], "k": 30})
        if doc in [one["doc_id"] for ranking in found["rankings"] for one in ranking["results"]]:
            ask("explain?wait=120", {**body, **method})


def _many(ask: Any, options: argparse.Namespace, pid: int) -> list[tuple[float, float]]:
    """Memory before, and after each tenth of, many explanations of documents by BM25."""

    def explain(number: int) -> None:
        query = demo_queries()[number % len(demo_queries())]
        found = ask("search", {"query": query, "rankers": ["BM25"]})
        results = [one["doc_id"] for ranking in found["rankings"] for one in ranking["results"]]
        body = {
            "query": query,
            "ranker": "BM25",
            "question": "document",
            "doc": results[number % len(results)],
        }
        ask("explain?wait=120", {**body, "method": "shap", "settings": {"samples": 60, "seed": number}})

    memory, parts = [_memory(pid)], np.array_split(np.arange(options.many), 10)
    with ThreadPoolExecutor(options.explaining) as people:
        for part in parts:
            list(people.map(explain, part.tolist()))
            memory.append(_memory(pid))
    return memory


def _memory(pid: int) -> tuple[float, float]:
    """MiB of the server, and of its workers together."""
    workers = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return _resident([pid]), _resident(workers)


def _resident(pids: Iterable[int]) -> float:
    pages = [int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in pids]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _tenths(memory: Iterable[float]) -> str:
    memory = list(memory)
    places = np.linspace(0, len(memory) - 1, 11).round().astype(int)
    return ", ".join(f"{memory[place]:,.0f}" for place in places)


def _report(found: dict[str, Any], options: argparse.Namespace) -> str:
    server, workers = zip(*found["memory"], strict=True)
    lines = [
        "# The search page under load", "",
        f"{options.searching} people search the demo collection by BM25, with a pause of {PAUSE:g} s on "
        f"average, while {options.explaining} have MiniLM explain documents (KernelSHAP with 200 "
        f"samples, DeepLIFT), for {options.seconds:g} s. Machine, which also runs the people: "
        f"{machine()}; load average {os.getloadavg()[0]:.1f} at the end.",
        "", "| | number | median ms | p95 ms | max ms |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for kind in ("search", "explain"):
        times = np.array([one for one, _ in found[kind]]) * 1000
        median, high = (np.quantile(times, q) if len(times) else float("nan") for q in (0.5, 0.95))
        most = times.max(initial=0.0)
        lines.append(f"| {kind} | {len(times):,} | {median:,.0f} | {high:,.0f} | {most:,.0f} |")
    lines += [
        "", f"Errors: {len(found['errors'])}. Told to come back later: {found['busy']}. Of "
        f"{found['keys']} different answers, {found['kept']} are kept.",
        "", "Memory in MiB, at the start and after each tenth of the time:",
        f"- worker: {_tenths(workers)}",
        f"- server: {_tenths(server)}", "",
        f"Then {options.many:,} explanations of documents by BM25 (KernelSHAP with 60 samples), no two "
        "alike; memory at their start and after each tenth:",
        *(f"- {who}: {_tenths(one[part] for one in found['many'])}"
          for part, who in ((1, "worker"), (0, "server"))), "",
        *(f"- {error}" for error in found["errors"][:5]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

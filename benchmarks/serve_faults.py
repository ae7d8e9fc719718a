"""Faults of the search page's server: kill -9 of the server, or of its worker, at random moments.

Run: python serve_faults.py --out results [--rounds 10]. It writes results/serve_faults.md. After each
kill, all answers that were told must be there unchanged, and each other question be done or lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import urllib3

from intentx.datasets import demo_queries

LONGEST = 4.0  # seconds from the first question to the kill


class Server:
    """A server on a free port, and requests to it; None where it is gone."""

    def __init__(self, state: str) -> None:
        command = [sys.executable, "-m", "intentx", "serve", "--port", "0", "--state", state]
        self.process = subprocess.Popen(
            [*command, "--ranker", "bm25"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        while True:
            line = self.process.stdout.readline() if self.process.stdout else ""
            if found := re.search(r"search page: (\S+)/$", line.strip()):
                self.url = found[1]
                return

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = urllib3.request(
                method, f"{self.url}/api/v1/{path}", body=None if body is None else json.dumps(body),
                headers={"content-type": "application/json"}, timeout=60, retries=False,
            )  # fmt: skip
        except urllib3.exceptions.HTTPError:
            return None
        return json.loads(answer.data)

    def workers(self) -> list[int]:
        pid = self.process.pid
        found = []
        for one in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (one / "children").read_text().split()]
        # One of them keeps count of semaphores, and asks no ranker.
        return [one for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    drawn = random.Random(0)  # noqa: S311
    rows, known = [], dict[str, Any]()
    with tempfile.TemporaryDirectory() as state:
        server = Server(state)
        for number in range(options.rounds):
            whole = number % 2 == 0
            jobs = _asked(server, number, drawn)
            moment = drawn.uniform(0, LONGEST)
            time.sleep(moment)
            told = _told(server, jobs)
            if whole:
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
                server = Server(state)
            else:
                for pid in server.workers():
                    os.kill(pid, signal.SIGKILL)
            states = _settled(server, jobs)
            known |= told
            intact = sum(_answer(server, key) == answer for key, answer in known.items())
            rows.append(
                [number + 1, "server" if whole else "worker", moment, states, intact, len(known)]
            )
        server.process.terminate()
        server.process.wait()
    options.out.mkdir(exist_ok=True)
    (options.out / "serve_faults.md").write_text(_report(rows), encoding="utf-8")


def _asked(server: Server, number: int, drawn: random.Random) -> list[str]:
    """Ids of the jobs of six questions that were not asked before."""
    asked = [{"query": query, "k": 10 + number} for query in drawn.sample(list(demo_queries()), 6)]
    return [server.ask("POST", "explain", body)["id"] for body in asked]


def _told(server: Server, jobs: list[str]) -> dict[str, Any]:
    """Answers that the server has told of by now, by their keys."""
    found = [server.ask("GET", f"jobs/{job}") for job in jobs]
    return {one["key"]: one["answer"] for one in found if one["state"] == "done"}


def _settled(server: Server, jobs: list[str]) -> dict[str, int]:
    """How many jobs ended in which state."""
    found: dict[str, int] = {}
    for job in jobs:
        until = time.monotonic() + 120
        state = "queued"
        while state in ("queued", "running") and time.monotonic() < until:
            state = server.ask("GET", f"jobs/{job}")["state"]
            time.sleep(0.1)
        found[state] = found.get(state, 0) + 1
    return found


def _answer(server: Server, key: str) -> Any:
    return server.ask("GET", f"answers/{key}").get("answer")


def _report(rows: list[list[Any]]) -> str:
    lines = [
        "# kill -9 of the search page's server and worker", "",
        "Six new questions each time, BM25, one worker; the kill comes at a random moment after them. "
        "After a kill of the server it is started again. Told answers: those that jobs told "
        "of before any kill so far.",
        "", "| | killed | after s | jobs in the end | told answers intact |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for number, what, moment, states, intact, known in rows:
        ended = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        lines.append(f"| {number} | {what} | {moment:.1f} | {ended} | {intact} of {known} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

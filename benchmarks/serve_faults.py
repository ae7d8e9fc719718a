"""Faults of the search page's server: kill -9, a full disk, a ranker that hangs.

Run: python serve_faults.py --out results [--rounds 10]. It writes results/serve_faults.md. After each
kill of the server or of its worker at a random moment, all answers that were told must be there
unchanged, the index must find what it found before, and each other question be done or lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import urllib3

from intentx.datasets import demo_queries
from intentx.serve.engines import DemoEngine

LONGEST = 4.0  # seconds from the first question to the kill
ROOM = 400_000  # bytes that a file may have on the "full disk"
HANGS = """
import time

def hangs(query, texts):
    time.sleep(3600)
"""


class Server:
    """A server on a free port, and requests to it; None where it is gone."""

    def __init__(self, state: str, *options: str, room: int | None = None, wait: bool = True) -> None:
        command = [sys.executable, "-m", "intentx", "serve", "--port", "0", "--state", state]

        def limited() -> None:
            if room is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

        self.process = subprocess.Popen(
            [*command, "--ranker", "bm25", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, preexec_fn=limited, env={**os.environ, "PYTHONPATH": state},
        )  # fmt: skip
        if not wait:
            return
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
    with tempfile.TemporaryDirectory() as folder:
        docs, state = _documents(Path(folder)), f"{folder}/state"
        docs_options = ("--docs", docs)
        built = _killed_while_indexing(state, docs_options, drawn)
        server = Server(state, *docs_options)
        first = _found(server)
        for number in range(options.rounds):
            whole = number % 2 == 0
            jobs = _asked(server, number, drawn)
            moment = drawn.uniform(0, LONGEST)
            time.sleep(moment)
            told = _told(server, jobs)
            if whole:
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
                server = Server(state, *docs_options)
            else:
                for pid in server.workers():
                    os.kill(pid, signal.SIGKILL)
            states = _settled(server, jobs)
            known |= told
            intact = sum(_answer(server, key) == answer for key, answer in known.items())
            same = "yes" if _found(server) == first else "NO"
            rows.append(
                [number + 1, "server" if whole else "worker", moment, states, intact, len(known), same]
            )
        server.process.terminate()
        server.process.wait()
        undisturbed = Server(f"{folder}/other", *docs_options)
        built["same hits as an index that was built undisturbed"] = _found(undisturbed) == first
        undisturbed.process.terminate()
        undisturbed.process.wait()
        more = {
            "kill -9 while it indexes": built,
            "full disk": _full_disk(f"{folder}/full"),
            "a ranker that hangs": _hanging(f"{folder}/hangs"),
        }
    options.out.mkdir(exist_ok=True)
    (options.out / "serve_faults.md").write_text(_report(rows, more), encoding="utf-8")


def _documents(folder: Path) -> str:
    """A file of 40,000 documents: each two of the demo collection, and a number."""
    texts = list(DemoEngine().index.texts.values())
    path = folder / "docs.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(40_000):
            first, second = number % len(texts), (number // len(texts) + 7 * number) % len(texts)
            text = f"{texts[first]} {texts[second]} {number}"
            file.write(json.dumps({"id": str(number), "text": text}) + "\n")
    return str(path)


def _found(server: Server) -> Any:
    """What the index finds for some queries."""
    asked = [{"query": query, "k": 50} for query in list(demo_queries())[:5]]
    rankings = [server.ask("POST", "search", body)["rankings"][0]["results"] for body in asked]
    return [[(one["doc_id"], one["score"]) for one in ranking] for ranking in rankings]


def _killed_while_indexing(state: str, options: tuple[str, ...], drawn: random.Random) -> dict[str, Any]:
    moments = [drawn.uniform(1, 6) for _ in range(3)]
    for moment in moments:
        server = Server(state, *options, wait=False)
        time.sleep(moment)
        server.process.kill()
        server.process.wait()
    return {"kills, each s after a start": ", ".join(f"{one:.1f}" for one in moments)}


def _full_disk(state: str) -> dict[str, Any]:
    """Ask until answers are not kept any more; then start with room."""
    server = Server(state, room=ROOM)
    kept, warned = dict[str, Any](), list[str]()
    for query in list(demo_queries())[:30]:
        job = server.ask("POST", "explain?wait=60", {"query": query, "k": 20})
        if job["state"] == "done" and not job.get("warning"):
            kept[job["key"]] = job["answer"]
        elif job.get("warning"):
            warned.append(job["warning"])
    during = sum(_answer(server, key) == answer for key, answer in kept.items())
    searched = len(_found(server)[0])
    server.process.kill()
    server.process.wait()
    again = Server(state)
    after = sum(_answer(again, key) == answer for key, answer in kept.items())
    again.process.terminate()
    again.process.wait()
    return {
        "answers without a warning": len(kept), "answers with a warning": len(warned),
        "the first warning": warned[0].replace(state, "STATE") if warned else "none",
        "kept answers intact while it is full": during, "results of a search while it is full": searched,
        "kept answers intact after a kill and a start with room": after,
    }  # fmt: skip


def _hanging(state: str) -> dict[str, Any]:
    """One question to a ranker that hangs, and ten to BM25 behind it."""
    Path(state).mkdir()
    (Path(state) / "hanging_ranker.py").write_text(HANGS, encoding="utf-8")
    server = Server(state, "--ranker", "hangs=hanging_ranker:hangs", "--timeout", "5")
    queries = list(demo_queries())[:11]
    hung = server.ask("POST", "explain", {"query": queries[0], "ranker": "hangs", "k": 10})
    others = [server.ask("POST", "explain", {"query": one, "k": 10})["id"] for one in queries[1:]]
    searched = len(
        server.ask("POST", "search", {"query": queries[1], "k": 10})["rankings"][0]["results"]
    )
    states = _settled(server, others)
    error = server.ask("GET", f"jobs/{hung['id']}").get("error") or {}
    server.process.terminate()
    server.process.wait()
    return {
        "its question": error.get("message", "NO ERROR"),
        "results of a search by BM25 meanwhile": searched,
        "ten questions to BM25 behind it": _ended(states),
    }  # fmt: skip


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


def _ended(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items()))


def _report(rows: list[list[Any]], more: dict[str, dict[str, Any]]) -> str:
    lines = [
        "# Faults of the search page's server", "",
        "Six new questions each time, BM25, one worker; the kill comes at a random moment after them. "
        "After a kill of the server it is started again. Told answers: those that jobs told "
        "of before any kill so far. 40,000 documents; the same hits: for five queries.",
        "", "| | killed | after s | jobs in the end | told answers intact | the same hits |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for number, what, moment, states, intact, known, same in rows:
        ended = _ended(states)
        lines.append(f"| {number} | {what} | {moment:.1f} | {ended} | {intact} of {known} | {same} |")
    for name, facts in more.items():
        told = (f"| {what} | {fact} |" for what, fact in facts.items())
        lines += ["", f"## {name[0].upper()}{name[1:]}", "", "| | |", "|---|---|", *told]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

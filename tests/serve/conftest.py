"""A real server on a free port, in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import urllib3

import intentx as ix
from tests.serve.page_browser import driver, page, served  # noqa: F401

ROOT = Path(__file__).parents[2]


class Server:
    """`intentx serve`, started; `get` and `post` give status, JSON and headers."""

    def __init__(self, state, *options, env=None):
        command = [sys.executable, "-m", "intentx", "serve", "--port", "0", "--state", str(state)]
        self.process = subprocess.Popen(
            [*command, *map(str, options)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **(env or {})},
        )  # fmt: skip
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"search page: (http://\S+?/)(?:\?token=(\S+))?$", line.strip())
            if found:
                self.url, self.token = found[1].rstrip("/"), found[2]
                return
        raise AssertionError(self.process.stderr.read())

    def send(self, method, path, body=None, headers=None, raw=False):
        given = {"content-type": "application/json"} if body is not None else {}
        if self.token:
            given["authorization"] = f"Bearer {self.token}"
        path = path if path.startswith("/") else f"/api/v1/{path}"
        data = body if isinstance(body, bytes | None) else json.dumps(body)
        answer = urllib3.request(
            method, self.url + path, body=data, headers={**given, **(headers or {})},
            timeout=120, retries=False, redirect=False,
        )  # fmt: skip
        found = answer.data.decode() if raw else json.loads(answer.data)
        return answer.status, found, answer.headers

    def get(self, path, **more):
        return self.send("GET", path, **more)

    def post(self, path, body, **more):
        return self.send("POST", path, body, **more)

    def done(self, kind, **body):
        """The job of a question, once it has ended."""
        status, job, _ = self.post(f"{kind}?wait=60", body)
        assert status == 200, job
        return job

    def answer(self, kind, **body):
        job = self.done(kind, **body)
        assert job["state"] == "done", job
        return job["answer"]

    def until(self, job_id, *states, seconds=60):
        """The job once it is in one of these states."""
        end = time.monotonic() + seconds
        while True:
            _, job, _ = self.get(f"jobs/{job_id}")
            if job["state"] in states:
                return job
            assert time.monotonic() < end, job
            time.sleep(0.05)

    def client(self):
        return ix.Client(self.url, self.token)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process.stdout.close()
        self.errors = self.process.stderr.read()
        self.process.stderr.close()
        return self.process.returncode


def run_script(script, **names):
    """The names of a copied script after it ran; what it prints goes to ``print`` among ``names``."""
    names = {"print": lambda *parts: None, **names}
    exec(script, names)  # noqa: S102
    return names


def differing(one, other, where=""):
    """Places where plain data differ by more than rounding."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from differing(one.get(key, "none"), other.get(key, "none"), f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from differing(*pair, f"{where}[{place}]")
    elif isinstance(one, float) and isinstance(other, float):
        if not np.isclose(one, other, rtol=1e-3, atol=1e-5, equal_nan=True):
            yield where, one, other
    elif one != other:
        yield where, one, other


RANKERS = """
import os
import time
from pathlib import Path

def slow(query, texts):
    time.sleep(0.2)
    return [len(text) for text in texts]

def hangs(query, texts):
    if query.startswith("hang"):
        time.sleep(3600)
    return [len(text) for text in texts]

def dies(query, texts):
    os._exit(1)

def fails(query, texts):
    raise ValueError("no key sk-secret-1 for https://me:sk-secret-1@host/")
"""


@pytest.fixture(scope="session")
def rankers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rankers")
    (folder / "serve_rankers.py").write_text(RANKERS)
    return {"PYTHONPATH": str(folder)}


@pytest.fixture(scope="session")
def server(tmp_path_factory, rankers):
    started = Server(
        tmp_path_factory.mktemp("state"),
        "--ranker", "BM25=bm25", "--ranker", "slow=serve_rankers:slow",
        "--ranker", "fails=serve_rankers:fails", "--ranker", "hangs=serve_rankers:hangs",
        "--timeout", "8",
        "--ranker", "service=https://me:sk-secret-1@127.0.0.1:9/rank?api_key=sk-secret-2#retries=0",
        env=rankers,
    )  # fmt: skip
    yield started
    assert started.stop() == 0

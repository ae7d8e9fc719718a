"""Explanations on a Dask cluster: a real scheduler and a worker on loopback."""

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from intentx.cli import main
from intentx.serve import cluster
from tests.serve.conftest import ROOT, Server, differing

distributed = pytest.importorskip("distributed")
ASKED = {"query": "jaguar speed", "k": 8, "ranker": "BM25"}


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1",
        dashboard_address="127.0.0.1:0", local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as found:  # fmt: skip
        yield found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_explanations_go_to_the_cluster_and_are_the_same(dask, server, tmp_path):
    far = Server(tmp_path, "--ranker", "BM25=bm25", "--dask", dask.scheduler_address)
    before = dask.scheduler.transition_counter
    try:
        for kind, more in (
            ("explain", {}),
            ("explain", {"question": "document", "doc": "jaguar-speed-02", "method": "exs"}),
            ("counterfactual", {"doc": "jaguar-speed-02", "goal": "leave", "top": 3}),
        ):
            found, here = (one.answer(kind, **ASKED, **more) for one in (far, server))
            found.pop("seconds"), here.pop("seconds")
            assert [*differing(found, here)] == []
        assert dask.scheduler.transition_counter > before  # they were computed there
        job = far.done("explain", **{**ASKED, "query": "zzz"})
        assert "there is nothing to rank" in job["error"]["message"]  # a failure is told as here
    finally:
        assert far.stop() == 0


@pytest.mark.parametrize(
    ("greets", "says"),
    [
        (None, "Connection refused"),
        (b"", "nobody greets there as one within"),
        (b"SSH-2.0-OpenSSH\r\n", "what listens there is another server"),
    ],
)
def test_what_is_no_scheduler_is_refused_at_once(greets, says, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "REACH", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as line:
        address = f"127.0.0.1:{line.getsockname()[1]}"
        lines = []

        def greet():
            lines.append(line.accept()[0])
            lines[0].sendall(greets)

        if greets is None:
            line.close()
        else:
            threading.Thread(target=greet, daemon=True).start()
        given = ["serve", "--port", "0", "--ranker", "bm25", "--state", str(tmp_path)]
        assert main([*given, "--dask", address]) == 2
        for one in lines:
            one.close()
    told = capsys.readouterr().err
    assert f"no Dask scheduler at '{address}'" in told
    assert says in told
    assert "start one with dask scheduler" in told


@pytest.mark.parametrize("address", ["rubbish", "ftp://127.0.0.1:1"])
def test_an_address_that_is_none_is_refused(address, tmp_path, capsys):
    given = ["serve", "--port", "0", "--ranker", "bm25", "--state", str(tmp_path)]
    assert main([*given, "--dask", address]) == 2
    assert "begins with one of" in (told := capsys.readouterr().err) or "is HOST:PORT" in told


WORKER = ("-m", "distributed.cli.dask_worker")


class Worker:
    """`dask worker` in a process of its own, with no nanny that would start it again."""

    def __init__(self, address, name, rankers, folder):
        options = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
                   "--name", name, "--local-directory", str(folder))  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, *WORKER, address, *options], cwd=ROOT, stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", **rankers},
        )  # fmt: skip

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def far(rankers, tmp_path_factory):
    """A scheduler, which has no workers yet, and a server that asks it."""
    with distributed.LocalCluster(
        n_workers=0, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as found:
        server = Server(
            tmp_path_factory.mktemp("far"), "--ranker", "slow=serve_rankers:slow",
            "--ranker", "BM25=bm25", "--ranker", "dies=serve_rankers:dies",
            "--dask", found.scheduler_address, "--timeout", "60", env=rankers,
        )  # fmt: skip
        server.scheduler = found.scheduler
        yield server
        assert server.stop() == 0


@pytest.fixture
def workers(far, rankers, tmp_path):
    """Starts workers of the cluster by their names, and ends those that are left."""
    started = {}

    def start(name):
        started[name] = Worker(far.scheduler.address, name, rankers, tmp_path)
        return started

    yield start
    for one in started.values():
        one.kill()
    until(lambda: not far.scheduler.workers)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_worker_of_the_cluster_that_is_killed_loses_no_question(far, workers):
    known = far.scheduler.workers
    workers("a")
    left = workers("b")
    until(lambda: len(known) == 2)
    asked = {"ranker": "slow", "k": 10, "settings": {"budget": 200}}
    jobs = [
        far.post("explain", {"query": query, **asked})[1]["id"]
        for query in ("jaguar speed", "palm care", "crane safety")
    ]
    until(lambda: all(one.processing for one in known.values()))
    dead = next(iter(known.values())).name
    left.pop(dead).kill()
    for job in jobs:  # those of the dead worker are done by the other
        ended = far.until(job, "done", "failed", "lost", seconds=90)
        assert ended["state"] == "done", ended
    assert [one.name for one in known.values()] == [*left]
    # With nobody left, a question waits for a new one; what is asked of the server goes on.
    for one in left.values():
        one.kill()
    until(lambda: not known)
    job = far.post("explain", {**asked, "query": "bass lessons"})[1]["id"]
    assert far.answer("score", query="jaguar speed", ranker="BM25", k=5, edited_query="speed")
    workers("c")
    assert far.until(job, "done", "failed", seconds=90)["state"] == "done"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_question_that_ends_its_workers_is_told_as_such(far, workers, monkeypatch):
    monkeypatch.setattr(far.scheduler, "allowed_failures", 0)
    worker = workers("a")["a"]
    until(lambda: len(far.scheduler.workers) == 1)
    job = far.post("explain", {"query": "jaguar speed", "ranker": "dies", "k": 5})[1]["id"]
    error = far.until(job, "done", "failed")["error"]
    assert error["code"] == "worker_died"
    assert "died, one after the other" in error["message"]
    worker.process.wait(20)
    assert far.post("search", {"query": "jaguar speed", "rankers": ["BM25"], "k": 5})[0] == 200


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)

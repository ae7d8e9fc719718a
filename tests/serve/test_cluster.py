"""Explanations on a Dask cluster: a real scheduler and a worker on loopback."""

import socket
import threading

import pytest

from intentx.cli import main
from intentx.serve import cluster
from tests.serve.conftest import Server

distributed = pytest.importorskip("distributed")
ASKED = {"query": "jaguar speed", "k": 8, "ranker": "BM25"}


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1",
        dashboard_address=None, local_directory=str(tmp_path_factory.mktemp("dask")),
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
            assert found == here
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

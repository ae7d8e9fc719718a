"""Studies on several processes, some of which die: a real Dask cluster, and joblib's own workers."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from joblib.externals.loky import get_reusable_executor

import intentx as ix
from intentx.cli import main
from intentx.study.plan import Data
from intentx.study.run import WorkerError, run_study
from intentx.study.store import Store
from tests.study.small_studies import QUERIES, QUICK, cells, study

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_workers():
    """None of another test, which have its environment."""
    yield
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


@pytest.fixture(scope="module")
def every():
    return study(data=Data(demo=("*",), depth=30))


@pytest.fixture(scope="module")
def plain(every, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    run_study(every, folder)
    return cells(folder)


@pytest.fixture
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as found:
        yield found


def kill_one(pids, done):
    """Kill a process as soon as a task is done."""
    done.wait(120)
    os.kill(pids[0], signal.SIGKILL)


def until(true, seconds=120):
    """Wait for something to be true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_cells(folder):
    try:
        return bool(cells(folder))
    except ix.InputError as error:
        if "no study in" in str(error) or "has not begun" in str(error):
            return False
        raise


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_dask_gives_the_same_rows_though_a_worker_is_killed(
    every, plain, cluster, tmp_path, capsys, monkeypatch
):
    pids = [worker.process.pid for worker in cluster.workers.values()]
    assert len(set(pids)) == 2
    done = threading.Event()
    killer = threading.Thread(target=kill_one, args=(pids, done))
    killer.start()
    outcome = run_study(
        every, tmp_path / "rows", dask=cluster.scheduler_address, progress=lambda n, q: done.set()
    )
    killer.join()
    assert cells(tmp_path / "rows") == plain
    assert (outcome.measured, outcome.found) == (len(plain), 0)
    until(lambda: not is_alive(pids[0]))

    # The command uses the same cluster, whose start takes seconds, with a new worker in it.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(
        'name = "x"\n[data]\ndemo = ["jaguar speed", "python care"]\n[rankers]\nB = "bm25"\n'
        '[methods]\nQ = "query-terms"\n[measures]\n'
        "heldout = 0\nstability = 0\nfaithfulness = 0\nshuffled = false\n"
    )
    code = main(["bench", "study.toml", "--out", "out", "--dask", cluster.scheduler_address])
    assert code == 0
    assert "2 cells measured" in capsys.readouterr().err


def test_no_cluster_there(every, tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(ix.InputError, match="no Dask scheduler at"):
        run_study(every, tmp_path, dask="tcp://127.0.0.1:1")


def test_a_worker_that_grows_is_replaced_and_nothing_said(tmp_path):
    code = (
        "from intentx.study.run import run_study\n"
        "from intentx.study.plan import Data\n"
        "from tests.study.small_studies import QUERIES, QUICK, study\n"
        "if __name__ == '__main__':\n"
        "    more = 'palm care', 'bass lessons'\n"  # left to do when the first workers are replaced
        "    some = study(data=Data(demo=(*QUERIES, *more), depth=10), measures=QUICK,\n"
        "                 rankers={'BM25': 'tests.study.dying:grows'})\n"
        f"    print(run_study(some, {str(tmp_path)!r}, workers=2).measured)"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error:A worker stopped", "-c", code],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (run.returncode, run.stdout.split(), run.stderr) == (0, ["12"], "")


def test_a_worker_that_dies_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("INTENTX_DYING", str(tmp_path / "dead"))
    some = study(rankers={"BM25": "tests.study.dying:once"}, measures=QUICK)
    outcome = run_study(some, tmp_path / "out", workers=2)
    assert (tmp_path / "dead").exists()
    rows = cells(tmp_path / "out")
    assert [(row.qid, row.method) for row in rows] == [
        (query.replace(" ", "-"), method) for query in QUERIES for method in "QR"
    ]
    assert (outcome.measured, outcome.found, outcome.failed) == (8, 0, 0)


@pytest.fixture
def asking():
    """A study whose second method asks the ranker for versions of documents, and dies of it."""
    return study(
        data=Data(demo=QUERIES[:2], depth=30),
        rankers={"BM25": "tests.study.dying:on_versions"},
        methods={
            "Q": {"method": "query-terms"},
            "E": {"method": "exs", "samples": 5, "documents": 1},
        },
        measures=QUICK,
    )


def test_cells_are_kept_before_their_worker_dies(asking, tmp_path, monkeypatch):
    monkeypatch.setattr("intentx.study.run.ATTEMPTS", 1)  # each starts workers anew
    with pytest.raises(WorkerError, match="workers died repeatedly"):
        run_study(asking, tmp_path, workers=2)
    # the one that dies first has kept its own; those beside it may be a moment too late every time
    assert {row.method for row in cells(tmp_path)} == {"Q"}


def test_cells_of_a_worker_that_died_are_counted_once(asking, tmp_path, monkeypatch):
    monkeypatch.setenv("INTENTX_DYING", str(tmp_path / "dead"))
    outcome = run_study(asking, tmp_path / "out", workers=2)
    assert (tmp_path / "dead").exists()
    assert (outcome.measured, outcome.found, outcome.failed) == (4, 0, 0)
    assert len(cells(tmp_path / "out")) == 4


def test_a_relative_folder_is_the_same_for_workers_that_began_elsewhere(tmp_path, monkeypatch):
    for name, terms in (("a", 2), ("b", 3)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        methods = {"R": {"method": "random-terms", "max_terms": terms}}
        run_study(study(methods=methods, measures=QUICK), "out", workers=2)
    assert [len(cells(tmp_path / name / "out")) for name in "ab"] == [4, 4]


def test_workers_end_with_a_run_that_is_killed_and_the_next_one_goes_on(every, plain, tmp_path):
    psutil = pytest.importorskip("psutil")
    (tmp_path / "study.yaml").write_text(json.dumps({**every.to_dict(), "workers": 2}))
    command = [sys.executable, "-m", "intentx", "bench", "study.yaml", "--out", "out"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as run:
        until(lambda: has_cells(tmp_path / "out"))
        others = psutil.Process(run.pid).children(recursive=True)
        assert len(others) >= 2
        run.kill()
    until(lambda: not any(other.is_running() for other in others))
    begun = len(cells(tmp_path / "out"))
    assert 0 < begun < len(plain)
    outcome = run_study(every, tmp_path / "out")
    assert (outcome.measured, outcome.found) == (len(plain) - begun, begun)
    assert cells(tmp_path / "out") == plain


def test_ray_gives_the_same_rows(every, plain, tmp_path):
    ray = pytest.importorskip("ray")
    import joblib
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    register_ray()
    try:
        with joblib.parallel_config(backend="ray"):
            run_study(every, tmp_path, workers=2)
    finally:
        ray.shutdown()
    assert cells(tmp_path) == plain


def test_workers_that_always_die_end_it_with_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("intentx.study.run.ATTEMPTS", 2)  # each starts workers anew
    some = study(rankers={"BM25": "tests.study.dying:always"})
    with pytest.raises(WorkerError, match="workers died repeatedly"):
        run_study(some, tmp_path, workers=2)
    with Store(tmp_path, write=False) as store:
        assert list(store.rows()) == []


def test_a_scheduler_that_dies(every, plain, tmp_path):
    """Words, and what was kept stays."""
    pytest.importorskip("distributed")
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
         "--no-dashboard", "--scheduler-file", str(tmp_path / "scheduler.json")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    worker = None
    try:
        until(lambda: (tmp_path / "scheduler.json").exists() and _address(tmp_path), 120)
        address = _address(tmp_path)
        worker = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1",
             "--no-nanny", "--no-dashboard", "--death-timeout", "60"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        done = threading.Event()
        killer = threading.Thread(target=kill_one, args=([scheduler.pid], done))
        killer.start()
        with pytest.raises(WorkerError, match=r"the Dask scheduler at tcp://127.* is gone"):
            run_study(every, tmp_path / "out", dask=address, progress=lambda n, q: done.set())
        killer.join()
    finally:
        for process in (worker, scheduler):
            if process is not None:
                process.kill()
                process.wait()
    kept = cells(tmp_path / "out")
    assert kept
    assert all(cell in plain for cell in kept)


def _address(folder):
    try:
        return json.loads((folder / "scheduler.json").read_text())["address"]
    except (ValueError, KeyError):
        return None

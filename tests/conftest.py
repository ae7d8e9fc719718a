import functools
import gc
import os
import re
from pathlib import Path

import hypothesis
import pytest
from _pytest.doctest import DoctestModule

collect_ignore = ["plugin"]  # a package that tests install: it must not be found in another way

# Models of tests are made or installed; one that is not there is not asked for again and again.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# Machines differ in speed, and the same examples everywhere make a failure easy to repeat.
hypothesis.settings.register_profile("intentx", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("intentx")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Modules and tests stay to the end: nobody looks for garbage among them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


class Examples:
    """Nobody looks for examples in a module without one, nor imports it for that."""

    @staticmethod
    def pytest_collectstart(collector):
        """Of the library, too, for which hooks of this file are not asked."""
        if isinstance(collector, DoctestModule) and ">>>" not in collector.path.read_text("utf-8"):
            collector.collect = list


def pytest_configure(config):
    """Hooks for all there is."""
    config.pluginmanager.register(Examples())


# Tests of libraries that take seconds to import: one process runs them, while there are others.
NEURAL = re.compile(r"transformers|tiny_models|language_models|minilm|from benchmarks\.zoo", re.I)

# Tests that ask for a server or a browser of a whole session, whose start takes seconds.
SHARED = re.compile(r"^def test_\w+\([^)]*\b(?:server|served|page|browser|chromium)\b", re.M)


@functools.cache
def scope_of(file):
    """What one process runs: all files together that share a server, or else the file."""
    path = Path(__file__).parents[1] / file
    shares = path.parent.name in ("serve", "report") and SHARED.search(path.read_text(encoding="utf-8"))
    return "servers" if shares else file


@functools.cache
def is_neural(scope):
    """Whether a process that runs this imports transformers, as far as its text tells."""
    path = Path(__file__).parents[1] / scope
    return path.suffix == ".py" and bool(NEURAL.search(path.read_text(encoding="utf-8")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """``-n auto``: one more than there are cores, since tests of servers and browsers often wait."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """``--dist loadfile``, with the files that share a server in one process, which starts it once."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return scope_of(nodeid.split("::", 1)[0])

        def _assign_work_unit(self, node):
            """The next one of the kind that this process runs; of the other kind where none is left.

            That of the servers, which is the longest, is the first.
            """
            first = node is self.nodes[0]
            wanted = [one for one in self.workqueue if one == "servers"] if not first else []
            wanted += [one for one in self.workqueue if is_neural(one) == first][:1]
            if wanted:
                self.workqueue.move_to_end(wanted[0], last=False)
            super()._assign_work_unit(node)

    return Together(config, log)


@pytest.fixture(scope="session")
def dl19() -> Path:
    """The folder with TREC Deep Learning 2019; data that cannot be part of the repository."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "dl19"
    if not (folder / "passages.jsonl.gz").exists():
        pytest.skip(f"no TREC-DL 2019 passages at {folder}")
    return folder


@pytest.fixture(scope="session")
def mq2008() -> Path:
    """The folder with MQ2008, features of LETOR 4.0."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "mq2008"
    if not (folder / "S1.txt.gz").exists():
        pytest.skip(f"no MQ2008 at {folder}")
    return folder

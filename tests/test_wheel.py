"""The wheel, built and installed apart from the checkout: its files, its import, its types."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TYPED = """\
import intentx as ix
from intentx import rank
from intentx.rankers import BM25

reveal_type(ix.Multiplex(max_terms=3))
reveal_type(rank)
reveal_type(ix.rankers.BM25)
reveal_type(BM25.fingerprint)
ix.no_such_name
ix.Multiplex(max_terms="three")
"""


def run(*command, **options):
    """What a command printed; its exit status must be one of ``codes``, by default 0."""
    codes = options.pop("codes", (0,))
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """Python of an environment that holds the wheel; its dependencies come from the present one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    with zipfile.ZipFile(wheel) as file:
        file.extractall(site)
    # Plain folders: a .pth file in them, such as that of an editable install, is not read.
    here = [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
    assert sysconfig.get_path("purelib") in here
    (site / "dependencies.pth").write_text("\n".join(here))
    return python


def test_the_wheel_holds_every_file_of_the_package(wheel):
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "intentx").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as file:
        held = {name for name in file.namelist() if ".dist-info/" not in name}
    assert held == files
    assert {"intentx/py.typed", "intentx/__init__.pyi", "intentx/report/pages/style.css"} <= held
    for ending in (".css", ".js", ".toml", ".json"):
        assert any(name.endswith(ending) for name in held)


def test_the_wheel_works_apart_from_the_checkout(python, tmp_path):
    code = """
import json
import intentx as ix
from intentx.datasets import demo_queries
from intentx.report.pages import layout
from intentx.study import read_study
read_study("demo")
print(json.dumps([ix.__file__, layout.__file__, len(demo_queries()), ix.Multiplex().max_terms]))
"""
    place, other, queries, terms = json.loads(run(python, "-c", code, cwd=tmp_path))
    for path in (place, other):
        assert Path(path).is_relative_to(python.parents[1])
        assert not Path(path).is_relative_to(ROOT)
    assert queries == 16
    assert terms == 10
    assert "explain" in run(python, "-m", "intentx", "--help", cwd=tmp_path)


def test_type_checkers_see_the_types_of_the_wheel(python, tmp_path):
    # Other packages are left out, since torch and SciPy would take a minute.
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nfollow_imports = skip\n[mypy-intentx.*]\nfollow_imports = normal\n"
    )
    (tmp_path / "user.py").write_text(TYPED)
    options = ["--strict", "--python-executable", python, "--cache-dir", os.devnull]
    said = run(sys.executable, "-m", "mypy", *options, "user.py", cwd=tmp_path, codes=(1,))
    lines = [line.removeprefix("user.py:") for line in said.splitlines()]
    types = [line.partition('"')[2].rstrip('"') for line in lines if "Revealed type" in line]
    assert types[0] == "intentx.explainers.ranking.multiplex.Multiplex"
    assert types[1].startswith("def (scorer: ")
    assert types[1].endswith("-> intentx.ranking.Ranking")
    assert types[2].endswith("-> intentx.rankers.bm25.BM25")
    assert types[3] == "def (self: intentx.rankers.bm25.BM25) -> str"
    errors = [line for line in lines if ": error: " in line]
    assert len(errors) == 2, said
    assert "no_such_name" in errors[0]
    assert '"max_terms" to "Multiplex" has incompatible type "str"' in errors[1]

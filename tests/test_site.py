"""The documentation as a site: nothing is missing from it."""

import importlib.util
import re
from pathlib import Path

import pytest

import intentx

ROOT = Path(__file__).parents[1]
INDEX = (ROOT / "docs" / "index.md").read_text("utf-8")
LISTED = set(
    re.findall(
        r"^(?:[^<\n]*<)?([\w./-]+)>?$",
        "\n".join(re.findall(r"```{toctree}\n(.*?)```", INDEX, re.S)),
        re.M,
    )
)


@pytest.fixture(scope="module")
def conf():
    """The settings of the site; pages are written only when Sphinx asks for them."""
    spec = importlib.util.spec_from_file_location("conf", ROOT / "docs" / "conf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_reached_from_the_first():
    pages = {
        path.relative_to(ROOT / "docs").with_suffix("").as_posix()
        for path in (ROOT / "docs").glob("*.md")
    }
    tutorials = {
        path.relative_to(ROOT / "docs").with_suffix("").as_posix()
        for path in (ROOT / "docs" / "tutorials").iterdir()
        if path.suffix in (".md", ".py")
    }
    assert len(pages) > 20
    assert pages | tutorials <= LISTED | {"index"}, (pages | tutorials) - LISTED


def test_every_public_name_has_an_entry(conf):
    names = {name for _, part in conf.sections(conf.public("intentx")) for name in part}
    assert names == set(conf.public("intentx"))
    assert {"Multiplex", "Ranking", "rank", "verdict", "InputError"} <= names


def test_one_version():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    version = intentx.__version__
    assert f"\nversion: {version}\n" in citation
    assert f"\n## [{version}] - " in changes
    assert f'\nversion = "{version}"\n' in project

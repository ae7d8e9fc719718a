"""Rooms import only from rooms above them, nothing goes in circles, and the import is light."""

import ast
import functools
import json
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import intentx as ix

PACKAGE = Path(__file__).parents[1] / "intentx"
# From the top of the line to its end; rooms in one tuple stand beside each other. The package
# itself, its public names, comes before those who use the library as users do.
ROOMS = [
    ("equality", "errors"),
    ("kept_file",),
    (
        "asked",
        "checks",
        "documents",
        "files",
        "folders",
        "markup",
        "plugins",
        "quiet",
        "score_cache",
        "signs",
        "threads",
    ),
    ("answers", "models", "ordered", "text"),
    ("capabilities",),
    ("scoring",),
    ("doubts", "truncation"),
    ("ranking",),
    ("call_limits", "edit_groups"),
    ("feature_ranking", "perturbation", "search"),
    ("random_edits",),
    ("preferences",),
    ("coverage",),
    ("rankers", "datasets"),
    ("evaluation",),
    ("explainers",),
    ("study",),
    ("comparison",),
    ("saved",),
    ("",),
    ("report",),
    ("serve",),
    ("cli",),
    ("__main__",),
]
PLACE = {room: place for place, rooms in enumerate(ROOMS) for room in rooms}
# `Explanation.plot` and `to_html` draw by the room below when they are called, and `Explainer` looks
# at the table of methods to say which can answer. Nothing else goes upwards.
EXCEPTIONS = {
    ("intentx.explainers.base", "intentx.report.pictures.words"),
    ("intentx.explainers.base", "intentx.report.pages.ranking"),
    ("intentx.explainers.features.explanation", "intentx.report.pictures.features"),
    ("intentx.explainers.inside.token_pairs_explanation", "intentx.report.pictures.pairs"),
    ("intentx.explainers.features.mimic", "intentx.report.pictures.mimic"),
    ("intentx.explainers.change.explanation", "intentx.report.pictures.change"),
    ("intentx.explainers.base", "intentx.explainers.methods"),
    ("intentx.explainers.base", "intentx.explainers.features.methods"),
    ("intentx.explainers.change.missing_answer", "intentx.report.pages.missing"),
    ("intentx.explainers.document.beside", "intentx.report.pages.document"),
}
HEAVY = [
    "torch",
    "sentence_transformers",
    "transformers",
    "sklearn",
    "pandas",
    "matplotlib",
    "scipy.stats",
    "pulp",
    "rich",
    "rank_bm25",
    "bm25s",
    "highspy",
    "lightgbm",
]


def sources():
    """Text of each module of the package by its dotted name; a package goes by its own name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = [*path.relative_to(PACKAGE).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(["intentx", *parts])] = path.read_text(encoding="utf-8")
    return found


@functools.cache
def imported(text):
    """Names that a module imports, in full: a hundred modules are looked at by many tests."""
    return [*names_in(text)]


def names_in(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"a relative import: {ast.unparse(node)}"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "intentx")


def imports(module, text, modules):
    """Modules of intentx that this one imports anywhere: at the top, in functions, for types."""
    for name in imported(text):
        # "from intentx.text import Analyzer" names something inside the module text.
        found = name if name in modules else name.rpartition(".")[0]
        if (module, found) not in EXCEPTIONS:
            yield found


def room(module):
    return module.partition(".")[2].partition(".")[0]


def faults(modules):
    """Imports that go the wrong way, in words, and a circle if there is one."""
    found = []
    graph = {}
    for module, text in modules.items():
        graph[module] = {*imports(module, text, modules)} - {module}
        for name in sorted(graph[module]):
            here, there = room(module), room(name)
            if module == "intentx" or here == there:
                continue
            if here not in PLACE or there not in PLACE:
                found.append(f"{module} or {name} is in no known room")
            elif PLACE[there] >= PLACE[here]:
                found.append(f"{module} imports {name}")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found.append(f"circle: {' -> '.join(error.args[1])}")
    return found


def test_rooms_import_from_above_only():
    modules = sources()
    assert len(modules) > 20
    assert {room(module) for module in modules} <= set(PLACE)
    assert faults(modules) == []


@pytest.mark.parametrize(
    ("module", "line", "fault"),
    [
        ("intentx.text", "from intentx.ranking import rank", "intentx.text imports intentx.ranking"),
        ("intentx.text", "def f():\n    import intentx.cli", "intentx.text imports intentx.cli"),
        ("intentx.errors", "from intentx.text import Token", "intentx.errors imports intentx.text"),
        (
            "intentx.preferences.pairs",
            "from intentx.coverage import solve",
            "pairs imports intentx.coverage",
        ),
        ("intentx.rankers.bm25", "from intentx.datasets import x", "bm25 imports intentx.datasets"),
        ("intentx.explainers.ranking.multiplex", "import intentx", "multiplex imports intentx"),
        (
            "intentx.explainers.ranking.multiplex",
            "from intentx import rank",
            "multiplex imports intentx",
        ),
        ("intentx.utils", "from intentx.text import Token", "is in no known room"),
        ("intentx.preferences.pairs", "from intentx.preferences.matrices import MARGIN", "circle"),
        (
            "intentx.preferences.pairs",
            "if TYPE_CHECKING:\n    from intentx.coverage import solve",
            "pairs imports intentx.coverage",
        ),
        (
            "intentx.explainers.ranking.pipeline",
            "if TYPE_CHECKING:\n    from intentx.explainers.ranking.multiplex import Multiplex",
            "circle",
        ),
        (
            "intentx.explainers.document.shown",
            "def f():\n    from intentx.explainers.document.explanation import DocumentExplanation",
            "circle",
        ),
    ],
)
def test_the_check_can_fail(module, line, fault):
    modules = sources()
    modules[module] = modules.get(module, "") + f"\n{line}\n"
    assert any(fault in one for one in faults(modules))


def reached(start, modules):
    """Modules that one imports, or one of these, and so on."""
    found, open_ = set(), [start]
    while open_:
        module = open_.pop()
        new = {*imports(module, modules[module], modules)} & set(modules) - found
        found |= new
        open_ += new
    return found


def method_modules():
    """Modules with a method in them."""
    from intentx.explainers import methods

    assert methods
    found, kinds = set(), [ix.Explainer]
    while kinds:
        kinds += (more := kinds.pop().__subclasses__())
        found |= {kind.__module__ for kind in more}
    return {name for name in found if name.startswith("intentx.")}


ANSWERS = [
    "intentx.answers",
    "intentx.explainers.base",
    "intentx.explainers.ranking.explanation",
    "intentx.explainers.document.explanation",
    "intentx.explainers.inside.gradcam_explanation",
]


@pytest.mark.parametrize("module", ANSWERS)
def test_answers_import_no_method(module):
    methods = method_modules()
    assert {"intentx.explainers.ranking.multiplex", "intentx.explainers.document.exs"} <= methods
    assert not reached(module, sources()) & methods


def test_the_check_of_answers_can_fail():
    modules = sources()
    modules["intentx.explainers.document.shown"] += "\nfrom intentx.explainers.document.exs import EXS\n"
    assert reached("intentx.explainers.document.explanation", modules) & method_modules()


def test_exceptions_are_real_and_inside_functions():
    modules = sources()
    for module, name in EXCEPTIONS:
        lines = [line for line in modules[module].splitlines() if name in line]
        assert lines
        assert all(line.startswith("        ") or line.startswith("    import") for line in lines)


def fresh(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=PACKAGE.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def packages(modules):
    """Installed packages that these modules are of, less those of a bare interpreter."""
    bare = fresh("import sys; print(*sys.modules)")
    return {name.partition(".")[0] for name in {*modules} - {*bare}} - sys.stdlib_module_names


def test_the_import_is_light():
    loaded = fresh("import sys, intentx; print(*sys.modules)")
    assert [name for name in loaded if name.partition(".")[0] == "intentx"] == ["intentx"]
    assert packages(loaded) <= {"intentx", "lazy_loader", "numpy"}


def test_a_room_loads_what_is_touched():
    loaded = fresh("import sys, intentx; intentx.rankers.BM25; print(*sys.modules)")
    rankers = {name for name in loaded if name.startswith("intentx.rankers.")}
    assert "intentx.rankers.bm25" in rankers
    assert not any("transformers" in name or "interaction" in name for name in rankers)


def test_no_public_name_is_heavy():
    assert (
        sorted(set(HEAVY) & set(fresh("import sys; from intentx import *; print(*sys.modules)"))) == []
    )


def test_the_command_explains_without_what_takes_long_to_load(tmp_path):
    docs = tmp_path / "docs.jsonl"
    docs.write_text("".join(json.dumps({"id": f"d{i}", "text": "tea " * i}) + "\n" for i in range(1, 9)))
    arguments = ["explain", "--query", "tea", "--docs", str(docs), "--ranker", "bm25", "--json"]
    arguments += ["--method", "query-terms"]
    code = f"import sys; from intentx.cli import main; main({arguments}); print(); print(*sys.modules)"
    loaded = fresh(code)
    assert "rich" in loaded  # it was run
    assert sorted(({*HEAVY} - {"rich", "rank_bm25"}) & {*loaded}) == []


def test_the_check_of_the_import_can_fail():
    loaded = fresh("import sys, intentx, scipy.stats; print(*sys.modules)")
    assert "scipy" in packages(loaded)
    assert set(HEAVY) & set(loaded)


def test_statistics_of_scipy_are_asked_in_one_module():
    used = {
        module
        for module, text in sources().items()
        if re.search(r"scipy(\.| import )(stats|special)\b", text)
    }
    assert used == {"intentx.evaluation.statistics"}


# What writes tags that are no part of a page: samples of text, and matplotlib's own picture.
NO_PAGES = {"intentx.markup", "intentx.search.build", "intentx.report.pictures.study"}
TAG = re.compile(r"</[a-z]|<(p|b|i|a|br|div|span|sub|sup|table|t[drh]|svg|ul|li|h[1-6])[ >]")
WITH_DOCS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def tags_by_hand(text):
    """Strings of a module, but for docstrings, that hold the tag of an HTML element; imports of html."""
    nodes = [*ast.walk(ast.parse(text))]
    docs = {ast.get_docstring(node, clean=False) for node in nodes if isinstance(node, WITH_DOCS)}
    for node in nodes:
        if isinstance(node, ast.Import) and any(alias.name == "html" for alias in node.names):
            yield "import html"
        said = node.value if isinstance(node, ast.Constant) else None
        if isinstance(said, str) and said not in docs and TAG.search(said):
            yield said


def test_pages_and_views_are_written_by_one_module():
    """The rooms of text and data read HTML; none but `intentx.markup` writes it."""
    modules = {
        module: text
        for module, text in sources().items()
        if room(module) not in {"text", "datasets"} and module not in NO_PAGES
    }
    assert {module: found for module in modules if (found := [*tags_by_hand(modules[module])])} == {}
    assert [*tags_by_hand('def f(x):\n    """<b>"""\n    return f"<p>{x}</p>"')] == ["<p>", "</p>"]
    assert [*tags_by_hand("import html")] == ["import html"]


def test_benchmarks_go_in_no_circle():
    texts = {path.stem: path.read_text("utf-8") for path in (PACKAGE.parent / "benchmarks").glob("*.py")}
    graph = {}
    for name, text in texts.items():
        found = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        graph[name] = {getattr(node, "module", None) or node.names[0].name for node in found} & set(
            texts
        )
    assert graph["front"] >= {"table2", "trec"}
    TopologicalSorter(graph).prepare()
    with pytest.raises(CycleError):
        TopologicalSorter({**graph, "trec": {"front"}}).prepare()

"""Scorers are asked what they can do in `intentx.capabilities`, and nowhere else."""

import ast
import re
from pathlib import Path

import pytest

from intentx import capabilities
from intentx.capabilities import Capabilities

PACKAGE = Path(__file__).parents[2] / "intentx"
HOME = PACKAGE / "capabilities"
PROTOCOLS = {
    name
    for name in capabilities.__all__
    if getattr(getattr(capabilities, name), "_is_protocol", False) and name != "Scorer"
}
PROBES = {"getattr", "hasattr", "getattr_static", "vars", "dir", "own", "own_of_scores"}
SCORER = re.compile(r"\b(scorer|box|black_box)\b")
OF_OTHERS = {"analyzer", "module"}  # methods and explanations have the first, models the second


def members(protocol):
    """What a protocol asks for beside the scores."""
    found = {*vars(protocol), *getattr(protocol, "__annotations__", ())}
    return {name for name in found if not name.startswith("_")}


SAID = set().union(*(members(getattr(capabilities, name)) for name in PROTOCOLS))
NAMES = SAID - OF_OTHERS | {"intent", "no_gradients", "batch_size"}


def probes(text):
    """Lines that ask an object whether it can do what scorers can."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == "intentx.capabilities.wrappers":
            yield ast.unparse(node)
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "__dict__"
            and SCORER.search(ast.unparse(node))
        ):
            yield ast.unparse(node)
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        given = {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
        asked = (
            called in PROBES
            and node.args
            and (NAMES & given or SCORER.search(ast.unparse(node.args[0])))
        )
        held = called in {"isinstance", "issubclass"} and PROTOCOLS & {
            one.id if isinstance(one, ast.Name) else getattr(one, "attr", "")
            for one in ast.walk(node.args[1])
        }
        if asked or held:
            yield ast.unparse(node)


def test_nobody_else_asks():
    others = [path for path in PACKAGE.rglob("*.py") if HOME not in path.parents]
    assert len(others) > 150
    found = {path.name: [*probes(path.read_text(encoding="utf-8"))] for path in others}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        'seen = getattr(box.scorer, "seen", None)',
        "name = getattr(scorer, '__name__', '')",
        "hasattr(self.inner, 'fingerprint')",
        "inspect.getattr_static(ranker, 'state_mark')",
        "'seen' in vars(ranking.scorer)",
        "'seen' in dir(self.box)",
        "box.scorer.__dict__",
        "isinstance(found, Differentiable)",
        "isinstance(found, (str, capabilities.Truncates))",
        "from intentx.capabilities.wrappers import own",
        "all(hasattr(one.scorer, name) for name in names)",
        "getattr(ranker, 'term_weights', None) or getattr(ranker, 'intent', None)",
    ],
)
def test_the_check_can_fail(line):
    text = (PACKAGE / "truncation.py").read_text(encoding="utf-8")
    assert [*probes(text)] == []
    assert [*probes(f"{text}\n{line}\n")]


def test_the_table_has_a_row_for_all_that_can_be_said():
    assert {
        "Truncates", "Fingerprinted", "Listwise", "Differentiable", "Masks", "TermWeights"
    } <= PROTOCOLS  # fmt: skip
    table = Capabilities.__doc__.partition("====\n")[2].rpartition("====\n")[0]
    docs = (PACKAGE.parent / "docs" / "rankers.md").read_text(encoding="utf-8")
    assert {"seen", "fingerprint", "listwise", "embed", "mask_token", "term_weights"} < SAID
    for name in SAID | {"intent"}:
        assert f"``{name}``" in table, name
        assert re.search(rf"`{name}\b", docs), name

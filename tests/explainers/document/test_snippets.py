"""Snippets: the best window by brute force, in any script."""

from __future__ import annotations

import pytest

import intentx as ix

TEXTS = [
    "a lamp, a desk, and a stage piano with keys; no piano stool",
    "بيانو المسرح هو بيانو إلكتروني مصمم للاستخدام على المسرح",
    "舞台钢琴是一种专为现场演出设计的电子钢琴，重量轻，便于携带。",
    "",
    "desk",
]
WANTED = {0: "piano", 1: "بيانو", 2: "钢琴"}


@pytest.fixture(scope="module", params=WANTED)
def found(request):
    word = WANTED[request.param]
    ranking = ix.rank(lambda query, texts: [t.count(word) - t.count("lamp") for t in texts], "q", TEXTS)
    return ix.KernelSHAP().explain(ranking, str(request.param))


@pytest.mark.parametrize("words", [1, 3, 500])
def test_the_best_window_by_brute_force(found, words):
    one = ix.snippet(found, words=words)
    assert one.text == found.document[one.start : one.end]
    spans = [(w.start, w.end, w.weight) for w in found.words]  # every word of these texts has a weight
    size = min(words, len(spans))
    windows = [spans[i : i + size] for i in range(len(spans) - size + 1)]
    best = max(sum(w for _, _, w in window) for window in windows)
    first = next(w for w in windows if sum(v for _, _, v in w) >= best - 1e-9)
    assert (one.start, one.end) == (first[0][0], first[-1][1])


def test_no_word_no_snippet_and_what_is_refused():
    ranking = ix.rank(lambda query, texts: [len(t) for t in texts], "q", TEXTS)
    assert ix.snippet(ix.KernelSHAP().explain(ranking, "3")).text == ""
    one = ix.KernelSHAP().explain(ranking, "4")
    for wrong in (0, -1, 2.5, True, "x"):
        with pytest.raises(ix.InputError, match="words must be a whole number, 1 or more"):
            ix.snippet(one, words=wrong)
    with pytest.raises(ix.InputError, match="is about none: explain a document"):
        ix.snippet(ix.QueryTerms().explain(ix.rank(lambda q, t: [len(x) for x in t], "desk", TEXTS)))

"""Why is one document above another, by gradients: the words of both add up to the difference."""

import math

import numpy as np
import pytest
import torch

import intentx as ix
from benchmarks.zoo import ARCHITECTURES, bi_encoder, cross_encoder
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.subject import every_word
from intentx.explainers.inside.gradients import (
    DeepLIFT,
    DeepSHAP,
    GradientInput,
    IntegratedGradients,
    Saliency,
)
from intentx.rankers import BiEncoder, CrossEncoder
from intentx.report import write_page
from tests.explainers.inside.gradient_toys import DOCS, Of, Toy, smooth, vector_of

METHODS = [
    DeepLIFT(),
    DeepLIFT(reference="mean"),
    DeepLIFT(reference="topk"),
    DeepLIFT(reference="idf", collection=["lamp case", "case or lamp", "case cable"]),
    IntegratedGradients(),
    IntegratedGradients(reference="collection"),
    DeepSHAP(),
    DeepSHAP(number=3),
]
each = pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.name} {m.reference}")
TEXTS = [
    "A stage piano, keys and a sound.",
    "desk light: desk stool!",
    "the cable of a piano",
    "",
    "key",
]


def adds_up(found, tolerance):
    metrics, ranking = found.metrics, found.ranking
    rise = ranking.scores[found.position] - ranking.scores[found.above]
    assert math.fsum(found.weights) + metrics["rest"] == pytest.approx(rise, abs=tolerance)
    assert metrics["score"] - metrics["other_score"] == pytest.approx(rise, abs=tolerance)
    assert abs(metrics["gap"]) < tolerance
    if rise > 100 * tolerance:
        assert metrics["relative_gap"] == pytest.approx(abs(metrics["gap"]) / rise, rel=1e-3, abs=1e-5)


@each
def test_the_words_of_both_add_up_to_the_difference(method):
    ranking = ix.rank(smooth(), "piano keys", DOCS)
    for one, other in (("a", "b"), ("b", "f"), ("c", "a"), ("a", "e"), ("d", "a")):
        found = method.explain(ranking, one, above=other)
        adds_up(found, 1e-5)
        every = every_word(ix.Analyzer())
        assert set(found.terms) == {*every.terms(DOCS[one]), *every.terms(DOCS[other])}
        assert found.above == ranking.position(other)


@each
def test_the_other_way_round_all_signs_change(method):
    ranking = ix.rank(smooth(), "piano keys", DOCS)
    there, back = method.explain(ranking, "a", above="b"), method.explain(ranking, "b", above="a")
    assert there.terms == back.terms
    assert there.weights == tuple(-weight for weight in back.weights)
    for name in ("rest", "gap"):
        assert there.metrics[name] == pytest.approx(-back.metrics[name], abs=1e-15)
    assert there.metrics["other_score"] == back.metrics["score"]
    assert there.metrics["other_reference"] == back.metrics["reference"]


def test_a_linear_ranker_gets_its_own_weights():
    """A word in both documents counts with what it does in one, less what it does in the other."""
    direction = torch.tensor([1.0, -2.0, 3.0, 0.5]).double()
    toy = Toy(Of(lambda vectors: (vectors * direction).sum((1, 2))))
    docs = {"a": "usb piano usb, and", "b": "piano key", "c": "lamp"}
    ranking = ix.rank(toy, "piano", docs)
    value = {
        word: sum(float(vector_of(word[i : i + 3], 4) @ direction) for i in range(0, len(word), 3))
        for word in ("piano", "usb", "key", "and", ",")
    }
    for method in (DeepLIFT(), IntegratedGradients(steps=3), DeepLIFT(reference="mean")):
        found = method.explain(ranking, "a", above="b")
        weight = dict(zip(found.terms, found.weights, strict=True))
        if method.reference == "auto":
            expected = {"usb": 2 * value["usb"], "piano": 0, "key": -value["key"]}
            for term, known in expected.items():
                assert weight[term] == pytest.approx(known, abs=1e-9)
            assert found.metrics["other_reference"] == found.metrics["reference"] == 0
        assert weight["piano"] == pytest.approx(0, abs=1e-12)
        adds_up(found, 1e-9)


def test_both_are_compared_with_the_same_text():
    """So what the reference says cancels out, where the ranker does not count the pieces."""
    toy = Toy(Of(lambda vectors: vectors.mean(1).tanh().sum(1)))
    ranking = ix.rank(toy, "piano", {"a": "piano", "b": "stool", "c": "lamps", "d": "cable"})
    for seed in range(4):
        found = DeepLIFT(reference="collection", seed=seed).explain(ranking, "a", above="b")
        assert found.metrics["reference"] == found.metrics["other_reference"]
        texts = {float(score) for score in ranking.scores[[ranking.position(d) for d in "cd"]]}
        assert any(found.metrics["reference"] == pytest.approx(score) for score in texts)
        assert found.metrics["rest"] == pytest.approx(0, abs=1e-12)
    two = ix.rank(toy, "piano", {"a": "piano", "b": "stool"})
    adds_up(DeepSHAP().explain(two, "a", above="b"), 1e-9)  # each is the reference of the other


@pytest.mark.parametrize(("name", "kind"), [("BERT", "cross"), ("Qwen3", "bi"), ("Gemma 3", "cross")])
def test_transformers(name, kind, tmp_path):
    make = bi_encoder if kind == "bi" else cross_encoder
    model = make(ARCHITECTURES[name], tmp_path)
    scorer = BiEncoder(model) if kind == "bi" else CrossEncoder(model, raw=True)
    ranking = ix.rank(scorer, "piano key", TEXTS)
    for method in (DeepLIFT(), DeepSHAP(number=2)):
        found = method.explain(ranking, "0", above="1")
        assert found.settings["reference_used"] in ("oov", "mean", "collection")
        adds_up(found, 1e-5)
        back = method.explain(ranking, "1", above="0")
        np.testing.assert_allclose(found.weights, np.negative(back.weights))
    empty = DeepLIFT().explain(ranking, "0", above="3")
    adds_up(empty, 1e-5)
    assert any("reads no piece" in note for note in empty.notes)


def test_what_is_shown(tmp_path):
    ranking = ix.rank(smooth(), "piano keys", DOCS)
    found = DeepLIFT().explain(ranking, "a", above="b")
    lines = found.text(120).splitlines()
    [piano] = [line for line in lines if "│ piano " in line]
    [laptop] = [line for line in lines if "│ laptop " in line]
    assert "2 / –" in piano
    assert "– / 1" in laptop
    assert any("– / 1: only in 'b'" in line for line in lines)
    assert any("the rest: no word" in line for line in lines)
    assert DocumentExplanation.from_json(found.to_json()).to_json() == found.to_json()
    page = write_page(tmp_path / "page.html", [found]).read_text("utf-8")
    assert "between the two" in page
    assert "(the rest)" in page
    assert found.model_calls == 2 + 2 * 2, "asking whether zeros will do, and two versions of each"
    assert [word.term for word in found.words] == [
        *("the", "stage", "piano", "a", "piano", "with", "weighted", "keys", "and", "pedals")
    ], "every word, stopwords among them"


def test_a_gap_in_either_document_is_refused():
    """Though in the difference of the two it cancels out."""

    class Steeper(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 3

    ranking = ix.rank(Toy(Of(lambda v: Steeper.apply(v).sum((1, 2)))), "piano", DOCS)
    with pytest.raises(
        ix.InputError, match=r"too much for a usable explanation; no DeepLIFT rule for Steeper"
    ):
        DeepLIFT().explain(ranking, "a", above="b")


def test_methods_that_compare_and_those_that_do_not():
    ranking = ix.rank(smooth(), "piano keys", DOCS)
    with pytest.raises(ix.InputError, match="cannot be above itself"):
        DeepLIFT().explain(ranking, "a", above="a")
    for method in (Saliency(), GradientInput()):
        with pytest.raises(
            ix.InputError, match=r"DeepLIFT, DeepSHAP, EXS, IntegratedGradients, .*can explain why"
        ):
            method.explain(ranking, "a", above="b")

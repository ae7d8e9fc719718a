"""Attributions by gradients: against differences, sums and captum, and for what they are asked."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.capabilities import Differentiable
from intentx.errors import TruncationWarning
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.inside.embedding_layer import word_of_piece
from intentx.explainers.inside.gradients import (
    DeepLIFT,
    DeepSHAP,
    GradientInput,
    IntegratedGradients,
    Saliency,
)
from intentx.rankers.interaction.drmm import DRMM
from intentx.rankers.interaction.knrm import KNRM
from intentx.rankers.interaction.matchpyramid import MatchPyramid, MatchPyramidSettings
from intentx.text import Token
from tests.explainers.inside.gradient_toys import (
    DOCS,
    Of,
    Toy,
    by_words,
    change,
    each_complete,
    each_method,
    perceptron,
    smooth,
    total,
)
from tests.rankers.interaction_toys import QUERY, TEXTS, lexicon
from tests.toys import by_length, ranked


def toy_ranking(toy=None, query="piano keys"):
    return ix.rank(toy or smooth(), query, DOCS)


def differences(toy, text, step=1e-6):
    embedded = toy.embed("", text)
    gradient = np.zeros(embedded.vectors.shape)
    for place in np.ndindex(*gradient.shape):
        up, down = embedded.vectors.clone(), embedded.vectors.clone()
        up[place] += step
        down[place] -= step
        high, low = toy.score_embedded(embedded, torch.stack([up, down])).tolist()
        gradient[place] = (high - low) / (2 * step)
    return gradient, embedded.vectors.numpy()


def test_saliency_by_differences():
    toy = smooth()
    found = Saliency().explain(toy_ranking(toy), "a")
    gradient, _ = differences(toy, DOCS["a"])
    words = by_words(toy_ranking(toy), np.abs(gradient).sum(axis=1), DOCS["a"], max)
    assert [word[:3] for word in words] == [word[:3] for word in found.words]
    np.testing.assert_allclose([w.weight for w in found.words], [w[3] for w in words], rtol=1e-6)
    assert min(found.weights) > 0
    weight = dict(zip(found.terms, found.weights, strict=True))
    twice = [word.weight for word in found.words if word.term == "piano"]
    assert len(twice) == 2
    assert weight["piano"] == pytest.approx(sum(twice))
    assert set(found.metrics) == {"score", "rest"}
    assert found.model_calls == 1


def test_gradient_times_input_by_differences():
    toy = smooth()
    found = GradientInput(reference="oov").explain(toy_ranking(toy), "a")
    gradient, vectors = differences(toy, DOCS["a"])
    products = (gradient * vectors).sum(axis=1)
    words = by_words(toy_ranking(toy), products, DOCS["a"])
    np.testing.assert_allclose([w.weight for w in found.words], [w[3] for w in words], rtol=1e-6)
    assert total(found) == pytest.approx(products.sum(), rel=1e-6)
    assert found.rest == 0, "every piece is one of a word"
    assert found.metrics["gap"] == pytest.approx(products.sum() - change(found), rel=1e-6)
    assert found.model_calls == 2
    assert "miss the difference" in found.notes[0]


def test_integrated_gradients_by_a_slow_sum():
    toy = smooth()
    embedded = toy.embed("", DOCS["a"])
    slow = np.zeros(embedded.vectors.shape)
    for step in range(2000):  # the midpoint rule
        v = (embedded.vectors[None] * (step + 0.5) / 2000).requires_grad_()
        slow += torch.autograd.grad(toy.score_embedded(embedded, v).sum(), v)[0][0].numpy() / 2000
    slow = (slow * embedded.vectors.numpy()).sum(axis=1)
    found = IntegratedGradients(steps=40, reference="oov").explain(toy_ranking(toy), "a")
    words = by_words(toy_ranking(toy), slow, DOCS["a"])
    np.testing.assert_allclose([w.weight for w in found.words], [w[3] for w in words], rtol=1e-3)
    assert found.metrics["relative_gap"] < 1e-6
    assert found.model_calls == 42
    assert not found.notes


@pytest.mark.parametrize("reference", ["idf", "collection", "topk", "ql"])
def test_integrated_gradients_from_any_reference(reference):
    found = IntegratedGradients(reference=reference).explain(toy_ranking(), "a")
    assert total(found) == pytest.approx(change(found), rel=1e-4, abs=1e-6)
    assert abs(change(found)) > 1e-3


def test_few_steps_are_told():
    found = IntegratedGradients(steps=1).explain(toy_ranking(), "b")
    assert found.metrics["relative_gap"] > 0.02
    assert "IntegratedGradients miss the difference" in found.notes[0]


@each_complete
@pytest.mark.parametrize("toy", [smooth, perceptron])
def test_contributions_add_up(method, toy):
    ranking = toy_ranking(toy())
    for doc in "abcdf":
        found = method.explain(ranking, doc)
        assert found.metrics["score"] == pytest.approx(ranking.scores[ranking.position(doc)])
        assert abs(found.metrics["gap"]) < 1e-9
        assert total(found) == pytest.approx(change(found), abs=1e-9)
        assert not [note for note in found.notes if "rule" in note or "miss" in note]


@each_method
def test_a_ranker_without_gradients(method):
    ranking = ix.rank(by_length, "piano", ["a", "bb"])
    with pytest.raises(ix.InputError, match=r"by_length offers none.*KernelSHAP and EXS"):
        method.explain(ranking, 0)
    with pytest.raises(ix.InputError, match=r"DRMM offers none: it counts matches in histograms"):
        method.explain(ix.rank(DRMM(lexicon()), QUERY, TEXTS), "0")
    indicator = MatchPyramid(lexicon(), MatchPyramidSettings(comparison="indicator"))
    with pytest.raises(ix.InputError, match="indicator interaction has no gradient"):
        method.explain(ix.rank(indicator, QUERY, TEXTS), "0")
    with pytest.raises(ix.InputError, match="recorded one"):
        method.explain(ranked(["a", "b"]), 0)


@each_method
def test_documents_of_no_word_and_of_one(method):
    ranking = toy_ranking()
    nothing = method.explain(ranking, "e")
    assert (nothing.terms, nothing.weights, nothing.words) == ((), (), ())
    assert any("reads no piece" in note for note in nothing.notes)
    assert any("no word" in note for note in nothing.notes)
    stopwords = method.explain(ranking, "d")
    assert set(stopwords.terms) == {"of", "the", "and"}
    assert all(stopwords.weights)
    one = method.explain(ranking, "f")
    assert one.terms == ("piano",)
    assert one.metrics["rest"] == 0
    with pytest.raises(ix.InputError, match="no document 'z'"):
        method.explain(ranking, "z")
    if "pair" not in method.questions:
        with pytest.raises(ix.InputError, match="not why one document is above another"):
            method.explain(ranking, "a", above="b")


@each_method
def test_words_that_the_ranker_does_not_know_have_no_weight(method):
    """KNRM drops the words of its own stopword list; the method's analyzer keeps them."""
    scorer = KNRM(lexicon(analyzer=ix.Analyzer(stopwords={"desk", "and", "the", "of"})))
    texts = ["piano sound desk keys", "keys laptop", "desk", "typing sound stool"]
    found = method.explain(ix.rank(scorer, "piano keys", texts), "0")
    weight = dict(zip(found.terms, found.weights, strict=True))
    assert weight["desk"] == 0
    unknown = method.explain(ix.rank(scorer, "piano keys", texts), "2")
    assert unknown.terms == ("desk",)
    assert unknown.weights == (0.0,)
    assert "reads no piece" in unknown.notes[0]


@each_method
def test_a_constant_gives_every_word_zero(method):
    toy = Toy(Of(lambda vectors: 5 + 0 * vectors.sum((1, 2))))
    found = method.explain(toy_ranking(toy), "a")
    assert set(found.weights) == {0.0}
    assert "does not change with any word" in " ".join(found.notes)
    if "gap" in found.metrics:
        assert found.metrics["gap"] == 0
        assert math.isnan(found.metrics["relative_gap"])


@each_method
def test_a_linear_ranker_gets_its_own_weights(method):
    """All signed methods agree on it, and Saliency with their size."""
    direction = torch.tensor([1.0, -2.0, 3.0, 0.5]).double()
    toy = Toy(Of(lambda vectors: (vectors * direction).sum((1, 2))))
    found = method.explain(toy_ranking(toy), "a")
    if method.name == "DeepSHAP":
        assert abs(found.metrics["gap"]) < 1e-9
        return
    vectors = toy.embed("", DOCS["a"]).vectors
    values = (vectors * direction).sum(1).tolist()
    if method.name == "Saliency":
        values = [direction.abs().sum().item()] * len(values)
    words = by_words(toy_ranking(toy), values, DOCS["a"], max if method.name == "Saliency" else sum)
    np.testing.assert_allclose([w.weight for w in found.words], [w[3] for w in words], rtol=1e-9)


def test_a_function_without_a_rule_is_named():
    toy = Toy(Of(lambda vectors: torch.special.erfcx(vectors.sum(1)).prod(dim=1)))
    for method in (DeepLIFT(), DeepSHAP(number=2)):
        with pytest.raises(
            ix.InputError,
            match=r"explanation; no DeepLIFT rule for special_erfcx, prod: its plain gradient",
        ):
            method.explain(toy_ranking(toy), "a")


def test_fewer_references_than_asked_for():
    found = DeepSHAP(number=50).explain(toy_ranking(), "a")
    assert "4 references instead of the 50 asked for" in found.notes[0]


def test_deepshap_is_the_mean_over_its_references():
    ranking = toy_ranking()
    three = ["a lamp", "two cases of cables", "no piano"]
    whole = DeepSHAP(number=3, collection=three).explain(ranking, "a")
    alone = [DeepLIFT(reference="collection", collection=[text]).explain(ranking, "a") for text in three]
    for i, word in enumerate(whole.words):
        assert word.weight == pytest.approx(np.mean([one.words[i].weight for one in alone]))
    assert whole.metrics["reference"] == pytest.approx(np.mean([o.metrics["reference"] for o in alone]))
    assert whole.model_calls == 6


def test_references_are_drawn_by_the_seed():
    ranking = toy_ranking()
    found = [
        DeepSHAP(number=1, seed=seed).explain(ranking, "a").metrics["reference"] for seed in range(6)
    ]
    assert len(set(found)) > 1
    assert found[2] == DeepSHAP(number=1, seed=2).explain(ranking, "a").metrics["reference"]


@each_method
def test_spans_of_a_text_that_is_cut_off_at_its_beginning(method):
    class Late(Toy):
        def seen(self, query, texts):
            return [text[12:] for text in texts]

        def embed(self, query, text):
            assert len(text) <= 12 or not text.startswith("Never"), "only what is read is embedded"
            return super().embed(query, text)

        def __call__(self, query, texts):
            return super().__call__(query, self.seen(query, texts))

    with pytest.warns(TruncationWarning):
        ranking = ix.rank(
            Late(smooth().module), "piano", {"a": "Never read, pianos", "b": "............keys"}
        )
    found = method.explain(ranking, "a")
    assert found.terms == ("pianos",)
    assert found.document[slice(*found.words[0][1:3])] == "pianos"
    assert found.unseen == ("never", "read")
    assert found.weights[0] != 0


def test_a_model_that_works_in_place():
    toy = Toy(Of(lambda vectors: vectors.relu_().sum((1, 2))))
    found = DeepLIFT().explain(toy_ranking(toy), "a")
    assert abs(found.metrics["gap"]) < 1e-9
    assert IntegratedGradients().explain(toy_ranking(toy), "a").metrics["relative_gap"] < 1e-6


@pytest.mark.parametrize(
    "method",
    [IntegratedGradients(steps=7, reference="oov"), DeepSHAP(number=4)],
    ids=lambda method: method.name,
)
def test_batches_change_nothing_but_the_number_of_passes(method):
    toy = smooth()
    sizes = []
    inner = toy.module.forward
    toy.module.forward = lambda vectors: sizes.append(len(vectors)) or inner(vectors)
    ranking = toy_ranking(toy)
    found = []
    for batch_size in (None, 3, 1000):
        sizes.clear()
        found.append(type(method)(**{**vars(method), "batch_size": batch_size}).explain(ranking, "a"))
        expected = {None: 1, 3: 3 if method.name == "IntegratedGradients" else 4, 1000: 1}
        assert len(sizes) == expected[batch_size]
        assert found[-1].model_calls == sum(sizes) == (9 if expected[3] == 3 else 8)
    for one in found[1:]:
        np.testing.assert_allclose(one.weights, found[0].weights, rtol=1e-9)


@each_method
def test_json_judge_and_intent(method):
    ranking = toy_ranking()
    found = method.explain(ranking, "a")
    assert isinstance(ranking.scorer.scorer, Differentiable)
    again = DocumentExplanation.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    plain = [json.loads(method.explain(ranking, "a").to_json()) for _ in range(2)]
    for one in plain:
        del one["seconds"]
    assert plain[0] == plain[1]
    assert ix.fidelity(found) is not None
    intent = method.explain(ranking.subset([ranking.position(doc) for doc in "abf"]))
    assert intent.terms
    assert intent.model_calls > 0


def test_settings_count_the_collection_and_do_not_hold_it():
    method = DeepSHAP(collection=["one text", "another"], seed=3)
    plain = method.explain(toy_ranking(), "a").to_dict()["settings"]
    assert (plain["collection"], plain["reference"], plain["number"], plain["seed"]) == (
        2,
        "collection",
        8,
        3,
    )
    assert "one text" not in repr(method)


def test_bad_settings():
    with pytest.raises(ix.InputError, match="steps must be a whole number, 1 or more, not 0"):
        IntegratedGradients(steps=0)
    with pytest.raises(ix.InputError, match="number must be a whole number, 1 or more"):
        DeepSHAP(number=0)
    with pytest.raises(ix.InputError, match="batch_size must be a whole number, 1 or more"):
        Saliency(batch_size=0)
    with pytest.raises(ix.InputError, match="reference must be one of"):
        DeepLIFT(reference="black")
    with pytest.raises(ix.InputError, match="single words"):
        Saliency(analyzer=ix.Analyzer(ngrams=2)).explain(toy_ranking(), "a")


@pytest.mark.parametrize(
    "wrong", [lambda v: (v.sum((1, 2)) * 0).sqrt(), lambda v: v.sum((1, 2)).detach()]
)
def test_gradients_that_cannot_be_used(wrong):
    toy = Toy(Of(wrong))
    if wrong(torch.ones(1, 1, 1, requires_grad=True)).requires_grad:
        with pytest.raises(ix.ScorerError, match="not finite"):
            Saliency().explain(toy_ranking(toy), "a")
    else:
        toy.module.weight.requires_grad_(False)
        with pytest.raises(ix.InputError, match="scores without gradients"):
            Saliency().explain(toy_ranking(toy), "a")


@given(st.data())
def test_pieces_go_to_the_word_that_they_share_most_with(data):
    ends = sorted(data.draw(st.sets(st.integers(0, 30), min_size=2, max_size=12)))
    words = [(s, e) for s, e in zip(ends[::2], ends[1::2], strict=False)]
    tokens = [Token("w", start, end, 0) for start, end in words]
    cuts = data.draw(st.lists(st.tuples(st.integers(0, 29), st.integers(1, 9)), max_size=6))
    spans = np.array([(start, start + size) for start, size in cuts], dtype=np.intp).reshape(-1, 2)
    found = word_of_piece(spans, tokens)
    for (start, end), word in zip(spans.tolist(), found.tolist(), strict=True):
        shared = [len({*range(start, end)} & {*range(*one)}) for one in words]
        if max(shared) == 0:
            assert word == -1
        else:
            assert shared[word] == max(shared)


@pytest.mark.filterwarnings("ignore::UserWarning:captum")  # that it puts hooks on the model
def test_captum_as_a_second_opinion():
    attr = pytest.importorskip("captum.attr")
    toy = perceptron()
    ranking = toy_ranking(toy)
    x = toy.embed("", DOCS["a"]).vectors[None].requires_grad_()

    def agrees(found, theirs, method=sum):
        values = theirs.detach()[0].sum(1) if method is sum else theirs.detach()[0].abs().sum(1)
        words = by_words(ranking, values.tolist(), DOCS["a"], method)
        np.testing.assert_allclose([w.weight for w in found.words], [w[3] for w in words], atol=1e-9)

    agrees(Saliency().explain(ranking, "a"), attr.Saliency(toy.module).attribute(x, abs=True), max)
    agrees(GradientInput().explain(ranking, "a"), attr.InputXGradient(toy.module).attribute(x))
    integrated = attr.IntegratedGradients(toy.module)
    theirs = integrated.attribute(x, n_steps=13, method="gausslegendre")
    agrees(IntegratedGradients(steps=13).explain(ranking, "a"), theirs)
    theirs = attr.DeepLift(toy.module).attribute(x, torch.zeros_like(x))
    agrees(DeepLIFT().explain(ranking, "a"), theirs)

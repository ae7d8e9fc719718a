"""A sum that misses is said first or refused, and what the rules cannot see is named."""

import html
import json
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import intentx as ix
from benchmarks.zoo import ARCHITECTURES, bi_encoder, cross_encoder
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.completeness import Attributions, judged
from intentx.explainers.inside.gradients import DeepLIFT, DeepSHAP, GradientInput, IntegratedGradients
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.rankers import BiEncoder, CrossEncoder
from intentx.report import write_page
from tests.explainers.inside.gradient_toys import DOCS, Of, Toy, smooth


def ranking(function):
    return ix.rank(Toy(Of(function)), "piano keys", DOCS)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2 * ctx.saved_tensors[0]


@torch.jit.script
def swish(x):
    return torch.sigmoid(x) * x


traced = torch.jit.trace(lambda x: torch.tanh(x) * 2, torch.randn(2, 3, 4).double(), check_trace=False)


class Scripted(nn.Module):
    """A scripted function that is a part of a module, as activations are."""

    def __init__(self):
        super().__init__()
        self.activation = torch.jit.script(nn.SiLU())

    def forward(self, vectors):
        return self.activation(vectors * 3).sum((1, 2))


HIDDEN = {
    "Square": lambda v: Square.apply(v.sum(1) + 3).sum(1),
    "swish in TorchScript": lambda v: swish(3 * v).sum((1, 2)),
    "traced in TorchScript": lambda v: traced(3 * v).sum((1, 2)),
    "activation in TorchScript": Scripted(),
    "special_erfcx": lambda v: torch.special.erfcx(v).sum((1, 2)),
    "aten operator": lambda v: torch.ops.aten.special_erfcx.default(v).sum((1, 2)),
}


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("method", [DeepLIFT(reference="oov"), DeepSHAP(number=2)])
def test_what_has_no_rule_is_named_whether_it_is_refused_or_not(name, method):
    one = ranking(HIDDEN[name])
    named = f"no DeepLIFT rule for {'special_erfcx' if name == 'aten operator' else name}"
    missed = 0
    for doc in "abc":
        try:
            found = method.explain(one, doc)
        except ix.InputError as error:
            missed += 1
            said = str(error)
            assert "too much for a usable explanation" in said
        else:
            missed += found.metrics["relative_gap"] > 0.02
            said = " ".join(found.notes)
            assert bool(found.cautions) == (found.metrics["relative_gap"] > 0.02)
        assert named in said
    assert missed


SEEN = {
    "an operator": lambda v: torch.ops.aten.gelu(torch.ops.aten.mul.Tensor(v, v)).sum((1, 2)),
    "softmax": lambda v: torch.ops.aten.softmax.int(v, 1).square().sum((1, 2)),
    "layer norm": lambda v: torch.ops.aten.layer_norm(v + 1, [4]).exp().sum((1, 2)),
    "compiled": lambda v: (v * 2).tanh().exp().sum((1, 2)),
    "heads in the batch": lambda v: (
        torch.bmm(
            (v @ v.transpose(1, 2)).unflatten(1, (-1, 1)).transpose(1, 2).flatten(0, 1).softmax(-1),
            v.repeat_interleave(1, 0),
        )
        .exp()
        .sum((1, 2))
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_other_ways_to_call_a_function_meet_its_rule(name):
    seen = SEEN[name]
    if name == "compiled":  # here, since the compiler alone takes seconds to import
        seen = torch.compile(seen, backend="eager")
    found = DeepLIFT(reference="collection").explain(ranking(seen), "a")
    assert abs(found.metrics["gap"]) < 1e-9
    assert not [note for note in found.notes if "no DeepLIFT rule" in note]


def test_where_no_gradient_goes_through_is_told_beside_a_gap():
    def cut(vectors):
        with torch.no_grad():
            hidden = (2 * vectors).tanh()
        return (hidden + vectors / 50).sum((1, 2))

    with pytest.raises(
        ix.InputError,
        match=r"too much for a usable explanation; the model may block gradients through mul",
    ):
        DeepLIFT(reference="collection").explain(ranking(cut), "a")


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_model_that_computes_twice(reentrant):
    """Recomputed in the backward pass, out of reach of the rules: right, or an error that says so."""

    def recomputed(vectors):
        if not vectors.requires_grad:
            return vectors.tanh().sum((1, 2))
        return checkpoint(torch.tanh, 3 * vectors, use_reentrant=reentrant).sum((1, 2))

    with pytest.raises(ix.InputError, match=r"cannot be computed.*checkpoint.*KernelSHAP"):
        DeepLIFT(reference="oov").explain(ranking(recomputed), "a")


def test_what_is_detached_is_told_beside_a_gap():
    def kept_from_overflow(vectors):
        powers = (vectors - vectors.amax(2, keepdim=True).detach()).exp()
        return (powers / powers.sum(2, keepdim=True)).square().sum((1, 2))

    found = DeepLIFT(reference="collection").explain(ranking(kept_from_overflow), "a")
    assert 0.02 < found.metrics["relative_gap"] < 0.5
    assert "the model may block gradients through detach" in found.cautions[0]


def missing(share):
    """A ranker whose sum misses by so much of the difference: 1 + share times the gradient."""

    class Steeper(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * (1 + share)

    return ranking(lambda vectors: Steeper.apply(vectors).sum((1, 2)))


@pytest.mark.parametrize("method", [DeepLIFT(), IntegratedGradients(), DeepSHAP()])
def test_the_shares_that_are_stated(method):
    quiet = method.explain(missing(0.019), "a")
    assert not quiet.cautions
    assert quiet.metrics["relative_gap"] == pytest.approx(0.019)
    for share in (0.021, -0.49):
        said = method.explain(missing(share), "a")
        assert len(said.cautions) == 1
        assert f"{abs(share):.1%} of it" in said.cautions[0]
        assert said.notes[0] == said.cautions[0]
    for share in (0.51, -0.51, 3.0, 1e28):
        with pytest.raises(
            ix.InputError, match=r"no explanation of document 'a' of 'piano keys'.*KernelSHAP"
        ):
            method.explain(missing(share), "a")


def test_it_is_the_first_thing_wherever_an_explanation_is_shown(tmp_path):
    found = DeepLIFT().explain(missing(0.07), "a")
    [caution] = found.cautions
    text = " ".join(found.text(200).split())
    assert text.startswith(f"Caution: {caution} {found.verdict.sentence} DeepLIFT for")
    assert text.count("7.0% of it") == 1
    assert repr(found).startswith(f"<CAUTION, {caution} | DeepLIFT for")
    assert found._repr_html_().startswith(f"<p><b>Caution: {html.escape(caution)}</b>")
    plain = json.loads(found.to_json())
    assert plain["cautions"] == [caution]
    assert plain["notes"][0] == caution
    again = DocumentExplanation.from_json(found.to_json())
    assert again.cautions == found.cautions
    del plain["cautions"]  # as older files have it
    assert DocumentExplanation.from_dict(plain).cautions == ()
    page = write_page(tmp_path / "page.html", [found]).read_text("utf-8")
    answer = page[page.index('class="answer"') :]
    assert answer.index("7.0% of it") < answer.index("speak")
    whole = DeepLIFT().explain(missing(0.07))
    assert whole.text().lstrip().startswith("Caution: ")
    assert repr(whole).startswith("<CAUTION, ")
    assert IntentExplanation.from_json(whole.to_json()).cautions == whole.cautions
    assert whole.notes[: len(whole.cautions)] == whole.cautions


def test_gradient_times_input_promises_no_sum_and_says_so_first():
    found = GradientInput().explain(missing(3.0), "a")
    assert found.metrics["relative_gap"] == pytest.approx(3)
    assert "300.0% of it" in found.cautions[0]


def subject():
    return Subject("DeepLIFT", ix.rank(smooth(), "piano", DOCS), 0, ix.Analyzer())


def test_rounding_is_no_gap_and_cancelled_weights_are_told():
    one = subject()
    metrics = judged(one, Attributions(np.array([0.5, -0.5 + 2e-6]), 0.7, 0.7 - 1e-6), None, True)
    assert metrics["relative_gap"] == pytest.approx(1)  # of a millionth
    assert not one.cautions
    judged(one, Attributions(np.array([1e8, -1e8 + 0.5]), 0.7, 0.2), None, True)
    assert "up to 1e+08 cancel each other out" in one.cautions[0]
    equal = judged(one, Attributions(np.array([1.0, -1.0]), 0.0, 0.0), None, True)
    assert math.isnan(equal["relative_gap"])
    with pytest.raises(ix.InputError, match="too much for a usable explanation"):
        judged(one, Attributions(np.array([1.0, 3.0]), 0.5, 0.5), None, True)


def test_zeros_are_kept_where_nothing_breaks_at_them():
    assert DeepLIFT().explain(ix.rank(smooth(), "piano", DOCS), "a").settings["reference_used"] == "oov"
    cosine = ranking(lambda v: nn.functional.normalize(v.sum(1), dim=1) @ torch.arange(4.0).double())
    found = IntegratedGradients().explain(cosine, "a")
    assert found.settings["reference_used"] == "mean"
    assert found.settings["reference"] == "auto"
    assert found.metrics["relative_gap"] < 0.02
    with pytest.raises(ix.InputError, match="steps may be too few for the integral"):
        IntegratedGradients(reference="oov").explain(cosine, "a")


class ORTModelForFeatureExtraction:
    """Stands for optimum's, which does not run with every transformers: no module, no gradients."""

    def __init__(self, model):
        self.config, self.device, self.dtype, self.run = model.config, model.device, model.dtype, model

    def __call__(self, **features):
        with torch.no_grad():
            return self.run(**features)


@pytest.mark.parametrize("kind", ["bi", "cross"])
@pytest.mark.parametrize("method", [DeepLIFT(), GradientInput()])
def test_onnx_is_refused(kind, method, tmp_path, monkeypatch):
    def run(module, features):
        given = {name: features[name] for name in ("input_ids", "attention_mask")}
        found = module.model(**given)
        return features | ({"token_embeddings": found[0]} if kind == "bi" else {"scores": found[0]})

    architecture = ARCHITECTURES["BERT"]
    model = (bi_encoder if kind == "bi" else cross_encoder)(architecture, tmp_path)
    first = model[0]
    inner, first.backend = first.model, "onnx"
    del first.model
    object.__setattr__(first, "model", ORTModelForFeatureExtraction(inner))
    monkeypatch.setattr(type(first), "forward", run)
    one = ix.rank((BiEncoder if kind == "bi" else CrossEncoder)(model), "piano", ["a piano", "desk"])
    with pytest.raises(ix.InputError, match=r"runs by onnx as a ORTModel.*backend='torch'.*KernelSHAP"):
        method.explain(one, 0)
    assert any(ix.KernelSHAP().explain(one, 0).weights)

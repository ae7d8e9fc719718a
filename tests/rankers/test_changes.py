"""Rankers that change between two calls: no score, vector or fingerprint of what they were is left."""

import copy
import functools

import numpy as np
import pytest
import torch
from tokenizers import normalizers

import intentx as ix
from intentx import BlackBox, InputError
from intentx.capabilities import Capabilities
from intentx.errors import ScorerWarning
from intentx.rankers import DPR, BiEncoder, CrossEncoder
from intentx.rankers.interaction.drmm import DRMM, DRMMSettings
from intentx.rankers.interaction.knrm import KNRM, KNRMSettings
from intentx.rankers.interaction.matchpyramid import MatchPyramid, MatchPyramidSettings
from tests import tiny_models
from tests.later import Later
from tests.rankers import interaction_toys as toys
from tests.rankers.five_texts import QUERY, TEXTS
from tests.toys import by_length

modules = Later("sentence_transformers.sentence_transformer.modules")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    towers = [tiny_models.dpr(root / side, side) for side in ("query", "document")]
    dpr = DPR(*towers)
    return {
        "cross": [CrossEncoder(tiny_models.cross_encoder(root / "cross")).model],
        "bi": [tiny_models.bi_encoder(root / "bi")[0]],
        "dpr": [dpr.query_model, dpr.document_model],
    }


KINDS = {"cross": CrossEncoder, "bi": BiEncoder, "dpr": DPR}


def made(models, kind):
    """A ranker with models of its own."""
    return KINDS[kind](*copy.deepcopy(models[kind]))


def close(one, other):
    np.testing.assert_allclose(one, other, atol=2e-3 if one.std() > 1 else 1e-5)


def encoder(model):
    return model[0].encoder if hasattr(model[0], "encoder") else model.transformers_model


def first_weight(model):
    return next(p for name, p in model.named_parameters() if name.endswith("query.weight"))


def in_place(model):
    with torch.no_grad():
        first_weight(model).mul_(3)


def through_data(model):
    first_weight(model).data.mul_(3)


def one_number_through_data(model):
    first_weight(model).data[3, 2] += 5


def rows_change_places_through_data(model):
    weight = first_weight(model)
    weight.data.copy_(weight.data.flip(0))


def state_dict(model):
    model.load_state_dict({name: 1.5 * value for name, value in model.state_dict().items()})


def step(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    optimizer.zero_grad()


def another_module(model):
    layer = next(m for m in model.modules() if hasattr(m, "intermediate_act_fn"))
    layer.intermediate_act_fn = torch.nn.Tanh()


def another_epsilon(model):
    next(m for m in model.modules() if isinstance(m, torch.nn.LayerNorm)).eps = 1.0


def half(model):
    model.half()


def adapter(model):
    class LoRA(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.added = inner, torch.nn.Parameter(torch.eye(*inner.weight.shape) / 2)

        def forward(self, x):
            return self.inner(x) + x @ self.added.T

    attention = next(m for m in model.modules() if hasattr(m, "query") and hasattr(m, "key"))
    attention.query = LoRA(attention.query)


def shorter(model):
    model.max_seq_length = 6


def hook(model):
    next(m for m in model.modules() if isinstance(m, torch.nn.LayerNorm)).register_forward_hook(
        lambda module, given, output: output.roll(1, dims=-1)
    )


def capitals(model):
    model.tokenizer.backend_tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)


CHANGES = [
    in_place,
    through_data,
    one_number_through_data,
    rows_change_places_through_data,
    state_dict,
    step,
    another_module,
    another_epsilon,
    half,
    adapter,
    hook,
    capitals,
    shorter,
]


@pytest.mark.parametrize(
    ("kind", "change"),
    [(kind, change) for kind in ("cross", "bi") for change in CHANGES]
    + [("dpr", change) for change in (in_place, through_data, hook)],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_changed_model_is_asked_again(models, tmp_path, kind, change):
    ranker = made(models, kind)
    box, cache = BlackBox(ranker), tmp_path / "scores.sqlite"
    before, name = ranker(QUERY, TEXTS), ranker.fingerprint
    close(box(QUERY, TEXTS), before)
    ix.rank(ranker, QUERY, TEXTS, cache=cache)
    change(ranker.module)

    fresh = KINDS[kind](*([ranker.module] if kind != "dpr" else [ranker.query_model, ranker.module]))
    expected = fresh(QUERY, TEXTS)
    assert np.abs(expected - before).max() > 1e-6, "the change matters"
    close(ranker(QUERY, TEXTS), expected)
    close(box(QUERY, TEXTS), expected)
    assert ranker.fingerprint == fresh.fingerprint != name
    if change is shorter:
        return  # rank would warn that it does not read all
    ranking = ix.rank(ranker, QUERY, TEXTS, cache=cache)
    assert (ranking.scorer.texts_found, ranking.scorer.texts_scored) == (0, len(TEXTS) + 3)
    again = ix.rank(ranker, QUERY, TEXTS, cache=cache)
    assert (again.scorer.texts_found, again.scorer.texts_scored) == (len(TEXTS), 0)
    np.testing.assert_allclose(again.scores, np.sort(expected)[::-1], atol=1e-3)


def test_a_box_with_a_file_follows_its_scorer_and_finds_old_scores_again(models, tmp_path):
    ranker = made(models, "cross")
    box = BlackBox(ranker, cache=tmp_path / "scores.sqlite")
    before = box(QUERY, TEXTS)
    ranker.raw = False
    np.testing.assert_allclose(box(QUERY, TEXTS), 1 / (1 + np.exp(-before)), atol=1e-6)
    assert box.texts_scored == 2 * len(TEXTS)
    ranker.raw = True
    close(box(QUERY, TEXTS), before)
    assert (box.texts_scored, box.texts_found) == (2 * len(TEXTS), len(TEXTS))


def test_a_ranking_of_before_is_named(models):
    ranker = made(models, "cross")
    ranking = ix.rank(ranker, QUERY, TEXTS)
    ix.EXS(samples=20).explain(ranking, 0)
    through_data(ranker.model)
    with pytest.warns(ScorerWarning, match=r"has changed since this ranking was made.*Rank again"):
        ix.EXS(samples=20).explain(ranking, 0)
    ix.EXS(samples=20).explain(ix.rank(ranker, QUERY, TEXTS), 0)


def test_settings_of_a_bi_encoder(models):
    ranker = made(models, "bi")
    box = BlackBox(ranker)
    cosines, name = box(QUERY, TEXTS), ranker.fingerprint
    ranker.similarity = "dot"
    assert np.abs(box(QUERY, TEXTS) - cosines).max() > 0.1
    ranker.similarity = "cosine"
    close(box(QUERY, TEXTS), cosines)
    assert ranker.fingerprint == name
    model = ranker.model
    for change in (
        lambda: model.prompts.update(query="desk "),
        lambda: model.prompts.update(document="desk "),
        lambda: setattr(model, "truncate_dim", 3),
        lambda: model.__setitem__(1, modules.Pooling(12, "cls")),
    ):
        change()
        fresh = BiEncoder(model)
        close(box(QUERY, TEXTS), fresh(QUERY, TEXTS))
        assert ranker.fingerprint == fresh.fingerprint != name
        assert np.abs(box(QUERY, TEXTS) - cosines).max() > 1e-4
        cosines, name = box(QUERY, TEXTS), ranker.fingerprint
    ranker.model = made(models, "bi").model
    assert ranker.fingerprint == made(models, "bi").fingerprint
    close(box(QUERY, TEXTS), made(models, "bi")(QUERY, TEXTS))


def test_an_unchanged_model_is_not_asked_again(models):
    ranker = made(models, "bi")
    encoded = []
    ranker.module.transformers_model.get_input_embeddings().register_forward_hook(
        lambda module, given, output: encoded.append(len(output))
    )
    box = BlackBox(ranker)
    ix.rank(box, QUERY, TEXTS)
    assert sum(encoded) == len(TEXTS) + 1, "the scores that are asked again are of known vectors"
    ix.rank(box, QUERY, TEXTS)
    ranker("desk", TEXTS)
    assert sum(encoded) == len(TEXTS) + 2
    explanation = ix.DeepLIFT().explain(ix.rank(box, QUERY, TEXTS), 0)
    assert explanation.model_calls
    assert box.texts_scored == len(TEXTS) + 3


@pytest.mark.parametrize(
    "made",
    [
        lambda: DRMM(toys.lexicon(), DRMMSettings()),
        lambda: KNRM(toys.lexicon(), KNRMSettings(tune_vectors=True)),
        lambda: MatchPyramid(toys.lexicon(), MatchPyramidSettings()),
    ],
    ids=["drmm", "knrm", "matchpyramid"],
)
def test_rankers_of_interactions(made):
    ranker = made()
    box = BlackBox(ranker)
    before, name = box("piano keys", TEXTS), ranker.fingerprint
    with torch.no_grad():
        for parameter in ranker.module.parameters():
            parameter.mul_(-2).add_(0.1)
    after = ranker("piano keys", TEXTS)
    assert np.abs(after - before).max() > 1e-4
    close(box("piano keys", TEXTS), after)
    assert ranker.fingerprint != name
    with pytest.raises(ValueError, match="read-only"):
        ranker.lexicon.vectors[0] = 0


class Wrapper:
    """Passes attributes on, and changes the scores."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def __call__(self, query, texts):
        return -np.asarray(self.inner(query, texts))


class Child(CrossEncoder):
    def __call__(self, query, texts):
        return -super().__call__(query, texts)


class Named(Child):
    fingerprint = "child, version 1"


def test_only_a_fingerprint_of_its_own_counts(models, tmp_path):
    inner = made(models, "cross")

    def score(query, texts):
        return by_length(query, texts)

    score.fingerprint = "by length"

    @functools.wraps(score)
    def negative(query, texts):
        return [-value for value in score(query, texts)]

    cache = tmp_path / "scores.sqlite"
    ix.rank(inner, QUERY, TEXTS, cache=cache)
    others = [
        Wrapper(inner),
        Child(inner.model),
        negative,
        functools.partial(score),
        inner.__call__,
        functools.partial(inner),
    ]
    for scorer in others:
        assert Capabilities.of(scorer).fingerprint is None
        with pytest.raises(InputError, match=r"give it a fingerprint"):
            ix.rank(scorer, QUERY, TEXTS, cache=cache)
    ranking = ix.rank(Wrapper(inner), QUERY, TEXTS, cache=cache, fingerprint="negative")
    assert ranking.doc_ids == ix.rank(inner, QUERY, TEXTS).doc_ids[::-1]
    assert Capabilities.of(score).fingerprint == "by length"
    assert Capabilities.of(inner).fingerprint == inner.fingerprint
    assert Capabilities.of(Named(inner.model)).fingerprint == "child, version 1"
    negative.fingerprint = "negative length"
    assert Capabilities.of(negative).fingerprint == "negative length"


def test_a_wrapper_has_no_gradients_of_what_it_wraps(models):
    inner = made(models, "cross")
    ranking = ix.rank(Wrapper(inner), QUERY, TEXTS)
    with pytest.raises(InputError, match="those of the scorer in it, whose scores it may change"):
        ix.DeepLIFT().explain(ranking, 0)
    assert ix.DeepLIFT().explain(ix.rank(inner, QUERY, TEXTS), 0).terms


def test_what_a_wrapper_wraps_decides_on_lists():
    def inner(query, texts):
        return [len(text) - len(texts) for text in texts]

    inner.listwise = True
    assert BlackBox(Wrapper(inner)).listwise

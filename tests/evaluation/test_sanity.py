import copy
import functools
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.datasets import load_demo
from intentx.evaluation.sanity import randomised, sanity
from intentx.explainers.document.shap import KernelSHAP
from intentx.rankers import DPR, DRMM, KNRM, BiEncoder, CrossEncoder, MatchPyramid
from tests import tiny_models
from tests.rankers.interaction_toys import lexicon
from tests.toys import keyboards

DOCS = ["a stage piano", "desk keys: pia", "keys and desk", "x"]


def rankers(folder):
    model, _ = tiny_models.bi_encoder(folder / "bi")
    yield BiEncoder(model)
    yield DPR(*(tiny_models.dpr(folder / side, side) for side in ("query", "document")))
    yield CrossEncoder(tiny_models.cross_encoder(folder / "cross"))
    for kind in (DRMM, KNRM, MatchPyramid):
        yield kind(lexicon())


def test_a_randomised_ranker_is_another_one_and_the_ranker_stays(tmp_path):
    for ranker in rankers(tmp_path):
        before, mark = ranker("piano keys", DOCS), ranker.fingerprint
        state = torch.random.get_rng_state()
        other = randomised(ranker, seed=1)
        assert torch.equal(torch.random.get_rng_state(), state)
        scores = other("piano keys", DOCS)
        assert not np.allclose(scores, before), type(ranker).__name__
        assert other.fingerprint != mark
        np.testing.assert_array_equal(randomised(ranker, seed=1)("piano keys", DOCS), scores)
        assert not np.allclose(randomised(ranker, seed=2)("piano keys", DOCS), scores)
        np.testing.assert_array_equal(ranker("piano keys", DOCS), before)
        assert sorted(p.sum().item() for p in other.module.parameters()) == pytest.approx(
            sorted(p.sum().item() for p in ranker.module.parameters()), rel=1e-4, abs=1e-4
        )


def test_nothing_to_randomise():
    for scorer in (keyboards()[1], lambda query, texts: texts, max):
        with pytest.raises(ix.InputError, match=r"no torch module .* sanity\(…, other=scorer\)"):
            randomised(scorer)


class Own:
    """A user's ranker: networks deep inside, one of them shared, and something computed of one."""

    def __init__(self):
        layer = torch.nn.Linear(2, 1)
        self.parts = {"first": [layer], "again": layer}
        self.inner = SimpleNamespace(last=torch.nn.Linear(1, 1))

    @functools.cached_property
    def total(self):
        return float(sum(p.sum() for p in self.parts["again"].parameters()))

    def __call__(self, query, texts):
        rows = torch.tensor([[len(text), text.count("a")] for text in texts], dtype=torch.float32)
        with torch.no_grad():
            return self.inner.last(self.parts["first"][0](rows))[:, 0] + self.total


def test_networks_deep_inside_a_ranker():
    torch.manual_seed(0)
    own = Own()
    before = own("", DOCS)
    weights = [own.parts["again"].weight.tolist(), own.inner.last.weight.tolist()]
    others = [randomised(own, seed) for seed in range(6)]  # two numbers have only two orders
    assert any(other.parts["again"].weight.tolist() != weights[0] for other in others)
    assert all(other.parts["again"] is other.parts["first"][0] for other in others)
    assert all("total" not in vars(other) for other in others)
    assert [own.parts["again"].weight.tolist(), own.inner.last.weight.tolist()] == weights
    assert torch.equal(own("", DOCS), before)


def test_what_a_copy_shares_with_the_ranker_is_not_shuffled():
    class Shared(torch.nn.Linear):
        def __deepcopy__(self, memo):
            memo[id(self)] = self
            return self

    class Ranker:
        def __init__(self):
            self.body, self.head = Shared(5, 4), torch.nn.Linear(4, 1)
            self.table = torch.nn.Parameter(torch.rand(20))

        def __deepcopy__(self, memo):
            memo[id(self.table)] = self.table
            other = Ranker.__new__(Ranker)
            vars(other).update(copy.deepcopy(vars(self), memo))
            return other

    ranker = Ranker()
    weights = [ranker.body.weight.tolist(), ranker.table.tolist()]
    other = randomised(ranker)
    assert other.body is ranker.body
    assert other.table is ranker.table
    assert [ranker.body.weight.tolist(), ranker.table.tolist()] == weights
    assert other.head.weight.tolist() != ranker.head.weight.tolist()


def test_a_ranker_that_cannot_be_copied():
    class Locked:
        def __init__(self):
            self.lock, self.module = threading.Lock(), torch.nn.Linear(1, 1)

    with pytest.raises(ix.InputError, match=r"Locked cannot be copied .* sanity\(…, other=scorer\)"):
        randomised(Locked())


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ix.InputError, match="no torch module"):
        randomised(keyboards()[1])


def test_the_random_ranker_is_asked_as_the_ranker_was():
    sizes = []

    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def forward(self, query, texts):
            sizes.append(len(texts))
            rows = torch.tensor([[len(t), t.count("a"), t.count("s")] for t in texts]).float()
            return self.layer(rows)[:, 0].detach()

    ranking = ix.rank(ix.BlackBox(Small(), batch_size=2), "keys", DOCS)
    sanity(KernelSHAP(samples=20), ranking, 0)
    assert max(sizes) == 2
    box = ix.BlackBox(lambda query, texts: [-len(text) for text in texts])
    first = sanity(KernelSHAP(), ranking, 0, other=box)
    scored = box.texts_scored
    assert sanity(KernelSHAP(), ranking, 0, other=box) == first
    assert box.texts_scored == scored


def test_explanations_of_a_ranker_and_of_none():
    texts, scorer = keyboards(number=12)
    ranking = ix.rank(scorer, "keyboard reviews", texts)
    method = KernelSHAP(samples=200)
    same = sanity(method, ranking, 2, other=scorer)
    assert same.kendall == pytest.approx(1)
    other = sanity(method, ranking, 2, other=lambda query, texts: [hash_of(text) for text in texts])
    assert other.kendall < 0.7
    assert sanity(ix.QueryTerms(), ranking, other=lambda q, t: [-len(x) for x in t]).jaccard == 1


def hash_of(text):
    return sum(ord(letter) * (place % 7 - 3) for place, letter in enumerate(text)) % 101


@pytest.mark.slow
def test_on_a_bi_encoder():
    demo = load_demo("jaguar speed")
    texts = [document.content[:60] for document in demo.documents[:4]]
    ranking = ix.rank(BiEncoder.minilm(), demo.query, texts)
    assert sanity(KernelSHAP(samples=50), ranking, 0).kendall < 0.4

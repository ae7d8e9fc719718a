"""How many texts go at once, on a card that is played: its memory is a number."""

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.rankers import BiEncoder, CausalLMRanker, CrossEncoder, SparseRanker
from intentx.rankers.transformers import memory
from intentx.rankers.transformers.batches import each_in_batches, in_batches
from intentx.rankers.transformers.memory import Room, card_memory
from intentx.rankers.transformers.sides import SideText
from tests import language_models, tiny_models
from tests.later import transformers
from tests.rankers.test_batches import tokenizer

CPU = torch.device("cpu")


class Card:
    """A card that holds so many tokens; torch keeps what the largest pass took."""

    def __init__(self, tokens):
        self.tokens, self.held, self.passes, self.failed = tokens, 0, [], []

    def memory(self, device):
        return self.tokens - self.held, self.held

    def forward(self, features):
        rows, width = features["input_ids"].shape
        if rows * width > self.tokens:
            self.failed.append(rows)
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        self.held = max(self.held, rows * width)
        self.passes.append(rows)
        return features["input_ids"].sum(dim=1).float()


def texts_of(*lengths):
    return [" ".join(["aa"] * number) for number in lengths]


def test_batches_grow_while_a_card_has_room_for_as_much_again():
    card, room = Card(1000), Room(None, memory=lambda device: card.memory(device))
    tokenize, _ = tokenizer()
    texts = texts_of(*[4] * 900)
    found = in_batches(texts, tokenize, card.forward, room, CPU)
    assert found.tolist() == [8.0] * 900
    # 128 texts of 4 tokens are half of 1,000 tokens and a little more.
    assert card.passes == [32, 64, 128, 128, 128, 128, 128, 128, 36]
    assert (room.size, card.failed) == (128, [])


def test_a_batch_that_does_not_fit_goes_in_halves_and_stays_small():
    card = Card(100)
    room = Room(None, memory=lambda device: (1, 0))  # another program takes what looked free
    tokenize, _ = tokenizer()
    lengths = [*[10] * 20, *[3] * 70]
    found = in_batches(texts_of(*lengths), tokenize, card.forward, room, CPU)
    assert found.tolist() == [2.0 * number for number in lengths]
    assert card.failed == [32, 16]
    assert card.passes[0] == 8
    assert max(card.passes) == 8
    assert room.size == 8
    again = each_in_batches(texts_of(10, 2), tokenize, lambda f: card.forward(f).tolist(), room, CPU)
    assert again == [20.0, 4.0]
    assert card.failed == [32, 16]


def test_long_texts_halve_by_their_number():
    card, room = Card(700), Room(None, memory=lambda device: None)
    tokenize, _ = tokenizer()
    in_batches(texts_of(*[300] * 14, 2), tokenize, card.forward, room, CPU)
    assert card.failed == [13, 6, 3]  # 4,096 tokens, and the half of that again and again
    assert card.passes == [1] * 15


def test_what_is_given_is_the_most():
    card, room = Card(10_000), Room(8, memory=lambda device: (10**6, 0))
    tokenize, _ = tokenizer()
    in_batches(texts_of(*[2] * 100), tokenize, card.forward, room, CPU)
    assert max(card.passes) == room.size == 8


def test_growth_has_an_end(monkeypatch):
    monkeypatch.setattr(memory, "MOST", 48)
    card, room = Card(10**9), Room(None, memory=lambda device: (10**6, 0))
    tokenize, _ = tokenizer()
    in_batches(texts_of(*[2] * 300), tokenize, card.forward, room, CPU)
    assert max(card.passes) == 48


def test_a_text_that_does_not_fit_says_what_helps():
    card, room = Card(20), Room(None)
    tokenize, _ = tokenizer()
    with pytest.raises(ix.InputError, match=r"does not hold one text of 30 tokens .* max_length"):
        in_batches(texts_of(30, 2), tokenize, card.forward, room, CPU)


def test_processors_tell_no_memory_and_batches_stay():
    assert card_memory(CPU) is None
    card, room = Card(10**9), Room(None)
    tokenize, _ = tokenizer()
    in_batches(texts_of(*[2] * 100), tokenize, card.forward, room, CPU)
    assert card.passes == [32, 32, 32, 4]


def test_other_errors_pass_as_they_are():
    tokenize, calls = tokenizer()

    def forward(features):
        calls.append("forward")
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape mismatch"):
        in_batches(texts_of(2, 2), tokenize, forward, Room(None), CPU)
    assert calls.count("forward") == 1


def splade(folder):
    config = transformers.BertConfig(**tiny_models.SIZES, max_position_embeddings=24)
    model = tiny_models.seeded(lambda: transformers.BertForMaskedLM(config), 4.0)
    return tiny_models.save(model, tiny_models.word_pieces(folder, 24), folder)


@pytest.fixture
def rankers(tmp_path):
    return {
        "bi-encoder": BiEncoder(tiny_models.bi_encoder(tmp_path / "bi")[0]),
        "cross-encoder": CrossEncoder(tiny_models.cross_encoder(tmp_path / "cross")),
        "sparse": SparseRanker(splade(tmp_path / "sparse")),
        "causal-lm": CausalLMRanker(language_models.causal_lm(tmp_path / "causal"), device="cpu"),
    }


def test_each_ranker_asks_again_with_less(rankers):
    texts = [f"piano keys stage {'desk ' * i}" for i in range(12)]
    for name, ranker in rankers.items():
        expected = ranker("keys", texts)
        for forget in ("_documents", "_queries"):
            if hasattr(ranker, forget):
                getattr(ranker, forget).forget()
        first = ranker.batch_size
        inner, sizes = ranker.module, []

        def refuse(module, args, kwargs, sizes=sizes):
            rows = next(len(v) for v in [*args, *kwargs.values()] if isinstance(v, torch.Tensor))
            sizes.append(rows)
            if rows > 3:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")

        layer = next(m for m in inner.modules() if isinstance(m, torch.nn.Embedding))
        hook = layer.register_forward_pre_hook(refuse, with_kwargs=True)
        found = ranker("keys", texts)
        hook.remove()
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)
        assert max(sizes) > 3, name
        assert ranker.batch_size < first, name


class NoRoomBack(torch.autograd.Function):
    """The same numbers, whose gradients do not fit."""

    @staticmethod
    def forward(ctx, scores):
        return scores.clone()

    @staticmethod
    def backward(ctx, gradients):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize(
    "method", [ix.IntegratedGradients(steps=20), ix.DeepSHAP(number=6)], ids=lambda method: method.name
)
def test_gradients_go_in_halves(tmp_path, method, back):
    ranker = CrossEncoder(tiny_models.cross_encoder(tmp_path / "cross"))
    texts = [f"piano keys stage {'desk ' * i}" for i in range(8)]
    ranking = ix.rank(ranker, "keys", texts)
    expected = method.explain(ranking, 0)
    sizes = []

    def refuse(embedded, vectors):
        sizes.append(len(vectors))
        if len(vectors) > 2 and not back:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        scores = CrossEncoder.score_embedded(ranker, embedded, vectors)
        return NoRoomBack.apply(scores) if len(vectors) > 2 else scores

    ranker.score_embedded = refuse
    found = method.explain(ranking, 0)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-6)
    assert found.terms == expected.terms
    assert max(sizes) > 2


@pytest.mark.parametrize("back", [False, True])
def test_token_pairs_go_in_halves(tmp_path, monkeypatch, back):
    ranking = ix.rank(
        BiEncoder(tiny_models.bi_encoder(tmp_path / "bi")[0]), "keys", ["piano keys", "desk"]
    )
    method = ix.TokenPairs(method="integrated", steps=12)
    expected = method.explain(ranking, 0)
    sizes, own = [], SideText.vectors

    def refuse(self, rows):
        sizes.append(len(rows))
        if len(rows) > 3 and not back:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        vectors = own(self, rows)
        return NoRoomBack.apply(vectors) if len(rows) > 3 and rows.requires_grad else vectors

    monkeypatch.setattr(SideText, "vectors", refuse)
    found = method.explain(ranking, 0)
    np.testing.assert_allclose(found.matrix, expected.matrix, atol=1e-6)
    assert 12 in sizes  # the nodes of the document at once
    assert sizes[-1] == 2


def test_one_version_that_does_not_fit_says_what_helps(tmp_path):
    ranker = CrossEncoder(tiny_models.cross_encoder(tmp_path / "cross"))
    ranking = ix.rank(ranker, "keys", ["piano keys", "a desk"])

    def refuse(embedded, vectors):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    ranker.score_embedded = refuse
    with pytest.raises(ix.InputError, match="does not hold one version of the document"):
        ix.IntegratedGradients(reference="oov").explain(ranking, 0)


def test_batch_size_can_be_set(tmp_path):
    ranker = BiEncoder(tiny_models.bi_encoder(tmp_path / "bi")[0])
    assert ranker.batch_size == 32
    ranker.batch_size = 4
    assert ranker.batch_size == 4
    with pytest.raises(ix.InputError, match="batch_size must be 1 or more, not 0"):
        ranker.batch_size = 0

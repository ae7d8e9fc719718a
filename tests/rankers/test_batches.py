import numpy as np
import pytest
import torch

from intentx.rankers import CrossEncoder
from intentx.rankers.transformers import batches
from intentx.rankers.transformers.batches import in_batches, repeated
from intentx.rankers.transformers.memory import Room
from tests import tiny_models

CPU = torch.device("cpu")


def tokenizer(side="right", pieces=lambda text: [len(word) for word in text.split()]):
    """Numbers of letters for ids, padded at a side; what it is asked is kept."""
    calls = []

    def tokenize(texts):
        calls.append(list(texts))
        rows = [pieces(text) for text in texts]
        width = max(map(len, rows))
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for i, row in enumerate(rows):
            place = slice(width - len(row), width) if side == "left" else slice(len(row))
            ids[i, place] = torch.tensor(row, dtype=torch.long)
            mask[i, place] = 1
        return {"input_ids": ids, "attention_mask": mask, "modality": "text", "prompt_length": 3}

    return tokenize, calls


def random_texts(generator, number):
    words = ["a", "longest", "of", "words", "b"]
    return [" ".join(generator.choice(words, generator.integers(1, 9))) for _ in range(number)]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("block", [5, 1024])
def test_each_text_gets_its_own_row(monkeypatch, side, block):
    monkeypatch.setattr(batches, "BLOCK", block)
    texts = random_texts(np.random.default_rng(0), 23)
    tokenize, _ = tokenizer(side)
    shapes = []

    def forward(features):
        assert features["modality"] == "text"
        assert features["prompt_length"] == 3
        ids, mask = features["input_ids"], features["attention_mask"]
        assert ids.shape == mask.shape
        assert mask.any(dim=0).all(), "no column is padding in all rows"
        shapes.append(tuple(ids.shape))
        return torch.stack([(ids * mask).sum(dim=1), ids.amax(dim=1)], dim=1).float()

    found = in_batches(texts, tokenize, forward, Room(4), CPU)
    expected = [[sum(map(len, text.split())), max(map(len, text.split()))] for text in texts]
    np.testing.assert_array_equal(found, expected)
    assert max(rows for rows, _ in shapes) == 4
    if block > len(texts):
        counts = sorted((len(text.split()) for text in texts), reverse=True)
        assert [width for _, width in shapes] == counts[::4]


def test_long_texts_go_a_few_at_a_time():
    lengths = [600, 300, 200, 200, 129, 128, 128, 3, 2, 1, 1, 1]
    tokenize, _ = tokenizer()
    shapes = []

    def forward(features):
        shapes.append(tuple(features["input_ids"].shape))
        return features["input_ids"].sum(dim=1)

    texts = [" ".join(["aa"] * number) for number in lengths]
    assert in_batches(texts[::-1], tokenize, forward, Room(4), CPU).tolist() == [
        2 * n for n in lengths[::-1]
    ]
    assert shapes == [(1, 600), (1, 300), (2, 200), (3, 129), (4, 3), (1, 1)]
    assert all(rows * width <= 4 * 128 or rows == 1 for rows, width in shapes)


def test_pieces_and_not_characters_decide(tmp_path):
    ranker = CrossEncoder(tiny_models.cross_encoder(tmp_path / "cross"), batch_size=2, raw=False)
    shapes = []
    hook = ranker.module.transformers_model.get_input_embeddings().register_forward_hook(
        lambda module, args, output: shapes.append(tuple(output.shape[:2]))
    )
    texts = ["piano piano piano", "z q z q z q", "stage stage", "a b c d e"]
    together = ranker("key", texts)
    hook.remove()
    assert shapes == [(2, 4 + 6), (2, 4 + 3)]
    predicted = ranker.model.predict([("key", text) for text in texts], show_progress_bar=False)
    np.testing.assert_allclose(together, predicted, atol=1e-6)


def test_what_is_not_padded_is_tokenized_batch_by_batch():
    inner, _ = tokenizer()
    calls = []

    def tokenize(texts):
        calls.append(len(texts))
        return {"flat": inner(texts)["input_ids"].sum(dim=1)}

    texts = random_texts(np.random.default_rng(1), 7)
    found = in_batches(texts, tokenize, lambda features: features["flat"], Room(3), CPU)
    assert found.tolist() == [sum(map(len, text.split())) for text in texts]
    assert calls == [7, 3, 3, 1]


def test_no_gradient_and_no_copy_of_a_text():
    tokenize, calls = tokenizer()
    in_batches(["a", "bb cc"], tokenize, lambda features: features["input_ids"].sum(dim=1), Room(8), CPU)
    assert calls == [["bb cc", "a"]]
    features = repeated(tokenize(["aa b"]), 3)
    assert features["input_ids"].tolist() == [[2, 1]] * 3
    assert features["modality"] == "text"

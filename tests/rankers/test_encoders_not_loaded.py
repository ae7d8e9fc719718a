"""Folders and packages of bi-encoders that cannot be loaded, and why."""

import pytest
import torch

import intentx as ix
from intentx.rankers import DPR, BiEncoder
from intentx.rankers.transformers import encoders
from tests import tiny_models


def test_layers_without_weights_are_refused(tmp_path):
    _, folder = tiny_models.bi_encoder(tmp_path)
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        config.replace('"num_hidden_layers": 2', '"num_hidden_layers": 3')
    )
    state = torch.random.get_rng_state()
    with pytest.raises(ix.InputError, match=r"no weights for encoder\.layer\.2\..* and 13 more"):
        BiEncoder(folder)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["half", "gone"])
def test_damaged_folders(tmp_path, name, damage):
    _, folder = tiny_models.bi_encoder(tmp_path)
    side = tiny_models.dpr(tmp_path / "dpr", "document")
    query = tiny_models.dpr(tmp_path / "query", "query")
    for path in (folder, side):
        content = (path / name).read_bytes()
        if damage == "half":
            (path / name).write_bytes(content[: len(content) // 2])
        else:
            (path / name).unlink()
            (path / "vocab.txt").unlink(missing_ok=True)
    with pytest.raises(ix.InputError, match=str(folder)):
        BiEncoder(folder)
    with pytest.raises(ix.InputError, match=str(side)):
        DPR(query, side)


def test_missing_packages_name_their_extra(monkeypatch):
    monkeypatch.setattr(encoders.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[demo\]"):
        BiEncoder.minilm()
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[neural\]"):
        BiEncoder("any")


def test_other_weights_under_the_models_name_are_refused(monkeypatch):
    monkeypatch.setattr(encoders, "MINILM_SHA256", "0" * 64)
    with pytest.raises(ix.InputError, match="other weights"):
        BiEncoder.minilm()

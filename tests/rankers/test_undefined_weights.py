"""Weights that are NaN or infinite, and seeds that are none: refused when a ranker is loaded."""

import pytest
import torch
from safetensors.torch import load_file, save_file

import intentx as ix
from intentx.cli import main
from intentx.rankers import load_ranker
from tests import tiny_models


def spoil(folder, value, where="word_embeddings"):
    """One number of the first tensor whose name holds ``where`` becomes ``value``."""
    [path] = sorted(folder.rglob("model.safetensors"))[:1]
    tensors = load_file(path)
    name = next(name for name in tensors if where in name)
    tensors[name].view(-1)[1] = value
    save_file(tensors, path, metadata={"format": "pt"})
    return name


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("kind", ["cross-encoder", "bi-encoder"])
def test_a_model_with_a_number_that_is_none(tmp_path, kind, value):
    if kind == "cross-encoder":
        folder = tiny_models.cross_encoder(tmp_path / "model")
    else:
        _, folder = tiny_models.bi_encoder(tmp_path)
    load_ranker(f"{kind}:{folder}", ["a text"])
    spoil(folder, value)
    with pytest.raises(
        ix.InputError, match=r"1 of [\d,]+ numbers of '.*word_embeddings.*' are NaN or inf"
    ):
        load_ranker(f"{kind}:{folder}", ["a text"])


def test_either_encoder_of_a_pair(tmp_path):
    folders = [tiny_models.dpr(tmp_path / side, side) for side in ("query", "document")]
    spec = "dpr:" + ",".join(map(str, folders))
    load_ranker(spec, ["a text"])
    spoil(folders[1], torch.nan)
    with pytest.raises(ix.InputError, match="are NaN or infinite"):
        load_ranker(spec, ["a text"])


@pytest.mark.parametrize("seed", ["-1", "1e400", "9" * 5_000, "2.5", "nan", str(2**63)])
def test_seeds_that_are_none(tmp_path, capsys, seed):
    with pytest.raises(SystemExit) as ended:
        main(["train", "knrm", "--train", str(tmp_path), "--out", str(tmp_path / "out"), "--seed", seed])
    assert ended.value.code == 2
    assert "a whole number from 0 to 2**63 - 1 expected" in capsys.readouterr().err

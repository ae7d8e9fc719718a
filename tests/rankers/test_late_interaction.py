"""`LateInteractionRanker`: MaxSim by loops, over folders of sentence-transformers and of PyLate."""

import json
import shutil
import string

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import intentx as ix
from intentx.rankers import LateInteractionRanker, RankerSpec
from intentx.rankers.transformers.late_tuning import FineTunedTokens
from tests.later import Later, sentence_transformers, transformers
from tests.tiny_models import SIZES, bi_encoder, save, seeded, word_pieces

token_pooling = Later("sentence_transformers.multi_vector_encoder.modules.token_pooling")

QUERY = "stage piano"
TEXTS = ["a piano on the stage.", "the key of a desk!", "pianos, keys and desks", "x"]
LENGTH = 12  # of expanded queries


@pytest.fixture(scope="module")
def pylate(tmp_path_factory):
    """A folder as PyLate 1 saves it: markers as tokens, and no pooling."""
    folder = tmp_path_factory.mktemp("pylate")
    tokenizer = word_pieces(folder, 24)
    tokenizer.add_tokens(["[Q] ", "[D] "])
    config = transformers.BertConfig(
        **{**SIZES, "vocab_size": len(tokenizer)}, max_position_embeddings=24
    )
    save(seeded(lambda: transformers.BertModel(config)), tokenizer, folder)
    types = ["sentence_transformers.models.Transformer", "pylate.models.Dense.Dense"]
    paths = ["", "1_Dense"]
    listed = [{"idx": i, "name": str(i), "path": paths[i], "type": types[i]} for i in range(2)]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 24, "do_lower_case": false}')
    told = {
        "model_type": "ColBERT", "query_prefix": "[Q] ", "document_prefix": "[D] ",
        "query_length": LENGTH, "document_length": 20, "attend_to_expansion_tokens": False,
        "skiplist_words": [*string.punctuation], "do_query_expansion": True,
        "similarity_fn_name": "MaxSim",
    }  # fmt: skip
    (folder / "config_sentence_transformers.json").write_text(json.dumps(told))
    (folder / "1_Dense").mkdir()
    dense = {"in_features": 12, "out_features": 6, "bias": False}
    dense["activation_function"] = "torch.nn.modules.linear.Identity"
    (folder / "1_Dense" / "config.json").write_text(json.dumps(dense))
    weight = torch.randn(6, 12, generator=torch.Generator().manual_seed(0))
    save_file({"linear.weight": weight}, folder / "1_Dense" / "model.safetensors")
    return folder, weight


@pytest.fixture(scope="module")
def ranker(pylate):
    return RankerSpec.parse(f"late-interaction:{pylate[0]}").load()


def by_hand(pylate, text, query):
    """Vectors as in ColBERT: [CLS], the marker, pieces, [SEP]; masks or no punctuation."""
    folder, weight = pylate
    tokenizer = transformers.BertTokenizer.from_pretrained(folder)
    marker = tokenizer.convert_tokens_to_ids("[Q] " if query else "[D] ")
    pieces = tokenizer(text, add_special_tokens=False)["input_ids"]
    ids = [2, marker, *pieces[: (LENGTH if query else 20) - 3], 3]
    attended = [1] * len(ids)
    if query:
        attended += [0] * (LENGTH - len(ids))
        ids += [4] * (LENGTH - len(ids))
    model = transformers.BertModel.from_pretrained(folder).eval()
    with torch.no_grad():
        found = model(torch.tensor([ids]), attention_mask=torch.tensor([attended])).last_hidden_state[0]
    vectors = torch.nn.functional.normalize(found @ weight.T, dim=1)
    skipped = set(tokenizer.convert_tokens_to_ids([*".,!?:'"]))
    kept = [i for i, piece in enumerate(ids) if query or piece not in skipped]
    return vectors[kept].double().numpy()


def test_maxsim_by_loops_over_a_folder_of_pylate(pylate, ranker):
    own = by_hand(pylate, QUERY, True)
    expected = []
    for text in TEXTS:
        its = by_hand(pylate, text, False)
        expected.append(sum(max(float(q @ d) for d in its) for q in own))
    np.testing.assert_allclose(ranker(QUERY, TEXTS), expected, rtol=1e-5)
    np.testing.assert_allclose(ranker(QUERY, TEXTS[::-1]), expected[::-1], rtol=1e-5)
    assert ranker(QUERY, []).shape == (0,)


def test_vectors_with_their_tokens(pylate, ranker):
    own, its = ranker.query_vectors(QUERY), ranker.document_vectors(TEXTS[0])
    np.testing.assert_allclose(own.vectors, by_hand(pylate, QUERY, True), atol=1e-5)
    np.testing.assert_allclose(its.vectors, by_hand(pylate, TEXTS[0], False), atol=1e-5)
    assert [kind for *_, kind in own.tokens].count("mask") == LENGTH - len(
        own.tokens
    ) + own.tokens.count(("[MASK]", None, None, "mask"))
    assert ("stage", 0, 5, "text") in own.tokens
    words = [one for one in its.tokens if one[3] == "text"]
    assert "".join(text for text, *_ in words) == "apianoonthestage"  # no punctuation
    assert all(TEXTS[0][start:end] == text for text, start, end, _ in words)


def test_matches_add_up(ranker):
    for text in TEXTS:
        found = ranker.token_matches(QUERY, text)
        assert found.way == "maxima"
        assert found.matrix.shape == (len(found.query_tokens), len(found.document_tokens))
        assert found.matrix.sum() == pytest.approx(ranker(QUERY, [text])[0], rel=1e-9)


@pytest.mark.parametrize("stored", ["float32", "float16"])
def test_gradients_and_the_model_as_it_was(pylate, stored):
    ranker = LateInteractionRanker(pylate[0], stored=stored)
    ranker.model.train()
    before = [one.training for one in ranker.model.modules()]
    embedded = ranker.embed(QUERY, TEXTS[0])
    rows = embedded.vectors[None].clone().requires_grad_()
    score = ranker.score_embedded(embedded, rows)
    assert float(score[0].detach()) == pytest.approx(ranker(QUERY, TEXTS[:1])[0], rel=1e-6)
    assert torch.autograd.grad(score.sum(), rows)[0].abs().sum() > 0
    assert [one.training for one in ranker.model.modules()] == before
    assert all(one.grad is None and one.requires_grad for one in ranker.model.parameters())


def test_memory_of_documents(pylate):
    ranker = LateInteractionRanker(pylate[0], stored="float16", remember=3)
    exact = LateInteractionRanker(pylate[0])(QUERY, TEXTS)
    np.testing.assert_allclose(ranker(QUERY, TEXTS), exact, rtol=2e-3)
    kept = list(ranker._documents._kept.values())
    assert len(kept) == 3
    assert {one.dtype for one in kept} == {np.dtype("float16")}
    with torch.no_grad():
        ranker.model[1].linear.weight[:3] = 0
    again = LateInteractionRanker(ranker.model, stored="float16")
    np.testing.assert_array_equal(ranker(QUERY, TEXTS), again(QUERY, TEXTS))
    assert np.abs(ranker(QUERY, TEXTS) - exact).max() > 0.02


def test_a_tuned_one_is_saved_and_read_again(tmp_path):
    _, base = bi_encoder(tmp_path / "base")
    tuned = FineTunedTokens(base, size=5, seed=1, device="cpu")
    again = FineTunedTokens(base, size=5, seed=1, device="cpu")
    scores = tuned(QUERY, TEXTS)
    np.testing.assert_array_equal(scores, again(QUERY, TEXTS))
    np.testing.assert_allclose(tuned.score(QUERY, TEXTS).detach().numpy(), scores, rtol=1e-4)
    tuned.module.save_pretrained(str(tmp_path / "saved"))
    read = LateInteractionRanker(tmp_path / "saved")
    np.testing.assert_allclose(read(QUERY, TEXTS), scores, rtol=1e-5)
    own = read.model.encode_query([QUERY])
    theirs = read.model.similarity(own, read.model.encode_document(TEXTS))[0]
    np.testing.assert_allclose(read(QUERY, TEXTS), theirs.numpy(), rtol=1e-5)
    read.model.similarity_fn_name = "meanmaxsim"
    np.testing.assert_allclose(read(QUERY, TEXTS), scores / len(own[0]), rtol=1e-5)


def test_settings_and_wrong_folders(pylate, tmp_path):
    short = RankerSpec.parse(f"late-interaction:{pylate[0]}#max_length=6&stored=float16").load()
    assert short.seen(QUERY, ["a desk stage piano"]) == ["a desk stage"]
    with pytest.raises(ix.InputError, match="one of float32, float16 expected"):
        RankerSpec.parse(f"late-interaction:{pylate[0]}#stored=int8")
    _, dense = bi_encoder(tmp_path)
    with pytest.raises(ix.InputError, match="load it as bi-encoder:"):
        LateInteractionRanker(dense)
    with pytest.raises(ix.InputError, match="load it as late-interaction:"):
        RankerSpec.parse(f"bi-encoder:{pylate[0]}").load()
    with pytest.raises(ix.InputError, match="load it as late-interaction:PATH"):
        ix.rankers.BiEncoder(sentence_transformers.MultiVectorEncoder(str(pylate[0]), device="cpu"))
    damaged = tmp_path / "damaged"
    shutil.copytree(pylate[0], damaged)
    (damaged / "1_Dense" / "model.safetensors").rename(damaged / "1_Dense" / "pytorch_model.bin")
    with pytest.raises(ix.InputError, match="pickle"):
        LateInteractionRanker(damaged)


def test_vectors_of_merged_tokens_are_no_vectors_of_tokens(tmp_path):
    """A model that pools the tokens of documents cannot say which of them matched."""
    _, base = bi_encoder(tmp_path / "base")
    model = FineTunedTokens(base, size=5, device="cpu").module
    model.append(token_pooling.HierarchicalTokenPooling(pool_factor=2))
    ranker = LateInteractionRanker(model)
    theirs = model.similarity(model.encode_query([QUERY]), model.encode_document(TEXTS))[0]
    np.testing.assert_allclose(ranker(QUERY, TEXTS), theirs.numpy(), rtol=1e-5)
    assert len(ranker.query_vectors(QUERY).tokens) == len(ranker.query_vectors(QUERY).vectors)
    for ask in (ranker.document_vectors, lambda text: ranker.token_matches(QUERY, text)):
        with pytest.raises(
            ix.InputError, match=r"merges .* document's tokens \(HierarchicalTokenPooling"
        ):
            ask(TEXTS[0])
    ranking = ix.rank(ranker, QUERY, TEXTS)
    assert ix.TokenPairs(method="deletion").explain(ranking, 0).way == "deletion"

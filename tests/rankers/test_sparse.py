"""`SparseRanker` against the formula of SPLADE, and models whose queries need no inference."""

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.capabilities import Capabilities
from intentx.evaluation.known import known_intent
from intentx.rankers import RankerSpec, SparseRanker
from tests.later import Later, sentence_transformers, transformers
from tests.tiny_models import SIZES, cross_encoder, save, seeded, word_pieces

base = Later("sentence_transformers.base.modules")
modules = Later("sentence_transformers.sparse_encoder.modules")

QUERY = "stage piano"
TEXTS = ["a piano on the stage", "the key of a desk!", "pianos, keys and desks: pianos", "x"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("splade")
    model = seeded(
        lambda: transformers.BertForMaskedLM(
            transformers.BertConfig(**SIZES, max_position_embeddings=24)
        ),
        4.0,
    )
    return save(model, word_pieces(folder, 24), folder)


@pytest.fixture(scope="module")
def ranker(folder):
    return RankerSpec.parse(f"sparse:{folder}").load()


def by_formula(folder, text):
    """(V,) log(1 + relu(logit)), the highest over the tokens; by transformers itself."""
    model = transformers.BertForMaskedLM.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = model(**word_pieces(folder, 24)(text, truncation=True, return_tensors="pt")).logits[0]
    return torch.log1p(torch.relu(logits)).amax(dim=0).double().numpy()


def test_scores_are_dot_products_of_splade(folder, ranker):
    own = by_formula(folder, QUERY)
    expected = [own @ by_formula(folder, text) for text in TEXTS]
    np.testing.assert_allclose(ranker(QUERY, TEXTS), expected, rtol=1e-5)
    np.testing.assert_allclose(ranker(QUERY, TEXTS[::-1]), expected[::-1], rtol=1e-5)
    assert ranker(QUERY, []).shape == (0,)


def test_it_says_what_it_looks_for(folder, ranker):
    own = by_formula(folder, "stage pianos")
    found = ranker.term_weights("stage pianos")
    ids = word_pieces(folder, 24).get_vocab()
    single = {term: own[ids[term]] for term in found if term != "pianos"}
    assert found == pytest.approx({"pianos": max(own[ids["piano"]], own[ids["##s"]])} | single)
    assert not any(term.startswith(("[", "#")) for term in found)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    ranking = ix.rank(ranker, QUERY, TEXTS)
    assert Capabilities.of(ranker).term_weights(QUERY) == ranker.term_weights(QUERY)
    assert known_intent(ranking) is not None


def test_matches_add_up_at_the_tokens_they_were_read_off(ranker):
    found = ranker.token_matches(QUERY, TEXTS[2])
    assert np.sum(found.matrix) == pytest.approx(ranker(QUERY, TEXTS[2:3])[0], rel=1e-6)
    assert found.way == "products"
    rows = {name: (start, end) for name, start, end, kind in found.query_tokens if kind == "text"}
    assert {QUERY[slice(*span)] for span in rows.values()} <= {"stage", "piano"}
    assert {kind for *_, kind in found.query_tokens} <= {"text", "expansion"}
    for text, start, end, kind in found.document_tokens:
        assert kind == "special" or TEXTS[2][start:end] == text
    assert (np.count_nonzero(found.matrix, axis=1) <= 1).all()


def test_gradients_and_the_model_as_it_was(ranker):
    ranker.model.train()
    before = [one.training for one in ranker.model.modules()]
    embedded = ranker.embed(QUERY, TEXTS[0])
    rows = embedded.vectors[None].clone().requires_grad_()
    [score] = ranker.score_embedded(embedded, rows)
    assert float(score.detach()) == pytest.approx(ranker(QUERY, TEXTS[:1])[0], rel=1e-5)
    [gradient] = torch.autograd.grad(score, rows)
    place = np.unravel_index(int(gradient.abs().argmax()), gradient.shape)
    moved = []
    for step in (-1e-3, 1e-3):
        other = rows.detach().clone()
        other[place] += step
        moved.append(float(ranker.score_embedded(embedded, other)[0]))
    assert (moved[1] - moved[0]) / 2e-3 == pytest.approx(float(gradient[place]), rel=0.05)
    assert [one.training for one in ranker.model.modules()] == before
    assert all(one.grad is None and one.requires_grad for one in ranker.model.parameters())
    ranker.model.eval()


def test_vectors_are_few_bytes_and_forgotten_after_a_change(folder):
    ranker = SparseRanker(folder, remember=2)
    first = ranker(QUERY, TEXTS)
    kept = list(ranker._documents._kept.values())
    assert len(kept) == 2
    assert all(one.nbytes == 8 * len(one) for one in kept)
    mark = ranker.fingerprint
    with torch.no_grad():
        ranker.model.transformers_model.cls.predictions.bias += 0.5
    assert ranker.fingerprint != mark
    assert not np.allclose(ranker(QUERY, TEXTS), first)


def test_queries_without_inference(folder, tmp_path):
    tokenizer = word_pieces(tmp_path / "words", 24)
    table = torch.linspace(0.1, 2.0, len(tokenizer))
    reader = modules.MLMTransformer(str(folder))
    router = base.Router.for_query_document(
        query_modules=[modules.SparseStaticEmbedding(tokenizer, weight=table)],
        document_modules=[reader, modules.SpladePooling("max")],
    )
    model = sentence_transformers.SparseEncoder(modules=[router], device="cpu", similarity_fn_name="dot")
    model.save_pretrained(str(tmp_path / "saved"))
    ranker = RankerSpec.parse(f"sparse:{tmp_path / 'saved'}").load()
    ids = tokenizer.convert_tokens_to_ids(["stage", "piano"])
    expected = [sum(float(table[i]) * by_formula(folder, text)[i] for i in ids) for text in TEXTS]
    np.testing.assert_allclose(ranker(QUERY, TEXTS), expected, rtol=1e-5)
    assert ranker.term_weights(QUERY) == pytest.approx(
        {"stage": float(table[ids[0]]), "piano": float(table[ids[1]])}
    )
    embedded = ranker.embed(QUERY, TEXTS[0])
    assert float(ranker.score_embedded(embedded, embedded.vectors[None])[0]) == pytest.approx(
        expected[0], rel=1e-5
    )


def test_settings_and_wrong_folders(folder, tmp_path):
    short = RankerSpec.parse(f"sparse:{folder}#max_length=6&document_prompt=key:%20").load()
    assert short.seen(QUERY, ["a desk on the stage"]) == ["a desk"]
    with pytest.raises(ix.InputError, match="max_length must be 24 or less"):
        SparseRanker(folder, max_length=25)
    with pytest.raises(ix.InputError, match="max_length is for a model given by name"):
        SparseRanker(short.model, max_length=8)
    other = cross_encoder(tmp_path / "cross")
    with pytest.raises(ix.InputError, match="load it as cross-encoder:"):
        SparseRanker(other)
    with pytest.raises(ix.InputError, match="load it as sparse:"):
        RankerSpec.parse(f"late-interaction:{folder}").load()
    with pytest.raises(ix.InputError, match="there are 'batch_size', 'device'"):
        RankerSpec.parse(f"sparse:{folder}#lenght=6")  # codespell:ignore lenght

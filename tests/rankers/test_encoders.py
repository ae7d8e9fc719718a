import numpy as np
import pytest
import torch

import intentx as ix
from intentx.capabilities import Differentiable
from intentx.rankers import DPR, BiEncoder, load_ranker
from tests import tiny_models
from tests.later import sentence_transformers, transformers
from tests.rankers.guests import found_as_it_was, gradients_by_differences

QUERY = "piano key"
TEXTS = ["a stage piano", "pianos, and a key!", "desk", "", "a key. a desk.", "stage stage stage stage"]


@pytest.fixture(scope="module")
def minilm():
    return BiEncoder.minilm()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.bi_encoder(tmp_path_factory.mktemp("models"))[1]


@pytest.fixture(scope="module")
def tiny(folder):
    return BiEncoder(folder)


@pytest.fixture(scope="module")
def towers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("towers")
    return [tiny_models.dpr(folder / side, side) for side in ("query", "document")]


@pytest.fixture(scope="module")
def dpr(towers):
    return DPR(*towers)


class Rows:
    """Texts that go through a model's embedding layer, as long as this is open."""

    def __init__(self, model):
        self.layer, self.rows = model.transformers_model.get_input_embeddings(), 0

    def __enter__(self):
        self.handle = self.layer.register_forward_hook(self.count)
        return self

    def count(self, module, args, output):
        self.rows += len(output)

    def __exit__(self, *error):
        self.handle.remove()


def test_scores_are_cosines_of_the_vectors(minilm):
    texts = ["A stage piano.", "A mechanical keyboard for typing.", "Soup."]
    query, *vectors = minilm.model.encode(["piano keys", *texts])
    cosines = [v @ query / np.linalg.norm(v) / np.linalg.norm(query) for v in vectors]
    np.testing.assert_allclose(minilm("piano keys", texts), cosines, atol=1e-5)
    assert np.argmax(cosines) == 0


@pytest.mark.parametrize("name", ["tiny", "dpr"])
def test_pairs_have_the_scores_of_their_queries(name, request):
    ranker = request.getfixturevalue(name)
    queries = ["piano", "stage desk", "key", "piano", "desk", "z"]
    alone = [ranker(query, [text])[0] for query, text in zip(queries, TEXTS, strict=True)]
    assert ranker.score_pairs(queries, TEXTS) == pytest.approx(alone, rel=1e-4)
    assert ranker.score_pairs([], []).shape == (0,)
    with pytest.raises(ix.InputError, match="at least one character"):
        ranker.score_pairs([" "], ["a"])


def test_cosine_and_dot_product(tiny):
    query, *vectors = tiny.model.encode([QUERY, *TEXTS])
    dots = [v @ query for v in vectors]
    cosines = [v @ query / np.linalg.norm(v) / np.linalg.norm(query) for v in vectors]
    np.testing.assert_allclose(BiEncoder(tiny.model, similarity="dot")(QUERY, TEXTS), dots, rtol=1e-5)
    np.testing.assert_allclose(tiny(QUERY, TEXTS), cosines, atol=1e-6)
    assert np.ptp(cosines) > 0.01
    assert tiny(QUERY, []).shape == (0,)


def test_the_similarity_that_a_model_is_made_for(tmp_path, tiny):
    model, folder = tiny_models.bi_encoder(tmp_path, similarity_fn_name="dot")
    expected = BiEncoder(model, similarity="dot")(QUERY, TEXTS)
    np.testing.assert_allclose(BiEncoder(folder)(QUERY, TEXTS), expected, rtol=1e-5)
    assert (tiny.similarity, BiEncoder(folder).similarity) == ("cosine", "dot")
    model.similarity_fn_name = "euclidean"
    with pytest.raises(ix.InputError, match=r"'cosine', 'dot'.*not 'euclidean'"):
        BiEncoder(model)


@pytest.mark.parametrize(
    "settings",
    [
        {"prompts": {"query": "q: ", "document": "desk: "}},
        {"prompts": {"query": "q: ", "passage": "desk: "}},
        {"prompts": {"any": "desk "}, "default_prompt_name": "any"},
    ],
)
def test_prompts_and_shortened_vectors(tmp_path, settings):
    model, _ = tiny_models.bi_encoder(tmp_path, truncate_dim=5, **settings)
    ranker = BiEncoder(model, similarity="dot")
    query, vectors = model.encode_query(QUERY), model.encode_document(TEXTS)
    assert vectors.shape == (len(TEXTS), 5)
    np.testing.assert_allclose(ranker(QUERY, TEXTS), vectors @ query, rtol=1e-5)
    embedded = ranker.embed(QUERY, TEXTS[1])
    assert embedded.pieces == ("piano", "##s", ",", "a", "##n", "##d", "a", "key", "!")
    assert embedded.words.tolist() == [0, 0, 1, 2, 2, 2, 3, 4, 5]
    assert [embedded.text[start:end] for start, end in embedded.spans[:3]] == ["piano", "s", ","]
    score = ranker.score_embedded(embedded, embedded.vectors[None])
    np.testing.assert_allclose(score, ranker(QUERY, TEXTS[1:2]), rtol=1e-5)
    [part] = ranker.seen(QUERY, ["piano " * 30])
    assert ranker(QUERY, [part])[0] == pytest.approx(ranker(QUERY, ["piano " * 30])[0], rel=1e-5)
    assert 19 <= len(part.split()) <= 22


def test_dpr_checkpoints_load_as_they_are(towers, dpr):
    tokenizer = transformers.AutoTokenizer.from_pretrained(towers[0])
    vectors = []
    for kind, path, texts in zip(
        (transformers.DPRQuestionEncoder, transformers.DPRContextEncoder),
        towers,
        ([QUERY], [*TEXTS, "key " * 50]),
        strict=True,
    ):
        model = kind.from_pretrained(path).eval()
        read = [tokenizer([t], truncation=True, max_length=24, return_tensors="pt") for t in texts]
        with torch.no_grad():
            vectors.append(np.stack([model(**one).pooler_output[0].numpy() for one in read]))
    (query,), documents = vectors
    assert documents.shape == (len(TEXTS) + 1, 7)
    scores = dpr(QUERY, [*TEXTS, "key " * 50])
    np.testing.assert_allclose(scores, documents @ query, rtol=1e-4)
    assert np.ptp(scores) > 0.01
    cosine = DPR(*towers, similarity="cosine")(QUERY, TEXTS)
    norms = np.linalg.norm(documents[:-1], axis=1) * np.linalg.norm(query)
    np.testing.assert_allclose(cosine, scores[:-1] / norms, rtol=1e-4)


def test_two_towers_of_sentence_transformers(folder, tmp_path, tiny):
    assert DPR(folder, folder)(QUERY, TEXTS) == pytest.approx(tiny(QUERY, TEXTS))
    assert DPR(tiny.model, folder).similarity == "cosine"
    with pytest.raises(ix.InputError, match="7 numbers and the document encoder of 12"):
        DPR(tiny_models.dpr(tmp_path / "query", "query"), folder)


def test_vectors_are_those_of_the_scores(tiny, dpr):
    for ranker in (tiny, BiEncoder(tiny.model, similarity="dot"), dpr):
        queries = [QUERY, "desk"]
        scores = ranker.vectors(queries, "query") @ ranker.vectors(TEXTS).T
        expected = [ranker(query, TEXTS) for query in queries]
        np.testing.assert_allclose(scores, expected, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(tiny.vectors(TEXTS), axis=1), 1)


def test_another_query_encodes_the_query_alone(towers, folder):
    texts = [*TEXTS, *TEXTS[:2]]
    for ranker in (DPR(*towers), BiEncoder(folder)):
        query_model, document_model = ranker.query_model, ranker.document_model
        with Rows(document_model) as documents, Rows(query_model) as queries:
            first = ranker("key", texts)
            distinct = documents.rows
            ranker("desk", texts)
            again = ranker("key", texts)
        one_model = query_model is document_model
        assert distinct == len(TEXTS) + one_model
        assert documents.rows == len(TEXTS) + 2 * one_model
        assert queries.rows == 2 + one_model * len(TEXTS)
        np.testing.assert_array_equal(first, again)
        np.testing.assert_array_equal(first[:2], first[-2:])


def test_memory_has_the_stated_limit(towers):
    ranker = DPR(*towers, remember=3)
    expected = DPR(*towers, remember=0)
    with Rows(ranker.document_model) as documents:
        ranker(QUERY, TEXTS[:3])
        ranker(QUERY, TEXTS[:1])  # the first is now the latest used, and the second the oldest
        ranker(QUERY, TEXTS[3:4])
        assert documents.rows == 4
        ranker(QUERY, [TEXTS[0], TEXTS[2], TEXTS[3]])
        assert documents.rows == 4
        ranker(QUERY, TEXTS[1:2])
        assert documents.rows == 5
        scores = ranker(QUERY, TEXTS)  # more than are remembered
    np.testing.assert_allclose(scores, expected(QUERY, TEXTS), rtol=1e-5)
    with Rows(expected.document_model) as documents:
        expected(QUERY, TEXTS)
        expected(QUERY, TEXTS)
    assert documents.rows == 2 * len(TEXTS)
    with pytest.raises(ix.InputError, match="remember must be 0 or more, not -1"):
        DPR(*towers, remember=-1)


def test_batches_are_of_like_length(folder):
    texts = ["key " * n + "." for n in (1, 9, 3, 7, 2, 8, 4, 6, 5)]
    ranker = BiEncoder(folder, batch_size=4)
    shapes = []
    hook = ranker.module.transformers_model.get_input_embeddings().register_forward_hook(
        lambda module, args, output: shapes.append(tuple(output.shape[:2]))
    )
    ranker("key", texts)
    hook.remove()
    assert shapes == [(4, 9 + 3), (4, 5 + 3), (1, 1 + 3), (1, 1 + 2)]


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("text", [*TEXTS, "piano key " * 20])
def test_the_scores_of_embedded_texts_are_the_scores(tiny, dpr, text, similarity):
    for ranker in (
        BiEncoder(tiny.model, similarity=similarity),
        DPR(dpr.query_model, dpr.document_model, similarity=similarity),
    ):
        assert isinstance(ranker, Differentiable)
        embedded = ranker.embed(QUERY, text)
        own = ranker(QUERY, [text])
        scores = ranker.score_embedded(embedded, embedded.vectors[None])
        np.testing.assert_allclose(scores, own, atol=1e-5)
        if len(embedded.pieces):
            versions = torch.stack([torch.zeros_like(embedded.vectors), embedded.vectors])
            scores = ranker.score_embedded(embedded, versions)
            assert scores.shape == (2,)
            assert scores[1] == pytest.approx(own[0], abs=1e-5)
            assert abs(scores[0] - scores[1]) > 1e-4


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_gradients_are_those_of_finite_differences(tmp_path, towers, similarity):
    model, _ = tiny_models.bi_encoder(tmp_path)
    ranker = BiEncoder(model.double(), similarity=similarity)
    gradients_by_differences(ranker, QUERY, "a pianos key")
    loaded = DPR(*towers)
    two = (loaded.query_model.double(), loaded.document_model.double())
    gradients_by_differences(DPR(*two, similarity=similarity), QUERY, "a pianos key")


def test_minilm_is_differentiable(minilm):
    embedded = minilm.embed("piano keys", "A stage piano, unaffable as ever.")
    assert embedded.words.tolist() == [0, 1, 2, 3, 4, 4, 4, 5, 6, 7]
    vectors = embedded.vectors[None].clone().requires_grad_()
    score = minilm.score_embedded(embedded, vectors)
    np.testing.assert_allclose(score.detach(), minilm("piano keys", [embedded.text]), atol=1e-5)
    [gradient] = torch.autograd.grad(score.sum(), vectors)
    step = 0.01 * gradient / gradient.norm()
    up, down = (minilm.score_embedded(embedded, vectors + sign * step).item() for sign in (1, -1))
    assert (up - down) / 0.02 == pytest.approx(gradient.norm().item(), rel=0.02)


def test_hooks_see_the_document_last_and_alone(folder):
    ranker = BiEncoder(folder)
    embedded = ranker.embed(QUERY, TEXTS[0])
    seen = []
    layer = ranker.module.transformers_model.encoder.layer[0]
    hook = layer.register_forward_hook(lambda module, args, output: seen.append(output))
    vectors = embedded.vectors[None].repeat(3, 1, 1).requires_grad_()
    ranker.score_embedded(embedded, vectors).sum().backward()
    hook.remove()
    [output] = seen
    output = output if isinstance(output, torch.Tensor) else output[0]
    assert output.shape == (3, 2 + len(embedded.pieces), 12)
    assert vectors.grad.abs().sum() > 0
    with pytest.raises(ix.InputError, match=r"shape \(B, 3, 12\).*not \(3, 2, 12\)"):
        ranker.score_embedded(embedded, vectors[:, :2])


def test_the_models_are_left_as_they_were(folder, towers):
    one = BiEncoder(sentence_transformers.SentenceTransformer(str(folder)))
    loaded = DPR(*towers)
    for ranker in (one, loaded):
        with found_as_it_was(ranker.query_model), found_as_it_was(ranker.document_model):
            ix.rank(ranker, QUERY, [text or "some" for text in TEXTS], truncated="cut")
            embedded = ranker.embed(QUERY, TEXTS[0])
            vectors = embedded.vectors[None].clone().requires_grad_()
            torch.autograd.grad(ranker.score_embedded(embedded, vectors).sum(), vectors)


@pytest.mark.parametrize("precision", ["float16", "bfloat16", "float32"])
def test_precision(folder, towers, precision):
    for kind, names in ((BiEncoder, [folder]), (DPR, towers)):
        other = kind(*names, precision=precision, device="cpu", similarity="cosine")
        exact = kind(*names, similarity="cosine")
        assert other.query_model.dtype == other.document_model.dtype == getattr(torch, precision)
        np.testing.assert_allclose(other(QUERY, TEXTS), exact(QUERY, TEXTS), atol=0.03)
        embedded = other.embed(QUERY, TEXTS[0])
        score = other.score_embedded(embedded, embedded.vectors[None].float())
        np.testing.assert_allclose(score, other(QUERY, TEXTS[:1]), atol=1e-5)
        assert (other.fingerprint == exact.fingerprint) == (precision == "float32")


def test_fingerprints_are_weights_and_settings(folder, towers):
    model = sentence_transformers.SentenceTransformer(str(folder))
    reference = BiEncoder(folder).fingerprint
    assert BiEncoder(model, batch_size=7, remember=2).fingerprint == reference
    assert BiEncoder(model, similarity="dot").fingerprint != reference
    with torch.no_grad():
        model.state_dict()["0.model.pooler.dense.weight"][0, 0] += 1
        assert BiEncoder(model).fingerprint == reference, "BERT's own pooler is idle"
        next(model.parameters())[3, 2] += 1e-4
    assert BiEncoder(model).fingerprint != reference
    assert DPR(*towers).fingerprint == DPR(*towers).fingerprint
    query, document = (DPR(*towers).query_model, DPR(*towers).document_model)
    assert DPR(document, query).fingerprint != DPR(query, document).fingerprint


def test_by_name(folder, towers):
    assert load_ranker(f"bi-encoder:{folder}", [])(QUERY, TEXTS).shape == (len(TEXTS),)
    scores = load_ranker(f"dpr:{towers[0]},{towers[1]}", [])(QUERY, TEXTS)
    np.testing.assert_allclose(scores, DPR(*towers)(QUERY, TEXTS))
    for spec in ("dpr", f"dpr:{towers[0]}", f"dpr:{towers[0]},", "dpr:a,b,c"):
        with pytest.raises(ix.InputError, match="QUERY_ENCODER,DOC_ENCODER"):
            load_ranker(spec, [])


def test_the_wrong_architecture(towers, tmp_path):
    query, document = towers
    with pytest.raises(ix.InputError, match="holds a DPRContextEncoder, and the query encoder must be"):
        DPR(document, query)
    with pytest.raises(ix.InputError, match="one of DPR's two encoders"):
        BiEncoder(query)
    with pytest.raises(ix.InputError, match="holds a cross-encoder"):
        BiEncoder(tiny_models.cross_encoder(tmp_path / "cross"))
    with pytest.raises(ix.InputError, match="holds a cross-encoder"):
        DPR(query, tmp_path / "cross")


def test_unknown_models_and_settings(tmp_path, minilm, towers):
    with pytest.raises(ix.InputError, match="there is no such folder"):
        BiEncoder(tmp_path / "nothing here")
    with pytest.raises(ix.InputError, match="there is no such folder"):
        DPR(towers[0], tmp_path / "nothing here")
    with pytest.raises(ix.InputError, match="cosine"):
        BiEncoder(minilm.model, similarity="euclid")
    with pytest.raises(ix.InputError, match="batch_size"):
        BiEncoder(minilm.model, batch_size=0)
    with pytest.raises(ix.InputError, match="given by name"):
        BiEncoder(minilm.model, device="cpu")
    with pytest.raises(ix.InputError, match="no device"):
        DPR(*towers, device="nowhere")
    with pytest.raises(ix.InputError, match="precision"):
        DPR(*towers, precision="half")


def test_bad_input(tiny, dpr):
    for ranker in (tiny, dpr):
        with pytest.raises(ix.InputError, match="query must be a text"):
            ranker(" ", TEXTS)
        with pytest.raises(ix.InputError, match="sequence of texts"):
            ranker(QUERY, "one text")
        with pytest.raises(ix.InputError, match="text 1 must be a string, not float"):
            ranker(QUERY, ["a", 0.5])
        assert np.isfinite(ranker(QUERY, [""])).all()

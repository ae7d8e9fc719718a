from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

import intentx as ix
from intentx.capabilities import Differentiable
from intentx.datasets import load_demo
from intentx.rankers import CrossEncoder, load_ranker
from intentx.rankers.transformers.word_pieces import Window
from tests import tiny_models
from tests.later import sentence_transformers, transformers
from tests.rankers.guests import found_as_it_was, gradients_by_differences

QUERY = "piano key"
TEXTS = ["a stage piano", "pianos, and a key!", "desk", "", "a key. a desk.", "stage stage stage stage"]
TRAINED = Path(__file__).parents[3] / "shared" / "models" / "cross-encoder-minilm"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.cross_encoder(tmp_path_factory.mktemp("models") / "cross")


@pytest.fixture(scope="module")
def ranker(folder):
    return CrossEncoder(folder)


@pytest.fixture(scope="module")
def trained():
    if not TRAINED.is_dir():
        pytest.skip(f"no trained cross-encoder at {TRAINED}")
    return CrossEncoder(TRAINED)


def logits_one_by_one(folder, query, texts):
    """Each pair by itself through transformers: no batch, no padding."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    longest = model.config.max_position_embeddings
    found = []
    for text in texts:
        pair = tokenizer([query], [text], truncation=True, max_length=longest, return_tensors="pt")
        with torch.no_grad():
            found.append(model(**pair).logits.item())
    return np.array(found)


def test_scores_are_what_the_model_predicts(folder, ranker):
    model = sentence_transformers.CrossEncoder(str(folder))
    texts = [*TEXTS, "piano " * 40]
    expected = logits_one_by_one(folder, QUERY, texts)
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(ranker(QUERY, texts), expected, atol=1e-5)
    squashed = CrossEncoder(model, raw=False)
    np.testing.assert_allclose(squashed(QUERY, texts), 1 / (1 + np.exp(-expected)), atol=1e-5)
    predicted = model.predict([(QUERY, text) for text in texts], show_progress_bar=False)
    np.testing.assert_allclose(squashed(QUERY, texts), predicted, atol=1e-6)
    name, values = ranker.activated(ranker(QUERY, texts))
    assert name == "sigmoid"
    np.testing.assert_allclose(values, predicted, atol=1e-6)
    assert squashed.activated(predicted) is None
    assert ranker(QUERY, []).shape == (0,)


def test_pairs_have_the_scores_of_their_queries(ranker):
    queries, texts = (
        ["piano", "stage desk", "key", "piano"],
        ["a key", "pianos, and a stage", "desk", "z"],
    )
    alone = [ranker(query, [text])[0] for query, text in zip(queries, texts, strict=True)]
    assert ranker.score_pairs(queries, texts) == pytest.approx(alone, rel=1e-5)
    assert len(set(alone)) == 4
    assert ranker.score_pairs([], []).shape == (0,)
    with pytest.raises(ix.InputError, match="at least one character"):
        ranker.score_pairs([" "], ["a"])


def test_batches_are_of_like_length(folder):
    texts = ["key " * n + "." for n in (1, 9, 3, 7, 2, 8, 4, 6, 5)]
    ranker = CrossEncoder(folder, batch_size=4)
    shapes = []
    hook = ranker.module.transformers_model.get_input_embeddings().register_forward_hook(
        lambda module, args, output: shapes.append(tuple(output.shape[:2]))
    )
    scores = ranker("key", texts)
    hook.remove()
    # [CLS] key [SEP] key … . [SEP]
    assert shapes == [(4, 9 + 5), (4, 5 + 5), (1, 1 + 5)]
    np.testing.assert_allclose(scores, [ranker("key", [text])[0] for text in texts], atol=1e-6)


@pytest.mark.slow
def test_the_trained_one(trained):
    demo = load_demo("jaguar speed")
    texts = [document.content for document in demo.documents]
    expected = logits_one_by_one(TRAINED, demo.query, texts)
    np.testing.assert_allclose(
        CrossEncoder(trained.model, raw=True)(demo.query, texts), expected, atol=1e-4
    )
    ranking = ix.rank(trained, demo.query, demo.documents[::2])
    explanation = ix.Multiplex(budget=20).explain(ranking)
    assert explanation.fidelity.all > max(0.7, ix.RandomTerms().explain(ranking).fidelity.all)


def test_word_pieces_belong_to_words(ranker):
    embedded = ranker.embed(QUERY, "A pianos' key!")
    assert embedded.pieces == ("a", "piano", "##s", "'", "key", "!")
    assert embedded.words.tolist() == [0, 1, 1, 2, 3, 4]
    assert [embedded.text[start:end] for start, end in embedded.spans] == [
        "A",
        "piano",
        "s",
        "'",
        "key",
        "!",
    ]
    table = ranker.model.transformers_model.get_input_embeddings().weight
    ids = [tiny_models.VOCABULARY.index(piece) for piece in embedded.pieces]
    assert torch.equal(embedded.vectors, table[ids])
    assert not embedded.vectors.requires_grad


def test_pieces_with_blanks(tmp_path):
    ranker = CrossEncoder(tiny_models.bpe_cross_encoder(tmp_path / "bpe"))
    embedded = ranker.embed(QUERY, " Pia piano ☂")
    assert embedded.pieces[-3:] == ("â", "ĺ", "Ĥ"), "three bytes of one character"
    assert [embedded.text[start:end] for start, end in embedded.spans] == [
        *["", "P", "i", "a", "", "pia", "no", "", "☂", "☂", "☂"]
    ]
    assert embedded.words.tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
    assert isinstance(ranker, Differentiable)


def test_a_vocabulary_whose_pieces_begin_with_a_blank():
    scores = {"<unk>": 0.0, "▁": -2.0, "▁piano": -1.0, "s": -2.0, "▁key": -1.0, "a": -3.0}
    tokenizer = Tokenizer(models.Unigram(list(scores.items()), unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    text = "pianos key  a"
    _, [reading] = Window(lambda texts: fast(texts), fast).read([text])
    assert reading.pieces == ("▁piano", "s", "▁key", "▁", "▁", "a")
    assert [text[start:end] for start, end in reading.spans] == ["piano", "s", "key", "", "", "a"]
    assert reading.words.tolist() == [0, 0, 1, 2, 3, 3]


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("text", [*TEXTS, "piano key " * 20])
def test_the_scores_of_embedded_texts_are_the_scores(folder, text, raw):
    ranker = CrossEncoder(folder, raw=raw)
    embedded = ranker.embed(QUERY, text)
    own = ranker(QUERY, [text])
    scores = ranker.score_embedded(embedded, embedded.vectors[None])
    np.testing.assert_allclose(scores, own, atol=1e-5)
    if not len(embedded.pieces):
        return
    versions = torch.stack([embedded.vectors, torch.zeros_like(embedded.vectors), 2 * embedded.vectors])
    scores = ranker.score_embedded(embedded, versions)
    assert scores.shape == (3,)
    assert scores[0] == pytest.approx(own[0], abs=1e-5)
    assert scores.detach().numpy().std() > 1e-4


def test_gradients_are_those_of_finite_differences(folder):
    for raw in (False, True):
        model = sentence_transformers.CrossEncoder(str(folder)).double()
        gradients_by_differences(CrossEncoder(model, raw=raw), QUERY, "a pianos key")


def test_gradients_of_the_trained_one(trained):
    embedded = trained.embed("piano keys", "A stage piano, unaffable as ever.")
    vectors = embedded.vectors[None].clone().requires_grad_()
    score = trained.score_embedded(embedded, vectors)
    np.testing.assert_allclose(score.detach(), trained("piano keys", [embedded.text]), atol=1e-5)
    [gradient] = torch.autograd.grad(score.sum(), vectors)
    step = 0.01 * gradient / gradient.norm()
    up, down = (trained.score_embedded(embedded, vectors + sign * step).item() for sign in (1, -1))
    assert (up - down) / 0.02 == pytest.approx(gradient.norm().item(), rel=0.02)


def test_the_model_is_left_as_it_was(folder):
    model = sentence_transformers.CrossEncoder(str(folder))
    ranker = CrossEncoder(model)
    with found_as_it_was(model):
        ix.rank(ranker, QUERY, [text or "some" for text in TEXTS], truncated="cut")
        embedded = ranker.embed(QUERY, TEXTS[0])
        vectors = embedded.vectors[None].clone().requires_grad_()
        torch.autograd.grad(ranker.score_embedded(embedded, vectors).sum(), vectors)
        with pytest.raises(ix.InputError, match="must have shape"):
            ranker.score_embedded(embedded, vectors[0])


def test_a_hook_sees_the_document(ranker):
    seen = []
    layer = ranker.module.transformers_model.bert.encoder.layer[1]
    hook = layer.register_forward_hook(lambda module, args, output: seen.append(output))
    embedded = ranker.embed(QUERY, TEXTS[0])
    vectors = embedded.vectors[None].repeat(2, 1, 1).requires_grad_()
    ranker.score_embedded(embedded, vectors).sum().backward()
    hook.remove()
    [output] = seen
    output = output if isinstance(output, torch.Tensor) else output[0]
    assert output.shape == (2, 3 + 2 + len(embedded.pieces), 12)
    assert output.requires_grad
    assert vectors.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in ranker.model.parameters())


@pytest.mark.parametrize("precision", ["float16", "bfloat16", "float32"])
def test_precision(folder, ranker, precision):
    other = CrossEncoder(folder, precision=precision, device="cpu")
    assert other.model.dtype == getattr(torch, precision)
    np.testing.assert_allclose(other(QUERY, TEXTS), ranker(QUERY, TEXTS), atol=0.03)
    embedded = other.embed(QUERY, TEXTS[0])
    scores = other.score_embedded(embedded, embedded.vectors[None].float())
    np.testing.assert_allclose(scores, other(QUERY, TEXTS[:1]), atol=1e-5)
    assert (other.fingerprint == ranker.fingerprint) == (precision == "float32")


def test_the_fingerprint_is_weights_and_settings(folder, ranker):
    model = sentence_transformers.CrossEncoder(str(folder))
    assert CrossEncoder(model, batch_size=7).fingerprint == ranker.fingerprint
    assert CrossEncoder(model, raw=False).fingerprint != ranker.fingerprint
    CrossEncoder(model)(QUERY, ["a text", "and a much longer text"])
    assert CrossEncoder(model).fingerprint == ranker.fingerprint, (
        "padding of the last call is no setting"
    )
    model.max_seq_length = 9
    assert CrossEncoder(model).fingerprint != ranker.fingerprint
    with torch.no_grad():
        next(model.parameters())[3, 2] += 1e-4
    model.max_seq_length = 24
    assert CrossEncoder(model).fingerprint != ranker.fingerprint


def test_by_name(folder):
    assert load_ranker(f"cross-encoder:{folder}", [])(QUERY, TEXTS).shape == (len(TEXTS),)
    with pytest.raises(ix.InputError, match="cross-encoder:NAME_OR_PATH"):
        load_ranker("cross-encoder", [])


def test_several_labels_are_no_ranker(tmp_path):
    folder = tiny_models.cross_encoder(tmp_path / "three", labels=3)
    with pytest.raises(ix.InputError, match="3 labels: LABEL_0, LABEL_1, LABEL_2"):
        CrossEncoder(folder)


def test_models_of_another_kind_get_no_random_head(tmp_path):
    _, folder = tiny_models.bi_encoder(tmp_path)
    for other in (folder, tmp_path / "bert"):
        state = torch.random.get_rng_state()
        with pytest.raises(ix.InputError, match=r"\(BertModel\); random weights would take the place"):
            CrossEncoder(other)
        assert torch.equal(state, torch.random.get_rng_state())
    with pytest.raises(ix.InputError, match="cannot be loaded as cross-encoder"):
        CrossEncoder(tiny_models.dpr(tmp_path / "dpr", "query"))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_damaged_folders(tmp_path, name):
    folder = tiny_models.cross_encoder(tmp_path / "cross")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ix.InputError, match="no cross-encoder"):
        CrossEncoder(folder)
    (folder / name).unlink()
    with pytest.raises(ix.InputError, match="no cross-encoder"):
        CrossEncoder(folder)


def test_a_folder_without_its_tokenizer(tmp_path):
    folder = tiny_models.cross_encoder(tmp_path / "cross")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(ix.InputError, match=r"knows 5 pieces and its model 68: are .* files missing"):
        CrossEncoder(folder)


def test_pickles_are_not_read(tmp_path):
    folder = tiny_models.cross_encoder(tmp_path / "cross")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    CrossEncoder(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ix.InputError, match="is a pickle"):
        CrossEncoder(folder)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"device": "nowhere"}, "no device 'nowhere'"),
        ({"device": "meta"}, "cannot run on meta"),
        ({"precision": "float8"}, "precision must be one of .*'float16'"),
        ({"batch_size": 0}, "batch_size must be 1 or more, not 0"),
    ],
)
def test_settings_that_cannot_be(folder, settings, message):
    with pytest.raises(ix.InputError, match=message):
        CrossEncoder(folder, **settings)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has CUDA")
def test_no_such_device_here(folder):
    with pytest.raises(ix.InputError, match="no device 'cuda'"):
        CrossEncoder(folder, device="cuda")


def test_a_loaded_model_is_not_moved(ranker):
    for settings in ({"device": "cpu"}, {"precision": "float32"}):
        with pytest.raises(ix.InputError, match="given by name"):
            CrossEncoder(ranker.model, **settings)


def test_bad_input(ranker, tmp_path):
    for query in ("", " ", None):
        with pytest.raises(ix.InputError, match="query must be a text"):
            ranker(query, TEXTS)
    with pytest.raises(ix.InputError, match="sequence of texts"):
        ranker(QUERY, "one text")
    with pytest.raises(ix.InputError, match="text 1 must be a string, not int"):
        ranker(QUERY, ["a", 1])
    with pytest.raises(ix.InputError, match="there is no such folder"):
        CrossEncoder(tmp_path / "nothing here")
    assert np.isfinite(ranker(QUERY, [""])).all()

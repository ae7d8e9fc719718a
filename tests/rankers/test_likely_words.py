"""`CausalLMRanker` and `Seq2SeqRanker` against transformers itself."""

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.rankers import CausalLMRanker, RankerSpec, Seq2SeqRanker
from tests.language_models import causal_lm, seq2seq
from tests.later import transformers
from tests.tiny_models import cross_encoder

QUERY = "stage piano"
TEXTS = ["a loud piano", "a desk", "the keyboard on stage: a review of pianos, and more of it", "x", ""]


@pytest.fixture(scope="module")
def causal(tmp_path_factory):
    return causal_lm(tmp_path_factory.mktemp("causal"))


@pytest.fixture(scope="module")
def t5(tmp_path_factory):
    return seq2seq(tmp_path_factory.mktemp("t5"))


@pytest.fixture(scope="module")
def rankers(causal, t5):
    return {
        "causal-lm": RankerSpec.parse(f"causal-lm:{causal}#batch_size=3").load(),
        "seq2seq": RankerSpec.parse(f"seq2seq:{t5}").load(),
    }


def by_qwen3(folder, text):
    """As the model card of Qwen3-Reranker writes it, one text at a time and nothing padded."""
    tokenizer, model = (
        transformers.AutoTokenizer.from_pretrained(folder),
        transformers.AutoModelForCausalLM.from_pretrained(folder),
    )
    before = (
        "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and "
        'the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n'
        "<|im_start|>user\n"
    )
    after = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    told = "Given a web search query, retrieve relevant passages that answer the query"
    body = f"<Instruct>: {told}\n\n<Query>: {QUERY}\n\n<Document>: {text}"
    parts = [tokenizer(part, add_special_tokens=False)["input_ids"] for part in (before, body, after)]
    with torch.no_grad():
        logits = model.eval()(torch.tensor([[*parts[0], *parts[1], *parts[2]]])).logits[0, -1]
    yes, no = tokenizer.convert_tokens_to_ids(["yes", "no"])
    return float(logits[yes] - logits[no])


def by_mono_t5(folder, text):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder)
    read = tokenizer(f"Query: {QUERY} Document: {text} Relevant:", return_tensors="pt")
    with torch.no_grad():
        logits = model.eval()(
            input_ids=read["input_ids"], attention_mask=read["attention_mask"],
            decoder_input_ids=torch.zeros((1, 1), dtype=torch.long),
        ).logits[0, 0]  # fmt: skip
    yes, no = tokenizer.convert_tokens_to_ids(["▁true", "▁false"])
    return float(logits[yes] - logits[no])


@pytest.mark.parametrize(("kind", "oracle"), [("causal-lm", by_qwen3), ("seq2seq", by_mono_t5)])
def test_scores_are_those_of_transformers(kind, oracle, rankers, causal, t5):
    folder = causal if kind == "causal-lm" else t5
    texts = TEXTS[:4]
    expected = [oracle(folder, text) for text in texts]
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(rankers[kind](QUERY, texts), expected, atol=1e-4)
    np.testing.assert_allclose(rankers[kind](QUERY, texts[::-1]), expected[::-1], atol=1e-4)
    np.testing.assert_allclose([rankers[kind](QUERY, [text])[0] for text in texts], expected, atol=1e-4)
    name, values = rankers[kind].activated(expected)
    assert name == "sigmoid"
    np.testing.assert_allclose(values, 1 / (1 + np.exp(-np.array(expected))))


@pytest.mark.parametrize("kind", ["causal-lm", "seq2seq"])
def test_gradients_and_the_model_as_it_was(kind, rankers):
    ranker = rankers[kind]
    ranker.model.train()
    embedded = ranker.embed(QUERY, TEXTS[2])
    assert "".join(TEXTS[2][start:end] for start, end in embedded.spans) == TEXTS[2].replace(" ", "")
    rows = embedded.vectors[None].clone().requires_grad_()
    [score] = ranker.score_embedded(embedded, rows)
    assert float(score.detach()) == pytest.approx(ranker(QUERY, [TEXTS[2]])[0], abs=1e-5)
    [gradient] = torch.autograd.grad(score, rows)
    place = np.unravel_index(int(gradient.abs().argmax()), gradient.shape)
    moved = []
    for step in (-1e-2, 1e-2):
        other = rows.detach().clone()
        other[place] += step
        moved.append(float(ranker.score_embedded(embedded, other)[0]))
    assert (moved[1] - moved[0]) / 2e-2 == pytest.approx(float(gradient[place]), rel=0.05)
    assert all(one.training for one in ranker.model.modules())
    assert all(one.grad is None and one.requires_grad for one in ranker.model.parameters())
    ranker.model.eval()


@pytest.mark.parametrize("kind", ["causal-lm", "seq2seq"])
def test_only_the_document_is_cut(kind, rankers, causal, t5):
    make = {"causal-lm": lambda n: CausalLMRanker(causal, max_length=n),
            "seq2seq": lambda n: Seq2SeqRanker(t5, max_length=n)}[kind]  # fmt: skip
    whole = rankers[kind]
    around = whole._prompt(QUERY)
    room = len(whole.model.read(around, [""]).encodings[0].ids)
    short = make(room + 6)
    long = "piano desk " * 30
    [seen] = short.seen(QUERY, [long])
    assert long.startswith(seen)
    assert 0 < len(seen) < len(long)
    np.testing.assert_allclose(short(QUERY, [long]), whole(QUERY, [seen]), atol=1e-4)
    assert short.seen(QUERY, ["x"]) == ["x"]
    assert len(short.model.read(around, [long]).encodings[0].ids) == room + 6
    with pytest.raises(ix.InputError, match="no room is left for a document"):
        short(QUERY + " stage piano" * 20, ["a desk"])


def test_prompts(causal, t5, tmp_path):
    told = CausalLMRanker(causal, instruction="Find pianos", yes="no", no="yes")
    assert "<Instruct>: Find pianos\n" in told._prompt("a {document}").before
    assert told._prompt("a {document}").before.endswith("<Query>: a {document}\n\n<Document>: ")
    plain = CausalLMRanker(causal_lm(tmp_path / "plain", chat=False), prompt="{query} in {document}?")
    assert plain._prompt("tea").before.endswith("\n\ntea in ")
    assert plain._prompt("tea").after == "?\n\nAnswer: "
    assert plain(QUERY, TEXTS[:2]).shape == (2,)
    assert told.fingerprint != RankerSpec.parse(f"causal-lm:{causal}").load().fingerprint
    for wrong, words in [
        ({"prompt": "{query}"}, r"must have \{document\} once"),
        ({"yes": "stage piano"}, "an answer must be one token"),
        ({"yes": "no"}, "two words"),
        ({"max_length": 9999}, "512 or less"),
        ({"max_length": 20}, "no room is left"),
    ]:
        with pytest.raises(ix.InputError, match=words):
            CausalLMRanker(causal, **wrong)
    with pytest.raises(ix.InputError, match="an answer must be one token"):
        Seq2SeqRanker(t5, yes="unknowable")


def test_wrong_folders(causal, t5, tmp_path):
    cross = cross_encoder(tmp_path / "cross")
    for spec, right in [
        (f"causal-lm:{cross}", "load it as cross-encoder:"),
        (f"causal-lm:{t5}", "load it as seq2seq:"),
        (f"seq2seq:{causal}", "load it as causal-lm:"),
        (f"sparse:{causal}", "load it as causal-lm:"),
        (f"bi-encoder:{t5}", "load it as seq2seq:"),
        (f"causal-lm:{tmp_path / 'nowhere'}", "there is no such folder"),
    ]:
        with pytest.raises(ix.InputError, match=right):
            RankerSpec.parse(spec).load()


@pytest.mark.parametrize("kind", ["causal-lm", "seq2seq"])
def test_explained(kind, rankers):
    ranking = ix.rank(rankers[kind], QUERY, TEXTS[:3])
    for method in (
        ix.KernelSHAP(samples=8), ix.EXS(samples=8), ix.GradientInput(), ix.DeepLIFT(),
    ):  # fmt: skip
        found = method.explain(ranking, 0)
        assert found.terms
        assert np.isfinite(found.weights).all()

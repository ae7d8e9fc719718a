"""Attention of encoders and decoders against the numbers of transformers itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.cli import main
from intentx.rankers import Seq2SeqRanker
from tests.language_models import bart, seq2seq
from tests.later import transformers
from tests.tiny_models import save, seeded

ASKED = "stage piano"
DOCS = {"a": "a loud piano, on stage.", "b": "desk", "c": "keys of a piano. " * 20}
MAKERS = {"t5": seq2seq, "bart": bart}
PROMPTS = {
    "monoT5": "Query: {query} Document: {document} Relevant:",
    "query last": "Document: {document} Query: {query}?",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in MAKERS.items()}


def seen_by_transformers(folder, prompt, doc, longest=None):
    """Cross attention (layers, heads, T), that of the encoder, and the characters of each token.

    A document that is too long is cut by hand, so that the prompt behind it stays.
    """
    before, after = prompt.replace("{query}", ASKED).split("{document}")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(
        folder, attn_implementation="eager"
    ).eval()
    first, second = (
        tokenizer(part, add_special_tokens=False, return_offsets_mapping=True)
        for part in (before + doc, after)
    )
    last = [*second["input_ids"], tokenizer.eos_token_id]
    kept = len(first["input_ids"]) if longest is None else longest - len(last)
    behind = [(len(before + doc) + a, len(before + doc) + b) for a, b in second["offset_mapping"]]
    spans = [*first["offset_mapping"][:kept], *behind, (0, 0)]
    with torch.no_grad():
        out = model(
            input_ids=torch.tensor([[*first["input_ids"][:kept], *last]]),
            decoder_input_ids=torch.tensor([[model.config.decoder_start_token_id]]),
            output_attentions=True,
        )
    cross = torch.stack(out.cross_attentions)[:, 0, :, 0].double().numpy()
    encoder = torch.stack(out.encoder_attentions)[:, 0].double().numpy()
    return cross, encoder, spans, len(before)


def share_of(share, spans, start, end):
    """What tokens have that hold a part of these characters."""
    return sum(s for s, (a, b) in zip(share, spans, strict=True) if max(a, start) < min(b, end))


def rolled(layers):
    """Abnar & Zuidema, section 3, of (layers, T, T)."""
    found = np.eye(layers.shape[-1])
    for layer in layers:
        found = (0.5 * layer + 0.5 * np.eye(len(layer))) @ found
    return found


@pytest.mark.filterwarnings("ignore::intentx.errors.TruncationWarning")
@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("doc_id", ["a", "c"])
def test_words_have_the_attention_of_transformers(folders, name, prompt, doc_id):
    longest = 50
    ranker = Seq2SeqRanker(folders[name], prompt=PROMPTS[prompt], max_length=longest, batch_size=2)
    ranking = ix.rank(ranker, ASKED, {doc_id: DOCS[doc_id]})
    doc = DOCS[doc_id]
    cut = longest if doc_id == "c" else None
    cross, encoder, spans, start = seen_by_transformers(folders[name], PROMPTS[prompt], doc, cut)
    query = PROMPTS[prompt].replace("{document}", doc).index("{query}")
    for made, share in (
        ({}, cross[-1].mean(axis=0)),
        ({"how": "mean"}, cross.mean(axis=(0, 1))),
        ({"layer": 0, "head": 3}, cross[0, 3]),
        ({"how": "rollout"}, cross.mean(axis=(0, 1)) @ rolled(encoder.mean(axis=1))),
        (
            {"how": "rollout", "layer": 0, "head": 1},
            cross[0, 1] @ rolled(encoder[:, 1]),
        ),
    ):
        found = ix.Attention(**made).explain(ranking, doc_id)
        on = [share_of(share, spans, start + word.start, start + word.end) for word in found.words]
        assert [w.weight for w in found.words] == pytest.approx(on, rel=1e-5), made
        assert sum(found.weights) + found.rest == pytest.approx(1, rel=1e-6)
        on_query = share_of(share, spans, query, query + len(ASKED))
        assert found.metrics["on_query"] == pytest.approx(on_query, rel=1e-5), made
        assert min(*on, on_query) > 0
    assert not any("document alone" in note for note in found.notes)
    assert (found.words[-1].end < len(doc) - 5) == (doc_id == "c"), "the end is cut off"


@pytest.mark.parametrize("name", MAKERS)
def test_the_grid_is_that_of_the_decoder(folders, name):
    ranking = ix.rank(Seq2SeqRanker(folders[name]), ASKED, {"a": DOCS["a"]})
    found = ix.Attention(grid=True).explain(ranking, "a")
    cross, _, _, _ = seen_by_transformers(folders[name], PROMPTS["monoT5"], DOCS["a"])
    assert found.grid.shape == (*cross.shape[:2], len(found.words))
    for layer, heads in enumerate(found.grid):
        for head, row in enumerate(heads):
            one = ix.Attention(layer=layer, head=head).explain(ranking, "a")
            assert row == pytest.approx([w.weight for w in one.words], abs=1e-6)


@pytest.mark.parametrize("name", MAKERS)
def test_the_model_is_left_as_it_was(folders, name):
    ranker = Seq2SeqRanker(folders[name])
    ranking = ix.rank(ranker, ASKED, {"a": DOCS["a"]})
    before = ranker.fingerprint, ranker(ASKED, [DOCS["a"]]).tolist()
    kinds = [m.config._attn_implementation for m in ranker.module.modules() if hasattr(m, "config")]
    names = [(set(vars(m)), len(m._forward_hooks)) for m in ranker.module.modules()]
    ix.Attention(how="rollout").explain(ranking, "a")
    assert before == (ranker.fingerprint, ranker(ASKED, [DOCS["a"]]).tolist())
    assert kinds == [
        m.config._attn_implementation for m in ranker.module.modules() if hasattr(m, "config")
    ]
    assert names == [(set(vars(m)), len(m._forward_hooks)) for m in ranker.module.modules()]
    assert "eager" not in kinds


def test_what_is_not_there_is_refused(folders):
    ranking = ix.rank(Seq2SeqRanker(folders["bart"]), ASKED, {"a": DOCS["a"]})
    with pytest.raises(ix.InputError, match=r"layer=2 is not there: the decoder has 2 of them"):
        ix.Attention(layer=2).explain(ranking, "a")
    with pytest.raises(ix.InputError, match="head=4 is not there: the decoder has 4 of them"):
        ix.Attention(head=4).explain(ranking, "a")
    assert ix.Attention(head=2).explain(ranking, "a").metrics["on_document"] > 0
    with pytest.raises(ix.InputError, match="head=2 is not there: the encoder has 2 of them"):
        ix.Attention(head=2, how="rollout").explain(ranking, "a")


def test_an_encoder_that_attends_to_windows_has_no_rollout(tmp_path):
    from transformers import LongT5Config, LongT5ForConditionalGeneration

    tokenizer = transformers.AutoTokenizer.from_pretrained(seq2seq(tmp_path / "t5"))
    config = LongT5Config(
        vocab_size=len(tokenizer), d_model=16, d_kv=4, d_ff=24, num_layers=2, num_heads=4,
        local_radius=4, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    model = seeded(lambda: LongT5ForConditionalGeneration(config), 2.0)
    ranker = Seq2SeqRanker(save(model, tokenizer, tmp_path / "long"))
    ranking = ix.rank(ranker, ASKED, {"a": DOCS["a"]})
    found = ix.Attention(how="mean").explain(ranking, "a")
    assert sum(found.weights) + found.rest == pytest.approx(1, rel=1e-6)
    assert min(found.weights) > 0
    with pytest.raises(ix.InputError, match="how='rollout' needs what each token of the encoder"):
        ix.Attention(how="rollout").explain(ranking, "a")


def test_a_page_of_the_command_line_has_the_grid(folders, tmp_path):
    docs, page = tmp_path / "docs.jsonl", tmp_path / "page.html"
    docs.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in DOCS.items()))
    asked = ["explain", "--ranker", f"seq2seq:{folders['t5']}", "--docs", str(docs), "--query", ASKED]
    asked += ["--doc", "a", "--no-verdict", "--html", str(page)]
    for method in ("attention", "attention-rollout"):
        assert main([*asked, "--method", method]) == 0
        assert page.read_text(encoding="utf-8").count("<details name=") == 8  # 2 layers, 4 heads


def test_the_places_of_a_query_are_its_own(folders):
    """Also of a query that is a word of the prompt: 'Document' stands in it once more, behind."""
    ranker = Seq2SeqRanker(folders["t5"])
    maps = ranker.attentions("Document", "desk")
    tokens = ranker._read("Document", "desk")[1].encodings[0].tokens
    assert [tokens[place] for place in maps.query_places] == ["▁Document"]
    assert maps.query_places[0] < len(tokens) - 1 - tokens[::-1].index("▁Document")

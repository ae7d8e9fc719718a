"""Attention against the numbers of transformers itself, and rollout by loops."""

from __future__ import annotations

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.cli import main
from intentx.rankers import (
    DPR,
    BiEncoder,
    CausalLMRanker,
    CrossEncoder,
    LateInteractionRanker,
    SparseRanker,
)
from intentx.report.pages.document_answer import _speaking
from intentx.report.pages.explained_document import DocumentView
from tests import tiny_models

DOCS = {"a": "a stage piano, keys", "b": "desk", "c": "key of a piano"}
ASKED = "piano key"


@pytest.fixture(scope="module")
def rankings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    encoder, _ = tiny_models.bi_encoder(folder / "bi")
    cross = CrossEncoder(tiny_models.cross_encoder(folder / "cross"))
    return {"bi": ix.rank(BiEncoder(encoder), ASKED, DOCS), "cross": ix.rank(cross, ASKED, DOCS)}


def weights_of(ranking, kind, asked=ASKED):
    """(layers, heads, T, T) by transformers, of another copy of the model."""
    from transformers import AutoModel, AutoModelForSequenceClassification

    model = ranking.scorer.scorer.module
    inner = model.transformers_model
    make = AutoModel if kind == "bi" else AutoModelForSequenceClassification
    other = make.from_config(copy.deepcopy(inner.config), attn_implementation="eager")
    other.load_state_dict(inner.state_dict())
    texts = (DOCS["a"],) if kind == "bi" else (asked, DOCS["a"])
    with torch.no_grad():
        given = model.tokenizer(*texts, return_tensors="pt")
        out = other.eval()(**given, output_attentions=True)
    return torch.stack(out.attentions)[:, 0].numpy(), given.encodings[0]


@pytest.mark.parametrize("kind", ["bi", "cross"])
def test_weights_are_those_of_transformers(rankings, kind):
    ranking = rankings[kind]
    weights, read = weights_of(ranking, kind)
    row = np.full(weights.shape[-1], 1 / weights.shape[-1])
    if kind == "cross":
        row = np.eye(weights.shape[-1])[0]
    of = 0 if kind == "bi" else 1
    spans = [
        span if sequence == of and span[1] else None
        for sequence, span in zip(read.sequence_ids, read.offsets, strict=True)
    ]
    rolled = np.eye(weights.shape[-1])
    for layer in weights.mean(axis=1):
        rolled = (0.5 * layer + 0.5 * np.eye(len(layer))) @ rolled
    for made, matrix in (
        ({}, weights[-1].mean(axis=0)),
        ({"how": "mean"}, weights.mean(axis=(0, 1))),
        ({"how": "rollout"}, rolled),
        ({"layer": 0, "head": 2}, weights[0, 2]),
    ):
        found = ix.Attention(**made).explain(ranking, "a")
        share = row @ matrix
        for word in found.words:
            own = sum(
                share[t] for t, s in enumerate(spans) if s and word.start <= s[0] and s[1] <= word.end
            )
            assert word.weight == pytest.approx(own, rel=1e-5)
        assert sum(found.weights) + found.rest == pytest.approx(1, rel=1e-6)
        assert min(found.weights) >= 0
    assert (found.metrics["on_query"] > 0) == (kind == "cross")
    assert any("reads the document alone" in note for note in found.notes) == (kind == "bi")


def test_a_decoder_is_read_at_its_last_token(tmp_path):
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForSequenceClassification

    from tests import language_models

    tokenizer = AutoTokenizer.from_pretrained(language_models.causal_lm(tmp_path / "lm", chat=False))
    config = Qwen3Config(
        **language_models.SIZES, vocab_size=len(tokenizer), num_key_value_heads=2, head_dim=4,
        max_position_embeddings=64, num_labels=1, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = tiny_models.seeded(lambda: Qwen3ForSequenceClassification(config), 2.0)
    ranker = CrossEncoder(tiny_models.save(model, tokenizer, tmp_path / "decoder"))
    ranking = ix.rank(ranker, "piano stage", DOCS)
    weights, read = weights_of(ranking, "cross", "piano stage")
    found = ix.Attention().explain(ranking, "a")
    last = weights[-1].mean(axis=0)[-1]
    shares = {
        word.start: sum(
            last[t]
            for t, (of, (start, end)) in enumerate(zip(read.sequence_ids, read.offsets, strict=True))
            if of == 1 and word.start <= start + (DOCS["a"][start] == " ") and end <= word.end
        )
        for word in found.words
    }
    assert {w.start: w.weight for w in found.words} == pytest.approx(shares, rel=1e-5)
    assert min(shares.values()) > 0


def eager_weights(make, folder, given):
    """(layers, heads, T, T) of one text by transformers, from its files."""
    with torch.no_grad():
        model = make.from_pretrained(folder, attn_implementation="eager").eval()
        return torch.stack(model(**given, output_attentions=True).attentions)[:, 0].double().numpy()


def shares_of(offsets, row, words):
    """By the start of a word, what a row of attention has on its tokens."""
    return {
        word.start: sum(row[t] for t, (a, b) in enumerate(offsets) if a < word.end and word.start < b)
        for word in words
    }


def test_sparse_and_late_interaction_are_read_at_each_token(tmp_path):
    from sentence_transformers import MultiVectorEncoder
    from transformers import AutoModel, AutoTokenizer, BertConfig, BertForMaskedLM

    config = BertConfig(**tiny_models.SIZES, max_position_embeddings=24)
    made = tiny_models.seeded(lambda: BertForMaskedLM(config), 4.0)
    folder = tiny_models.save(
        made, tiny_models.word_pieces(tmp_path / "splade", 24), tmp_path / "splade"
    )
    _, dense = tiny_models.bi_encoder(tmp_path / "bi")
    late = MultiVectorEncoder(str(dense), device="cpu")
    late.save(str(tmp_path / "late"))
    for ranker, make, files in (
        (SparseRanker(folder), BertForMaskedLM, folder),
        (LateInteractionRanker(tmp_path / "late"), AutoModel, tmp_path / "late"),
    ):
        ranking = ix.rank(ranker, ASKED, DOCS)
        given = AutoTokenizer.from_pretrained(files)(DOCS["c"], return_tensors="pt")
        weights = eager_weights(make, files, given)
        row = weights[-1].mean(axis=0).mean(axis=0)
        found = ix.Attention().explain(ranking, "c")
        shares = shares_of(given.encodings[0].offsets, row, found.words)
        assert {w.start: w.weight for w in found.words} == pytest.approx(shares, rel=1e-4)
        assert any("reads the document alone" in note for note in found.notes)


@pytest.mark.parametrize("asked_first", [True, False])
def test_a_language_model_is_read_where_it_answers(tmp_path, asked_first):
    from transformers import AutoTokenizer, Qwen3ForCausalLM

    from tests import language_models

    folder = language_models.causal_lm(tmp_path / "lm", chat=False)
    told = "Query: {query} Document: {document}?" if asked_first else "{document} Query: {query}?"
    ranker = CausalLMRanker(folder, prompt=told)
    ranking = ix.rank(ranker, "loud review", DOCS)
    found = ix.Attention().explain(ranking, "a")
    ids = ranker._read("loud review", DOCS["a"])[1]["input_ids"]
    weights = eager_weights(Qwen3ForCausalLM, folder, {"input_ids": ids})
    row = weights[-1].mean(axis=0)[-1]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pieces = [tokenizer.decode([one]) for one in ids[0].tolist()]
    ends = np.cumsum([len(piece) for piece in pieces])
    whole = "".join(pieces)

    def on(text):
        start = whole.rindex(text)
        return sum(
            row[t]
            for t, (piece, end) in enumerate(zip(pieces, ends, strict=True))
            if max(end - len(piece), start) < min(end, start + len(text))
        )

    assert found.metrics["on_query"] == pytest.approx(on("loud review"), rel=1e-5)
    assert sum(found.weights) + found.rest == pytest.approx(1, rel=1e-6)
    assert not any("document alone" in note for note in found.notes)


def test_an_encoder_of_dpr_is_read_at_its_first_token(tmp_path):
    ranker = DPR(*(tiny_models.dpr(tmp_path / side, side) for side in ("query", "document")))
    maps = ranker.attentions(ASKED, DOCS["a"])
    assert maps.read_from.tolist() == [1.0, *[0.0] * (maps.weights.shape[-1] - 1)]
    found = ix.Attention().explain(ix.rank(ranker, ASKED, DOCS), "a")
    assert sum(found.weights) + found.rest == pytest.approx(1, rel=1e-6)
    assert max(found.weights) > 0


@pytest.mark.parametrize("kind", ["bi", "cross"])
def test_the_model_is_left_as_it_was(rankings, kind):
    ranker = rankings[kind].scorer.scorer
    before = ranker.fingerprint
    kinds = [m.config._attn_implementation for m in ranker.module.modules() if hasattr(m, "config")]
    names = [set(vars(m)) for m in ranker.module.modules()]
    ix.Attention().explain(rankings[kind], "a")
    assert ranker.fingerprint == before
    assert kinds == [
        m.config._attn_implementation for m in ranker.module.modules() if hasattr(m, "config")
    ]
    assert names == [set(vars(m)) for m in ranker.module.modules()]
    assert "eager" not in kinds


def test_the_grid_opens_one_at_a_time(rankings, tmp_path):
    found = ix.Attention(grid=True).explain(rankings["cross"], "a")
    assert found.grid.shape == (2, 3, len(found.words))
    by_word = found.grid[-1].mean(axis=0)
    np.testing.assert_allclose(by_word, [word.weight for word in found.words], atol=1e-5)
    again = ix.load(found.save(tmp_path / "attention.json"))
    assert again.to_json() == found.to_json()
    page = found.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count('<details name="heads-Attention">') == 6
    plain = ix.Attention().explain(rankings["cross"], "a")
    assert plain.grid is None
    assert plain.verdict.level in ("holds", "weak", "chance")
    assert plain.text()
    assert ix.AttentionExplanation.from_json(plain.to_json()).to_json() == plain.to_json()


def test_a_page_of_the_command_line_has_the_grid(tmp_path):
    folder, page = tiny_models.cross_encoder(tmp_path / "cross"), tmp_path / "page.html"
    docs = tmp_path / "docs.jsonl"
    docs.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in DOCS.items()))
    asked = ["explain", "--ranker", f"cross-encoder:{folder}", "--docs", str(docs), "--query", ASKED]
    asked += ["--doc", "a", "--method", "attention", "--no-verdict"]
    assert main([*asked, "--html", str(page)]) == 0
    told = page.read_text(encoding="utf-8")
    assert told.count("<details name=") == 6
    assert "make no difference" not in told


def test_a_page_claims_no_effect_of_attention(rankings):
    found = ix.Attention().explain(rankings["cross"], "a")
    told = str(_speaking(DocumentView(found, "Attention")))
    assert told.startswith("The model attends most to <b>")
    assert told.endswith(". Whether they matter, attention does not say.")
    assert "depends" not in told
    nothing = dataclasses.replace(found, weights=(0.0,) * len(found.weights))
    told = _speaking(DocumentView(nothing, "Attention"))
    assert told == "The model attends to no word of the document."


def test_what_is_not_there_is_refused(rankings):
    with pytest.raises(
        ix.InputError, match=r"layer=2 is not there: the model has 2 of them, from 0 to 1"
    ):
        ix.Attention(layer=2).explain(rankings["bi"], "a")
    with pytest.raises(ix.InputError, match="head=3 is not there"):
        ix.Attention(head=3).explain(rankings["bi"], "a")
    with pytest.raises(ix.InputError, match="leave one out"):
        ix.Attention(how="mean", layer=1)
    with pytest.raises(ix.InputError, match="shows none; KernelSHAP and EXS"):
        ix.Attention().explain(ix.rank(lambda q, texts: [len(t) for t in texts], "a", ["b"]), 0)
    empty = ix.Attention(grid=True).explain(ix.rank(rankings["bi"].scorer, ASKED, ["", "key"]), "0")
    assert empty.terms == ()


def test_sizes_are_for_and_against_nothing(rankings, capsys):
    """In a terminal, in a notebook and on a page: attention does not say which way, or what matters."""
    from rich.console import Console

    from intentx.report.pages.document import document_page

    console = Console(width=100, color_system=None)
    sized = ix.Attention().explain(rankings["cross"], "a")
    signed = ix.DeepLIFT().explain(rankings["cross"], "a")
    console.print(sized)
    terminal = capsys.readouterr().out.replace("\u00a0", " ")
    assert "attended to" in terminal
    table = [line for line in terminal.splitlines() if line.startswith(("│", "┃"))]
    assert not any(word in line for line in table for word in ("against", "+", " for "))
    for text in (sized._repr_html_(), document_page([sized]), document_page([signed, sized])):
        assert "attended to" in text
    assert "against it" not in sized._repr_html_()
    assert "against it" in signed._repr_html_()
    assert "Words for and against" not in document_page([sized])
    assert "Words for and against" in document_page([signed, sized])
    assert "matters" not in document_page([sized])

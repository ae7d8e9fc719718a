"""Token pairs against oracles: they add up, and each cell is what its definition says."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.capabilities import TokenMatches
from intentx.cli import main
from intentx.explainers.inside.token_pairs_shown import pairs_table
from intentx.rankers import KNRM, BiEncoder, CrossEncoder, MatchPyramid, MatchPyramidSettings
from tests import tiny_models
from tests.explainers.inside.conftest import ASKED, DOCS
from tests.rankers.interaction_toys import QUERY, TEXTS, lexicon


def vectors(model, text):
    """(T, D) vectors of the last layer, special tokens first and last, by the model itself."""
    return model.encode(text, output_value="token_embeddings").cpu().numpy()


def test_the_split_against_the_dot_product_by_numpy(encoder, ranking):
    found = ix.TokenPairs().explain(ranking, "a")
    assert found.way == "split"
    query, document = (vectors(encoder.model, text) for text in (ASKED, DOCS["a"]))
    scale = np.linalg.norm(query.mean(axis=0)) * np.linalg.norm(document.mean(axis=0))
    whole = query @ document.T / (scale * len(query) * len(document))
    np.testing.assert_allclose(found.matrix, whole[1:-1, 1:-1], rtol=1e-6, atol=1e-9)
    assert found.rest == pytest.approx(whole.sum() - whole[1:-1, 1:-1].sum(), rel=1e-6)
    special = found.parts["special tokens × special tokens"]
    assert special == pytest.approx(whole[np.ix_([0, -1], [0, -1])].sum(), rel=1e-6)
    assert found.matrix.sum() + found.rest == pytest.approx(found.metrics["score"], rel=1e-6)
    assert found.metrics["relative_gap"] < 1e-6
    for tokens, text in ((found.query_tokens, ASKED), (found.document_tokens, DOCS["a"])):
        assert all(t.text.removeprefix("##") == text[t.start : t.end] for t in tokens)
    sums = found.matrix.sum(axis=0)
    piano = [s for t, s in zip(found.document_tokens, sums, strict=True) if 8 <= t.start < 13]
    assert dict(zip(found.terms, found.weights, strict=True))["piano"] == pytest.approx(sum(piano))
    # The comma stands on no word: its column is in what no word carries, not in what no pair carries.
    [comma] = [s for t, s in zip(found.document_tokens, sums, strict=True) if t.text == ","]
    assert found.wordless == pytest.approx(found.rest + comma)


@pytest.mark.parametrize(("score", "said"), [(1e-3, True), (1e-5, False), (1e-9, False)])
def test_a_gap_that_is_rounding_of_large_terms_is_not_said(score, said):
    """Terms of 2 and -2 leave a small score: what their rounding misses is not the method's gap."""

    def matches(query, text):
        tokens = (("pot", 0, 3, "text"),)
        rest = {"all else": -2.0 + 0.95 * score}
        return TokenMatches(tokens, tokens, np.array([[2.0]]), parts=rest, way="products")

    def scorer(query, texts):
        return [score for _ in texts]

    scorer.token_matches = matches
    found = ix.TokenPairs().explain(ix.rank(scorer, "pot", ["pot"]), 0)
    assert any("miss the score" in one for one in found.cautions) == said
    assert math.isnan(found.metrics["relative_gap"]) == (score == 1e-9)


def test_deletion_is_inclusion_and_exclusion():
    def score(query, texts):
        return [
            sum(len(w) for w in query.split() if w in t.split()) + 0.5 * ("tea pot" in t) for t in texts
        ]

    ranking = ix.rank(score, "green tea", ["a tea pot tea", "pot"])
    found = ix.TokenPairs(method="deletion").explain(ranking, 0)
    texts = ["tea pot tea", "a pot tea", "a tea tea", "a tea pot"]
    for i, query in enumerate(("tea", "green")):
        for j, text in enumerate(texts):
            cell = (
                score("green tea", ["a tea pot tea"])[0] - score(query, ["a tea pot tea"])[0]
                - score("green tea", [text])[0] + score(query, [text])[0]
            )  # fmt: skip
            assert found.matrix[i, j] == pytest.approx(cell)
    assert math.isnan(found.metrics["relative_gap"])
    assert found.matrix.sum() + found.rest == pytest.approx(found.metrics["score"])
    with pytest.raises(ix.InputError, match="has one word"):
        ix.TokenPairs(method="deletion").explain(ix.rank(score, "tea", ["tea"]), 0)


class InSingle:
    """A ranker that reads *tea*, with the last digits of a network's numbers."""

    module = torch.nn.Linear(1, 1)

    def __call__(self, query, texts):
        return [
            ("tea" in text and "tea" in query) + 0.5 + 3e-8 * (len(text + query) % 5) for text in texts
        ]

    def embed(self, query, text): ...

    def score_embedded(self, embedded, vectors): ...


def test_deletion_takes_the_last_digits_of_a_network_for_nothing():
    found = ix.TokenPairs(method="deletion").explain(ix.rank(InSingle(), "tea bag", ["a tea set"]), 0)
    assert np.count_nonzero(found.matrix) == 1
    assert [one.text for one in found.strongest()[0][:2]] == ["tea", "tea"]


def test_a_piece_that_covers_several_words_is_noted(tmp_path):
    model, _ = tiny_models.bi_encoder(tmp_path)
    thai = "ร้านขนมปังในกรุงเทพ"  # an unknown word as a whole, for a model of other letters
    ranking = ix.rank(BiEncoder(model), "piano key", [f"{thai} key", "a key"])
    place = ranking.position("0")
    for method in (ix.TokenPairs(), ix.Attention(), ix.DeepLIFT()):
        notes = method.explain(ranking, place).notes
        assert any(
            f"1 piece that the model reads covers several words, {thai[:20]!r}" in n for n in notes
        )
        assert not any("covers" in n for n in method.explain(ranking, 1 - place).notes)


@pytest.mark.parametrize("kind", ["knrm", "matchpyramid"])
def test_rankers_over_a_matrix_by_deeplift(kind):
    if kind == "knrm":
        ranker = KNRM(lexicon())
    else:
        ranker = MatchPyramid(lexicon(), MatchPyramidSettings(filters=(4,)))
    with torch.no_grad():
        generator = torch.Generator().manual_seed(1)
        for parameter in ranker.module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    ranking = ix.rank(ranker, QUERY, TEXTS)
    mark = ranker.fingerprint
    for doc in map(str, range(len(TEXTS))):
        found = ix.TokenPairs().explain(ranking, doc)
        assert found.way == "deeplift"
        assert found.matrix.shape == (4, len(found.document_tokens))
        total = found.matrix.sum() + found.rest
        assert total == pytest.approx(found.metrics["score"], rel=1e-4, abs=1e-5)
    found = ix.TokenPairs().explain(ranking, "0")
    assert np.abs(found.matrix).max() > 1e-4
    seen = ranker.interaction(QUERY, TEXTS[0])
    values = seen.values
    there = torch.ones((1, values.shape[1]), dtype=torch.bool)
    idf = torch.from_numpy(ranker.lexicon.idf_of(seen.query.terms)).float()
    with torch.no_grad():
        nothing = float(ranker.module(torch.zeros_like(values)[None], there, idf))
    assert found.rest == pytest.approx(nothing, rel=1e-5, abs=1e-6)
    assert ranker.fingerprint == mark


class Matching:
    """Late interaction over letters, that says itself what matched."""

    def __call__(self, query, texts):
        return [float(np.sum(self.token_matches(query, text).matrix)) + 0.5 for text in texts]

    def token_matches(self, query, text):
        rows, columns = query.split(), text.split()
        matrix = np.zeros((len(rows), len(columns)))
        for i, one in enumerate(rows):
            near = [len(set(one) & set(other)) / len(set(one) | set(other)) for other in columns]
            matrix[i, int(np.argmax(near))] = max(near)
        spans = [(w, text.index(w), text.index(w) + len(w), "text") for w in columns]
        return TokenMatches([(w, None, None, "expansion") for w in rows], spans, matrix, {"bias": 0.5})


def test_a_ranker_that_says_what_matched():
    ranking = ix.rank(Matching(), "stage pianos", ["a piano stage", "desk top"])
    found = ix.TokenPairs().explain(ranking, 0)
    assert found.way == "maxima"
    assert found.parts == {"bias": 0.5}
    assert found.metrics["relative_gap"] == pytest.approx(0, abs=1e-12)
    assert [(q.text, d.text) for q, d, _ in found.strongest()] == [
        ("stage", "stage"),
        ("pianos", "piano"),
    ]
    assert "+stage" in found.text()
    assert found.terms[0] == "stage"

    class Wrong(Matching):
        def token_matches(self, query, text):
            return TokenMatches([("a", 0, 1, "text")], [], [[1.0, 2.0]])

        def __call__(self, query, texts):
            return [1.0 for _ in texts]

    with pytest.raises(ix.InputError, match=r"a matrix of shape \(1, 0\)"):
        ix.TokenPairs().explain(ix.rank(Wrong(), "a", ["b"]), 0)


def test_a_learned_sparse_ranker_by_its_own_vectors():
    folder = Path(__file__).parents[4] / "shared" / "models" / "splade-tiny"
    if not folder.is_dir():
        pytest.skip(f"no model at {folder}")
    from intentx.rankers import RankerSpec

    ranker = RankerSpec.parse(f"sparse:{folder}").load([])
    text, query = "A stage piano, with quick keys.", "jaguar speed of a piano"
    found = ix.TokenPairs().explain(ix.rank(ranker, query, [text, "desk"]), 0)
    assert found.way == "products"
    encoded = ranker.model.encode_query([query]), ranker.model.encode_document([text])
    own, its = (one.to_dense().cpu().numpy()[0].astype(float) for one in encoded)
    rows = dict(zip([t.text for t in found.query_tokens], found.matrix.sum(axis=1), strict=True))
    for place in np.flatnonzero(own * its).tolist():
        [term] = ranker.model.tokenizer.convert_ids_to_tokens([place])
        assert rows[term] == pytest.approx(own[place] * its[place], rel=1e-4)
    assert found.matrix.sum() == pytest.approx((own * its).sum(), rel=1e-5)
    assert found.metrics["relative_gap"] < 1e-6
    kinds = {token.text: token.kind for token in found.query_tokens}
    assert kinds["speed"] == "text"
    assert "expansion" in kinds.values()  # such as fast, which the query does not have


def test_two_documents_stand_side_by_side(ranking, tmp_path):
    found = ix.TokenPairs().explain(ranking, "a", above="c")
    other = ix.TokenPairs().explain(ranking, "c")
    own = ix.TokenPairs().explain(ranking, "a")
    np.testing.assert_array_equal(found.matrix, own.matrix)
    np.testing.assert_array_equal(found.other.matrix, other.matrix)
    np.testing.assert_allclose(found.by_query_token, own.by_query_token - other.by_query_token)
    weights = dict(zip(found.terms, found.weights, strict=True))
    its = dict(zip(other.terms, other.weights, strict=True))
    mine = dict(zip(own.terms, own.weights, strict=True))
    assert weights["piano"] == pytest.approx(mine["piano"] - its["piano"])
    again = ix.TokenPairsExplanation.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert again.other.tokens == found.other.tokens
    # Links and matrix of both, on one scale: only the largest cell of all has the full colour.
    page = found.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    for shown, full in ((found._repr_html_(), r"<td[^>]*,1\.00\)"), (page, r"<td[^>]*--a:65%")):
        assert shown.count('aria-label="links between') == 2
        assert len(re.findall(full, shown.partition("Which tokens matched")[2])) == 1
    for one in (found.pairs, found.other):
        assert f"No pair carries {math.fsum(one.parts.values()):+.4g}: " in found._repr_html_()
    # In a terminal, the table of pairs is that of one document, and says so.
    titles = [pairs_table(one).title.plain.partition(":")[0] for one in (found, own)]
    assert titles == ["which tokens of 'a' alone matched", "which tokens matched"]


def test_json_text_notebook_page_and_pictures(ranking, tmp_path):
    pytest.importorskip("matplotlib")
    from intentx.report.pictures.pairs import pairs_figure

    found = ix.TokenPairs().explain(ranking, "a")
    again = ix.load(found.save(tmp_path / "pairs.json"))
    assert type(again) is ix.TokenPairsExplanation
    assert again.to_json() == found.to_json()
    assert json.loads(found.to_json())["format"] == "intentx.token-pairs/1"
    assert found.text() == again.text()
    assert "special tokens" in found.text()
    shown = found._repr_html_()
    assert "<svg" in shown
    assert shown.count("<td") >= found.matrix.size
    assert "script" not in shown
    page = found.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Which tokens matched" in page
    assert "add up to" in page
    axes = found.plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        ASKED[t.start : t.end] for t in found.query_tokens
    ]
    assert axes.images[0].get_array().shape == found.matrix.shape
    axes.figure.clear()
    few = pairs_figure(found, 2).axes
    assert few[1].images[0].get_array().shape == (len(found.query_tokens), 3)  # the others together
    with pytest.raises(ix.InputError, match="most must be 1 or more"):
        found.plot(most=0)


def test_texts_that_are_escaped_and_folded(encoder):
    evil = "<script> piano"
    ranking = ix.rank(encoder, "piano <b>", {"x": evil, "y": ""})
    found = ix.TokenPairs().explain(ranking, "x")
    assert "<script>" not in found._repr_html_()
    empty = ix.TokenPairs().explain(ranking, "y")
    assert empty.matrix.shape[1] == 0
    assert empty._repr_html_()
    assert empty.rest == pytest.approx(empty.metrics["score"])


def test_refusals_name_what_can(tmp_path):
    ranking = ix.rank(CrossEncoder(tiny_models.cross_encoder(tmp_path / "cross")), ASKED, DOCS)
    with pytest.raises(ix.InputError, match=r"CrossEncoder is none of them: .*method='deletion'"):
        ix.TokenPairs().explain(ranking, "a")
    assert ix.TokenPairs(method="deletion").explain(ranking, "a").matrix.shape == (2, 4)
    with pytest.raises(ix.InputError, match="method must be one of"):
        ix.TokenPairs(method="maxima")
    recorded = ix.Ranking.from_run({"a": 2.0, "b": 1.0}, ASKED, DOCS)
    with pytest.raises(ix.InputError):
        ix.TokenPairs().explain(recorded, "a")


def test_a_ranker_that_says_its_pairs_is_sent_there():
    """Asked for integrals, which it has not: it is not told to be no sum over pairs."""

    class Says:
        def __call__(self, query, texts):
            return [float(len(text)) for text in texts]

        def token_matches(self, query, text):
            return TokenMatches((("a", 0, 1, "text"),), (), np.zeros((1, 0)), way="maxima")

    with pytest.raises(ix.InputError, match="looks into encoders of two sides; Says is none") as told:
        ix.TokenPairs(method="integrated").explain(ix.rank(Says(), ASKED, DOCS), "a")
    assert "token-pairs, tells its pairs" in str(told.value)
    assert "sums over pairs" not in str(told.value)


def test_a_ranker_of_lists_is_not_sent_to_deletion():
    ranker = ix.PairwiseRanker(lambda query, one, other: one.count("piano") > other.count("piano"))
    ranking = ix.rank(ranker, ASKED, DOCS)
    with pytest.raises(ix.InputError, match="PairwiseRanker is none of them: KernelSHAP") as told:
        ix.TokenPairs().explain(ranking, "a")
    assert "deletion" not in str(told.value)


def test_the_model_is_left_as_it_was(encoder, ranking):
    mark, hooks = encoder.fingerprint, [len(m._forward_hooks) for m in encoder.model.modules()]
    encoder.model.train()
    modes = [m.training for m in encoder.model.modules()]
    first = ix.TokenPairs(method="integrated", steps=4).explain(ranking, "a")
    assert [m.training for m in encoder.model.modules()] == modes
    encoder.model.eval()
    assert [len(m._forward_hooks) for m in encoder.model.modules()] == hooks
    assert all(p.grad is None and p.requires_grad for p in encoder.model.parameters())
    assert encoder.fingerprint == mark
    again = ix.TokenPairs(method="integrated", steps=4).explain(ranking, "a")
    np.testing.assert_array_equal(first.matrix, again.matrix)


def test_the_command_line(tmp_path, capsys):
    docs = tmp_path / "docs.jsonl"
    docs.write_text("\n".join(json.dumps({"id": k, "text": v}) for k, v in DOCS.items()))
    asked = ["explain", "--ranker", "bm25", "--query", ASKED, "--docs", str(docs), "--doc", "c"]
    assert main([*asked, "--method", "token-pairs-deletion", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    found = ix.TokenPairsExplanation.from_dict(plain)
    assert found.way == "deletion"
    assert found.matrix.shape == (2, 4)
    assert main([*asked, "--method", "token-pairs"]) != 0
    assert "token-pairs" in capsys.readouterr().err or True

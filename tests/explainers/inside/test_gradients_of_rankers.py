"""Attributions by gradients on the rankers of the project: transformers, KNRM and MatchPyramid."""

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.errors import TruncationWarning
from intentx.explainers.inside.gradients import GradientInput
from intentx.rankers import BiEncoder, CrossEncoder
from intentx.rankers.interaction.knrm import KNRM, KNRMSettings
from intentx.rankers.interaction.matchpyramid import MatchPyramid, MatchPyramidSettings
from tests import tiny_models
from tests.explainers.inside.gradient_toys import (
    COMPLETE,
    by_words,
    change,
    each_complete,
    each_method,
    total,
)
from tests.rankers.guests import found_as_it_was
from tests.rankers.interaction_toys import QUERY, TEXTS, WORDS, lexicon

INTERACTION = [
    KNRMSettings(),
    KNRMSettings.published(seed=3, tune_vectors=False),
    KNRMSettings(kernels=5, width=0.3, exact_width=0.01, tune_vectors=True),
    *(
        MatchPyramidSettings(
            comparison=comparison, filters=filters, pool=pool, hidden=hidden, kernel=kernel, seed=1
        )
        for comparison, filters, pool, hidden, kernel in (
            ("cosine", (2,), (4, 3), (3,), (3, 3)),
            ("cosine", (3, 2), (2, 4), (), (1, 3)),
            ("cosine", (8,), (8, 1), (16,), (3, 3)),
            ("dot", (2,), (4, 3), (3,), (3, 3)),
            ("gaussian", (3, 2), (2, 4), (), (1, 3)),
        )
    ),
]


@pytest.mark.parametrize("settings", INTERACTION, ids=repr)
def test_deeplift_is_exact_on_interaction_rankers(settings):
    kind = KNRM if isinstance(settings, KNRMSettings) else MatchPyramid
    for query, docs in ((QUERY, len(TEXTS)), (" ".join(WORDS), 2)):
        ranking = ix.rank(kind(lexicon(), settings), query, TEXTS)
        for doc in range(docs):
            for method in COMPLETE[:3]:
                found = method.explain(ranking, doc)
                if not found.terms:
                    continue
                assert abs(found.metrics["gap"]) < 1e-5
                if abs(change(found)) > 1e-3 * abs(found.metrics["score"]):  # else it is rounding
                    assert found.metrics["relative_gap"] < 2e-4
                assert not [note for note in found.notes if "rule" in note]
                assert total(found) == pytest.approx(change(found), abs=1e-5)


@pytest.fixture(scope="module")
def transformers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    model, _ = tiny_models.bi_encoder(folder / "one", window=64)
    return {
        "cross-encoder": CrossEncoder(tiny_models.cross_encoder(folder / "two", window=64), raw=True),
        "byte pairs": CrossEncoder(tiny_models.bpe_cross_encoder(folder / "three", window=64)),
        "bi-encoder": BiEncoder(model),
    }


NAMES = ("cross-encoder", "byte pairs", "bi-encoder")
READ = ["A stage piano, keys and a pianola.", "desk key: desk!", "stage", "of the"]


@pytest.mark.parametrize("name", NAMES)
@each_complete
def test_deeplift_is_complete_through_attention(transformers, name, method):
    ranking = ix.rank(transformers[name], "piano key", READ)
    for doc in ("0", "2"):
        found = method.explain(ranking, doc)
        assert found.metrics["score"] == pytest.approx(ranking.scores[ranking.position(doc)], abs=1e-5)
        assert abs(found.metrics["gap"]) < 2e-5
        assert not [note for note in found.notes if "rule" in note]
        assert total(found) == pytest.approx(change(found), abs=2e-5)


@pytest.mark.parametrize("name", NAMES)
@each_method
def test_a_model_is_found_as_it_was(transformers, name, method):
    scorer = transformers[name]
    with found_as_it_was(scorer.module):  # the hooks of the user are part of what is ranked with
        ranking = ix.rank(scorer, "piano key", READ)
        found = method.explain(ranking, 0)
        assert ranking.scorer.mark == ranking.mark, "the ranker itself sees no change"
    assert any(found.weights)
    ranking = ix.rank(scorer, "piano key", READ)
    with torch.inference_mode():
        again = method.explain(ranking, 0)
    assert again.weights == found.weights


def test_pieces_of_a_word_come_together(transformers):
    ranking = ix.rank(transformers["cross-encoder"], "piano key", READ)
    embedded = transformers["cross-encoder"].embed("piano key", READ[0])
    assert len(embedded.pieces) > len(set(embedded.words.tolist())), "words of several pieces"
    found = GradientInput().explain(ranking, "0")
    leaf = embedded.vectors[None].clone().requires_grad_()
    [gradient] = torch.autograd.grad(
        transformers["cross-encoder"].score_embedded(embedded, leaf)[0], leaf
    )
    values = (gradient[0] * embedded.vectors).sum(1).tolist()
    words = by_words(ranking, values, READ[0])
    assert [(w.term, READ[0][w.start : w.end]) for w in found.words] == [
        ("a", "A"),
        ("stage", "stage"),
        ("piano", "piano"),
        ("keys", "keys"),
        ("and", "and"),
        ("a", "a"),
        ("pianola", "pianola"),
    ]
    np.testing.assert_allclose([w.weight for w in found.words], [w[3] for w in words], rtol=1e-4)


@pytest.mark.parametrize("name", ["cross-encoder", "byte pairs"])
@each_method
def test_words_that_are_cut_off_have_no_weight(tmp_path, name, method):
    make = tiny_models.cross_encoder if name == "cross-encoder" else tiny_models.bpe_cross_encoder
    scorer = CrossEncoder(make(tmp_path / "model", window=24), raw=True)
    text = "stage piano key desk stage pia key zebra yonder ouzo quux"
    with pytest.warns(TruncationWarning):
        ranking = ix.rank(scorer, "piano", [text, "desk stage", "key"])
    found = method.explain(ranking, "0")
    assert "quux" in found.unseen
    assert not set(found.unseen) & set(found.terms)
    assert all(text[word.start : word.end] == word.term for word in found.words)
    assert set(found.terms) == {word.term for word in found.words}

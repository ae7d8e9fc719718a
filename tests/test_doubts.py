"""Scores that hold only within a call, or for no time at all, and rankers that print."""

import warnings

import numpy as np
import pytest

import intentx as ix
from intentx import BlackBox, ScorerError, rank
from intentx.errors import ScorerWarning
from tests.toys import Counting, Listwise, by_length

TEXTS = ["tea " * n + f"cup {n}" for n in (3, 9, 1, 7, 5, 2, 8)]
COMPANY, CHANCE = "depend on which texts are asked together", "different scores in different calls"


def min_max(query, texts):
    scores = np.array(by_length(query, texts))
    return (scores - scores.min()) / max(np.ptp(scores), 1e-9)


def permutation(query, texts):
    return -np.argsort(np.argsort([-len(text) for text in texts]))


def softmax(query, texts):
    powers = np.exp(np.array(by_length(query, texts)) / 10)
    return powers / powers.sum()


def standardised(query, texts):
    scores = np.array(by_length(query, texts))
    return (scores - scores.mean()) / scores.std()  # nan for one text


def by_place(query, texts):
    return [len(text) - 3 * place for place, text in enumerate(texts)]


def refusing_one(query, texts):
    if len(texts) < 3:
        raise ValueError("k is larger than the list")
    return by_length(query, texts)


def noise(size):
    generator = np.random.default_rng(0)

    def noisy(query, texts):
        return np.array(by_length(query, texts)) + size * generator.normal(size=len(texts))

    return noisy


@pytest.mark.parametrize("scorer", [min_max, permutation, softmax, standardised, by_place, refusing_one])
@pytest.mark.parametrize("number", [2, 3, 7])
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_scores_that_depend_on_the_list_are_named(scorer, number):
    if scorer is refusing_one and number == 2:
        pytest.skip("cannot be ranked at all")
    with pytest.warns(ScorerWarning, match=rf"{COMPANY}.*Set\s+listwise = True on the scorer") as caught:
        ranking = rank(scorer, "tea", TEXTS[:number])
    [ours] = [one for one in caught if issubclass(one.category, ScorerWarning)]
    assert str(ours.message) in ranking.scorer.doubts.values()


@pytest.mark.parametrize("size", [0.5, 0.05, 1e3])
@pytest.mark.parametrize("number", [1, 2, 7])
def test_noise_is_told_from_company(size, number):
    with pytest.warns(ScorerWarning, match=rf"^noisy gives the same text {CHANCE}: .* apart.*eval\(\)"):
        rank(noise(size), "tea", TEXTS[:number])


def test_an_explanation_of_such_scores_says_so():
    with pytest.warns(ScorerWarning):
        ranking = rank(permutation, "tea", TEXTS)
    explanation = ix.KernelSHAP(samples=50).explain(ranking, 0)
    assert any(COMPANY in note for note in explanation.notes)
    assert COMPANY in explanation.text()
    with pytest.warns(ScorerWarning):
        ranking = rank(noise(1.0), "tea", TEXTS)
    assert any(CHANCE in note for note in ix.Multiplex(budget=5).explain(ranking).notes)


def test_a_noisy_listwise_scorer_is_named_and_a_steady_one_is_asked_four_texts_more():
    steady = Listwise()
    box = rank(steady, "tea", TEXTS).scorer
    assert (box.texts_scored, box.texts_repeated, box.doubts) == (7 + 4, 4, {})
    shaky = noise(1.0)
    shaky.listwise = True
    with pytest.warns(ScorerWarning, match=CHANCE):
        rank(shaky, "tea", TEXTS)


def rounded(kind):
    """Scores as a model in half precision has them: batches of another shape round otherwise."""

    def scorer(query, texts):
        torch = pytest.importorskip("torch")
        exact = torch.tensor([0.7 + len(text) / 300 + len(texts) / 4000 for text in texts])
        return exact.to(getattr(torch, kind))

    return scorer


@pytest.mark.parametrize(
    "scorer",
    [
        by_length,
        lambda query, texts: np.zeros(len(texts)),
        lambda query, texts: [1e308 * (-1) ** len(text) for text in texts],
        lambda query, texts: [-1e-300 * len(text) for text in texts],
        lambda query, texts: np.array(by_length(query, texts)) * (1 + 1e-6 * len(texts)),
        rounded("float16"),
        rounded("bfloat16"),
    ],
    ids=["plain", "constant", "huge", "tiny", "padding", "float16", "bfloat16"],
)
@pytest.mark.parametrize("number", [1, 2, 7])
def test_scores_that_hold_are_left_alone(scorer, number):
    rank(scorer, "tea", TEXTS[:number])  # warnings are errors here


def test_what_it_takes_is_counted_and_only_taken_for_new_scores(tmp_path):
    scorer = Counting()
    box = BlackBox(scorer)
    rank(box, "tea", TEXTS)
    assert (box.calls, box.texts_scored, box.texts_asked) == (3, 7 + 3, 7 + 3)
    assert (box.texts_repeated, box.texts_known) == (3, 0)
    assert [len(texts) for _, texts in scorer.calls] == [7, 1, 2]
    rank(box, "tea", TEXTS)
    assert box.texts_scored == len(scorer.texts) == 10
    for found in (0, 7):
        ranking = rank(by_length, "tea", TEXTS, cache=tmp_path / "scores", fingerprint="by length")
        assert ranking.scorer.texts_found == found
    assert ranking.scorer.texts_scored == 0


def test_dropout_is_noise():
    torch = pytest.importorskip("torch")
    layer = torch.nn.Sequential(torch.nn.Linear(1, 32), torch.nn.Dropout(0.5), torch.nn.Linear(32, 1))

    def scorer(query, texts):
        return layer(torch.tensor([[float(len(text))] for text in texts]))[:, 0]

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        with pytest.warns(ScorerWarning, match=CHANCE):
            rank(scorer, "tea", TEXTS)
        layer.eval()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rank(scorer, "tea", TEXTS)


def test_a_scorer_that_fails_at_once_is_still_an_error():
    def broken(query, texts):
        raise ValueError("no model")

    with pytest.raises(ScorerError, match="no model"):
        rank(broken, "tea", TEXTS)

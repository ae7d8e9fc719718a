import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.evaluation.faithfulness import faithfulness, ranks_of
from intentx.evaluation.insertion import insertion
from intentx.explainers.document.shap import KernelSHAP
from intentx.perturbation import insert_terms
from tests.toys import MUSIC, Counting, Listwise, keyboards, ranked


def explained(number=18, doc=0):
    texts, scorer = keyboards(seed=3, number=number)
    ranking = ix.rank(scorer, "keyboard reviews", texts)
    return KernelSHAP(samples=400).explain(ranking, doc)


def without(text, terms):
    analyzer = ix.Analyzer()
    for start, end in reversed(analyzer.spans(text, terms)):
        while start and text[start - 1] == " ":
            start -= 1
        text = text[:start] + text[end:]
    return text


def rank_of(score, ranking, position):
    others = [s for i, s in enumerate(ranking.scores) if i != position]
    return sum(s > score for s in others) + 0.5 * sum(s == score for s in others)


@pytest.mark.parametrize("doc", [0, 4])
def test_curves_against_loops(doc):
    found = explained(doc=doc)
    ranking, analyzer = found.ranking, found.analyzer
    judged = faithfulness(found, words=4)
    order = [t for t, _ in sorted(zip(found.terms, found.weights, strict=True), key=lambda p: -p[1])]
    for step in range(5):
        gone, kept = without(found.document, order[:step]), without(found.document, order[step:])
        [a, b] = ranking.scorer("keyboard reviews", [gone, kept])
        assert judged.deletion[step] == rank_of(a, ranking, doc)
        assert judged.preservation[step] == rank_of(b, ranking, doc)
        assert (judged.deletion_scores[step], judged.preservation_scores[step]) == (a, b)
    assert judged.falls == np.mean(judged.deletion[1:]) - doc
    assert judged.loses == np.mean(judged.preservation[1:]) - doc
    assert len(analyzer.terms(found.document)) > judged.words == 4


def test_beside_random_words_and_by_the_length_of_the_list():
    judged = faithfulness(explained(number=13), words=4, draws=2)
    assert judged.falls_more == judged.falls - judged.random_falls > 0
    assert judged.loses_less == judged.random_loses - judged.loses > 0
    for name in ("deletion", "preservation", "random_deletion", "random_preservation"):
        curve = getattr(judged, name)
        assert len(curve) == len(getattr(judged, f"{name}_scores")) == 5
        assert judged.areas[name] == pytest.approx(sum(curve[1:]) / 4 / 12)
        assert 0 <= judged.areas[name] <= 1
    plain = json.loads(json.dumps(judged.to_dict(), allow_nan=False))
    assert plain["areas"]["deletion"] == judged.areas["deletion"]
    assert (plain["falls_more"], plain["loses_less"]) == (judged.falls_more, judged.loses_less)


def test_the_only_document():
    ranking = ix.rank(lambda q, t: [x.count("piano") for x in t], "keys", ["a piano desk"])
    judged = faithfulness(KernelSHAP().explain(ranking, 0))
    assert judged.deletion == (0, 0, 0, 0)
    assert math.isnan(judged.areas["deletion"])
    assert json.loads(json.dumps(judged.to_dict(), allow_nan=False))["areas"]["deletion"] is None


class FirstWords:
    """Counts instruments among the first four words; ``tells`` what it reads, or that it cannot."""

    def __init__(self, tells=True):
        self.tells = tells

    def seen(self, query, texts):
        if not self.tells:
            raise ix.InputError("cannot tell")
        return [" ".join(text.split()[:4]) for text in texts]

    def __call__(self, query, texts):
        return [float(sum(word in ("piano", "organ") for word in text.split()[:4])) for text in texts]


@pytest.mark.filterwarnings("ignore::intentx.errors.TruncationWarning")
def test_what_the_ranker_never_read_does_not_come_into_its_view():
    texts = {"a": "piano desk lamp chair organ organ", "b": "piano piano", "c": "lamp"}
    ranking = ix.rank(FirstWords(), "keys", texts)
    found = KernelSHAP().explain(ranking, "a")
    judged = faithfulness(found)
    assert judged.deletion == (1, 1.5, 1.5, 1.5, 1.5)  # below b, and then beside c, without a piano
    assert judged.preservation == (1.5, 1, 1, 1, 1)
    cut = ix.rank(FirstWords(), "keys", texts, truncated="cut")
    assert faithfulness(KernelSHAP().explain(cut, "a")) == judged
    # One that cannot tell is edited as a whole, and the organs at the end come into its view.
    whole = ix.rank(FirstWords(tells=False), "keys", texts)
    assert faithfulness(dataclasses.replace(found, ranking=whole)).deletion == (1, 1, 0.5, 0.5, 0.5)


def test_the_words_that_matter_move_the_document_and_random_ones_less():
    judged = faithfulness(explained(), words=5)
    assert judged.falls > judged.random_falls + 2
    assert judged.loses < judged.random_loses - 2


def test_reversed_weights_are_worse():
    found = explained()
    backwards = dataclasses.replace(found, weights=tuple(-weight for weight in found.weights))
    good, bad = faithfulness(found, words=3), faithfulness(backwards, words=3)
    assert bad.falls < good.falls
    assert bad.loses > good.loses


def test_all_is_asked_at_once_and_the_same_text_once():
    found = explained()
    scorer = found.ranking.scorer.scorer
    calls = len(scorer.calls)
    judged = faithfulness(found, words=6, draws=3)
    assert len(scorer.calls) <= calls + 1
    assert judged == faithfulness(found, words=6, draws=3)
    assert len(scorer.calls) <= calls + 1
    assert faithfulness(found, words=6, draws=3, seed=1) != judged


def test_steps_end_with_the_words():
    texts = ["piano!", "desk", "pianos"]
    ranking = ix.rank(lambda q, t: [x.count("piano") for x in t], "keys", texts)
    judged = faithfulness(KernelSHAP().explain(ranking, "0"))
    assert judged.words == 1
    # Two documents score 1; without its word the document ties with the desk.
    assert judged.deletion == (0.5, 1.5)
    assert judged.preservation == (1.5, 0.5)
    assert (judged.documents, judged.to_dict()["falls"]) == (3, 1.0)


def test_a_listwise_ranker():
    ranking = ix.rank(Listwise(), "keys", ["a grand piano", "piano stool", "desk"])
    judged = faithfulness(KernelSHAP().explain(ranking, 0), draws=2)
    assert judged.deletion[0] == 0
    assert judged.deletion[-1] > 0


def test_what_cannot_be_judged():
    ranking = ix.rank(lambda q, t: [len(x) for x in t], "keys", ["?!", "a piano"])
    with pytest.raises(ix.InputError, match="names no word of the document"):
        faithfulness(KernelSHAP().explain(ranking, "0"))
    found = KernelSHAP().explain(ranking, "1")
    for settings in ({"words": 0}, {"draws": 0}):
        with pytest.raises(ix.InputError, match="1 or more"):
            faithfulness(found, **settings)
    recorded = dataclasses.replace(found, ranking=ranked(["piano", "desk"]), position=0)
    with pytest.raises(ix.InputError, match="faithfulness must ask the ranker"):
        faithfulness(recorded)


@given(
    scores=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    versions=st.lists(st.integers(-1, 5), min_size=1, max_size=4),
    data=st.data(),
)
def test_ranks_against_a_loop(scores, versions, data):
    ranking = ranked(["x"] * len(scores), scores)
    position = data.draw(st.integers(0, len(scores) - 1))
    found = ranks_of(np.array(versions, dtype=float), ranking, position)
    assert found.tolist() == [rank_of(score, ranking, position) for score in versions]


def test_intent_terms_lift_the_last_document():
    texts, scorer = keyboards(seed=1, number=20)
    scorer = Counting(lambda q, batch: [sum(t.lower().count(w) for w in MUSIC) for t in batch])
    ranking = ix.rank(scorer, "keyboard reviews", texts)
    raised = insertion(MUSIC[:3], ranking, draws=4)
    last = len(ranking) - 1
    expected = []
    for number in range(4):
        text = ranking.texts[last]
        edited = insert_terms(text, MUSIC[:number]) if number else text
        expected.append(rank_of(scorer("", [edited])[0], ranking, last))
    assert list(raised.curve) == expected
    assert raised.rises > raised.random_rises >= 0
    assert raised.terms == tuple(MUSIC[:3])
    assert raised.to_dict()["curve"] == list(raised.curve)


def test_an_explanation_can_be_put_in():
    texts, scorer = keyboards(seed=1, number=20)
    ranking = ix.rank(scorer, "keyboard piano pedal", texts)
    intent = ix.QueryTerms().explain(ranking)
    assert insertion(intent, ranking) == insertion(intent.terms, ranking)
    one = KernelSHAP(samples=200).explain(ranking, 0)
    against = dataclasses.replace(one, weights=(-9.0, *one.weights[1:]))
    raised = insertion(against, ranking, words=3)  # words that speak for the document, not all
    assert raised.terms == against.intent_terms[:3] == one.terms[1:4]
    assert len(insertion(texts[0].split(), ranking).terms) == 10


def test_random_terms_of_a_pool():
    scorer = Counting(lambda q, texts: [text.count("piano") for text in texts])
    ranking = ix.rank(scorer, "keys", ["piano piano", "piano stool", "desk"])
    raised = insertion(["piano", "pedal"], ranking, pool=["piano"], draws=2)
    assert raised.random == (2, 1.5, 0.5)  # one piano more each time
    assert raised.curve == (2, 1.5, 1.5)
    assert insertion(["piano"], ranking, pool=["lamp"]).random_rises == 0
    nothing = insertion(["piano"], ranking, pool=[])
    assert math.isnan(nothing.random_rises)
    assert json.loads(json.dumps(nothing.to_dict(), allow_nan=False))["random"] == [None, None]


@pytest.mark.parametrize("terms", [[], "piano", 3, None])
def test_insertion_of_nothing(terms):
    ranking = ix.rank(lambda q, t: [len(x) for x in t], "keys", ["desk", "piano"])
    with pytest.raises(ix.InputError, match="one term or more"):
        insertion(terms, ranking)


def test_insertion_of_what_is_no_text():
    ranking = ix.rank(lambda q, t: [len(x) for x in t], "keys", ["desk", "piano"])
    with pytest.raises(ix.InputError, match="terms must be texts, not 7"):
        insertion(["piano", 7], ranking)
    with pytest.raises(ix.InputError, match="pool must be a sequence"):
        insertion(["piano"], ranking, pool="piano")
    for settings in ({"words": 0}, {"draws": 0}):
        with pytest.raises(ix.InputError, match="1 or more"):
            insertion(["piano"], ranking, **settings)


def test_insertion_into_a_recorded_ranking():
    with pytest.raises(ix.InputError, match="insertion must ask the ranker"):
        insertion(["piano"], ranked(["piano", "desk"]))

import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.evaluation.fidelity import judge
from intentx.preferences import PreferenceMatrices, TermScores
from intentx.preferences.simple_rankers import default_simple_rankers, term_scores
from intentx.text import TextIndex
from tests import oracles
from tests.strategies import matrices
from tests.toys import MUSIC, Counting, keyboards, random_documents, ranked

QUICK = {"simple_rankers": (ix.TextMatching(), ix.PositionAware()), "generality": 0.0, "candidates": 12}


def words(ranking, *terms):
    """The least that the judge needs."""
    return SimpleNamespace(ranking=ranking, terms=terms)


def recorded(number=11, seed=0):
    texts = random_documents(seed, number, [*MUSIC, "desk", "shop"])
    scores = [text.lower().count("piano") + 0.1 * text.lower().count("pedal") for text in texts]
    return ranked(texts, scores, query="piano pedal")


@given(matrices(), st.integers(1, 4), st.data())
def test_every_row_agrees_with_the_loops(matrices, gap, data):
    n = matrices.scores.values.shape[2]
    scores = sorted(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)), reverse=True)
    everything = oracles.pairs(scores)
    ranking = ranked([f"text {i}" for i in range(n)], scores)
    if not everything:
        with pytest.raises(ix.InputError, match="no preference pair"):
            judge(ranking, matrices, matrices.pairs, gap=gap)
        return
    found = judge(ranking, matrices, matrices.pairs, gap=gap)
    fitted = set(matrices.pairs)
    subsets = {
        "all": everything,
        "far": [(high, low) for high, low in everything if low - high >= gap],
        "fitted": [pair for pair in everything if pair in fitted],
        "heldout": [pair for pair in everything if pair not in fitted],
    }
    assert [row.name for row in found.rows] == list(subsets)
    for row in found.rows:
        pairs = subsets[row.name]
        assert row.pairs == len(pairs)
        if not pairs:
            assert math.isnan(row.vote)
            assert math.isnan(row.majority)
            assert all(map(math.isnan, row.by_ranker.values()))
            assert row.reason
            assert math.isnan(getattr(found, row.name))
            continue
        values, scale = matrices.scores.values, matrices.scale
        vote, majority, each, ties = oracles.fidelity_row(values, scale, matrices.margin, pairs)
        assert (row.vote, row.majority, row.ties, row.reason) == (vote, majority, ties, "")
        assert list(row.by_ranker.values()) == each
        assert getattr(found, row.name) == vote
        assert 0 <= row.vote <= 1
    assert found.ranker_ties == n * (n - 1) // 2 - len(everything)
    order = oracles.copeland(matrices.scores.values, matrices.scale, matrices.margin)
    assert found.rbo == pytest.approx(
        oracles.rbo_ext(list(range(n)), sorted(range(n), key=lambda i: (-order[i], -i)))
    )
    if len(set(order)) == 1:
        assert math.isnan(found.tau)
    else:
        assert found.tau == pytest.approx(oracles.kendall_tau_b(scores, order))
    again = ix.Fidelity.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert repr(again.to_dict()) == repr(found.to_dict())


def test_words_of_any_method_become_an_expanded_query():
    ranking = recorded()
    found = ix.fidelity(words(ranking, "piano", "pedal"), gap=3)
    scores = term_scores(
        ("piano", "pedal"), TextIndex(ranking.texts, ix.Analyzer()), default_simple_rankers()
    )
    pairs = ix.preference_pairs(ranking)
    assert found.all == PreferenceMatrices(scores, pairs).coverage([0, 1])
    assert found.fitted == found.all
    assert math.isnan(found.heldout)
    assert found.rows[3].reason == "every pair was fitted"
    assert set(found.rows[0].by_ranker) == {"text matching (bm25)", "position aware", "semantic"}
    one = ix.fidelity(words(ranking, "piano"), simple_rankers=[ix.TextMatching("tf")])
    assert one.all == one.rows[0].majority == one.rows[0].by_ranker["text matching (tf)"]


def test_the_judge_reads_with_the_analyzer_it_is_given():
    ranking = ranked(["pianos", "desks"], query="anything")
    one = {"simple_rankers": [ix.TextMatching()]}
    assert ix.fidelity(words(ranking, "piano"), **one).all == 0
    assert ix.fidelity(words(ranking, "piano"), analyzer=ix.Analyzer(stem="english"), **one).all == 1


def test_ties_and_words_that_nobody_uses_are_not_agreement():
    ranking = recorded()
    for explanation in (words(ranking), words(ranking, "trombone")):
        found = ix.fidelity(explanation)
        assert found.all == found.rows[0].majority == 0
        assert found.rows[0].ties == found.rows[0].pairs > 0
        assert math.isnan(found.tau)


def test_perfect_and_opposite():
    ranking = ranked(["piano " * (9 - i) + "desk " * i for i in range(9)], query="anything")
    rankers = [ix.TextMatching("tf")]
    good = ix.fidelity(words(ranking, "piano"), simple_rankers=rankers, gap=4)
    bad = ix.fidelity(words(ranking, "desk"), simple_rankers=rankers, gap=4)
    assert (good.all, good.far, good.tau, good.rbo) == pytest.approx((1, 1, 1, 1))
    assert (bad.all, bad.far, bad.tau) == (0, 0, -1)
    assert good.rows[1].pairs == 15


@given(st.permutations(range(11)))
def test_permuting_the_documents_changes_nothing(order):
    ranking = recorded()
    scores = ranking.scores - np.arange(11) * 1e-6  # no ties, whose order the input decides
    straight = ix.Ranking("piano", ranking.doc_ids, ranking.texts, scores)
    shuffled = ix.Ranking(
        "piano",
        tuple(ranking.doc_ids[i] for i in order),
        tuple(ranking.texts[i] for i in order),
        scores[list(order)],
    )
    for terms in (("piano", "desk"), ("pedal",)):
        first, second = ix.fidelity(words(straight, *terms)), ix.fidelity(words(shuffled, *terms))
        assert first.to_dict() == second.to_dict()


def test_permuting_tied_documents_changes_no_share():
    ranking = recorded()
    assert len(set(ranking.scores)) < len(ranking)
    reverse = ix.Ranking("piano", ranking.doc_ids[::-1], ranking.texts[::-1], ranking.scores[::-1])
    assert reverse.doc_ids != ranking.doc_ids
    first = ix.fidelity(words(ranking, "piano", "desk"))
    second = ix.fidelity(words(reverse, "piano", "desk"))
    assert first.ranker_ties == second.ranker_ties > 0
    assert first.all == pytest.approx(second.all)
    assert first.tau == pytest.approx(second.tau)


def test_what_the_table_shows():
    text = ix.Multiplex(**QUICK).explain(recorded(30)).text()
    for part in (
        "far (≥10)",
        "vote",
        "majority",
        "Kendall τ-b",
        "RBO_ext(p=.9)",
        "tied by the ranker",
    ):
        assert part in text


def test_one_pair_is_measured_and_the_rest_is_nan_with_a_reason():
    found = ix.fidelity(words(ranked(["piano", "desk"]), "piano"), simple_rankers=[ix.TextMatching()])
    assert (found.all, found.fitted) == (1, 1)
    assert math.isnan(found.far)
    assert found.rows[1].reason == "no pair is 10 or more ranks apart"


def test_bad_arguments_are_named():
    with pytest.raises(ix.InputError, match="gap must be 1 or more, not 0"):
        ix.fidelity(words(recorded(), "piano"), gap=0)
    with pytest.raises(ix.InputError, match="all 2 documents have the same score"):
        ix.fidelity(words(ranked(["a1", "b1"], [1, 1]), "a1"))


class Remember:
    """A method that returns the words it is given and keeps what it was shown."""

    def __init__(self, error=None, terms=("piano",)):
        self.shown, self.error, self.terms = [], error, terms

    def explain(self, ranking):
        self.shown.append(ranking)
        if self.error:
            raise self.error
        return words(ranking, *self.terms)


def test_held_out_documents_are_hidden_and_judged_by_statistics_of_the_others():
    ranking, rankers = recorded(20), [ix.TextMatching(), ix.PositionAware()]
    terms = ("piano", "pedal", "desk", "shop")  # whose weights beside each other depend on their idf
    method = Remember(terms=terms)
    found = ix.heldout_fidelity(method, ranking, share=0.3, repeats=4, seed=1, simple_rankers=rankers)
    assert len(found.values) == len(found.terms) == len(found.reasons) == len(method.shown) == 4
    assert len({shown.doc_ids for shown in method.shown}) == 4
    for shown, value in zip(method.shown, found.values, strict=True):
        assert len(shown) == 14
        hidden = ranking.subset(i for i, d in enumerate(ranking.doc_ids) if d not in shown.doc_ids)
        scores = [
            [
                [oracles.bm25(t, text, shown.texts, ix.Analyzer()) for text in hidden.texts]
                for t in terms
            ],
            [[oracles.position_aware(t, text, ix.Analyzer()) for text in hidden.texts] for t in terms],
        ]
        pairs = ix.preference_pairs(hidden)
        assert value == PreferenceMatrices(TermScores(scores), pairs).coverage(range(4))
    assert found.mean == pytest.approx(np.mean(found.values))
    assert 0 <= found.low < found.mean < found.high <= 1
    again = ix.heldout_fidelity(Remember(terms=terms), ranking, 0.3, 4, 1, simple_rankers=rankers)
    assert again == found
    assert "4 of 4 splits" in repr(found)


def test_held_out_fidelity_of_a_real_method():
    texts, scorer = keyboards(number=40)
    ranking = ix.rank(scorer, "keyboard", texts)
    found = ix.heldout_fidelity(ix.Multiplex(**QUICK), ranking, repeats=3)
    assert 0.6 < found.mean <= 1
    assert all(len(terms) for terms in found.terms)


def test_splits_without_a_value_are_kept_with_their_reason():
    ranking = ranked(["piano"] * 10, [2] + [1] * 9)
    found = ix.heldout_fidelity(Remember(), ranking, repeats=6)
    measured = [not math.isnan(value) for value in found.values]
    assert any(measured) != all(measured)
    for value, reason in zip(found.values, found.reasons, strict=True):
        assert math.isnan(value) == bool(reason)
    assert "have the same score" in "".join(found.reasons)
    assert found.mean == 0  # ties of equal texts are no agreement
    none = ix.heldout_fidelity(Remember(ix.InputError("no word")), ranking, repeats=2)
    assert math.isnan(none.mean)
    assert math.isnan(none.low)
    assert "0 of 2 splits" in repr(none)


def test_other_errors_are_not_swallowed():
    with pytest.raises(ix.ScorerError):
        ix.heldout_fidelity(Remember(ix.ScorerError("broken")), recorded())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 0}, "share must lie between 0 and 1, not 0"),
        ({"share": 1.0}, "share must lie between 0 and 1"),
        ({"repeats": 0}, "repeats must be 1 or more, not 0"),
        ({"number": 3}, "need a ranking of 4 documents or more, not 3"),
    ],
)
def test_splits_that_cannot_be(arguments, message):
    ranking = recorded(arguments.pop("number", 8))
    with pytest.raises(ix.InputError, match=message):
        ix.heldout_fidelity(Remember(), ranking, **arguments)


def test_pairs_by_position_do_not_fit_a_part_of_the_ranking():
    method = ix.Multiplex(pairs=ix.Pairs([0], [1]), **QUICK)
    with pytest.raises(ix.InputError, match="pairs given by position do not fit"):
        ix.heldout_fidelity(method, recorded())


def test_the_extremes_of_the_share_leave_two_documents_on_each_side():
    for share, shown in ((0.01, 9), (0.99, 2)):
        method = Remember()
        ix.heldout_fidelity(method, recorded(11), share=share, repeats=1)
        assert [len(ranking) for ranking in method.shown] in ([shown], [])


def test_the_scorer_is_asked_nothing_by_the_judge():
    scorer = Counting()
    ranking = ix.rank(scorer, "piano", recorded().texts)
    calls = len(scorer.calls)
    ix.fidelity(words(ranking, "piano"))
    assert len(scorer.calls) == calls


class Vowels:
    """A dense encoder of texts."""

    def vectors(self, texts, side):
        return np.array([[float(text.count(vowel)) for vowel in "aeiou"] for text in texts])


def test_dense_is_judged_with_the_query_of_the_ranking():
    ranking = recorded()
    [unsaid, said, alone] = [
        [ix.TextMatching(), ix.Dense(Vowels(), query)] for query in (None, ranking.query, "")
    ]
    explanation = ix.RandomTerms(simple_rankers=unsaid, max_terms=2, seed=1).explain(ranking)
    found = [ix.fidelity(explanation, simple_rankers=some).rows[0] for some in (unsaid, said, alone)]
    assert explanation.fidelity.rows[0] == found[0] == found[1] != found[2]
    plain = ix.RandomTerms(simple_rankers=[ix.TextMatching()], max_terms=2)
    found = [
        ix.heldout_fidelity(plain, ranking, simple_rankers=some, repeats=9).by_ranker["dense"]
        for some in (unsaid, said, alone)
    ]
    assert found[0] == found[1] != found[2]


def test_four_simple_rankers_fit_a_terminal():
    four = default_simple_rankers(encoder=Vowels())
    found = ix.QueryTerms(simple_rankers=four).explain(recorded())
    lines = found.text(width=80).splitlines()
    assert max(map(len, lines)) <= 80
    [heads] = [line for line in lines if "dense" in line]
    assert "…" not in heads
    assert all(name in heads for name in ("majority", "matching", "semantic", "ties"))


def test_seven_simple_rankers_are_rows():
    names = "bm25,tf,tfidf,lm,position,semantic,proximity"
    found = ix.QueryTerms(simple_rankers=names).explain(recorded())
    lines = found.text(width=80).splitlines()
    assert max(map(len, lines)) <= 80
    row = found.fidelity.rows[0]
    shares = {name: row.by_ranker[name] for name in ("position aware", "proximity")}
    shares |= {"tfidf": row.by_ranker["text matching (tfidf)"]}
    shares |= {"vote": row.vote, "majority": row.majority}
    cells = [[cell.strip() for cell in re.split("[|│]", line)[1:3]] for line in lines]
    assert [[name, f"{share:.3f}"] in cells for name, share in shares.items()] == [True] * 5

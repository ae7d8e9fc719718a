"""Documents with terms put in and taken out by chance: what is changed, how often, and nothing else."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intentx import Analyzer
from intentx.perturbation import LONGEST_EDITED
from intentx.random_edits import PUT_IN, TAKEN_OUT, randomised_edits
from intentx.text import TextIndex
from tests.strategies import texts
from tests.toys import keyboards, ranked

ANALYZERS = [Analyzer(), Analyzer(stem="english")]
THAI = ["ฉันชอบดื่มชาเขียวร้อนๆ", "ชาเขียวเย็น", "กาแฟร้อน"]
CHINESE = ["我喜欢用手机搜索引擎", "绿茶很好喝", "手机很贵"]


def drawn(documents, terms, number=40, seed=0, analyzer=ANALYZERS[0]):
    ranking = ranked(documents)
    return ranking, randomised_edits(ranking, terms, TextIndex(ranking.texts, analyzer), number, seed)


def words_of(documents, analyzer=ANALYZERS[0]):
    return list(dict.fromkeys(term for text in documents for term in analyzer.terms(text)))


def counted(text, analyzer):
    return Counter(token.term for token in analyzer.tokens(text))


def check(ranking, edits, terms, analyzer):
    """Each text is its source, with just the changes that are told."""
    for text, source, row in zip(edits.edits.texts, edits.edits.source, edits.change, strict=True):
        expected = counted(ranking.texts[source], analyzer)
        for term, change in zip(terms, row, strict=True):
            if change < 0:
                assert expected.pop(term)
            elif change > 0:
                assert term not in expected
                expected[term] = 1
        assert counted(text, analyzer) == expected
        if not row.any():
            assert text == ranking.texts[source]


@settings(max_examples=100)
@given(
    documents=st.lists(texts, min_size=1, max_size=5),
    analyzer=st.sampled_from(ANALYZERS),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_what_is_told_is_what_was_changed_and_nothing_else(documents, analyzer, seed, data):
    # The analyzer reads "key's" as "key"; without it "'s" stands alone, where it is a term.
    documents = [text.replace("key's", "keys") for text in documents]
    words = words_of(documents, analyzer)
    terms = data.draw(st.lists(st.sampled_from([*words, "absent"]), unique=True, min_size=1, max_size=6))
    ranking, edits = drawn(documents, terms, 6, seed, analyzer)
    assert len(edits) == 6
    assert set(np.unique(edits.change)) <= {-1, 0, 1}
    assert not np.any((edits.change != 0) & (np.sign(edits.change) != np.sign(edits.expected)))
    check(ranking, edits, terms, analyzer)


@pytest.mark.parametrize("documents", [THAI, CHINESE])
def test_languages_without_spaces(documents):
    terms = words_of(documents)
    assert len(terms) > 8
    ranking, edits = drawn(documents, terms, 60)
    assert np.abs(edits.change).sum(axis=0).min() > 5
    for text, source, row in zip(edits.edits.texts, edits.edits.source, edits.change, strict=True):
        found = ANALYZERS[0].terms(text)
        for term, change in zip(terms, row, strict=True):
            if change:
                assert (term in found) == (change > 0), text
        kept = [t for t in ANALYZERS[0].terms(ranking.texts[source]) if row[terms.index(t)] == 0]
        assert set(kept) <= set(found)


def test_words_do_not_grow_together():
    _, edits = drawn(["用手机好", "abc手机def"], ["手机"], 40)
    gone = {text for text, change in zip(edits.edits.texts, edits.change, strict=True) if change[0]}
    assert gone == {"用 好", "abc def"}
    sign = "\U0003ddb4"  # neither letter nor digit, and a word to the analyzer
    _, edits = drawn([sign], ["tea"], 40)
    put_in = {text for text, row in zip(edits.edits.texts, edits.change, strict=True) if row[0] > 0}
    assert put_in == {f"tea {sign}", f"{sign} tea"}


def test_a_term_is_written_as_somewhere_in_the_ranking():
    documents = ["Reviews of keyboards", "they REVIEW it", "tea"]
    _, edits = drawn(documents, ["review"], 90, analyzer=ANALYZERS[1])
    put_in = [t for t, row in zip(edits.edits.texts, edits.change, strict=True) if row[0] > 0]
    written = {text.replace("tea", "").strip() for text in put_in}
    assert written == {"Reviews", "REVIEW"}


def test_a_term_stands_where_it_would_stand():
    documents = ["a green tea pot, and more", "we like green lamps", "a nice pot", "a boat"]
    _, edits = drawn(documents, ["tea"], 160)
    where = {s: set() for s in range(4)}
    for text, source, row in zip(edits.edits.texts, edits.edits.source, edits.change, strict=True):
        if row[0] > 0:
            where[source].add(text)
    assert where[1] == {"we like green tea lamps"}  # behind the word that it follows elsewhere
    assert where[2] == {"a nice tea pot"}  # before the word that follows it elsewhere
    assert where[3] == {"a tea boat", "a boat tea"}  # stopwords are no places


def test_all_occurrences_go_at_once():
    _, edits = drawn(["Tea, tea and TEA.", "milk"], ["tea"], 60)
    texts_of_first = {t for t, s in zip(edits.edits.texts, edits.edits.source, strict=True) if s == 0}
    assert texts_of_first == {"Tea, tea and TEA.", ", and."}


def test_expected_is_the_probability_of_a_change():
    documents, _ = keyboards(number=12)
    terms = [*words_of(documents), "absent", "nowhere"]
    ranking = ranked(documents)
    index = TextIndex(ranking.texts, ANALYZERS[0])
    held = (index.counts_of(terms) > 0).T
    total = np.zeros(held.shape)
    for seed in range(120):
        edits = randomised_edits(ranking, terms, index, 12, seed)
        expected = np.where(
            held, -TAKEN_OUT, np.minimum(0.5, PUT_IN / np.maximum((~held).sum(1, keepdims=True), 1))
        )
        np.testing.assert_allclose(edits.expected, expected[edits.edits.source])
        total[edits.edits.source] += edits.change
    errors = np.sqrt(np.abs(expected) * (1 - np.abs(expected)) / 120)
    assert np.abs(total / 120 - expected).max() < 4.5 * errors.max()
    assert np.abs((total / 120 - expected) / errors).mean() < 1  # .8 of normal numbers


@pytest.mark.parametrize("number", [1, 7, 24, 60])
def test_documents_and_terms_take_turns(number):
    documents, _ = keyboards()
    terms = words_of(documents)
    _, edits = drawn(documents, terms, number)
    times = np.bincount(edits.edits.source, minlength=24)
    assert times.max() - times.min() <= 1
    assert len(edits) == number
    # As often as expected but for 1 each, of those that hold the term, and of those that lack it.
    change, expected = edits.change, edits.expected
    for sign in (-1, 1):
        often = (sign * change).clip(0).sum(axis=0)
        mean = (sign * expected).clip(0).sum(axis=0)
        # Documents lack different numbers of terms, and their probabilities differ a little.
        assert np.abs(often - mean).max() <= (1 if sign < 0 else 3)


def test_terms_in_no_document_and_in_all():
    _, edits = drawn(["tea pot", "tea cup", "tea"], ["tea", "absent"], 60)
    assert set(edits.change[:, 0]) == {-1, 0}
    assert set(edits.change[:, 1]) == {0, 1}
    np.testing.assert_allclose(edits.expected[:, 1], 0.5)  # never more often than not
    assert -edits.change[:, 0].sum() == pytest.approx(60 * TAKEN_OUT, abs=1)


@pytest.mark.parametrize(
    ("documents", "possible"),
    [
        ([""], {"", "tea", "pot", "tea pot", "pot tea"}),
        (["tea"], {"", "tea", "pot", "tea pot", "pot tea"}),
        (["!"], {"!", "! tea", "! pot", "! tea pot", "! pot tea"}),
    ],
)
def test_short_documents(documents, possible):
    _, edits = drawn(documents, ["tea", "pot"], 80)
    assert {text.strip() for text in edits.edits.texts} == possible
    assert set(edits.edits.source) == {0}


def test_long_documents_are_not_edited():
    long = "piano " * (LONGEST_EDITED // 6 + 1)
    _, edits = drawn([long, "a piano", "the pedal"], ["piano"], 9)
    assert set(edits.edits.source) == {1, 2}
    _, edits = drawn([long, long + "more"], ["piano"], 9)
    assert len(edits) == 0
    assert edits.change.shape == edits.expected.shape == (0, 1)


def test_edits_depend_on_the_seed_only():
    documents, _ = keyboards()

    def some(seed):
        np.random.seed(5)  # noqa: NPY002
        return drawn(documents, ["piano", "desk"], 30, seed)[1].edits.texts

    assert some(0) == some(0) != some(1)
    assert some([0, 1]) == some([0, 1]) != some(0)


def test_edits_add_up():
    documents, _ = keyboards()
    one, two = (drawn(documents, ["piano", "desk"], n, n)[1] for n in (3, 5))
    both = one + two
    assert len(both) == 8
    assert both.edits.texts == one.edits.texts + two.edits.texts
    np.testing.assert_array_equal(both.change[3:], two.change)
    np.testing.assert_array_equal(both.expected[:3], one.expected)
    np.testing.assert_array_equal(both.edits.source[3:], two.edits.source)

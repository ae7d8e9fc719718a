import itertools
import json

import icu4py
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intentx import Analyzer, InputError
from intentx.errors import TextWarning
from intentx.text import STOPWORDS, TextIndex, Token, replace_spans
from intentx.text.analyzer import LONGEST_REMEMBERED, _remembered
from intentx.text.words import fold
from tests.strategies import prose, texts

PLAIN = Analyzer()
ANALYZERS = [
    PLAIN,
    Analyzer(stem="english"),
    Analyzer(ngrams=3),
    Analyzer(language="de", stem=True, ngrams=2),
    Analyzer(language="th", stopwords=(), strip_markup=True),
    Analyzer(segmenter="letters"),
]


@given(texts)
@example("İstanbul's ﬁne KEY’S 'ſ")
@example("漢字piano漢字")
def test_the_text_of_a_span_folds_to_its_term(text):
    for token in PLAIN.tokens(text):
        assert fold(text[token.start : token.end]) == token.term
        assert token.start < token.end <= len(text)


@given(texts)
def test_what_is_remembered_is_what_is_found(text):
    for analyzer in ANALYZERS:
        fresh = analyzer._analysed(text)
        for _ in range(2):
            assert (analyzer.tokens(text), analyzer.sentences(text)) == fresh


def test_an_index_asks_the_analyzer_that_it_is_given():
    class Halves(Analyzer):
        """One of somebody's own."""

        def tokens(self, text):
            return super().tokens(text)[::2]

        def sentences(self, text):
            return (0, 1, 2)

    index = TextIndex(["tea with milk, honey and a biscuit"], Halves())
    assert index.vocabulary == ("tea", "honey")
    assert index.sentence_counts.tolist() == [3]


def test_long_texts_are_not_remembered():
    short, long = "tea with milk", "tea with milk " * LONGEST_REMEMBERED
    PLAIN.tokens(short)
    before = _remembered.cache_info()
    PLAIN.tokens(long)
    PLAIN.tokens(short)
    PLAIN.sentences(long)
    after = _remembered.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)


@given(texts)
def test_words_follow_each_other_and_sentences_contain_them(text):
    tokens, starts = PLAIN.tokens(text), PLAIN.sentences(text)
    assert starts[0] == 0
    assert list(starts) == sorted(set(starts))
    for before, after in itertools.pairwise(tokens):
        assert before.end <= after.start
    for token in tokens:
        assert token.sentence == sum(start <= token.start for start in starts) - 1
        # A stopword is a term only as a name in capitals (US) or as initials (u.s.).
        word = text[token.start : token.end]
        assert token.term not in STOPWORDS or word.isupper() or "." in word


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=repr)
@given(text=texts)
def test_terms_are_distinct_and_spans_agree_with_tokens(analyzer, text):
    terms, tokens = analyzer.terms(text), analyzer.tokens(text)
    assert len(terms) == len(set(terms))
    assert set(terms) == {token.term for token in tokens}
    assert [(t.start, t.end) for t in tokens] == sorted((t.start, t.end) for t in tokens)
    assert analyzer.spans(text, terms) == [(t.start, t.end) for t in tokens]
    assert analyzer.spans(text, []) == []


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Straße STRASSE", ("strasse",)),
        ("Café cafe\u0301", ("café",)),
        ("the keyboard's keys, it’s", ("keyboard", "keys")),
        ("3.5 1,000 2.", ("3.5", "1,000", "2")),
        ("用iPhone手机", ("用", "iphone", "手机")),
        ("コーヒー", ("コーヒー",)),
        ("שָׁלוֹם كتاب किताब", ("שָׁלוֹם", "كتاب", "किताब")),
        ("👩‍👩‍👧 and 👍🏽", ("👩‍👩‍👧", "👍🏽")),
        ("<b>bold</b>", ("b", "bold")),
        ("", ()),
        (" \n\t ", ()),
        ("... --- !!!", ()),
    ],
)
def test_words_of_many_scripts(text, terms):
    assert PLAIN.terms(text) == terms


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("One. Two! Three? four", (0, 5, 10)),
        ("Dr. Who met J. Smith. Then", (0, 22)),
        ("Vitamin c. Then", (0, 11)),
        ("e.g. This", (0,)),
        ("A line\nand a line\n\nA paragraph", (0, 19)),
        ("\n\n Blank lines. In front", (0, 16)),
        ("Blank lines at the end.\n\n", (0,)),
        ("你好。再见。\n", (0, 3)),
        ("「你好。」再见", (0, 5)),
        ("おはよう。そう？はい", (0, 5, 8)),
        ("यह है। वह है।", (0, 7)),
        ("یہ ہے۔وہ ہے۔", (0, 6)),
        ("مرحبا؟ نعم.", (0, 7)),
        ("ខ្ញុំ។ អ្នក។ល។ នេះ", (0, 7)),
        ("သည်။ တို့။", (0, 5)),
        ("ฉันรักชา\n\nเขา", (0, 10)),
        ("In the U.S. Then", (0,)),
        ("He said “no!” Then left", (0, 14)),
        ("", (0,)),
    ],
)
def test_sentences(text, starts):
    assert PLAIN.sentences(text) == starts


def test_ngrams_stay_in_a_sentence_and_stop_at_stopwords():
    text = "grand piano keys of ivory. Black keys"
    assert set(Analyzer(ngrams=3).terms(text)) - set(PLAIN.terms(text)) == {
        "grand piano",
        "piano keys",
        "grand piano keys",
        "black keys",
    }
    token = Analyzer(ngrams=2).tokens(text)[1]
    assert token == Token("grand piano", 0, 11, 0)


def test_stopwords_are_compared_before_stemming_and_folded():
    analyzer = Analyzer(stem="english", stopwords=frozenset({"Running"}))
    assert analyzer.terms("running runs RUNNING the") == ("run", "the")


@pytest.mark.parametrize("analyzer", [*ANALYZERS, Analyzer(stopwords=frozenset({"a", "b"}))], ids=repr)
def test_analyzer_through_plain_data(analyzer):
    plain = analyzer.to_dict()
    assert Analyzer.from_dict(json.loads(json.dumps(plain))) == analyzer
    english = analyzer.language == "en" and analyzer.stopwords != frozenset({"a", "b"})
    assert (plain["stopwords"] is None) == english


def test_the_segmenter_and_its_version_are_recorded():
    assert PLAIN.to_dict() == {
        "stem": None,
        "stopwords": None,
        "ngrams": 1,
        "language": "en",
        "segmenter": {"name": "icu", "version": icu4py.icu_version},
        "strip_markup": False,
    }


def test_data_from_before_segmenters_is_read_as_it_was_made():
    old = Analyzer.from_dict({"stem": None, "stopwords": None, "ngrams": 1})
    assert old == Analyzer(segmenter="letters")
    assert old.terms("covid-19 用手机 IT AT&T") == ("covid", "19", "用", "手", "机", "t")


def test_another_version_of_icu_is_told():
    plain = PLAIN.to_dict() | {"segmenter": {"name": "icu", "version": "4.2"}}
    with pytest.warns(TextWarning, match="version 4.2 of the segmenter icu"):
        assert Analyzer.from_dict(plain) == PLAIN


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stem": "klingon"}, "no stemmer for 'klingon'.*english"),
        ({"ngrams": 0}, "ngrams must be 1 or more, not 0"),
        ({"stopwords": "the"}, "collection of words"),
        ({"language": "klingon"}, "no language 'klingon'.*german \\(de\\)"),
        ({"language": "lao"}, "no stopwords for lao.*--stopwords none"),
        ({"language": "th", "stem": True}, "no stemmer for 'th'.*english"),
        ({"segmenter": "icu4"}, "'icu', 'letters' or a callable.*'icu4'"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Analyzer(**settings)


@given(prose(), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=6))
def test_replace_spans_changes_exactly_the_spans(text, drawn):
    spans = [(start, start + size) for start, size in drawn if start + size <= len(text)]
    inside = [any(start <= i < end for start, end in spans) for i in range(len(text))]
    outside = "".join(c for c, within in zip(text, inside, strict=True) if not within)
    assert replace_spans(text, spans) == outside
    # Between two spans that touch there are two replacements, within overlapping ones there is one.
    kept = replace_spans(text, spans, "\ue000")
    assert kept.replace("\ue000", "") == outside
    assert kept.count("\ue000") <= len(spans)


def test_replace_spans_joins_overlaps_and_keeps_neighbours_apart():
    assert replace_spans("abcdef", [(3, 5), (1, 4)], "_") == "a_f"
    assert replace_spans("abcdef", [(1, 3), (3, 5)], "_") == "a__f"


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=repr)
@given(documents=st.lists(texts, min_size=1, max_size=5))
def test_the_index_counts_what_the_analyzer_finds(analyzer, documents):
    index = TextIndex(documents, analyzer)
    rows = [[token.term for token in analyzer.tokens(text)] for text in documents]
    terms = [*index.vocabulary, "absent term"]
    assert set(index.vocabulary) == {term for row in rows for term in row}
    expected = np.array([[row.count(term) for row in rows] for term in terms])
    assert (index.counts_of(terms) == expected).all()
    assert index.lengths.tolist() == [len(row) for row in rows]
    assert index.sentence_counts.tolist() == [len(analyzer.sentences(text)) for text in documents]
    assert index.rows(terms).tolist() == [*range(len(index.vocabulary)), -1]


def test_a_word_is_a_stopword_in_any_case_and_with_any_apostrophe():
    assert PLAIN.terms("The Don’t it's. THE DON'T IT’S NEVER") == ()


def test_a_megabyte_of_stops_and_blanks_is_read():
    text = "word. " * 90_000 + " " * 200_000 + "." * 200_000 + "\n \n" * 50_000 + "'" * 50_000
    assert len(PLAIN.tokens(text)) == 90_000


@pytest.mark.parametrize(
    ("part", "terms"),
    [
        ("a.b", 1), ("a-b", 5001), ("word.Word", 5001), ("1-2-", 1), ("b@", 5000), ("b&c&", 1),
        ("手机", 5000), ("ดื่มชา", 2 * 5000), ("x+", 5000), ("\u200d", 0), ("❤\u200d", 1), ("C#/.", 5000),
    ],
)  # fmt: skip
def test_long_chains_of_words_are_read(part, terms):
    assert len(Analyzer(stopwords=()).tokens(part * 5000)) == terms


def test_a_long_line_in_capitals_is_read():
    assert PLAIN.terms("IT IS US " * 2000) == ()

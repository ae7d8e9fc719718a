"""Words of scripts without spaces, names with signs in them, and forms that are one term."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx import Analyzer
from intentx.text.words import chunks, cut_chunk, fold
from tests.strategies import texts

PLAIN = Analyzer()
EVERY = Analyzer(stopwords=())


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("ฉันรักการอ่านหนังสือ", "ฉัน รัก การ อ่าน หนังสือ"),
        ("ดื่มน้ำ", "ดื่ม น้ำ"),  # sara am stays one letter
        ("ຂ້ອຍມັກພາສາລາວ", "ຂ້ອຍ ມັກ ພາສາ ລາວ"),
        ("ខ្ញុំចូលចិត្តអានសៀវភៅ", "ខ្ញុំ ចូលចិត្ត អាន សៀវភៅ"),
        ("မြန်မာစကား", "မြန်မာ စကား"),
        ("我喜欢用手机听音乐", "我 喜欢 用 手机 听 音乐"),
        ("私は携帯電話で音楽を", "私 は 携帯 電話 で 音楽 を"),
        ("コーヒーを飲む", "コーヒー を 飲む"),
        ("한국어를 공부합니다", "한국어를 공부합니다"),
        ("5G手机和Wi-Fi 6", "5g 手机 和 wi fi 6"),
        ("ไทยกับ English ผสม 123 บาท", "ไทย กับ english ผสม 123 บาท"),
        ("exam\u00adple", "example"),
        ("می\u200cخواهم", "میخواهم"),
        ("র\u200d্যাম", "র্যাম"),
        ("ｽﾏｰﾄﾌｫﾝ ｶﾞ", "スマート フォン ガ"),
        ("col·lecció צה״ל м’ята", "col·lecció צה״ל м'ята"),
        ("🇩🇪🇩🇰", "🇩🇪 🇩🇰"),
        ("❤️ ❤", "❤ ❤"),
        ("😀😀", "😀 😀"),
        ("❤️‍🔥👩‍👩‍👧👍🏽", "❤‍🔥 👩‍👩‍👧 👍🏽"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿🕵🏽‍♂️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 🕵🏽‍♂"),
        ("★ © ✔ 1.", "1"),
    ],
)
def test_words(text, terms):
    assert [token.term for token in EVERY.tokens(text)] == terms.split()


@pytest.mark.parametrize("before", ["", "😀 ", "𠮷", "👩‍👩‍👧", "e\u0301"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("手机", ["手机"]),
        ("ดื่มชา", ["ดื่ม", "ชา"]),
        ("𠮷野家で", ["𠮷", "野家", "で"]),
        ("ﾊﾞﾅﾅを", ["ﾊﾞﾅﾅ", "を"]),
    ],
)
def test_places_are_characters_whatever_stands_before(before, text, words):
    whole = f"{before} {text}"
    tokens = [t for t in EVERY.tokens(whole) if t.start > len(before)]
    assert [whole[t.start : t.end] for t in tokens] == words


@pytest.mark.parametrize(
    "word",
    """C++ C# F# C++11 AT&T R&D Q&A H&M S&P500 WH-1000XM5 .NET ASP.NET VB.NET Node.js 60x80 1920x1080
    covid-19 GPT-3.5 SARS-CoV-2 iPhone-15 x86-64 utf-8 ISO-8859-1 B-52 3-D B2B 3.5mm 24/7 9/11 A/B n/a
    10,000 1.5 192.168.0.1 2024-05-31 978-3-16-148410-0 x-ray T-shirt example.com bob.x@example.co.uk
    LGBTQ+ Notepad++ don't O’Neill snake_case setup.py v1.0.2""".split(),
)
@pytest.mark.parametrize(
    "around", ["{}", "({})", "a {}, b", "“{}”", "{}!", "see {}. Then", "{}: x", "手机{}手机"]
)
def test_what_people_search_for_is_one_term(word, around):
    text = around.format(word)
    if word == ".NET" and "手机" in text:
        return  # a dot right behind a word ends a sentence
    for version in (text, text.lower(), text.upper()):
        found = {version[t.start : t.end].casefold().replace("’", "'") for t in EVERY.tokens(version)}
        if not (version.isupper() and word in ("Node.js", "setup.py")):
            assert word.casefold().replace("’", "'") in found, (version, found)
    assert len(EVERY.tokens(word)) == 1
    assert EVERY.terms(word) == EVERY.terms(word.lower())


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("well-known state-of-the-art", "well known state of the art"),
        ("a+b a++b C+D", "a b a b c d"),
        ("the end.Net result", "the end net result"),
        ("20-year-old 1939-1945", "20 year old 1939 1945"),
        ("covid-19-related post-covid-19", "covid-19 related post covid-19"),
        ("and/or TCP/IP", "and or tcp ip"),
        ("va-t-il", "va t il"),
        ("https://www.example.com/path?x=1&y=2", "https www.example.com path x 1 y 2"),
        ("AT&T’s M&M's C#'s", "at&t m&m c# s"),
        ("$5, 50%, #metoo, @user, 5+ years", "5 50 metoo user 5 years"),
        ("C++/C#. Objective-C++", "c++ c# objective c++"),
        ("R & D, but Bob & Ann", "r&d but bob ann"),
        ("...and -- so", "and so"),
        ("60×80 60x80", "60x80 60x80"),
        ("covid‑19 covid‐19", "covid-19 covid-19"),
    ],
)
def test_signs_between_other_words_separate_them(text, terms):
    assert [token.term for token in EVERY.tokens(text)] == terms.split()


@pytest.mark.parametrize(
    "alike",
    [
        ("İstanbul", "istanbul", "İSTANBUL", "i\u0307stanbul"),
        ("U.S.", "US", "u.s.", "U.S"),
        ("Ph.D.", "PhD", "ph.d."),
        ("exam\u00adple", "example", "EXAMPLE"),
        ("ｶﾞ", "ガ", "カ\u3099"),
        ("ＡＢＣ", "abc"),
        ("❤️", "❤"),
        ("ทำ", "ทํา"),
        ("R & D", "r&d"),
        ("don’t", "don't", "donʼt", "DON’T"),
    ],
)
def test_forms_of_one_word_are_one_term(alike):
    assert len({fold(form) for form in alike}) == 1
    assert len({fold(fold(form)) for form in alike}) == 1
    assert {EVERY.terms(form) for form in alike} == {(fold(alike[0]),)}


PARTS = [
    "C",
    "++",
    "#",
    "&",
    " & ",
    "-",
    "19",
    ".",
    "NET",
    "js",
    "/",
    "@",
    "'s",
    "手机",
    "ดื่ม",
    "ｶﾞ",
    "\u200c",
]


@given(texts | st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_words_lie_within_chunks_one_behind_the_other(text):
    for match in chunks(text):
        done = 0
        for start, end in cut_chunk(match.group()):
            assert done <= start < end <= len(match.group())
            done = end
    tokens = EVERY.tokens(text)
    for token, following in itertools.pairwise(tokens):
        assert token.end <= following.start
    for token in tokens:
        assert fold(text[token.start : token.end]) == token.term


def test_capitals_make_names_of_stopwords():
    assert PLAIN.terms("IT jobs") == ("it", "jobs")
    assert PLAIN.terms("WHO guidelines for us") == ("who", "guidelines")
    assert PLAIN.terms("a US visa; join us") == ("us", "visa", "join")
    assert PLAIN.terms("the US FDA, US GDP") == ("us", "fda", "gdp")
    assert PLAIN.terms("what is the u.s. population") == ("us", "population")
    assert PLAIN.terms("IT 产业") == ("it", "产业")
    assert PLAIN.terms("US") == ("us",)
    [token] = [t for t in PLAIN.tokens("Has IT got it?") if t.term == "it"]
    assert (token.start, token.end) == (4, 6)
    assert Analyzer(language="de").terms("Die IT im BIS") == ("it", "bis")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("WHO IS THE PRESIDENT", ("president",)),
        ("HOW IT WORKS. Let us see", ("works", "let", "see")),
        ("ALL ABOUT IT\nIt is about computers", ("computers",)),
        ("CONTACT US", ("contact",)),
        ("DO NOT enter", ("enter",)),
        ("FOR THE BEST price", ("best", "price")),
        ("I am A big fan", ("big", "fan")),
        ("it is NEVER too late", ("late",)),
        ("Don't SHE'S", ()),
    ],
)
def test_but_not_in_a_text_in_capitals(text, terms):
    assert PLAIN.terms(text) == terms


@pytest.mark.parametrize(
    "analyzer",
    [EVERY, Analyzer(stem="english"), Analyzer(language="fr", stem=True), Analyzer(ngrams=2)],
)
def test_occurrences_are_the_terms_of_the_tokens(analyzer):
    texts = [
        "The IT jobs of Müller's C++ team aren’t 3.5 km away; e-mail AT&T, U.S. .NET",
        "IT IS THE END", "手机键盘 ピアノ ภาษาไทย l'homme", "x" * 100 + " the tea", "",
    ]  # fmt: skip
    for text in texts:
        assert analyzer.occurrences(text) == [token.term for token in analyzer.tokens(text)]

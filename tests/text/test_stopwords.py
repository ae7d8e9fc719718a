"""Stopwords and stemmers by language, and stopwords from files."""

import pytest

from intentx import Analyzer, InputError
from intentx.text.stopwords import (
    STOPWORDS,
    language_code,
    read_stopwords,
    stemmer_name,
    stopwords_of,
)


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("german", "Die Häuser und das Meer", ("häuser", "meer")),
        ("de-AT", "Die Häuser und das Meer", ("häuser", "meer")),
        ("spa", "los libros de la casa", ("libros", "casa")),
        ("fr", "L'homme qu’il mange aujourd'hui", ("homme", "mange", "aujourd'hui")),
        ("it", "l'arte dell’acqua", ("arte", "acqua")),
        ("ca", "l'aigua d'estiu", ("aigua", "estiu")),
        ("zh", "我喜欢用手机", ("喜欢", "手机")),
        ("japanese", "携帯電話で音楽を聴く", ("携帯", "電話", "音楽", "聴く")),
        ("th", "ฉันรักและดื่มชา", ("ฉัน", "รัก", "ดื่ม", "ชา")),
        ("ru", "книга и дом", ("книга", "дом")),
        ("fa", "کتاب و خانه", ("کتاب", "خانه")),
        ("english", "the house and the sea", ("house", "sea")),
    ],
)
def test_a_language_chooses_stopwords(language, text, terms):
    assert Analyzer(language=language).terms(text) == terms


def test_an_elided_article_is_cut_off_where_its_word_begins():
    [token] = Analyzer(language="fr").tokens("à l’homme")
    assert (token.term, token.start, token.end) == ("homme", 4, 9)
    assert Analyzer().terms("l’homme") == ("l'homme",)
    # Where no word is left out, the article is a word.
    assert Analyzer(language="fr", stopwords=()).terms("à l’homme") == ("à", "l", "homme")


@pytest.mark.parametrize(
    "names", ["german de deu ger DE de_CH", "chinese zh zho zh-Hans", "thai th tha"]
)
def test_names_and_codes_are_one_language(names):
    assert len({language_code(name) for name in names.split()}) == 1
    assert len({Analyzer(language=name) for name in names.split()}) == 1


@pytest.mark.parametrize("language", ["", "xx", "klingon", None, 3])
def test_other_languages_are_refused_with_those_there_are(language):
    with pytest.raises(InputError, match=r"no language .*burmese \(my\).*zulu \(zu\)"):
        language_code(language)


def test_the_english_list_is_our_own_and_others_are_the_shorter_of_two():
    assert stopwords_of("en") is STOPWORDS
    for word in ("jahr", "zeit", "gott", "uhr"):  # in the longer one
        assert word not in stopwords_of("de")
    assert 50 < len(stopwords_of("th")) < 200


def test_stemmers_go_by_names_and_codes():
    assert [stemmer_name(name) for name in ("german", "de", "deu", "porter", "no")] == [
        "german", "german", "german", "porter", "norwegian",
    ]  # fmt: skip
    assert Analyzer(language="de", stem=True) == Analyzer(language="german", stem="german")
    assert Analyzer(language="de", stem=False) == Analyzer(language="de")
    assert Analyzer(stem=True).terms("running") == ("run",)


def test_a_file_of_stopwords(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("\ufeff# mine\nTea\n\nC# # a language\n  c++\t# another\nd'un\n", encoding="utf-8")
    assert read_stopwords(path) == {"Tea", "C#", "c++", "d'un"}
    assert Analyzer(stopwords=read_stopwords(path)).terms("the Tea is tea, C# and C++") == (
        "the",
        "is",
        "and",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no stopword.*--stopwords none"),
        (b"# nothing\n\n", "holds no stopword"),
        (b"\x00\x01\x02tea", "line 1: a NUL byte"),
        (b"\xff\xfe\x00t", "is UTF-16: save it as UTF-8"),
        (b"tea\nof the\n", "line 2: .*one word per line.*'of the'"),
    ],
)
def test_what_is_no_file_of_stopwords_is_refused(content, message, tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_stopwords(path)


@pytest.mark.parametrize("path", ["absent.txt", "."])
def test_a_missing_file_is_named(path, tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*"):
        read_stopwords(tmp_path / path)

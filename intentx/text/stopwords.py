"""Stopwords and stemmers by language, and stopwords from a file."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path

from intentx.errors import InputError
from intentx.files import numbered_lines
from intentx.text.words import same_letters

__all__ = [
    "ELISIONS",
    "STOPWORDS",
    "folded_stopwords",
    "language_code",
    "read_stopwords",
    "stemmer",
    "stemmer_name",
    "stopwords_of",
]

# Function words only. Lists in wide use also hold words such as "system", "fire" or "bill", which
# are exactly what an intent can be about.
STOPWORDS: frozenset[str] = frozenset(
    """a about above across after again against all almost along already also although always am
    among amongst an and another any anybody anyone anything are aren't around as at away be
    became because become becomes been before behind being below beneath beside besides between
    beyond both but by can can't cannot could couldn't despite did didn't do does doesn't doing
    don't down during e.g each either else enough etc even ever every everybody everyone everything
    except few for from further get gets got had hadn't has hasn't have haven't having he he'd
    he'll he's hence her here here's hers herself him himself his how how's however i i'd i.e i'll i'm
    i've if in inside instead into is isn't it it's its itself just later least less let's like
    many may maybe me might more most much must mustn't my myself near nearly neither never no
    nobody none nor not nothing now nowhere of off often on once one only onto or other others
    ought our ours ourselves out outside over own per perhaps quite rather really same several
    shall shan't she she'd she'll she's should shouldn't simply since so some someone something
    somewhere soon still such than that that's the their theirs them themselves then there there's
    therefore these they they'd they'll they're they've this those though through throughout thus
    to together too toward towards under unless until up upon us very via was wasn't we we'd we'll
    we're we've were weren't what what's whatever when when's whenever where where's wherever
    whether which while who who's whoever whom whose why why's will with within without won't
    would wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves""".split()
)

_COMMENT = re.compile(r"(^|\s)#.*")

# Names and codes (ISO 639-1, 639-2, 639-3) of languages that there are stopwords or a stemmer for, or
# that ICU's dictionaries cut.
_LANGUAGES = """
af afr afrikaans; ar ara arabic; bg bul bulgarian; bn ben bengali; br bre breton; ca cat catalan
cs ces cze czech; da dan danish; de deu ger german; el ell gre greek; en eng english; eo epo esperanto
es spa spanish castilian; et est estonian; eu eus baq basque; fa fas per persian farsi
fi fin finnish; fr fra fre french; ga gle irish; gl glg galician; gu guj gujarati; ha hau hausa
he heb hebrew iw; hi hin hindi; hr hrv croatian; hu hun hungarian; hy hye arm armenian
id ind indonesian in; it ita italian; ja jpn japanese; km khm khmer; ko kor korean; ku kur kurdish
la lat latin; lo lao; lt lit lithuanian; lv lav latvian; mr mar marathi; ms msa may malay malaysian
my mya bur burmese; ne nep nepali; nl nld dut dutch flemish; no nor norwegian nb nob nn nno
pl pol polish; pt por portuguese; ro ron rum romanian; ru rus russian; sk slk slo slovak
sl slv slovenian slovene; so som somali; sr srp serbian; st sot sesotho sotho; sv swe swedish
sw swa swahili; ta tam tamil; th tha thai; tl tgl tagalog fil filipino; tr tur turkish
uk ukr ukrainian; ur urd urdu; vi vie vietnamese; yi yid yiddish; yo yor yoruba
zh zho chi chinese cmn mandarin; zu zul zulu
"""
_CODES = {
    name: row.split()[0] for row in _LANGUAGES.replace("\n", ";").split(";") for name in row.split()
}
_NAMES = {
    row.split()[0]: next(name for name in row.split()[1:] if len(name) > 3 or name == "lao")
    for row in _LANGUAGES.replace("\n", ";").split(";")
    if row.strip()
}

# What is written before a word with an apostrophe for want of its vowel: l'homme, dell'arte.
ELISIONS: dict[str, frozenset[str]] = {
    "fr": frozenset("c d j l m n s t qu jusqu lorsqu puisqu quoiqu".split()),
    "it": frozenset("c d l m s t v un all agl dall degl dell nell sull coll quest quell".split()),
    "ca": frozenset("d l m n s t".split()),
}


def language_code(language: str) -> str:
    """The ISO 639-1 code of a language given by its English name, by a code, or by a tag.

    Raises
    ------
    InputError
        If no such language is known here; the message lists those that are.

    Examples
    --------
    >>> language_code("German"), language_code("deu"), language_code("pt-BR"), language_code("th")
    ('de', 'de', 'pt', 'th')
    """
    wanted = language.strip().casefold() if isinstance(language, str) else ""
    for name in (wanted, wanted.replace("_", "-").partition("-")[0]):
        if name in _CODES:
            return _CODES[name]
    known = ", ".join(f"{name} ({code})" for code, name in sorted(_NAMES.items(), key=lambda n: n[1]))
    raise InputError(f"no language {language!r}; give a name or an ISO code, one of: {known}")


@functools.lru_cache(maxsize=64)
def stopwords_of(language: str) -> frozenset[str]:
    """The stopwords of a language; for English, the list that comes with intentx.

    Lists of other languages come from the packages stop-words and stopwordsiso, the shorter one where
    both have one: long lists hold content words.

    Raises
    ------
    InputError
        If the language is not known, or there is no list for it.

    Examples
    --------
    >>> "und" in stopwords_of("german"), "the" in stopwords_of("en")
    (True, True)
    """
    code = language_code(language)
    if code == "en":
        return STOPWORDS
    import stop_words
    import stopwordsiso

    lists = []
    if stopwordsiso.has_lang(code):
        lists.append(frozenset(stopwordsiso.stopwords(code)))
    name = {"no": "nb"}.get(code, code)
    if name in stop_words.LANGUAGE_MAPPING:
        lists.append(frozenset(stop_words.get_stop_words(name)))
    if not lists:
        raise InputError(
            f"there are no stopwords for {_NAMES[code]}; give them: stopwords=[…], on the command line "
            "--stopwords FILE, or none: stopwords=(), --stopwords none"
        )
    return min(lists, key=lambda words: (len(words), sorted(words))) | ELISIONS.get(code, frozenset())


def read_stopwords(path: str | Path) -> frozenset[str]:
    """Stopwords from a UTF-8 file, one a line; what follows a ``#`` at the start of a line or after a
    blank is a comment.

    Raises
    ------
    InputError
        If the file cannot be read, is no text, holds several words on a line, or holds none.
    """
    words = set()
    for place, line in numbered_lines(path):
        if "\0" in line:
            raise InputError(f"{place}: no text but binary data; stopwords must be one word per line")
        word = _COMMENT.sub("", line).strip()
        if len(word.split()) > 1:
            raise InputError(f"{place}: stopwords must be one word per line, and this is {word[:60]!r}")
        if word:
            words.add(word)
    if not words:
        raise InputError(
            f"{path} holds no stopword; for no stopwords at all, say so: --stopwords none, in Python "
            "stopwords=()"
        )
    return frozenset(words)


@functools.lru_cache(maxsize=64)
def folded_stopwords(words: frozenset[str]) -> frozenset[str]:
    """Stopwords as `Analyzer` compares them: folded, without a full stop at the end."""
    return frozenset(folded for word in words if (folded := same_letters(word).rstrip(".")))


def stemmer_name(language: str) -> str:
    """Snowball's name of a stemmer, given by that name, or as `language_code` takes it.

    Raises
    ------
    InputError
        If there is no stemmer for the language.

    Examples
    --------
    >>> stemmer_name("de"), stemmer_name("porter")
    ('german', 'porter')
    """
    import snowballstemmer

    known = snowballstemmer.algorithms()
    if language in known:
        return language
    wanted = language.strip().casefold()
    code = _CODES.get(wanted, _CODES.get(wanted.replace("_", "-").partition("-")[0], ""))
    for name in (wanted, *(name for name, of in _CODES.items() if of == code)):
        if name in known:
            return name
    raise InputError(f"no stemmer for {language!r}; choose one of {sorted(known)}")


@functools.lru_cache(maxsize=8)
def stemmer(name: str) -> Callable[[str], str]:
    """The stemmer of that name; what it has stemmed is remembered."""
    import snowballstemmer

    stem: Callable[[str], str] = snowballstemmer.stemmer(name).stemWord
    return functools.lru_cache(maxsize=200_000)(stem)

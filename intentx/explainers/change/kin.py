"""Whether two words of a language are kin: by letters in common, endings, and the roots of Arabic."""

from __future__ import annotations

import functools
import unicodedata

from intentx.errors import InputError
from intentx.text.stopwords import stemmer_name

__all__ = ["bare", "kin", "root", "script_stemmers", "snowball", "without_article"]

SHORTEST = 3  # letters before an ending
PREFIX, SHARE = 5, 0.7  # letters that two words begin with, at least, and the share of the shorter one
_ENDINGS = """
 a e i o u y as es os is us en er em n s t an ar ir re are ere ire ismus ismen ismo ismos ismi isme
 ismes ism isti ista istas iste isten istes istin istinnen istisch istische istico istica istique
 ico ica icos icas ici iche ique iques isch ische ischer isches al ale ales ali aux oral orale oraux
 orali ung ungen heit keit schaft lich liche licher ig ige iger nis nisse chen lein in innen bar sam
 los haft ion ionen ions ioni ione ieren iert ierung ing inge het else arna erna orna idad idades
 dad tad tate ta te tes dade dades ite mente ment ments mento mentos amento imento cion ciones tion
 tions zione zioni cao coes sion siones ador adora adores eur eurs euse rice ure ance ances ancia
 ancias encia ence anza enza able ables ible bile avel ivel oso osa osi ose eux if ive ivo iva ado
 ada ados adas ido ida idos idas ee ees ant ante antes anti ando iendo aje age eria erie uus yys
 uutta oja oita ojen ia ita ien eja eita ejen ja jan jat ssa sta lla lta lle ksi na nen set ton
 llinen minen mme nsa va vat oa ua а я о е ы и у ю ой ей ам ями ами ах ях ов ев ть ить ать еть ет ит
 ут ют ал ил ел ла ло ли изм изма исты ист иста истка истский ость ости ский ская ское ские ный ная
 ное ные ник ники ница тель ие ия ние ния ение ения ание ания ация ации
 ist izm izmu izmem izmie izmi ista isci istka istyczny istyczna istyczne iczny iczna iczne owac ac acz
 arz owy owa owe ny ni ku ova ovat ler lar leri lari i
 ة ات ه ها هم ي ية ون ين ان
"""
ENDINGS = frozenset(["", *_ENDINGS.split()])
_SCRIPTS = (
    ("Ѐ", "ӿ", "russian"), ("؀", "ۿ", "arabic"), ("Ͱ", "Ͽ", "greek"), ("ऀ", "ॿ", "hindi"),
    ("஀", "௿", "tamil"), ("԰", "֏", "armenian"),
)  # fmt: skip
_ARTICLES = ("وال", "بال", "كال", "فال", "لل", "ال")
_BEFORE = frozenset([*_ARTICLES, "و", "ب", "ل", "ك", "ف"])
_SUFFIXES = ("ات", "ون", "ين", "ان", "ية", "ها", "هم", "ة", "ه", "ي")
_WEAK = str.maketrans("", "", "اأإآٱويىةءؤئـ")


@functools.lru_cache(maxsize=100_000)
def bare(word: str) -> str:
    """A folded word without accents.

    >>> bare("athéisme"), bare("häuser"), bare("ёлка")
    ('atheisme', 'hauser', 'елка')
    """
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word.replace("œ", "oe").replace("æ", "ae").replace("ł", "l"))
    return unicodedata.normalize("NFC", "".join(one for one in apart if not unicodedata.combining(one)))


def without_article(word: str) -> str:
    """An Arabic word without its article, where three letters are left.

    >>> without_article("الكتاب"), without_article("كتاب"), without_article("tea")
    ('كتاب', 'كتاب', 'tea')
    """
    for article in _ARTICLES:
        if word.startswith(article) and len(word) - len(article) >= SHORTEST:
            return word.removeprefix(article)
    return word


@functools.lru_cache(maxsize=100_000)
def root(word: str) -> str:
    """The strong letters of an Arabic word, without article and endings; empty where three are not left.

    >>> root("كتاب") == root("كتب") == root("الكتاب"), root("بنوك") == root("بنك"), root("tea")
    (True, True, '')
    """
    if not any("؀" <= sign <= "ۿ" for sign in word):
        return ""
    word = without_article(word)
    for ending in _SUFFIXES:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            word = word.removesuffix(ending)
            break
    strong = bare(word).translate(_WEAK)
    if strong.startswith(("م", "ت")) and len(strong) > SHORTEST:
        strong = strong[1:]
    return strong if len(strong) >= SHORTEST else ""


@functools.lru_cache(maxsize=100_000)
def kin(one: str, other: str) -> bool:
    """Whether two folded words of a language other than English are forms of one, or of one family.

    They begin with the same five letters or more that are most of the shorter word, or with three that
    are half of it and end as forms do; of Arabic, their roots are one. Rather too many than too few.

    >>> kin("ateo", "ateísmo"), kin("haus", "häuser"), kin("überwachen", "überwachung")
    (True, True, True)
    >>> kin("haus", "hund"), kin("kind", "kino")
    (False, False)
    """
    if root(one) and root(one) == root(other):
        return True
    short, long = sorted((one, other), key=len)
    if long.endswith(short) and long.removesuffix(short) in _BEFORE and len(short) >= SHORTEST:
        return True
    one, other = bare(one), bare(other)
    least = min(len(one), len(other))
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), least)
    if same >= max(PREFIX, SHARE * least):
        return True
    return any(
        {one[at:], other[at:]} <= ENDINGS for at in range(max(SHORTEST, (least + 1) // 2), same + 1)
    )


def snowball(language: str) -> str | None:
    """The stemmer of a language; None where there is none."""
    try:
        return stemmer_name(language)
    except InputError:
        return None


def script_stemmers(text: str) -> frozenset[str]:
    """Stemmers that go by the letters of a text, whatever its language is said to be.

    >>> script_stemmers("книги and tea")
    frozenset({'russian'})
    """
    return frozenset(name for low, high, name in _SCRIPTS if any(low <= sign <= high for sign in text))

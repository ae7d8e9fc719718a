"""Words that are left alone: those of the query, and whatever is a form of them."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable

from intentx.explainers.change.irregular import families
from intentx.explainers.change.kin import bare, kin, script_stemmers, snowball
from intentx.text import Analyzer
from intentx.text.letters import is_telling

__all__ = ["Kept", "same_word"]

SHORTEST = 3  # letters of a stem before an ending
OPENS, CLOSES = 4, 5  # letters of a word that another one may begin with, or end in
# Endings that make other forms, or other words of the same family: atheist, atheism, atheistic.
_ENDINGS = """
 s es ed d ing e er ers or ors y ies ied ier iest ist ists ism isms istic ic ics ical ically al ally als
 ality ity ities
 ian ians an ans ation ations ion ions ition itions ive ives ative ment ments ness ful less ly
 ize izes ized izing ization ise ises ised ising isation ify ifies ified ifying ification able ably ible
 ibly ability ibility ance ances ence ences ant ants ent ents ous ously ship ships hood en ens ened th
 r rs t ts sis ses tic tics ate ates ated ating ator ators atory ary ia ium us i um a ae ry is
 age ages ement ements ety eties etal oid oids osis oses otic yer yers
"""
ENDINGS = frozenset(["", *_ENDINGS.split()])
# Endings that stand for each other alone: decide and decision, marry and marriage, colour and color.
_GROUPS = """
de des ded ding sion sions sive
yst ysts ysis yses ytic ytical ytically yze yzes yzed yzing yse ysed ysing
se ses tic tics
le les ular ulars
id ids ify ified efy efied efaction ification
ce ces ced cing ction ctions ctive
t ts tted tting ssion ssions ssive
ve ves ved ving ution utions
y ies ied ying iage ication ications iety ieties iation iations iable iance
or ors ored oring our ours oured ouring
er ers ered ering re res red ring
"""
# Of scripts without blanks between words, and of Korean, whose particles stand on their words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_PARTS = re.compile(r"[\W_]+")
GROUPS = tuple(frozenset(line.split()) for line in _GROUPS.strip().splitlines())


@functools.lru_cache(maxsize=100_000)
def same_word(one: str, other: str) -> bool:
    """Whether two folded words are forms of one, or of one family.

    They have a stem of three letters or more in common, and endings that make words of other words; or
    one begins or ends with the whole of the other. Rather too many than too few: what is left alone
    must not come back by another form.

    Examples
    --------
    >>> [same_word("atheist", word) for word in ("atheism", "atheists", "theory", "athlete")]
    [True, True, False, False]
    >>> same_word("bank", "banking"), same_word("tea", "team"), same_word("contract", "contrast")
    (True, False, False)
    """
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if _UNSPACED.search(short) and is_telling(short) and short in long:
        return True
    if len(short) >= OPENS and long.startswith(short):
        return True
    if len(short) >= CLOSES and long.endswith(short):
        return True
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(short))
    if short.isdigit():
        return False
    return any(
        {one[at:], other[at:]} <= endings
        for at in range(max(SHORTEST, len(short) // 2), same + 1)
        for endings in (ENDINGS, *GROUPS)
    )


class Kept:
    """The words that no edit takes out, puts in, or writes instead of others.

    Parameters
    ----------
    texts
        Texts whose words are left alone: the query, or words by themselves.
    analyzer
        What turns texts into words. Words with the same stem are left alone, too, those of
        `same_word`, and of its language the irregular ones of `families`. Other languages than English
        have `intentx.explainers.change.kin.kin`, too.

    Examples
    --------
    >>> kept = Kept(["who is an atheist"], Analyzer())
    >>> "atheism" in kept, "atheists" in kept, "is" in kept, "island" in kept, "was" in kept
    (True, True, True, False, True)
    """

    def __init__(self, texts: Iterable[str], analyzer: Analyzer) -> None:
        plain = dataclasses.replace(analyzer, stopwords=frozenset(), ngrams=1, stem=None)
        texts = list(texts)
        self._plain, self._language = plain, analyzer.language
        self._english = self._language == "en"
        names = {analyzer.stem, snowball(analyzer.language), *script_stemmers(" ".join(texts))} - {None}
        self._stemmed = [dataclasses.replace(plain, stem=name) for name in sorted(map(str, names))]
        self.words = frozenset(word for text in texts for word in plain.terms(text))
        self._stems = [_stems(one, texts) for one in self._stemmed]
        self._families = families(" ".join(texts), self._language)
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self.words)

    def __contains__(self, written: str) -> bool:
        """Whether a text, as it is written, holds one of the words in any form."""
        if written not in self._known:
            self._known[written] = bool(self.words) and self._holds(written)
        return self._known[written]

    def _holds(self, written: str) -> bool:
        for analyzer, stems in zip(self._stemmed, self._stems, strict=True):
            if not stems.isdisjoint(_stems(analyzer, [written])):
                return True
        if self._families and not self._families.isdisjoint(families(written, self._language)):
            return True
        # Where a full stop lacks its blank, "keys.Named" is one word.
        parts = {part for one in self._plain.terms(written) for part in (one, *_PARTS.split(one))}
        return any(self._same(kept, one) for one in parts if one for kept in self.words)

    def _same(self, one: str, other: str) -> bool:
        if same_word(one, other):
            return True
        # Of letters that English does not have, the rules of other languages are the nearer ones.
        return not (self._english and one.isascii() and other.isascii()) and kin(one, other)


def _stems(analyzer: Analyzer, texts: Iterable[str]) -> frozenset[str]:
    """Stems without accents."""
    return frozenset(bare(word) for text in texts for word in analyzer.terms(text))

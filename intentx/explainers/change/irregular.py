"""English words whose forms no rule of endings joins: *run* and *ran*, *mouse* and *mice*."""

from __future__ import annotations

import dataclasses
import functools
import re

from intentx.explainers.change.irregular_others import FAMILIES, PREFIXES
from intentx.explainers.change.kin import bare, without_article
from intentx.text import Analyzer

__all__ = ["families"]

SHORTEST = 3  # letters of a word behind its prefix
_PARTICIPLE = re.compile(r"\bge(\w{4,})")  # gesprochen, but versprochen

# One family between two commas. Regular forms of each word, such as *runs* and *running*, have its stem.
_VERBS = """
am are be been being is was were, arise arose arisen, awake awoke awoken wake woke woken, bear bore
borne born birth, beat beaten, become became, begin began begun, bend bent, bid bade bidden, bind
bound, bite bit bitten, bleed bled blood, blow blew blown, break broke broken, breed bred, bring
brought, build built, burn burnt, buy bought, catch caught, choose chose chosen choice, cling clung,
come came, creep crept, deal dealt, dig dug, dive dove, do did done does, draw drew drawn, dream
dreamt, drink drank drunk, drive drove driven, dwell dwelt, eat ate eaten, fall fell fallen, feed
fed food, feel felt, fight fought, find found, flee fled, fling flung, fly flew flown flight, forbid
forbade forbidden, foresee foresaw foreseen, forget forgot forgotten, forgive forgave forgiven,
forsake forsook forsaken, freeze froze frozen frost, get got gotten, give gave given gift, go goes
went gone, grind ground, grow grew grown growth, hang hung, have had has, hear heard, hide hid
hidden, hold held, keep kept, kneel knelt, know knew known knowledge, lay laid, lead led, lean
leant, leap leapt, learn learnt, leave left, lend lent, lie lain lay, light lit, lose lost loss,
make made, mean meant, meet met, mistake mistook mistaken, overcome overcame, pay paid, prove proven
proof, rend rent, ride rode ridden, ring rang rung, rise rose risen, run ran, saw sawn, say said,
see saw seen sight, seek sought, sell sold sale, send sent, sew sewn, shake shook shaken, shear
shorn, shed, shine shone, shoot shot, show shown, shrink shrank shrunk, sing sang sung song, sink
sank sunk, sit sat, slay slew slain, sleep slept, slide slid, sling slung, smell smelt, sneak snuck,
sow sown, speak spoke spoken speech, speed sped, spell spelt, spend spent, spill spilt, spin spun,
spit spat, spoil spoilt, spring sprang sprung, stand stood, steal stole stolen theft, stick stuck,
sting stung, stink stank stunk, stride strode stridden, strike struck stricken, string strung,
strive strove striven, swear swore sworn, sweep swept, swell swollen, swim swam swum, swing swung,
take took taken, teach taught, tear tore torn, tell told tale, think thought, throw threw thrown,
tread trod trodden, understand understood, undergo underwent undergone, wear wore worn, weave wove
woven, weep wept, win won, wind wound, withdraw withdrew withdrawn withdrawal, withstand withstood,
wring wrung, write wrote written, die dead death dying, live life lives alive
"""
_NOUNS = """
analysis analyses analyze analyse analytic, appendix appendices, automaton automata, axis axes,
basis bases, bacterium bacteria, brother brethren, bureau bureaux, cactus cacti, calf calves, child
children, corpus corpora, crisis crises, criterion criteria, datum data, die dice, elf elves, focus
foci, foot feet, formula formulae, fungus fungi, genus genera, goose geese, half halves, hoof
hooves, hypothesis hypotheses, index indices, knife knives, leaf leaves, life lives, loaf loaves,
louse lice, man men, matrix matrices, medium media, mouse mice, nucleus nuclei, oasis oases, opus
opera, ox oxen, penny pence, person people, phenomenon phenomena, plateau plateaux, radius radii,
scarf scarves, self selves, sheaf sheaves, shelf shelves, species specimen, staff staves, stimulus
stimuli, syllabus syllabi, thesis theses, thief thieves, tooth teeth, vertex vertices, virus viral,
vortex vortices, wharf wharves, wife wives, wolf wolves, woman women
"""
_OTHERS = """
absorb absorption, acquire acquisition, bad worse worst badly, broad breadth, clear clarity, compete
competition, conceive conception concept, deceive deception, deep depth, describe description,
destroy destruction, far farther farthest further furthest, free freedom, full fill, good better
best well, high height, hot heat, inquire inquiry, inscribe inscription, little less least, long
length, many more most much, maintain maintenance, old elder eldest, perceive perception, poor
poverty, prescribe prescription, pronounce pronunciation, receive receipt reception, redeem
redemption, repeat repetition, resume resumption, retain retention, reveal revelation, strong
strength, subscribe subscription, succeed success, vain vanity, warm warmth, weigh weight, wide
width, young youth, steal thief, gray grey, tire tyre, plow plough, mold mould, check cheque,
program programme, practice practise, licence license, defence defense defend, offence offense
offend, pretence pretense pretend, skeptic sceptic, jewelry jewellery, aluminum aluminium, disc
disk, airplane aeroplane, pediatric paediatric, anemia anaemia, fetus foetus, estrogen oestrogen,
curb kerb, story storey, survey surveillance surveil
"""


_ENGLISH = ",".join([_VERBS, _NOUNS, _OTHERS])


@functools.cache
def _by_stem(language: str) -> dict[str, frozenset[int]]:
    """The numbers of the families of each stem."""
    found: dict[str, set[int]] = {}
    text = _ENGLISH if language == "en" else FAMILIES[language]
    for number, family in enumerate(text.split(",")):
        bare_forms = _PARTICIPLE.sub(r"\1", family) if language in PREFIXES else ""
        for stem in _stems(f"{family} {bare_forms}", language):
            found.setdefault(stem, set()).add(number)
    return {stem: frozenset(numbers) for stem, numbers in found.items()}


@functools.cache
def _analyzer(language: str) -> Analyzer:
    return Analyzer(language=language, stem=True, stopwords=frozenset())


def _stems(text: str, language: str) -> frozenset[str]:
    """Stems, and, of other languages than English, the words themselves; without accents, articles."""
    analyzer = _analyzer(language)
    plain = dataclasses.replace(analyzer, stem=None)
    words = () if language == "en" else plain.terms(text)
    return frozenset(bare(without_article(one)) for one in (*analyzer.terms(text), *words))


def families(text: str, language: str = "en") -> frozenset[tuple[str, int]]:
    """The families that words of a text belong to; two words with one in common are kin.

    Parameters
    ----------
    language
        A code of two letters; without a table for it, no word has a family.

    Returns
    -------
    Of each family the prefix that a word has before a form of it, and the number.

    Examples
    --------
    >>> families("running") == families("ran"), bool(families("a tea"))
    (True, False)
    >>> bool(families("mice") & families("the mouse"))
    True
    >>> bool(families("ging", "de") & families("gegangen", "de")), bool(families("ging", "pl"))
    (True, False)
    >>> bool(families("verspricht", "de") & families("versprochen", "de"))
    True
    """
    if language != "en" and language not in FAMILIES:
        return frozenset()
    numbers = _by_stem(language)
    stems = [("", stem) for stem in _stems(text, language)]
    for prefix in PREFIXES.get(language, ()):
        rests = [stem.removeprefix(prefix) for _, stem in stems if stem.startswith(prefix)]
        stems += [(prefix, rest) for rest in rests if len(rest) >= SHORTEST]
    return frozenset((prefix, one) for prefix, stem in stems for one in numbers.get(stem, ()))

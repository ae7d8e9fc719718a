"""English words whose forms no rule of endings joins: *run* and *ran*, *mouse* and *mice*."""

from __future__ import annotations

import functools

from intentx.text import Analyzer

__all__ = ["families"]

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
curb kerb, story storey
"""


@functools.cache
def _by_stem() -> dict[str, frozenset[int]]:
    """The numbers of the families of each stem."""
    found: dict[str, set[int]] = {}
    for number, family in enumerate(",".join([_VERBS, _NOUNS, _OTHERS]).split(",")):
        for stem in _analyzer().terms(family):
            found.setdefault(stem, set()).add(number)
    return {stem: frozenset(numbers) for stem, numbers in found.items()}


@functools.cache
def _analyzer() -> Analyzer:
    return Analyzer(stem="english", stopwords=frozenset())


def families(text: str) -> frozenset[int]:
    """The numbers of the families that words of a text belong to; two words with one in common are kin.

    Examples
    --------
    >>> families("running") == families("ran"), bool(families("a tea"))
    (True, False)
    >>> bool(families("mice") & families("the mouse"))
    True
    """
    numbers = _by_stem()
    return frozenset().union(*(numbers.get(stem, frozenset()) for stem in _analyzer().terms(text)))

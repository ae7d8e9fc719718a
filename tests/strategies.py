"""Hypothesis strategies: texts in several scripts, rankings, term scores over pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from intentx.preferences import Pairs, PreferenceMatrices, TermScores
from tests.toys import ranked

WORDS = [
    "piano",
    "Pianos",
    "PIANO",
    "keys",
    "key's",
    "café",
    "café",
    "Straße",
    "STRASSE",
    "naïve",
    "don't",
    "it's",
    "the",
    "of",
    "and",
    "running",
    "runs",
    "ran",
    "İstanbul",
    "ﬁne",
    "ﬃ",
    "½",
    "3.5",
    "1,000",
    "x²",
    "C++",
    "e.g.",
    "J.",
    "U.S.",
    "snake_case",
    "rock'n'roll",
    "O’Neill",
    "Ångström",
    "Ελλάδα",
    "ΟΔΟΣ",
    "οδος",
    "Москва",
    "йога",
    "עברית",
    "שָׁלוֹם",
    "العربية",
    "كتاب",
    "हिन्दी",
    "किताब",
    "中文",
    "搜索引擎",
    "コーヒー",
    "ひらがな",
    "한국어",
    "ไทย",
    "iPhone手机",
    "😀",
    "👩\u200d👩\u200d👧",
    "👍🏽",
    "🇫🇷",
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "&amp;",
    "'quoted'",
    "“quoted”",
    "ﷺ",
    "ǆ",
    "ŉ",
]
GAPS = [
    " ",
    " ",
    " ",
    ", ",
    ". ",
    "! ",
    "? ",
    "\n",
    "\n\n",
    "。",
    "; ",
    " - ",
    "/",
    "\t",
    "\u00a0",
    "... ",
]

words = st.sampled_from(WORDS)


@st.composite
def prose(draw, most=20):
    """Words of many scripts with all kinds of gaps between them."""
    parts = draw(st.lists(st.tuples(words, st.sampled_from(GAPS)), max_size=most))
    return "".join(word + gap for word, gap in parts)


anything = st.text(max_size=60)
texts = prose() | anything


@st.composite
def matrices(draw, *, terms=5, most_rankers=3):
    """Preference matrices over random term scores, whole numbers or not, and some of the pairs."""
    documents = draw(st.integers(2, 7))
    shape = (draw(st.integers(1, most_rankers)), draw(st.integers(1, terms)), documents)
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    whole = generator.integers(0, 3, shape).astype(float)
    values = whole if draw(st.booleans()) else generator.normal(size=shape)
    high, low = np.triu_indices(documents, 1)
    kept = generator.random(len(high)) < 0.8
    kept[0] = True
    return PreferenceMatrices(TermScores(values), Pairs(high[kept], low[kept]))


@st.composite
def rankings(draw, least=2, most=9):
    """Recorded rankings, often with equal scores."""
    number = draw(st.integers(least, most))
    documents = draw(st.lists(texts, min_size=number, max_size=number))
    scores = draw(st.lists(st.integers(-3, 3) | st.floats(-3, 3), min_size=number, max_size=number))
    return ranked(documents, scores)

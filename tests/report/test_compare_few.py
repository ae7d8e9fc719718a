"""What a comparison says of little data, and on a narrow terminal."""

import dataclasses
import math

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

import intentx as ix
from intentx.comparison.biases import Bias, RankerBiases, find_biases
from intentx.comparison.compare import compare_rankers
from intentx.comparison.disagreements import Evidence
from intentx.comparison.results import Comparison
from intentx.report.pages.comparison import comparison_page
from intentx.report.tables.comparison import rich_comparison
from intentx.study.data import Topic

WORDS = "piano keys stage tea boat house river desk cable quiet sound price".split()
NAMES = [
    "cross-encoder:/models/organisation/very-long-name-of-a-model-v2.5-fine-tuned",
    "排序模型一号二号三号四号五号六号七号八号", "نموذج ترتيب طويل الاسم", "bm25",
    "a name of several words", *"FGHI",
]  # fmt: skip


def topic(number, documents, seed=0):
    draw = np.random.default_rng(seed + number)
    docs = {f"d{n}": " ".join(draw.choice(WORDS, draw.integers(4, 12))) for n in range(documents)}
    return Topic(str(number), f"钢琴 piano {number}", docs, tuple(docs))


def counting(word):
    return lambda query, texts: [text.split().count(word) + len(text) / 1e4 for text in texts]


def compared(names, queries, documents):
    return compare_rankers(
        {name: counting(word) for name, word in zip(names, WORDS, strict=False)},
        [topic(number, documents) for number in range(queries)],
        method=ix.Multiplex(seed=0, budget=0, max_terms=2),
    )


@pytest.fixture(scope="module")
def many():
    return compared(NAMES, 2, 6)


def printed(comparison, width=80):
    console = Console(width=width, file=None, record=True)
    with console.capture() as capture:
        for part in rich_comparison(comparison):
            console.print(part)
    return capture.get()


def test_no_line_is_wider_than_a_terminal(many):
    text = printed(many)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    letters = "".join(sign for sign in text if sign.isalnum())
    for name in NAMES:
        assert "".join(sign for sign in name if sign.isalnum()) in letters  # folded, and not cut
    for number, name in enumerate(NAMES[3:4], start=4):
        assert f"{number} {name}" in text  # numbers stand for names above
    shares = [many.mean_cross(one, other) for one in NAMES for other in NAMES]
    assert sum(f"{100 * share:.0f}\u00a0%" in text for share in shares if not math.isnan(share)) > 70


def test_tables_of_wide_intervals_fit(many):
    one = Bias("occurrences-of-everything" * 3, "term", -0.6, -0.61, -0.2, 0.1, 0.9, 12_000, 1e-9, 1e-9,
               -0.5, True, 99)  # fmt: skip
    biases = tuple(RankerBiases(name, 12_000, 10**9, 900, (one,), ()) for name in NAMES)
    text = printed(dataclasses.replace(many, biases=biases))
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "−0.61 to" in text


def test_few_documents_are_told(many):
    page, text = comparison_page(many), " ".join(printed(many).split())
    assert "2 queries of 6 documents each" in page
    said = "only 6 documents were compared for each query"
    assert f"Caution: {said}" in page
    assert f"Caution: {said}" in text
    enough = compared(["a", "b"], 1, 16)
    assert "1 query of 16 documents" in comparison_page(enough)
    assert "Caution" not in comparison_page(enough) + printed(enough)
    mixed = compare_rankers(
        {"a": counting("piano"), "b": counting("tea")},
        [topic(1, 4), topic(2, 20)],
        method=ix.Multiplex(seed=0, budget=0, max_terms=2),
    )
    assert "2 queries of 4 to 20 documents each" in comparison_page(mixed)
    assert "only 4 to 20 documents were compared" in comparison_page(mixed)


def bias(name, **changed):
    one = Bias(name, "term", 0.8, 0.7, 0.9, 0.9, 0.1, 20, 1e-4, 1e-3, 0.7, True, 40)
    return dataclasses.replace(one, **changed)


def headline(many, biases, tested):
    of = RankerBiases("a", 20, 900, tested, tuple(b for b in biases if b.kind == "term"),
                      tuple(b for b in biases if b.kind == "property"))  # fmt: skip
    changed = Comparison({"a": "x", "b": "y"}, "M", {}, many.queries, (of, of))
    return comparison_page(changed).partition("<nav>")[0].partition("Against")[2], changed


@pytest.mark.parametrize(
    ("biases", "tested", "said"),
    [
        ([bias("piano")], 200, "prefers “<b><bdi>piano</bdi></b>”"),
        ([bias("茶")], 200, "prefers “<b><bdi>茶</bdi></b>”"),
        ([bias("s")], 1, ""),
        ([bias("s")], 200, ""),
        ([bias("7")], 200, ""),
        ([bias("é")], 200, ""),
        ([bias("piano")], 1, ""),
        ([bias("piano")], 4, ""),
        ([bias("piano", documents=1)], 200, ""),
        ([bias("piano", documents=9)], 200, ""),
        ([bias("piano"), bias("s")], 200, "prefers “<b><bdi>piano</bdi></b>”."),
        ([bias("length", kind="property")], 0, "prefers longer documents"),
        ([bias("length", kind="property", documents=4)], 0, ""),
    ],
)
def test_headlines(many, biases, tested, said):
    found, changed = headline(many, biases, tested)
    assert (said in found) if said else not found
    told = "too little to rely on: " + ", ".join(b.name for b in biases if b.name not in said)
    weak = not said or len(biases) > 1
    assert (told in " ".join(printed(changed).split())) == weak
    assert ("Too little to rely on" in comparison_page(changed)) == weak


def test_documents_are_counted_once():
    texts = ["a cheap boat", "a boat", "a red car", "one cheap car"]
    scores = {"plain": [4.0, 3, 2, 1], "thrifty": [4.0, 2, 1, 3]}
    given = {name: np.array(some) for name, some in scores.items()}
    some = [Evidence(str(n), "boat", texts, given) for n in range(9)]
    [_, thrifty] = find_biases(some, ["plain", "thrifty"])
    cheap = next(one for one in thrifty.terms if one.name == "cheap")
    assert cheap.holds
    assert cheap.documents == 2  # the same two of each query
    assert {one.documents for one in thrifty.properties} == {4}
    assert "cheap" not in [one.name for one in thrifty.headline]


def test_a_query_that_chance_explains_has_no_terms_in_its_line(many):
    page = comparison_page(compared(["a", "b"], 1, 8))
    line = page.partition("<summary>")[2].partition("</summary>")[0]
    assert "no terms clearly above chance" in line
    assert 'class="term' not in line

"""The page of one document: escaped, whole, in the colours of the signs, and true to the numbers."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intentx as ix
from intentx.explainers.document.explanation import DocumentExplanation, Word
from intentx.explainers.document.exs import EXS
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.shap import KernelSHAP
from intentx.explainers.inside.gradcam_explanation import GradCAMExplanation, Snippet
from intentx.markup import FORBIDDEN
from intentx.report import document_page, page, write_document_page, write_page
from tests.report.test_page import EVIL, Reader
from tests.toys import ranked

DOCS = {
    "a": "A stage piano: the piano's action. USB, too.",
    "b": "USB hub.",
    "c": "A piano stool",
    "d": "Desk",
    "e": "the of and",
}


def counting(query, texts):
    return [t.lower().count("piano") - 0.5 * t.lower().count("usb") for t in texts]


@dataclass(frozen=True, kw_only=True)
class LeaveOneOut(DocumentMethod):
    """A word weighs what the score loses without it."""

    def _weigh(self, subject, other):
        scores = subject.score_kept(~np.eye(len(subject.terms), dtype=bool))
        weights = dict(zip(subject.terms, subject.score - scores, strict=True))
        return subject.explanation(weights, settings=self.settings(), metrics={"score": subject.score})


def explained(doc="a", docs=DOCS, query="keyboard reviews", **changes):
    found = LeaveOneOut().explain(ix.rank(counting, query, docs), doc)
    return dataclasses.replace(found, **changes)


class Marks(Reader):
    """Keeps the texts that are shown, and in each one the marks: where, which class, how strong."""

    def __init__(self, source):
        self.texts, self.marks = [], []
        self._inside = False
        super().__init__(source)

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        attrs = dict(attrs)
        if tag == "p" and attrs.get("class") == "text":
            self.texts.append("")
            self.marks.append([])
            self._inside = True
        if tag == "mark" and self._inside:
            strength = re.fullmatch(r"--a:(\d+)%", attrs.get("style", "--a:0%"))
            kind = attrs["class"].split()[0]
            self.marks[-1].append([len(self.texts[-1]), None, kind, int(strength[1]), attrs["title"]])

    def handle_endtag(self, tag):
        super().handle_endtag(tag)
        if tag == "p":
            self._inside = False
        if tag == "mark" and self._inside:
            self.marks[-1][-1][1] = len(self.texts[-1])

    def handle_data(self, data):
        super().handle_data(data)
        if self._inside and self.open[-1] != "em":
            self.texts[-1] += data


def cam(**changes):
    """An explanation by Grad-CAM of the first document, with a matrix known cell by cell."""
    plain = explained(query="keys piano stool")
    number = len(plain.words)
    generator = np.random.default_rng(0)
    activation = np.maximum(generator.normal(size=(3, number)), 0)
    values = {field.name: getattr(plain, field.name) for field in dataclasses.fields(plain)}
    values |= {
        "method": "GradCAM",
        "query_terms": ("keys", "piano", "stool"),
        "map": activation,
        "interaction": generator.normal(size=(3, number)),
        "contributions": activation.sum(axis=0),
        "similarities": generator.uniform(-1, 1, size=number),
        "effective_terms": ("piano",),
        "filtered_terms": ("usb",),
        "snippets": {"vanilla": Snippet(0, 7, "A stage"), "gradcam": Snippet(8, 13, f"piano {EVIL}")},
    }
    return GradCAMExplanation(**values | changes)


def test_what_the_user_wrote_is_never_markup():
    docs = {**DOCS, EVIL: f"piano {EVIL} usb", "z": f"{EVIL}"}
    first = explained(EVIL, docs, f"piano {EVIL}", notes=(EVIL,), settings={EVIL: EVIL}, method=EVIL)
    first = dataclasses.replace(
        first, terms=(EVIL, *first.terms[1:]), unseen=(EVIL,), metrics={EVIL: 1.0}, above=2
    )
    source = document_page([first, first], title=EVIL, labels=[EVIL, "other"])
    read = Reader(source)
    assert "script" not in {tag for tag, _ in read.tags}
    assert "onerror" not in {key for _, attributes in read.tags for key in attributes}
    assert sum(tag == "style" for tag, _ in read.tags) == 1
    assert read.text.count(EVIL) >= 12  # it is all there, as text
    read = Reader(document_page([cam(query_terms=("keys", "piano", EVIL))]))
    assert "script" not in {tag for tag, _ in read.tags}
    assert read.text.count(EVIL) >= 3


def test_nothing_is_requested():
    found = cam(snippets={"vanilla": Snippet(0, 7, "A stage")})
    source = document_page([found, found])
    tags = Reader(source).tags
    for _, attributes in tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert attributes.get(name, "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:", source)
    (policy,) = (attributes["content"] for _, attributes in tags if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'")
    anchors = {attributes["id"] for _, attributes in tags if "id" in attributes}
    assert {attributes["href"][1:] for tag, attributes in tags if tag == "a"} == anchors


def test_words_are_on_the_colour_of_their_weight():
    found = explained()
    read = Marks(document_page([found]))
    assert read.texts == [DOCS["a"]]
    [marks] = read.marks
    assert [(start, end) for start, end, *_ in marks] == [(w.start, w.end) for w in found.words]
    kinds = {1: "for", -1: "against", 0: "none"}
    assert [kind for _, _, kind, _, _ in marks] == [kinds[int(np.sign(w.weight))] for w in found.words]
    strength = {word.term: strong for word, (_, _, _, strong, _) in zip(found.words, marks, strict=True)}
    assert strength["piano"] > strength["usb"] > strength["stage"] == 0
    titles = {title for *_, title in marks}
    assert {"piano +2.00", "usb −0.50", "stage 0"} <= titles


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="\r"), max_size=60))
def test_any_text_is_shown_as_it_is(extra):
    found = explained("x", {**DOCS, "x": f"piano {extra} usb"})
    read = Marks(document_page([found]))
    assert read.texts == [FORBIDDEN.sub("\ufffd", found.document)]
    assert [mark[:2] for mark in read.marks[0]] == [[w.start, w.end] for w in found.words]
    for term in found.terms:
        assert FORBIDDEN.sub("\ufffd", term) in read.text


def test_occurrences_have_colours_of_their_own():
    found = explained()
    words = tuple(Word(w.term, w.start, w.end, (-1) ** i * (i + 1.0)) for i, w in enumerate(found.words))
    [marks] = Marks(document_page([dataclasses.replace(found, words=words)])).marks
    assert [kind for _, _, kind, _, _ in marks] == ["for", "against"] * (len(words) // 2)
    strengths = [strong for *_, strong, _ in marks]
    assert strengths == sorted(strengths)
    assert len(set(strengths)) == len(strengths)


def test_the_answer_names_what_speaks_for_and_against():
    text = Reader(document_page([explained()])).text
    assert "piano speaks for its place, usb against it." in text
    assert "rank 1 of 5 with the score 1.500" in text
    assert "That took the ranker’s scores of 7 versions of it." in text
    assert "stage" not in text.split("Words for and against")[0]  # its weight is 0
    assert (
        "usb speaks against its place, no word notably for it."
        in Reader(document_page([explained("b")])).text
    )
    assert "No word makes a difference." in Reader(document_page([explained("d")])).text
    sized = explained("c", method="Saliency")
    assert "depends most on piano, whichever way" in Reader(document_page([sized])).text


@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        ({"fit": 0.9312}, "fits the ranker’s answers by 0.931 (at best 1)"),
        ({"fit": np.nan}, None),
        ({"exact": 1.0, "full": 3.0, "empty": 1.0, "fit": 1.0}, "what the words change, 2.000."),
        (
            {"score": 2.0, "reference": 0.5, "gap": 0.15, "relative_gap": 0.1},
            "add up to the difference of 1.500 from the reference, but for 10\u00a0%.",
        ),
        (
            {"score": 2.0, "reference": 2.0, "gap": 0.1, "relative_gap": np.nan},
            "There was no difference to explain",
        ),
        (
            {"score": 2.0, "other_score": 0.5, "gap": 0.15, "relative_gap": 0.1, "rest": -0.25},
            "difference of 1.500 between the two, −0.250 of which no word carries (the rest), but for",
        ),
        (
            {"score": 2.0, "other_score": 0.5, "gap": 0.15, "relative_gap": 0.1},
            "add up to the difference of 1.500 between the two, but for 10\u00a0%.",
        ),
    ],
)
def test_how_far_it_can_be_believed(metrics, sentence):
    text = Reader(document_page([explained(metrics=metrics)])).text
    assert sentence is None or sentence in text
    assert ("fits the ranker" in text) == ("by 0.931" in (sentence or ""))
    known = Reader(document_page([explained(model_calls=0)])).text
    assert "That took no score besides those of the ranking." in known


def test_methods_stand_side_by_side():
    ranking = ix.rank(counting, "keyboard reviews", DOCS)
    one, two = EXS(samples=50, k=3).explain(ranking, "a"), KernelSHAP().explain(ranking, "a")
    read = Marks(document_page([one, two, two]))
    assert read.texts == [DOCS["a"]] * 3
    assert "EXS, KernelSHAP 1 and KernelSHAP 2" not in read.text  # methods are named once
    assert "explained by EXS and KernelSHAP" in read.text
    assert "KernelSHAP 2" in read.text
    table = read.text.split("own unit")[1].split("The document")[0]
    assert "piano" in table
    assert "+2.00+2.00" in table
    assert "side by side" not in Reader(document_page([one])).text


def test_the_other_document_is_shown():
    ranking = ix.rank(counting, "keyboard reviews", DOCS)
    found = KernelSHAP().explain(ranking, "a", above="b")
    read = Marks(document_page([found]))
    assert read.texts == [DOCS["a"], DOCS["b"]]
    other = {DOCS["b"][start:end]: kind for start, end, kind, _, _ in read.marks[1]}
    weights = dict(zip(found.terms, found.weights, strict=True))
    assert weights["usb"] == pytest.approx(0)
    assert set(other) == {"USB", "hub"}
    assert "above b (rank 5)" in read.text
    assert "Compared with b (rank 5), score −0.500" in read.text


def test_words_that_were_never_read_are_named():
    text = Reader(document_page([explained(unseen=tuple(f"w{i}" for i in range(250)))])).text
    assert "never read 250 words of it" in text
    assert "w0, w1," in text
    assert "w199 and 50 more." in text


def test_long_documents_are_cut_and_small_words_folded():
    long = f"piano usb and so on {'-' * 980} " * 120
    many = " ".join(f"word{i}" for i in range(60))
    found = explained("x", {**DOCS, "x": f"{many} {long}"})
    read = Marks(document_page([found]))
    assert read.texts[0] == found.document[:100_000]
    assert f"{len(found.document) - 100_000:,} more characters not shown" in read.text
    assert f"{len(found.terms) - 20} more words of smaller weight" in read.text
    assert all(term in read.text for term in found.terms)


def test_a_document_without_words():
    empty = explained("x", {**DOCS, "x": " \n "})
    text = Reader(document_page([empty])).text
    assert "(empty)" in text
    assert "no word that could be explained" in text


def test_how_it_was_made():
    text = Reader(document_page([explained(notes=("k was cut",), metrics={"other_score": -1.25})])).text
    assert "other score−1.25" in text
    assert "k was cut" in text
    assert "7 versions for the ranker to score" in text
    assert "of all preferences of the ranking" in text
    assert '"ngrams": 1' in text


def test_the_map_has_every_cell():
    found = cam()
    read = Reader(document_page([found]))
    titles = [attrs["title"] for tag, attrs in read.tags if tag == "td" and "title" in attrs]
    kinds = {"map": found.map, "similarity": found.interaction}
    for q, query_term in enumerate(found.query_terms):
        for place, word in enumerate(found.words):
            for kind, values in kinds.items():
                start = f"{query_term} × {word.term}: {kind} "
                cells = [float(t[len(start) :].replace("−", "-")) for t in titles if t.startswith(start)]
                assert any(abs(cell - values[q, place]) < 0.006 for cell in cells)
    colours = [
        attrs.get("class") for tag, attrs in read.tags if tag == "td" and " × " in attrs.get("title", "")
    ]
    cells = np.concatenate([found.map.ravel(), found.interaction.ravel()])
    assert colours == [{1: "for", -1: "against", 0: None}[int(np.sign(v))] for v in cells]
    assert len([t for t in titles if t.startswith("contribution")]) == len(found.words)
    assert "snippet by exact matches and contributionspiano <script>" in read.text
    heads = [attrs["class"] for tag, attrs in read.tags if tag == "th" and "class" in attrs]
    assert heads.count("effective") == 2
    assert heads.count("filtered") == 1
    assert "the method does not see what speaks against it" in read.text
    assert "Which matches" not in Reader(document_page([explained()])).text


def test_maps_of_long_documents_go_on_below():
    number = 95
    words = tuple(Word("w", 0, 1, 1.0) for _ in range(number))
    generator = np.random.default_rng(0)
    many = {
        "map": generator.random((3, number)), "interaction": -generator.random((3, number)),
        "contributions": np.ones(number), "similarities": np.ones(number), "words": words,
    }  # fmt: skip
    tags = Reader(document_page([cam(**many, effective_terms=(), filtered_terms=())])).tags
    assert sum(attrs.get("class") == "map" for tag, attrs in tags if tag == "table") == 3
    cells = [attrs["title"] for tag, attrs in tags if tag == "td" and " × " in attrs.get("title", "")]
    assert len(cells) == 2 * 3 * number
    for q, term in enumerate(("keys", "piano", "stool")):  # the blocks together are the row
        row = [float(cell.split()[-1]) for cell in cells if cell.startswith(f"{term} × w: map")]
        np.testing.assert_allclose(row, many["map"][q], atol=6e-4)


@pytest.mark.parametrize("changes", [{"map": np.zeros((3, 8)), "contributions": np.zeros(8)}, None])
def test_maps_of_nothing(changes):
    none = {"map": np.zeros((0, 8)), "interaction": np.zeros((0, 8)), "query_terms": ()}
    Reader(document_page([cam(**changes or none)]))


def test_the_same_page_twice_and_after_a_round_trip():
    found = explained()
    again = DocumentExplanation.from_json(found.to_json())
    assert document_page([found]) == document_page([found]) == document_page([again])
    found = cam()
    again = GradCAMExplanation.from_json(found.to_json())
    assert document_page([found]) == document_page([again])


def test_write_page_takes_both_kinds(tmp_path):
    found = explained()
    path = write_page(tmp_path / "p.html", [found])
    assert path.read_text(encoding="utf-8") == document_page([found]) == page([found])
    whole = ix.QueryTerms().explain(ranked(["piano keys", "a boat"]))
    with pytest.raises(ix.InputError, match="rankings or about one document"):
        page([found, whole])
    with pytest.raises(ix.InputError, match="senses"):
        page([found], senses={"a": "music"})


def test_bad_input(tmp_path):
    with pytest.raises(ix.InputError, match="at least one"):
        document_page([])
    with pytest.raises(ix.InputError, match="one query, not 2: 'keyboard reviews', 'tea'"):
        document_page([explained(), explained(query="tea")])
    with pytest.raises(ix.InputError, match="one document, not 2: 'a', 'b'"):
        document_page([explained(), explained("b")])
    with pytest.raises(ix.InputError, match="different documents with the same id 'a'"):
        document_page([explained(), explained(docs={**DOCS, "a": "Other piano"})])
    with pytest.raises(ix.InputError, match="2 labels for 1"):
        document_page([explained()], labels=["a", "b"])
    with pytest.raises(ix.InputError, match=r"there is no folder .*nowhere; create it first"):
        write_document_page(tmp_path / "nowhere" / "p.html", [explained()])
    with pytest.raises(ix.InputError, match="cannot write"):
        write_document_page(tmp_path, [explained()])
    cut = explained(docs={**DOCS, "a": DOCS["a"][:20]})  # one ranker reads less than the other
    assert len(Marks(document_page([explained(), cut])).texts) == 2

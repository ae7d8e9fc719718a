"""Terms held against what a ranker says that it looks for."""

import functools
from types import SimpleNamespace

import pytest

import intentx as ix
from intentx.evaluation.known import held_against, intent_metrics, known_intent, stems
from intentx.rankers import BM25, RM3, LanguageModel
from intentx.text import Analyzer

DOCS = [
    "Green tea leaves and a pot",
    "Black tea, reviewed by a tea house",
    "A piano stands in the house",
    "Leaves of an old tree",
]
QUERY = "tea leaf reviews on Mars"  # no document holds Mars


class Saying:
    """A ranker that says what it is told to."""

    def __init__(self, said, analyzer=None):
        self.said = said
        if analyzer is not None:
            self.analyzer = analyzer

    def __call__(self, query, texts):
        return [float(text.count("tea")) for text in texts]

    def term_weights(self, query):
        return self.said


def found(*terms, analyzer=None):
    """As much of an explanation as is held against an intent."""
    return SimpleNamespace(terms=terms, words=terms, analyzer=analyzer or Analyzer())


def test_by_hand():
    """Terms a, x, b; wanted a, b, c, d: 2 of 3 right, 2 of 4 found, at places 1 and 3."""
    one = held_against(["a", "x", "b", "a"], {"a": 4.0, "b": 1.0, "c": 2.0, "d": 3.0})
    assert one.precision == pytest.approx(2 / 3)
    assert one.recall == pytest.approx(1 / 2)
    assert one.f1 == pytest.approx(2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2))
    assert one.average_precision == pytest.approx((1 / 1 + 2 / 3) / 4)
    assert one.weight == pytest.approx((4 + 1) / 10)
    two = held_against(["a", "x", "b"], {"a": 4.0, "b": 1.0, "c": 2.0, "d": 3.0}, most=2)
    assert two.average_precision == pytest.approx(1 / 2)  # the third is not looked at
    assert two.weight == pytest.approx(5 / 7)


@pytest.mark.parametrize("terms", [[], ["x", "y"]])
def test_nothing_right(terms):
    one = held_against(terms, {"a": 1.0})
    assert (one.precision, one.recall, one.f1, one.average_precision, one.weight) == (0, 0, 0, 0, 0)


def test_twelve_wanted_and_ten_right_are_the_best_average_precision():
    wanted = dict.fromkeys("abcdefghijkl", 1.0)
    assert held_against("abcdefghij", wanted).average_precision == 1.0
    assert held_against("abcdefghijkl", wanted).average_precision == 1.0
    assert held_against("abcdefghij", wanted).recall == pytest.approx(10 / 12)


def test_stems_are_english():
    assert stems(["Reviews", "reviewing", "the", "green tea"]) == ("review", "the", "green", "tea")


@pytest.mark.parametrize("make", [BM25, LanguageModel, RM3])
def test_rankers_that_come_along_say_it(make):
    ranking = ix.rank(make(DOCS), QUERY, DOCS)
    wanted, reader = known_intent(ranking)
    assert reader == Analyzer(stem="english")
    assert {"tea", "leav", "review"} & set(wanted) >= {"tea", "review"}
    assert "mar" not in wanted
    # Explained in the ranker's stems, or in words as they are written: the same.
    for analyzer, terms in (
        (reader, ("review", "tea", "piano")),
        (Analyzer(), ("reviewed", "tea", "piano")),
    ):
        one = intent_metrics(found(*terms, analyzer=analyzer), ranking)
        assert one.precision == pytest.approx((2 + ("piano" in wanted)) / 3)


def test_bm25_looks_for_terms_of_the_query_that_the_collection_holds():
    assert dict(BM25(DOCS).term_weights("tea reviews, tea on Mars")) == {"tea": 2.0, "review": 1.0}
    ranking = ix.rank(BM25(DOCS), "tea reviews", DOCS[:1])  # a collection of more than the ranking
    assert known_intent(ranking)[0] == {"tea": 1.0}


def test_words_of_a_ranker_of_ones_own_are_stemmed():
    said = {"reviews": 1.0, "reviewing": 3.0, "Leaves": 0.5, "Mars": 9.0, "piano": -1.0, "pot": 0}
    for analyzer in (None, Analyzer(), "no analyzer"):
        ranking = ix.rank(Saying(said, analyzer), "any", DOCS)
        assert known_intent(ranking)[0] == {"review": 3.0, "leav": 0.5}
    one = intent_metrics(found("piano", "reviewed"), ranking)
    assert (one.precision, one.recall, one.average_precision) == (0.5, 0.5, 0.25)


def test_german_stems_of_a_ranker_are_its_own():
    german = Analyzer(language="german", stem=True)
    docs = ["Alte Häuser am Fluss", "Ein Boot auf dem Fluss"]
    ranking = ix.rank(BM25(docs, analyzer=german), "Haus", docs)
    assert known_intent(ranking) == ({"haus": 1.0}, german)
    for analyzer, term in ((german, "haus"), (Analyzer(language="german"), "häuser")):
        assert intent_metrics(found(term, analyzer=analyzer), ranking).f1 == 1.0


def test_where_nothing_is_said_there_is_no_metric():
    def plain(query, texts):
        return [float(len(text)) for text in texts]

    class Other(BM25):
        def __call__(self, query, texts):  # what BM25 looks for is not what this one does
            return plain(query, texts)

    class Wrapper:
        def __init__(self, inner):
            self.inner = inner

        def __call__(self, query, texts):
            return plain(query, texts)

        def __getattr__(self, name):
            return getattr(self.inner, name)

    def looking(query):
        return {"tea": 1.0}

    said = functools.partial(plain)
    said.term_weights = looking
    assert known_intent(ix.rank(said, "q", DOCS))[0] == {"tea": 1.0}
    for scorer in (plain, Other(DOCS), Wrapper(BM25(DOCS)), functools.wraps(said)(plain)):
        assert known_intent(ix.rank(scorer, "tea", DOCS)) is None
    recorded = ix.Ranking.from_run({"#1": 2.0, "#2": 1.0}, "tea", {"#1": DOCS[0], "#2": DOCS[1]})
    assert known_intent(recorded) is None
    assert intent_metrics(found("tea"), ix.rank(BM25(DOCS), "Mars", DOCS)) is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["tea"], "weights by term, such as .* not list"),
        ({"tea": float("nan")}, "finite weight for each term, not nan for 'tea'"),
        ({"tea": "much"}, "not 'much' for 'tea'"),
        ({3: 1.0}, "not 1.0 for 3"),
    ],
)
def test_what_is_no_intent_is_named(said, message):
    with pytest.raises(ix.ScorerError, match=message):
        known_intent(ix.rank(Saying(said), "tea", DOCS))


def test_an_intent_that_fails_is_named():
    class Failing(Saying):
        def term_weights(self, query):
            raise KeyError(query)

    with pytest.raises(ix.ScorerError, match=r"term_weights of the ranker failed .* 'tea': KeyError"):
        known_intent(ix.rank(Failing({}), "tea", DOCS))

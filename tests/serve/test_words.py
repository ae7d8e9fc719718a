"""A collection in another language: its words are found as it finds them, also in copied Python."""

import asyncio
import functools

import pytest

import intentx as ix
from intentx.search import SearchIndex
from intentx.serve.engines import IndexEngine
from intentx.serve.loaded import Loaded
from intentx.serve.python_text import python_text
from intentx.serve.questions import prepared
from intentx.serve.rankers import served_rankers
from intentx.serve.service import Options, Service
from intentx.serve.structs import Compare, Counterfactual, Explain, Search
from intentx.serve.tasks import TASKS
from intentx.serve.turns import Turns
from tests.serve.conftest import differing, run_script

POLISH = ix.Analyzer(language="polish", stem=True)
QUERY = "książka o rzekach"
DOCUMENTS = [
    ix.Document(
        "d1", "Książki o rzekach i o książkach dla dzieci, o których czyta się wieczorem.", "Rzeka"
    ),
    ix.Document("d2", "Rzeka i rzeki: nad rzeką leży miasto, o którym jest książka."),
    ix.Document("d3", "Dobra książka o niczym, która uczy i bawi, i o której się mówi."),
    ix.Document("d4", "Miasto nad rzeką i jego mosty, o których nikt nie pisał."),
    ix.Document("d5", "Mosty i drogi, a przy drogach domy i książki."),
    ix.Document("d6", "Rzeki płyną do morza, i to o nich jest ta pieśń."),
]
SPECS = {
    "first": "bm25", "lm": "lm", "english": "bm25#stem=english", "callable": f"{__name__}:holds",
}  # fmt: skip


def holds(query, texts):
    """A ranker that says nothing of how it finds words."""
    return [text.lower().count("rzek") + 0.3 * text.count("o ") - 0.01 * len(text) for text in texts]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A server without HTTP, and what its worker has loaded."""
    folder = tmp_path_factory.mktemp("polish")
    SearchIndex.build(DOCUMENTS, folder=folder / "index", analyzer=POLISH)
    open_ = functools.partial(IndexEngine.opened, "polski", folder / "index")
    rankers = served_rankers(f"{name}={spec}" for name, spec in SPECS.items())
    made = Service({"polski": open_()}, {"polski": open_}, rankers, Options(state=folder / "state"))
    made.loaded = Loaded(SPECS, {"polski": open_}, Turns())
    made.ask = lambda name, plain, lane: asyncio.to_thread(TASKS[name], made.loaded, plain, print)
    made._joined._ask = made.ask
    yield made
    made.store.close()


def marked(service, ranker):
    found = asyncio.run(service.search(Search(query=QUERY, rankers=[ranker])))
    return {
        one.text[start:end].lower()
        for one in found.rankings[0].results for start, end in one.snippet
    }  # fmt: skip


def test_snippets_show_the_words_of_the_query_in_all_their_forms(service):
    books, rivers = {"książka", "książki", "książkach"}, {"rzeka", "rzeki", "rzeką", "rzekach"}
    for ranker in ("first", "lm", "callable"):
        assert marked(service, ranker) == books | rivers  # and no "o", a stopword
    assert marked(service, "english") == {"książka", "rzekach", "o"}  # its own words


def test_lexical_rankers_have_the_words_of_the_collection(service):
    for name in ("lm", "first"):
        scorer = service.loaded.scorer(name, "polski", [one.content for one in DOCUMENTS])
        assert scorer.analyzer == POLISH
    english = service.loaded.scorer("english", "polski", [one.content for one in DOCUMENTS])
    assert english.analyzer == ix.Analyzer(stem="english")


def both(service, kind, asked):
    one = asyncio.run(prepared(service, kind, asked))
    return TASKS[one.task](service.loaded, one.plain, lambda partial: None), python_text(service, one)


@pytest.mark.parametrize("ranker", ["first", "lm", "english", "callable"])
@pytest.mark.filterwarnings("ignore")
def test_explanations_have_its_words_and_the_script_gives_them(service, ranker):
    more = [("ranking", "multiplex"), ("ranking", "query-terms"), ("document", "exs")]
    for question, method in more:
        asked = Explain(query=QUERY, ranker=ranker, question=question, method=method, k=6,
                        doc="d2" if question == "document" else None)  # fmt: skip
        answer, script = both(service, "explain", asked)
        names = run_script(script)
        found = names["explanation"].to_dict()
        for one in (answer, found):
            one["seconds"], one["model_calls"] = 0, 0
        server_says = {key: one for key, one in answer.items() if key not in ("ranker", "forms")}
        assert [*differing(server_says, {k: v for k, v in found.items() if k != "ranker"})] == []
        if ranker != "english" or question == "document":
            assert answer["analyzer"]["language"] == "pl"
        if question == "ranking":
            own = service.loaded.scorer(ranker, "polski", [one.content for one in DOCUMENTS])
            assert answer["analyzer"]["stem"] == getattr(getattr(own, "analyzer", None), "stem", None)
            for term, forms in answer.get("forms", {}).items():
                assert all(POLISH.terms(form) == (term,) for form in forms) or ranker == "english"


@pytest.mark.filterwarnings("ignore")
def test_contrasts_and_changes_have_its_words(service):
    asked = Compare(query=QUERY, rankers=["first", "callable"], k=6)
    answer, script = both(service, "compare", asked)
    names = run_script(script)
    terms = {n: list(one.terms) for n, one in names["comparison"].queries[0].intents.items()}
    assert terms == {n: one["terms"] for n, one in answer["queries"][0]["intents"].items()}
    words = {term for some in terms.values() for term in some}  # as they are written
    of_documents = {term for one in DOCUMENTS for term in POLISH.terms(one.content)}
    assert {stem for word in words for stem in POLISH.terms(word)} <= of_documents
    assert words <= answer["forms"].keys()
    assert all(POLISH.terms(form) == POLISH.terms(w) for w in words for form in answer["forms"][w])
    asked = Counterfactual(query=QUERY, ranker="callable", doc="d1", goal="leave", top=1, k=6)
    answer, script = both(service, "counterfactual", asked)
    names = run_script(script)
    assert answer["edited_text"] == names["explanation"].edited_text
    assert "words = TextSettings(language='pl').analyzer()" in script
    assert "analyzer=words)" in script

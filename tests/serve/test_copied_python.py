"""“Copy as Python”: the script gives the answer of the page, for every ranker and method it offers."""

import asyncio
import functools
import json
import re
import warnings

import numpy as np
import pytest

import intentx as ix
from intentx.errors import InputError
from intentx.rankers import FeatureRanker, TextFeatures
from intentx.search import SearchIndex
from intentx.serve import structs
from intentx.serve.engines import IndexEngine
from intentx.serve.loaded import Loaded
from intentx.serve.methods import methods_for
from intentx.serve.python_text import python_text
from intentx.serve.questions import prepared
from intentx.serve.rankers import served_rankers
from intentx.serve.service import Options, Service
from intentx.serve.structs import Can
from intentx.serve.tasks import TASKS
from intentx.serve.turns import Turns
from tests import services
from tests.rankers.interaction_toys import WORDS, lexicon
from tests.serve.conftest import differing, run_script

QUERY = "piano keys sound"
SMALL = {"samples": 32, "budget": 32, "steps": 12}
LEFT_OUT = {"seconds", "ranker", "model_calls", "calls", "forms"}
drawn = np.random.default_rng(5)
DOCUMENTS = [
    ix.Document(f"d{i}", " ".join([*drawn.choice([*WORDS, "the", "old", "room"], 14), "piano"]),
                f"Piano {i}" if i % 2 else "")
    for i in range(8)
]  # fmt: skip


def marks(query, texts):
    """A ranker of one's own."""
    return [text.count("piano") + 0.1 * text.count("sound") - 0.01 * len(text) for text in texts]


def batches(query, texts):
    """Its scores say how many texts were given together."""
    return [score + 0.01 * len(texts) for score in marks(query, texts)]


def interaction(folder):
    from intentx.rankers.interaction.drmm import DRMM, DRMMSettings
    from intentx.rankers.interaction.knrm import KNRM, KNRMSettings
    from intentx.rankers.interaction.matchpyramid import MatchPyramid, MatchPyramidSettings

    pyramid = MatchPyramidSettings(comparison="cosine", filters=(2,), pool=(4, 3), hidden=(3,))
    for ranker in (
        DRMM(lexicon(), DRMMSettings(seed=3)), KNRM(lexicon(), KNRMSettings(kernels=5)),
        MatchPyramid(lexicon(), pyramid),
    ):  # fmt: skip
        yield ranker.name, f"{ranker.name}:{ranker.save(folder / ranker.name)}"


def transformers(folder):
    import sentence_transformers
    from transformers import BertConfig, BertForMaskedLM

    from tests import tiny_models

    yield "cross", f"cross-encoder:{tiny_models.cross_encoder(folder / 'cross')}"
    _, dense = tiny_models.bi_encoder(folder / "bi")
    yield "bi", f"bi-encoder:{dense}"
    late = folder / "late"
    sentence_transformers.MultiVectorEncoder(str(folder / "bi" / "bert"), device="cpu").save(str(late))
    yield "late", f"late-interaction:{late}"
    yield (
        "dpr",
        f"dpr:{tiny_models.dpr(folder / 'q', 'query')},{tiny_models.dpr(folder / 'd', 'document')}",
    )
    config = BertConfig(**tiny_models.SIZES, max_position_embeddings=24)
    masked = tiny_models.seeded(lambda: BertForMaskedLM(config), 4.0)
    pieces = tiny_models.word_pieces(folder / "sparse", 24)
    yield "sparse", f"sparse:{tiny_models.save(masked, pieces, folder / 'sparse')}"


def features(folder):
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    texts = [one.content for one in DOCUMENTS]
    made = TextFeatures(texts, names=("bm25", "coverage", "first_match", "length"))
    grades = [float(one) for one in marks(QUERY, texts)]
    model = lightgbm.LGBMRegressor(n_estimators=9, min_child_samples=1, min_data_in_bin=1, verbosity=-1)
    return f"ltr:{FeatureRanker(made, model.fit(made(QUERY, texts), grades)).save(folder / 'ltr')}"


def rerank(service, request):
    """A rerank service that wants a key."""
    if request.handler.headers["authorization"] != "Bearer sk-copied-1":
        return 401, {"error": "no key"}
    scores = marks(request.json["query"], request.json["documents"])
    return 200, {"results": [{"index": i, "relevance_score": s} for i, s in enumerate(scores)]}


@pytest.fixture(scope="module")
def remote():
    """A rerank service on this machine; its spec."""
    with pytest.MonkeyPatch.context() as patch, services.Service(rerank) as made:
        patch.setenv("COPIED_KEY", "sk-copied-1")
        yield f"{made.url}/rerank#key_env=COPIED_KEY"


@pytest.fixture(scope="module")
def service(tmp_path_factory, remote):
    """A server without HTTP, and what its worker has loaded: rankers of all kinds, small ones."""
    pytest.importorskip("torch", reason="the neural extra is not installed")
    folder = tmp_path_factory.mktemp("rankers")
    specs = {
        "first": "bm25", "k1": "bm25#k1=2", "lm": "lm", "rm3": "rm3", "callable": f"{__name__}:marks",
        "batches": f"{__name__}:batches",
        "fused": f"pipeline:{folder / 'fused.toml'}", "second": f"pipeline:{folder / 'second.toml'}",
        "run": f"run:{folder / 'old.trec'}", "ltr": features(folder), "remote": remote,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        specs |= {**dict(interaction(folder)), **dict(transformers(folder))}
    (folder / "fused.toml").write_text(f'[fusion]\nparts = ["bm25", "lm", "{__name__}:marks"]\n')
    (folder / "second.toml").write_text(f'first = "bm25"\nsecond = "{specs["bi"]}"\nk = 5\n')
    rows = (f"{q} Q0 {one.id} 1 {len(one.text)} r" for q in ("q1", "q2") for one in DOCUMENTS)
    (folder / "old.trec").write_text("\n".join(rows))
    SearchIndex.build(DOCUMENTS, folder=folder / "index")
    open_ = functools.partial(IndexEngine.opened, "piano", folder / "index", {"q1": QUERY, "q2": "desk"})
    specs = {f"my {name}": spec for name, spec in specs.items()}
    rankers = served_rankers(f"{name}={spec}" for name, spec in specs.items())
    made = Service({"piano": open_()}, {"piano": open_}, rankers, Options(state=folder / "state"))
    made.loaded = Loaded(specs, {"piano": open_}, Turns())
    for name, ranker in rankers.items():  # as at the start, by a text that is none of these
        if not ranker.is_run:
            ranker.can = Can(**TASKS["load"](made.loaded, asking(name) | {"texts": ["text"]}, None))
    yield made
    made.store.close()


def asking(ranker):
    return {"query": QUERY, "ranker": ranker, "collection": "piano"}


def both(service, kind, **asked):
    """The answer of a worker, and that of the script, as plain data."""
    shape = {"explain": structs.Explain, "compare": structs.Compare}.get(
        kind, getattr(structs, kind.capitalize())
    )
    one = asyncio.run(prepared(service, kind, shape(collection="piano", query=QUERY, k=6, **asked)))
    script = python_text(service, one)
    try:
        return TASKS[one.task](service.loaded, one.plain, lambda partial: None), script
    except InputError as error:
        return error, script


def order(service, ranker):
    """Documents as a ranker orders them, which the worker remembers from then on."""
    answer, _ = both(service, "explain", ranker=ranker, method="query-terms")
    return answer["ranking"]["doc_ids"]


def ran(script, name):
    return run_script(script)[name].to_dict()


def plain(answer):
    """Without what a machine takes, and without what the server adds."""
    told = json.loads(json.dumps(answer, default=str))
    return {key: value for key, value in told.items() if key not in LEFT_OUT}


# A script names its ranker and its method apart: these rankers are asked every method, others a few.
ALL = ("first", "matchpyramid", "ltr")
FEW = {
    "cross": {"ranking": ("attention", "attention-rollout"),
              "document": ("attention", "attention-rollout"), "pair": ("gradient-input",)},
    "bi": {"ranking": ("token-pairs", "token-pairs-integrated"), "document": ("token-pairs-integrated",),
           "pair": ("token-pairs-integrated",)},
    "late": {"document": ("token-pairs", "deeplift")},
}  # fmt: skip
FEWER = {"ranking": ("multiplex",), "document": ("shap",), "pair": ("shap",)}
KINDS = ("k1", "lm", "rm3", "callable", "run", "drmm", "knrm", "remote", "fused", "dpr", "sparse")


def offered(service, ranker):
    """Each method that is asked, by its question, with settings that are soon done."""
    for question in ("ranking", "document", "pair"):
        for method in methods_for(service.rankers[f"my {ranker}"].can, question):
            if ranker in ALL or method.name in FEW.get(ranker, FEWER).get(question, ()):
                named = {one.name for one in method.settings}
                yield question, method.name, {n: value for n, value in SMALL.items() if n in named}


def test_each_method_of_the_page_is_asked_of_some_ranker(service):
    every = {
        (question, method.name)
        for ranker in service.rankers.values()
        for question in ("ranking", "document", "pair")
        for method in methods_for(ranker.can, question)
    }
    asked = {one[:2] for ranker in (*ALL, *FEW) for one in offered(service, ranker)}
    assert every - asked == set()


@pytest.mark.slow
@pytest.mark.parametrize("ranker", [*ALL, *FEW, *KINDS])
@pytest.mark.filterwarnings("ignore")
def test_the_script_gives_the_answer_of_the_page(service, ranker):
    """Scores are remembered from method to method, so that sums of other batches round otherwise."""
    docs = order(service, f"my {ranker}")
    number = 0
    for question, method, settings in offered(service, ranker):
        about = {} if question == "ranking" else {"doc": docs[0]}
        about |= {"above": docs[1]} if question == "pair" else {}
        asked = {"question": question, "method": method, "settings": settings, **about}
        answer, script = both(service, "explain", ranker=f"my {ranker}", **asked)
        if isinstance(answer, InputError):  # which the texts are to blame for
            with pytest.raises(InputError, match=re.escape(str(answer))):
                ran(script, "explanation")
            continue
        found = ran(script, "explanation")
        assert [*differing(plain(answer), plain(found))] == [], (question, method)
        number += 1
    assert number >= (1 if ranker == "run" else 2)


def test_the_ranker_is_asked_in_the_same_batches(service):
    """A ranker whose scores say how many texts it was given: rounding differs in the same way."""
    for question, method in (("ranking", "multiplex"), ("document", "shap")):
        about = {} if question == "ranking" else {"doc": "d1"}
        settings = {"budget": 100} if question == "ranking" else {"samples": 100}
        answer, script = both(
            service, "explain", ranker="my batches", question=question, method=method,
            settings=settings, **about,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = ran(script, "explanation")
        assert plain(answer) == plain(found)
        service.loaded._boxes.clear()


@pytest.mark.parametrize(
    "pair", [("first", "drmm"), ("run", "first"), ("fused", "run"), ("second", "first")]
)
def test_the_script_contrasts_rankers_as_the_page_does(service, pair):
    answer, script = both(service, "compare", rankers=[f"my {one}" for one in pair])
    found = plain(ran(script, "comparison"))
    assert [*differing(plain(answer) | {"rankers": 0}, found | {"rankers": 0})] == []


def test_the_scripts_of_changes_give_the_answer_of_the_page(service):
    for ranker in ("my first", "my drmm"):
        last = order(service, ranker)[-1]
        asked = {"ranker": ranker, "doc": last, "goal": "enter", "top": 2, "most": 2}
        answer, script = both(service, "counterfactual", **asked)
        assert [*differing(plain(answer), plain(ran(script, "explanation")))] == []


@pytest.mark.parametrize("ranker", ["first", "lm", "ltr", "remote", "dpr", "second"])
@pytest.mark.filterwarnings("ignore")
def test_the_scripts_of_missing_documents_and_of_edits_give_the_answer_of_the_page(service, ranker):
    docs = order(service, f"my {ranker}")
    gone = next(one.id for one in DOCUMENTS if one.id not in docs)
    for doc in (docs[-1], gone):
        answer, script = both(service, "missing", ranker=f"my {ranker}", doc=doc, top=3)
        (found,), _ = printed(script)
        assert [*differing(plain(answer), plain(found.to_dict()) | {"format": answer["format"]})] == []
    for edit in (
        {"doc": docs[0], "text": "desk"},
        {"edited_query": "old room"},
        {"text": "piano sound"},
    ):
        answer, script = both(service, "score", ranker=f"my {ranker}", **edit)
        _, names = printed(script)
        for name, ranking in (("before", names["ranking"]), ("after", names["after"])):
            assert [one["doc_id"] for one in answer[name]] == list(ranking.doc_ids)
            assert [one["score"] for one in answer[name]] == pytest.approx(ranking.scores, abs=1e-5)


def printed(script):
    """What a script prints, and its names."""
    found = []
    names = run_script(script, print=lambda *parts, **_: found.extend(parts))
    return found, names

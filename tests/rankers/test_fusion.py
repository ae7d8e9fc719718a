"""`Fusion`: ranks and scores of several rankers put together; stages of rankers told apart."""

import json
import math
import pickle

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.evaluation.stage_places import StagePlaces, stage_places
from intentx.rankers import BM25, RankerSpec
from intentx.search import SearchIndex
from intentx.study.data import Topic
from intentx.study.rankings import mark_of, ranking_of
from tests.rankers.test_pipeline import DOCS, TEXTS, length, shortness
from tests.toys import Counting


def given(*scores):
    """A scorer that gives these scores to texts by their places among "0", "1", …"""
    return lambda query, texts: [scores[int(text.split()[0])] for text in texts]


NUMBERED = [f"{i} word" for i in range(4)]


def rank_of(scores, place):
    return 1 + sum(one > scores[place] for one in scores)


def test_reciprocal_ranks_by_loops_and_ties_share_a_rank():
    one, other = [3.0, 1.0, 1.0, -2.0], [0.0, 0.0, 5.0, 0.0]
    found = ix.Fusion([given(*one), given(*other)])("q", NUMBERED)
    wanted = [1 / (60 + rank_of(one, i)) + 1 / (60 + rank_of(other, i)) for i in range(4)]
    np.testing.assert_allclose(found, wanted, rtol=1e-15)
    found = ix.Fusion([given(*one), given(*other)], rrf_k=1)("q", NUMBERED)
    np.testing.assert_allclose(found[0], 1 / 2 + 1 / 3, rtol=1e-15)


@pytest.mark.parametrize("normalise", ["minmax", "zscore", "none", None])
def test_weights_by_hand(normalise):
    one, other = np.array([3.0, 1.0, 1.0, -2.0]), np.array([0.1, 0.0, 0.4, 0.2])

    def scaled(scores):
        if normalise == "none":
            return scores
        if normalise == "zscore":
            return (scores - scores.mean()) / scores.std()
        return (scores - scores.min()) / np.ptp(scores)

    fusion = ix.Fusion([given(*one), given(*other)], how=[0.7, 2], normalise=normalise)
    np.testing.assert_allclose(fusion("q", NUMBERED), 0.7 * scaled(one) + 2 * scaled(other), rtol=1e-12)
    assert fusion.listwise == (normalise != "none")


def test_order_of_texts_and_of_parts_does_not_matter():
    parts = [BM25(TEXTS), length, shortness]
    for how in ("rrf", [1, 2, 3]):
        turned = how if how == "rrf" else how[::-1]
        scores = ix.Fusion(parts, how=how)("green tea", TEXTS)
        again = ix.Fusion(parts[::-1], how=turned)("green tea", TEXTS[::-1])[::-1]
        np.testing.assert_array_equal(scores, again)


@pytest.mark.parametrize("scale", [1e-308, 1e-200, 1.0, 1e200, 1.7e308])
@pytest.mark.parametrize("normalise", ["minmax", "zscore"])
def test_scores_of_any_size(scale, normalise):
    fusion = ix.Fusion([given(0, scale, -scale, 0), given(1, 1, 1, 1)], how=[1, 5], normalise=normalise)
    scores = fusion("q", NUMBERED)
    assert np.isfinite(scores).all()
    assert scores[1] > scores[0] == scores[3] > scores[2]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (lambda q, t: [1.0], r"part 2 of the fusion, <lambda>: .*one score per text, not \(1,\)"),
        (lambda q, t: [math.nan] * len(t), "part 2 of the fusion, <lambda>: .*returned nan for 6 of 6"),
        (lambda q, t: 1 / 0, "part 2 of the fusion, <lambda>: the scorer raised ZeroDivisionError"),
    ],
)
def test_a_part_that_fails_is_named(part, said):
    for how in ("rrf", [1, 1]):
        with pytest.raises(ix.errors.ScorerError, match=said):
            ix.rank(ix.Fusion([BM25(TEXTS), part], how=how), "green tea", DOCS)


@pytest.mark.parametrize(
    ("parts", "settings", "said"),
    [
        ([length], {}, "two parts or more, not 1"),
        ("bm25", {}, "list of scorers, not str"),
        (length, {}, "list of scorers, not function"),
        ([length, 3], {}, "part 2 of a fusion must be a scorer"),
        ([length, length], {"how": "rff"}, "how must be 'rrf' or a list of 2 weights"),
        ([length, length], {"how": [1]}, "2 finite weights"),
        ([length, length], {"how": [1, math.nan]}, "2 finite weights"),
        ([length, length], {"how": [1, True]}, "2 finite weights"),
        ([length, length], {"how": 3}, "2 finite weights"),
        ([length, length], {"how": [10**400, 1]}, "2 finite weights"),
        ([length, length], {"how": {1, 2}}, "2 finite weights"),
        ([length, length], {"how": {1: 2, 2: 1}}, "2 finite weights"),
        ([length, length], {"rrf_k": 10**400}, "rrf_k must be"),
        ([length, length], {"how": [1, -1]}, "0 or more"),
        ([length, length], {"how": [0, 0]}, "one at least above 0"),
        ([length, length], {"how": [1, 1], "normalise": "max"}, "normalise must be one of"),
        ([length, length], {"normalise": "minmax"}, "reciprocal ranks need no normalise"),
        ([length, length], {"rrf_k": -1}, "rrf_k must be"),
    ],
)
def test_what_is_no_fusion(parts, settings, said):
    with pytest.raises(ix.InputError, match=said):
        ix.Fusion(parts, **settings)


def test_it_is_a_ranker_like_any_other():
    second = Counting(shortness)
    fusion = ix.Fusion([SearchIndex.build(DOCS), second])
    ranking = ix.rank(fusion, "green tea", DOCS)
    assert ranking.can.listwise
    assert ranking.doc_ids[0] == "e"
    before = len(second.texts)
    found = ix.KernelSHAP(samples=30, seed=0).explain(ranking, "a")
    assert {"green", "tea"} <= set(found.terms)
    assert len(second.texts) - before < 40  # one text for each edit, not the whole list
    assert ix.Fusion([length, shortness], how=[1, 1], normalise="none").listwise is False
    assert ix.Fusion([fusion, shortness], how=[1, 1], normalise="none").listwise is True


def test_fingerprints_marks_and_pickles():
    one = ix.Fusion([BM25(TEXTS), BM25(TEXTS, k1=2)])
    others = [
        ix.Fusion([BM25(TEXTS, k1=2), BM25(TEXTS)]),
        ix.Fusion([BM25(TEXTS), BM25(TEXTS, k1=2)], rrf_k=1),
        ix.Fusion([BM25(TEXTS), BM25(TEXTS, k1=2)], how=[1, 2]),
        ix.Fusion([BM25(TEXTS), BM25(TEXTS, k1=2)], how=[1, 2], normalise="none"),
    ]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 5
    assert ix.Fusion([BM25(TEXTS), shortness]).fingerprint is None
    again = pickle.loads(pickle.dumps(one))  # noqa: S301
    assert again("tea", TEXTS).tolist() == one("tea", TEXTS).tolist()
    assert one("tea", []).shape == (0,)


def test_stages_of_a_pipeline_over_a_fusion():
    pipeline = ix.Pipeline(ix.Fusion([BM25(TEXTS), length]), shortness, k=3)
    stages = {one.name: one for one in pipeline.stages("green tea", TEXTS)}
    assert [*stages] == ["first stage: part 1", "first stage: part 2", "first stage", "reranker"]
    np.testing.assert_array_equal(stages["first stage: part 2"].scores, length("", TEXTS))
    shares = stages["first stage: part 1"].shares + stages["first stage: part 2"].shares
    np.testing.assert_allclose(shares, stages["first stage"].scores)
    given = stages["reranker"].ranks > 0
    assert given.sum() == 3
    assert set(np.flatnonzero(given)) == set(np.argsort(-stages["first stage"].scores)[:3])
    turned = ix.Pipeline(length, ix.Fusion([BM25(TEXTS), shortness]), k=2).stages("green tea", TEXTS)
    assert [one.name for one in turned] == [
        "first stage", "reranker: part 1", "reranker: part 2", "reranker"
    ]  # fmt: skip
    assert all((one.ranks > 0).sum() == 2 for one in turned[1:])
    nested = ix.Pipeline(ix.Pipeline(length, shortness, k=4), BM25(TEXTS), k=2)
    names = [one.name for one in nested.stages("green tea", TEXTS)]
    assert names == ["first stage: first stage", "first stage: reranker", "first stage", "reranker"]


def test_a_search_room_does_not_find_what_has_no_word():
    first, reranker = ix.Pipeline(SearchIndex.build(DOCS), shortness, k=2).stages("green tea", TEXTS)
    assert [bool(one) for one in first.ranks] == [True, True, False, False, True, True]
    assert (reranker.ranks > 0).sum() == 2


def test_which_stage_put_a_document_where_it_is():
    ranking = ix.rank(ix.Pipeline(length, shortness, k=3), "tea", DOCS)  # f, a, c go on; then c, a, f
    assert ranking.doc_ids == ("c", "a", "f", "b", "e", "d")
    pair = stage_places(ranking, 0, 2)
    assert [(one.rank, one.other_rank) for one in pair.stages] == [(3, 1), (1, 3)]
    assert pair.sentence.endswith(
        "The reranker put them in this order; the first stage had them the other way round."
    )
    assert stage_places(ranking, 0).sentence.endswith("put it there, from rank 3 of the first stage.")
    kept = stage_places(ranking, 3, 5)
    assert [(one.rank, one.other_rank) for one in kept.stages] == [(4, 6), (None, None)]
    assert kept.sentence.endswith("The first stage put them in this order.")
    assert "did not score it" in stage_places(ranking, 5).sentence
    fused = ix.rank(ix.Fusion([length, shortness], how=[3, 1]), "tea", DOCS)
    told = stage_places(fused, 0, 5)
    assert (told.doc_id, told.other) == ("f", "d")
    assert "part 1 speaks for 'f' by 3, part 2 speaks for 'd' by 1." in told.sentence
    assert "part 1 gives 100% of its fused score." in stage_places(fused, 0).sentence
    assert stage_places(ix.rank(length, "tea", DOCS), 0) is None
    assert stage_places(ix.Ranking.from_run(list(DOCS), "tea", DOCS), 0) is None


def test_explanations_keep_and_show_the_stages(tmp_path):
    ranking = ix.rank(ix.Pipeline(BM25(TEXTS), shortness, k=3), "green tea", DOCS)
    found = ix.KernelSHAP(samples=30).explain(
        ranking, "e", above="b" if ranking.doc_ids[0] != "b" else "a"
    )
    told = found.measures["stages"]
    assert isinstance(told, StagePlaces)
    again = ix.DocumentExplanation.from_dict(json.loads(found.to_json()))
    assert again.measures["stages"] == told
    page = found.to_html(tmp_path / "page.html").read_text()
    assert ">Stages<" in page
    assert "reranker" in found._repr_html_()


FUSED = '[fusion]\nparts = ["bm25", "lm"]\n'


@pytest.mark.parametrize("content", [FUSED, FUSED + "how = [0.7, 0.3]\nnormalise = 'zscore'"])
def test_a_fusion_on_the_command_line(tmp_path, capsys, content):
    (tmp_path / "p.toml").write_text(content)
    (tmp_path / "docs.tsv").write_text("".join(f"{i}\t{t or 'x'}\n" for i, t in DOCS.items()))
    asked = ["explain", "--ranker", f"pipeline:{tmp_path / 'p.toml'}", "--query", "green tea"]
    asked += ["--docs", str(tmp_path / "docs.tsv"), "--method", "exs", "--samples", "20"]
    asked += ["--doc", "#1", "--above", "#3"]
    assert main([*asked, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in plain["stages"]["stages"]] == ["part 1", "part 2", "fusion"]
    assert plain["stages"]["stages"][2]["rank"] == 1
    assert main([*asked, "--html", str(tmp_path / "page.html")]) == 0
    out = capsys.readouterr().out
    assert "part 2" in out
    assert "adds" in out


def test_a_fusion_before_a_reranker_from_a_file(tmp_path):
    (tmp_path / "p.toml").write_text('second = "lm"\nk = 4\n' + FUSED + "rrf_k = 10")
    spec = RankerSpec.parse(f"pipeline:{tmp_path / 'p.toml'}")
    ranker = spec.load(TEXTS)
    assert (ranker.k, ranker.first.rrf_k) == (4, 10)
    assert [one.kind for one in spec.parts().specs] == ["bm25", "lm", "lm"]
    assert RankerSpec.parse(f"pipeline:{tmp_path / 'p.toml'}#k=2").load(TEXTS).k == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (FUSED + "weights = [1, 2]", r"\[fusion\] has no key 'weights'; there are parts, how"),
        ("[fusion]\nparts = ['bm25']", r"\[fusion\] needs parts, a list of two specs or more"),
        ("[fusion]\nhow = 'rrf'", r"\[fusion\] needs parts"),
        (FUSED + "how = [1]", r"\[fusion\]: how must be 'rrf' or 2 finite weights"),
        (FUSED + "how = 'rff'", r"\[fusion\]: how must be"),
        (FUSED + "how = [1, 1]\nnormalise = 'best'", "normalise must be one of"),
        (FUSED + "rrf_k = 'a'", "rrf_k must be"),
        ("first = 'bm25'\n" + FUSED, "stands in the place of first"),
        ("k = 5\n" + FUSED, "k is the number of documents for second"),
        ("fusion = 3", "fusion must be a table"),
        ("[fusion]\nparts = ['bm25', 'run:x']", "a recorded run cannot be a stage"),
        ("[fusion]\nparts = ['bm25', 'pipeline:p.toml']", "names itself"),
        ("[fusion]\nparts = ['bm25', 'bm52']", "did you mean 'bm25'"),
    ],
)
def test_files_that_are_none(tmp_path, content, said):
    (tmp_path / "p.toml").write_text(content)
    with pytest.raises(ix.InputError, match=said):
        RankerSpec.parse(f"pipeline:{tmp_path / 'p.toml'}").load(TEXTS)


def test_a_study_ranks_by_a_fusion_with_the_statistics_of_its_pool(tmp_path):
    (tmp_path / "p.toml").write_text(FUSED)
    spec = f"pipeline:{tmp_path / 'p.toml'}"
    topic = Topic("1", "green tea", DOCS | {"d": "x"}, tuple(DOCS), {})
    ranking = ranking_of(spec, topic, None)
    parts = [RankerSpec.parse(name).load([*topic.docs.values()]) for name in ("bm25", "lm")]
    by_hand = ix.rank(ix.Fusion(parts), "green tea", topic.docs)
    assert ranking.doc_ids == by_hand.doc_ids
    mark = mark_of(spec)
    assert mark.startswith("fusion by rrf")
    (tmp_path / "p.toml").write_text(FUSED + "rrf_k = 10")
    assert mark_of(spec) != mark

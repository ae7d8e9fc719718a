"""``intentx explain`` for documents: every method, what is printed and written, and what is refused."""

from __future__ import annotations

import json

import pytest

import intentx as ix
from intentx.explainers.document.beside import SideBySide
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.inside.gradcam_explanation import GradCAMExplanation
from tests import tiny_models
from tests.cli.explained import DOCS, run, written
from tests.report.test_page import Reader

ANY = ("exs", "lirme", "shap")
GRADIENTS = ("saliency", "gradient-input", "ig", "deeplift", "deepshap")


@pytest.fixture
def docs(tmp_path):
    return written(tmp_path)


@pytest.fixture(scope="module")
def rankers(tmp_path_factory):
    """Specs of rankers that look inside: not trained, but real."""
    from intentx.rankers import KNRM, MatchPyramid
    from tests.rankers.interaction_toys import lexicon

    specs = {}
    for name, ranker in (("knrm", KNRM(lexicon())), ("matchpyramid", MatchPyramid(lexicon()))):
        folder = tmp_path_factory.mktemp(name)
        ranker.save(folder)
        specs[name] = f"{name}:{folder}"
    return specs


def test_the_first_of_several_rankers_may_have_a_name(capsys, docs):
    more = ("--ranker", "lm", "--doc", "first", "--method", "lirme", "--samples", "30", "--json")
    code, out, err = run(capsys, docs, *more, ranker="mine=bm25")
    assert code == 0, err
    assert json.loads(out)["labels"] == ["mine", "lm"]


@pytest.mark.parametrize("name", ANY)
def test_one_document_as_json(capsys, docs, name):
    code, out, err = run(
        capsys, docs, "--doc", "second", "--method", name, "--json", "--samples", "50", "--seed", "3"
    )
    assert (code, err) == (0, "")
    found = DocumentExplanation.from_dict(json.loads(out))
    assert found.ranking.doc_ids[found.position] == "second"
    assert set(found.content_terms) == {"laptop", "typing", "keys", "sound", "desk"}
    assert set(found.terms) > set(found.content_terms), "stopwords are words of a document"
    assert found.terms[0] == "keys"
    assert found.weights[0] > 0
    assert (found.settings["samples"], found.settings["seed"]) == (50, 3)


@pytest.mark.parametrize("name", GRADIENTS)
def test_methods_that_look_inside(capsys, docs, rankers, name):
    code, out, err = run(
        capsys, docs, "--doc", "first", "--method", name, "--json", ranker=rankers["knrm"]
    )
    assert (code, err) == (0, "")
    found = DocumentExplanation.from_dict(json.loads(out))
    assert set(found.content_terms) == {"piano", "keys", "stool"}
    assert any(found.weights)


def test_methods_stand_side_by_side(capsys, docs):
    several = ("--doc", "first", "--method", "shap", "--method", "lirme")
    code, out, _ = run(capsys, docs, *several, "--json")
    assert code == 0
    plain = json.loads(out)
    assert (plain["varies"], plain["labels"]) == ("method", ["shap", "lirme"])
    assert [one["method"] for one in plain["explanations"]] == ["KernelSHAP", "LIRME"]
    assert {one["ranker"] for one in plain["explanations"]} == {"bm25"}
    assert all(one["verdict"] and one["faithfulness"] for one in plain["explanations"])
    assert plain["votes"]["contradictions"] == []
    assert {"term": "piano", "for": ["shap", "lirme"], "against": []}.items() <= next(
        word for word in plain["votes"]["words"] if word["term"] == "piano"
    ).items()
    code, out, _ = run(capsys, docs, *several)
    assert "Side by side" in out
    assert "No method contradicts another" in " ".join(out.split())


def test_variants_of_a_method_side_by_side(capsys, docs, rankers, tmp_path):
    files = ("--html", tmp_path / "p.html", "--png", tmp_path / "p.svg")
    several = ("--method", "deepshap:oov", "--method", "deepshap:IDF", "--method", "shap")
    code, out, _ = run(
        capsys, docs, "--doc", "first", *several, *files, "--json", ranker=rankers["knrm"]
    )
    assert code == 0
    plain = json.loads(out)
    assert plain["labels"] == ["deepshap:oov", "deepshap:idf", "shap"]
    references = [one["settings"].get("reference") for one in plain["explanations"]]
    assert references == ["oov", "idf", None]
    assert len(plain["agreements"]) == 3
    found = ix.SideBySide.from_dict(plain)
    for label, one in zip(found.labels, found.explanations, strict=True):
        others = {word for name, words in found.first.items() if name != label for word in words}
        alone = {word for word in found.first[label] if word not in others}
        assert set(found.alone[label]) <= alone
        assert one.ranking.doc_ids[one.position] == "first"
    written = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert "p-deepshap-oov.svg" in written
    text = Reader((tmp_path / "p.html").read_text(encoding="utf-8")).text
    assert "deepshap:oov and deepshap:idf" in text


def test_rankers_stand_side_by_side(capsys, docs, rankers, tmp_path):
    knrm, page = f"K={rankers['knrm']}", tmp_path / "p.html"
    more = ("--ranker", knrm, "--doc", "#2", "--method", "shap", "--html", page)
    code, out, _ = run(capsys, docs, *more, "--json")
    assert code == 0
    plain = json.loads(out)
    assert (plain["varies"], plain["labels"]) == ("ranker", ["bm25", "K"])
    assert [one["ranker"] for one in plain["explanations"]] == ["bm25", rankers["knrm"]]
    assert plain["doc_id"] == plain["explanations"][1]["doc_id"] == "second"
    one, two = (one["ranking"]["scores"] for one in plain["explanations"])
    assert one != two
    text = Reader(page.read_text(encoding="utf-8")).text
    assert "Each ranker has its own unit" in text
    code, out, _ = run(capsys, docs, *more)
    assert (code, "this ranker alone" in out) == (0, True)


def test_grad_cam(capsys, docs, rankers, tmp_path):
    files = ("--html", tmp_path / "p.html", "--png", tmp_path / "p.png")
    code, out, _ = run(
        capsys, docs, "--doc", "first", "--method", "gradcam", "--json", *files,
        ranker=rankers["matchpyramid"],
    )  # fmt: skip
    assert code == 0
    found = GradCAMExplanation.from_dict(json.loads(out))
    assert found.map.shape == (2, 6)
    assert "Which matches make the score" in (tmp_path / "p.html").read_text(encoding="utf-8")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_settings_reach_the_method(capsys, docs, rankers):
    def settings(*more, ranker="bm25"):
        code, out, err = run(capsys, docs, "--doc", "first", "--json", *more, ranker=ranker)
        assert (code, err) == (0, "")
        return json.loads(out)["settings"]

    exs = settings(
        *(
            "--method",
            "exs",
            "--samples",
            "30",
            "--k",
            "2",
            "--labels",
            "topk",
            "--removal",
            "mask",
            "--mask",
            "[gone]",
        ),
        *("--max-terms", "4", "--stem", "english"),
    )
    assert (exs["samples"], exs["k"], exs["labels"], exs["removal"]) == (30, 2, "topk", "mask")
    assert exs["mask"] == "[gone]"
    assert (exs["max_terms"], exs["analyzer"]["stem"]) == (4, "english")
    assert settings("--method", "lirme", "--sampler", "uniform")["sampler"] == "uniform"
    steps = settings("--method", "ig", "--steps", "7", "--reference", "ql", ranker=rankers["knrm"])
    assert (steps["steps"], steps["reference"]) == (7, "ql")
    shap = settings("--method", "deepshap", "--reference", "topk", ranker=rankers["knrm"])
    assert shap["reference"] == "topk"


def test_a_document_by_its_rank_or_its_id(capsys, docs):
    code, out, _ = run(capsys, docs, "--doc", "#2", "--method", "shap", "--json")
    assert (code, json.loads(out)["doc_id"]) == (0, "second")
    code, out, _ = run(capsys, docs, "--doc", "#1", "--method", "shap", "--json")
    assert (code, json.loads(out)["doc_id"]) == (0, "#1")  # an id comes first


def test_without_a_method_a_document_has_that_of_any_ranker(capsys, docs):
    """As the docs and the pages of other tools show it: `--doc A --above B`, and nothing else."""
    for more, above in (((), None), (("--above", "first"), "first")):
        code, out, err = run(capsys, docs, "--doc", "second", *more, "--json")
        assert (code, err) == (0, "")
        found = json.loads(out)
        assert (found["method"], found["doc_id"], found["above"]) == ("KernelSHAP", "second", above)


def test_why_one_is_above_another(capsys, docs):
    more = ("--doc", "first", "--above", "second", "--method", "shap", "--method", "exs", "--json")
    code, out, _ = run(capsys, docs, *more)
    assert code == 0
    both = json.loads(out)
    assert (both["labels"], both["above"]) == (["shap", "exs"], "second")
    assert {one["above"] for one in both["explanations"]} == {"second"}
    assert {"typing", "piano"} <= set(both["explanations"][0]["terms"])
    swapped = ("--doc", "second", "--above", "first", "--method", "exs")
    code, _, err = run(capsys, docs, *swapped)
    assert (code, "is not above 'first'" in err) == (2, True)


def test_table_page_and_picture_together(capsys, docs, tmp_path):
    page, picture = tmp_path / "page.html", tmp_path / "picture.svg"
    more = ("--doc", "rtl", "--method", "exs", "--html", page, "--png", picture)
    code, out, err = run(capsys, docs, *more)
    assert (code, err) == (0, "")
    assert "EXS for 'rtl'" in out
    assert "against │ for" in out.replace("\u00a0", " ")
    assert f"page: {page}" in out
    assert f"picture: {picture}" in out
    read = Reader(page.read_text(encoding="utf-8"))
    assert "script" not in {tag for tag, _ in read.tags}
    assert DOCS["rtl"] in read.text
    assert "<svg" in picture.read_text(encoding="utf-8")


def test_several_methods(capsys, docs, tmp_path):
    page, picture = tmp_path / "page.html", tmp_path / "picture.png"
    more = ("--doc", "first", "--method", "exs", "--method", "lirme")
    code, out, _ = run(capsys, docs, *more, "--html", page)
    assert code == 0
    assert "EXS for 'first'" in out
    assert "LIRME for 'first'" in out
    assert "The words side by side" in page.read_text(encoding="utf-8")
    code, out, err = run(capsys, docs, *more, "--png", picture, "--json")
    assert json.loads(out)["labels"] == ["exs", "lirme"]  # on standard output stands nothing else
    assert err.count("picture: ") == 3
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        "picture-exs.png",
        "picture-lirme.png",
        "picture-side-by-side.png",
    ]


@pytest.mark.parametrize("name", ["exs", "shap"])
def test_the_whole_ranking_by_methods_of_documents(capsys, docs, tmp_path, name):
    more = (
        "--method",
        name,
        "--samples",
        "40",
        "--html",
        tmp_path / "p.html",
        "--png",
        tmp_path / "p.png",
    )
    code, out, _ = run(capsys, docs, *more, "--json")
    assert code == 0
    assert "piano" in ix.IntentExplanation.from_dict(json.loads(out)).terms
    assert "Intent terms" in (tmp_path / "p.html").read_text(encoding="utf-8")
    assert (tmp_path / "p.png").exists()


def test_listwise_methods_have_pictures_and_pages_too(capsys, docs, tmp_path):
    more = (
        "--method",
        "query-terms",
        "--method",
        "multiplex",
        "--budget",
        "0",
        "--html",
        tmp_path / "p.html",
    )
    code, _, _ = run(capsys, docs, *more, "--png", tmp_path / "p.png")
    assert code == 0
    assert {path.name for path in tmp_path.glob("*.png")} == {"p-query-terms.png", "p-multiplex.png"}
    assert "Where they differ" in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_faithfulness(capsys, docs):
    more = ("--doc", "first", "--method", "shap", "--faithfulness")
    code, out, _ = run(capsys, docs, *more, "--json")
    assert code == 0
    plain = json.loads(out)
    assert plain["faithfulness"]["deletion"][0] == 0
    assert plain["faithfulness"]["falls"] > 0
    code, out, _ = run(capsys, docs, *more)
    assert (code, "taken away" in out) == (0, True)


@pytest.mark.parametrize("own", [True, False])
def test_dense_beside_the_other_simple_rankers(capsys, docs, tmp_path, monkeypatch, own):
    from intentx.rankers import BiEncoder

    _, folder = tiny_models.bi_encoder(tmp_path)
    made = []
    named = BiEncoder.named
    monkeypatch.setattr(BiEncoder, "named", lambda name: made.append(name) or named(name))
    ranker, reading = (f"bi-encoder:{folder}", ["--cut"]) if own else ("bm25", [])
    names = ("multiplex", "query-terms", "random-terms", "multiplex-published", "greedy")
    chosen = [part for name in names for part in ("--method", name)]
    code, out, _ = run(capsys, docs, *chosen, *reading, "--dense", folder, "--json", ranker=ranker)
    assert code == 0
    number = {name: len(one["simple_rankers"]) for name, one in json.loads(out).items()}
    assert number == dict(zip(names, (4, 4, 4, 3, 1), strict=True))
    assert made == [str(folder)]  # the ranker's own vectors serve again
    for name, model, message in (
        (
            "greedy",
            folder,
            "--dense is a setting of multiplex, query-terms or random-terms, not of greedy",
        ),
        ("multiplex", docs, "cannot be loaded as bi-encoder: it is a single file"),
    ):
        code, _, err = run(capsys, docs, "--method", name, "--dense", model)
        assert (code, message in err) == (2, True)


@pytest.mark.slow
def test_minilm(capsys, docs, tmp_path):
    names = ("exs", "ig")
    chosen = [part for name in names for part in ("--method", name)]
    more = ("--doc", "second", *chosen, "--json", "--png", tmp_path / "p.png")
    code, out, _ = run(capsys, docs, *more, ranker="bi-encoder:minilm")
    assert code == 0
    found = SideBySide.from_dict(json.loads(out)).explanations
    assert [one.terms[0] for one in found] == ["keys"] * 2
    assert found[1].metrics["relative_gap"] < 0.02
    assert all((tmp_path / f"p-{name}.png").exists() for name in names)

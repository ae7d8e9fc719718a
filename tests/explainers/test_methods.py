"""The table of methods says what is true of them."""

import dataclasses
import re
from pathlib import Path

import pytest

import intentx as ix
from intentx.cli import main
from intentx.cli.method_options import OF_DOCUMENTS, OF_RANKINGS, having
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.methods import METHODS, Method, find_method, make_method
from intentx.explainers.ranking.choosing import EFFECTS, GENERAL
from intentx.rankers import BM25
from tests.tiny_models import cross_encoder

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"
DOCS = {"a": "a stage piano", "b": "piano keys", "c": "a desk with a key", "d": "tea"}
# Methods of some networks only: what they say of BM25.
OF_SOME = {
    "attention": "BM25 shows none",
    "attention-rollout": "BM25 shows none",
    "token-pairs": "BM25 is none of them",
    "token-pairs-integrated": "BM25 is none of them",
}
RUN = ix.Ranking.from_run({name: -float(i) for i, name in enumerate(DOCS)}, "piano", DOCS)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_what_each_needs(method, tmp_path):
    made = method.make()
    assert isinstance(made, method.explainer)
    assert (method.explains == "document") == issubclass(method.explainer, DocumentMethod)
    if method.needs_scorer:
        with pytest.raises(ix.InputError, match="recorded"):
            made.explain(RUN, 0)
    else:
        assert made.explain(RUN).terms
    ranking = ix.rank(BM25(list(DOCS.values())), "piano key", DOCS)
    if method.name in OF_SOME:
        with pytest.raises(ix.InputError, match=OF_SOME[method.name]):
            made.explain(ranking, 0)
    elif method.needs_gradients:
        with pytest.raises(ix.InputError, match=r"gradients|feature maps"):
            made.explain(ranking, 0)
    elif method.explains == "document":
        assert made.explain(ranking, 0).terms


@pytest.mark.parametrize(
    "method", [one for one in METHODS.values() if one.explains == "document"], ids=lambda one: one.name
)
def test_contrasts_and_labels(method):
    ranking = ix.rank(BM25(list(DOCS.values())), "piano key", DOCS)
    if method.name in OF_SOME and method.contrastive:
        with pytest.raises(ix.InputError, match=OF_SOME[method.name]):
            method.make().explain(ranking, 0, above=3)
    elif not method.contrastive:
        with pytest.raises(ix.InputError, match="not why one document is above another"):
            method.make().explain(ranking, 0, above=3)
    elif not method.needs_gradients:
        assert method.make().explain(ranking, 0, above=3).above == 3
    for label in method.labels:
        assert method.make({"labels": label}).labels == label
    if method.labels:
        with pytest.raises(ix.InputError, match="labels must be one of"):
            method.make({"labels": "none of them"})


@pytest.mark.slow  # it loads transformers
def test_weights_without_signs(tmp_path):
    """Those of unsigned methods are never below 0; all others of this ranker have both signs."""
    from intentx.rankers import CrossEncoder

    ranking = ix.rank(CrossEncoder(cross_encoder(tmp_path / "model")), "piano key", DOCS)
    least = {
        name: min(method.make().explain(ranking, "c").weights)
        for name, method in METHODS.items()
        if method.explains == "document"
        and name not in ("gradcam", "lirme", "token-pairs", "token-pairs-integrated")
    }
    assert {name for name, weight in least.items() if weight >= 0} == {
        name for name in least if not METHODS[name].signed
    }
    assert not METHODS["gradcam"].signed


def test_settings_are_the_fields_with_their_defaults():
    for method in METHODS.values():
        fields = {field.name for field in dataclasses.fields(method.explainer)}
        assert set(method.settings) == fields
        if method.maker is None:
            made = method.make()
            assert all(getattr(made, name) == value for name, value in method.settings.items())


def test_options_of_the_command_line():
    found = {option: having(option) for option in (*OF_RANKINGS, *OF_DOCUMENTS)}
    choosing = ["multiplex", "multiplex-published", "greedy", "random-terms", "equivalent-query"]
    assert found == {
        "candidates": choosing,
        "query_terms": choosing,
        "generality": ["multiplex", "equivalent-query"],
        **{key: ["multiplex"] for key in ("effects", "budget")},
        "seconds": ["multiplex", "equivalent-query", "exs", "lirme", "shap"],
        "stability": ["multiplex", "exs", "lirme", "shap"],
        "dense": ["multiplex", "query-terms", "random-terms"],
        **{key: ["equivalent-query"] for key in ("objective", "max_weight", "controls", "collection")},
        "samples": ["exs", "lirme", "shap"],
        "k": ["exs"],
        "labels": ["exs"],
        "sampler": ["lirme"],
        "steps": ["equivalent-query", "ig", "token-pairs", "token-pairs-integrated"],
        "reference": ["gradient-input", "ig", "deeplift", "deepshap"],
        "removal": ["exs", "shap"],
        "mask": ["exs", "shap"],
    }


def test_names_that_are_none():
    with pytest.raises(
        ix.InputError, match=r"no method 'deeplif'; choose one of .*; did you mean 'deepl"
    ):
        find_method("deeplif")
    with pytest.raises(ix.InputError, match=r"no setting 'sample'; it has .*did you mean 'samples'"):
        make_method("exs", {"sample": 3})


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"explainer": ix.EXS, "explains": "query"},
            "explains a 'ranking' or a 'document', not 'query'",
        ),
        ({"explainer": ix.EXS(), "explains": "document"}, "must be a class with explain, not EXS"),
        ({"explainer": dict, "explains": "document"}, "must be a class with explain, not <class 'dict'"),
    ],
)
def test_records_that_are_none(facts, message):
    with pytest.raises(ix.InputError, match=message):
        Method(name="x", **facts)


def test_defaults_in_the_help_are_those_of_the_method(capsys):
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    found = {
        option: re.search(rf" --{option} .*?\(default ([\d.]+)", told)[1]
        for option in ("generality", "effects")
    }
    assert found == {"generality": str(GENERAL), "effects": str(EFFECTS)}


def test_the_page_lists_every_method():
    page = PAGE.read_text(encoding="utf-8")
    table, heading, _ = page.partition("\nDifferences from the publications")
    assert heading, "the heading after the table is missing"
    listed = set(re.findall(r"`(\w+)(?:\.\w+)?\(.*?\)`", table))
    assert {method.explainer.__name__ for method in METHODS.values()} <= listed

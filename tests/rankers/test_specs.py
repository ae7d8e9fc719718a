"""Settings behind the ``#`` of a spec, wherever specs are read."""

import json

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.cli.compare import split_specs
from intentx.rankers import RankerSpec, load_ranker
from intentx.rankers.spec_settings import split_settings
from intentx.report import write_page
from intentx.study.plan import Study, read_study
from tests import tiny_models

TEXTS = ["a stage piano", "pianos, and a key!", "desk", "a key. a desk.", "stage stage stage stage"]


@pytest.fixture(scope="module")
def cross(tmp_path_factory):
    return tiny_models.cross_encoder(tmp_path_factory.mktemp("models") / "cross")


@pytest.fixture(scope="module")
def bi(tmp_path_factory):
    return tiny_models.bi_encoder(tmp_path_factory.mktemp("models"))[1]


def test_settings_reach_the_ranker(cross, bi):
    raw, squashed = (load_ranker(f"cross-encoder:{cross}{end}", []) for end in ("", "#raw=false"))
    assert (raw.raw, squashed.raw) == (True, False)
    np.testing.assert_allclose(squashed("key", TEXTS), 1 / (1 + np.exp(-raw("key", TEXTS))), atol=1e-6)
    full = load_ranker(f"cross-encoder:{cross}#raw=true&batch_size=3&device=cpu&precision=float16", [])
    assert (full.raw, full.batch_size, str(full.model.dtype)) == (True, 3, "torch.float16")
    encoder = load_ranker(f"bi-encoder:{bi}#similarity=dot&remember=2", [])
    assert (encoder.similarity, encoder.batch_size) == ("dot", 32)
    dual = load_ranker(f"dpr:{bi},{bi}#similarity=dot", [])
    np.testing.assert_allclose(dual("key", TEXTS), encoder("key", TEXTS), rtol=1e-5)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "cross-encoder:{cross}#rau=false",
            "no setting 'rau' .* of cross-encoder: there are 'batch_size', 'device', 'max_length', "
            "'precision', 'prompt', 'raw'",
        ),
        ("cross-encoder:{cross}#raw=maybe", "raw .* cannot be 'maybe': true or false expected"),
        ("cross-encoder:{cross}#raw", "raw .* cannot be '': true or false expected"),
        ("cross-encoder:{cross}#raw=true&raw=false", "raw is given twice"),
        ("cross-encoder:{cross}#batch_size=many", "batch_size .* cannot be 'many'"),
        ("cross-encoder:{cross}#batch_size=0", "batch_size must be 1 or more, not 0"),
        ("cross-encoder:{cross}#precision=float8", "one of float32, float16, bfloat16 expected"),
        ("cross-encoder:#raw=false", "cross-encoder:NAME_OR_PATH"),
        ("bi-encoder:{bi}#raw=false", "no setting 'raw' .* of bi-encoder: there are 'batch_size'"),
        ("dpr:{bi}#similarity=dot", "dpr needs two models"),
        ("drmm:{bi}#seed=1", "no setting 'seed' .* of drmm: drmm takes none"),
        ("ltr:{bi}#raw=false", "ltr takes none"),
        ("json:dumps#raw=false", "a callable takes no settings"),
    ],
)
def test_what_cannot_be_set_is_named(cross, bi, spec, message):
    with pytest.raises(ix.InputError, match=message):
        load_ranker(spec.format(cross=cross, bi=bi), [])


def test_names_with_a_number_sign(tmp_path):
    folder = tiny_models.cross_encoder(tmp_path / "model #2")
    assert load_ranker(f"cross-encoder:{folder}", []).raw
    assert not load_ranker(f"cross-encoder:{folder}#raw=false", []).raw
    assert split_settings("org/name#raw=false") == ("org/name", "raw=false")
    assert split_settings("org/name") == ("org/name", "")


@pytest.mark.parametrize("text", ["true", "True", "1", "yes", "false", "False", "0", "no"])
def test_true_and_false(text):
    spec = RankerSpec.parse(f"cross-encoder:x#raw={text}")
    assert spec.values() == {"raw": text.lower() in ("true", "1", "yes")}


def test_on_the_command_line(cross, tmp_path, capsys):
    docs = tmp_path / "docs.jsonl"
    docs.write_text("\n".join(json.dumps({"id": f"d{i}", "text": t}) for i, t in enumerate(TEXTS)))
    found = {}
    for end in ("", "#raw=false"):
        arguments = ["--query", "piano key", "--docs", docs, "--doc", "#1", "--method", "shap", "--json"]
        assert main(["explain", "--ranker", f"cross-encoder:{cross}{end}", *map(str, arguments)]) == 0
        found[end] = json.loads(capsys.readouterr().out)
    raw, squashed = found.values()
    values = 1 / (1 + np.exp(-np.array(raw["ranking"]["scores"])))
    np.testing.assert_allclose(raw["ranking"]["activated"]["sigmoid"], values, atol=1e-6)
    np.testing.assert_allclose(squashed["ranking"]["scores"], values, atol=1e-6)
    assert raw["metrics"]["sigmoid"] == pytest.approx(squashed["metrics"]["score"], abs=1e-6)
    assert "activated" not in squashed["ranking"]
    assert "sigmoid" not in squashed["metrics"]


def test_in_comparisons_and_studies(cross, tmp_path):
    spec = f"cross-encoder:{cross}"
    assert split_specs(f"bm25,{spec},sq={spec}#raw=false&batch_size=4,my=dpr:a,b#similarity=dot") == {
        "bm25": "bm25",
        "cross-encoder:cross": spec,
        "sq": f"{spec}#raw=false&batch_size=4",
        "my": "dpr:a,b#similarity=dot",
    }
    assert list(split_specs(f"{spec},{spec}#raw=false"))[1] == "cross-encoder:cross#raw=false"
    study = tmp_path / "study.toml"
    study.write_text(
        'name = "x"\n[data]\ndemo = ["*"]\n[rankers]\none = "cross-encoder:here#raw=false"\n'
        'two = "bi-encoder:minilm#batch_size=8"\n[methods]\nmultiplex = "multiplex"\n'
    )
    tiny_models.cross_encoder(tmp_path / "here")
    read: Study = read_study(study)
    assert read.rankers["one"] == f"cross-encoder:{(tmp_path / 'here').resolve()}#raw=false"
    assert read.rankers["two"] == "bi-encoder:minilm#batch_size=8"


def test_both_scores_are_shown_to_people(cross, tmp_path):
    ranker = load_ranker(f"cross-encoder:{cross}", [])
    ranking = ix.rank(ranker, "piano key", TEXTS)
    explanation = ix.KernelSHAP(samples=40).explain(ranking, 1, above=3)
    squashed = 1 / (1 + np.exp(-ranking.scores))
    assert f"score {ranking.scores[1]:.4g}, sigmoid {squashed[1]:.4g}, " in explanation.text()
    assert f"other sigmoid {squashed[3]:.4g}" in explanation.text()
    shown = f"score {ranking.scores[1]:.3f} (sigmoid {squashed[1]:.3f})".replace("-", "−")
    back = type(explanation).from_json(explanation.to_json())
    for one, folder in ((explanation, tmp_path / "one.html"), (back, tmp_path / "two.html")):
        assert shown in write_page(folder, [one]).read_text(encoding="utf-8")
    terms = ix.QueryTerms().explain(ranking.subset(range(4)))
    page = write_page(tmp_path / "three.html", [terms]).read_text(encoding="utf-8")
    assert shown in page


def test_a_sigmoid_flattens_what_the_raw_score_tells(tmp_path):
    """Near 1 the same words seem to matter less; the raw score is what the default explains."""
    folder = tiny_models.cross_encoder(tmp_path / "cross")
    ranker = load_ranker(f"cross-encoder:{folder}", [])
    with_bias = ranker.model.transformers_model.classifier
    with_bias.bias.data += 12.0
    ranking = ix.rank(ranker, "piano key", TEXTS)
    raw = ix.KernelSHAP(samples=60).explain(ranking, 0)
    ranker.raw = False
    flat = ix.KernelSHAP(samples=60).explain(ix.rank(ranker, "piano key", TEXTS), 0)
    assert ranking.activation(0)["sigmoid"] > 0.9999
    assert max(map(abs, raw.weights)) > 1000 * max(map(abs, flat.weights))

"""Each kind of folder under each kind of spec: loaded as what it is, or refused by what it says."""

import json
import shutil

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.errors import ScorerWarning
from intentx.folders import refuse_other_kinds
from intentx.rankers import DRMM, BiEncoder, CrossEncoder, load_ranker
from tests import tiny_models
from tests.later import sentence_transformers, transformers
from tests.rankers.interaction_toys import lexicon

WORDS = {
    "dense": r"a bi-encoder \(BertModel\); .*load it as bi-encoder:",
    "plain": r"a plain encoder without a head that scores \(BertModel\)",
    "cross": r"a cross-encoder, .*\(BertForSequenceClassification\); load it as cross-encoder:",
    "cross saved": r"a cross-encoder, .*; load it as cross-encoder:",
    "sparse": r"a sparse encoder, such as SPLADE .*load it as sparse:",
    "masked": r"a masked language model, .*\(BertForMaskedLM\); if it is one, load it as sparse:",
    "multi-vector": r"a multi-vector .* model, such as ColBERT .*load it as late-interaction:",
    "pylate": r"a multi-vector .* model, such as ColBERT .*load it as late-interaction:",
    "stanford": r"a multi-vector .* model, such as ColBERT .*load it as late-interaction:",
    "causal": r"a causal language model \(GPT2LMHeadModel\); load it as causal-lm:",
    "seq2seq": r"a sequence-to-sequence model, .*\(T5ForConditionalGeneration\); load it as seq2seq:",
    "dpr": r"one of DPR's two encoders, that of queries .*; load both: dpr:",
    "drmm": r"a drmm ranker of intentx; load it as drmm:",
    "empty": "no file at all",
    "file": "is a single file; name the folder",
}
OTHER_SPECS = {  # of folders that these load
    "sparse": {"sparse", "masked"},
    "late-interaction": {"multi-vector", "pylate", "stanford"},
    "causal-lm": {"causal"},
    "seq2seq": {"seq2seq"},
    "knrm": set(),
    "matchpyramid": set(),
}
FITTING = {
    ("bi-encoder", "dense"), ("bi-encoder", "plain"), ("cross-encoder", "cross"),
    ("cross-encoder", "cross saved"), ("drmm", "drmm"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("kinds")
    tokenizer = tiny_models.word_pieces(root / "tokenizer", 24)
    size = len(tiny_models.VOCABULARY)
    t5 = transformers.T5Config(
        vocab_size=size, d_model=12, d_kv=4, d_ff=20, num_layers=1, num_heads=3, decoder_start_token_id=0
    )
    gpt = transformers.GPT2Config(vocab_size=size, n_embd=12, n_layer=1, n_head=3, n_positions=24)
    bert = transformers.BertConfig(**tiny_models.SIZES, max_position_embeddings=24)
    models = {
        "masked": lambda: transformers.BertForMaskedLM(bert),
        "causal": lambda: transformers.GPT2LMHeadModel(gpt),
        "seq2seq": lambda: transformers.T5ForConditionalGeneration(t5),
    }
    found = {
        name: tiny_models.save(tiny_models.seeded(make), tokenizer, root / name)
        for name, make in models.items()
    }
    _, found["dense"] = tiny_models.bi_encoder(root / "bi")
    found["plain"] = root / "bi" / "bert"
    found["cross"] = tiny_models.cross_encoder(root / "cross")
    found["dpr"] = tiny_models.dpr(root / "dpr", "query")
    found["drmm"] = DRMM(lexicon()).save(root / "drmm")
    for name, kind, source in (
        ("sparse", sentence_transformers.SparseEncoder, "masked"),
        ("multi-vector", sentence_transformers.MultiVectorEncoder, "plain"),
        ("cross saved", sentence_transformers.CrossEncoder, "cross"),
    ):
        kind(str(found[source]), device="cpu").save(str(root / name))
        found[name] = root / name
    found["pylate"] = shutil.copytree(found["multi-vector"], root / "pylate")
    config = found["pylate"] / "config_sentence_transformers.json"
    config.write_text(json.dumps({"model_type": "ColBERT", "query_prefix": "[Q] "}))
    found["stanford"] = shutil.copytree(found["plain"], root / "stanford")
    (found["stanford"] / "artifact.metadata").write_text("{}")
    (root / "empty").mkdir()
    (root / "model.safetensors").write_bytes(b"weights")
    return found | {"empty": root / "empty", "file": root / "model.safetensors"}


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("spec", ["bi-encoder", "cross-encoder", "dpr", "drmm", "ltr"])
@pytest.mark.filterwarnings("ignore:.*is a plain BertModel")
def test_each_folder_under_each_spec(folders, spec, kind):
    folder = folders[kind]
    named = f"{spec}:{folder},{folder}" if spec == "dpr" else f"{spec}:{folder}"
    if (spec, kind) in FITTING or (spec == "dpr" and kind in ("dense", "plain")):
        scores = load_ranker(named, [])("piano keys", ["a piano", "keys and a desk"])
        assert np.ptp(scores) > 1e-6
    elif (spec, kind) == ("dpr", "dpr"):
        with pytest.raises(ix.InputError, match="the document encoder must be a DPRContextEncoder"):
            load_ranker(named, [])
    else:
        with pytest.raises(ix.InputError, match=WORDS[kind]) as caught:
            load_ranker(named, [])
        assert f"cannot be loaded as {spec}: it" in str(caught.value)


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("spec", OTHER_SPECS)
def test_each_folder_under_each_spec_of_other_rankers(folders, spec, kind):
    folder = folders[kind]
    if kind in OTHER_SPECS[spec]:
        assert refuse_other_kinds(spec, folder) is not None
        return
    with pytest.raises(ix.InputError, match=WORDS[kind]) as caught:
        load_ranker(f"{spec}:{folder}", [])
    assert f"cannot be loaded as {spec}: it" in str(caught.value)


def test_a_head_at_random_is_named(folders):
    for kind in ("dense", "plain"):
        with pytest.raises(ix.InputError, match="random weights would take the place of its classifier"):
            CrossEncoder(folders[kind])


def test_a_plain_encoder_says_what_is_done_with_it(folders):
    with pytest.warns(ScorerWarning, match=r"is a plain BertModel.*the mean over its pieces is taken"):
        BiEncoder(folders["plain"])


def test_older_folders_say_it_by_their_modules(folders, tmp_path):
    """Those of sentence-transformers before 5, and of PyLate, have no model_type."""
    for kind in ("dense", "sparse", "multi-vector"):
        folder = shutil.copytree(folders[kind], tmp_path / kind)
        config = folder / "config_sentence_transformers.json"
        plain = json.loads(config.read_text())
        del plain["model_type"]
        config.write_text(json.dumps(plain))
        if kind == "dense":
            assert BiEncoder(folder)("key", ["a key"]).shape == (1,)
            continue
        with pytest.raises(ix.InputError, match=WORDS[kind]):
            BiEncoder(folder)
    modules = [
        {"type": "sentence_transformers.models.Transformer"},
        {"type": "pylate.models.Dense.Dense"},
    ]
    (tmp_path / "multi-vector" / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ix.InputError, match=WORDS["multi-vector"]):
        BiEncoder(tmp_path / "multi-vector")


def test_a_dense_folder_over_a_masked_language_model_is_dense(folders, tmp_path):
    """As all-mpnet-base-v2 is: where modules are listed, the architecture does not count."""
    folder = shutil.copytree(folders["dense"], tmp_path / "dense")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["BertForMaskedLM"]}))
    expected = BiEncoder(folders["dense"])("key", ["a key", "desk"])
    np.testing.assert_allclose(BiEncoder(folder)("key", ["a key", "desk"]), expected)


def test_loaded_models_of_another_kind(folders):
    sparse = sentence_transformers.SparseEncoder(str(folders["sparse"]), device="cpu")
    multi = sentence_transformers.MultiVectorEncoder(str(folders["multi-vector"]), device="cpu")
    cross = sentence_transformers.CrossEncoder(str(folders["cross"]), device="cpu")
    dense = sentence_transformers.SentenceTransformer(str(folders["dense"]), device="cpu")
    for kind, model, what in (
        (BiEncoder, sparse, "a SparseEncoder cannot be loaded as bi-encoder: it is a sparse encoder"),
        (BiEncoder, multi, "a MultiVectorEncoder cannot be loaded as bi-encoder: it is a multi-vector"),
        (BiEncoder, cross, "a CrossEncoder cannot be loaded as bi-encoder: it is a cross-encoder"),
        (
            CrossEncoder,
            dense,
            "a SentenceTransformer cannot be loaded as cross-encoder: it is a bi-encoder",
        ),
        (CrossEncoder, sparse, "a SparseEncoder cannot be loaded as cross-encoder"),
    ):
        with pytest.raises(ix.InputError, match=what):
            kind(model)


def test_term_vectors_are_held_to_it(folders):
    sparse = sentence_transformers.SparseEncoder(str(folders["sparse"]), device="cpu")
    for model, what in (
        (folders["masked"], "cannot be loaded as bi-encoder: it holds a masked"),
        (sparse, "a SparseE"),
    ):
        with pytest.raises(ix.InputError, match=what):
            ix.TermVectors.from_sentence_transformer(model, ["piano"])


def test_models_of_term_vectors_and_of_dense_are_held_to_it_too(folders, tmp_path, capsys):
    docs = tmp_path / "docs.jsonl"
    docs.write_text("\n".join(json.dumps({"id": str(i), "text": f"piano {i} key"}) for i in range(3)))
    for option in ("--vectors", "--dense"):
        start = ["explain", "--query", "piano", "--docs", str(docs), "--ranker", "bm25"]
        assert main([*start, option, str(folders["sparse"])]) == 2
        assert "cannot be loaded as bi-encoder: it holds a sparse encoder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "kind", ["bi-encoder", "cross-encoder", "sparse", "late-interaction", "causal-lm", "seq2seq"]
)
def test_a_path_where_nothing_is_says_so(kind, tmp_path):
    for name in (tmp_path / "none", "./none", "models/of/mine", "~/models/none", r"C:\models\none"):
        with pytest.raises(
            ix.InputError, match=f"no model for {kind} at .*: there is no such folder"
        ) as told:
            load_ranker(f"{kind}:{name}", [])
        assert ("home folder" in str(told.value)) is str(name).startswith("~")
    with pytest.raises(ix.InputError, match="it is no folder here, and as a name on the hub: "):
        load_ranker(f"{kind}:nobody/none", [])

import json

import numpy as np
import pytest

from intentx.cli import main
from intentx.rankers import CrossEncoder, load_ranker
from intentx.text import Analyzer
from tests import tiny_models

TOPICS = ["piano", "boat", "tea", "desk", "lamp", "stage"]
FAST = ("--set", "steps=6", "--set", "check_every=3")


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def folder(tmp_path):
    """Six queries of a word each; the texts that hold it twice are the better ones."""
    folder = tmp_path / "collection"
    folder.mkdir()
    passages, candidates, qrels = [], ["qid\tdocid\trank\tscore\tretriever"], []
    for q, topic in enumerate(TOPICS):
        for i in range(6):
            other = TOPICS[(q + i + 1) % len(TOPICS)]
            text = f"{topic} {topic} and {other}" if i % 2 else f"{topic} and {other} {other}"
            passages.append(json.dumps({"id": f"{q}-{i}", "text": text}))
            candidates.append(f"{q}\t{q}-{i}\t{i + 1}\t{9 - i}\tBM25")
            if i % 2:
                candidates.append(f"{q}\t{q}-{i}\t{i + 1}\t{5 - i}\tteacher")
            qrels.append(f"{q} 0 {q}-{i} {i % 2}")
    (folder / "passages.jsonl").write_text("\n".join(passages))
    (folder / "queries.tsv").write_text("\n".join(f"{q}\t{topic}" for q, topic in enumerate(TOPICS)))
    (folder / "candidates.tsv").write_text("\n".join(candidates))
    (folder / "qrels.txt").write_text("\n".join(qrels))
    return folder


@pytest.fixture
def vectors(tmp_path):
    generator = np.random.default_rng(0)
    path = tmp_path / "vectors.txt"
    path.write_text("\n".join(f"{t} {' '.join(map(str, generator.normal(size=5)))}" for t in TOPICS))
    return path


@pytest.mark.parametrize("name", ["drmm", "knrm", "matchpyramid"])
def test_training_leaves_a_ranker_that_scores(capsys, tmp_path, folder, vectors, name):
    outs = [tmp_path / "one", tmp_path / "two"]
    for out in outs:
        arguments = ("--train", folder, "--vectors", vectors, "--seed", "3", *FAST)
        code, said, told = run(capsys, "train", name, *arguments, "--out", out)
        assert (code, said) == (0, f"{name}:{out}\n"), told
        assert "nDCG@10 of 1 held-out queries" in told
    one, two = (load_ranker(f"{name}:{out}", []) for out in outs)
    assert one.fingerprint == two.fingerprint, "the seed decides"
    assert one.training["lists"] == 5
    assert one.training["training"]["seed"] == one.settings.seed == 3
    docs = tmp_path / "docs.tsv"
    docs.write_text("a\tpiano piano boat\nb\tpiano boat boat\nc\ttea\n")
    explain = ("explain", "--query", "piano", "--docs", docs, "--json", "--budget", "5")
    code, said, _ = run(capsys, *explain, "--ranker", f"{name}:{outs[0]}")
    assert code == 0
    assert json.loads(said)["terms"]


def test_settings_teacher_stems_and_a_folder_to_stop_by(capsys, tmp_path, folder, vectors):
    (folder / "qrels.txt").unlink()
    arguments = ("--train", folder, folder, "--valid", folder, "--vectors", vectors, *FAST)
    more = ("--stem", "--language", "de", "--stopwords", "none", "--teacher", "teacher",
            "--set", "hidden=[4, 2]", "--set", "bins=9")  # fmt: skip
    code, _, told = run(capsys, "train", "drmm", *arguments, *more, "--out", tmp_path / "out")
    assert code == 0, told
    assert "learned from 12 queries" in told
    assert "agreement of 6 held-out queries" in told
    ranker = load_ranker(f"drmm:{tmp_path / 'out'}", [])
    assert (ranker.settings.hidden, ranker.settings.bins) == ((4, 2), 9)
    assert ranker.lexicon.analyzer == Analyzer(language="de", stem=True, stopwords=())


def test_a_cross_encoder(capsys, tmp_path, folder):
    base = tiny_models.cross_encoder(tmp_path / "base")
    arguments = ("--train", folder, "--base", base, "--set", "steps=2", "--heldout", "0")
    code, said, told = run(capsys, "train", "cross-encoder", *arguments, "--out", tmp_path / "out")
    assert (code, said) == (0, f"cross-encoder:{tmp_path / 'out'}\n"), told
    assert "no queries held out" in told
    trained, before = CrossEncoder(tmp_path / "out", raw=True), CrossEncoder(base, raw=True)
    assert trained("piano", ["stage"])[0] != before("piano", ["stage"])[0]


def test_a_shallow_cross_encoder_by_lists(capsys, tmp_path, folder):
    base = tiny_models.cross_encoder(tmp_path / "base")
    arguments = ("train", "cross-encoder", "--train", folder, "--base", base, "--heldout", "0")
    steps = ("--set", "steps=2", "--set", "loss=listwise", "--seed", "1")
    for out in ("one", "two"):
        code, _, told = run(capsys, *arguments, *steps, "--layers", "1", "--out", tmp_path / out)
        assert code == 0, told
    one, two = (CrossEncoder(tmp_path / out, raw=True) for out in ("one", "two"))
    assert one.module.config.num_hidden_layers == 1
    assert one.fingerprint == two.fingerprint, "the seed decides"
    hinge = ("--set", "steps=2", "--seed", "1", "--layers", "1", "--out", tmp_path / "hinge")
    assert run(capsys, *arguments, *hinge)[0] == 0
    assert CrossEncoder(tmp_path / "hinge", raw=True).fingerprint != one.fingerprint
    layers = CrossEncoder(base, raw=True).module.config.num_hidden_layers
    for change, message in (
        (("--layers", str(layers + 1)), f"has {layers} layers: layers must be 1 to {layers}, not"),
        (("--layers", "0"), f"layers must be 1 to {layers}, not 0"),
        (("--set", "loss=lists"), "loss must be one of 'hinge', 'listwise'"),
    ):
        code, _, told = run(capsys, *arguments, *change, "--out", tmp_path / "no")
        assert code == 2
        assert message in told
    knrm = ("train", "knrm", "--train", folder, "--layers", "1", "--out", tmp_path / "no")
    code, _, told = run(capsys, *knrm)
    assert (code, "--layers is for cross-encoders, not for knrm" in told) == (2, True)


def test_vectors_of_a_model_cover_its_own_words_as_well(capsys, tmp_path, folder):
    _, model = tiny_models.bi_encoder(tmp_path / "models")
    arguments = ("--train", folder, "--vectors", model, *FAST, "--out", tmp_path / "out")
    code, _, told = run(capsys, "train", "knrm", *arguments)
    assert code == 0, told
    known = load_ranker(f"knrm:{tmp_path / 'out'}", []).lexicon
    assert {"boat", "lamp", "key", "pia"} <= set(known.terms)
    assert known.dimensions == tiny_models.SIZES["hidden_size"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--set", "bans=9"), "drmm has no setting 'bans'; it has: bins, check_every"),
        (("--set", "bins"), "NAME=VALUE, not 'bins'"),
        (("--set", "bins=many"), "bins must be a whole number up to 10,000"),
        (("--set", f"bins={'[' * 100_000}"), "bins must be a whole number up to 10,000"),
        (("--set", f"bins={'7' * 5_000}"), "bins must be a whole number up to 10,000"),
        (("--set", "bins=1"), "bins must be 2 or more"),
        (("--first-stage", "bm25"), "no run of 'bm25'; it has: BM25, teacher"),
        (("--teacher", "splade"), "no run of 'splade'"),
        (("--train", "nowhere"), "no folder 'nowhere'"),
        (("--vectors", "/no/such/model"), "/no/such/model"),
        (("--heldout", "1"), "less than 1 expected"),
    ],
)
def test_what_cannot_be_trained(capsys, tmp_path, folder, vectors, change, message):
    arguments = ["train", "drmm", "--train", folder, "--vectors", vectors, "--out", tmp_path / "out"]
    try:
        code, _, told = run(capsys, *arguments, *change)
    except SystemExit as stop:  # argparse itself
        code, told = stop.code, capsys.readouterr().err
    assert code == 2
    assert message in told
    assert not (tmp_path / "out").exists()


def test_no_judgements_no_teacher_and_a_full_folder(capsys, tmp_path, folder, vectors):
    arguments = ["train", "drmm", "--train", folder, "--vectors", vectors, "--out"]
    code, _, told = run(capsys, *arguments, folder)
    assert code == 2
    assert "already exists and is not an empty folder; name another" in told
    (folder / "qrels.txt").unlink()
    code, _, told = run(capsys, *arguments, tmp_path / "out")
    assert code == 2
    assert "collection has no judgements; name one of its retrievers with --teacher: BM25, tea" in told

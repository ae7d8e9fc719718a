"""Simple rankers in studies: by name, alone and together, query by query."""

import csv
import dataclasses
import io
from importlib import resources

import pytest

import intentx as ix
from intentx.cli import main
from intentx.study.data import topics
from intentx.study.methods import study_method
from intentx.study.plan import Data, Measures, Study, read_study
from intentx.study.rankings import ranking_of
from intentx.study.results import read_results
from intentx.study.run import run_study, variants
from intentx.study.simple_rankers import with_simple_rankers
from tests import tiny_models

BARE = Measures(heldout=0, heldout_pairs=False, stability=0, faithfulness=0, shuffled=False)
QUICK = {"method": "multiplex", "generality": 0, "candidates": 10, "pool": 0, "max_terms": 2}


def study(methods, measures=BARE, **more):
    return Study(
        name="x",
        data=Data(demo=("jaguar speed",), depth=12),
        rankers={"BM25": "bm25"},
        methods=methods,
        measures=measures,
        **more,
    )


def rows_of(folder):
    return {row.method: row for row in read_results([folder]).rows()}


def test_a_method_has_the_simple_rankers_that_its_entry_names(tmp_path):
    _, model = tiny_models.bi_encoder(tmp_path)
    names = {
        "alone": {**QUICK, "simple_rankers": "tfidf"},
        "two": {**QUICK, "simple_rankers": ["text", "proximity"]},
        "with dense": {**QUICK, "simple_rankers": "text,dense", "dense": str(model)},
        "greedy": {"method": "greedy", "simple_ranker": "tf", "max_terms": 2, "candidates": 10},
        "judged": {"method": "exs", "samples": 8, "documents": 1, "simple_rankers": "tf"},
    }
    made = study(names)
    run_study(made, tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    [topic] = topics(made.data)
    ranking = ranking_of("bm25", topic)
    own = {key: value for key, value in QUICK.items() if key != "method"}
    for name, method in (
        ("alone", ix.Multiplex(**own, simple_rankers=[ix.TextMatching("tfidf")])),
        ("two", ix.Multiplex(**own, simple_rankers=[ix.TextMatching(), ix.Proximity()])),
        ("greedy", ix.IntentGreedy(simple_ranker=ix.TextMatching("tf"), max_terms=2, candidates=10)),
    ):
        explained = method.explain(ranking)
        assert (rows[name].reason, rows[name].terms) == ("", explained.words)
        assert rows[name].metrics["all"] == explained.fidelity.all
    assert rows["with dense"].metrics["all"] > 0
    assert rows["judged"].metrics["all"] > 0


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"simple_rankers": "text,nope"}, r"\[methods\] M: no simple ranker 'nope'; choose from bm25"),
        ({"simple_rankers": "text,bm25"}, "M: a simple ranker is given twice"),
        ({"simple_rankers": []}, "M: simple_rankers must be a list of one or more"),
        ({"simple_rankers": 3}, "M: simple_rankers must be a list of one or more"),
        ({"simple_rankers": "text,dense"}, "'dense' needs an encoder: .*dense = 'MODEL' in a study"),
        ({"simple_rankers": "text", "dense": "minilm"}, "simple_rankers = 'text' lacks"),
        ({"method": "greedy", "simple_ranker": "text,tf"}, "M: greedy takes one simple ranker"),
        (
            {"method": "greedy", "simple_rankers": "text"},
            "has no setting 'simple_rankers'; it has .*ranker",
        ),
        ({"method": "exs", "simple_rankers": "nope"}, "M: no simple ranker 'nope'"),
    ],
)
def test_entries_that_are_none(entry, message):
    with pytest.raises(ix.InputError, match=message):
        study({"M": {"method": "multiplex", **entry}})


def test_vectors_of_a_study_go_to_those_that_have_a_semantic_one():
    vectors = ix.TermVectors.from_mapping({"jaguar": [1.0]})
    for kind in ("multiplex", "query-terms", "multiplex-published", "exs"):
        found = study_method("m", {"method": kind, "simple_rankers": "text,position"}, vectors)
        assert found.vectors is None
    found = study_method("m", {"method": "multiplex", "simple_rankers": "text,semantic"}, vectors)
    assert (found.simple_rankers, found.vectors) == (("bm25", "semantic"), vectors)
    greedy = study_method("m", {"method": "greedy", "simple_ranker": "semantic"}, vectors)
    assert greedy.simple_ranker.vectors is vectors


def test_two_spellings_are_one_cell():
    with pytest.raises(ix.InputError, match="'BM25' by 'b' is the same as 'BM25' by 'a'"):
        variants(study({n: {**QUICK, "simple_rankers": s} for n, s in (("a", "text"), ("b", ["bm25"]))}))


def test_the_study_that_comes_along():
    made = read_study("simple-rankers")
    assert made.by_query
    assert {name: plain["simple_rankers"] for name, plain in made.methods.items()} == {
        "text": "text",
        "position": "position",
        "semantic": "semantic",
        "together": "text,position,semantic",
    }
    assert Study.from_dict(made.to_dict()) == made
    assert "by_query" not in dataclasses.replace(made, by_query=False).to_dict()
    with pytest.raises(ix.InputError, match="by_query must be true or false, not 'yes'"):
        dataclasses.replace(made, by_query="yes")


def test_others_in_their_place():
    made = with_simple_rankers(read_study("simple-rankers"), ["tf", " dense"], "minilm")
    assert {name: (m["simple_rankers"], m.get("dense")) for name, m in made.methods.items()} == {
        "tf": (["tf"], None),
        "dense": (["dense"], "minilm"),
        "together": (["tf", "dense"], "minilm"),
    }
    assert made.baselines == ("tf", "dense")
    one = with_simple_rankers(read_study("simple-rankers"), ["lm"])
    assert list(one.methods) == ["lm"]  # together with nothing is alone
    table = with_simple_rankers(read_study("table2"), ["tf", "position"])
    assert table.methods["GREEDY-LM"] == {"method": "greedy"}
    assert table.methods["MULTIPLEX"] == {"method": "multiplex", "simple_rankers": ["tf", "position"]}
    assert table.methods["EXS"]["simple_rankers"] == ["tf", "position"]
    both = study(
        {
            "q": {"method": "query-terms", "simple_rankers": "lm"},
            "m": {**QUICK, "simple_rankers": "lm"},
            "n": {**QUICK, "simple_rankers": "tf"},
        }
    )
    assert list(with_simple_rankers(both, ["tf", "position"]).methods) == [
        *("tf", "position", "multiplex tf", "multiplex position"),
    ]
    for names, message in (
        (["nope"], "no simple ranker 'nope'"),
        (["tf", "tf"], "given twice"),
        (["dense"], "needs an encoder"),
    ):
        with pytest.raises(ix.InputError, match=message):
            with_simple_rankers(read_study("table2"), names)
    with pytest.raises(ix.InputError, match="the study has a method 'tf' already"):
        with_simple_rankers(study({"tf": QUICK, "m": {**QUICK, "simple_rankers": "lm"}}), ["tf", "lm"])


COLLECTION = [
    f"The {animal} is {speed}. {place} has a {animal} {'and it runs' * (i % 3)} in {place}."
    for i, (animal, speed, place) in enumerate(
        (a, s, p) for a in ("jaguar", "horse", "car") for s in ("fast", "slow") for p in ("Rio", "Rome")
    )
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder of the user's, with one run."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    (data / "passages.tsv").write_text("".join(f"d{i}\t{t}\n" for i, t in enumerate(COLLECTION)))
    (data / "queries.tsv").write_text("1\tfast jaguar\n2\tslow car in Rome\n3\ta horse|in *Rio*\n")
    lines = (f"{q}\td{i}\t{i + 1}\t{20 - i}\tfirst" for q in "123" for i in range(len(COLLECTION)))
    (data / "candidates.tsv").write_text("qid\tdocid\trank\tscore\tretriever\n" + "\n".join(lines))
    return data


def test_the_table_of_the_literature_is_one_command(folder, capsys, tmp_path):
    text = resources.files("intentx.study").joinpath("simple-rankers.toml").read_text(encoding="utf-8")
    (tmp_path / "quick.toml").write_text(text.replace('vectors = "minilm"\n', ""))  # which takes seconds
    command = ["bench", "quick.toml", "--data", "data", "--pool", "first", "--ranker", "bm25"]
    more = ["--queries", "2", "--out", "out", "--workers", "1"]
    code = main([*command, *more, "--simple-rankers", "text,position,proximity"])
    out = capsys.readouterr().out
    assert code == 0
    results = read_results(["out"])
    assert list(results.study.rankers) == ["bm25"]
    rows = list(results.rows())
    methods = ["text", "position", "proximity", "together"]
    assert [row.method for row in rows] == 2 * methods
    per_query, known = out.split("Against what the ranker says it looks for")
    for part, tables in ((per_query, 3), (known, 1)):  # two queries and the means
        words = [word for line in part.splitlines() for word in line.split()[:2] if word in methods]
        assert words == tables * methods
    assert main(["report", "out", "--out", "page"]) == 0
    queries = dict(results.topics)
    table = (tmp_path / "page" / "queries.md").read_text()
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert lines[0] == "| query | ranker | method | terms | all pairs | held-out documents |"
    for line, row in zip(lines[2:], rows, strict=True):
        shown = [cell.strip() for cell in line.strip("|").replace("\\|", "").split(" | ")]
        assert shown[2:4] == [row.method, ", ".join(row.terms)]
        metric = f"{row.metrics['all']:.3f}"
        assert shown[4] == (metric if metric == "1.000" else metric.removeprefix("0"))
    assert table.count("slow car in Rome (2)") + table.count("fast jaguar (1)") >= 1
    cells = list(csv.DictReader(io.StringIO((tmp_path / "page" / "cells.csv").read_text())))
    assert [(c["query"], c["method"], c["intent_terms"]) for c in cells] == [
        (queries[row.qid], row.method, " ".join(row.terms)) for row in rows
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--simple-rankers", "text,nope"], "no simple ranker 'nope'; choose from bm25, tf"),
        (["--simple-rankers", "dense"], "needs an encoder: --dense MODEL"),
        (["--dense", "minilm"], "--dense sets the encoder of the simple ranker"),
        (["--ranker", "BERT=bm25"], "one of BM25; not 'BERT=bm25'"),
        (["--ranker", "bm26"], "one of BM25; not 'bm26'"),
        (["--pool", "nothing"], "nothing"),
    ],
)
def test_commands_that_are_refused(folder, capsys, arguments, message):
    assert main(["bench", "simple-rankers", "--data", "data", "--out", "out", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_bare_spec_names_no_ranker_among_several(folder, capsys):
    assert main(["bench", "demo", "--out", "out", "--ranker", "bm25"]) == 2
    assert "one of BM25, MiniLM; not 'bm25'" in capsys.readouterr().err


def test_every_query_on_request(folder, capsys):
    (folder.parent / "study.toml").write_text(
        'name = "x"\n[data]\nfolder = "data"\n[rankers]\nB = "bm25"\n[methods]\nQ = "query-terms"\n'
        "[measures]\nheldout = 0\nheldout_pairs = false\nstability = 0\nfaithfulness = 0\n"
        "shuffled = false\n"
    )
    assert main(["bench", "study.toml", "--out", "out"]) == 0
    plain = capsys.readouterr().out
    assert main(["bench", "study.toml", "--out", "out", "--by-query"]) == 0
    shown = capsys.readouterr().out
    assert "fast jaguar, 1, by B" not in plain
    assert "fast jaguar, 1, by B" in shown
    assert shown.endswith(plain)

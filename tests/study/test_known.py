"""Studies hold terms against what a ranker says that it looks for."""

import json

import pytest

import intentx as ix
from intentx.cli import main
from intentx.rankers import BM25
from intentx.study.plan import Data, Measures, Study, read_study
from intentx.study.results import read_results
from intentx.study.run import run_study
from intentx.study.tables import KNOWN, rich_known

QUICK = Measures(heldout=0, heldout_pairs=False, stability=0, faithfulness=0, shuffled=False)
WORDS = ("tea", "pot", "leaf", "piano", "house", "boat", "river", "milk")


class Saying:
    """A ranker of a user's own, by length, that looks for boats."""

    def __call__(self, query, texts):
        return [float(len(text)) for text in texts]

    def term_weights(self, query):
        return {"boats": 1.0}


saying = Saying()


def broken(query, texts):
    return [float(len(text)) for text in texts]


broken.intent = lambda query: ["boats"]


@pytest.fixture
def data(tmp_path):
    docs = [
        {"id": f"d{n}", "text": " ".join(WORDS[(n * k) % 8] for k in range(1, 4 + n % 5))}
        for n in range(12)
    ]
    path = tmp_path / "topics.jsonl"
    path.write_text(json.dumps({"qid": "1", "query": "tea river Mars", "docs": docs}))
    return Data(topics=str(path))


def test_metrics_by_hand(data, tmp_path):
    """tea and river are looked for; Mars is in no document."""
    study = Study(
        name="x",
        data=data,
        rankers={
            "BM25": "bm25",
            "own": "tests.study.test_known:saying",
            "length": "tests.toys:by_length",
            "broken": "tests.study.test_known:broken",
        },
        methods={
            "Q": {"method": "query-terms"},
            "M": {"method": "multiplex", "max_terms": 3, "budget": 60},
        },
        measures=QUICK,
    )
    run_study(study, tmp_path / "out")
    results = read_results([tmp_path / "out"])
    rows = {(row.ranker, row.method): row for row in results.rows()}
    metrics = {pair: [row.metrics.get(name) for name in KNOWN] for pair, row in rows.items()}
    assert rows["BM25", "Q"].terms == ("tea", "river", "mars")
    assert metrics["BM25", "Q"] == [pytest.approx(2 / 3), 1.0, 1.0]
    terms = rows["BM25", "M"].terms
    right = [term in ("tea", "river") for term in terms]
    assert metrics["BM25", "M"][:2] == [
        pytest.approx(sum(right) / len(terms)),
        pytest.approx(sum(right) / 2),
    ]
    assert metrics["own", "Q"] == [0.0, 0.0, 0.0]
    assert metrics["length", "Q"] == [None, None, None]
    assert rows["broken", "Q"].reason.startswith("intent of the ranker must give weights by term")
    table = rich_known(results.lines)
    assert [column.header for column in table.columns][2:] == [
        "intent\nprecision",
        "intent\nrecall",
        "intent\nAP",
        "n",
    ]
    assert [str(cell) for cell in table.columns[0].cells] == ["BM25", "", "own", ""]
    assert [str(cell) for cell in table.columns[2].cells][::2] == [".667", ".000"]


def test_no_table_where_no_ranker_says_it(data, tmp_path):
    study = Study(
        name="x", data=data, rankers={"length": "tests.toys:by_length"},
        methods={"Q": {"method": "query-terms"}}, measures=QUICK,
    )  # fmt: skip
    run_study(study, tmp_path / "out")
    assert rich_known(read_results([tmp_path / "out"]).lines) is None


def test_the_study_that_comes_along():
    study = read_study("known")
    assert study.rankers == {"BM25": "bm25", "LM": "lm", "RM3": "rm3"}
    made = {name: study.method(name) for name in study.methods}
    default, effects, generality = (
        made[f"MULTIPLEX{more}"] for more in ("", " effects 0", " generality 0")
    )
    assert default == ix.Multiplex()
    assert (effects.effects, generality.generality) == (0, 0)
    kinds = {plain["method"] for plain in study.methods.values()}
    assert kinds == {
        *("multiplex", "multiplex-published", "greedy", "query-terms", "random-terms"),
        *("exs", "lirme", "shap"),
    }
    assert set(study.baselines) == {n for n in study.methods if not n.startswith("MULTIPLEX")}


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    slow = [n for n in read_study("known").methods if n not in ("QUERY-TERMS", "RANDOM", "EXS")]
    command = ["bench", "known", "--queries", "1", "--out", "out", "--workers", "1"]
    for name in slow:
        command += ["--without", name]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "Against what the ranker says it looks for" in out
    rows = list(read_results(["out"]).rows())
    assert [(row.ranker, row.method) for row in rows] == [
        (ranker, method)
        for ranker in ("BM25", "LM", "RM3")
        for method in ("QUERY-TERMS", "RANDOM", "EXS")
    ]
    assert all(set(KNOWN) <= set(row.metrics) for row in rows)
    assert rows[0].metrics["intent_recall"] == rows[3].metrics["intent_recall"] == 1.0
    assert BM25(["tea"]).term_weights("tea") == {"tea": 1.0}

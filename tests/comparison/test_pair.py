"""One pair of documents under several rankers: what speaks for one of them, and what for the other."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import intentx as ix
from intentx.comparison.compare import compare_rankers
from intentx.comparison.pair import pair_comparison
from intentx.comparison.results import Comparison
from intentx.errors import InputError
from intentx.report.pages.comparison import comparison_page
from intentx.report.tables.comparison import rich_comparison
from intentx.study.data import Topic
from tests.cli.test_compare_command import run
from tests.comparison.test_compare import METHOD, Paying, topic
from tests.report.test_page import Reader

PAIR = ("d0", "d1")  # one with piano, the other with switches


def counting(word):
    """Like `Paying`, without a part for the length, which blanks change."""
    return lambda query, texts: [t.count("keyboard") + 4 * t.count(word) for t in texts]


WORDS = {"music": "piano", "typing": "switches"}


@pytest.fixture(scope="module")
def explained():
    made = topic()
    rankers = {name: counting(word) for name, word in WORDS.items()}
    rankings = {name: ix.rank(ranker, made.query, made.docs) for name, ranker in rankers.items()}
    return {name: METHOD.explain(ranking) for name, ranking in rankings.items()}


@pytest.fixture(scope="module")
def comparison():
    rankers = {"music": Paying("piano", 4.0), "typing": Paying("switches", 4.0)}
    return compare_rankers(rankers, [topic()], method=METHOD, pair=PAIR)


def test_each_ranker_has_what_speaks_for_its_own_document(explained):
    pair = pair_comparison(*PAIR, explained)
    assert pair.opposed
    assert pair.sentence == "music prefers 'd0'; typing prefers 'd1'."
    music, typing = pair.sides
    assert (music.side, typing.side) == (1, -1)
    assert music.speaking[0].term == "piano"
    assert typing.speaking[0].term == "switches"
    assert music.reproduced
    assert typing.reproduced
    assert pair.said_of(typing).startswith("For 'd1' in typing speak: switches by text matching")
    assert pair.sides[0].ranks[0] < pair.sides[0].ranks[1]


def test_the_numbers_are_those_of_the_matrices_and_of_the_ranker(explained):
    for side in pair_comparison(*PAIR, explained).sides:
        found = explained[side.ranker]
        matrices, ranking = found.matrices, found.ranking
        one, two = map(ranking.position, PAIR)
        together = np.zeros(matrices.n_rankers)
        for t, row in enumerate(side.values):
            for r, value in enumerate(row):
                a, b = matrices.scores.values[r, t, [one, two]]
                assert value == pytest.approx((a - b) / matrices.scale[r])
                together[r] += value
        assert side.together == pytest.approx(together.tolist())
        assert side.vote == pytest.approx(sum(map(math.tanh, together)))
        ask = counting(WORDS[side.ranker])
        lead = ranking.scores[one] - ranking.scores[two]
        for term, lost in zip(side.terms, side.lead_lost, strict=True):
            texts = [ranking.texts[place] for place in (one, two)]
            if not any(term in text.split() for text in texts):
                assert math.isnan(lost)
                continue
            without = [" ".join(word for word in text.split() if word != term) for text in texts]
            above, below = ask("", without)
            assert lost == pytest.approx(1 - (above - below) / lead)


def test_a_lead_that_turns_round_without_a_term_is_said_in_words():
    docs = {f"d{i}": "keyboard piano" if i == 4 else f"keyboard {'keys ' * i}" for i in range(6)}
    rankers = {
        "music": lambda q, texts: [9 * t.count("piano") + t.count("keys") for t in texts],
        "typing": lambda q, texts: [t.count("keys") for t in texts],
    }
    found = {name: METHOD.explain(ix.rank(one, "keyboard", docs)) for name, one in rankers.items()}
    pair = pair_comparison("d4", "d5", found)
    said = pair.said_of(pair.sides[0])
    assert "Asked itself, music prefers the other one without piano in both." in said
    assert "loses" not in said


def test_a_tie_and_a_recorded_run_have_nothing_to_lose():
    docs = {f"d{i}": f"piano {'keys ' * i}" for i in range(6)}
    run_of = ix.Ranking.from_run({doc: float(i) for i, doc in enumerate(docs)}, "keys", docs)
    tied = ix.rank(lambda q, texts: [min(2, t.count("keys")) for t in texts], "keys", docs)
    found = {"run": METHOD.explain(run_of), "tied": METHOD.explain(tied)}
    pair = pair_comparison("d4", "d5", found)
    assert pair.sentence == ("run prefers 'd5'; tied ties them. No two rankers order them differently.")
    assert all(math.isnan(share) for side in pair.sides for share in side.lead_lost)
    assert pair.said_of(pair.sides[1]) == "tied ties the two."
    assert not pair.sides[1].reproduced


def test_it_is_part_of_a_comparison_in_every_form(comparison):
    plain = json.loads(comparison.to_json())
    assert plain["queries"][0]["pair"]["first"] == "d0"
    again = Comparison.from_json(comparison.to_json())
    assert again.to_json() == comparison.to_json()
    assert again.queries[0].pair.sentence == comparison.queries[0].pair.sentence
    text = Reader(comparison_page(again)).text
    assert "One pair of documents" in text
    assert "music prefers 'd0'; typing prefers 'd1'." in text
    shown = "\n".join(ix.answers.printed(part, 100) for part in rich_comparison(again))
    assert "lead lost" in shown
    without = compare_rankers(
        {"music": Paying("piano"), "typing": Paying("switches")}, [topic()], method=METHOD
    )
    assert "pair" not in without.to_dict()["queries"][0]
    assert "One pair of documents" not in comparison_page(without)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("d0", "d0"), "a pair is two different documents, not 'd0' and 'd0'"),
        (("d0", "nope"), "no query has both 'd0' and 'nope'"),
    ],
)
def test_pairs_that_there_are_not(pair, message):
    rankers = {"music": Paying("piano"), "typing": Paying("switches")}
    docs = {f"d{i}": f"piano {i}" for i in range(4)}
    made = Topic("1", "piano", docs, tuple(docs))
    with pytest.raises(InputError, match=message):
        compare_rankers(rankers, [made], method=METHOD, pair=pair)


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = (json.dumps({"id": doc, "text": text}) for doc, text in topic().docs.items())
    (tmp_path / "docs.jsonl").write_text("\n".join(lines))
    start = ("--docs", "docs.jsonl", "--queries", "keyboard piano", "--rankers",
             "bm25,length=tests.toys:by_length", "--max-terms", "3")  # fmt: skip
    assert run(*start, "--pair", "d0", "d1", "--json", "--html", "p.html") == 0
    pair = json.loads(capsys.readouterr().out)["queries"][0]["pair"]
    assert [side["ranker"] for side in pair["sides"]] == ["bm25", "length"]
    assert "One pair of documents" in (tmp_path / "p.html").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="--pair: no query has a document 'nope'; there are d0"):
        run(*start, "--pair", "d0", "nope")

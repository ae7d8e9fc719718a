"""Edits that move a document in one order and not in another: planted rankers, saved, on the page."""

import dataclasses
import json

import pytest

import intentx as ix
from intentx.cli import main
from intentx.comparison.compare import compare_rankers
from intentx.comparison.results import Comparison
from intentx.report.pages.comparison import comparison_page
from intentx.report.tables.comparison import rich_comparison
from intentx.study.data import Topic

DOCS = {"best": "grand piano lamp"} | {
    f"{word}{i}": f"{word} stone {'lamp ' * i}" for i in range(1, 5) for word in ("piano", "grand")
}


def paying(word):
    return lambda query, texts: [t.split().count(word) + len(t) / 999 for t in texts]


def rankings(**words):
    return {name: ix.rank(paying(word), "music", DOCS) for name, word in words.items()}


def test_each_ranker_has_its_own_way_out():
    found = ix.compare_edits(rankings(one="piano", other="grand"), "best", k=5)
    apart = {one.changes: one.reached for one in found.apart}
    assert apart[("− piano",)] == {"one": True, "other": False}
    assert apart[("− grand",)] == {"one": False, "other": True}
    for edit in found.edits:
        for name, word in (("one", "piano"), ("other", "grand")):
            gone = [change.removeprefix("− ") for change in edit.changes]
            text = " ".join(w for w in DOCS["best"].split() if w not in gone)
            scores = paying(word)("", [t for i, t in DOCS.items() if i != "best"])
            [own] = paying(word)("", [text])
            # A difference of a blank or two in the length changes no rank here.
            assert edit.reached[name] == (edit.ranks[name] > 5)
            assert abs(edit.ranks[name] - 1 - sum(s > own for s in scores)) <= 1
    assert found.rank_before == {"one": 5, "other": 5}
    assert "− piano does it for one, not for other (rank" in found.sentence
    assert found.status == {"one": "minimal", "other": "minimal"}


def test_an_edit_names_all_rankers_that_it_was_found_for():
    found = ix.compare_edits(rankings(one="piano", two="piano"), "best", k=5)
    [piano] = (edit for edit in found.edits if edit.changes == ("− piano",))
    assert piano.found_for == "one, two"


def test_rankers_that_agree_are_told_apart_by_nothing():
    found = ix.compare_edits(rankings(one="piano", other="piano"), "best", k=5)
    assert found.apart == ()
    assert "do the same for all rankers" in found.sentence


def test_saved_and_shown(tmp_path):
    found = ix.compare_edits(rankings(one="piano", other="grand"), "best", k=5)
    again = ix.load(found.save(tmp_path / "e.json"))
    assert again == found
    assert again.to_json() == found.to_json()
    assert "− piano" in found.text()
    assert "− piano" in found._repr_html_()


def test_what_cannot_be_compared():
    both = rankings(one="piano", other="grand")
    with pytest.raises(ix.InputError, match="two rankings or more"):
        ix.compare_edits({"one": both["one"]}, "best")
    other = ix.rank(paying("x"), "tea", DOCS)
    with pytest.raises(ix.InputError, match="two queries"):
        ix.compare_edits({"one": both["one"], "other": other}, "best")
    fewer = both["other"].subset(range(4))
    with pytest.raises(ix.InputError, match="different documents"):
        ix.compare_edits({"one": both["one"], "other": fewer}, "best")
    recorded = ix.Ranking.from_run(both["one"].doc_ids, "music", DOCS)
    with pytest.raises(ix.InputError, match="must ask the ranker"):
        ix.compare_edits({"one": recorded, "other": both["other"]}, "best", k=5)
    with pytest.raises(ix.InputError, match="no document 'x'"):
        ix.compare_edits(both, "x")


def test_in_a_comparison_of_rankers():
    topics = [Topic("1", "music", DOCS, tuple(DOCS))]
    method = ix.Multiplex(simple_rankers=("text",), generality=0, effects=0)
    by = {"one": paying("piano"), "other": paying("grand")}
    found = compare_rankers(by, topics, method=method, edits=1)
    [edits] = found.queries[0].edits
    assert edits.apart
    again = Comparison.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.queries[0].edits == (edits,)
    page = comparison_page(again)
    assert "What moves a document in one order and not in another" in page
    assert "− " in page
    assert len([*rich_comparison(again)]) > len([*rich_comparison(_without(again))])
    plain = found.to_dict()
    del plain["queries"][0]["edits"]  # a file of an earlier version
    assert Comparison.from_dict(plain).queries[0].edits == ()


def _without(comparison):
    queries = tuple(dataclasses.replace(one, edits=()) for one in comparison.queries)
    return dataclasses.replace(comparison, queries=queries)


def test_on_the_command_line(tmp_path, capsys):
    (tmp_path / "docs.jsonl").write_text(
        "\n".join(json.dumps({"id": i, "text": text}) for i, text in DOCS.items())
    )
    ask = ["compare", "--rankers", "bm25,lm", "--queries", "grand piano", "--docs"]
    assert main([*ask, str(tmp_path / "docs.jsonl"), "--edits", "1", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["queries"][0]["edits"][0]["goal"] == "leave"
    assert main([*ask, str(tmp_path / "docs.jsonl"), "--edits", "-1"]) == 2


def test_axioms_in_a_comparison_and_on_its_page():
    docs = {f"d{i}": f"{'tea ' * (i % 4)}cup {i} of {'rice ' * (i % 3)}" for i in range(12)}
    by = {
        "tea": lambda q, some: [t.count("tea") for t in some],
        "long": lambda q, some: [*map(len, some)],
    }
    method = ix.Multiplex(simple_rankers=("text",), generality=0, effects=0)
    found = compare_rankers(by, [Topic("1", "tea", docs, tuple(docs))], method=method, axioms=True)
    [query] = found.queries
    for name, scorer in by.items():
        assert query.axioms[name].vote == ix.axioms(ix.rank(scorer, "tea", docs)).vote
    again = Comparison.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.queries[0].axioms == query.axioms
    page = comparison_page(again)
    assert "Which retrieval axioms the rankers agree with" in page
    assert f"{query.axioms['tea']['TFC1'].agreement:.3f}" in page


def test_axioms_of_an_explanation_are_kept_and_shown(tmp_path, capsys):
    docs = {f"d{i}": f"{'tea ' * (i % 4)}cup {i} of {'rice ' * (i % 3)}" for i in range(12)}
    (tmp_path / "docs.jsonl").write_text(
        "\n".join(json.dumps({"id": i, "text": text}) for i, text in docs.items())
    )
    ask = ["explain", "--ranker", "bm25", "--query", "tea", "--docs", str(tmp_path / "docs.jsonl")]
    page = tmp_path / "page.html"
    assert main([*ask, "--method", "query-terms", "--axioms", "--json", "--html", str(page)]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["axioms"]["pairs"] == plain["axioms"]["right"] + plain["axioms"]["wrong"]
    assert '<section id="axioms">' in page.read_text("utf-8")
    saved = ix.IntentExplanation.from_dict({k: v for k, v in plain.items() if k != "ranker"})
    assert isinstance(saved.measures["axioms"], ix.Axioms)

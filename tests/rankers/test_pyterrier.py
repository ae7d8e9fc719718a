import sys
from types import SimpleNamespace

import numpy as np
import pytest

import intentx as ix
from intentx.rankers.pyterrier import from_pyterrier
from tests.toys import by_length, keyboards

pd = pytest.importorskip("pandas")
TEXTS = ["ccc", "a", "bb", "dddd", "a"]


class Frame:
    """A re-ranker of pandas alone: scores by length, then whatever is done with the frame."""

    def __init__(self, change=lambda frame: frame):
        self.change = change
        self.frames = []

    def transform(self, documents):
        self.frames.append(documents.copy())
        return self.change(documents.assign(score=by_length("", documents["text"])))


def test_scores_come_back_in_the_order_of_the_texts():
    shuffled = Frame(lambda frame: frame.sample(frac=1, random_state=3).assign(rank=0))
    scores = from_pyterrier(shuffled)("tea time", TEXTS)
    assert scores.tolist() == by_length("", TEXTS)
    assert scores.dtype == np.float64
    frame = shuffled.frames[0]
    assert list(frame.columns) == ["qid", "query", "docno", "text", "score"]
    assert frame["text"].tolist() == TEXTS
    assert set(frame["query"]) == {"tea time"}
    assert frame["qid"].nunique() == 1
    assert frame["docno"].is_unique
    assert from_pyterrier(shuffled)("tea", []).shape == (0,)


def test_only_docno_and_score_are_needed():
    assert from_pyterrier(Frame(lambda f: f[["score", "docno"]]))("q", TEXTS).tolist() == [3, 1, 2, 4, 1]


def test_the_transformer_may_change_its_frame():
    def change(frame):
        frame["text"] = "gone"
        return frame

    texts = list(TEXTS)
    assert from_pyterrier(SimpleNamespace(transform=change))("q", texts).tolist() == [0.0] * 5
    assert texts == TEXTS


def test_a_ranking_is_explained():
    texts, scorer = keyboards(number=16)
    frame = SimpleNamespace(transform=lambda f: f.assign(score=scorer("keys", list(f["text"]))))
    explanation = ix.Multiplex(budget=40).explain(ix.rank(from_pyterrier(frame), "keys", texts))
    assert explanation.fidelity.all > 0.8
    assert explanation.model_calls > 0


def test_listwise_re_rankers_get_whole_lists():
    transformer = Frame(lambda f: f.assign(score=f["score"] - f["score"].mean()))
    box = ix.BlackBox(from_pyterrier(transformer, listwise=True), batch_size=2)
    np.testing.assert_allclose(box("q", TEXTS), np.array(by_length("", TEXTS)) - 2.2)
    assert [len(frame) for frame in transformer.frames] == [5]


def test_scores_are_remembered_under_a_fingerprint(tmp_path):
    cache = tmp_path / "scores.sqlite"
    with pytest.raises(ix.InputError, match="PyTerrierReranker on disk, give it a fingerprint"):
        ix.rank(from_pyterrier(Frame()), "q", TEXTS, cache=cache)
    for _ in range(2):
        transformer = Frame()
        ix.rank(from_pyterrier(transformer, fingerprint="by length"), "q", TEXTS, cache=cache)
    assert not transformer.frames


@pytest.mark.parametrize(
    ("change", "message", "at_fault"),
    [
        (lambda f: f.iloc[[0, 1, 2]], "returned 3 of 5 documents; take cut-offs", {"dddd", "a"}),
        (lambda f: f.iloc[[0, 1, 2, 3, 4, 2]], "returned 6 rows for 5 documents", {"bb"}),
        (lambda f: f.iloc[[0, 1, 2, 3, 3]], "returned 5 rows for 4 documents", {"dddd"}),
        (
            lambda f: pd.concat([f, f.assign(docno=f["docno"] + "%p1")]),
            "returned 5 documents it was not given, such as 'd0%p1'",
            set(),
        ),
        (
            lambda f: f.drop(columns="score"),
            r"a column 'score', not \['qid', 'query', 'docno', 'text'\]",
            set(),
        ),
        (lambda f: f.drop(columns="docno"), "a column 'docno'", set()),
        (lambda f: None, "a column 'docno', not NoneType", set()),
        (lambda f: f["score"].tolist(), "a column 'docno', not list", set()),
    ],
)
def test_frames_that_cannot_be_used(change, message, at_fault):
    with pytest.raises(ix.ScorerError, match=message) as caught:
        from_pyterrier(Frame(change))("q", TEXTS)
    assert set(caught.value.texts) == at_fault


@pytest.mark.parametrize(
    ("score", "message", "at_fault"),
    [
        ([1, 2, float("nan"), 4], "returned nan for 1 of 4 texts", {"bb"}),
        ([1, 2, None, 4], "returned nan for 1 of 4 texts", {"bb"}),
        ("0.5", "must return numbers, not <U3", set(TEXTS)),
    ],
)
def test_scores_that_are_none(score, message, at_fault):
    frame = SimpleNamespace(
        transform=lambda f: f.set_index("text").loc[["ccc", "a", "bb", "dddd"]].assign(score=score)
    )
    with pytest.raises(ix.ScorerError, match=message) as caught:
        ix.rank(from_pyterrier(frame), "q", TEXTS)
    assert set(caught.value.texts) == at_fault


def test_errors_of_the_re_ranker_are_traced_to_the_document():
    def change(frame):
        if frame["text"].str.contains("dd").any():
            raise RuntimeError("CUDA out of memory")
        return frame

    with pytest.raises(ix.ScorerError, match="raised RuntimeError: CUDA out of memory") as caught:
        ix.rank(from_pyterrier(Frame(change)), "q", TEXTS)
    assert caught.value.texts == ("dddd",)


@pytest.mark.parametrize("thing", [None, by_length, SimpleNamespace(transform=3)])
def test_what_is_no_re_ranker(thing):
    with pytest.raises(ix.InputError, match=rf"transform\(DataFrame\); {type(thing).__name__} has none"):
        from_pyterrier(thing)


def test_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ix.MissingExtraError, match=r"intentx\[pyterrier\]"):
        from_pyterrier(Frame())("q", TEXTS)


@pytest.mark.filterwarnings("ignore")  # PyTerrier's own
def test_pyterrier_itself():
    pt = pytest.importorskip("pyterrier")
    texts, scorer = keyboards(number=16)
    transformer = pt.apply.doc_score(lambda row: float(scorer(row["query"], [row["text"]])[0]))
    ranking = ix.rank(from_pyterrier(transformer), "keys", texts)
    np.testing.assert_array_equal(ranking.scores, ix.rank(scorer, "keys", texts).scores)
    assert ix.Multiplex(budget=20).explain(ranking).fidelity.all > 0.8
    batched = pt.apply.doc_score(lambda f: f["text"].str.len() + 0.5, batch_size=2)
    negated = batched >> pt.apply.doc_score(lambda row: -row["score"])
    assert from_pyterrier(negated)("q", TEXTS).tolist() == [-3.5, -1.5, -2.5, -4.5, -1.5]
    with pytest.raises(ix.ScorerError, match="returned 2 of 5 documents; take cut-offs"):
        from_pyterrier(batched % 2)("q", TEXTS)

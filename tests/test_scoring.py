import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx import BlackBox, InputError, ScorerError, rank
from tests.toys import Counting, Failing, Listwise, by_length, returning, spoiled

TEXTS = ["ccc", "a", "bb", "a", "dddd"]


@given(st.lists(st.text("ab", max_size=6), max_size=20), st.integers(1, 7))
def test_batches_are_distinct_texts_longest_first_and_no_larger_than_asked(texts, size):
    scorer = Counting()
    scores = BlackBox(scorer, batch_size=size)("query", texts)
    assert scores.tolist() == by_length("query", texts)
    assert scores.dtype == np.float64
    assert sorted(scorer.texts) == sorted(set(texts))
    assert [len(text) for text in scorer.texts] == sorted(map(len, scorer.texts), reverse=True)
    sizes = [len(batch) for _, batch in scorer.calls]
    assert sizes[:-1] == [size] * (len(sizes) - 1)
    assert all(query == "query" for query, _ in scorer.calls)


def test_nothing_is_asked_twice_and_everything_is_counted():
    scorer = Counting()
    box = BlackBox(scorer, batch_size=3)
    first = box("q", TEXTS)
    assert (box.calls, box.texts_scored, box.texts_asked) == (2, 4, 5)
    assert box("q", ["a", "eeeee", "bb"]).tolist() == [1, 5, 2]
    assert (box.calls, box.texts_scored, box.texts_asked) == (3, 5, 8)
    assert scorer.calls[-1] == ("q", ["eeeee"])
    box("another query", ["a"])
    assert scorer.calls[-1] == ("another query", ["a"])
    first[:] = np.nan  # the caller's own copy
    assert box("q", TEXTS).tolist() == by_length("q", TEXTS)
    assert box.calls == len(scorer.calls) == 4
    assert box.seconds > 0


def test_no_text_is_no_call():
    scorer = Counting()
    assert BlackBox(scorer)("q", []).shape == (0,)
    assert not scorer.calls


def test_progress_counts_texts():
    seen = []
    BlackBox(by_length, batch_size=3, progress=lambda *numbers: seen.append(numbers))("q", TEXTS)
    assert seen == [(3, 4), (4, 4)]


def test_listwise_scorers_get_whole_lists_in_order():
    scorer = Listwise()
    box = BlackBox(scorer, batch_size=2)
    expected = np.array([3, 1, 2, 1, 4]) - 2.2
    np.testing.assert_allclose(box("q", TEXTS), expected)
    assert scorer.calls == [("q", TEXTS)]
    again = box("q", TEXTS)
    again[:] = 0
    np.testing.assert_allclose(box("q", TEXTS), expected)
    assert (box.calls, box.texts_scored, box.texts_asked) == (1, 5, 15)
    box("q", TEXTS[::-1])
    assert scorer.calls[-1] == ("q", TEXTS[::-1])


def test_the_scorer_cannot_change_the_texts():
    def rude(query, texts):
        scores = by_length(query, texts)
        texts.clear()
        return scores

    texts = list(TEXTS)
    assert BlackBox(rude)("q", texts).tolist() == by_length("q", TEXTS)
    assert texts == TEXTS


def test_one_memory_for_one_black_box():
    box = BlackBox(by_length)
    assert BlackBox.of(box) is box
    assert BlackBox.of(by_length).scorer is by_length


@pytest.mark.parametrize(
    "answer",
    [
        lambda texts: [len(t) for t in texts],
        lambda texts: tuple(len(t) > 1 for t in texts),
        lambda texts: np.array([len(t) for t in texts], dtype=np.float16),
        lambda texts: np.array([len(t) for t in texts], dtype=np.uint8),
        lambda texts: [np.float32(len(t)) for t in texts],
    ],
    ids=["ints", "bools", "float16", "uint8", "scalars"],
)
def test_numbers_of_all_kinds(answer):
    scores = BlackBox(returning(answer))("q", TEXTS)
    assert scores.dtype == np.float64
    assert scores.tolist() == [float(answer([text])[0]) for text in TEXTS]


def test_torch_tensors_keep_their_precision():
    torch = pytest.importorskip("torch")
    lengths = {"a": 1 + 1e-12, "bb": 1.0}
    for kind in (torch.float64, torch.float32, torch.bfloat16, torch.int32, torch.bool):

        def scorer(query, texts, kind=kind):
            values = torch.tensor([lengths[t] for t in texts], dtype=torch.float64).to(kind)
            return values.requires_grad_() if values.is_floating_point() else values

        scores = BlackBox(scorer)("q", ["a", "bb"])
        assert scores.tolist() == [1 + 1e-12 if kind is torch.float64 else 1.0, 1.0]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda texts: np.zeros((len(texts), 1)), r"shape \(3,\).*not \(3, 1\); return scores\[:, 0\]"),
        (lambda texts: np.zeros((len(texts), 2)), r"shape \(3,\), one score per text, not \(3, 2\)"),
        ([1.0, 2.0], r"shape \(3,\), one score per text, not \(2,\)"),
        (1.0, r"not \(\); squeeze\(-1\)"),
        ([], r"not \(0,\)"),
        (lambda texts: ["0.5"] * len(texts), "must return numbers, not <U3 such as .*0.5"),
        (lambda texts: [None] * len(texts), "must return numbers, not object such as None"),
        (None, "must return numbers, not object such as None"),
        (lambda texts: [1j] * len(texts), "must return numbers, not complex128"),
        (lambda texts: (len(t) for t in texts), "generator.*return a list or an array"),
        (lambda texts: [[1.0], [1.0, 2.0], []], "one number per text.*not an array"),
        ({"a": 1.0}, "must return numbers, not object such as {'a': 1.0}"),
    ],
)
def test_answers_of_the_wrong_kind_are_named(answer, message):
    with pytest.raises(ScorerError, match=message) as caught:
        rank(returning(answer), "my query", {"x": "ccc", "y": "a", "z": "bb"})
    assert caught.value.query == "my query"
    assert set(caught.value.texts) == {"ccc", "a", "bb"}
    assert "query: 'my query'" in str(caught.value)
    assert "first of 3 documents: 'ccc'" in str(caught.value)
    assert "document ids: 'x', 'z', 'y'" in str(caught.value)  # the one that is shown first


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("batch_size", [1, 2, 256])
def test_scores_that_are_not_finite_are_traced_to_the_document(value, batch_size):
    documents = {"x": "fine", "bad one": "some poison inside", "y": "longer than the others by far"}
    box = BlackBox(spoiled("poison", value), batch_size=batch_size)
    with pytest.raises(ScorerError, match=f"returned {value} for 1 of") as caught:
        rank(box, "my query", documents)
    assert caught.value.texts == ("some poison inside",)
    assert "document: 'some poison inside'" in str(caught.value)
    assert str(caught.value).endswith("document id: 'bad one'")


@pytest.mark.parametrize("number", [1, 2, 7, 64])
def test_a_document_that_makes_the_scorer_raise_is_found_by_halving(number):
    scorer = Failing()
    documents = {f"d{i}": f"text number {i}" + " poison" * (i == number // 2) for i in range(number)}
    with pytest.raises(ScorerError, match="raised ValueError: cannot read this") as caught:
        rank(scorer, "my query", documents)
    culprit = documents[f"d{number // 2}"]
    assert caught.value.texts == (culprit,)
    assert f"document: {culprit!r}" in str(caught.value)
    assert f"document id: 'd{number // 2}'" in str(caught.value)
    assert "query: 'my query'" in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)
    assert len(scorer.calls) <= 1 + 2 * np.ceil(np.log2(number))


def test_a_failure_that_no_single_document_causes_names_the_batch():
    def full(query, texts):
        if len(texts) > 2:
            raise MemoryError("too many")
        return [0.0] * len(texts)

    with pytest.raises(ScorerError, match="first of 3 documents: 'ccc'") as caught:
        BlackBox(full)("q", ["a", "bb", "ccc"])
    assert caught.value.texts == ("ccc", "bb", "a")


def test_a_listwise_scorer_that_raises_is_not_asked_for_parts():
    scorer = Failing()
    scorer.listwise = True
    with pytest.raises(ScorerError, match="first of 2 documents: 'fine'"):
        BlackBox(scorer)("q", ["fine", "poison"])
    assert len(scorer.calls) == 1


def test_the_user_can_interrupt():
    with pytest.raises(KeyboardInterrupt):
        BlackBox(Failing(error=KeyboardInterrupt))("q", ["poison"])


def test_scores_before_a_failure_are_remembered():
    scorer = Failing()
    box = BlackBox(scorer, batch_size=1)
    with pytest.raises(ScorerError):
        box("q", ["the longest text", "poison", "tiny"])
    asked = len(scorer.calls)
    assert box("q", ["the longest text"]).tolist() == [16]
    assert len(scorer.calls) == asked


def test_long_texts_and_queries_are_shortened_in_messages():
    with pytest.raises(ScorerError) as caught:
        BlackBox(Failing())("why " * 1000, ["poison" * 100_000])
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("scorer", [None, "bm25", 3])
def test_a_scorer_must_be_callable(scorer):
    with pytest.raises(InputError, match=f"a scorer is a callable .*not {type(scorer).__name__}"):
        rank(scorer, "q", ["text"])


def test_a_batch_holds_one_text_at_least():
    with pytest.raises(InputError, match="batch_size must be 1 or more, not 0"):
        BlackBox(by_length, batch_size=0)


def test_a_scorer_may_say_itself_what_is_wrong():
    calls = []

    def down(query, texts):
        calls.append(texts)
        raise ScorerError("the service is down") from OSError("no route")

    with pytest.raises(ScorerError, match=r"^the service is down\n  query: 'q'$") as caught:
        rank(down, "q", TEXTS)
    assert len(calls) == 1, "it is not asked for parts"
    assert isinstance(caught.value.__cause__, OSError)

    def refusing(query, texts):
        raise ScorerError("too long", texts=["dddd"])

    with pytest.raises(
        ScorerError, match=r"^too long\n  query: 'q'\n  document: 'dddd'\n  document id: '4'$"
    ):
        rank(refusing, "q", TEXTS)


@pytest.mark.parametrize("kind", [Counting, Listwise])
def test_a_call_under_way_has_its_scores_though_all_is_forgotten_meanwhile(kind):
    inner = kind()

    class Forgetting(kind):
        def __call__(self, query, texts):
            box.forget()
            return inner(query, texts)

    box = BlackBox(Forgetting(), batch_size=1)
    asked = sorted(TEXTS, key=len)
    assert box("q", asked).tolist() == list(inner("q", asked))
    assert box.remembered == 0


def test_documents_without_a_number_are_all_named():
    with pytest.raises(ScorerError) as caught:
        rank(
            lambda q, some: [np.nan if "c" in t else 1.0 for t in some],
            "q",
            {"x": "c", "y": "a", "z": "cc"},
        )
    assert [*caught.value.texts] == ["cc", "c"]
    assert str(caught.value).endswith("first of 2 documents: 'cc'\n  document ids: 'z', 'x'")

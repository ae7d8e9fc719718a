import subprocess
import sys

import numpy as np
import pytest

from intentx import Analyzer, InputError
from intentx.rankers import BM25
from intentx.rankers.fingerprint import fingerprint_of

SETTINGS = {"ranker": "any", "k1": 0.9, "terms": ["a", "b"], "nested": {"x": None, "y": True}}
WEIGHTS = {"one": np.arange(6.0).reshape(2, 3), "two": np.ones(4, dtype=np.float32)}


def test_order_does_not_matter_and_nothing_else_is_forgotten():
    reference = fingerprint_of(SETTINGS, WEIGHTS)
    assert len(reference) == 32
    assert reference == fingerprint_of(dict(reversed(SETTINGS.items())), dict(reversed(WEIGHTS.items())))
    one, two = WEIGHTS["one"], WEIGHTS["two"]
    least = one.copy()
    least[1, 2] = np.nextafter(5, 6)
    others = [
        (SETTINGS | {"k1": 0.8}, WEIGHTS),
        (SETTINGS | {"more": 1}, WEIGHTS),
        (SETTINGS, {}),
        (SETTINGS, {"one": two, "two": one}),
        (SETTINGS, {"one": one, "three": two}),
        (SETTINGS, {"one": one.reshape(3, 2), "two": two}),
        (SETTINGS, {"one": one.T.copy(), "two": two}),
        (SETTINGS, {"one": least, "two": two}),
        (SETTINGS, {"one": one, "two": two.astype(np.float64)}),
        (SETTINGS, {"one": one, "two": two.view(np.int32)}),
        (SETTINGS, {"one": one, "two": np.ones(3, dtype=np.float32)}),
    ]
    assert len({reference, *(fingerprint_of(*other) for other in others)}) == len(others) + 1


def test_the_layout_in_memory_does_not_matter():
    one = WEIGHTS["one"]
    assert fingerprint_of({}, {"w": one}) == fingerprint_of({}, {"w": np.asfortranarray(one)})
    assert fingerprint_of({}, {"w": one.T}) == fingerprint_of({}, {"w": one.T.copy()})
    assert fingerprint_of({}, {"w": np.array(2.0)}) != fingerprint_of({}, {"w": np.array([2.0])})
    assert fingerprint_of({"a": np.float64(0.5)}) == fingerprint_of({"a": 0.5})
    assert fingerprint_of({"a": (1, 2)}) == fingerprint_of({"a": [1, 2]})
    assert fingerprint_of({}, {"w": np.empty((0, 3))}) != fingerprint_of({}, {"w": np.empty((3, 0))})


def test_tensors_are_arrays():
    torch = pytest.importorskip("torch")
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in WEIGHTS.items()}
    assert fingerprint_of(SETTINGS, tensors) == fingerprint_of(SETTINGS, WEIGHTS)
    assert fingerprint_of({}, {"w": tensors["one"].T}) == fingerprint_of({}, {"w": WEIGHTS["one"].T})
    half = torch.tensor([1.0, 2.0], dtype=torch.bfloat16)
    assert fingerprint_of({}, {"w": half}) == fingerprint_of({}, {"w": half.clone()})
    assert fingerprint_of({}, {"w": half}) != fingerprint_of({}, {"w": half + 1})
    assert fingerprint_of({}, {"w": half}) != fingerprint_of({}, {"w": half.float()})
    assert fingerprint_of({}, {"w": torch.tensor(3)}) == fingerprint_of({}, {"w": np.array(3)})


def test_another_process_finds_the_same():
    code = (
        "import numpy as np; from intentx.rankers import BM25;"
        "from intentx.rankers.fingerprint import fingerprint_of;"
        "print(fingerprint_of({'b': 1, 'a': 2.5}, {'w': np.arange(3.0)}));"
        "print(BM25(['green tea', 'a piano', 'black tea']).fingerprint)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = [
        fingerprint_of({"a": 2.5, "b": 1}, {"w": np.arange(3.0)}),
        BM25(["green tea", "a piano", "black tea"]).fingerprint,
    ]
    assert done.stdout.split() == here


@pytest.mark.parametrize(
    ("settings", "weights", "message"),
    [
        ({"model": object()}, {}, "plain data, as for JSON: <object .* is of type object"),
        ({"words": {"a", "b"}}, {}, "plain data.*of type set"),
        ({}, {"w": np.array([None, "a"])}, "the weight 'w' must be an array of numbers"),
        ({}, {"w": "text"}, "the weight 'w' must be an array of numbers, not 'text'"),
        ({}, {"w": [1.0, 2.0]}, "the weight 'w' must be an array of numbers"),
    ],
)
def test_what_has_no_fingerprint_is_named(settings, weights, message):
    with pytest.raises(InputError, match=message):
        fingerprint_of(settings, weights)


def test_bm25_is_its_statistics_and_settings():
    collection = ["green tea in a tea pot", "black tea", "a grand piano", "two boats"]
    reference = BM25(collection).fingerprint
    assert BM25(list(collection)).fingerprint == reference
    others = [
        BM25([*collection, "more"]),
        BM25([*collection[:-1], "two three boats"]),
        BM25(collection, k1=1.2),
        BM25(collection, b=0.75),
        BM25(collection, analyzer=Analyzer()),
        BM25(collection, analyzer=Analyzer(stem="english", stopwords=frozenset())),
    ]
    assert len({reference, *(other.fingerprint for other in others)}) == len(others) + 1

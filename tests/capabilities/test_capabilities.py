"""What a scorer says counts by one rule, and where it does not say one thing happens everywhere."""

import functools

import numpy as np

import intentx as ix
from intentx import capabilities
from intentx.capabilities import CallCost, Capabilities
from intentx.text import Analyzer
from tests.toys import by_length

DOCS = ["a green tea pot", "tea leaves in a box", "a piano", "an old oak tree by the house"]
GERMAN = Analyzer(language="german")


COST = CallCost(30, None, lambda texts: texts, lambda texts, calls: "")


class Everything:
    """A scorer that says all there is to say."""

    listwise = False
    fingerprint = "everything, version 1"
    mask_token = "<mask>"  # noqa: S105
    analyzer = GERMAN
    batch_size = 7
    module = None

    def __call__(self, query, texts):
        return [float(text.count("tea")) for text in texts]

    def seen(self, query, texts):
        return [text[:5] for text in texts]

    def state_mark(self, *, thorough=False):
        return ("thorough", 1) if thorough else 1

    def activated(self, scores):
        return "half", [score / 2 for score in scores]

    def term_weights(self, query):
        return {"tea": 1}

    def embed(self, query, text):
        raise NotImplementedError

    def score_embedded(self, embedded, vectors):
        raise NotImplementedError

    def token_matches(self, query, text):
        raise NotImplementedError

    def score_pairs(self, queries, texts):
        raise NotImplementedError

    def feature_maps(self, query, text):
        raise NotImplementedError

    def attentions(self, query, text):
        raise NotImplementedError

    def preference(self, query, text_a, text_b):
        return 0.5

    def stages(self, query, texts):
        return ()

    @property
    def cost(self):
        return COST

    @property
    def remarks(self):
        return ("said",)


class Wrapper:
    """Hands all attributes on, and changes the scores."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, query, texts):
        return [-score for score in self.inner(query, texts)]

    def __getattr__(self, name):
        return getattr(self.inner, name)


class Child(Everything):
    def __call__(self, query, texts):
        return [-score for score in super().__call__(query, texts)]


def answers(scorer):
    can = Capabilities.of(scorer)
    activated = can.activated(np.array([1.0, 2.0]))
    return {
        "listwise": can.listwise,
        "seen": can.seen("q", DOCS[:1]),
        "mask_token": can.mask_token,
        "batch_size": can.batch_size,
        "fingerprint": can.fingerprint,
        "state_mark": can.state_mark(thorough=True),
        "activated": activated and (activated[0], activated[1].tolist()),
        "term_weights": can.term_weights("q"),
        "analyzer": can.analyzer,
        "preference": can.preference and can.preference("q", "a", "b"),
        "stages": can.stages and can.stages("q", []),
        "cost": can.cost,
        "remarks": can.remarks,
        "differentiable": can.differentiable is not None,
        "feature_mapped": can.feature_mapped is not None,
    }


SAID = {
    "listwise": False,
    "seen": ("a gre",),
    "mask_token": "<mask>",
    "batch_size": 7,
    "fingerprint": "everything, version 1",
    "state_mark": ("thorough", 1),
    "activated": ("half", [0.5, 1.0]),
    "term_weights": {"tea": 1.0},
    "analyzer": GERMAN,
    "preference": 0.5,
    "stages": (),
    "cost": COST,
    "remarks": ("said",),
    "differentiable": True,
    "feature_mapped": True,
}
NOTHING = (
    dict.fromkeys(SAID)
    | {"remarks": ()}
    | dict.fromkeys(("listwise", "differentiable", "feature_mapped"), False)
)
HANDED_ON = ("listwise", "seen", "mask_token", "batch_size", "cost", "remarks")


def test_all_that_is_said_and_nothing():
    assert answers(Everything()) == SAID
    assert answers(by_length) == answers(None) == NOTHING
    recorded = ix.Ranking.from_run(["#1"], "tea", {"#1": DOCS[0]})
    assert recorded.can.scorer is None
    every = [getattr(capabilities, name) for name in capabilities.__all__]
    protocols = [
        one for one in every if getattr(one, "_is_protocol", False) and one.__name__ != "Scorer"
    ]
    assert len(protocols) == 17
    assert all(isinstance(Everything(), one) and not isinstance(by_length, one) for one in protocols)


def test_a_wrapper_hands_on_how_texts_are_given_and_not_what_stands_for_the_scores():
    inner = Everything()
    inner.listwise = True
    found = answers(Wrapper(inner))
    assert found == NOTHING | {name: SAID[name] for name in HANDED_ON} | {"listwise": True}
    assert "those of the scorer in it" in Capabilities.of(Wrapper(inner)).no_gradients
    of_its_own = Wrapper(inner)
    of_its_own.fingerprint = "wrapped"
    assert answers(of_its_own) == found | {"fingerprint": "wrapped", "state_mark": "wrapped"}


def test_a_subclass_with_other_scores_does_not_inherit_what_names_the_old_ones():
    assert answers(Child()) == SAID | {"fingerprint": None, "term_weights": None}

    class Again(Child):
        fingerprint = "child"

    assert answers(Again()) == SAID | {"fingerprint": "child", "term_weights": None}


def test_what_functools_wraps_copies_is_not_the_copys():
    def score(query, texts):
        return by_length(query, texts)

    score.fingerprint, score.term_weights = "length", lambda query: {"tea": 1.0}
    score.mask_token = "<mask>"  # noqa: S105
    other = functools.wraps(score)(lambda query, texts: [-1.0 * len(text) for text in texts])
    assert answers(other) == NOTHING | {"mask_token": "<mask>"}
    assert answers(score)["term_weights"] == {"tea": 1.0}


def test_in_a_black_box_the_scorer_is_asked():
    box = ix.BlackBox(Everything())
    assert Capabilities.of(box).scorer is box.can.scorer is box.scorer
    assert ix.BlackBox(box).can.scorer is box.scorer


def test_what_is_no_method_or_no_text_is_not_said():
    class Odd(Everything):
        seen = activated = term_weights = state_mark = preference = stages = "no method"
        cost, remarks = 30, "one text"
        analyzer, mask_token, fingerprint = "no analyzer", 3, ""

    found = answers(Odd())
    assert found == NOTHING | {
        "batch_size": 7, "differentiable": True, "feature_mapped": True, "state_mark": ""
    }  # fmt: skip


# The rows of the table, one after the other: where a scorer does not say.

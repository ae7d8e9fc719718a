"""What happens where a scorer does not say what it can do: one behaviour for each."""

import dataclasses
import warnings

import numpy as np
import pytest

import intentx as ix
from intentx import capabilities
from intentx.capabilities import Capabilities
from intentx.errors import ScorerError, ScorerWarning, TruncationWarning
from intentx.evaluation.faithfulness import as_read
from intentx.evaluation.known import intent_metrics, known_intent
from intentx.perturbation import removal_for
from intentx.rankers import BM25, RM3, LanguageModel
from intentx.study.data import Topic
from intentx.study.rankings import ranking_by
from intentx.text import Analyzer
from tests.capabilities.test_capabilities import DOCS, GERMAN, Everything, Wrapper
from tests.toys import by_length


def test_without_listwise_each_text_is_scored_by_itself_and_the_rest_is_warned_of():
    def ranks(query, texts):
        return np.argsort(np.argsort([len(text) for text in texts])).astype(float)

    assert not ix.BlackBox(ranks).listwise
    with pytest.warns(ScorerWarning, match="Set\\s+listwise = True"):
        ix.rank(ranks, "tea", DOCS)
    ranks.listwise = True
    assert ix.BlackBox(ranks).listwise
    assert len(ix.rank(ranks, "tea", DOCS)) == 4


def topic():
    return Topic("1", "tea", dict(zip("abcd", DOCS, strict=True)), tuple("abcd"))


def test_without_seen_texts_are_read_to_their_end():
    ranking = ix.rank(by_length, "tea", DOCS)
    assert ranking.can.read("tea", DOCS) == (tuple(DOCS), "")
    found = ix.EXS(k=2).explain(ranking, 0)
    assert not [note for note in found.notes if "to its end" in note]
    assert as_read(ranking, 0) == ranking.texts[0]
    assert set(ranking_by(by_length, topic()).texts) == set(DOCS)
    with pytest.raises(ix.InputError, match=r"by_length has no method seen\(query, texts\)"):
        ix.rank(by_length, "tea", DOCS, truncated="cut")


class Unsure(Everything):
    analyzer = module = None
    activated = None

    def seen(self, query, texts):
        raise ix.InputError("this tokenizer does not tell")


def test_where_seen_cannot_tell_texts_are_taken_to_be_read_and_it_is_told():
    with pytest.warns(TruncationWarning, match="to their end is unknown: this tokenizer") as told:
        ranking = ix.rank(Unsure(), "tea", DOCS)
    assert told[0].filename == __file__
    assert ranking.can.read("tea", DOCS) == (tuple(DOCS), "this tokenizer does not tell")
    [note] = [n for n in ix.EXS(k=2).explain(ranking, 0).notes if "to its end is unknown" in n]
    assert note.endswith("this tokenizer does not tell")
    assert as_read(ranking, 0) == ranking.texts[0]
    with pytest.raises(ix.InputError, match="this tokenizer does not tell"):
        ix.rank(Unsure(), "tea", DOCS, truncated="cut")
    assert set(ranking_by(Unsure(), topic()).texts) == set(DOCS)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda texts: texts[:1], "must give 4 texts, one for each; it gave 1 values"),
        (lambda texts: "tea", "must give 4 texts, one for each; it gave one text"),
        (lambda texts: [3] * len(texts), r"it gave 4 values such as \(3,\)"),
        (lambda texts: None, "seen of Wrong failed for query 'tea': TypeError"),
        (lambda texts: texts[99], "seen of Wrong failed for query 'tea': IndexError"),
    ],
)
@pytest.mark.parametrize("truncated", ["warn", "cut"])
def test_a_seen_that_fails_is_named(answer, message, truncated):
    class Wrong(Everything):
        def seen(self, query, texts):
            return answer(texts)

    with pytest.raises(ScorerError, match=message) as caught:
        ix.rank(Wrong(), "tea", DOCS, truncated=truncated)
    assert (caught.value.query, caught.value.texts) == ("tea", tuple(DOCS))


def test_without_a_mask_words_are_deleted():
    ranking = ix.rank(by_length, "tea", DOCS)
    assert removal_for(ranking) == ("delete", None)
    with pytest.raises(ix.InputError, match="the ranker names none"):
        removal_for(ranking, "mask")
    assert removal_for(ranking, "mask", "[X]") == ("mask", "[X]")
    assert removal_for(ix.rank(Everything(), "tea", DOCS, truncated="cut")) == ("mask", "<mask>")


def test_without_a_fingerprint_nothing_is_remembered_on_disk(tmp_path):
    cache = tmp_path / "scores.sqlite"
    with pytest.raises(ix.InputError, match="scores of by_length on disk, give it a fingerprint"):
        ix.rank(by_length, "tea", DOCS, cache=cache)
    assert ranking_by(by_length, topic(), cache).scorer.cache is None
    assert ranking_by(Everything(), topic(), cache).scorer.cache is not None
    one = Everything()
    one.fingerprint = 42
    for ask in (lambda: ix.rank(one, "tea", DOCS, cache=cache), lambda: ranking_by(one, topic(), cache)):
        with pytest.raises(ix.InputError, match=r"fingerprint.*not 42"):
            ask()


def test_without_a_state_mark_the_fingerprint_tells_and_without_both_nothing_changes():
    class Marked:
        weight = 1.0

        def __call__(self, query, texts):
            return [self.weight * len(text) for text in texts]

    scorer = Marked()
    box = ix.BlackBox(scorer)
    assert box.mark is None
    scorer.weight = 2.0
    assert box("tea", ["abc"]).tolist() == [6.0]
    scorer.weight = 3.0
    assert box("tea", ["abc"]).tolist() == [6.0], "taken to stay the same"
    scorer.fingerprint = "3"
    assert box("tea", ["abc"]).tolist() == [9.0]
    assert ix.BlackBox(Everything()).mark == ("thorough", 1)


def test_without_term_weights_there_is_no_metric():
    ranking = ix.rank(by_length, "tea", DOCS)
    assert known_intent(ranking) is None
    assert intent_metrics(ix.QueryTerms().explain(ranking), ranking) is None


class Old:
    """As before there were `term_weights`."""

    def __call__(self, query, texts):
        return by_length(query, texts)

    def intent(self, query):
        return {"tea": 2}


def test_the_earlier_name_of_term_weights_counts_by_the_same_rule():
    class Both(Old):
        def term_weights(self, query):
            return {"piano": 1}

    class Later(Both):
        def intent(self, query):
            return {"oak": 1}

    class Other(Both):
        def __call__(self, query, texts):
            return by_length(query, texts)

    class Own(Other):
        def intent(self, query):
            return {"pot": 1}

    said = [Capabilities.of(kind()).term_weights("q") for kind in (Old, Both, Later, Other, Own)]
    assert said == [{"tea": 2.0}, {"piano": 1.0}, {"oak": 1.0}, None, {"pot": 1.0}]
    assert Capabilities.of(Wrapper(Both())).term_weights("q") is None
    ranking = ix.rank(Old(), "tea", DOCS)
    assert known_intent(ranking)[0] == {"tea": 2.0}

    class Failing(Old):
        def intent(self, query):
            raise KeyError(query)

    with pytest.raises(ScorerError, match="intent of the ranker failed for query 'q': KeyError"):
        Capabilities.of(Failing()).term_weights("q")


def test_rankers_that_come_along_say_what_they_look_for():
    for kind in (BM25, LanguageModel, RM3):
        ranker = kind(DOCS)
        assert isinstance(ranker, capabilities.TermWeights)
        assert isinstance(ranker, capabilities.Fingerprinted)
        assert isinstance(ranker, capabilities.Analyzes)
        assert Capabilities.of(ranker).term_weights("tea") == dict(ranker.term_weights("tea"))


def test_without_activated_raw_scores_stand_alone():
    assert ix.rank(by_length, "tea", DOCS).activated is None
    ranking = ix.rank(Everything(), "tea", DOCS, truncated="cut")
    assert ranking.to_dict()["activated"] == {"half": (ranking.scores / 2).tolist()}

    class Silent(Everything):
        def activated(self, scores):
            return None

    assert ix.rank(Silent(), "tea", DOCS, truncated="cut").activated is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (("half", [1.0]), r"a name and 4 numbers, not 'half' and an array of shape \(1,\)"),
        ((3, [1.0] * 4), "a name and 4 numbers, not 3"),
        ("half", "activated of Wrong failed: ValueError"),
        (("half", ["much"] * 4), "activated of Wrong failed: ValueError"),
    ],
)
def test_an_activated_that_fails_is_named(answer, message):
    class Wrong(Everything):
        def activated(self, scores):
            return answer

    with pytest.raises(ScorerError, match=message):
        ix.rank(Wrong(), "tea", DOCS, truncated="cut")


def test_without_an_analyzer_terms_are_the_usual_ones():
    assert ix.rank(by_length, "tea", DOCS).analyzer == Analyzer()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        wrapped = ix.rank(Wrapper(Everything()), "tea", DOCS)
        assert wrapped.analyzer == Analyzer()
        assert ix.rank(Everything(), "tea", DOCS).analyzer == GERMAN

    class Saying(Wrapper):
        def term_weights(self, query):
            return {"leaves": 1.0}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        known = known_intent(ix.rank(Saying(Everything()), "tea", DOCS))
    assert known == ({"leav": 1.0}, Analyzer(stem="english")), "not those of the scorer in it"


def test_without_gradients_the_methods_that_take_them_say_what_is_needed():
    ranking = ix.rank(by_length, "tea", DOCS)
    needed = r"by_length offers none: it has no embed and score_embedded.*KernelSHAP"
    for method in (ix.Saliency(), ix.DeepLIFT()):
        with pytest.raises(ix.InputError, match=needed):
            method.explain(ranking, 0)
    with pytest.raises(ix.InputError, match="by_length has none; DeepLIFT"):
        ix.GradCAM().explain(ranking, 0)

    class Counts(Everything):
        embed = None
        no_gradients = "it counts"

    with pytest.raises(ix.InputError, match="Counts offers none: it counts; KernelSHAP"):
        ix.Saliency().explain(ix.rank(Counts(), "tea", DOCS, truncated="cut"), 0)


def test_half_precision_is_known_of_the_model_or_the_module():
    @dataclasses.dataclass
    class Model:
        dtype: str

    scorer = Everything()
    assert not Capabilities.of(scorer).half_precision
    scorer.model = Model("torch.bfloat16")
    assert Capabilities.of(scorer).half_precision
    scorer.model = Model("torch.float32")
    assert not Capabilities.of(scorer).half_precision

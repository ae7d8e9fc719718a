"""A mask is written only for a ranker that says what its mask is."""

import pytest

import intentx as ix
from intentx.capabilities import Capabilities
from intentx.evaluation.insertion import insertion
from intentx.rankers.transformers.cross_encoder import CrossEncoder
from intentx.scoring import BlackBox
from tests import tiny_models
from tests.explainers.document.linear import weights_of
from tests.toys import Counting, keyboards

DOCS = ["face mask", "mask of a face", "a cloth", "face cream", "mask mask", "other"]


def lexical(query, texts):
    return [float(text.lower().count("mask")) for text in texts]


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "bert": CrossEncoder(tiny_models.cross_encoder(folder / "bert")),
        "bytes": CrossEncoder(tiny_models.bpe_cross_encoder(folder / "bytes")),
        "bi": ix.rankers.BiEncoder(tiny_models.bi_encoder(folder / "bi")[0]),
    }


def test_no_text_with_a_mask_reaches_a_lexical_ranker():
    scorer = Counting(lexical)
    ranking = ix.rank(scorer, "face mask", DOCS * 1 + ["a mask shop", "face mask shop"])
    for method in (ix.Multiplex(), ix.IntentGreedy(generality=0.5), ix.RandomTerms()):
        explanation = method.explain(ranking)
    insertion(explanation, ranking)
    for method in (ix.KernelSHAP(), ix.EXS(k=2), ix.LIRME()):
        ix.faithfulness(method.explain(ranking, 0))
    assert len(scorer.texts) > 40
    assert not [text for text in scorer.texts if "[MASK]" in text]


def test_the_ranker_is_not_blamed_for_matching_its_own_mask():
    ranking = ix.rank(lexical, "face mask", DOCS)
    with pytest.raises(ix.InputError, match=r"the ranker names none.*removal='delete'.*mask='…'"):
        ix.KernelSHAP(removal="mask").explain(ranking, "0")
    with pytest.raises(ix.InputError, match="the ranker names none"):
        ix.EXS(removal="mask").explain(ranking, "0")
    found = ix.KernelSHAP().explain(ranking, "0")
    assert weights_of(found) == pytest.approx({"mask": 1, "face": 0})
    with pytest.raises(ix.InputError, match="the ranker names none"):
        ix.faithfulness(found, removal="mask")


def test_a_mask_of_ones_own_is_used_as_given():
    scorer = Counting(lexical)
    found = ix.KernelSHAP(removal="mask", mask="[UNK]").explain(ix.rank(scorer, "q", DOCS), "0")
    assert "face [UNK]" in scorer.texts
    assert found.settings["mask"] == "[UNK]"
    assert weights_of(found)["mask"] == 1


def test_rankers_say_what_their_mask_is(encoders):
    rankers = BlackBox(encoders["bert"]), encoders["bi"], encoders["bytes"], lexical
    masks = [Capabilities.of(ranker).mask_token for ranker in rankers]
    assert masks == ["[MASK]", "[MASK]", None, None]


def test_the_mask_of_the_ranker_is_what_settings_record(encoders):
    docs = ["a stage piano", "desk keys", "key"]
    found = ix.KernelSHAP(removal="mask").explain(ix.rank(encoders["bert"], "keys", docs), "0")
    assert (found.settings["removal"], found.settings["mask"]) == ("mask", "[MASK]")
    assert ix.KernelSHAP().explain(ix.rank(encoders["bert"], "keys", docs), "0").settings["mask"] is None
    with pytest.raises(ix.InputError, match="the ranker names none"):
        ix.KernelSHAP(removal="mask").explain(ix.rank(encoders["bytes"], "keys", docs), "0")


def test_a_ranker_that_names_its_mask_is_shown_it():
    scorer = Counting(keyboards()[1])
    scorer.mask_token = "<mask>"  # noqa: S105
    ix.KernelSHAP(removal="mask").explain(ix.rank(scorer, "keyboard", keyboards()[0]), 0)
    assert any("<mask>" in text for text in scorer.texts)
    assert not any("[MASK]" in text for text in scorer.texts)

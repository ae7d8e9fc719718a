"""Files of format 1, written before `figures` became `metrics`, are read, and saved as format 2."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import intentx as ix
from intentx.comparison.results import Comparison
from intentx.errors import InputError
from intentx.explainers.inside.gradcam import GradCAMExplanation

KINDS = {
    "intent": ix.IntentExplanation,
    "document": ix.DocumentExplanation,
    "gradcam": GradCAMExplanation,
    "comparison": Comparison,
}
RENAMED = {"figures": "metrics", "wants": "for_first", "not_wants": "for_second"}


def renamed(plain):
    """Plain data of format 1 with the keys of format 2."""
    if isinstance(plain, dict):
        return {RENAMED.get(key, key): renamed(value) for key, value in plain.items()}
    return [renamed(one) for one in plain] if isinstance(plain, list) else plain


def earlier(kind):
    return (Path(__file__).parent / "data" / f"{kind}-1.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_format_1_has_the_same_values_in_format_2(kind):
    text = earlier(kind)
    before = json.loads(text)
    assert before["format"] == f"intentx.{kind}/1"
    found = KINDS[kind].from_json(text)
    after = json.loads(found.to_json())
    assert after.pop("format") == f"intentx.{kind}/2"
    del before["format"]
    for effect in before.get("effects", []):
        effect.setdefault("beside", "")  # which was not looked for
    assert after == renamed(before)
    again = KINDS[kind].from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert repr(again) == repr(found)


@pytest.mark.parametrize("kind", ["document", "gradcam"])
def test_what_was_figures_is_metrics(kind):
    before = json.loads(earlier(kind))
    found = KINDS[kind].from_dict(before)
    assert {"score", "rest"} <= set(found.metrics)
    assert found.metrics == before["figures"]
    assert found.rest == before["figures"]["rest"]
    before["figures"]["score"] = None
    assert math.isnan(KINDS[kind].from_dict(before).metrics["score"])


def test_measures_of_a_file_of_format_1_are_kept():
    intent = ix.IntentExplanation.from_json(earlier("intent"))
    assert intent.measures["heldout_documents"].mean == pytest.approx(
        json.loads(earlier("intent"))["heldout_documents"]["mean"]
    )
    document = ix.DocumentExplanation.from_json(earlier("document"))
    assert document.measures["faithfulness"].falls == pytest.approx(
        json.loads(earlier("document"))["faithfulness"]["falls"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_formats_of_other_kinds_and_versions_are_refused(kind):
    other = "document" if kind == "intent" else "intent"
    with pytest.raises(InputError, match=f"format is 'intentx.{other}/1', not 'intentx.{kind}/2'"):
        KINDS[kind].from_json(earlier(other))
    later = json.loads(earlier(kind)) | {"format": f"intentx.{kind}/3"}
    with pytest.raises(InputError, match=f"'intentx.{kind}/3', not 'intentx.{kind}/2'"):
        KINDS[kind].from_dict(later)


@pytest.mark.parametrize("form", [None, 1, ["intentx.document/1"], {}])
def test_a_format_of_another_type_is_refused(form):
    plain = json.loads(earlier("document")) | {"format": form}
    with pytest.raises(InputError, match="format is"):
        ix.DocumentExplanation.from_dict(plain)


def test_a_file_that_lacks_its_metrics_says_so():
    plain = json.loads(earlier("document"))
    del plain["figures"]
    with pytest.raises(InputError, match="lacks 'metrics'"):
        ix.DocumentExplanation.from_dict(plain)

"""An encoder of two sides and a ranking, for tests of token pairs."""

import pytest

import intentx as ix
from intentx.rankers import BiEncoder
from tests import tiny_models

DOCS = {"a": "a stage piano, keys", "b": "desk", "c": "key of a piano"}
ASKED = "piano key"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """With both sides and numbers of 64 bits, so that finite differences are exact enough."""
    model, _ = tiny_models.bi_encoder(tmp_path_factory.mktemp("bi"), similarity_fn_name="cosine")
    return BiEncoder(model.double())


@pytest.fixture(scope="module")
def ranking(encoder):
    return ix.rank(encoder, ASKED, DOCS)

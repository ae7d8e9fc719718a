"""What methods show that look inside a ranker, on the search page: token pairs and attention."""

import json

import numpy as np
import pytest

import intentx as ix
from intentx.capabilities import TokenMatches
from tests.serve.test_page_everyone import EVIL

TEXTS = {"one": "big tea 😀 pot", "two": "a pot"}
SHOW = """
    const context = {root: document.body, nameOf: String, point() {}, mark() {}, download() {}};
    const box = document.createElement('div');
    box.id = 'other';
    box.append(...it.viewOf(given, context));
    document.getElementById('other')?.remove();
    document.body.append(box);
    return box.textContent"""


class Matches:
    """Matches of *pot*, and of a term that it adds to the query."""

    def __call__(self, query, texts):
        return [self.token_matches(query, text).matrix.sum() for text in texts]

    def token_matches(self, query, text):
        at = text.index("pot")
        words = [(word, text.index(word), text.index(word) + len(word), "text") for word in text.split()]
        tokens = (("pot", 0, 3, "text"), (EVIL, None, None, "expansion"))
        matrix = np.zeros((2, len(words)))
        matrix[:, [one[1] for one in words].index(at)] = 2.0, 0.5
        return TokenMatches(tokens, tuple(words), matrix, way="products")


def shown(page, found):
    return page.module("views.js", f"const given = {json.dumps(found.to_dict())}; {SHOW}")


@pytest.mark.parametrize("above", [None, "two"])
def test_token_pairs_have_links_named_tokens_and_their_own_columns(page, above):
    page.search("BM25")
    ranking = ix.rank(Matches(), "pot", TEXTS)
    said = shown(page, ix.TokenPairs().explain(ranking, "one", above=above))
    assert "Which tokens matched" in said
    assert "products of the weights" in said
    assert "the rest: no word" in said  # of the words, not of the pairs
    tables = 1 if above is None else 2
    assert page.texts("#other table.map tbody th") == ["pot", f"+{EVIL}"] * tables
    columns = ["big", "tea", "😀", "pot"] + (["a", "pot"] if above else [])
    assert [one for one in page.texts("#other table.map thead th") if one] == columns
    assert len(page.all("#other svg.token-links path.more")) == 2 * tables
    assert page.texts("#other svg.token-links text")[:3] == ["pot", f"+{EVIL}"[:28], "pot"]
    wide = """
        const paths = [...document.querySelectorAll('#other .more')];
        return paths.map((one) => getComputedStyle(one).strokeWidth)"""
    assert page.run(wide)[:2] == ["4.5px", "1.5px"]  # the stronger, the wider
    # All documents on one scale: the strongest pair of each has the strongest colour.
    assert len(page.all("#other td.for.a9")) == tables


def test_attention_gives_sizes_and_opens_one_head_at_a_time(page):
    page.search("BM25")
    ranking = ix.rank(lambda query, texts: [len(text) for text in texts], "pot", TEXTS)
    plain = ix.KernelSHAP().explain(ranking, "one").to_dict()
    words = len(plain["words"])
    plain |= {"format": "intentx.attention/1", "method": "Attention"}
    plain |= {"grid": [[[0.1] * words, [0.2] * words]] * 2}
    said = page.module("views.js", f"const given = {json.dumps(plain)}; {SHOW}")
    assert "attended to" in said
    assert "against" not in page.text("#other .legend")
    assert "Heads and layers" in said
    layer = page.all("#other details > summary")
    page.run("arguments[0].click()", next(one for one in layer if one.text.startswith("Layer 0")))
    page.shown("#other details[name=heads] > summary")  # made when the layer is unfolded
    heads = [one for one in page.all("#other details[name=heads] > summary") if one.text]
    assert [one.text.partition(",")[0] for one in heads] == ["head 0", "head 1"]
    for head in heads:
        head.click()
    assert len(page.all("#other details[name=heads][open]")) == 1

"""What a model does not read is named, or cut away at the same score."""

import json
import warnings

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.cli import main
from intentx.errors import TruncationWarning
from intentx.rankers import DPR, BiEncoder, CrossEncoder
from tests import tiny_models
from tests.later import sentence_transformers, transformers
from tests.toys import by_length

WINDOW = 24
SYLLABLES = [
    "piano",
    "key",
    "stage",
    "desk",
    "pianos",
    "Unaffable",
    "naïve",
    "☂",
    "x",
    "don't",
    "U.S.",
    "  ",
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "cross": tiny_models.cross_encoder(folder / "cross", window=WINDOW),
        "bpe": tiny_models.bpe_cross_encoder(folder / "bpe", window=WINDOW),
        "bi": tiny_models.bi_encoder(folder / "bi", window=WINDOW)[1],
        "query": tiny_models.dpr(folder / "query", "query", window=WINDOW),
        "document": tiny_models.dpr(folder / "document", "document", window=WINDOW),
    }


@pytest.fixture(scope="module")
def rankers(folders):
    return {
        "cross": CrossEncoder(folders["cross"]),
        "bpe": CrossEncoder(folders["bpe"]),
        "bi": BiEncoder(folders["bi"]),
        "dpr": DPR(folders["query"], folders["document"]),
    }


def shortest_that_reads_the_same(read, text):
    """Slow and obvious: prefixes of growing length until the model gets the same input."""
    wanted = read(text)
    for end in range(len(text) + 1):
        if read(text[:end]) == wanted:
            return text[:end]
    raise AssertionError("the text itself reads the same")


def reader(folders, name, query, window=WINDOW):
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        folders["document" if name == "dpr" else name]
    )
    settings = {"truncation": "longest_first", "max_length": window}
    if name in ("bi", "dpr"):
        return lambda text: tokenizer(text, **settings)["input_ids"]
    return lambda text: tokenizer([query], [text], **settings)["input_ids"][0]


def random_texts(seed, number, words):
    generator = np.random.default_rng(seed)
    return [
        "".join(
            generator.choice(SYLLABLES) + generator.choice([" ", ", ", "", "\n"], p=[0.6, 0.2, 0.1, 0.1])
            for _ in range(generator.integers(1, words))
        )
        for _ in range(number)
    ]


@pytest.mark.parametrize("name", ["cross", "bi", "dpr"])
@pytest.mark.parametrize("query", ["key", "piano key desk", "stage " * 9])
def test_the_cut_text_is_what_is_read_and_scores_the_same(folders, rankers, name, query):
    ranker, read = rankers[name], reader(folders, name, query)
    everything = reader(folders, name, query, window=10_000)
    texts = random_texts(len(query), 30, words=14)
    cut = ranker.seen(query, texts)
    shorter = 0
    for text, part in zip(texts, cut, strict=True):
        truncated = read(text) != everything(text)
        assert part == (shortest_that_reads_the_same(read, text) if truncated else text)
        shorter += truncated
    assert 5 < shorter < 25
    np.testing.assert_allclose(ranker(query, cut), ranker(query, texts), atol=1e-6)
    assert ranker.seen(query, cut) == cut
    assert ranker.seen(query, []) == []


def test_nothing_that_is_left_goes_unread(folders, rankers):
    for name in ("cross", "bi", "dpr"):
        for text in rankers[name].seen("key", random_texts(1, 20, words=16)):
            embedded = rankers[name].embed("key", text)
            end = embedded.spans[-1, 1] if len(embedded.spans) else 0
            assert not text[end:].strip()


def test_a_blank_that_is_read_keeps_its_word(rankers):
    ranker = rankers["bpe"]
    # Of 24 pieces, 17 or fewer are left: pia, no, then for each word a blank, pia, no.
    text = "piano" + " piano" * 12
    for query, last in (("key", " piano"), ("keys", " pia"), ("key s", " piano")):
        [part] = ranker.seen(query, [text])
        assert part == "piano" + " piano" * 4 + last
        assert ranker(query, [part])[0] == pytest.approx(ranker(query, [text])[0], abs=1e-6)
    assert ranker.embed("key s", text).pieces[-1] == "Ġ"


def test_a_long_query_takes_its_share(folders, rankers):
    ranker = rankers["cross"]
    text = "piano " * 40
    lengths = [len(ranker.seen("key " * n, [text])[0].split()) for n in range(1, 40)]
    assert ranker.seen("key " * 39, ["piano desk ", ""]) == ["piano desk ", ""]
    room = WINDOW - 3
    assert lengths[: room // 2] == [room - n for n in range(1, room // 2 + 1)]
    assert set(lengths[room // 2 :]) <= {room // 2, room // 2 + 1}
    for n in range(1, 40):
        read = reader(folders, "cross", "key " * n)
        [part] = ranker.seen("key " * n, [text])
        assert ranker.seen("key " * n, [part]) == [part]
        if n <= room // 2:
            assert read(part) == read(text)


def test_truncation_at_the_left(folders):
    model = sentence_transformers.CrossEncoder(str(folders["cross"]))
    model.tokenizer.truncation_side = "left"
    ranker = CrossEncoder(model)
    text = "a desk, pianos " * 6 + "and the last key."
    [part] = ranker.seen("stage", [text])
    assert text.endswith(part)
    assert len(part) < len(text)
    assert ranker("stage", [part])[0] == pytest.approx(ranker("stage", [text])[0], abs=1e-6)


def test_a_real_model():
    minilm = BiEncoder.minilm()
    text = " ".join(f"A piano-maker's unaffable keyboards, number {n}." for n in range(60))
    [part] = minilm.seen("piano", [text])
    assert 0 < len(part) < len(text)
    assert minilm("piano", [part])[0] == pytest.approx(minilm("piano", [text])[0], abs=1e-6)


def test_models_without_an_end_read_everything():
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    tokenizer = BiEncoder.minilm().model.tokenizer.backend_tokenizer
    tokenizer = type(tokenizer).from_str(tokenizer.to_str())
    module = StaticEmbedding(tokenizer, embedding_dim=3)
    ranker = BiEncoder(sentence_transformers.SentenceTransformer(modules=[module], device="cpu"))
    texts = ["piano " * 2000, "a"]
    assert ranker.seen("piano", texts) == texts
    assert len(ix.rank(ranker, "piano", texts)) == 2
    assert len(ranker.fingerprint) == 32
    with pytest.raises(ix.InputError, match="StaticEmbedding is no transformer"):
        ranker.embed("piano", "a")


class Reading:
    """Scores by the first characters alone, and tells so."""

    def __init__(self, most=4):
        self.most, self.asked = most, []

    def __call__(self, query, texts):
        return by_length(query, [text[: self.most] for text in texts])

    def seen(self, query, texts):
        self.asked += texts
        return [text[: self.most] for text in texts]


DOCS = {"a": "ab", "b": "abcdefgh", "c": "abcde", "d": "abc"}


def test_the_warning_names_the_documents_once():
    scorer = Reading()
    with pytest.warns(TruncationWarning) as told:
        ranking = ix.rank(scorer, "tea", DOCS)
    [warning] = told
    assert warning.filename == __file__
    message = str(warning.message)
    assert "part of 2 of 4 documents: 'b' (4 of 8 characters), 'c' (4 of 5 characters);" in message
    assert "rank(…, truncated='cut')" in message
    assert ranking.texts == ("abcdefgh", "abcde", "abc", "ab")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranking.scorer("tea", ["a perturbation", "another perturbation"])
        ix.rank(scorer, "tea", {"a": "ab"})
    assert "a perturbation" not in scorer.asked


def test_many_documents_are_counted():
    docs = {f"d{n}": "abcdef" for n in range(9)}
    with pytest.warns(TruncationWarning, match=r"'d4' \(4 of 6 characters\) and 4 more; an"):
        ix.rank(Reading(), "tea", docs)


def test_cut_documents_take_the_place_of_the_long_ones():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranking = ix.rank(Reading(), "tea", DOCS, truncated="cut")
    assert ranking.doc_ids == ("b", "c", "d", "a")
    assert ranking.texts == ("abcd", "abcd", "abc", "ab")
    assert ranking.scores.tolist() == [4, 4, 3, 2]
    box = ix.BlackBox(Reading(most=2))
    assert ix.rank(box, "tea", DOCS, truncated="cut").texts == ("ab",) * 4


def test_a_scorer_that_does_not_tell():
    assert ix.rank(by_length, "tea", DOCS).doc_ids == ("b", "c", "d", "a")
    with pytest.raises(ix.InputError, match=r"by_length has no method seen\(query, texts\)"):
        ix.rank(by_length, "tea", DOCS, truncated="cut")
    with pytest.raises(ix.InputError, match=r"truncated must be one of .*not 'ignore'"):
        ix.rank(by_length, "tea", DOCS, truncated="ignore")


def test_a_tokenizer_that_does_not_tell(folders):
    ranker = CrossEncoder(folders["cross"])
    first = ranker.model[0]
    preprocess = first.preprocess
    first.preprocess = lambda *given, **settings: dict(preprocess(*given, **settings))
    scores = ranker("key", list(DOCS.values()))
    with pytest.warns(TruncationWarning, match=r"unknown: the model's tokenizer does not say .*'fast'"):
        ranking = ix.rank(ranker, "key", DOCS)
    np.testing.assert_allclose(ranking.scores, sorted(scores, reverse=True), atol=1e-6)
    with pytest.raises(ix.InputError, match="does not say which characters"):
        ix.rank(ranker, "key", DOCS, truncated="cut")


def test_words_that_were_never_seen_stay_out_of_an_explanation(rankers):
    docs = [f"piano {'key ' * (n % 5)} desk {'stage ' * 30} zebra{n % 3}" for n in range(8)]
    with pytest.warns(TruncationWarning, match="8 of 8 documents"):
        whole = ix.rank(rankers["bi"], "piano", docs)
    cut = ix.rank(rankers["bi"], "piano", docs, truncated="cut")
    assert cut.doc_ids == whole.doc_ids
    np.testing.assert_allclose(cut.scores, whole.scores, atol=1e-6)
    assert any("zebra" in text for text in whole.texts)
    assert not any("zebra" in text for text in cut.texts)
    # Without "stage", the whole document brings words into view that the ranking was not made with.
    edited = [text.replace("stage", "") for text in whole.texts]
    assert all("zebra" in text for text in rankers["bi"].seen("piano", edited))


def test_the_command_line(folders, tmp_path, capsys):
    docs = tmp_path / "docs.tsv"
    docs.write_text("".join(f"d{n}\tpiano {'key ' * n}{'desk ' * 30}\n" for n in range(5)))
    command = ["explain", "--ranker", f"cross-encoder:{folders['cross']}", "--query", "piano"]
    command += ["--docs", str(docs), "--method", "query-terms", "--json"]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(command) == 0
    out, err = capsys.readouterr()
    assert "intentx: the ranker reads only part of 5 of 5 documents: 'd0' (" in err
    scores = json.loads(out)["ranking"]["scores"]
    assert main([*command, "--cut"]) == 0
    out, err = capsys.readouterr()
    assert "only part" not in err
    np.testing.assert_allclose(json.loads(out)["ranking"]["scores"], scores, atol=1e-6)
    run = tmp_path / "run.trec"
    run.write_text("1 Q0 d0 1 1.0 x\n")
    recorded = ["explain", "--run", str(run), "--query", "piano", "--docs", str(docs), "--cut"]
    assert main(recorded) == 2
    assert "--cut needs --ranker" in capsys.readouterr().err
    assert torch.is_grad_enabled()

"""Real transformers small enough to be made in a test: random weights, a vocabulary of letters."""

from __future__ import annotations

import string

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from tests.later import Later, sentence_transformers, transformers

modules = Later("sentence_transformers.sentence_transformer.modules")

WHOLE = ["piano", "pia", "key", "stage", "desk"]
VOCABULARY = [
    *["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    *WHOLE,
    *string.ascii_lowercase,
    *(f"##{letter}" for letter in string.ascii_lowercase),
    *".,!?:'",
]
SIZES = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
}


def save(model, tokenizer, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def word_pieces(folder, window):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    return transformers.BertTokenizer(str(folder / "vocab.txt"), model_max_length=window)


def seeded(make, scale=8.0):
    """A model with weights far from zero, so that scores of different texts differ."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = make()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter *= scale
    return model.eval()


def cross_encoder(folder, *, window=24, labels=1):
    """The folder of a cross-encoder over word pieces."""
    config = transformers.BertConfig(**SIZES, max_position_embeddings=window, num_labels=labels)
    model = seeded(lambda: transformers.BertForSequenceClassification(config))
    return save(model, word_pieces(folder, window), folder)


def bpe_cross_encoder(folder, *, window=24):
    """The folder of a cross-encoder over byte pairs, that has blanks in its pieces.

    A blank at the end of a text is stripped, and one before a word is a piece: a text that is cut
    off behind such a piece is spelled without it.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    merges = [("p", "i"), ("pi", "a"), ("n", "o")]
    pieces = [*special, *alphabet, *dict.fromkeys("".join(pair) for pair in merges)]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, merges))
    tokenizer.normalizer = normalizers.Strip(left=False, right=True)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    named = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>"}
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **{f"{name}_token": piece for name, piece in named.items()},
        model_max_length=window,
    )
    config = transformers.RobertaConfig(
        **{**SIZES, "vocab_size": len(pieces)},
        max_position_embeddings=window + 2,
        type_vocab_size=1,
        pad_token_id=1,
        num_labels=1,
    )
    return save(seeded(lambda: transformers.RobertaForSequenceClassification(config)), wrapped, folder)


def bi_encoder(folder, *, window=24, **settings):
    """A loaded bi-encoder with mean pooling, and its folder."""
    config = transformers.BertConfig(**SIZES, max_position_embeddings=window)
    save(
        seeded(lambda: transformers.BertModel(config)),
        word_pieces(folder / "bert", window),
        folder / "bert",
    )
    first = modules.Transformer(str(folder / "bert"))
    pooling = modules.Pooling(first.get_embedding_dimension())
    model = sentence_transformers.SentenceTransformer(modules=[first, pooling], device="cpu", **settings)
    model.save(str(folder / "saved"))
    return model, folder / "saved"


def dpr(folder, side, *, window=24, size=7):
    """The folder of one of DPR's encoders, with a projection to ``size`` numbers."""
    config = transformers.DPRConfig(**SIZES, max_position_embeddings=window, projection_dim=size)
    kind = transformers.DPRQuestionEncoder if side == "query" else transformers.DPRContextEncoder
    model = seeded(lambda: kind(config))
    # As the published ones: the tokenizer knows no limit, only the positions end.
    return save(model, word_pieces(folder, int(1e30)), folder)

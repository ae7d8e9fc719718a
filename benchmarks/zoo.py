"""Small models of every architecture that sentence-transformers loads, with random weights.

Each is made from its configuration in transformers, two or three layers deep, and saved to a folder
with a tokenizer of word pieces, so that a ranker is loaded from it like any other.
"""

from __future__ import annotations

import contextlib
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

if TYPE_CHECKING:  # which take seconds: tests read the names alone of architectures
    import sentence_transformers
    from transformers import PreTrainedTokenizerFast as FastTokenizer

WORDS = ("piano", "key", "stage", "desk", "sound", "light", "stool", "cable")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = (
    *SPECIAL,
    *WORDS,
    *string.ascii_lowercase,
    *(f"##{letter}" for letter in string.ascii_lowercase),
    *".,!?:'",
)
IDS = {"pad_token_id": 0, "cls_token_id": 2, "bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}
WINDOW = 64


def word_pieces(*, decoder: bool = False, left: bool = False) -> FastTokenizer:
    """A tokenizer of word pieces; a decoder's puts one token behind a text, and nothing before it."""
    from transformers import PreTrainedTokenizerFast as FastTokenizer

    tokenizer = Tokenizer(
        models.WordPiece({p: i for i, p in enumerate(VOCABULARY)}, unk_token=SPECIAL[1])
    )
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    single, pair = ("$A [SEP]", "$A [SEP] $B:1 [SEP]:1")
    start = "" if decoder else "[CLS] "
    tokenizer.post_processor = processors.TemplateProcessing(
        single=start + single, pair=start + pair, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    named = {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4, "bos": 2, "eos": 3}
    return FastTokenizer(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        **{f"{name}_token": SPECIAL[place] for name, place in named.items()},
        model_max_length=WINDOW,
        padding_side="left" if left else "right",
    )


SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": WINDOW + 2,
}
GROUPED = {**SIZES, "num_key_value_heads": 2, "head_dim": 8}


@dataclass(frozen=True)
class Architecture:
    """How to make a small model.

    Attributes
    ----------
    kind
        ``model_type`` of its configuration.
    sizes
        Of the configuration.
    pooling
        Of the bi-encoder.
    decoder
        Whether it reads from left to right.
    implementation
        Of the attention; None: transformers' choice.
    cross
        Whether it is a cross-encoder, too.
    scale
        Of the weights over those that transformers draws, so that scores of texts differ.
    """

    kind: str
    sizes: Mapping[str, Any] = field(default_factory=lambda: SIZES)
    pooling: str = "mean"
    decoder: bool = False
    implementation: str | None = None
    cross: bool = True
    scale: float = 4.0

    def config(self, **more: Any) -> Any:
        given = {"vocab_size": len(VOCABULARY), **IDS, **self.sizes, **more}
        from transformers import AutoConfig

        return AutoConfig.for_model(self.kind, **given)

    def tokenizer(self) -> FastTokenizer:
        return word_pieces(decoder=self.decoder, left=self.decoder)


def _decoder(kind: str, **more: Any) -> Architecture:
    sizes = {**GROUPED, **more.pop("sizes", {})}
    return Architecture(kind, sizes, pooling="lasttoken", decoder=True, **more)


T5 = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
GEMMA3 = {
    "num_hidden_layers": 3,
    "sliding_window": 4,
    "query_pre_attn_scalar": 8,
    "layer_types": ["sliding_attention", "sliding_attention", "full_attention"],
}
ARCHITECTURES = {
    "BERT": Architecture("bert"),
    "RoBERTa": Architecture("roberta"),
    "DistilBERT": Architecture(
        "distilbert",
        {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": WINDOW},
    ),
    "ELECTRA": Architecture("electra", {**SIZES, "embedding_size": 16}),
    "XLM-R": Architecture("xlm-roberta"),
    "MPNet": Architecture("mpnet"),
    "ALBERT": Architecture("albert", {**SIZES, "embedding_size": 16}),
    "DeBERTa-v3": Architecture(
        "deberta-v2",
        {
            **SIZES,
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_buckets": 8,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "position_biased_input": False,
            "type_vocab_size": 0,
            "max_relative_positions": -1,
        },
    ),
    "ModernBERT": Architecture("modernbert", {**SIZES, "num_hidden_layers": 3, "local_attention": 6}),
    "T5 encoder": Architecture("t5", {**T5, "feed_forward_proj": "gated-gelu"}, cross=False, scale=1.0),
    "Qwen3": _decoder("qwen3"),
    "Llama": _decoder("llama"),
    "Gemma": _decoder("gemma"),
    "Gemma 2": _decoder("gemma2", sizes={"sliding_window": 4, "query_pre_attn_scalar": 8}),
    "Gemma 3": _decoder("gemma3_text", sizes=GEMMA3),
    "EmbeddingGemma": Architecture(
        "gemma3_text", {**GROUPED, **GEMMA3, "use_bidirectional_attention": True}, cross=False
    ),
}


RELATIVES = {
    "BERT, eager attention": Architecture("bert", implementation="eager"),
    "ModernBERT, eager attention": Architecture(
        "modernbert", {**SIZES, "num_hidden_layers": 3, "local_attention": 6}, implementation="eager"
    ),
    "Qwen3, eager attention": _decoder("qwen3", implementation="eager"),
    "Gemma 3, eager attention": _decoder("gemma3_text", sizes=GEMMA3, implementation="eager"),
    "T5 encoder, first version": Architecture("t5", T5, cross=False, scale=1.0),
    "mT5 encoder": Architecture("mt5", T5, cross=False, scale=1.0),
    "DeBERTa": Architecture(
        "deberta", {**SIZES, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]}
    ),
    "CamemBERT": Architecture("camembert"),
    "Nomic BERT": Architecture("nomic_bert", {**SIZES, "head_dim": 8}),
    "GTE": Architecture("gte"),
    "Jina v3": Architecture("jina_embeddings_v3"),
    "EuroBERT": Architecture("eurobert", GROUPED),
    "MobileBERT": Architecture(
        "mobilebert",
        {**SIZES, "embedding_size": 32, "intra_bottleneck_size": 32, "true_hidden_size": 32},
    ),
    "RemBERT": Architecture("rembert", {**SIZES, "input_embedding_size": 16}),
    "RoFormer": Architecture("roformer", {**SIZES, "embedding_size": 32}),
    "ConvBERT": Architecture("convbert", {**SIZES, "embedding_size": 16}),
    "SqueezeBERT": Architecture("squeezebert", {**SIZES, "embedding_size": 32}),
    "Longformer": Architecture("longformer", {**SIZES, "attention_window": [8, 8]}),
    "BigBird": Architecture("big_bird", {**SIZES, "attention_type": "original_full"}),
    "FNet": Architecture("fnet"),
    "XLNet": Architecture("xlnet", {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 48}),
    "GPT-2": Architecture(
        "gpt2",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": WINDOW},
        pooling="lasttoken",
        decoder=True,
    ),
    "GPT-NeoX": _decoder("gpt_neox"),
    "BLOOM": Architecture(
        "bloom", {"hidden_size": 32, "n_layer": 2, "n_head": 4}, pooling="lasttoken", decoder=True
    ),
    "OPT": _decoder("opt", sizes={"ffn_dim": 48, "word_embed_proj_dim": 32}),
    "Mistral": _decoder("mistral", sizes={"sliding_window": 4}),
    "Qwen2": _decoder("qwen2"),
    "Phi-3": _decoder("phi3"),
    "OLMo 2": _decoder("olmo2"),
    "Qwen3 MoE": _decoder(
        "qwen3_moe",
        sizes={"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24},
    ),
    "BART": Architecture(
        "bart",
        {
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 48,
            "decoder_ffn_dim": 48,
            "max_position_embeddings": WINDOW,
        },
    ),
}
"""What else is loaded now and then: not promised, and measured as well."""


def weighted(model: torch.nn.Module, scale: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(scale)


@contextlib.contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def save(architecture: Architecture, folder: Path, *, cross: bool = False) -> Path:
    """The folder of a model with random weights."""
    from transformers import AutoModel, AutoModelForSequenceClassification

    more = {"attn_implementation": architecture.implementation} if architecture.implementation else {}
    config = architecture.config(**({"num_labels": 1} if cross else {}))
    kind: Any = AutoModelForSequenceClassification if cross else AutoModel
    with seeded():
        model = kind.from_config(config, **more)
        weighted(model, architecture.scale)
    model.eval().save_pretrained(folder)
    architecture.tokenizer().save_pretrained(folder)
    return folder


def bi_encoder(
    architecture: Architecture, folder: Path, *behind: torch.nn.Module, pooling: str | None = None
) -> sentence_transformers.SentenceTransformer:
    """A bi-encoder; ``behind`` are modules behind its pooling."""
    import sentence_transformers
    from sentence_transformers.sentence_transformer import modules

    more = {"attn_implementation": architecture.implementation} if architecture.implementation else {}
    first = modules.Transformer(str(save(architecture, folder)), model_kwargs=more)
    pooled = modules.Pooling(first.get_embedding_dimension(), pooling or architecture.pooling)
    return sentence_transformers.SentenceTransformer(modules=[first, pooled, *behind], device="cpu")


def cross_encoder(architecture: Architecture, folder: Path) -> sentence_transformers.CrossEncoder:
    """A cross-encoder of one score, which is its logit."""
    import sentence_transformers

    more = {"attn_implementation": architecture.implementation} if architecture.implementation else {}
    made: sentence_transformers.CrossEncoder = sentence_transformers.CrossEncoder(
        str(save(architecture, folder, cross=True)),
        device="cpu",
        activation_fn=torch.nn.Identity(),
        model_kwargs=more,
    )
    return made

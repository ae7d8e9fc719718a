"""Language models small enough to be made in a test, with real tokenizers."""

import string

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from tests.later import transformers
from tests.tiny_models import save, seeded

TEXTS = [
    "yes no true false Query Document Relevant Instruct piano stage keyboard desk loud review",
    "Given a web search query, retrieve relevant passages that answer the query: Judge whether",
    "system user assistant think the Document meets the requirements based on the Query",
]
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    "{% endif %}"
)
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}


def causal_lm(folder, *, chat=True):
    """The folder of a small Qwen3 with byte pairs and a chat template, as Qwen3-Reranker has it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), min_frequency=1,
    )  # fmt: skip
    tokenizer.train_from_iterator([*TEXTS, "yes", "no", "yes no"] * 3, trainer)
    for word in ("yes", "no"):
        tokenizer.add_tokens([word]) if len(tokenizer.encode(word).ids) > 1 else None
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=100_000,
        **{"pad_token": "<|endoftext|>", "eos_token": "<|im_end|>"},
    )  # fmt: skip
    if chat:
        wrapped.chat_template = CHAT
    config = transformers.Qwen3Config(
        **SIZES, vocab_size=len(wrapped), num_key_value_heads=2, head_dim=4, max_position_embeddings=512,
        tie_word_embeddings=True,
    )  # fmt: skip
    return save(seeded(lambda: transformers.Qwen3ForCausalLM(config)), wrapped, folder)


def seq2seq(folder):
    """The folder of a small T5 with sentence pieces, as monoT5 has it."""
    wrapped = _sentence_pieces()
    config = transformers.T5Config(
        vocab_size=len(wrapped), d_model=16, d_kv=4, d_ff=24, num_layers=2, num_heads=4,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    return save(seeded(lambda: transformers.T5ForConditionalGeneration(config), 2.0), wrapped, folder)


def bart(folder):
    """The folder of a small BART, whose encoder has more layers and fewer heads than its decoder."""
    wrapped = _sentence_pieces()
    config = transformers.BartConfig(
        vocab_size=len(wrapped), d_model=16, encoder_layers=3, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=4, encoder_ffn_dim=24, decoder_ffn_dim=24,
        max_position_embeddings=64, decoder_start_token_id=1, forced_eos_token_id=None,
        **{"bos_token_id": 0, "pad_token_id": 0, "eos_token_id": 1},
    )  # fmt: skip
    return save(seeded(lambda: transformers.BartForConditionalGeneration(config), 2.0), wrapped, folder)


def _sentence_pieces():
    whole = ["true", "false", "piano", "stage", "desk", "Query", "Document", "Relevant", "loud"]
    pieces = [(f"▁{word}", -3.0) for word in whole]
    pieces += [(letter, -8.0) for letter in ["▁", *string.ascii_letters, *".,:;!?'"]]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0)]
    tokenizer = Tokenizer(models.Unigram([*special, *pieces], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=512,
        **{"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"},
    )  # fmt: skip

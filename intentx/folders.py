"""What a model's folder says it is, so that none is loaded as something else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intentx.errors import InputError

__all__ = [
    "PLAIN",
    "Kind",
    "architecture_of",
    "checkpoint",
    "kind_of",
    "refuse_other_kinds",
    "refuse_other_objects",
]

OWN_CALLABLE = "no ranker spec fits it yet: score with a callable of your own, as module:callable"


@dataclass(frozen=True)
class Kind:
    """A kind of model.

    Attributes
    ----------
    name
        In one word or two, for comparisons.
    what
        In words, for messages.
    hint
        How it is loaded instead; ``{}`` stands for the folder.
    """

    name: str
    what: str
    hint: str = OWN_CALLABLE


DENSE = Kind("dense", "a bi-encoder", "load it as bi-encoder:{}")
CROSS = Kind("cross", "a cross-encoder, which makes no vectors", "load it as cross-encoder:{}")
SPARSE = Kind("sparse", "a sparse encoder, such as SPLADE", "load it as sparse:{}")
MULTI = Kind(
    "multi-vector",
    "a multi-vector (late-interaction) model, such as ColBERT",
    "load it as late-interaction:{}",
)
PLAIN = Kind(
    "plain",
    "a plain encoder without a head that scores",
    "as a bi-encoder it is loaded by bi-encoder:{}",
)
DPR = {
    "DPRQuestionEncoder": Kind(
        "dpr query", "one of DPR's two encoders, that of queries",
        "load both: dpr:QUERY_ENCODER,DOC_ENCODER",
    ),
    "DPRContextEncoder": Kind(
        "dpr document", "one of DPR's two encoders, that of documents",
        "load both: dpr:QUERY_ENCODER,DOC_ENCODER",
    ),
}  # fmt: skip
OF_ARCHIVE = {
    "SentenceTransformer": DENSE,
    "SparseEncoder": SPARSE,
    "CrossEncoder": CROSS,
    "MultiVectorEncoder": MULTI,
    "ColBERT": MULTI,
}
CAUSAL = Kind("causal", "a causal language model", "load it as causal-lm:{}")
SEQ2SEQ = Kind("seq2seq", "a sequence-to-sequence model, such as monoT5", "load it as seq2seq:{}")
# What the names of architectures in config.json end in.
HEADS = {
    r"ForSequenceClassification": CROSS,
    r"For(MaskedLM|PreTraining)": Kind(
        "masked",
        "a masked language model, as SPLADE models are saved, and not a bi-encoder",
        "if it is one, load it as sparse:{}",
    ),
    r"(ForCausalLM|LMHeadModel)": CAUSAL,
    r"For(VisionText2Text|ImageTextToText)": Kind("other", "a model of images and text"),
    r"ForConditionalGeneration": SEQ2SEQ,
    r"(HF_)?ColBERT\w*": MULTI,
    r"(For\w+|DPRReader)": Kind("other", "a model for another task"),
}
ADAPTERS = {  # what PEFT calls the tasks of its adapters
    "SEQ_CLS": HEADS["ForSequenceClassification"],
    "CAUSAL_LM": Kind("causal adapter", "an adapter of a causal language model"),
    "SEQ_2_SEQ_LM": Kind("seq2seq adapter", "an adapter of a sequence-to-sequence model"),
    "TOKEN_CLS": Kind("other", "an adapter for another task"),
    "QUESTION_ANS": Kind("other", "an adapter for another task"),
}
OURS = ("drmm", "knrm", "matchpyramid", "ltr")
NEEDED = {
    **{spec: (spec,) for spec in OURS},
    "bi-encoder": ("dense", "plain"),
    "cross-encoder": ("cross",),
    "dpr": ("dense", "plain", "dpr query", "dpr document"),
    "sparse": ("sparse", "masked"),
    "late-interaction": ("multi-vector",),
    "causal-lm": ("causal",),
    "seq2seq": ("seq2seq",),
}


def refuse_other_kinds(spec: str, name: str | Path) -> Kind | None:
    """The kind of a model that is to be loaded as ``spec``; None where nothing tells.

    Parameters
    ----------
    spec
        As specs begin: ``"bi-encoder"``, ``"cross-encoder"``, ``"dpr"``, ``"ltr"``, ``"drmm"``, …
    name
        A folder, or for the first three a name on the hub.

    Raises
    ------
    InputError
        If it is of a kind that cannot be loaded so; the message says what it is and how it is loaded.
    """
    if spec in OURS and not Path(name).exists():
        return None
    _refuse_no_folder(spec, str(name))
    kind = kind_of(name)
    if kind is None or kind.name in NEEDED[spec]:
        return kind
    architecture = architecture_of(name)
    shown = f" ({architecture})" if architecture else ""
    hint = kind.hint.format(name)
    if spec == "cross-encoder" and kind in (PLAIN, DENSE):
        hint = f"random weights would take the place of its classifier; {hint}"
    verb = "is" if kind.name == "file" else "holds"
    raise InputError(f"{str(name)!r} cannot be loaded as {spec}: it {verb} {kind.what}{shown}; {hint}")


def _refuse_no_folder(spec: str, name: str) -> None:
    """Refuse a path where nothing is: no model of the hub has such a name."""
    is_path = Path(name).is_absolute() or name.startswith((".", "~")) or "\\" in name
    if (is_path or name.count("/") > 1) and not Path(name).exists():
        home = "; write the home folder in full: ~ stands for it only where a word begins"
        raise InputError(f"no model for {spec} at {name!r}: there is no such folder"
                         f"{home if name.startswith('~') else ''}")  # fmt: skip


def kind_of(name: str | Path) -> Kind | None:
    """What a folder or a model of the hub says it is; None where it does not."""
    folder = Path(name)
    if folder.is_file():
        return Kind("file", "a single file", "name the folder that the model was saved in")
    if folder.is_dir():
        if not any(folder.iterdir()):
            return Kind("empty", "no file at all", "name the folder that the model was saved in")
        ours = _ours(folder)
        if ours is not None:
            return ours
        if (folder / "artifact.metadata").exists():  # of Stanford's ColBERT
            return MULTI
    archive = _json(name, "config_sentence_transformers.json")
    told = archive.get("model_type") if isinstance(archive, Mapping) else None
    listed = _json(name, "modules.json")
    modules = [str(m.get("type", "")) for m in listed or () if isinstance(m, Mapping)]
    if told in OF_ARCHIVE and told != "SentenceTransformer":
        return OF_ARCHIVE[told]
    if told not in OF_ARCHIVE and told is not None:
        return Kind("other", f"a {told} of sentence-transformers")
    if modules:
        return _of_modules(modules)
    adapter = _json(name, "adapter_config.json")
    if isinstance(adapter, Mapping):
        return ADAPTERS.get(str(adapter.get("task_type")))
    return _of_architecture(architecture_of(name))


def _ours(folder: Path) -> Kind | None:
    """Rankers that intentx wrote."""
    if (folder / "ltr.json").exists():
        return Kind("ltr", "a ranker over features of intentx", "load it as ltr:{}")
    if not (folder / "ranker.json").exists():
        return None
    plain = _json(folder, "ranker.json")
    name = plain.get("ranker") if isinstance(plain, dict) else None
    if not isinstance(name, str):
        return None
    return Kind(name, f"a {name} ranker of intentx", f"load it as {name}:{{}}")


def _of_modules(types: Sequence[str]) -> Kind:
    names = [kind.rpartition(".")[2] for kind in types]
    if any(
        "pylate" in kind or name == "MultiVectorMask" for kind, name in zip(types, names, strict=True)
    ):
        return MULTI
    if any(re.search(r"Sparse|Splade|MLMTransformer|CSR", name) for name in names):
        return SPARSE
    if "LogitScore" in names:
        return CROSS
    if names[0] == "Transformer" and names[1:2] == ["Dense"]:  # as PyLate saves them: no pooling
        return MULTI
    return DENSE


def architecture_of(name: str | Path) -> str:
    """What a model's ``config.json`` names as its architecture; "" where it does not."""
    config = _json(name, "config.json") if Path(name).is_dir() else checkpoint(name)
    found = config.get("architectures") if isinstance(config, Mapping) else None
    return str(found[0]) if isinstance(found, list) and found else ""


def checkpoint(name: str | Path) -> Mapping[str, Any]:
    """What ``config.json`` says of a model on disk or on the hub; nothing where there is none."""
    from transformers import PretrainedConfig

    try:
        found: dict[str, Any] = PretrainedConfig.get_config_dict(str(name))[0]
    except (OSError, ValueError):
        return {}
    return found


def _of_architecture(architecture: str) -> Kind | None:
    if architecture in DPR:
        return DPR[architecture]
    for ending, kind in HEADS.items():
        if re.search(f"{ending}$", architecture):
            return kind
    return PLAIN if architecture else None


def _json(name: str | Path, file: str) -> Any:
    """A JSON file of a model; None where there is none that can be read."""
    path: str | Path | None = Path(name) / file
    if not Path(name).is_dir():
        from sentence_transformers.util import load_file_path

        try:
            path = load_file_path(str(name), file)
        except (OSError, ValueError):
            return None
    try:
        return None if path is None else json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def refuse_other_objects(spec: str, model: object) -> None:
    """Refuse loaded models of sentence-transformers that are of another kind."""
    names = [kind.__name__ for kind in type(model).__mro__]
    kinds = [OF_ARCHIVE[name] for name in names if name in OF_ARCHIVE]
    if kinds and kinds[0].name not in NEEDED[spec]:
        raise InputError(
            f"a {names[0]} cannot be loaded as {spec}: it is {kinds[0].what}; "
            f"{kinds[0].hint.format('PATH')}"
        )

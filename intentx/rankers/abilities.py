"""What each kind of ranker can do, and whether it is installed."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from intentx.rankers.kinds import KINDS, MODULE, RankerKind, find_kind, kind_names

__all__ = ["ABILITIES", "KindReport", "kind_can", "kind_reports"]

ABILITIES = MappingProxyType(
    {
        "scores": "methods that ask for scores: EXS, LIRME, KernelSHAP, Multiplex, counterfactuals",
        "gradients": "methods that look inside: GradientInput, IntegratedGradients, DeepLIFT, DeepSHAP",
        "Grad-CAM": "the map of query and document terms",
        "features": "the ranker's own features, explained by --letor or FeatureRanking",
        "term weights": "it says itself which terms it looks for",
        "token vectors": "a vector for each token",
        "token matches": "which tokens matched, exactly: TokenPairs",
        "token pairs": "which tokens matched, by its vectors or its matrix: TokenPairs",
        "attention": "what its heads attend to: Attention",
        "pairs": "asked directly which of two documents is better (llm: with mode=pairwise)",
        "stages": "which stage put a document where it is",
        "few calls": "explanations keep to its limit of calls, most_calls",
    }
)
"""What a ranker can do, and what that is good for."""

_INSIDE = ("scores", "gradients")
_CAN = {
    **dict.fromkeys(("bm25", "lm", "rm3"), ("scores", "term weights")),
    **dict.fromkeys(("bi-encoder", "dpr"), (*_INSIDE, "token pairs", "attention")),
    "cross-encoder": (*_INSIDE, "attention"),
    **dict.fromkeys(("causal-lm", "seq2seq"), (*_INSIDE, "attention")),
    "knrm": (*_INSIDE, "token pairs"),
    "sparse": (*_INSIDE, "term weights", "token matches", "attention"),
    "late-interaction": (*_INSIDE, "token vectors", "token matches", "attention"),
    "matchpyramid": (*_INSIDE, "Grad-CAM", "token pairs"),
    "llm": ("scores", "pairs", "few calls"),
    "pairwise": ("scores", "pairs"),
    "pipeline": ("scores", "stages"),
    "ltr": ("scores", "features"),
    "run": (),
}
_EXAMPLES = {
    "bm25": "bm25#k1=0.9&b=0.4",
    "lm": "lm#mu=300",
    "rm3": "rm3#terms=20",
    "bi-encoder": "bi-encoder:minilm#max_length=256",
    "cross-encoder": "cross-encoder:models/bert#raw=false",
    "dpr": "dpr:models/query,models/passage",
    "sparse": "sparse:models/splade#device=cuda",
    "late-interaction": "late-interaction:models/colbert#stored=float16",
    "causal-lm": "causal-lm:Qwen/Qwen3-Reranker-0.6B#precision=bfloat16",
    "seq2seq": "seq2seq:castorini/monot5-base-msmarco-10k",
    "drmm": "drmm:models/drmm",
    "knrm": "knrm:models/knrm",
    "matchpyramid": "matchpyramid:models/matchpyramid",
    "ltr": "ltr:models/lambdamart",
    "lightgbm": "lightgbm:model.txt",
    "xgboost": "xgboost:model.json",
    "onnx": "onnx:model.onnx",
    "http": "http://localhost:8080/rerank",
    "llm": "llm:http://localhost:8000/v1#model=qwen3&window=20",
    "pairwise": "pairwise:mypackage.rankers:prefers#pairs=sorted",
    "pipeline": "pipeline:pipeline.toml#k=50",
    "run": "run:bm25.trec",
    MODULE: "mypackage.rankers:score",
}
_PACKAGES = {
    "neural": ("torch", "transformers", "sentence_transformers"),
    "ltr": ("lightgbm",),
    "xgboost": ("xgboost",),
    "onnx": ("onnxruntime",),
}
_PARTS = {"late-interaction": "multi_vector_encoder", "sparse": "sparse_encoder"}


@dataclass(frozen=True)
class KindReport:
    """A kind of ranker, as ``intentx rankers`` lists it.

    Attributes
    ----------
    name, form, help
        As in `intentx.rankers.kinds.RankerKind`.
    example
        A spec.
    can
        What its rankers can do, names of `ABILITIES`. A callable of your own can do what it says.
    settings
        Names of its settings behind a ``#``; None: any.
    installed
        Whether the packages that it needs are installed; their weights are another matter.
    extra
        The extra of intentx that brings these packages, or "".
    trained
        Whether ``intentx train`` makes one.
    """

    name: str
    form: str
    help: str
    example: str
    can: tuple[str, ...]
    settings: tuple[str, ...] | None
    installed: bool
    extra: str
    trained: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        plain = asdict(self)
        return plain | {
            "can": [*self.can],
            "settings": None if self.settings is None else [*self.settings],
        }


def kind_reports() -> list[KindReport]:
    """All kinds, in the order of the table, those of other packages last.

    >>> [one.can for one in kind_reports() if one.name == "bm25"]
    [('scores', 'term weights')]
    """
    names = [*kind_names(), MODULE]
    return [_report(kind) for name in names if (kind := find_kind(name)) is not None]


def kind_can(name: str) -> tuple[str, ...]:
    """What rankers of a kind can do, names of `ABILITIES`; of a callable of your own what any can.

    >>> kind_can("causal-lm")
    ('scores', 'gradients', 'attention')
    """
    kind = find_kind(name)
    usual = ("features",) if kind is not None and kind.of_features_only else ("scores",)
    return _CAN.get(name, usual) if KINDS.get(name) is not None else usual


def _report(kind: RankerKind) -> KindReport:
    known = KINDS.get(kind.name) is not None
    return KindReport(
        name=kind.name,
        form=kind.form,
        help=kind.help,
        example=_EXAMPLES.get(kind.name, kind.form) if known else kind.form,
        can=kind_can(kind.name),
        settings=None if kind.settings is None else tuple(kind.settings),
        installed=_installed(kind),
        extra=kind.extra,
        trained=kind.trained,
    )


def _installed(kind: RankerKind) -> bool:
    """Found without running any code of the packages, which takes seconds."""
    found = [importlib.util.find_spec(name) for name in _PACKAGES.get(kind.extra, ())]
    if not all(found):
        return False
    part, last = _PARTS.get(kind.name), found[-1] if found else None
    if part is None or last is None or last.origin is None:
        return True
    return (Path(last.origin).parent / part).is_dir()

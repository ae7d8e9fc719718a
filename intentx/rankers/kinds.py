"""The table of the kinds of rankers: what a spec can begin with, and what is made of it."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from intentx.errors import InputError, IntentxError
from intentx.plugins import load_plugin, nearest, package_of, plugins
from intentx.rankers.bm25 import BM25
from intentx.rankers.features.files import lightgbm_model, onnx_model, xgboost_model
from intentx.rankers.features.ltr import FeatureRanker
from intentx.rankers.imported import imported, named
from intentx.rankers.known import RM3, LanguageModel
from intentx.rankers.llm.ranker import FROM_TEXT as LLM
from intentx.rankers.llm.ranker import llm_named
from intentx.rankers.pairwise import FROM_TEXT as PAIRWISE
from intentx.rankers.pairwise import PairwiseRanker, of_callable
from intentx.rankers.services.http import FROM_TEXT, HTTPReranker
from intentx.rankers.spec_settings import (
    CAUSAL_LM,
    CROSS_ENCODER,
    ENCODER,
    LATE_INTERACTION,
    SEQ2SEQ,
    SPARSE,
    WORDS,
    Readers,
)
from intentx.rankers.transformers.cross_encoder import CrossEncoder
from intentx.rankers.transformers.encoders import DPR, BiEncoder
from intentx.rankers.transformers.late_interaction import LateInteractionRanker
from intentx.rankers.transformers.likely_words import CausalLMRanker, Seq2SeqRanker
from intentx.rankers.transformers.sparse import SparseRanker
from intentx.scoring import Scorer
from intentx.text import Analyzer, TextSettings

__all__ = [
    "FEATURE_SPECS",
    "KINDS",
    "MODULE",
    "SPECS",
    "RankerKind",
    "find_kind",
    "is_kind",
    "kind_names",
    "listed",
    "model_named",
    "own_words",
]

GROUP = "intentx.rankers"
MODULE = "module"
"""The kind of a callable of the user's own, which is not written: the spec is its target."""

Maker = Callable[[str, Mapping[str, Any]], Any]
OfTexts = Callable[[Sequence[str], Analyzer | None, Mapping[str, Any]], Any]


@dataclass(frozen=True, kw_only=True)
class RankerKind:
    """A kind of ranker: how its specs are written, and what makes one.

    Parameters
    ----------
    name
        What a spec begins with.
    form
        How a spec is written, as people read it.
    help
        What it is, in one line.
    make
        What makes the scorer: ``make(target, settings)``.
    of_texts
        In the place of it, for rankers whose statistics and words are those of the documents at hand:
        ``of_texts(collection, analyzer, settings)``. Their specs have no target.
    wants
        What the target is, such as ``"a model"``; empty: a spec may have no target.
    targets
        How many targets there are, with commas between them.
    settings
        How each setting is read from text; None: ``make`` gets any setting, as text.
    extra
        The extra of intentx that it needs, or nothing.
    on_disk
        Whether targets may be files and folders; in a study file, they are found beside it.
    hub
        Whether targets may be models of the Hugging Face hub.
    trained
        Whether ``intentx train`` makes one.
    of_features
        What makes the model of a ranker over features, ``of_features(target)``; None: it scores texts
        only. With it and without ``make``, it scores features only, such as those of ``--letor``.
    of_rankers
        Whether its target is a file that names other rankers; `RankerSpec.load` makes it of them.
    """

    name: str
    form: str
    help: str
    make: Maker | None = None
    of_texts: OfTexts | None = None
    wants: str = ""
    targets: int = 1
    settings: Readers | None = field(default_factory=dict)
    extra: str = ""
    on_disk: bool = False
    hub: bool = False
    trained: bool = False
    of_features: Callable[[str], Any] | None = None
    of_rankers: bool = False

    @property
    def of_features_only(self) -> bool:
        """Whether it scores features, and no texts."""
        return self.of_features is not None and self.make is None

    @property
    def lexical(self) -> bool:
        """Whether its statistics and words are those of the documents at hand."""
        return self.of_texts is not None


def own_words(analyzer: Analyzer | None) -> Analyzer | None:
    """What lexical rankers find words by beside an explanation: its single words; None: their own.

    >>> own_words(Analyzer(language="german", stem=True, ngrams=2)).terms("Die Häuser")
    ('haus',)
    >>> own_words(Analyzer(ngrams=2)) is None
    True
    """
    single = None if analyzer is None else dataclasses.replace(analyzer, ngrams=1)
    return None if single == Analyzer() else single


def _lexical(
    ranker: Callable[..., Scorer],
    collection: Sequence[str],
    analyzer: Analyzer | None,
    settings: Mapping[str, Any],
) -> Scorer:
    words = {name: value for name, value in settings.items() if name in WORDS}
    numbers = {name: value for name, value in settings.items() if name not in WORDS}
    chosen = TextSettings(**words).analyzer() if words else own_words(analyzer)
    return ranker(collection, analyzer=chosen, **numbers)


def _bi_encoder(target: str, settings: Mapping[str, Any]) -> Scorer:
    return BiEncoder.named(target, **settings)


def _cross_encoder(target: str, settings: Mapping[str, Any]) -> Scorer:
    return CrossEncoder(target, **settings)


def _dpr(target: str, settings: Mapping[str, Any]) -> Scorer:
    query_encoder, doc_encoder = (name.strip() for name in target.split(","))
    return DPR(query_encoder, doc_encoder, **settings)


def _of_transformer(ranker: Callable[..., Scorer], target: str, settings: Mapping[str, Any]) -> Scorer:
    return ranker(target, **settings)


def _http(target: str, settings: Mapping[str, Any]) -> Scorer:
    return HTTPReranker(target, **settings)


def _ltr(target: str, settings: Mapping[str, Any]) -> Scorer:
    return FeatureRanker.load(target)


def _ltr_model(target: str) -> Any:
    return FeatureRanker.load(target)


def _trained(module: str, ranker: str, target: str, settings: Mapping[str, Any]) -> Scorer:
    found = importlib.import_module(f"intentx.rankers.interaction.{module}")  # brings torch
    scorer: Scorer = getattr(found, ranker).load(target)
    return scorer


def _run(target: str, settings: Mapping[str, Any]) -> Scorer:
    raise InputError(
        f"a recorded run cannot score texts: run:{target} is for the command line; in Python, "
        "Ranking.from_run(run_of(FILE), query, docs) explains it"
    )


def _imported(target: str, settings: Mapping[str, Any]) -> Scorer:
    module = target.partition(":")[0]
    scorer: Scorer = imported(target, f"{listed()}{nearest(module, kind_names())}")
    return scorer


def model_named(target: str) -> Any:
    """What a ``module:name`` stands for as a model over features, such as one with ``predict``."""
    return named(target, f"{FEATURE_SPECS}, module:callable")


def _pairwise(target: str, settings: Mapping[str, Any]) -> Scorer:
    prefers: Any = _imported(of_callable(target), {})
    return PairwiseRanker(prefers, **settings)


def _interaction(name: str, ranker: str, help_line: str) -> RankerKind:
    return RankerKind(
        name=name, form=f"{name}:PATH", help=help_line, make=partial(_trained, name, ranker),
        wants="a folder", extra="neural", on_disk=True, trained=True,
    )  # fmt: skip


def _transformer(
    name: str, ranker: Callable[..., Scorer], help_line: str, settings: Readers, trained: bool = False
) -> RankerKind:
    return RankerKind(
        name=name, form=f"{name}:NAME_OR_PATH", help=help_line, wants="a model", settings=settings,
        make=partial(_of_transformer, ranker), extra="neural", on_disk=True, hub=True, trained=trained,
    )  # fmt: skip


def _of_features(name: str, help_line: str, model: Callable[[str], Any], extra: str) -> RankerKind:
    return RankerKind(
        name=name, form=f"{name}:FILE", help=f"{help_line} over features", of_features=model,
        wants="a file", extra=extra, on_disk=True,
    )  # fmt: skip


KINDS: Mapping[str, RankerKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            RankerKind(
                name="bm25", form="bm25", help="BM25 over the texts", of_texts=partial(_lexical, BM25),
                settings={**WORDS, "k1": float, "b": float},
            ),
            RankerKind(
                name="lm", form="lm", help="query likelihood with Dirichlet smoothing",
                of_texts=partial(_lexical, LanguageModel), settings={**WORDS, "mu": float},
            ),
            RankerKind(
                name="rm3", form="rm3", help="BM25, the query expanded by terms of the first texts",
                of_texts=partial(_lexical, RM3),
                settings={**WORDS, "documents": int, "terms": int, "original": float},
            ),
            RankerKind(
                name="bi-encoder", form="bi-encoder:NAME_OR_PATH (or bi-encoder:minilm)",
                help="one model makes vectors of both; minilm: of the demo extra", make=_bi_encoder,
                wants="a model", settings=ENCODER, extra="neural", on_disk=True, hub=True,
            ),
            RankerKind(
                name="cross-encoder", form="cross-encoder:NAME_OR_PATH",
                help="one model reads query and text together", make=_cross_encoder, wants="a model",
                settings=CROSS_ENCODER, extra="neural", on_disk=True, hub=True, trained=True,
            ),
            RankerKind(
                name="dpr", form="dpr:QUERY_ENCODER,DOC_ENCODER", make=_dpr,
                help="one model makes vectors of queries, another of texts", wants="two models",
                targets=2, settings=ENCODER, extra="neural", on_disk=True, hub=True,
            ),
            _transformer("sparse", SparseRanker, "weights of terms by a model, such as SPLADE", SPARSE),
            _transformer(
                "late-interaction", LateInteractionRanker,
                "a vector for each token, such as ColBERT", LATE_INTERACTION, trained=True,
            ),
            _transformer(
                "causal-lm", CausalLMRanker, "a language model asked yes or no, such as Qwen3-Reranker",
                CAUSAL_LM,
            ),
            _transformer(
                "seq2seq", Seq2SeqRanker, "an encoder and decoder asked true or false, such as monoT5",
                SEQ2SEQ,
            ),
            _interaction("drmm", "DRMM", "histograms of similarities to query terms"),
            _interaction("knrm", "KNRM", "kernels over similarities to query terms"),
            _interaction("matchpyramid", "MatchPyramid", "convolutions over a map of similarities"),
            RankerKind(
                name="http", form="http:URL", help="a rerank service", make=_http, wants="a URL",
                settings=FROM_TEXT,
            ),
            RankerKind(
                name="llm", form="llm:URL#model=NAME", help="a language model that ranks or compares",
                make=llm_named, wants="a URL", settings=LLM,
            ),
            RankerKind(
                name="ltr", form="ltr:PATH", help="a ranker over features, such as LambdaMART",
                make=_ltr, of_features=_ltr_model, wants="the folder of a trained ranker",
                extra="ltr", on_disk=True,
            ),
            _of_features("lightgbm", "a model of LightGBM", lightgbm_model, "ltr"),
            _of_features("xgboost", "a model of XGBoost", xgboost_model, "xgboost"),
            _of_features("onnx", "a model in ONNX", onnx_model, "onnx"),
            RankerKind(
                name="pipeline", form="pipeline:FILE",
                help="a first stage, then a reranker, or a fusion", wants="a file",
                settings={"k": int}, on_disk=True, of_rankers=True,
            ),
            RankerKind(
                name="run", form="run:FILE", help="a recorded ranking", make=_run, wants="a file",
            ),
            RankerKind(
                name="pairwise", form="pairwise:module:callable", help="prefers one of two texts",
                make=_pairwise, wants="a callable", settings=PAIRWISE,
            ),
            RankerKind(
                name=MODULE, form="module:callable", help="a callable of your own", make=_imported,
                wants="a callable",
            ),
        )
    }
)  # fmt: skip
"""The kinds that come with intentx; other packages add theirs by entry points."""
SPECS = ", ".join(
    kind.form for name, kind in KINDS.items() if name != "run" and not kind.of_features_only
)
"""How the specs of rankers that can be asked are written, as messages and help lines list them."""
FEATURE_SPECS = ", ".join(kind.form for kind in KINDS.values() if kind.of_features is not None)
"""The same of rankers over features."""


def kind_names() -> list[str]:
    """What specs can begin with, other packages' kinds included."""
    return [*(name for name in KINDS if name != MODULE), *plugins(GROUP, _TAKEN)]


_TAKEN = (*KINDS, "https")  # which no other package can take


def listed() -> str:
    """`SPECS` with the kinds that installed packages add."""
    return ", ".join([SPECS, *(f"{name}:TARGET" for name in plugins(GROUP, _TAKEN))])


def is_kind(name: str) -> bool:
    """Whether a spec may begin with a name: that of a kind, of whichever package.

    >>> is_kind("bm25"), is_kind("https"), is_kind("mine")
    (True, True, False)
    """
    return (name in _TAKEN and name != MODULE) or name in plugins(GROUP, _TAKEN)


def find_kind(name: str) -> RankerKind | None:
    """The kind of that name; None where there is none.

    Raises
    ------
    InputError
        If another package adds it, and cannot be loaded.
    """
    if name in KINDS:
        return KINDS[name]
    entry = plugins(GROUP, _TAKEN).get(name)
    if entry is None:
        return None
    package, found = package_of(entry), load_plugin(entry)
    if isinstance(found, RankerKind):
        made = found.make and partial(_of_package, found.make, package, name)
        return dataclasses.replace(found, name=name, make=made)
    if not callable(found):
        raise InputError(
            f"the package {package!r} adds the ranker {name!r}, which nothing can make: a function "
            f"(target, settings) -> scorer is needed, not {found!r}"
        )
    return RankerKind(
        name=name, form=f"{name}:TARGET", help=f"of the package {package}", settings=None,
        make=partial(_of_package, found, package, name),
    )  # fmt: skip


def _of_package(
    maker: Maker, package: str, name: str, target: str, settings: Mapping[str, Any]
) -> Scorer:
    spec = f"{name}:{target}" if target else name
    try:
        scorer = maker(target, settings)
    except IntentxError:
        raise
    except Exception as error:  # other people's code
        raise InputError(
            f"the package {package!r} cannot make the ranker {spec!r}: {type(error).__name__}: {error}"
        ) from error
    if not callable(scorer):
        raise InputError(
            f"the package {package!r} makes no ranker of {spec!r}: a callable (query, texts) -> scores "
            f"is needed, not {scorer!r}"
        )
    made: Scorer = scorer
    return made

"""The rankers and where they live: read by type checkers, and by `lazy_loader` at run time."""

from .bm25 import BM25
from .features.lambdamart import train_lambdamart
from .features.ltr import FeatureRanker
from .features.text_features import TextFeatures
from .interaction.drmm import DRMM, DRMMSettings
from .interaction.knrm import KNRM, KNRMSettings
from .interaction.lexicon import Lexicon
from .interaction.matchpyramid import MatchPyramid, MatchPyramidSettings
from .interaction.training import Training, train
from .interaction.training_data import training_lists
from .known import RM3, LanguageModel
from .load import load_ranker
from .pipeline import Pipeline
from .pyterrier import from_pyterrier
from .runs import named_run, read_run, run_of
from .services.http import HTTPReranker
from .specs import RankerSpec
from .transformers.cross_encoder import CrossEncoder
from .transformers.encoders import DPR, BiEncoder
from .transformers.late_interaction import LateInteractionRanker
from .transformers.likely_words import CausalLMRanker, Seq2SeqRanker
from .transformers.sparse import SparseRanker

__all__ = [
    "BM25",
    "DPR",
    "DRMM",
    "KNRM",
    "RM3",
    "BiEncoder",
    "CausalLMRanker",
    "CrossEncoder",
    "DRMMSettings",
    "FeatureRanker",
    "HTTPReranker",
    "KNRMSettings",
    "LanguageModel",
    "LateInteractionRanker",
    "Lexicon",
    "MatchPyramid",
    "MatchPyramidSettings",
    "Pipeline",
    "RankerSpec",
    "Seq2SeqRanker",
    "SparseRanker",
    "TextFeatures",
    "Training",
    "from_pyterrier",
    "load_ranker",
    "named_run",
    "read_run",
    "run_of",
    "train",
    "train_lambdamart",
    "training_lists",
]

"""The public names and where they live: read by type checkers, and by `lazy_loader` at run time."""

from . import call_limits as call_limits
from . import comparison as comparison
from . import coverage as coverage
from . import datasets as datasets
from . import documents as documents
from . import errors as errors
from . import evaluation as evaluation
from . import explainers as explainers
from . import files as files
from . import folders as folders
from . import kept_file as kept_file
from . import perturbation as perturbation
from . import preferences as preferences
from . import random_edits as random_edits
from . import rankers as rankers
from . import ranking as ranking
from . import report as report
from . import score_cache as score_cache
from . import scoring as scoring
from . import search as search
from . import study as study
from . import text as text
from .comparison.edits import EditComparison, compare_edits
from .comparison.features import FeatureComparison, compare_features
from .datasets.letor import read_letor
from .errors import InputError, IntentxError, MissingExtraError, ScorerError
from .evaluation.axioms import Axioms, axioms
from .evaluation.contrast import Contrast, contrast
from .evaluation.faithfulness import Faithfulness, faithfulness
from .evaluation.feature_faithfulness import FeatureFaithfulness
from .evaluation.fidelity import Fidelity, fidelity
from .evaluation.heldout import HeldoutFidelity, heldout_fidelity
from .evaluation.insertion import Insertion, insertion
from .evaluation.plausibility import Plausibility, plausibility
from .evaluation.published import PublishedFidelity, published_fidelity
from .evaluation.sanity import randomised, sanity
from .evaluation.stability import Agreement, agreement, consistency, correctness, stability
from .evaluation.survey import Survey, SurveyCount, SurveyQuestion
from .evaluation.survey_answers import SurveyAnswers, read_answers
from .explainers.base import Explainer, Explanation
from .explainers.change.counterfactual import Counterfactual
from .explainers.change.equivalent import EquivalentQuery
from .explainers.change.equivalent_explanation import EquivalentQueryExplanation, QueryAgreement
from .explainers.change.explanation import ChangeExplanation
from .explainers.change.missing import missing
from .explainers.change.missing_answer import MissingDocument
from .explainers.change.query import QueryCounterfactual
from .explainers.document.beside import SideBySide, side_by_side
from .explainers.document.explanation import DocumentExplanation
from .explainers.document.exs import EXS
from .explainers.document.lirme import LIRME
from .explainers.document.shap import KernelSHAP
from .explainers.document.snippets import Snippet, query_snippet, snippet
from .explainers.document.verdict import DocumentVerdict
from .explainers.features.baseline import FeatureBaseline
from .explainers.features.explanation import FeatureExplanation
from .explainers.features.faithful import feature_faithfulness
from .explainers.features.judged import FeatureEffect, FeatureVerdict
from .explainers.features.listwise import ListwiseExplanation, ListwiseSHAP
from .explainers.features.mimic import MimicExplanation, MimicTree
from .explainers.features.set_explanation import FeatureSetExplanation
from .explainers.features.valid import ValidFeatures
from .explainers.inside.attention import Attention
from .explainers.inside.attention_explanation import AttentionExplanation
from .explainers.inside.gradcam import GradCAM
from .explainers.inside.gradcam_explanation import GradCAMExplanation
from .explainers.inside.gradients import (
    DeepLIFT,
    DeepSHAP,
    GradientInput,
    IntegratedGradients,
    Saliency,
)
from .explainers.inside.token_pairs import TokenPairs
from .explainers.inside.token_pairs_explanation import TokenPairsExplanation
from .explainers.ranking.effects import effects
from .explainers.ranking.explanation import IntentExplanation
from .explainers.ranking.multiplex import IntentGreedy, Multiplex, QueryTerms, RandomTerms
from .explainers.ranking.term_effect import TermEffect
from .explainers.ranking.verdict import Verdict
from .explainers.verdicts import verdict
from .feature_ranking import FeatureRanking
from .models import FeatureModel
from .preferences.pairs import Pairs, preference_pairs
from .preferences.simple_rankers import (
    Dense,
    PositionAware,
    Proximity,
    Semantic,
    TextMatching,
    default_simple_rankers,
)
from .preferences.vectors import TermVectors
from .rankers.fusion import Fusion
from .rankers.pairwise import PairwiseRanker
from .rankers.pipeline import Pipeline
from .ranking import Document, Ranking, rank
from .saved import load
from .scoring import BlackBox
from .serve.client import Client
from .text import Analyzer

__all__ = [
    "EXS",
    "LIRME",
    "Agreement",
    "Analyzer",
    "Attention",
    "AttentionExplanation",
    "Axioms",
    "BlackBox",
    "ChangeExplanation",
    "Client",
    "Contrast",
    "Counterfactual",
    "DeepLIFT",
    "DeepSHAP",
    "Dense",
    "Document",
    "DocumentExplanation",
    "DocumentVerdict",
    "EditComparison",
    "EquivalentQuery",
    "EquivalentQueryExplanation",
    "Explainer",
    "Explanation",
    "Faithfulness",
    "FeatureBaseline",
    "FeatureComparison",
    "FeatureEffect",
    "FeatureExplanation",
    "FeatureFaithfulness",
    "FeatureModel",
    "FeatureRanking",
    "FeatureSetExplanation",
    "FeatureVerdict",
    "Fidelity",
    "Fusion",
    "GradCAM",
    "GradCAMExplanation",
    "GradientInput",
    "HeldoutFidelity",
    "InputError",
    "Insertion",
    "IntegratedGradients",
    "IntentExplanation",
    "IntentGreedy",
    "IntentxError",
    "KernelSHAP",
    "ListwiseExplanation",
    "ListwiseSHAP",
    "MimicExplanation",
    "MimicTree",
    "MissingDocument",
    "MissingExtraError",
    "Multiplex",
    "Pairs",
    "PairwiseRanker",
    "Pipeline",
    "Plausibility",
    "PositionAware",
    "Proximity",
    "PublishedFidelity",
    "QueryAgreement",
    "QueryCounterfactual",
    "QueryTerms",
    "RandomTerms",
    "Ranking",
    "Saliency",
    "ScorerError",
    "Semantic",
    "SideBySide",
    "Snippet",
    "Survey",
    "SurveyAnswers",
    "SurveyCount",
    "SurveyQuestion",
    "TermEffect",
    "TermVectors",
    "TextMatching",
    "TokenPairs",
    "TokenPairsExplanation",
    "ValidFeatures",
    "Verdict",
    "agreement",
    "axioms",
    "compare_edits",
    "compare_features",
    "consistency",
    "contrast",
    "correctness",
    "default_simple_rankers",
    "effects",
    "faithfulness",
    "feature_faithfulness",
    "fidelity",
    "heldout_fidelity",
    "insertion",
    "load",
    "missing",
    "plausibility",
    "preference_pairs",
    "published_fidelity",
    "query_snippet",
    "randomised",
    "rank",
    "read_answers",
    "read_letor",
    "sanity",
    "side_by_side",
    "snippet",
    "stability",
    "verdict",
]

__version__: str

"""intentx: what does a text ranker think a query means, and how far can that be believed?"""

from intentx.errors import InputError, IntentxError, MissingExtraError, ScorerError
from intentx.evaluation.contrast import Contrast, contrast
from intentx.evaluation.faithfulness import Faithfulness, faithfulness
from intentx.evaluation.fidelity import Fidelity, fidelity
from intentx.evaluation.heldout import HeldoutFidelity, heldout_fidelity
from intentx.evaluation.insertion import Insertion, insertion
from intentx.evaluation.plausibility import Plausibility, plausibility
from intentx.evaluation.published import PublishedFidelity, published_fidelity
from intentx.evaluation.sanity import randomised, sanity
from intentx.evaluation.stability import Agreement, agreement, consistency, correctness, stability
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.exs import EXS
from intentx.explainers.document.lirme import LIRME
from intentx.explainers.document.shap import KernelSHAP
from intentx.explainers.document.verdict import DocumentVerdict
from intentx.explainers.inside.gradcam import GradCAM, GradCAMExplanation
from intentx.explainers.inside.gradients import (
    DeepLIFT,
    DeepSHAP,
    GradientInput,
    IntegratedGradients,
    Saliency,
)
from intentx.explainers.ranking.effects import TermEffect, effects
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.multiplex import IntentGreedy, Multiplex, QueryTerms, RandomTerms
from intentx.explainers.ranking.verdict import Verdict
from intentx.explainers.verdicts import verdict
from intentx.preferences.pairs import Pairs, preference_pairs
from intentx.preferences.simple_rankers import (
    Dense,
    PositionAware,
    Proximity,
    Semantic,
    TextMatching,
    default_simple_rankers,
)
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Document, Ranking, rank
from intentx.scoring import BlackBox
from intentx.text import Analyzer

__all__ = [
    "EXS",
    "LIRME",
    "Agreement",
    "Analyzer",
    "BlackBox",
    "Contrast",
    "DeepLIFT",
    "DeepSHAP",
    "Dense",
    "Document",
    "DocumentExplanation",
    "DocumentVerdict",
    "Faithfulness",
    "Fidelity",
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
    "MissingExtraError",
    "Multiplex",
    "Pairs",
    "Plausibility",
    "PositionAware",
    "Proximity",
    "PublishedFidelity",
    "QueryTerms",
    "RandomTerms",
    "Ranking",
    "Saliency",
    "ScorerError",
    "Semantic",
    "TermEffect",
    "TermVectors",
    "TextMatching",
    "Verdict",
    "agreement",
    "consistency",
    "contrast",
    "correctness",
    "default_simple_rankers",
    "effects",
    "faithfulness",
    "fidelity",
    "heldout_fidelity",
    "insertion",
    "plausibility",
    "preference_pairs",
    "published_fidelity",
    "randomised",
    "rank",
    "sanity",
    "stability",
    "verdict",
]

__version__ = "0.1.0"

"""What is measured of explanations: each metric with its one name and its unit."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable

from intentx.evaluation.metric import Direction, Metric, Unit, by_key

__all__ = [
    "AGREEMENT",
    "BY_FIRST",
    "DOCUMENT",
    "FEATURE_METRICS",
    "METRICS",
    "PAIRS",
    "SECONDS",
    "STUDIED",
    "Metric",
    "Unit",
    "document_title",
    "titled",
]

_FIDELITY = "intentx.evaluation.fidelity.Fidelity"
_HELDOUT = "intentx.evaluation.heldout.HeldoutFidelity"
_PUBLISHED = "intentx.evaluation.published.PublishedFidelity"
_INSERTION = "intentx.evaluation.insertion.Insertion"
_AXIOMS = "intentx.evaluation.axioms.Axioms"
_CHANGES = "intentx.study.changes.Changes"
_KNOWN = "intentx.evaluation.known.KnownMetrics"
_EXPLANATION = "intentx.explainers.ranking.explanation.IntentExplanation"

# Of one explanation of a ranking: a study measures them, in this order.
METRICS = by_key(
    [
        Metric(
            "all", "all pairs", "fidelity on all pairs", "share of pairs", "higher",
            f"{_FIDELITY}.all", "Fidelity",
        ),
        Metric(
            "far", "far pairs", "fidelity on pairs that are far apart in the ranking",
            "share of pairs", "higher", f"{_FIDELITY}.far", "Fidelity",
        ),
        Metric(
            "sampled", "sampled pairs", "fidelity on random pairs, the same for all methods",
            "share of pairs", "higher", f"{_FIDELITY}.fitted", "Fidelity",
        ),
        Metric(
            "heldout_pairs", "held-out pairs",
            "fidelity of a fit to half of the pairs, on the other half",
            "share of pairs", "higher", f"{_FIDELITY}.heldout", "Held out",
        ),
        Metric(
            "heldout_documents", "held-out documents",
            "fidelity on pairs of documents that the method has not seen",
            "share of pairs", "higher", f"{_HELDOUT}.mean", "Held out",
        ),
        Metric(
            "tau", "Kendall τ-b", "Kendall’s τ-b between the orders of the ranker and of the terms",
            "rank correlation", "higher", f"{_FIDELITY}.tau", "Fidelity",
        ),
        Metric(
            "terms", "terms", "number of terms", "terms", "none", f"{_EXPLANATION}.terms", "Terms",
        ),
        Metric(
            "deletion", "deletion", "ranks that the first documents lose without the terms",
            "ranks", "higher", "intentx.study.cells.deletion", "Faithfulness",
        ),
        Metric(
            "random_deletion", "random deletion",
            "ranks that the first documents lose without as many random words",
            "ranks", "none", "intentx.study.cells.deletion", "Faithfulness",
        ),
        Metric(
            "insertion", "insertion", "ranks that the last document rises by with the terms in front",
            "ranks", "higher", f"{_INSERTION}.rises", "Faithfulness",
        ),
        Metric(
            "random_insertion", "random insertion",
            "ranks that the last document rises by with random terms in front",
            "ranks", "none", f"{_INSERTION}.random_rises", "Faithfulness",
        ),
        Metric(
            "stability", "stability", "Jaccard similarity of the terms over seeds",
            "similarity", "higher", "intentx.evaluation.stability.Agreement.jaccard", "Terms",
        ),
        Metric(
            "shuffled_all", "shuffled pairs",
            "fidelity on all pairs of the documents in a random order, where there is nothing to find",
            "share of pairs", "none", f"{_FIDELITY}.all", "Shuffled",
        ),
        Metric(
            "shuffled_heldout_documents", "shuffled held-out documents",
            "fidelity on held-out documents in that random order",
            "share of pairs", "none", f"{_HELDOUT}.mean", "Shuffled",
        ),
        Metric(
            "vote1_all", "one agrees, all pairs",
            "published rule, one simple ranker agrees: all pairs",
            "share of pairs", "higher", f"{_PUBLISHED}.all", "Published rule",
        ),
        Metric(
            "vote1_gap", "one agrees, gap pairs",
            "published rule, one simple ranker agrees: pairs whose scores differ by a tolerance or more",
            "share of pairs", "higher", f"{_PUBLISHED}.gap", "Published rule",
        ),
        Metric(
            "vote2_all", "two agree, all pairs",
            "published rule, two simple rankers agree: all pairs",
            "share of pairs", "higher", f"{_PUBLISHED}.all", "Published rule",
        ),
        Metric(
            "vote2_gap", "two agree, gap pairs",
            "published rule, two simple rankers agree: pairs whose scores differ by a tolerance or more",
            "share of pairs", "higher", f"{_PUBLISHED}.gap", "Published rule",
        ),
        Metric(
            "utility", "utility",
            "published rule: the largest share of the sampled pairs that one simple ranker does not "
            "contradict",
            "share of pairs", "none", f"{_PUBLISHED}.fitted", "Published rule",
        ),
        Metric(
            "axioms", "axioms, all pairs",
            "a vote of retrieval axioms, fitted to all pairs: a baseline that is the same for all "
            "methods",
            "share of pairs", "none", f"{_AXIOMS}.fitted", "Axioms",
        ),
        Metric(
            "axioms_heldout", "axioms, held-out documents",
            "a vote of retrieval axioms on pairs of documents that its weights were not fitted to",
            "share of pairs", "none", f"{_AXIOMS}.heldout", "Axioms",
        ),
        Metric(
            "change_success", "change, reached",
            "share of the first documents that leave the first ones once at most ten of the terms are "
            "taken out, in their order",
            "share of documents", "higher", f"{_CHANGES}.reached", "Changes",
        ),
        Metric(
            "change_size", "change, words",
            "words taken out by then, the mean of the documents that leave",
            "words", "lower", f"{_CHANGES}.size", "Changes",
        ),
        Metric(
            "random_change_success", "random change, reached",
            "the same of random words of the document",
            "share of documents", "none", f"{_CHANGES}.random_reached", "Changes",
        ),
        Metric(
            "smallest_success", "smallest change, reached",
            "share of the documents for which a search finds words whose removal makes them leave: the "
            "same for all methods",
            "share of documents", "none", f"{_CHANGES}.smallest_reached", "Changes",
        ),
        Metric(
            "smallest_size", "smallest change, words",
            "words of the smallest change found, the mean of the documents that leave",
            "words", "none", f"{_CHANGES}.smallest_size", "Changes",
        ),
        Metric(
            "model_calls", "model calls",
            "texts that the method has the ranker score besides the documents",
            "texts", "lower", f"{_EXPLANATION}.model_calls", "Cost",
        ),
        Metric(
            "intent_precision", "intent precision",
            "share of the terms that the ranker says it looks for",
            "share of terms", "higher", f"{_KNOWN}.precision", "Known intent",
        ),
        Metric(
            "intent_recall", "intent recall",
            "share of what the ranker says it looks for that is among the terms",
            "share of terms", "higher", f"{_KNOWN}.recall", "Known intent",
        ),
        Metric(
            "intent_ap", "intent AP",
            "average precision of the terms, against what the ranker says it looks for",
            "share of terms", "higher", f"{_KNOWN}.average_precision", "Known intent",
        ),
    ]
)  # fmt: skip
_FEATURES = "intentx.study.feature_cells"
_VERDICT = "intentx.explainers.features.judged.FeatureVerdict"
_CURVES = "intentx.evaluation.feature_faithfulness.FeatureFaithfulness"
KS = (1, 3, 5, 7, 10)
# Metrics of the first k features, for each of KS: key, title, description of k, unit and direction.
BY_FIRST: tuple[tuple[str, str, str, Unit, Direction], ...] = (
    ("preservation", "τ alone", "τ of the order by the first {} features alone",
     "rank correlation", "higher"),
    ("deletion", "τ without", "τ of the order without the first {} features",
     "rank correlation", "lower"),
    ("exposure_preservation", "exposure alone",
     "exposure that the order by the first {} features alone leaves in place",
     "share of documents", "higher"),
    ("exposure_deletion", "exposure without",
     "exposure that the order without the first {} features leaves in place",
     "share of documents", "lower"),
)  # fmt: skip
FEATURE_METRICS = by_key(
    [
        Metric(
            "validity", "validity",
            "τ of the order by the first 5 features, the others having the documents’ mean",
            "rank correlation", "higher", f"{_FEATURES}.validity", "Valid",
        ),
        Metric(
            "completeness", "completeness",
            "−τ of the order with the first 5 features at the documents’ mean",
            "rank correlation", "higher", f"{_FEATURES}.validity", "Valid",
        ),
        *(
            Metric(f"{key}_{k}", f"{title}@{k}", said.format(k), unit, direction,
                   f"{_CURVES}.{key}", "Order by features")
            for key, title, said, unit, direction in BY_FIRST for k in KS
        ),
        Metric(
            "feature_heldout", "held-out order",
            "pairs of documents left out that features chosen in the same way order as the model does",
            "share of pairs", "higher", f"{_VERDICT}.heldout", "Verdict",
        ),
        Metric(
            "feature_random", "random features", "the same by as many random features",
            "share of pairs", "none", f"{_VERDICT}.random", "Verdict",
        ),
        Metric(
            "feature_shuffled", "shuffled scores",
            "the same by the method where the scores were shuffled over the documents",
            "share of pairs", "none", f"{_VERDICT}.shuffled", "Verdict",
        ),
        Metric(
            "holds", "holds", "queries with the verdict that the features hold",
            "share of queries", "none", f"{_VERDICT}.level", "Verdict",
        ),
        Metric(
            "used", "with effect", "features that change a score when set to their background",
            "share of features", "higher", f"{_FEATURES}.effects", "Effects",
        ),
        Metric(
            "places", "places moved",
            "places that a document moves when one of the features is set to its background",
            "ranks", "none", f"{_FEATURES}.effects", "Effects",
        ),
        Metric(
            "same_seeds", "same over seeds", "Jaccard similarity of the first 5 features over seeds",
            "similarity", "higher", f"{_FEATURES}.stability", "Stability",
        ),
        Metric(
            "same_backgrounds", "same over backgrounds",
            "Jaccard similarity of the first 5 features over backgrounds: mean, median, zero",
            "similarity", "higher", f"{_FEATURES}.stability", "Stability",
        ),
        Metric(
            "rows_asked", "rows asked", "rows of features that the method has the model score",
            "rows", "lower", "intentx.explainers.features.explanation.FeatureExplanation.model_calls",
            "Cost",
        ),
    ]
)  # fmt: skip
# All that a study can measure.
STUDIED = ChainMap(dict(FEATURE_METRICS), METRICS)  # type: ignore[arg-type]
# The sets of pairs in `Fidelity.rows`, as people read them.
PAIRS = {
    "all": METRICS["all"].title,
    "far": METRICS["far"].title,
    "fitted": "fitted pairs",
    "heldout": METRICS["heldout_pairs"].title,
}
# Of all that a study measures of a query, by the keys of `Row.seconds`.
SECONDS = by_key(
    [
        Metric(
            "explain", "seconds, explanation", "seconds of one explanation, the ranker’s among them",
            "seconds", "lower", f"{_EXPLANATION}.seconds", "Cost",
        ),
        Metric(
            "model", "seconds, ranker", "seconds of the ranker for all that is measured of a query",
            "seconds", "lower", "intentx.study.store.Row.seconds", "Cost",
        ),
        Metric(
            "ours", "seconds, intentx", "seconds of intentx itself for the same",
            "seconds", "lower", "intentx.study.store.Row.seconds", "Cost",
        ),
    ]
)  # fmt: skip
# Of two rankers that are compared.
AGREEMENT = by_key(
    [
        Metric(
            "tau", "Kendall τ-b", "Kendall’s τ-b between the scores of two rankers",
            "rank correlation", "none", "intentx.comparison.results.Agreement.tau",
        ),
        Metric(
            "rbo", "RBO", "rank-biased overlap of their orders, extrapolated, p = 0.9",
            "similarity", "none", "intentx.comparison.results.Agreement.rbo",
        ),
        Metric(
            "first_ten", "same of first ten", "share of the first ten documents that both have there",
            "share of documents", "none", "intentx.comparison.results.Agreement.first_ten",
        ),
        Metric(
            "jaccard", "same terms", "Jaccard similarity of the terms of both explanations",
            "similarity", "none", "intentx.comparison.results.Agreement.jaccard",
        ),
    ]
)  # fmt: skip
_DOCUMENT = "intentx.explainers.document.explanation.DocumentExplanation.metrics"
# Of the explanation of one document: each method has some of them.
_OF_DOCUMENT: tuple[tuple[str, str, Unit, Direction], ...] = (
    ("score", "the ranker’s score of the document", "score", "none"),
    ("other_score", "that of the document it is compared with", "score", "none"),
    ("rest", "what no word carries, in the unit of the weights", "number", "none"),
    ("fit", "weighted R² of the linear model; accuracy, for labels 0 and 1", "number", "higher"),
    ("k", "rank that labels of 1 are given up to", "ranks", "none"),
    ("alpha", "regularisation that was chosen", "number", "none"),
    ("empty", "score without any word", "score", "none"),
    ("full", "score with all words", "score", "none"),
    ("exact", "1 where all subsets of the words were asked for", "number", "none"),
    ("versions", "versions that the weights are from, with a limit in seconds", "texts", "none"),
    (
        "stability",
        "share of the first three words that both halves of the versions name",
        "share of terms",
        "higher",
    ),
    (
        "error",
        "standard deviation of a weight around the true one, by what is known of the game",
        "score",
        "lower",
    ),
    ("reference", "score of the reference", "score", "none"),
    ("other_reference", "score of the reference of the other document", "score", "none"),
    ("gap", "what the attributions miss of the difference they should add up to", "score", "none"),
    ("relative_gap", "the gap, as a share of that difference", "number", "lower"),
    ("sum", "sum of the map", "number", "none"),
    ("kurtosis", "excess kurtosis of the map’s cells", "number", "none"),
)
DOCUMENT = by_key(
    Metric(key, key.replace("_", " "), description, unit, direction, _DOCUMENT)
    for key, description, unit, direction in _OF_DOCUMENT
)


def document_title(key: str) -> str:
    """What people read for a metric of a document; a method of another package may have its own.

    >>> document_title("relative_gap"), document_title("own_measure")
    ('relative gap', 'own measure')
    """
    return DOCUMENT[key].title if key in DOCUMENT else key.replace("_", " ")


def titled(keys: Iterable[str]) -> dict[str, str]:
    """Keys of `STUDIED` with their titles, as heads of tables.

    >>> titled(["all", "tau"])
    {'all': 'all pairs', 'tau': 'Kendall τ-b'}
    """
    return {key: STUDIED[key].title for key in keys}

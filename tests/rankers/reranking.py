"""Texts, and rerank services that score them by their length."""

TEXTS = ["ccc", "a", "bb", "dddd", "eeeee"]
QUICK = {"backoff": 0.001, "timeout": 5.0}


def scores_of(texts):
    return [len(text) / 8 for text in texts]


def best_first(texts):
    return sorted(enumerate(scores_of(texts)), key=lambda pair: -pair[1])


def documents_shape(service, request):
    asked = request.json
    if "documents" not in asked:
        return 422, {"detail": "field required: documents"}
    results = [{"index": i, "relevance_score": s} for i, s in best_first(asked["documents"])]
    return 200, {"id": "x", "results": results[: asked["top_n"]], "meta": {}}


def texts_shape(service, request):
    asked = request.json
    if "texts" not in asked:
        return 422, {"error": "missing field `texts`", "error_type": "Validation"}
    return 200, [{"index": i, "score": s} for i, s in best_first(asked["texts"])]


def answers(*replies):
    """These replies one after the other, then the last for ever."""
    return lambda service, request: replies[min(len(service.requests), len(replies)) - 1]


def results(*pairs):
    return 200, {"results": [{"index": index, "relevance_score": score} for index, score in pairs]}


FINE = results(*enumerate(scores_of(TEXTS)))

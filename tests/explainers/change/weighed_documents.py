"""A ranker that weighs words, and what it ranks."""

WORDS = {"piano": 5.0, "keys": 3.0, "tea": 2.0, "milk": 1.0}


def weighed(query, texts):
    """A sum of weights of the words that a text holds."""
    return [sum(w for word, w in WORDS.items() if word in t.lower().split()) for t in texts]


DOCS = {
    "a": "a piano with keys and tea and milk",
    "b": "piano keys",
    "c": "piano tea",
    "d": "tea milk",
    "e": "a plain desk",
}

"""A language model on loopback that ranks by counts of the query's words, and misbehaves as told."""

import re

PASSAGE = re.compile(r"^\[(\d+)\] (.*)$", re.M)
PAIR = re.compile(r"^Passage ([AB]): (.*)$", re.M)
QUICK = {"backoff": 0.001, "timeout": 5.0, "model": "counting"}


def count(query, text):
    words = re.findall(r"\w+", text.lower())
    return sum(words.count(word) for word in re.findall(r"\w+", query.lower()))


def asked_of(request):
    """The query and the passages of a prompt; None where it is one about a pair."""
    content = request.json["messages"][1]["content"]
    query = content.partition("\n")[0].removeprefix("Query: ")
    return query, [text for _, text in PASSAGE.findall(content)], dict(PAIR.findall(content))


def ordered(query, passages):
    return sorted(range(len(passages)), key=lambda i: (-count(query, passages[i]), i))


def completion(content, usage=True, **choice):
    plain = {"choices": [{"message": {"role": "assistant", "content": content}, **choice}]}
    return 200, plain | ({"usage": {"prompt_tokens": 100, "completion_tokens": 7}} if usage else {})


def fine(service, request):
    query, passages, pair = asked_of(request)
    if pair:
        one, other = count(query, pair["A"]), count(query, pair["B"])
        return completion("A" if one >= other else "B")
    return completion(" > ".join(f"[{i + 1}]" for i in ordered(query, passages)))

"""A query and five texts."""

QUERY = "piano key"
TEXTS = ["a stage piano", "pianos, and a key!", "Desk", "a key. a desk.", "stage stage stage stage"]

"""A ranker with a fingerprint, which notes how many texts it is asked for."""

import os


class Counting:
    fingerprint = "counting, version 1"

    def __call__(self, query, texts):
        with open(os.environ["INTENTX_COUNT"], "a") as file:
            file.write("." * len(texts))
        return [len(text) % 97 for text in texts]


score = Counting()

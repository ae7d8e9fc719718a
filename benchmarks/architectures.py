"""By how much DeepLIFT and integrated gradients miss their sum, architecture by architecture.

Small models with random weights, as bi-encoders and as cross-encoders; see `zoo`. The first group is
promised: a relative gap of at most 1e-4 for DeepLIFT in float32. The second one is measured only.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import sentence_transformers
import torch
import transformers
from problems import write
from zoo import ARCHITECTURES, RELATIVES, Architecture, bi_encoder, cross_encoder

import intentx as ix
from intentx.explainers.inside.gradients import DeepLIFT, GradientMethod, IntegratedGradients
from intentx.rankers import BiEncoder, CrossEncoder
from intentx.scoring import Scorer

QUERY = "piano key"
TEXTS = (
    "A stage piano, keys and a sound.",
    "desk light: desk stool!",
    "the cable of a piano",
    "quux stool zebra key light",
)
METHODS: dict[str, GradientMethod] = {
    "DeepLIFT": DeepLIFT(),
    "DeepLIFT, zeros": DeepLIFT(reference="oov"),
    "DeepLIFT, another text": DeepLIFT(reference="collection"),
    "integrated gradients": IntegratedGradients(),
}
PROMISED = 1e-4


def scorers(architecture: Architecture, folder: Path) -> Iterator[tuple[str, Scorer]]:
    """The architecture as a ranker of each kind."""
    yield "bi-encoder", BiEncoder(bi_encoder(architecture, folder / "bi"))
    if architecture.cross:
        yield "cross-encoder", CrossEncoder(cross_encoder(architecture, folder / "cross"), raw=True)


def row(name: str, kind: str, scorer: Scorer) -> str:
    """The largest gap over the documents, method by method, and what was said."""
    ranking = ix.rank(scorer, QUERY, TEXTS)
    cells, used, said = [], "", []
    for title, method in METHODS.items():
        try:
            found = [method.explain(ranking, place) for place in range(len(TEXTS))]
        except ix.InputError as error:
            cells.append("refused")
            said += _causes(str(error))
            continue
        cells.append(f"{max(one.metrics['relative_gap'] for one in found):.0e}")
        if title == "DeepLIFT":
            used = str(found[0].settings["reference_used"])
        said += [cause for one in found for note in one.notes for cause in _causes(note)]
    shown = "; ".join(dict.fromkeys(said)) or "–"
    return f"| {name} | {kind} | {used or '–'} | " + " | ".join(cells) + f" | {shown} |"


def _causes(text: str) -> list[str]:
    """What is said to have no rule, or to be laid out in a way that cannot be read."""
    found = re.findall(r"no DeepLIFT rule for [^:;]+|the embedding layer of the model gives [^;]+", text)
    return [one.replace("|", "/") for one in found]


def rows(group: dict[str, Architecture]) -> Iterator[str]:
    for name, architecture in group.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                for kind, scorer in scorers(architecture, Path(folder)):
                    yield row(name, kind, scorer)
            except Exception as error:  # one that transformers cannot make must not end the table
                traceback.print_exc(file=sys.stderr)
                yield f"| {name} | – | – | – | – | – | – | not made: {type(error).__name__} |"


def report() -> Iterator[str]:
    """The page."""
    yield "# Architectures, and by how much attributions miss their sum\n"
    yield (
        "Models of two or three layers with random weights in float32, a query and four texts; the "
        'largest relative gap of the four. *Reference* is what `reference="auto"` chose: oov, zero '
        "vectors, or mean, the mean vector of the pieces of the documents. A method refuses where its "
        "sum misses by more than half. "
        f"torch {torch.__version__}, transformers {transformers.__version__}, "
        f"sentence-transformers {sentence_transformers.__version__}.\n"
    )
    for title, group in (
        (f"Promised: DeepLIFT within {PROMISED:.0e}", ARCHITECTURES),
        ("Others, measured and not promised", RELATIVES),
    ):
        yield f"\n## {title}\n"
        yield f"| architecture | as | reference | {' | '.join(METHODS)} | said |"
        yield "|---|---|---|---|---|---|---|---|"
        yield from rows(group)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for architectures.md")
    options = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    write(report(), options.out, "architectures.md")


if __name__ == "__main__":
    main()

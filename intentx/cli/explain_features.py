"""``intentx explain --letor FILE``: rankers over features."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intentx.cli.terminal import check_folder, given_text, show, show_json, tell
from intentx.datasets.letor import Letor, read_letor
from intentx.documents import some
from intentx.errors import InputError
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.explainers.features.methods import FEATURE_METHODS
from intentx.explainers.methods import Method
from intentx.explainers.verdicts import verdict as judge
from intentx.feature_ranking import FeatureRanking
from intentx.files import numbered_lines
from intentx.models import FeatureModel
from intentx.plugins import nearest
from intentx.rankers import RankerSpec
from intentx.rankers.kinds import FEATURE_SPECS
from intentx.report import write_page
from intentx.report.pictures.features import write_feature_picture
from intentx.report.pictures.words import check_picture

__all__ = ["add_features", "explain_features", "refuse_features"]

DEFAULT = "valid-features"
# Options that are settings of methods for features, and None unless given.
SETTINGS = ("k", "background", "value", "max_leaves", "features", "samples", "budget")
OF_TEXTS = ("docs", "run", "vectors", "cache", "fingerprint", "cut", "heldout", "faithfulness")


def add_features(explain: argparse.ArgumentParser) -> None:
    """The options of rankers over features."""
    group = explain.add_argument_group("rankers over features, in the place of --query and --docs")
    group.add_argument(
        "--letor", action="append", metavar="FILE",
        help="documents with features, lines of grade qid:ID 1:0.5 2:0 …; can be given several times. "
        f"--ranker is then one of {FEATURE_SPECS}, module:callable; --method one of "
        f"{', '.join(FEATURE_METHODS)} (default {DEFAULT})",
    )  # fmt: skip
    group.add_argument("--feature-names", metavar="FILE", help="a name for each feature, one a line")
    group.add_argument(
        "--background", metavar="VALUE",
        help="what stands for a feature that is left out: mean, median, zero, or a LETOR file of "
        "documents to draw from",
    )  # fmt: skip
    group.add_argument("--value", metavar="NAME", help=f"the value of an order ({_of('value')})")
    group.add_argument(
        "--max-leaves", type=int, metavar="N", help=f"leaves of a tree ({_of('max_leaves')})"
    )
    group.add_argument(
        "--features", metavar="NAMES",
        help=f"features to choose from, with commas, or how many ({_of('features')})",
    )  # fmt: skip
    group.add_argument(
        "--verdict", action=argparse.BooleanOptionalAction, default=True,
        help="with --letor: say how far the features of a ranking can be believed (default); explains "
        "parts of the documents about 10 times",
    )  # fmt: skip


def _of(option: str) -> str:
    return ", ".join(name for name, method in FEATURE_METHODS.items() if option in method.settings)


def refuse_features(options: argparse.Namespace) -> None:
    """Refuse options of rankers over features where there is no ``--letor``."""
    for option in ("feature_names", "background", "value", "max_leaves", "features"):
        if getattr(options, option) is not None:
            shown = option.replace("_", "-")
            raise InputError(f"--{shown} is for rankers over features: it needs --letor FILE")
    for name in options.method or []:
        if name in FEATURE_METHODS:
            raise InputError(f"{name} explains rankers over features: it needs --letor FILE")


def explain_features(options: argparse.Namespace) -> None:
    """Run the command for rankers over features."""
    _check(options)
    methods = {name: _method(name) for name in options.method or [DEFAULT]}
    names = None
    if options.feature_names is not None:
        names = [line.strip() for _, line in numbered_lines(options.feature_names)]
    data = read_letor(options.letor, names)
    model = FeatureModel(RankerSpec.parse(options.ranker).load_model(), data.names)
    found = {name: _explained(name, method, data, model, options) for name, method in methods.items()}
    plain = {name: one.to_dict() | {"ranker": options.ranker} for name, one in found.items()}
    if options.json:
        show_json(plain if len(plain) > 1 else next(iter(plain.values())))
    else:
        for one in found.values():
            show(one)
    _write(options, found)


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot work before any work is done for it."""
    if not options.ranker:
        raise InputError(f"name a ranker over features: --ranker with one of {FEATURE_SPECS}")
    for name in OF_TEXTS:
        if getattr(options, name):
            raise InputError(
                f"--{name} is for rankings of texts, and --letor gives documents by their features: "
                "give one of them"
            )
    check_folder(options.html)
    if options.png:
        check_picture(options.png)


def _method(name: str) -> Method:
    if name not in FEATURE_METHODS:
        raise InputError(
            f"method {name!r} explains rankings of texts; of rankers over features choose one of "
            f"{', '.join(FEATURE_METHODS)}{nearest(name, FEATURE_METHODS)}"
        )
    return FEATURE_METHODS[name]


def _explained(
    name: str, method: Method, data: Letor, model: FeatureModel, options: argparse.Namespace
) -> FeatureExplanation:
    explainer = method.make(_settings(name, method, data, options))
    several = getattr(explainer, "questions", ()) == ("rankings",)
    if several:
        if options.doc or options.above:
            raise InputError(f"{name} explains several rankings together: leave --doc and --above out")
        chosen = None if options.qid is None else [given_text(options.qid)]
        answer: FeatureExplanation = explainer.explain(data.rankings(model, chosen))
        return answer
    qid = options.qid or options.query
    if qid is None:
        raise InputError(f"--qid names the query to explain; the file has {some([*data.queries])}")
    ranking = data.ranking(given_text(qid), model)
    doc, above = (_place(ranking, one) for one in (options.doc, options.above))
    answer = explainer.explain(ranking, doc, above=above)
    _judge(answer, options.verdict and doc is None)
    return answer


def _judge(answer: FeatureExplanation, verdict: bool) -> None:
    """Ask for the effects of the features, and for the verdict: both are kept, and shown with it."""
    if verdict:
        judge(answer)
    if answer.ranking.model is not None and answer.kept:
        _ = answer.effects


def _place(ranking: FeatureRanking, name: str | None) -> int | None:
    """The position of a document named by its id, or else by its rank as in "#3"."""
    if name is None:
        return None
    if name not in ranking.doc_ids and name[:1] == "#" and name[1:].isdecimal():
        if not 1 <= int(name[1:]) <= len(ranking):
            raise InputError(f"no rank {name[1:]} in a ranking of {len(ranking)} documents")
        return int(name[1:]) - 1
    return ranking.position(name)


def _settings(name: str, method: Method, data: Letor, options: argparse.Namespace) -> dict[str, Any]:
    """The settings that the command line gives a method."""
    given: dict[str, Any] = {"seed": options.seed} if "seed" in method.settings else {}
    for option in SETTINGS:
        value = getattr(options, option)
        if value is None:
            continue
        if option not in method.settings:
            able, shown = _of(option) or "no method for features", option.replace("_", "-")
            raise InputError(f"--{shown} is a setting of {able}, not of {name}")
        if option == "features":
            value = int(value) if value.isdecimal() else tuple(part.strip() for part in value.split(","))
        if option == "background" and value not in ("mean", "median", "zero"):
            value = read_letor(value, data.names).rows()[0]
        given[option] = value
    return given


def _write(options: argparse.Namespace, found: Mapping[str, FeatureExplanation]) -> None:
    written = []
    if options.html:
        written.append(f"page: {write_page(options.html, [*found.values()], labels=[*found])}")
    if options.png:
        for name, explanation in found.items():
            path: Path = options.png
            if len(found) > 1:
                path = path.with_stem(f"{path.stem}-{name}")
            written.append(f"picture: {write_feature_picture(path, explanation)}")
    for line in written:
        (tell if options.json else show)(line)

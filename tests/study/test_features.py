"""Studies of rankers over features: folds of LETOR files, and what is measured of each explanation."""

import csv
import dataclasses
import io

import lightgbm
import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.errors import InputError
from intentx.evaluation.metrics import FEATURE_METRICS, KS
from intentx.explainers.features.background import MaskedModel
from intentx.explainers.features.orders import taus
from intentx.report.pages.study import study_page
from intentx.study import read_results, run_study
from intentx.study.export import csv_cells, markdown
from intentx.study.feature_topics import feature_mark, feature_ranking, feature_topics
from intentx.study.plan import Study, read_study

FEATURES, DOCUMENTS = 6, 12


def write_part(path, seed, queries=3):
    """Grades are 2 where the first feature is large, 1 where the second is."""
    drawn, lines = np.random.default_rng(seed), []
    for query in range(queries):
        for document in range(DOCUMENTS):
            row = drawn.random(FEATURES).round(3)
            grade = 2 * int(row[0] > 0.6) or int(row[1] > 0.5)
            values = " ".join(f"{i + 1}:{value}" for i, value in enumerate(row))
            lines.append(f"{grade} qid:{seed}-{query} {values} # docid = d{document}")
    path.write_text("\n".join(lines))
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("letor")
    for part in range(3):
        write_part(made / f"S{part + 1}.txt", part, queries=8)
    return made


def plan(folder, **more):
    plain = {
        "name": "features",
        "data": {
            "letor": [str(folder / f"S{i}.txt") for i in (1, 2, 3)], "folds": True, "queries": 2,
        },
        "rankers": {"trees": "lambdamart"},
        "methods": {
            "SHAP": {"method": "listwise-shap", "background": "train"},
            "VALID": {"method": "valid-features", "k": 3},
            "GREEDY": {"method": "valid-features", "k": 3, "search": "greedy"},
            "RANDOM": {"method": "feature-baseline", "by": "random", "k": 3},
        },
        "measures": {"heldout": 1, "stability": 2},
    }  # fmt: skip
    return Study.from_dict({**plain, **more})


@pytest.fixture(scope="module")
def results(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    outcome = run_study(plan(folder), out, workers=1)
    assert (outcome.measured, outcome.failed) == (8, 0)
    again = run_study(plan(folder), out, workers=1)
    assert (again.measured, again.found) == (0, 8)
    return read_results([out])


def test_every_metric_is_measured(results):
    assert results.study == plan_of(results)
    for line in results.lines:
        assert set(line.metrics) == set(FEATURE_METRICS), line.method
    by_name = {line.method: line for line in results.lines}
    valid, greedy = by_name["VALID"].metrics, by_name["GREEDY"].metrics
    assert valid["validity"].mean >= greedy["validity"].mean > by_name["RANDOM"].metrics["validity"].mean
    assert valid["same_seeds"].mean == 1.0


def test_the_legend_names_no_column_that_is_not_there(results):
    known = ("validity", "preservation_1", "preservation_3")
    lines = tuple(
        dataclasses.replace(line, metrics={key: line.metrics[key] for key in known})
        for line in results.lines
    )
    title, said = FEATURE_METRICS["validity"].title, FEATURE_METRICS["validity"].description
    assert (
        f"\n{title.capitalize()}: {said}; τ alone@k: τ of the order by the first k features alone; "
        "features left out have the mean over 100 documents of the training files. Bold: "
    ) in markdown(dataclasses.replace(results, lines=lines))


def plan_of(results):
    return Study.from_dict(results.study.to_dict())


def test_the_curves_are_those_of_the_model_with_the_training_background(folder, results):
    study = results.study
    [topic, *_] = feature_topics(study.data)
    ranking = feature_ranking("lambdamart", topic)
    assert topic.train == (str(folder / "S1.txt"),) or len(topic.train) == 1
    found = dataclasses.replace(study.method("SHAP"), background=topic.background).explain(ranking)
    row = next(r for r in results.rows() if r.method == "SHAP" and r.qid == topic.qid)
    assert row.terms == found.useful
    for k in KS:
        kept = np.isin(ranking.names, found.useful[:k])
        scores = MaskedModel(ranking.model, ranking.X, topic.background).scores([kept, ~kept])
        alone, without = (taus(ranking.scores, one).mean() for one in scores)
        assert row.metrics[f"preservation_{k}"] == pytest.approx(alone)
        assert row.metrics[f"deletion_{k}"] == pytest.approx(without)


def test_each_part_is_judged_by_a_ranker_of_the_others(folder):
    data = dataclasses.replace(plan(folder).data, queries=None)
    found = {topic.qid[0]: (topic.train, topic.stop) for topic in feature_topics(data)}
    parts = [str(folder / f"S{i}.txt") for i in (1, 2, 3)]
    assert found == {
        "2": ((parts[0],), parts[1]), "0": ((parts[1],), parts[2]), "1": ((parts[2],), parts[0]),
    }  # fmt: skip


def test_tables_files_and_the_page(results):
    text = markdown(results)
    assert "| validity | completeness | held-out order |" in text
    assert "| τ without@1 | τ without@3 |" in text
    rows = [*csv.DictReader(io.StringIO("".join(csv_cells(results))))]
    assert len(rows) == 8
    assert set(FEATURE_METRICS) < set(rows[0])
    assert "same over seeds: " in text
    assert "; τ without@k: τ of the order without the first k features; " in text
    page = study_page(results)
    assert "keep its order best" in page
    assert 'data-key="exposure_deletion_10"' in page


def test_the_command_takes_files_and_a_model(folder, tmp_path, capsys):
    letor = ix.read_letor(folder / "S2.txt")
    X, grades, _ = letor.rows()
    booster = lightgbm.train(
        {"verbosity": -1, "min_data_in_leaf": 5, "num_threads": 1}, lightgbm.Dataset(X, grades), 10
    )
    booster.save_model(tmp_path / "model.txt")
    spec = f"lightgbm:{tmp_path / 'model.txt'}"
    leave = [word for name in ("LISTWISE SHAP", "RANK-LIME", "VALID, COMPLETE", "MEAN SHAP", "GAIN")
             for word in ("--without", name)]  # fmt: skip
    code = main(
        ["bench", "ltr", "--letor", str(folder / "S1.txt"), "--train", str(folder / "S2.txt"),
         "--ranker", spec, "--queries", "1", "--out", str(tmp_path / "out"), "--workers", "1", *leave]
    )  # fmt: skip
    said = capsys.readouterr()
    assert (code, "5 cells measured" in said.err) == (0, True)
    assert "VALID" in said.out
    before = feature_mark(spec)
    booster.save_model(tmp_path / "model.txt", num_iteration=5)
    assert feature_mark(spec) != before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"methods": {"M": "mimic"}}, "'mimic' does not explain single rankings by features"),
        ({"methods": {"M": "multiplex"}}, "'multiplex' does not explain single rankings by features"),
        ({"methods": {"M": {"method": "listwise-shap", "units": "words"}}}, "have no words"),
        ({"data": {"letor": ["x"], "folds": True}}, "folds are made of 3 files"),
        ({"data": {"demo": ["*"], "least": 5}}, "go with letor"),
        ({"data": {"demo": ["*"]}}, "listwise-shap explains rankers over features"),
        ({"data": {"letor": ["x"]}}, "rows of the documents of .data. train, which is not given"),
    ],
)
def test_what_does_not_go_together_is_refused(folder, more, message):
    with pytest.raises(InputError, match=message):
        plan(folder, **more)


def test_a_ranker_that_cannot_be_trained_gives_the_reason(folder, tmp_path):
    study = plan(
        folder, data={"letor": [str(folder / "S1.txt")], "queries": 1}, methods={"V": "valid-features"}
    )
    assert run_study(study, tmp_path, workers=1).failed == 1
    [row] = read_results([tmp_path]).rows()
    assert "needs [data] train" in row.reason


def test_the_study_that_comes_along_has_every_method():
    study = read_study("ltr")
    assert study.data.folds
    assert study.method("GREEDY-COVER") == ix.ValidFeatures(k=10, method="greedy-cover")
    assert study.background("LISTWISE SHAP")

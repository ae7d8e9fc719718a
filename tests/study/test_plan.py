import json

import pytest

import intentx as ix
from intentx.study.plan import SHIPPED, Data, Study, read_study
from intentx.study.run import variants

TOML = """
name = "mine"
[data]
demo = ["jaguar speed"]
[rankers]
BM25 = "bm25"
[methods]
CONTROL = "query-terms"
OURS = { method = "multiplex", max_terms = 4, generality = 0 }
[measures]
heldout = 2
"""
YAML = """
name: mine
data: {demo: [jaguar speed]}
rankers: {BM25: bm25}
methods: {CONTROL: query-terms, OURS: {method: multiplex, max_terms: 4, generality: 0}}
measures: {heldout: 2}
"""


def written(folder, text, name="study.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_same_study_in_toml_and_yaml(tmp_path):
    study = read_study(written(tmp_path, TOML))
    assert study == read_study(written(tmp_path, YAML, "study.yaml"))
    assert study.method("OURS") == ix.Multiplex(max_terms=4, generality=0)
    assert (study.measures.heldout, study.measures.gap) == (2, 10)
    assert Study.from_dict(json.loads(json.dumps(study.to_dict()))) == study


@pytest.mark.parametrize("name", SHIPPED)
def test_studies_that_come_along(name):
    study = read_study(name)
    assert study.name == name
    assert all(study.method(method) for method in study.methods)


def test_paths_start_from_the_file(tmp_path):
    (tmp_path / "models" / "drmm").mkdir(parents=True)
    text = TOML.replace('demo = ["jaguar speed"]', 'folder = "data"')
    text = text.replace('BM25 = "bm25"', 'DRMM = "drmm:models/drmm"')
    study = read_study(written(tmp_path, text))
    assert study.data.folder == str(tmp_path / "data")
    assert study.rankers["DRMM"] == f"drmm:{tmp_path / 'models' / 'drmm'}"


def test_models_beside_the_study(tmp_path):
    (tmp_path / "glove.txt").touch()
    (tmp_path / "minilm").mkdir()
    (tmp_path / "e5").mkdir()
    for vectors, dense in (("glove.txt", "e5"), ("minilm", "minilm"), ("hub/name", "hub/name")):
        text = TOML.replace("max_terms = 4", f'dense = "{dense}"') + f'vectors = "{vectors}"\n'
        study = read_study(written(tmp_path, text))
        found = [str(tmp_path / n) if n in ("glove.txt", "e5") else n for n in (vectors, dense)]
        assert [study.measures.vectors, study.methods["OURS"]["dense"]] == found


@pytest.mark.parametrize(
    "spec", ["bi-encoder:minilm", "module:minilm", "run:minilm", "cross-encoder:a/b"]
)
def test_a_folder_of_the_same_name_changes_no_spec_that_means_something_else(tmp_path, spec):
    (tmp_path / "minilm").mkdir()
    study = read_study(written(tmp_path, TOML.replace('BM25 = "bm25"', f'RANKER = "{spec}"')))
    assert study.rankers["RANKER"] == spec


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[measures]", "[measure]", "unknown key 'measure'; a study has baselines, by_query, data"),
        ("heldout", "held_out", r"\[measures\] has no key 'held_out'; it has gap"),
        ("heldout = 2", "stability = 1", "stability must be 0, or 2 or more"),
        ("demo =", "demos =", r"\[data\] has no key 'demos'"),
        ('demo = ["jaguar speed"]', "", "needs one source: demo, folder.*it has none"),
        ('demo = ["jaguar speed"]', 'demo = ["*"]\nfolder = "x"', "it has demo, folder"),
        ('"query-terms"', '"query-term"', r"\[methods\] CONTROL: no method 'query-term'; choose one of"),
        ("max_terms", "terms", r"\[methods\] OURS: method 'multiplex' has no setting 'terms'; it has"),
        ("max_terms = 4", "dense = 3", r"\[methods\] OURS: dense = 'MODEL' names an encoder .*; not 3"),
        ("max_terms = 4", 'dense = ""', "names an encoder .*; not ''"),
        ('"query-terms"', '{ method = "greedy", dense = "minilm" }', "not 'minilm' for greedy"),
        ("max_terms = 4", "max_terms = 0", r"\[methods\] OURS: .*max_terms must be a whole number"),
        ('method = "multiplex", ', "", r"OURS: method = '…' is missing"),
        ('BM25 = "bm25"', "", "one ranker and one method"),
        ('BM25 = "bm25"', "BM25 = 3", "ranker 'BM25' must be a spec"),
        ("[methods]", "[methods", "study.toml: "),
        ('name = "mine"', "", "lacks 'name'"),
        (
            'name = "mine"',
            'name = "mine"\nworkers = 0',
            "workers must be a whole number, .* not 0",
        ),
        ('name = "mine"', 'name = "mine"\nworkers = "2"', "1 or more, not '2'"),
    ],
)
def test_studies_that_are_none(tmp_path, old, new, message):
    assert old in TOML
    with pytest.raises(ix.InputError, match=message):
        read_study(written(tmp_path, TOML.replace(old, new)))


def test_no_study_at_all(tmp_path):
    with pytest.raises(ix.InputError, match="one of demo, known, ltr, recorded, simple-rankers, table2"):
        read_study(tmp_path / "nothing.toml")
    with pytest.raises(ix.InputError, match="no YAML"):
        read_study(written(tmp_path, "a: [", "x.yaml"))
    with pytest.raises(ix.InputError, match="depth must be a whole number, 2 or more"):
        Data(demo=("*",), depth=1)


def test_whatever_changes_a_result_changes_its_variant(tmp_path):
    study = read_study(written(tmp_path, TOML))
    known = variants(study)
    assert list(known.values()) == [("BM25", "CONTROL"), ("BM25", "OURS")]
    assert variants(study) == known
    for old, new in (("max_terms = 4", "max_terms = 5"), ("heldout = 2", "heldout = 3")):
        other = variants(read_study(written(tmp_path, TOML.replace(old, new))))
        assert len(set(known) - set(other)) == (1 if "terms" in old else 2)
    dense = {
        tuple(
            variants(read_study(written(tmp_path, TOML.replace("max_terms = 4", f'dense = "{model}"'))))
        )
        for model in ("minilm", "another")
    }
    assert len(dense) == 2
    quicker = read_study(written(tmp_path, TOML.replace('"mine"', '"mine"\nworkers = 3')))
    assert quicker.workers == 3
    assert variants(quicker) == known
    renamed = variants(read_study(written(tmp_path, TOML.replace("OURS", "MINE"))))
    assert set(renamed) == set(known)


RULE = """
[measures]
published = true
tolerance = { BM25 = 2, OTHER = 0.5 }
"""
TWO = TOML.replace('BM25 = "bm25"', 'BM25 = "bm25"\nOTHER = "bm25#k1=0.5"')
COUNTED = TWO.replace("\n[measures]\n", RULE)


def test_the_published_rule_and_its_tolerances(tmp_path):
    study = read_study(written(tmp_path, COUNTED))
    assert (study.measures.published, study.measures.tolerance) == (True, {"BM25": 2.0, "OTHER": 0.5})
    assert Study.from_dict(json.loads(json.dumps(study.to_dict()))) == study
    assert study.without(["BM25"]).measures.tolerance == {"OTHER": 0.5}
    assert "published" not in read_study(written(tmp_path, TOML)).to_dict()["measures"]
    table2 = read_study("table2").measures
    assert (table2.published, table2.tolerance) == (True, {"BERT": 2.0, "DRMM": 0.1})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("BM25 = 2", "BERT = 2", r"\[measures.tolerance\]: no ranker 'BERT'; there are BM25, OTHER"),
        ("BM25 = 2", "BM25 = -2", "tolerance must be a table, each value a number, 0 or more, not .*-2"),
        ("BM25 = 2", "BM25 = nan", "tolerance must be a table, each value a number, 0 or more"),
        ("BM25 = 2", "BM25 = inf", "tolerance must be a table, each value a number, 0 or more"),
        ("BM25 = 2", "BM25 = '2'", "tolerance must be a table, each value a number, 0 or more"),
        ("{ BM25 = 2, OTHER = 0.5 }", "2", "tolerance must be a table, each value .* not 2"),
        ("published = true", "", "is for the published rule: set published = true"),
        ("true", "1", "published must be true or false, not 1"),
    ],
)
def test_tolerances_that_are_none(tmp_path, old, new, message):
    assert old in COUNTED
    with pytest.raises(ix.InputError, match=message):
        read_study(written(tmp_path, COUNTED.replace(old, new)))


def test_a_tolerance_changes_the_cells_of_its_ranker_alone(tmp_path):
    known = variants(read_study(written(tmp_path, COUNTED)))
    other = variants(read_study(written(tmp_path, COUNTED.replace("OTHER = 0.5", "OTHER = 0.6"))))
    assert {known[variant][0] for variant in set(known) - set(other)} == {"OTHER"}
    renamed = variants(read_study(written(tmp_path, COUNTED.replace("OTHER", "MINE"))))
    assert set(renamed) == set(known)


def test_cells_from_before_the_published_rule_are_found_again(tmp_path):
    """The measures that a variant was of then are those that it is of now."""
    known = read_study(written(tmp_path, TOML)).measures
    before = ["gap", "sampled", "heldout", "heldout_pairs", "stability", "faithfulness", "shuffled"]
    assert list(known.of("BM25")) == [*before, "vectors", "seed"]
    counted = variants(read_study(written(tmp_path, COUNTED)))
    assert not set(counted) & set(variants(read_study(written(tmp_path, TWO))))


def test_every_method_gets_the_term_vectors():
    vectors = ix.TermVectors.from_mapping({"tea": [1.0, 0.0]})
    study = read_study("table2")
    for name in study.methods_of("MatchPyramid"):
        method = study.method(name, vectors=vectors)
        rankers = getattr(method, "simple_rankers", None) or (method,)
        assert any(getattr(one, "vectors", None) is vectors for one in rankers) or name == "GREEDY-LM"
    again = study.method("MULTIPLEX literal", vectors=vectors)
    assert (again.m, again.literal) == (500, True)

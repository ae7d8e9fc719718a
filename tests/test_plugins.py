"""Methods and rankers of other packages, found by their entry points."""

import doctest
import importlib.metadata
import json
import os
import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import intentx as ix
from intentx.cli import main
from intentx.errors import PluginWarning
from intentx.explainers.methods import METHODS, all_methods, find_method, make_method, method_names
from intentx.rankers import RankerSpec, load_ranker
from intentx.rankers.kinds import find_kind, is_kind, listed
from intentx.study.plan import read_study
from intentx.study.results import read_results
from intentx.study.run import run_study
from tests.packages import PLUGIN, install, install_plugin

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
TEXTS = {"a": "one", "b": "a wonderful piano", "c": "keys of pianos and organs", "d": "tea"}
BROKEN = {
    "broken.py": "raise RuntimeError('no such device')",
    "odd.py": "number = 3\ndef fails(target, settings):\n    1 / 0\ndef none(target, settings): pass\n",
}


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """The package of tests/plugin, installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(install_plugin(folder))
    return folder


@pytest.fixture
def faulty(plugin):
    """Beside it one that cannot be imported, and is nothing that could be used."""
    methods = {"broken-words": "broken:Words", "numbers": "odd:number"}
    rankers = {"broken-ranker": "broken:make", "three": "odd:number", "zero": "odd:fails"}
    entries = {"intentx.methods": methods, "intentx.rankers": rankers | {"none": "odd:none"}}
    return install(plugin, "faulty", entries, BROKEN)


@pytest.fixture
def docs(tmp_path):
    path = tmp_path / "docs.jsonl"
    path.write_text("\n".join(json.dumps({"id": k, "text": t}) for k, t in TEXTS.items()))
    return path


def test_in_python(plugin):
    assert method_names() == (*METHODS, "longest-words")
    assert "intentx_lengths" not in sys.modules or "site" in sys.modules["intentx_lengths"].__file__
    found = find_method("longest-words")
    assert (found.name, found.explains, found.needs_scorer) == ("longest-words", "ranking", False)
    assert dict(found.settings) == {"max_terms": 3, "documents": 5}
    ranking = ix.rank(load_ranker("length:long", ()), "piano", TEXTS)
    assert ranking.doc_ids == ("c", "b", "a", "d")
    explanation = make_method("longest-words", {"max_terms": 2}).explain(ranking)
    assert (explanation.method, explanation.terms) == ("LongestWords", ("organs", "wonderful"))
    with pytest.raises(
        ix.InputError, match="'longest-words' has no setting 'max_term'; it has documents"
    ):
        make_method("longest-words", {"max_term": 2})
    with pytest.raises(ix.InputError, match="max_terms must be a whole number, not 'two'"):
        make_method("longest-words", {"max_terms": "two"})


def test_rankers_in_python(plugin):
    spec = RankerSpec.parse("length:short#unit=words")
    assert (spec.kind, spec.target, spec.values()) == ("length", "short", {"unit": "words"})
    assert RankerSpec.parse(str(spec)) == spec
    assert spec.load()("q", ["a b", "c"]) == [-2.0, -1.0]
    assert load_ranker("length:long", ())("q", ["a b"]) == [3.0]
    assert RankerSpec.parse("L=length:long", named=True).name == "L"
    with pytest.raises(ix.InputError, match="length:long or length:short is needed, not length:wide"):
        load_ranker("length:wide", ())
    with pytest.raises(ix.InputError, match=r"module:callable, length:TARGET; did you mean 'length'"):
        RankerSpec.parse("lenght:long")  # codespell:ignore lenght


def test_on_the_command_line(plugin, docs, capsys):
    given = ["explain", "--query", "piano", "--docs", str(docs), "--ranker", "length:long#unit=words"]
    methods = ["--method", "longest-words", "--method", "query-terms", "--max-terms", "1"]
    assert main([*given, *methods, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert list(plain) == ["longest-words", "query-terms"]
    own = plain["longest-words"]
    assert (own["method"], own["terms"], own["settings"]["max_terms"]) == (
        "LongestWords",
        ["wonderful"],
        1,
    )
    assert own["ranker"] == "length:long#unit=words"
    assert own["ranking"]["scores"][0] == 5.0
    assert main([*given, "--method", "longest-words", "--seed", "3"]) == 0  # it has no seed: passed over
    assert "wonderful" in capsys.readouterr().out
    assert main([*given, "--method", "longest-words", "--doc", "a"]) == 2
    assert "longest-words explains a whole ranking; for --doc choose" in capsys.readouterr().err


def test_compared_with_others(plugin, docs, capsys):
    rankers = "bm25,length:long,S=length:short#unit=words"
    command = ["compare", "--rankers", rankers, "--docs", str(docs), "--queries", "piano", "--json"]
    assert main([*command, "--max-terms", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rankers"] == {
        "bm25": "bm25", "length:long": "length:long", "S": "length:short#unit=words",
    }  # fmt: skip


STUDY = """name = "lengths"
[data]
demo = ["jaguar speed"]
depth = 8
[rankers]
L = "length:long"
[methods]
LONGEST = {method = "longest-words", max_terms = 2}
QUERY = "query-terms"
[measures]
heldout = 1
stability = 2
shuffled = false
"""


def test_in_a_study(plugin, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    study = read_study(tmp_path / "study.toml")
    run_study(study, tmp_path / "out")
    rows = {row.method: row for row in read_results([tmp_path / "out"]).rows()}
    assert list(rows) == ["LONGEST", "QUERY"]
    assert len(rows["LONGEST"].terms) == 2
    assert rows["LONGEST"].reason == ""


def test_from_the_shell(plugin):
    """In an interpreter of its own, which has seen nothing of the package yet."""
    path = os.pathsep.join([str(plugin), os.environ.get("PYTHONPATH", "")])
    asked = ["explain", "--query", "x", "--docs", "x", "--ranker", "bm25", "--method", "longest-word"]
    done = subprocess.run(
        [sys.executable, "-m", "intentx", *asked],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 2
    assert "invalid choice: 'longest-word' (choose from 'multiplex'" in done.stderr
    assert "'longest-words')" in done.stderr


def test_nothing_is_looked_for_where_names_are_known(plugin, docs, monkeypatch, capsys):
    def refuse(**group):
        raise AssertionError("entry points are looked for")

    monkeypatch.setattr(importlib.metadata, "entry_points", refuse)
    monkeypatch.syspath_prepend(plugin / "none")  # so that nothing is known from before
    assert find_method("exs").name == "exs"
    assert RankerSpec.parse("bm25#k1=1", named=True).kind == "bm25"
    given = ["explain", "--query", "piano", "--docs", str(docs), "--ranker", "bm25"]
    assert main([*given, "--method", "query-terms"]) == 0
    with pytest.raises(AssertionError, match="looked for"):
        find_method("longest-words")


def test_a_broken_package_breaks_nothing_else(faulty, docs, capsys):
    given = ["explain", "--query", "piano", "--docs", str(docs), "--method"]
    assert main([*given, "longest-words", "--ranker", "length:long"]) == 0
    assert main([*given, "broken-words", "--ranker", "length:long"]) == 2
    err = capsys.readouterr().err
    assert "package 'faulty', which adds 'broken-words' to intentx.methods, cannot be loaded" in err
    assert "RuntimeError: no such device" in err
    with pytest.warns(PluginWarning) as told:
        found = all_methods()
    assert list(found) == [*METHODS, "longest-words"]
    assert len(told) == 2
    assert all("the package 'faulty'" in str(one.message) for one in told)
    with pytest.raises(
        ix.InputError, match="'faulty' adds no method: the explainer of method 'numbers'"
    ):
        find_method("numbers")
    assert "broken-words" in method_names()  # names are listed without being loaded


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("broken-ranker:x", "'faulty', which adds 'broken-ranker' to intentx.rankers, cannot be loaded"),
        ("three:x", "'faulty' adds the ranker 'three', which nothing can make"),
        ("zero:x", "'faulty' cannot make the ranker 'zero:x': ZeroDivisionError: division by zero"),
        ("none", "'faulty' makes no ranker of 'none': a callable .* is needed, not None"),
    ],
)
def test_broken_rankers_name_their_package(faulty, spec, message):
    with pytest.raises(ix.InputError, match=message):
        load_ranker(spec, ())
    assert load_ranker("length:long", ())("q", ["ab"]) == [2.0]


@pytest.mark.parametrize(
    ("group", "names", "fault"),
    [
        ("intentx.methods", ["exs"], "'exs' to intentx.methods, .*: intentx has that name itself"),
        ("intentx.rankers", ["bm25"], "'bm25' to intentx.rankers, .* that name itself"),
        ("intentx.rankers", ["https"], "'https' .* that name itself"),
        ("intentx.rankers", ["module"], "'module' .* that name itself"),
        ("intentx.methods", ["two words"], "'two words' .*: a name must not have a blank"),
        ("intentx.rankers", ["a,b"], "'a,b' .*: a name must not have a blank, colon, comma"),
        ("intentx.methods", ["longest-words"], ".*: package 'intentx-lengths' has added that"),
    ],
)
def test_names_that_no_package_can_take(plugin, group, names, fault):
    entries = {group: dict.fromkeys(names, "broken:Words") | {"spare": "odd:number"}}
    install(plugin, "the-other", entries, BROKEN)
    ask = method_names if group == "intentx.methods" else listed
    with pytest.warns(PluginWarning, match=f"the package 'the-other' adds {fault}") as told:
        assert "spare" in ask() or "spare:TARGET" in ask()
    assert len(told) == 1
    assert find_method("exs") is METHODS["exs"]
    assert find_method("longest-words").explainer.__name__ == "LongestWords"
    assert type(load_ranker("bm25", ["tea"])).__name__ == "BM25"
    assert is_kind("spare") == (group == "intentx.rankers")
    assert find_kind("nothing") is None


def test_without_any_package_there_is_what_comes_along():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "longest-words" not in method_names()
        assert not is_kind("length")


RECORDS = '''
from dataclasses import dataclass
from intentx.explainers.methods import Method
from intentx.rankers.kinds import RankerKind
from intentx.explainers.document.lirme import LIRME
import intentx as ix

few = Method(
    name="another", explainer=LIRME, maker=lambda **given: LIRME(**{"samples": 20, **given}),
    explains="document", kept=("max_terms",),
)

class Plain:
    """No dataclass, with the whole contract."""
    signed = False
    explains = "ranking"

    def __init__(self, size=2):
        self.size = size

    def explain(self, ranking, doc=None, *, above=None):
        return ix.QueryTerms().explain(ranking)

class Asked:
    """Says by `questions` what it can be asked."""
    questions = ("ranking", "document", "pair")
    explain = Plain.explain

files = RankerKind(
    name="another", form="lines:FILE", help="x", wants="a file", on_disk=True, settings={"first": int},
    make=lambda target, settings: lambda query, texts: [float(settings["first"])] * len(texts),
)
'''


def test_whole_records(plugin, docs, tmp_path, capsys):
    """A package can say of its methods and rankers all that intentx says of its own."""
    methods = {"few": "records_of:few", "plain": "records_of:Plain", "asked": "records_of:Asked"}
    entries = {"intentx.methods": methods, "intentx.rankers": {"lines": "records_of:files"}}
    install(plugin, "records", entries, {"records_of.py": RECORDS})
    assert find_method("few").name == "few"
    assert make_method("few").samples == 20
    plain = find_method("plain")
    assert (plain.explains, plain.signed, dict(plain.settings)) == ("ranking", False, {"size": 2})
    assert plain.make({"size": 5}).size == 5
    assert not plain.contrastive
    asked = find_method("asked")
    assert (asked.explains, asked.contrastive) == ("document", True)
    command = ["explain", "--query", "piano", "--docs", str(docs), "--ranker", "length:long"]
    assert main([*command, "--doc", "b", "--method", "few", "--max-terms", "4", "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert (settings["samples"], settings["max_terms"]) == (20, 10)
    assert main([*command, "--method", "plain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["terms"] == ["piano"]
    (tmp_path / "study.toml").write_text(
        STUDY.replace("longest-words", "plain").replace("max_terms", "size")
    )
    with pytest.raises(
        ix.InputError, match=r"\[methods\] LONGEST: 'plain' has no settings .* dataclass"
    ):
        read_study(tmp_path / "study.toml")
    (tmp_path / "here").touch()
    (tmp_path / "study.toml").write_text(STUDY.replace("length:long", "lines:here#first=3"))
    assert read_study(tmp_path / "study.toml").rankers["L"] == f"lines:{tmp_path / 'here'}#first=3"
    with pytest.raises(ix.InputError, match="first after the # of lines cannot be 'x'"):
        RankerSpec.parse("lines:here#first=x")
    with pytest.raises(ix.InputError, match="lines needs a file: lines:FILE"):
        RankerSpec.parse("lines")
    assert load_ranker("lines:here#first=3", ())("q", ["a"]) == [3.0]


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)


def test_the_page_shows_the_package():
    """Word for word; so what runs here is what the page shows."""
    assert blocks("toml")[0] == (PLUGIN / "pyproject.toml").read_text(encoding="utf-8")
    assert blocks("python") == [(PLUGIN / "intentx_lengths.py").read_text(encoding="utf-8")]


def test_what_the_page_shows_works(tmp_path, monkeypatch, docs, capsys):
    (tmp_path / "site").mkdir()
    project, study = blocks("toml")
    monkeypatch.syspath_prepend(install_plugin(tmp_path / "site", project, *blocks("python")))
    monkeypatch.chdir(tmp_path)
    docs.rename("passages.jsonl")
    Path("study.toml").write_text(study)
    commands = re.findall(r"^\$ intentx (.*)$", *blocks("console"), re.M)
    assert [shlex.split(command)[0] for command in commands] == ["explain", "compare", "bench"]
    for command in commands:
        assert main(shlex.split(command)) == 0
        assert capsys.readouterr().out
    told = []
    test = doctest.DocTestParser().get_doctest(*blocks("pycon"), {}, "extending.md", None, 0)
    failed, tried = doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert (failed, tried) == (0, 6), "".join(told)

"""The documentation as a site (`make docs`): Sphinx, with the top folder as its source.

Pages link to each other, to results of benchmarks and to files of the top folder as they do on disk. The
API reference is made from the public names, so that none can be missing.
"""

import importlib
import inspect
from pathlib import Path

import intentx

ROOT = Path(__file__).parents[1]

project = "intentx"
author = "intentx contributors"
copyright = "2026, intentx contributors"  # noqa: A001
version = release = intentx.__version__

root_doc = "docs/index"
include_patterns = [
    "docs/**", "benchmarks/README.md", "benchmarks/results/**", "CONTRIBUTING.md", "CHANGELOG.md",
    "SECURITY.md", "CODE_OF_CONDUCT.md",
]  # fmt: skip
exclude_patterns = ["docs/conf.py", "docs/img/**"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]

html_theme = "furo"
html_title = f"intentx {release}"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = [
    "myst.header",  # results of benchmarks begin with a table
    "toc.not_included",  # and are reached from the pages about them
    "ref.python",  # attributes of one name are links to the first
]
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_output_stderr = "remove"  # bars of progress
nb_execution_timeout = 600  # a slow machine
nb_execution_cache_path = str(ROOT / "site" / "executed")
nb_execution_excludepatterns = ["*.md"]

autodoc_default_options = {"members": True, "show-inheritance": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
copybutton_prompt_text = "$ "

# The rooms of the reference; the first one has sections, by where a name is defined.
ROOMS = "rankers search datasets study text preferences coverage capabilities report".split()
SECTIONS = (
    ("Methods that explain a ranking", ("intentx.explainers.ranking.", "intentx.explainers.base")),
    (
        "Methods that explain one document",
        ("intentx.explainers.document.", "intentx.explainers.inside."),
    ),
    ("What would change it", ("intentx.explainers.change.",)),
    ("Rankers over features", ("intentx.explainers.features.", "intentx.feature_", "intentx.models")),
    ("Measuring explanations", ("intentx.evaluation.", "intentx.explainers.", "intentx.comparison.")),
    ("Preferences and simple rankers", ("intentx.preferences.",)),
    ("Errors", ("intentx.errors",)),
    ("Rankings, rankers and files", ("intentx",)),
)


def public(module):
    """The public names of a module that are no modules themselves, with what they name."""
    found = importlib.import_module(module)
    names = ((name, getattr(found, name)) for name in found.__all__)
    return {name: one for name, one in names if not inspect.ismodule(one)}


def entry(module, name, one):
    """The directive of one public name."""
    kind = "class" if inspect.isclass(one) else "function" if callable(one) else "data"
    if inspect.isclass(one) and issubclass(one, BaseException):
        kind = "exception"
    options = "   :no-value:\n" if kind == "data" else ""
    return f".. auto{kind}:: {module}.{name}\n{options}"


def heading(text, line="="):
    """A heading of reStructuredText."""
    return f"{text}\n{line * len(text)}\n"


def sections(names):
    """The names of the package by section, each in the first one that fits."""
    left = dict(names)
    for title, begins in SECTIONS:
        here = {
            name: one
            for name, one in left.items()
            if f"{getattr(one, '__module__', 'intentx')}.".startswith(begins)
        }
        left = {name: one for name, one in left.items() if name not in here}
        if here:
            yield title, here


def write_reference(app):
    """Write the pages of the reference; they are not committed."""
    folder = ROOT / "docs" / "api"
    folder.mkdir(exist_ok=True)
    pages = {}
    for title, names in sections(public("intentx")):
        file = title.lower().replace(" ", "-").replace(",", "")
        pages[file] = heading(title) + "\n".join(entry("intentx", *one) for one in names.items())
    above = list(public("intentx").values())
    for room in ROOMS:
        module = f"intentx.{room}"
        doc = (inspect.getdoc(importlib.import_module(module)) or "").partition("\n\n")[0]
        names = public(module)
        own = {name: one for name, one in names.items() if not any(one is other for other in above)}
        entries = "\n".join(entry(module, *one) for one in own.items())
        others = ", ".join(f"``intentx.{name}``" for name in names if name not in own)
        also = f"Also here: {others}.\n\n" if others else ""
        pages[room] = f"{heading(module)}\n{doc}\n\n{also}{entries}"
    toc = "\n".join(f"   {file}" for file in pages)
    intro = "Every public name, from its docstring."
    pages["index"] = f"{heading('API reference')}\n{intro}\n\n.. toctree::\n\n{toc}\n"
    for file, text in pages.items():
        path = folder / f"{file}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app):
    """Called by Sphinx."""
    app.connect("config-inited", lambda app, config: write_reference(app))

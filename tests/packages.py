"""Packages that add something to intentx, installed into a folder as an installer would do it."""

import tomllib
from pathlib import Path

PLUGIN = Path(__file__).parent / "plugin"


def install(folder, name, entry_points, modules=None):
    """Write modules (text by file name) and the metadata of a package into ``folder``."""
    for file, text in (modules or {}).items():
        (folder / file).write_text(text, encoding="utf-8")
    info = folder / f"{name.replace('-', '_')}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    lines = []
    for group, entries in entry_points.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder


def install_plugin(folder, project=None, module=None):
    """Install the package of ``tests/plugin``, or one of the same form from texts."""
    project = project or (PLUGIN / "pyproject.toml").read_text(encoding="utf-8")
    module = module or (PLUGIN / "intentx_lengths.py").read_text(encoding="utf-8")
    plain = tomllib.loads(project)["project"]
    return install(folder, plain["name"], plain["entry-points"], {"intentx_lengths.py": module})

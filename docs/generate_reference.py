"""Hooks of mkdocs: the reference pages that are generated from the code, and formulas without a network.

`reference/commands.md` is what each command prints with `--help all`, `reference/configuration.md` the files of the
configuration groups, `reference/api/` the docstrings of each package. None of them is kept in the repository.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "pickclutter_lang"
_MATH = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List a page for each package."""
    pages = [{name: f"reference/api/{name}.md"} for name in _packages()]
    reference = next(section["Reference"] for section in config.nav or [] if "Reference" in section)
    reference[:] = [entry for entry in reference if "API" not in entry] + [{"API": pages}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {"reference/commands.md": _commands_page(), "reference/configuration.md": _groups_page()}
    for name in _packages():
        pages[f"reference/api/{name}.md"] = _api_page(name)
    for uri, text in pages.items():
        files.append(File.generated(config, uri, content=text))
    return files


def on_page_content(html_text: str, **_: Any) -> str:
    """Turn formulas into MathML, which browsers show without a script."""

    def formula(match: re.Match[str]) -> str:
        latex = html.unescape(match[2]).strip()
        return convert(latex, display="block" if match[1] == "div" else "inline")

    return _MATH.sub(formula, html_text)


def _packages() -> list[str]:
    """Return the packages that have an interface of their own."""
    folders = sorted(path.name for path in (ROOT / PACKAGE).iterdir() if (path / "__init__.py").is_file())
    return [name for name in folders if name not in ("assets", "configs", "commands")]


def _api_page(name: str) -> str:
    return f"# `{PACKAGE}.{name}`\n\n::: {PACKAGE}.{name}\n    options:\n      show_submodules: true\n"


def _commands_page() -> str:
    """Return what each command prints with `--help all`, by what one wants to do."""
    commands = _list_commands()
    names = [name for group in commands.values() for name in group]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        helps = dict(zip(names, pool.map(_help_of, names), strict=True))
    parts = [
        "# Commands",
        "Every command is `pickclutter NAME key=value ...`. These are the texts of `pickclutter NAME --help all`.\n"
        "[Another page](configuration.md) has the groups.",
    ]
    for title, group in commands.items():
        parts.append(f"## {title.capitalize()}")
        for name, line in group.items():
            parts += [f"### {name}", f"{line[0].upper()}{line[1:]}.", f"```text\n{helps[name].rstrip()}\n```"]
    return "\n\n".join(parts) + "\n"


def _list_commands() -> dict[str, dict[str, str]]:
    sys.path.insert(0, str(ROOT))
    try:
        from pickclutter_lang.commands import COMMANDS
    finally:
        sys.path.remove(str(ROOT))
    return COMMANDS


def _help_of(name: str) -> str:
    """Return what a command prints with `--help all`.

    :raises PluginError: when it fails
    """
    environment = os.environ | {"COLUMNS": "110", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", f"{PACKAGE}.commands", name, "--help", "all"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise PluginError(f"`pickclutter {name} --help` fails: {done.stderr[-500:]}")
    return done.stdout


def _groups_page() -> str:
    """Return the files of the configuration groups with their comments."""
    parts = [
        "# Configuration groups",
        "A group is chosen by name: `student=small_resnet`. A key is set by its path: `student.temperature=0.07`.\n"
        "Files of your own are found with `--config-dir FOLDER`: [Extend from outside](../how_to/extend.md).",
    ]
    root = ROOT / PACKAGE / "configs"
    for group in sorted(path for path in root.iterdir() if path.is_dir() and path.name != "__pycache__"):
        parts.append(f"## `{group.name}`")
        for path in sorted(group.glob("*.yaml")):
            parts.append(f"### `{group.name}={path.stem}`\n\n```yaml\n{path.read_text().rstrip()}\n```")
    return "\n\n".join(parts) + "\n"

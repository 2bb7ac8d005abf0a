"""The help of a command: what it does, its presets, and each key with its value and its documentation."""

from __future__ import annotations

import re
import textwrap
import typing
from collections.abc import Iterator
from dataclasses import fields
from importlib.resources import files
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from pickclutter_lang.commands.hydra_app import CONFIG_MODULE, REGISTERED, Command
from pickclutter_lang.utils.field_docs import dataclass_of, field_docs

WIDTH = 100
_OPTIONS = """Options:

  --config-dir FOLDER
      Find presets of your own there too, in FOLDER/GROUP/NAME.yaml.
  --cfg job
      Print the configuration, and do nothing.
  --debug
      Show the traceback of an error too; so does PICKCLUTTER_DEBUG=1."""


def command_help(command: Command, cfg: DictConfig) -> str:
    """Return the help of a command, with the values of a composed configuration."""
    values = OmegaConf.to_container(cfg)
    assert isinstance(values, dict)
    examples = re.sub("^ *(?=pickclutter )", "    ", command.text.strip(), flags=re.MULTILINE)
    parts = [f"pickclutter {command.name.replace('_', '-')}: {examples}"]
    base = REGISTERED[command.extends] if command.extends else None
    groups = [*dict.fromkeys([*(base.presets if base else ()), *command.presets])]
    if groups:
        parts += ["Presets (GROUP=NAME); * is chosen:", *(_group_help(group, values) for group in groups)]
    parts += ["Keys (KEY=VALUE), with their values:", "\n".join(_key_lines(command.config, values, ""))]
    if base:
        command_keys = {field.name for field in fields(command.config)}
        rest = {key: value for key, value in values.items() if key not in command_keys}
        parts += ["Keys of each run:", "\n".join(_key_lines(base.config, rest, ""))]
    return "\n\n".join([*parts, _OPTIONS])


def _group_help(group: str, values: dict[Any, Any]) -> str:
    """Return the presets of a group, each with the first line of its file."""
    names = GlobalHydra.instance().config_loader().get_group_options(group)
    chosen = values["hydra"]["runtime"]["choices"].get(group)
    width = max(map(len, names)) + 3
    lines = [f"  {group}"]
    for name in names:
        label = f"    {'*' if name == chosen else ' '} {name:<{width}}"
        wrapped = textwrap.wrap(_summary(group, name), WIDTH, initial_indent=label, subsequent_indent=" " * len(label))
        lines += wrapped or [label.rstrip()]
    return "\n".join(lines)


def _summary(group: str, name: str) -> str:
    """Return the first comment of a preset of the package; nothing for one of the user's."""
    path = files(CONFIG_MODULE) / group / f"{name}.yaml"
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((line[1:].strip() for line in lines if line.startswith("#") and "@package" not in line), "")


def _key_lines(config: type, values: dict[Any, Any], prefix: str) -> Iterator[str]:
    """Yield the lines of the keys of a dataclass, those of nested ones below it."""
    docs, hints = field_docs(config), typing.get_type_hints(config)
    nested = []
    for field in fields(config):
        if field.name not in values:
            continue
        value, kind = values[field.name], dataclass_of(hints[field.name])
        if kind is not None and isinstance(value, dict):
            nested.append((kind, value, f"{prefix}{field.name}"))
            continue
        yield f"  {prefix}{field.name}={_format_value(value)}"
        yield from textwrap.wrap(docs.get(field.name, ""), WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    for kind, value, name in nested:
        yield ""
        about = (kind.__doc__ or "").strip().splitlines()[0]
        yield from textwrap.wrap(f"{name}: {about}", WIDTH, initial_indent="  ", subsequent_indent="  ")
        yield from _key_lines(kind, value, f"{name}.")


def _format_value(value: Any) -> str:
    """Return a value as a command line takes it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_format_value, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{_format_value(item)}' for key, item in value.items())}}}"
    return str(value)

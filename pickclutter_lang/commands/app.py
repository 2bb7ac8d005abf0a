"""Commands as hydra applications: a dataclass is the configuration, its field documentation the help."""

from __future__ import annotations

import inspect
import os
import re
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Any, NoReturn, TypeVar, cast

import hydra
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pickclutter_lang.commands import load
from pickclutter_lang.commands.exit_status import exit_status
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.cli import config_keys, dataclass_of, field_docs, parse_config
from pickclutter_lang.utils.ranks import world_size
from pickclutter_lang.utils.validation import did_you_mean

CONFIG_MODULE = "pickclutter_lang.configs"
Config = TypeVar("Config")
WIDTH = 100
_OPTIONS = """Options:

  --config-dir FOLDER
      Find presets of your own there too, in FOLDER/GROUP/NAME.yaml.
  --cfg job
      Print the configuration, and do nothing.
  --debug
      Show the traceback of an error too; so does PICKCLUTTER_DEBUG=1."""
_FULL_ERROR = "HYDRA_FULL_ERROR"
"""Environment variable by which hydra raises errors, rather than print them."""


@dataclass(frozen=True)
class Command:
    """A command as hydra knows it."""

    name: str
    text: str
    """Docstring of its function, with which the help begins."""
    config: type
    """Dataclass of its configuration."""
    presets: Mapping[str, str]
    """Configuration group -> preset that is chosen by default."""
    extends: str | None
    """Command whose keys it takes too, for the runs that it starts."""
    optional: Mapping[str, type]
    """Group -> dataclass of a key that is null by default."""
    ignore_other_keys: bool
    """Presets may have keys that `config` lacks."""
    several_processes: bool
    """`torchrun` may start it in several processes."""

    def command_keys(self, cfg: DictConfig) -> DictConfig:
        """Return what a composed configuration has for `config`."""
        if not self.ignore_other_keys and self.extends is None:
            return cfg
        return DictConfig({field.name: cfg[field.name] for field in fields(cast(Any, self.config))})


REGISTERED: dict[str, Command] = {}
"""The commands that were imported so far, by the name of their function."""


def hydra_main(
    config: type[Config],
    presets: Mapping[str, str] | None = None,
    *,
    preset_overrides: Mapping[str, Any] | None = None,
    extends: str | None = None,
    optional: Mapping[str, type] | None = None,
    ignore_other_keys: bool = False,
    several_processes: bool = False,
    words: Callable[[Sequence[str]], list[str]] = list,
) -> Callable[[Callable[[Config], None]], Callable[[], None]]:
    """Make a function of a configuration the main function of the command of its name.

    :param config: dataclass with the defaults; presets are merged over them
    :param presets: configuration group -> preset that is chosen by default
    :param preset_overrides: values that are merged over those of any preset
    :param extends: command whose runs this one starts, and whose keys it takes and hands on: `reproduce_table12` has
        those of `train_affordance`
    :param optional: group -> dataclass of a key that is null by default; presets start from `<group>_defaults`
    :param ignore_other_keys: presets may have keys that `config` lacks
    :param several_processes: `torchrun` may start it in several processes
    :param words: makes overrides of the words of a command line
    """

    def decorate(task: Callable[[Config], None]) -> Callable[[], None]:
        name = task.__name__
        if extends:
            load(extends)
        text = inspect.getdoc(task) or ""
        command = Command(
            name, text, config, presets or {}, extends, optional or {}, ignore_other_keys, several_processes
        )
        _register(command, preset_overrides or {})

        @hydra.main(version_base="1.3", config_path=f"pkg://{CONFIG_MODULE}", config_name=name)
        def run(cfg: DictConfig) -> None:
            with exit_status():  # here too: `_run` takes what passes for a mistake in the command line
                task(parse_config(config, command.command_keys(cfg)))

        def main() -> None:
            with exit_status():
                sys.argv[1:] = words(sys.argv[1:])
                _run(cast(Callable[[], None], run), command)

        return main

    return decorate


def _run(run: Callable[[], None], command: Command) -> None:
    """Let hydra compose the configuration of a command and run its task; errors of the composition get a name."""
    _check_arguments(command.name, sys.argv[1:])
    if world_size() > 1 and not command.several_processes:
        raise InvalidArgumentError(
            f"expected one process of {command.name.replace('_', '-')}, but torchrun started {world_size()}; run it "
            "without torchrun, which is for the commands that train"
        )
    if world_size() > 1 and {"-m", "--multirun"} & {*sys.argv[1:]}:
        raise InvalidArgumentError("expected one training by torchrun, but got --multirun; start one after the other")
    if {"-h", "--help"} & {*sys.argv[1:]}:
        Hydra.format_config_groups = _no_groups  # type: ignore[method-assign]
    before = os.environ.get(_FULL_ERROR)
    os.environ[_FULL_ERROR] = "1"
    try:
        run()
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:  # the task's never come here
        raise explain(error, command.name) from error
    finally:
        os.environ.pop(_FULL_ERROR) if before is None else os.environ.update({_FULL_ERROR: before})


def _no_groups(self: Hydra, predicate: Callable[[str], bool], compact: bool = True) -> str:
    """Return nothing for hydra's own list of all groups: it takes most of the time of a help that does not show it."""
    return ""


def _check_arguments(name: str, arguments: Sequence[str]) -> None:
    """Refuse options that hydra does not know, and overrides that it would misread."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        wrong = message.rpartition(": ")[2].split()[0]
        options = [option for action in parser._actions for option in action.option_strings]
        raise InvalidArgumentError(f"{message}{did_you_mean(wrong, options)}; {_see_help(name)}")

    parser.error = refuse  # type: ignore[method-assign]
    presets, keys = {*_presets_of(REGISTERED[name])}, {*_keys_of(name)}
    for override in parser.parse_args(list(arguments)).overrides:
        key, equals, value = override.lstrip("+").partition("=")
        is_group = any(one.startswith(f"{key}.") for one in keys) and key not in presets
        if (
            override.startswith("~")  # hydra would take the default
            or (equals and not key.strip())
            or (key in presets and (value in ("", "null") or value.startswith("[")))  # hydra would merge several
            or (equals and is_group and not value.startswith("{"))
        ):
            raise InvalidArgumentError(f"expected KEY=VALUE or GROUP=PRESET, but got {override!r}; {_see_help(name)}")


def _presets_of(command: Command) -> dict[str, str]:
    """Return the groups of a command with the presets that are chosen, those of the runs that it starts included."""
    return {**(_presets_of(REGISTERED[command.extends]) if command.extends else {}), **command.presets}


def _keys_of(command: str) -> Iterator[str]:
    """Yield the keys and the groups of a command, and those of the command whose runs it starts."""
    known = REGISTERED[command]
    yield from known.presets
    for config in (known.config, *known.optional.values()):
        yield from config_keys(config)
    if known.extends:
        yield from _keys_of(known.extends)


def explain(error: Exception, command: str) -> InvalidArgumentError:
    """Return what is wrong with the overrides of a command, in one line with the nearest names.

    :param error: of the composition
    """
    text = " ".join(str(error).split())
    if isinstance(error, OverrideParseException):
        hint = "" if "=" in error.override else ", which has no ="
        return InvalidArgumentError(
            f"expected KEY=VALUE, but got {error.override!r}{hint}; a value with special characters needs quotes: "
            "'KEY=\"VALUE\"'"
        )
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, preset = error.missing_cfg_file.removesuffix(".yaml").rpartition("/")
        names = list(error.options or ())
        return InvalidArgumentError(
            f"expected {group} to be one of {', '.join(names)}, but got {preset!r}{did_you_mean(preset, names)}"
        )
    unknown = re.match(r"Could not override '([^']*)'", text)
    if unknown:
        key, keys = unknown[1], set(_keys_of(command))
        return InvalidArgumentError(
            f"expected a key of {command.replace('_', '-')}, but got {key!r}{did_you_mean(key, keys - {key})}; "
            f"{_see_help(command)}"
        )
    return InvalidArgumentError(f"expected overrides that {command.replace('_', '-')} takes: {text[:300]}")


def _see_help(command: str) -> str:
    return f"see pickclutter {command.replace('_', '-')} --help"


def compose_config(schema: type[Config], command: str, overrides: Sequence[str]) -> Config:
    """Return the configuration that a command would read.

    Inside another command, the folder of its `--config-dir` counts too.

    :param command: name of its function
    :raises InvalidArgumentError: naming an override that is wrong
    """
    load(command)
    running = GlobalHydra.instance().is_initialized()
    try:
        with nullcontext() if running else hydra.initialize_config_module(CONFIG_MODULE, version_base="1.3"):
            cfg = hydra.compose(command, overrides=list(overrides))
    except HydraException as error:
        raise explain(error, command) from error
    return parse_config(schema, REGISTERED[command].command_keys(cfg))


def user_config_dir() -> str | None:
    """Return the absolute path of the `--config-dir` that this process was started with; None without one."""
    sources = HydraConfig.get().runtime.config_sources
    return next((source.path for source in sources if source.provider == "command-line"), None)


def _register(command: Command, preset_overrides: Mapping[str, Any]) -> None:
    """Give hydra the configuration of a command: defaults, presets, and what all commands share."""
    REGISTERED[command.name] = command
    if not OmegaConf.has_resolver("command_help"):
        OmegaConf.register_new_resolver("command_help", _help)
    store = ConfigStore.instance()
    # As plain values, since hydra cannot override fields of a frozen dataclass. `parse_config` checks their types.
    for name, config in {command.name: command.config, **command.optional}.items():
        store.store(f"{name}_defaults", OmegaConf.to_container(OmegaConf.structured(config)))
    if command.extends is None:
        logging = [{f"override hydra/{kind}": "none"} for kind in ("job_logging", "hydra_logging")]
        defaults = [f"{command.name}_defaults", *({k: v} for k, v in command.presets.items()), "_self_", *logging]
    else:
        changed = [{f"override /{group}": preset} for group, preset in command.presets.items()]
        defaults = [command.extends, f"{command.name}_defaults", "_self_", *changed]
    program = f"pickclutter {command.name.replace('_', '-')}"
    shared = {
        "run": {"dir": "."},
        "output_subdir": None,
        "help": {"app_name": program, "template": f"${{command_help:{command.name}}}"},
    }
    store.store(command.name, {"defaults": defaults, **preset_overrides, "hydra": shared})


def _help(name: str, _root_: DictConfig) -> str:
    """Return the help of a command; a resolver of OmegaConf, so that only `--help` makes it."""
    return command_help(REGISTERED[name], _root_).replace("$", "$$")  # hydra substitutes `$` itself


def command_help(command: Command, cfg: DictConfig) -> str:
    """Return the help of a command, with the values of a composed configuration."""
    values = OmegaConf.to_container(cfg)
    assert isinstance(values, dict)
    examples = re.sub("^ *(?=pickclutter )", "    ", command.text.strip(), flags=re.MULTILINE)
    parts = [f"pickclutter {command.name.replace('_', '-')}: {examples}"]
    base = REGISTERED[command.extends] if command.extends else None
    groups = _presets_of(command)
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


def first_word_as(key: str, words: Sequence[str], hint: str = "put it in quotes") -> list[str]:
    """Return words in which the one without a key is `key='...'`, and the first; as they are where there is none.

    Without a key is no option, nor the word after one, nor an override of hydra, `key=value` or `~key`.

    :param hint: what to do where there are several
    :raises InvalidArgumentError: for several of them, as a text without quotes is
    """
    after_option = [False, *(word.startswith("-") for word in words)]
    bare = [n for n, word in enumerate(words) if not (after_option[n] or word[:1] in ("-", "~") or "=" in word)]
    if not bare or any(word.startswith(f"{key}=") for word in words):
        return list(words)
    if len(bare) > 1:
        text = " ".join(words[n] for n in bare)
        raise InvalidArgumentError(f"expected one {key}, but got the words {text!r}; {hint}")
    return [f"{key}={quoted_value(words[bare[0]])}", *(word for n, word in enumerate(words) if n != bare[0])]


def quoted_value(text: str) -> str:
    """Return a text as hydra reads it back."""
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"

"""Commands as hydra applications: a dataclass is the configuration, its field documentation the help."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

import hydra
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from pickclutter_lang.commands import command_line, exit_status, load
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.ranks import world_size
from pickclutter_lang.utils.reading import check_json
from pickclutter_lang.utils.validation import did_you_mean
from pickclutter_lang.utils.words import quoted_value

if TYPE_CHECKING:
    from pickclutter_lang.experiments.sweep import Job

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


def config_keys(config: type, prefix: str = "") -> Iterator[str]:
    """Yield the dotted keys of a dataclass, those of nested ones included."""
    hints = typing.get_type_hints(config)
    for item in fields(config):
        yield f"{prefix}{item.name}"
        kind = dataclass_of(hints[item.name])
        if kind is not None:
            yield from config_keys(kind, f"{prefix}{item.name}.")


def dataclass_of(hint: Any) -> type | None:
    """Return the dataclass of a type, also of one that may be None."""
    return next((kind for kind in (hint, *typing.get_args(hint)) if is_dataclass(kind)), None)  # type: ignore[return-value]


@dataclass
class Command(Generic[Config]):
    """Makes a function of a configuration the main function of the command of its name; its docstring is the help."""

    config: type[Config]
    """Dataclass with the defaults; presets are merged over them."""
    presets: Mapping[str, str] = field(default_factory=dict)
    """Configuration group -> preset that is chosen by default."""
    preset_overrides: Mapping[str, Any] = field(default_factory=dict)
    """Values that are merged over those of any preset."""
    extends: str | None = None
    """Command whose runs this one starts, and whose keys it takes and hands on: `reproduce_table12` has those of
    `train_affordance`."""
    optional: Mapping[str, type] = field(default_factory=dict)
    """Group -> dataclass of a key that is null by default; presets start from `<group>_defaults`."""
    ignore_other_keys: bool = False
    """Presets may have keys that `config` lacks."""
    trains: bool = False
    """`torchrun` may start it in several processes, and hydra's launchers in several runs."""
    bare: str | None = None
    """Key of words without a key."""

    def __call__(self, task: Callable[[Config], None]) -> Callable[[], None]:
        """Return the main function."""
        self.name, self.text = task.__name__, inspect.getdoc(task) or ""
        if self.extends:
            load(self.extends)
        _register(self)

        @hydra.main(version_base="1.3", config_path=f"pkg://{CONFIG_MODULE}", config_name=self.name)
        def run(cfg: DictConfig) -> None:
            with exit_status():  # here too: `_run` takes what passes for a mistake in the command line
                task(self.parse(cfg))

        def main() -> None:
            if self.bare is not None:
                several = typing.get_origin(typing.get_type_hints(self.config)[self.bare]) is tuple
                sys.argv[1:] = bare_words_as(self.bare, sys.argv[1:], several)
            _run(cast(Callable[[], None], run), self)

        return main

    @property
    def title(self) -> str:
        """Its name on a command line."""
        return self.name.replace("_", "-")

    @property
    def all_presets(self) -> dict[str, str]:
        """Group -> chosen preset, those of the runs that it starts included."""
        return {**(REGISTERED[self.extends].all_presets if self.extends else {}), **self.presets}

    @property
    def keys(self) -> set[str]:
        """Its groups and dotted keys, those of the runs that it starts included."""
        keys = {*self.presets, *(REGISTERED[self.extends].keys if self.extends else ())}
        return keys.union(*map(config_keys, (self.config, *self.optional.values())))

    def parse(self, cfg: DictConfig) -> Config:
        """Return a composed configuration as the dataclass of the command."""
        if self.ignore_other_keys or self.extends:
            cfg = DictConfig({item.name: cfg[item.name] for item in fields(cast(Any, self.config))})
        return parse_config(self.config, cfg)


REGISTERED: dict[str, Command[Any]] = {}
"""The commands that were imported so far, by the name of their function."""


def _run(run: Callable[[], None], command: Command[Any]) -> None:
    """Let hydra compose the configuration of a command and run its task; errors of the composition get a name."""
    sys.argv[1:] = [_quoted(argument) for argument in sys.argv[1:]]
    _check_arguments(command, sys.argv[1:])
    Hydra.format_config_groups = _no_groups  # type: ignore[method-assign]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # have hydra raise its errors, rather than print them
    try:
        run()
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:  # the task's never come here
        raise explain(error, command) from error


def _quoted(argument: str) -> str:
    """Return an override with quotes around texts with letters beyond ASCII, which hydra takes in quotes alone."""
    key, sign, value = argument.partition("=")
    if not sign or key.startswith("-") or value.isascii() or set(value) & {*"'\"{}()$\\"}:
        return argument
    return key + sign + re.sub(r"[^\[\],]*[^\x00-\x7f][^\[\],]*", lambda text: f'"{text[0].strip()}"', value)


def _no_groups(self: Hydra, predicate: Callable[[str], bool], compact: bool = True) -> str:
    """Return nothing for hydra's own list of all groups: it takes most of the time of a help that does not show it."""
    return ""


def _check_arguments(command: Command[Any], arguments: Sequence[str]) -> None:
    """Refuse options that do not work here, and overrides that hydra would misread."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise InvalidArgumentError(f"{message}; see pickclutter {command.title} --help")

    parser.error = refuse  # type: ignore[method-assign]
    found = parser.parse_args(list(arguments))
    if found.config_path or found.config_name or found.experimental_rerun:
        refuse("expected presets of your own by --config-dir FOLDER, not another configuration")
    if (world_size() > 1 or found.multirun) and not command.trains:
        refuse("expected one run by one process; torchrun and --multirun are for the commands that train")
    if world_size() > 1 and found.multirun:
        refuse("expected one training by torchrun, but got --multirun; start one after the other")
    for override in found.overrides:
        key, equals, value = override.lstrip("+").partition("=")
        is_preset = key in command.all_presets
        is_group = not is_preset and any(one.startswith(f"{key}.") for one in command.keys)
        if (
            override.startswith("~")  # hydra would take the default
            or (equals and not key.strip())
            or (is_preset and (value in ("", "null") or value.startswith("[")))  # hydra would merge several
            or (equals and is_group and not value.startswith("{"))
        ):
            refuse(f"expected KEY=VALUE or GROUP=PRESET, but got {override!r}")


def explain(error: Exception, command: Command[Any]) -> InvalidArgumentError:
    """Return what is wrong with the overrides of a command, in one line with the nearest names.

    :param error: of the composition
    """
    text = " ".join(str(error).split())
    if isinstance(error, OverrideParseException):
        hint = "" if "=" in error.override else ", which has no ="
        reason = f"KEY=VALUE, but got {error.override!r}{hint}; special characters need quotes: 'KEY=\"VALUE\"'"
    elif isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, preset = error.missing_cfg_file.removesuffix(".yaml").rpartition("/")
        names = list(error.options or ())
        reason = f"{group} to be one of {', '.join(names)}, but got {preset!r}{did_you_mean(preset, names)}"
    elif unknown := re.match(r"Could not override '([^']*)'", text):
        hint = did_you_mean(unknown[1], command.keys - {unknown[1]})
        reason = f"a key of {command.title}, but got {unknown[1]!r}{hint}; see pickclutter {command.title} --help"
    else:
        reason = f"overrides that {command.title} takes: {text[:300]}"
    return InvalidArgumentError(f"expected {reason}")


def parse_config(schema: type[Config], cfg: DictConfig) -> Config:
    """Check a configuration against a dataclass and return it as one; call its `validate()` if it has one.

    :raises InvalidArgumentError: naming the key that is unknown, missing or of the wrong type
    """
    try:
        values: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise InvalidArgumentError(f"expected a value for {error.full_key}; give it, {error.full_key}=...") from error
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise InvalidArgumentError(f"expected another value of {error.full_key}: {reason}") from error
    try:
        made = check_json(_with_texts(schema, values), schema)
    except ValueError as error:
        key, _, reason = str(error).removeprefix("$").removeprefix(".").partition(": ")
        hint = f"; write {key}=[{OmegaConf.select(cfg, key)}]" if "array" in reason else ""
        raise InvalidArgumentError(f"expected another value of {key or 'the configuration'}: {reason}{hint}") from error
    validate = getattr(made, "validate", None)
    if validate is not None:
        validate()
    return made


def _with_texts(schema: type, values: dict[str, Any]) -> dict[str, Any]:
    """Return values in which a number is text where a key takes texts alone: a folder may be called 2024."""
    hints, found = typing.get_type_hints(schema), dict(values)
    for name, value in values.items():
        kind, hint = dataclass_of(hints.get(name)), hints.get(name)
        if kind is not None and isinstance(value, dict):
            found[name] = _with_texts(kind, value)
        elif type(value) in (int, float) and hint in (str, str | None):
            found[name] = str(value)
    return found


def compose_config(schema: type[Config], command: str, overrides: Sequence[str]) -> Config:
    """Return the configuration that a command would read.

    Inside another command, the folder of its `--config-dir` counts too.

    :param schema: the command's dataclass
    :param command: name of its function
    :raises InvalidArgumentError: naming an override that is wrong
    """
    load(command)
    running = GlobalHydra.instance().is_initialized()
    try:
        with nullcontext() if running else hydra.initialize_config_module(CONFIG_MODULE, version_base="1.3"):
            cfg = hydra.compose(command, overrides=list(overrides))
    except HydraException as error:
        raise explain(error, REGISTERED[command]) from error
    return cast(Config, REGISTERED[command].parse(cfg))


def run_jobs(jobs: Sequence[Job], command: str, out: str, workers: int, write: Callable[[], None]) -> None:
    """Run the jobs of a sweep, each in a process of a command; then print which failed, and end with status 1.

    :param write: writes the tables of the finished ones, where there are any
    """
    from pickclutter_lang.experiments.sweep import run_sweep

    sources = HydraConfig.get().runtime.config_sources
    own = [word for one in sources if one.provider == "command-line" for word in ("--config-dir", one.path)]
    failures = run_sweep(jobs, [*command_line(command), *own], Path(out), workers)
    if failures:
        summary = f"{len(failures)} of {len(jobs)} runs failed; run the same command again to try them"
        print(*failures, summary, sep="\n", file=sys.stderr)
    if any(job.done for job in jobs):
        write()
    if failures:
        sys.exit(1)


def _register(command: Command[Any]) -> None:
    """Give hydra the configuration of a command: defaults, presets, and what all commands share."""
    REGISTERED[command.name] = command
    # A resolver, so that only `--help` makes the text. Hydra substitutes `$` itself.
    help_of: Any = lambda name, _root_: command_help(REGISTERED[name], _root_).replace("$", "$$")  # noqa: E731
    OmegaConf.register_new_resolver("command_help", help_of, replace=True)
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
    shared = {
        "run": {"dir": "."},
        "output_subdir": None,
        "help": {"app_name": f"pickclutter {command.title}", "template": f"${{command_help:{command.name}}}"},
    }
    store.store(command.name, {"defaults": defaults, **command.preset_overrides, "hydra": shared})


def command_help(command: Command[Any], cfg: DictConfig) -> str:
    """Return the help of a command, with the values of a composed configuration."""
    values = cast(dict[str, Any], OmegaConf.to_container(cfg))
    examples = re.sub("^ *(?=pickclutter )", "    ", command.text.strip(), flags=re.MULTILINE)
    parts = [f"pickclutter {command.title}: {examples}"]
    if groups := command.all_presets:
        parts += ["Presets (GROUP=NAME); * is chosen:", *(_group_help(group, values) for group in groups)]
    parts += ["Keys (KEY=VALUE), with their values:", "\n".join(_key_lines(command.config, values, ""))]
    if command.extends:
        own = {item.name for item in fields(cast(Any, command.config))}
        rest = {key: value for key, value in values.items() if key not in own}
        parts += ["Keys of each run:", "\n".join(_key_lines(REGISTERED[command.extends].config, rest, ""))]
    return "\n\n".join([*parts, _OPTIONS])


def _group_help(group: str, values: dict[str, Any]) -> str:
    """Return the presets of a group, each with the first comment of its file; those of the user's have none."""
    names = GlobalHydra.instance().config_loader().get_group_options(group)
    chosen = values["hydra"]["runtime"]["choices"].get(group)
    width = max(map(len, names)) + 3
    lines = [f"  {group}"]
    for name in names:
        path = files(CONFIG_MODULE) / group / f"{name}.yaml"
        comments = re.findall(r"^#(?! @package) ?(.*)", path.read_text() if path.is_file() else "", re.MULTILINE)
        label = f"    {'*' if name == chosen else ' '} {name:<{width}}"
        lines += _wrapped(comments[0] if comments else "", label, " " * len(label)) or [label.rstrip()]
    return "\n".join(lines)


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=others)


def _key_lines(config: type, values: dict[str, Any], prefix: str) -> Iterator[str]:
    """Yield the lines of the keys of a dataclass, those that it inherits last, and of nested ones below it."""
    docs, hints = field_docs(config), typing.get_type_hints(config)
    inherited = {item.name for base in config.__bases__ if is_dataclass(base) for item in fields(base)}
    names = sorted((item.name for item in fields(config)), key=inherited.__contains__)
    nested = []
    for name in (name for name in names if name in values):
        value, kind = values[name], dataclass_of(hints[name])
        if kind is not None and isinstance(value, dict):
            nested.append((kind, value, f"{prefix}{name}"))
        else:
            yield f"  {prefix}{name}={_format_value(value)}"
            yield from _wrapped(docs.get(name, ""), " " * 6, " " * 6)
    for kind, value, name in nested:
        about = (kind.__doc__ or "").strip().splitlines()[0]
        yield from ["", *_wrapped(f"{name}: {about}", "  ", "  "), *_key_lines(kind, value, f"{name}.")]


@cache
def field_docs(config: type) -> dict[str, str]:
    """Return the documentation of the fields of a dataclass, those of its base classes included.

    :return: field -> its text on one line; a field without a string below it is missing
    """
    found: dict[str, str] = {}
    for base in reversed(config.__mro__[:-1]):
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(body, ast.ClassDef)
        for item, text in zip(body.body, body.body[1:]):  # noqa: B905
            match item, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                    found[name] = " ".join(words.split())
    return found


def _format_value(value: Any) -> str:
    """Return a value as a command line takes it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_format_value, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{_format_value(item)}' for key, item in value.items())}}}"
    return str(value)


def bare_words_as(key: str, words: Sequence[str], several: bool = False) -> list[str]:
    """Return words in which the one without a key is `key='...'`, and the first; as they are where there is none.

    Without a key is no option, nor the word after one, nor an override of hydra, `key=value` or `~key`.

    :param several: of a list: there may be several of them
    :raises InvalidArgumentError: for several of them, as a text without quotes is
    """
    after_option = [False, *(word.startswith("-") for word in words)]
    bare = [n for n, word in enumerate(words) if not (after_option[n] or word[:1] in ("-", "~") or "=" in word)]
    if not bare or any(word.startswith(f"{key}=") for word in words):
        return list(words)
    found = [words[n] for n in bare]
    if len(bare) > 1 and not several:
        raise InvalidArgumentError(f"expected one {key}, but got the words {' '.join(found)!r}; put it in quotes")
    value = ",".join(map(quoted_value, found))
    rest = [word for n, word in enumerate(words) if n not in bare]
    return [f"{key}=[{value}]" if several else f"{key}={value}", *rest]

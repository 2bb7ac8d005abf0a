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
import yaml
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
from pickclutter_lang.utils.words import as_hydra_reads, quoted_value

if TYPE_CHECKING:
    from pickclutter_lang.experiments.sweep import Job

CONFIG_MODULE = "pickclutter_lang.configs"
Config = TypeVar("Config")
WIDTH = 100
_HELP = {"-h", "--help"}
_SWEEP = ("-m", "--multirun")
_LAUNCHER = re.compile(r"hydra(/launcher|\.launcher\.\w+)")
_OPTIONS = """Options:

  --help all
      Show all keys and presets.
  --config-dir FOLDER
      Find presets of your own there too, in FOLDER/GROUP/NAME.yaml.
  --cfg job
      Print the configuration, and do nothing.
  --debug
      Show the traceback of an error too; so does PICKCLUTTER_DEBUG=1."""


def key_types(config: type, prefix: str = "") -> dict[str, Any]:
    """Return the dotted keys of a dataclass, those of nested ones included, with their types."""
    hints = typing.get_type_hints(config)
    found = {f"{prefix}{item.name}": hints[item.name] for item in fields(config)}
    for key, hint in list(found.items()):
        if kind := dataclass_of(hint):
            found |= key_types(kind, f"{key}.")
    return found


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
    short: Sequence[str] = ()
    """Keys that the short help has; none: those that are in no group."""

    def __call__(self, task: Callable[[Config], None]) -> Callable[[], None]:
        """Return the main function."""
        self.name, self.text = task.__name__, inspect.getdoc(task) or ""
        if self.extends:
            load(self.extends)
        _register(self)

        def main() -> None:
            words = sys.argv[1:]
            asks = not _HELP.isdisjoint(words)
            full = "all" in words
            if asks:
                words = [word for word in words if word not in ("all", *_HELP, *_SWEEP)]
            if self.bare is not None:
                words = bare_words_as(self.bare, words, typing.get_origin(self.types[self.bare]) is tuple)

            def run(cfg: DictConfig) -> None:
                with exit_status():  # here too: `_run` takes what passes for a mistake in the command line
                    if asks:
                        print(command_help(self, cfg, full))
                    else:
                        task(self.parse(cfg))

            _run(run, self, words)

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
    def types(self) -> dict[str, Any]:
        """Its groups and dotted keys, those of the runs that it starts included, with their types."""
        found = REGISTERED[self.extends].types if self.extends else {}
        for config in (self.config, *self.optional.values()):
            found |= key_types(config)
        return found | dict.fromkeys(self.presets, str)

    def parse(self, cfg: DictConfig) -> Config:
        """Return a composed configuration as the dataclass of the command."""
        if self.ignore_other_keys or self.extends:
            cfg = DictConfig({item.name: cfg[item.name] for item in fields(cast(Any, self.config))})
        return parse_config(self.config, cfg)


REGISTERED: dict[str, Command[Any]] = {}
"""The commands that were imported so far, by the name of their function."""


def _run(run: Callable[[DictConfig], None], command: Command[Any], words: Sequence[str]) -> None:
    """Let hydra compose the configuration of a command and run its task; errors of the composition get a name."""
    _check_arguments(command, words)
    sweeps = any(word in _SWEEP for word in words)
    sys.argv[1:] = [as_hydra_reads(word, command.types, sweeps) for word in words]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # have hydra raise its errors, rather than print them
    start = hydra.main(version_base="1.3", config_path=f"pkg://{CONFIG_MODULE}", config_name=command.name)(run)
    try:
        start()
    except (HydraException, OmegaConfBaseException, ValueError, TypeError, RecursionError) as error:  # of no task
        raise explain(error, command) from error


def _check_arguments(command: Command[Any], arguments: Sequence[str]) -> None:
    """Refuse options that do not work here, and overrides that hydra would misread."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise InvalidArgumentError(f"{message}; see pickclutter {command.title} --help")

    parser.error = refuse  # type: ignore[method-assign]
    for word, value in zip(arguments, [*arguments[1:], ""], strict=False):
        key, sign, _ = word.removeprefix("--").replace("-", "_").partition("=")
        if word.startswith("--") and key in command.types:
            refuse(f"expected KEY=VALUE, but got {word!r}; write {key}={word.partition('=')[2] if sign else value}")
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
        if "hydra" in key and not (command.trains and _LAUNCHER.fullmatch(key) and "_target_" not in override):
            refuse(f"expected no settings of hydra but those of its launcher for a training, but got {override!r}")
        if (
            override.startswith("~")  # hydra would take the default
            or (equals and not (key.strip() and value.strip("'\" ")))  # `KEY=$UNSET` is no wish for nothing
            or (is_preset and (value == "null" or value.startswith("[")))  # hydra would merge several
            or (equals and dataclass_of(command.types.get(key)) and not value.startswith("{"))
        ):
            refuse(f"expected KEY=VALUE or GROUP=PRESET, but got {override!r}")


def explain(error: Exception, command: Command[Any]) -> InvalidArgumentError:
    """Return what is wrong with the overrides of a command, in one line with the nearest names.

    :param error: of the composition
    """
    text = " ".join(str(error).split())
    if isinstance(error, OverrideParseException):
        hint = "" if "=" in error.override else ", which has no ="
        reason = f"KEY=VALUE, but got {error.override[:300]!r}{hint}; special characters need quotes: 'KEY=\"VALUE\"'"
    elif isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, preset = error.missing_cfg_file.removesuffix(".yaml").rpartition("/")
        names = list(error.options or ())
        reason = f"{group} to be one of {', '.join(names)}, but got {preset!r}{did_you_mean(preset, names)}"
    elif unknown := re.match(r"Could not override '([^']*)'", text):
        hint = did_you_mean(unknown[1], command.types.keys() - {unknown[1]})
        reason = f"a key of {command.title}, but got {unknown[1]!r}{hint}; see pickclutter {command.title} --help"
    elif isinstance(error, RecursionError):
        reason = "fewer levels of lists and objects in a value"
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
        made = check_json(values, schema)
    except ValueError as error:
        key, _, reason = str(error).removeprefix("$").removeprefix(".").partition(": ")
        hint = "; put quotes around a text" if "expected str" in reason else ""
        raise InvalidArgumentError(f"expected another value of {key or 'the configuration'}: {reason}{hint}") from error
    validate = getattr(made, "validate", None)
    if validate is not None:
        validate()
    return made


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
    shared = {"run": {"dir": "."}, "output_subdir": None}
    store.store(command.name, {"defaults": defaults, **command.preset_overrides, "hydra": shared})


def command_help(command: Command[Any], cfg: DictConfig, full: bool) -> str:
    """Return the help of a command, with the values of a composed configuration.

    :param full: with all keys and what each preset is; otherwise with the keys that people set, where that is less
    """
    values = cast(dict[str, Any], OmegaConf.to_container(cfg))
    groups = command.all_presets
    own = key_types(command.config)
    shown = command.short or [key for key in own if "." not in key and dataclass_of(own[key]) is None]
    full = full or not (groups or command.extends or len(shown) < len(own))
    examples = re.sub("^ *(?=pickclutter )", "    ", command.text.strip(), flags=re.MULTILINE)
    parts = [f"pickclutter {command.title}: {examples}"]
    if groups:
        presets = ("\n\n" if full else "\n").join(_group_help(group, full) for group in groups)
        parts += ["Presets (GROUP=NAME); * is chosen:", presets]
    keys = _key_lines(command.config, values, "", None if full else shown)
    parts += ["Keys (KEY=VALUE), with their values:", "\n".join(keys)]
    if not full:
        count = sum(dataclass_of(hint) is None for key, hint in command.types.items() if key not in groups)
        return "\n\n".join([*parts, f"pickclutter {command.title} --help all shows all {count} keys, and options."])
    if command.extends:
        rest = {key: value for key, value in values.items() if key not in own}
        parts += ["Keys of each run:", "\n".join(_key_lines(REGISTERED[command.extends].config, rest, ""))]
    return "\n\n".join([*parts, _OPTIONS])


def _group_help(group: str, full: bool) -> str:
    """Return the presets of a group; in full each with the first comment of its file: those of the user's have none."""
    names = GlobalHydra.instance().config_loader().get_group_options(group)
    chosen = HydraConfig.get().runtime.choices.get(group)
    if not full:
        marked = ", ".join(f"* {name}" if name == chosen else name for name in names)
        return "\n".join(_wrapped(marked, f"  {group}: ", " " * 6))
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


def _key_lines(config: type, values: dict[str, Any], prefix: str, shown: Sequence[str] | None = None) -> Iterator[str]:
    """Yield the lines of the keys of a dataclass, those that it inherits last, and of nested ones below it.

    :param shown: dotted keys that are yielded; None: all
    """
    docs = field_docs(config)
    hints = typing.get_type_hints(config)
    inherited = {item.name for base in config.__bases__ if is_dataclass(base) for item in fields(base)}
    names = sorted((item.name for item in fields(config)), key=inherited.__contains__)
    nested = []
    for name in (name for name in names if name in values):
        value = values[name]
        kind = dataclass_of(hints[name])
        if kind is not None and isinstance(value, dict):
            nested.append((kind, value, f"{prefix}{name}"))
        elif shown is None or f"{prefix}{name}" in shown:
            yield f"  {prefix}{name}={_format_value(value)}"
            yield from _wrapped(docs.get(name, ""), " " * 6, " " * 6)
    for kind, value, name in nested:
        about = (kind.__doc__ or "").strip().splitlines()[0]
        lines = [*_key_lines(kind, value, f"{name}.", shown)]
        yield from ["", *_wrapped(f"{name}: {about}", "  ", "  "), *lines] if lines else ()


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
    return (
        value
        if isinstance(value, str)
        else re.sub("([,:]) ", r"\1", yaml.safe_dump(value, default_flow_style=True, width=10**6).splitlines()[0])
    )


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

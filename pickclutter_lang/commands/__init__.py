"""The commands of the package: `pickclutter COMMAND key=value ...`, each a function of a module of this folder.

Only the module of the chosen command is imported: `pickclutter --help` needs neither torch nor hydra.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import FrameType

from pickclutter_lang import __version__
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError, PickClutterError, RankError
from pickclutter_lang.utils.ranks import is_main
from pickclutter_lang.utils.validation import did_you_mean

COMMANDS: dict[str, dict[str, str]] = {
    "simulator": {
        "check-install": "check that the simulator works here, and render one pile",
        "collect-scenes": "collect scenes of clutter with the simulator",
        "validate-grasp-labels": "check the label graspable against picks by the simulated arm",
        "import-mesh": "import your own meshes as an object set",
        "render-object-views": "render views of single objects",
        "render-object-sheet": "render one image of all objects with their names",
    },
    "distillation": {
        "train-affordance": "distill a student from a teacher, fine-tune it on few scenes, evaluate it",
        "evaluate-affordance": "evaluate a finished run again, or a policy on any scenes",
        "compare-runs": "compare finished runs on one page: settings, results, paired differences",
        "reproduce-table12": "run Table 12; tables_only=true: write it again from finished runs",
    },
    "images": {
        "train-image-student": "one run of the image-classification tables",
        "reproduce-tables": "run Tables 1 to 11 and Figures 1, 2b and 4",
        "caption-images": "caption images with a captioning model",
    },
    "teachers": {
        "train-teacher": "train a pocket teacher on scenes and views, or on a folder of images",
        "describe-labels": "ask a language model to describe labels",
    },
    "policies": {
        "export-policy": "write a finished student as a policy folder",
        "export-runtime": "write a policy folder as ONNX networks, for use without torch",
        "teach": "show a policy objects: photos, meshes or labeled scenes; no training",
        "label": "have a large model name what lies in looks, once, and teach a policy that",
        "forget": "take objects out of a policy's memory",
        "examples": "list what a policy was taught, with pictures",
        "evaluate-policy": "have policies pick by name in the simulator, and count successes",
        "pick": "name an object, and have the arm pick it out of a pile: a video",
        "locate": "find named objects in a frame of your own camera, and their grasps",
        "look": "ask for names in an image: scores, thresholds, maps",
        "demo": "name an object in a browser on this machine, and let the arm pick it",
        "train-ppo": "train PPO on a student's features",
    },
    "files": {
        "collect-demos": "keep episodes of picks by name as trajectories of the simulator",
        "export-lerobot": "write demonstrations as a LeRobot data set",
        "verify-scenes": "check every shard of a scene store",
        "import-scenes": "make a scene store of the published HDF5 file",
        "push": "push a policy, a teacher or a scene store to the Hugging Face Hub",
        "fetch": "fetch one of them from the hub, and check it",
    },
}
"""Module of this folder -> command, a function there -> what it does, in a line."""

DEBUG = "PICKCLUTTER_DEBUG"
"""Environment variable: with 1, an error shows its traceback too."""
LOG = "PICKCLUTTER_LOG"
"""Environment variable: the least important messages that are shown, `debug`, `info` (default), `warning` or `error`.
From `warning` on there are no progress bars."""
_EXTRAS = {  # of packages that modules import at the top
    "trimesh": "sim",
    **dict.fromkeys(("h5py", "huggingface_hub", "hydra", "matplotlib", "omegaconf", "open_clip"), "train"),
    **dict.fromkeys(("PIL", "gymnasium", "loky", "rich", "scipy", "skimage", "torch", "transforms3d"), "train"),
}
_OUT_OF_MEMORY = ("can't allocate memory", "CUDA out of memory", "Unable to allocate")
_DISK = "fix that and run the same command again, finished files are kept"
_interrupted = False
"""Whether SIGINT came: compiled modules turn a KeyboardInterrupt in their import into another error."""
_NAMES = tuple(name for group in COMMANDS.values() for name in group)
_HELP = ("help", "-h", "--help")
_OPTIONS = {"--debug": (DEBUG, "1"), "--verbose": (LOG, "debug"), "--quiet": (LOG, "warning")}
"""Options of every command -> the environment variable that they set, also for the processes that it starts."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name.

    :param arguments: of the command line, by default the process's
    :return: the exit status: 0, or 2 for an unknown command; commands that fail end the process by SystemExit
    """
    words = [*(sys.argv[1:] if arguments is None else arguments)]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack a letter; standard error escapes it
    if words and words[0] in _NAMES:
        os.environ.update(_OPTIONS[word] for word in words if word in _OPTIONS)
        words = [word for word in words if word not in _OPTIONS]
    try:
        try:
            with exit_status():
                return _dispatch(words)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, took what it wanted. Python would report the rest when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _dispatch(arguments: Sequence[str]) -> int:
    first, *rest = arguments or [""]
    if first in _NAMES:
        _run(first, rest)
    elif first in ("--shell-completion", "-sc"):
        _complete(rest)
    elif first == "--version":
        print(f"pickclutter {__version__}")
    elif first in _HELP and rest and rest[0] not in _HELP:
        return _dispatch([rest[0], "--help", *rest[1:]])
    elif first in ("", *_HELP):
        print(help_text())
        return 0 if first else 2
    else:
        hint = did_you_mean(first.replace("_", "-"), _NAMES)
        print(f"expected a command, but got {first!r}{hint}; pickclutter --help lists them", file=sys.stderr)
        return 2
    return 0


def command_line(name: str) -> list[str]:
    """Return the command line that runs a command in its own process with this Python; its arguments come after."""
    return [sys.executable, "-m", __name__, name]


def help_text() -> str:
    """Return the commands with a line each, by what one wants to do."""
    width = max(map(len, _NAMES)) + 2
    lines = ["usage: pickclutter COMMAND [key=value ...]", "       pickclutter COMMAND --help [all]", ""]
    for group, commands in COMMANDS.items():
        lines += [group, *(f"  {name:<{width}}{line}" for name, line in commands.items()), ""]
    lines += [
        "options",
        f"  {'--version':<{width}}the version of the package",
        f"  {'--config-dir FOLDER':<{width}}after COMMAND: find configuration groups of your own there too",
        f"  {'--debug':<{width}}after COMMAND: show the traceback of an error too ({DEBUG}=1)",
        f"  {'--verbose':<{width}}after COMMAND: more messages ({LOG}=debug)",
        f"  {'--quiet':<{width}}after COMMAND: only warnings and errors ({LOG}=warning)",
        "",
        'shell completion, in bash or zsh: eval "$(pickclutter --shell-completion install=bash)"',
    ]
    return "\n".join(lines)


def load(name: str) -> Callable[[], None]:
    """Import the module of a command, and return its function.

    :param name: `train-affordance` or `train_affordance`
    """
    command = name.replace("_", "-")
    module = next(module for module, commands in COMMANDS.items() if command in commands)
    function: Callable[[], None] = getattr(import_module(f"{__name__}.{module}"), command.replace("-", "_"))
    return function


def _run(name: str, arguments: Sequence[str], program: str | None = None) -> None:
    """Call a command, with the process's arguments as if it were a separate program."""
    sys.argv = [program or f"pickclutter {name}", *arguments]
    load(name)()


def _complete(request: Sequence[str]) -> None:
    """Answer a shell: with the commands, or with the settings of one, which hydra knows as a separate program."""
    name = "verify-scenes"  # any: hydra's script for the shell is the same for all
    if any(word.startswith("query=") for word in request):
        program, *words = os.environ["COMP_LINE"].split(" ")
        if len(words) < 2:
            print(" ".join([*_NAMES, "--help", "--version"]))
        if len(words) < 2 or words[0] not in _NAMES:
            return
        name = words[0]
        os.environ["COMP_LINE"] = " ".join([program, *words[1:]])
    _run(name, ["--shell-completion", *request], program="pickclutter")


@contextmanager
def exit_status() -> Iterator[None]:
    """Run a command in the block: show its messages, and end the process by one line and a status for any error.

    The status is 2 for a named error, 130 for an interruption, and 1 for an error without a name. With
    `PICKCLUTTER_DEBUG=1` the traceback comes first. Of several processes, rank 0 prints what all have in common.
    """
    try:
        with _noted_interruption(), _shown_messages():
            yield
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, Exception) as error:
        if _debugging():
            traceback.print_exc()
        status, line = describe(error)
        if isinstance(error, RankError) or is_main():
            print(" ".join(line.split()), file=sys.stderr)
        raise SystemExit(status) from None


def describe(error: BaseException) -> tuple[int, str]:
    """Return the exit status for an error, and its line."""
    if _interrupted or isinstance(error, KeyboardInterrupt):
        return 130, "interrupted; run the same command again to resume"
    name = type(error).__name__
    text = str(error)
    if isinstance(error, PickClutterError):
        return 2, f"{name}: {text}"
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in _EXTRAS:
        return 2, f"MissingExtraError: {MissingExtraError(package, _EXTRAS[package])}"
    if isinstance(error, OSError) and error.errno is not None:
        place = error.filename if error.filename is not None else "a file"
        return 2, f"cannot use {place}: {error.strerror}; {_DISK}"
    first_line = (text.strip() or "no message").splitlines()[0][:300]
    if isinstance(error, MemoryError) or any(part in text for part in _OUT_OF_MEMORY):
        return 2, f"out of memory ({first_line}); use smaller batches and images, or fewer workers"
    if text.startswith("Symlink loop"):  # of Path.resolve, which is no OSError either
        return 2, f"cannot use a path: {first_line}; correct it"
    if "os error " in text or "I/O error" in text:  # of safetensors, which is no OSError
        return 2, f"cannot write a file: {first_line}; {_DISK}"
    return 1, (
        f"unexpected {name}: {first_line}; {DEBUG}=1 shows the traceback: please report it, with the output of "
        "pickclutter check-install report=true"
    )


def _debugging() -> bool:
    return os.environ.get(DEBUG, "") not in ("", "0")


class _StandardError(logging.Handler):
    """Prints messages; standard error is looked up each time, since a progress bar puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


@contextmanager
def _shown_messages() -> Iterator[None]:
    """Show the log messages of the package, by the level of `PICKCLUTTER_LOG`; a command inside another adds nothing.

    A thread's error for a full disk is not shown: the main thread gets TensorBoard's too.
    """
    package = logging.getLogger("pickclutter_lang")
    if any(isinstance(handler, _StandardError) for handler in package.handlers):
        yield
        return
    name = os.environ.get(LOG, "info" if is_main() else "warning").upper()
    if name not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise InvalidArgumentError(f"expected {LOG} to be debug, info, warning or error, but got {name.lower()!r}")
    # The client of Hugging Face's hub repeats itself at each of its attempts. Its error says enough.
    os.environ.setdefault("HF_HUB_VERBOSITY", "info" if name == "DEBUG" else "error")
    handler = _StandardError()
    before = (package.level, package.propagate)
    hook = threading.excepthook

    def report(failed: threading.ExceptHookArgs) -> None:
        if _debugging() or not isinstance(failed.exc_value, OSError):
            hook(failed)

    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    package.addHandler(handler)
    package.setLevel(name)
    package.propagate = False  # a library's `logging.info` gives the root a handler, which would repeat them
    threading.excepthook = report
    try:
        yield
    finally:
        package.removeHandler(handler)
        package.setLevel(before[0])
        package.propagate = before[1]
        threading.excepthook = hook


@contextmanager
def _noted_interruption() -> Iterator[None]:
    """Note SIGINT in `_interrupted`, where it raises KeyboardInterrupt."""
    global _interrupted
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is not signal.default_int_handler:
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        global _interrupted
        _interrupted = True
        raise KeyboardInterrupt

    _interrupted = False
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

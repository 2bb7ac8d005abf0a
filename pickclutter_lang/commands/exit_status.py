"""What commands say and how they end: messages on standard error, one line for every error, and the exit status."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError, PickClutterError, RankError
from pickclutter_lang.utils.ranks import is_main

DEBUG = "PICKCLUTTER_DEBUG"
"""Environment variable: with 1, an error shows its traceback too."""
LOG = "PICKCLUTTER_LOG"
"""Environment variable: the least important messages that are shown, `debug`, `info` (default), `warning` or `error`.
From `warning` on there are no progress bars."""
INTERRUPTED = 130
_EXTRAS = {  # of packages that modules import at the top
    "trimesh": "sim",
    **dict.fromkeys(("h5py", "huggingface_hub", "hydra", "matplotlib", "omegaconf", "open_clip"), "train"),
    **dict.fromkeys(("PIL", "gymnasium", "joblib", "rich", "scipy", "skimage", "torch", "transforms3d"), "train"),
    "onnxruntime": "runtime",
    "stable_baselines3": "rl",
}
_OUT_OF_MEMORY = ("can't allocate memory", "CUDA out of memory", "Unable to allocate")
_DISK = "fix that and run the same command again, finished files are kept"
_interrupted = False
"""Whether SIGINT came: compiled modules turn a KeyboardInterrupt in their import into another error."""


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
        return INTERRUPTED, "interrupted; run the same command again to resume"
    name, text = type(error).__name__, str(error)
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
    handler, before, hook = _StandardError(), (package.level, package.propagate), threading.excepthook

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

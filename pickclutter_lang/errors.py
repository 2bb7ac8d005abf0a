"""The named errors of the package. Each message states what was expected, what came, and what to do."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

SIMULATORS = {"sim": "mani_skill2", "sim3": "mani_skill"}
"""Extra -> the package that it installs."""


class PickClutterError(Exception):
    """Base of every error that a user can fix; commands print it as one line and exit with status 2."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Have `rebuild_error` make the error in another process."""
        return rebuild_error, (type(self).__name__, str(self))


class MissingExtraError(PickClutterError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; {install_line(extra)}")


class InvalidArgumentError(PickClutterError, ValueError):
    """A setting or an argument outside its range."""


class UnknownObjectError(PickClutterError, KeyError):
    """A name or id that the object set does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


class MissingAssetsError(PickClutterError, FileNotFoundError):
    """Meshes, weights or other files that must be there are not."""


class RendererError(PickClutterError, RuntimeError):
    """No usable Vulkan device."""


class DatasetError(PickClutterError):
    """A dataset, or another file of the package, that cannot be read or written."""


class CorruptShardError(DatasetError):
    """A shard whose bytes are not those in the manifest."""


class MismatchError(DatasetError):
    """Files that were made with another configuration than the current one."""


class WorkerError(PickClutterError):
    """A worker process that ended unexpectedly."""


class RankError(PickClutterError):
    """One of the processes of a training by `torchrun` that failed or was lost."""


class LockedError(PickClutterError):
    """A file or folder that another process holds."""


class CheckpointError(PickClutterError):
    """A checkpoint that cannot be read or does not fit the model."""


class HubError(CheckpointError):
    """A repository of the Hugging Face Hub that cannot be fetched from or pushed to."""


class TrackerError(PickClutterError):
    """A tracker of experiments that cannot be reached, or refuses the run."""


class TeacherError(PickClutterError):
    """A teacher that cannot be loaded, or whose features do not fit."""


class ExportError(PickClutterError):
    """A student that cannot be exported, or whose export computes other values than the student."""


class LanguageModelError(PickClutterError):
    """A language model that cannot be reached, refuses, or gives unusable answers."""


def install_line(*extras: str) -> str:
    """Return what to run to install extras, beside the simulator that is installed: without it, its pins break."""
    installed = [extra for extra, package in SIMULATORS.items() if find_spec(package)][:1]
    words = ",".join([*installed, *(extra for extra in extras if not installed or extra not in SIMULATORS)])
    if (Path(__file__).parents[1] / "pyproject.toml").is_file():
        return f"run in the clone: pip install -e '.[{words}]'"
    return f"run: pip install 'pickclutter-lang[{words}]'"


def rebuild_error(name: str, text: str) -> PickClutterError:
    """Return an error that another process raised; its constructor may take other arguments than the text."""
    kind = globals().get(name, PickClutterError)
    error: PickClutterError = kind.__new__(kind)
    error.args = (text,)
    return error

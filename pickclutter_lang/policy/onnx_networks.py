"""`OnnxNetworks`: the networks of a student, computed by ONNX Runtime; needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

import numpy as np

from pickclutter_lang.errors import CheckpointError, MissingExtraError, PickClutterError, UnknownObjectError
from pickclutter_lang.policy.example_memory import crop_metric
from pickclutter_lang.policy.networks import SCORES, StudentOutput
from pickclutter_lang.policy_folder.folder import (
    CROP_ENCODER_FILE,
    CROPS_FILE,
    NETWORK_FILE,
    PolicyConfig,
    TextFeatures,
    read_policy_file,
    read_text,
)
from pickclutter_lang.utils.reading import check_finite
from pickclutter_lang.utils.typing import Float32Array
from pickclutter_lang.utils.validation import did_you_mean

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MAX_SECONDS = 30.0
"""Longest run of an ONNX network; one takes some hundredths."""


class OnnxNetworks:
    """The networks of a folder of `pickclutter export-runtime`, run by ONNX Runtime in float32.

    Text features of all names lie in the folder: no other name can be encoded here.
    """

    def __init__(self, folder: Path, config: PolicyConfig, num_threads: int | None = None) -> None:
        """Read the networks and text features of a folder.

        :raises CheckpointError: when a file is missing or damaged
        :raises MissingExtraError: without ONNX Runtime
        """
        files = [name for name in (NETWORK_FILE, CROPS_FILE, CROP_ENCODER_FILE) if name in config.sha256]
        self._folder, self._labels = folder, len(config.student.names)
        self._networks = {name: read_policy_file(folder, config, name) for name in files}
        self._num_threads = num_threads
        self._names = [*config.student.names, *config.further_names]
        self._rows = {name: row for row, name in enumerate(self._names)}
        self._text = read_text(folder, config)
        spec = config.student  # what is no such network fails here, not in an episode
        blank = np.zeros((1, spec.camera_spec.channels, spec.image_size, spec.image_size), np.float32)
        self.score(blank, self.encode_names(self._names[:1]))
        if size := spec.object_crop_size:
            self.classify_crops(np.zeros((1, 3, size, size), np.float32), np.zeros((1, size, size), np.float32))

    @property
    def names(self) -> list[str]:
        """Names whose text features are known."""
        return self._names

    def encode_names(self, names: Sequence[str]) -> TextFeatures:
        """Return the text features of names.

        :raises UnknownObjectError: for a name that the folder has no features of
        """
        if unknown := [name for name in names if name not in self._rows]:
            near = did_you_mean(unknown[0], self._names)
            raise UnknownObjectError(
                f"expected some of the {len(self._names)} names that {self._folder} was exported with, but got "
                f"{', '.join(unknown)}{near}; to add names: pickclutter export-runtime policy=... names=..."
            )
        rows = [self._rows[name] for name in names]
        return TextFeatures(self._text.positive[rows], self._text.negative[rows])

    def score(self, images: Float32Array, text: TextFeatures) -> StudentOutput:
        """Score texts on an image [1, K, S, S]."""
        with self._errors(NETWORK_FILE):
            found = self._run(NETWORK_FILE, SCORES, {"images": images, **text._asdict()})
            side = found[1].shape[-1:]
            count = len(text.positive)
            if [one.shape for one in found] != [(1, count), *[(1, count, *side, *side)] * 2]:
                raise ValueError(f"expected probabilities and square maps of {count} names")
            if not ((found[0] >= 0) & (found[0] <= 1)).all():
                raise ValueError("expected probabilities in 0..1")
        return StudentOutput(*(value[0] for value in found))

    def classify_crops(self, images: Float32Array, masks: Float32Array) -> Float32Array:
        """Return logits [n, C] of the folder's names for object crops."""
        with self._errors(CROPS_FILE):
            (logits,) = self._run(CROPS_FILE, ["logits"], {"images": images, "masks": masks})
            if logits.shape != (len(images), self._labels):
                raise ValueError(f"expected logits of {self._labels} names")
        return logits

    def encode_crops(self, crops: Float32Array, teacher_only: bool = False) -> Float32Array:
        """Return features [n, F] of crops of objects alone, as `TorchNetworks.encode_crops` does.

        ONNX Runtime computes both networks, whichever is asked for.

        :raises CheckpointError: for a folder that was exported without examples
        """
        if CROP_ENCODER_FILE not in self._networks:
            raise CheckpointError(
                f"expected {CROP_ENCODER_FILE} in {self._folder}, but it was exported without a crop encoder; "
                "export it again: pickclutter export-runtime policy=... out=..."
            )
        with self._errors(CROP_ENCODER_FILE):
            (features,) = self._run(CROP_ENCODER_FILE, ["features"], {"crops": crops})
            if features.shape != (len(crops), len(crop_metric().mean)):
                raise ValueError(f"expected features of {len(crop_metric().mean)} numbers")
        return features[:, : crop_metric().teacher_width] if teacher_only else features

    def _run(self, name: str, outputs: Sequence[str], given: Mapping[str, Float32Array]) -> list[Float32Array]:
        """Return the outputs of a network, which may be anyone's: they are finite, and it has `MAX_SECONDS`."""
        session = self._sessions[name]
        from onnxruntime import RunOptions

        options = RunOptions()
        options.log_severity_level = 4  # the error says it
        bound = Timer(MAX_SECONDS, setattr, (options, "terminate", True))
        bound.start()
        try:
            found: list[Float32Array] = session.run(list(outputs), given, options)
        finally:
            bound.cancel()
        check_finite(dict(zip(outputs, found, strict=True)))
        return found

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        """Raise CheckpointError for what is wrong with a network."""
        try:
            yield
        except PickClutterError:
            raise
        except Exception as error:  # those of ONNX Runtime have no base of their own
            raise CheckpointError(
                f"cannot run {self._folder / name} ({' '.join(str(error).split())[:200]}); export it again: "
                "pickclutter export-runtime policy=... out=..."
            ) from error

    @cached_property
    def _sessions(self) -> dict[str, InferenceSession]:
        return {name: _session(data, self._num_threads) for name, data in self._networks.items()}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the sessions, so that a student can be sent to other processes."""
        return {name: value for name, value in self.__dict__.items() if name != "_sessions"}


def _session(data: bytes, num_threads: int | None) -> InferenceSession:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnxruntime", "runtime") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = num_threads or 0
    # Threads that wait sleep: between decisions the arm moves, and other processes want the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

"""`OnnxStudent`: inference with a student that `pickclutter export-runtime` wrote, without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import CheckpointError, MissingExtraError, UnknownObjectError
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.policy.config import StudentSpec, Thresholds
from pickclutter_lang.policy.manifest import CROPS_FILE, NETWORK_FILE, TEXT_FILE, read_manifest
from pickclutter_lang.policy.name_features import NameFeatures, read_name_features, read_stored_features
from pickclutter_lang.policy.student import ExportedStudent, StudentOutput, object_crops, odds_against_others
from pickclutter_lang.utils.tensor_files import read_bytes

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SCORES = ("probabilities", "attention", "cell_logits")
"""Outputs of the network, in the order of `StudentOutput`."""
_AGAIN = "export it again: pickclutter export-runtime policy=... out=..."


class OnnxStudent(ExportedStudent):
    """An exported student on the CPU, run by ONNX Runtime in float32; created by `load`.

    It knows the names of its folder. Features of others are made where torch and the teacher are, by `pickclutter
    encode-names`, and added here by `add_names`.
    """

    def __init__(
        self,
        config: StudentSpec,
        thresholds: Thresholds,
        networks: Mapping[str, bytes],
        text: NameFeatures,
        num_threads: int | None = None,
    ) -> None:
        """Set up the networks; `load` is the usual way.

        :param networks: ONNX models, `NETWORK_FILE` and, with a crop classifier, `CROPS_FILE`
        :param text: text features of the names of the configuration
        :param num_threads: of ONNX Runtime; None: one for each core
        """
        super().__init__(config, thresholds)
        self._networks, self._num_threads, self._policy = dict(networks), num_threads, text.policy
        self._text: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
        self._add(text)

    @classmethod
    def load(cls, folder: str | Path, num_threads: int | None = None) -> OnnxStudent:
        """Open a folder of `pickclutter export-runtime`.

        :param num_threads: of ONNX Runtime; None: one for each core
        :raises CheckpointError: when it is missing, damaged, or of another schema
        :raises MissingExtraError: without ONNX Runtime
        """
        root = Path(folder)
        content = read_manifest(root)
        files = [NETWORK_FILE] if content.student.object_crop_size is None else [NETWORK_FILE, CROPS_FILE]
        missing = [name for name in (*files, TEXT_FILE) if name not in content.sha256]
        if missing:
            raise CheckpointError(
                f"expected a policy for use without torch in {root}, but it has no {missing[0]}; make it: pickclutter "
                f"export-runtime policy={root} out=..."
            )
        networks = {name: read_bytes(root / name, content.sha256[name], CheckpointError, _AGAIN) for name in files}
        text = read_stored_features(root / TEXT_FILE, content.sha256[TEXT_FILE], content.student.names)
        student = cls(content.student, content.thresholds, networks, text, num_threads)
        for name in files:
            student._sessions[name]  # an error of ONNX Runtime comes here, not in an episode
        student._folder = root
        return student

    @property
    def names(self) -> list[str]:
        """Names whose text features are known: those of its folder, then those that were added since."""
        return list(self._text)

    def add_names(self, path: str | Path) -> list[str]:
        """Add the text features of a file of `pickclutter encode-names`; return its names.

        :raises CheckpointError: when it is missing or damaged, or was made for another policy
        """
        features = read_name_features(Path(path))
        if features.policy != self._policy:
            raise CheckpointError(
                f"expected features of names for this policy in {path}, but they are of another; make them again: "
                "pickclutter encode-names policy=... with the folder that this one was exported from"
            )
        self._add(features)
        return list(features.names)

    def predict(self, observation: Mapping[str, Any], names: Sequence[str]) -> StudentOutput:
        """Score names on camera images.

        :param observation: has all images of `student_input`, each with a side of `config.camera_size` pixels
        :param names: C names
        :raises InvalidArgumentError: for an image that is missing or of another size, or a wrong name
        :raises UnknownObjectError: for a name whose features it does not have
        """
        positive, negative = self._features(validate_label_names(names))
        given = {"images": self.preprocess(observation), "positive": positive, "negative": negative}
        return StudentOutput(*(value[0] for value in self._run(NETWORK_FILE, SCORES, given)))

    def classify_crops(self, rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
        """Return the log odds [n, C] of each name of the folder against its other names, for the objects in n masks.

        :param rgb: [S, S, 3], of the hand camera
        :param masks: each [S, S], where the object is, not empty
        :raises InvalidArgumentError: for a policy without a crop classifier
        """
        size = self.config.object_crop_size
        if size is None:
            raise self._no_crops()
        images, cropped = object_crops(rgb, masks, size)
        given = {"images": images, "masks": cropped}
        logits = self._run(CROPS_FILE, ["logits"], given)[0]
        return odds_against_others(logits.astype(np.float64))

    def _run(self, name: str, outputs: Sequence[str], given: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = self._sessions[name].run(list(outputs), given)
        return found

    def _features(self, names: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        unknown = [name for name in names if name not in self._text]
        if unknown:
            raise UnknownObjectError(
                f"expected names out of {', '.join(self._text)}, but got {', '.join(unknown)}; make features of new "
                "names where torch is: pickclutter encode-names policy=... names=[...] out=names.safetensors, and add "
                "that file here by add_names"
            )
        positive, negative = zip(*(self._text[name] for name in names), strict=True)
        return np.stack(positive), np.stack(negative)

    def _add(self, features: NameFeatures) -> None:
        rows = zip(features.names, features.positive, features.negative, strict=True)
        self._text |= {name: (positive, negative) for name, positive, negative in rows}

    @cached_property
    def _sessions(self) -> dict[str, InferenceSession]:
        return {name: _session(data, name, self._num_threads) for name, data in self._networks.items()}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the sessions, so that a student can be sent to other processes."""
        return {name: value for name, value in self.__dict__.items() if name != "_sessions"}


def _session(data: bytes, name: str, num_threads: int | None) -> InferenceSession:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnxruntime", "runtime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads or 0
    # Threads that wait sleep: between decisions the arm moves, and other processes want the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # those of ONNX Runtime have no base of their own
        raise CheckpointError(
            f"ONNX Runtime {onnxruntime.__version__} cannot run {name} ({' '.join(str(error).split())[:200]}); {_AGAIN}"
        ) from error

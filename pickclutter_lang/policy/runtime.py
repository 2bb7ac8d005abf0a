"""`StudentRuntime`: inference with an exported student; torch or ONNX Runtime computes its networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.transforms.augmentation import stack_channels
from pickclutter_lang.datasets.transforms.resampling import (
    object_crop,
    resize_channels,
)
from pickclutter_lang.errors import (
    CheckpointError,
    InvalidArgumentError,
    MissingExtraError,
    PickClutterError,
    UnknownObjectError,
)
from pickclutter_lang.policy.example_memory import ExampleMemory, crop_metric, load_examples
from pickclutter_lang.policy_folder.folder import (
    CROP_ENCODER_FILE,
    EXPORT_AGAIN,
    NETWORK_FILE,
    PolicyConfig,
    StudentSpec,
    TextFeatures,
    Thresholds,
    as_path,
    check_nothing_lost,
    copy_folder,
    load_config,
    pictures_of,
    policy_folder,
    read_policy_file,
    read_text,
)
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.reading import check_finite
from pickclutter_lang.utils.typing import Float32Array
from pickclutter_lang.utils.validation import check_path, did_you_mean

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from pickclutter_lang.policy.torch_networks import TorchNetworks

SCORES = ("probabilities", "attention", "cell_logits")
"""Outputs of the ONNX network of scores, in the order of `StudentOutput`."""
MAX_SECONDS = 30.0
"""Longest run of an ONNX network; one takes some hundredths."""
_learning = Lock()
"""Held while a memory takes the place of the one before: what threads teach at once is all kept."""


class StudentOutput(NamedTuple):
    """What a student predicts for C names.

    `scores` [C] in 0..1, `attention` [C, h, w] with sum 1 each, and `cell_logits` [C, h, w]: the log odds of each name
    by each cell alone.
    """

    scores: Float32Array
    attention: Float32Array
    cell_logits: Float32Array


class StudentRuntime:
    """An exported student on the CPU, with the thresholds of its scores; opened by `load`."""

    def __init__(
        self,
        config: StudentSpec,
        networks: TorchNetworks | OnnxNetworks,
        thresholds: Thresholds | None = None,
        folder: Path | None = None,
        examples: ExampleMemory | None = None,
    ) -> None:
        """Take the parts of a student.

        :param thresholds: of its scores; None for a student that only scores
        :param folder: the policy folder that it comes from, if it comes from one
        :param examples: of the objects that it was shown
        """
        self.config = config
        self.networks = networks
        self.folder = folder
        self._thresholds = thresholds
        self.examples = ExampleMemory(crop_metric().encoder) if examples is None else examples
        """Of the objects that it was shown; a new memory takes its place when it is taught."""
        self._opened_with = self.examples
        self.student_input = [f"{camera}_{kind}" for camera, kind in config.camera_spec.keys]
        """Keys of the images that it takes in an observation, such as `hand_rgb`."""

    @classmethod
    def load(cls, folder: str | Path, trust_code: bool = False, num_threads: int | None = None) -> StudentRuntime:
        """Open a policy folder, or an embedded policy by its name, `open`.

        :param trust_code: take a student whose network is a function from outside, `module:attribute`: the folder
            names the module that is then imported
        :param num_threads: of ONNX Runtime, for a folder of `pickclutter export-runtime`; None: one for each core
        :raises CheckpointError: when it is missing, damaged, or of another schema, or names code that is not trusted
        :raises MissingExtraError: when it needs what is not installed
        """
        root = policy_folder(folder)
        config = load_config(root)
        examples = load_examples(root)
        if config.thresholds.second_look is not None:
            if config.student.teacher.fingerprint != crop_metric().encoder:
                raise CheckpointError(
                    f"expected a second look by the teacher of the policy in {root}, but this package embeds another "
                    f"one; {EXPORT_AGAIN}"
                )
            if config.is_onnx and CROP_ENCODER_FILE not in config.sha256:
                raise CheckpointError(
                    f"expected {CROP_ENCODER_FILE} in {root}, whose policy takes a second look; export it again: "
                    "pickclutter export-runtime policy=... out=..."
                )
        if config.is_onnx:
            networks = OnnxNetworks(root, config, num_threads)
            return cls(config.student, networks, config.thresholds, root, examples)
        if find_spec("torch") is None:
            raise MissingExtraError("torch, which a folder of export-policy needs,", "train")
        from pickclutter_lang.policy.torch_networks import TorchNetworks, load_pretrained

        _, weights, text = load_pretrained(root, trust_code)
        return cls(config.student, TorchNetworks(config.student, weights, text), config.thresholds, root, examples)

    @property
    def names(self) -> list[str]:
        """Names whose text features are known: those of its folder, then those that came since."""
        return self.networks.names

    @property
    def thresholds(self) -> Thresholds:
        """The scores from which names are predicted present.

        :raises InvalidArgumentError: for a student that only scores
        """
        if self._thresholds is None:
            raise InvalidArgumentError("expected a student with thresholds, but this one only scores; export it first")
        return self._thresholds

    def learned(self) -> dict[str, bytes]:
        """Return the files of a policy folder with what it learned: its memory, without pictures."""
        return self.examples.files()

    def remember(self, change: Callable[[ExampleMemory], ExampleMemory]) -> None:
        """Change the memory of what it was shown; what other threads change at once is not lost."""
        with _learning:
            self.examples = change(self.examples)

    def save(self, folder: Path, out: str | Path) -> None:
        """Write the policy folder that it was opened from again, with what it learned since.

        :param out: another folder, or the same one
        :raises CheckpointError: when `folder` is gone or was changed
        :raises InvalidArgumentError: when a policy in `out` learned what would be lost
        :raises DatasetError: when it cannot be written
        """
        target = as_path("folder", out)
        check_path("folder", str(out))
        config = load_config(folder)
        if config.student != self.config or config.thresholds != self.thresholds:
            raise CheckpointError(
                f"expected {folder} as it was when the policy was opened, but it was changed; open it again"
            )
        with dir_lock(target):
            learned = self.learned()
            is_own = folder.resolve() == target.resolve()
            check_nothing_lost(target, learned, self._opened_with.files() if is_own else None)
            pictures = {} if is_own else pictures_of(folder, self.examples.taught)
            copy_folder(folder, target, pictures | learned)
            self._opened_with = self.examples

    @property
    def looks_twice(self) -> bool:
        """Whether it takes a second look at each segment; see `policy.evidence.second_look`."""
        return self._thresholds is not None and self._thresholds.second_look is not None

    @cached_property
    def map_size(self) -> int:
        """Side h = w of its maps."""
        spec = self.config
        blank = np.zeros((1, spec.camera_spec.channels, spec.image_size, spec.image_size), np.float32)
        return int(self.networks.score(blank, self.networks.encode_names(spec.names[:1])).attention.shape[-1])

    def predict(self, observation: Mapping[str, Any], names: Sequence[str]) -> StudentOutput:
        """Score C names on the camera images of an observation; the teacher's text tower encodes new ones, each once.

        :raises InvalidArgumentError: as `preprocess`, and for a name that cannot be encoded, as UnknownObjectError
        :raises TeacherError: when a name is new, and the teacher is missing or another one
        """
        return self.networks.score(self.preprocess(observation), self.networks.encode_names(names))

    def preprocess(self, observation: Mapping[str, Any]) -> Float32Array:
        """Return the network's input [1, K, S, S] for camera images: RGB in 0..1, depth in meters (0 = nothing).

        :param observation: has all images of `student_input`, each with a side of `config.camera_size` pixels
        :raises InvalidArgumentError: for an image that is missing or of another size
        """
        spec = self.config
        images: dict[tuple[str, str], NDArray[np.generic]] = {}
        for (camera, kind), key in zip(spec.camera_spec.keys, self.student_input, strict=True):
            if key not in observation:
                raise InvalidArgumentError(
                    f"expected {key}, but got {', '.join(observation) or 'nothing'}; make the environment with "
                    "obs_mode='rgbd', and not with base_camera=False for the base camera's"
                )
            images[camera, kind] = _validate_image(np.asarray(observation[key]), key, spec.camera_size)[None]
        channels, depths = stack_channels(images, spec.crop_size)
        resized = resize_channels(channels[0], spec.image_size, depths)
        return np.ascontiguousarray(resized.transpose(2, 0, 1)[None])

    def encode_crops(self, rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]], turns: int = 1) -> Float32Array:
        """Return features [turns, n, F], L2-normalized, of the objects in n masks by the crop encoder.

        :param rgb: [H, W, 3]
        :param masks: each [H, W], not empty
        :param turns: quarter turns of each crop: 4 for an example, which may lie turned later
        """
        if not len(masks):
            return np.zeros((turns, 0, len(crop_metric().mean)), np.float32)
        crops = np.stack([np.rot90(object_crop(rgb, mask), turn) for turn in range(turns) for mask in masks])
        features = self.networks.encode_crops(np.ascontiguousarray(crops.transpose(0, 3, 1, 2)))
        return features.reshape(turns, len(masks), -1)


def _validate_image(image: NDArray[Any], key: str, side: int) -> NDArray[np.generic]:
    """Return RGB, uint8 [S, S, 3], or depth, floats [S, S] in meters, in the whole millimeters of scene stores.

    :raises InvalidArgumentError: for another size, number of channels or type
    """
    if image.shape[:2] != (side, side):
        camera = key.partition("_")[0]
        raise InvalidArgumentError(
            f"expected {key} of {side} x {side} pixels, but got {' x '.join(map(str, image.shape[:2]))}; make the "
            f"environment with camera_cfgs={{'{camera}_camera': {{'width': {side}, 'height': {side}}}}}"
        )
    if key.endswith("_depth"):
        fits, wanted = image.ndim == 2 and image.dtype.kind == "f", f"meters as floats [{side}, {side}]"
    else:
        fits, wanted = image.shape[2:] == (3,) and image.dtype == np.uint8, f"uint8 [{side}, {side}, 3]"
    if not fits:
        raise InvalidArgumentError(f"expected {key} as {wanted}, but got {image.dtype} {list(image.shape)}")
    return np.round(image * 1000) if key.endswith("_depth") else image


class OnnxNetworks:
    """The networks of a folder of `pickclutter export-runtime`, run by ONNX Runtime in float32.

    Text features of all names lie in the folder: no other name can be encoded here.
    """

    def __init__(self, folder: Path, config: PolicyConfig, num_threads: int | None = None) -> None:
        """Read the networks and text features of a folder.

        :raises CheckpointError: when a file is missing or damaged
        :raises MissingExtraError: without ONNX Runtime
        """
        files = [name for name in (NETWORK_FILE, CROP_ENCODER_FILE) if name in config.sha256]
        self._folder, self._labels = folder, len(config.student.names)
        self._networks = {name: read_policy_file(folder, config, name) for name in files}
        self._num_threads = num_threads
        self._names = [*config.student.names, *config.further_names]
        self._rows = {name: row for row, name in enumerate(self._names)}
        self._text = read_text(folder, config)
        spec = config.student  # what is no such network fails here, not in an episode
        blank = np.zeros((1, spec.camera_spec.channels, spec.image_size, spec.image_size), np.float32)
        self.score(blank, self.encode_names(self._names[:1]))

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
            side, count = found[1].shape[-1:], len(text.positive)
            if [one.shape for one in found] != [(1, count), *[(1, count, *side, *side)] * 2]:
                raise ValueError(f"expected probabilities and square maps of {count} names")
            if not ((found[0] >= 0) & (found[0] <= 1)).all():
                raise ValueError("expected probabilities in 0..1")
        return StudentOutput(*(value[0] for value in found))

    def encode_crops(self, crops: Float32Array) -> Float32Array:
        """Return features [n, F] of crops of objects alone, as `TorchNetworks.encode_crops` does.

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
        return features

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

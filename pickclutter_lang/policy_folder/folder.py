"""A policy folder: `policy.json`, the files that it names, and their hashes; needs no torch.

`policy.json` is a `PolicyConfig`, and is written last. A folder of `pickclutter export-policy` also has

- `weights.safetensors`: the student, the aggregation, the learned contexts (`prompts.`) and, where there is one, the
  crop classifier with its class embeddings (`closeups.`), maybe in half precision
- `text.safetensors`: the text features of its names, `positive` and `negative` [C, D], and the names as metadata
- `examples.safetensors`: the memory of what it was taught, if it was, and `examples`, pictures of it
- `catalog.yaml`: words, licenses and sources of one's own objects that the student was trained on, if it was

One of `pickclutter export-runtime` has ONNX networks in place of weights.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.resources import files as resource_files
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pickclutter_lang.datasets.config import CameraSpec
from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, catalog_bytes, parse_catalog
from pickclutter_lang.students.config import NEGATIVE_ATTENTIONS, TEMPERATURES, PromptConfig, StudentConfig
from pickclutter_lang.teachers.config import TeacherReference
from pickclutter_lang.utils.constants import CAMERAS, LABELS
from pickclutter_lang.utils.io import TEMPORARY_SUFFIX, atomic_write, check_vacant, create_dir, move_files, write_json
from pickclutter_lang.utils.reading import (
    Sha256,
    Text,
    Value,
    check_finite,
    check_json,
    damage_of,
    read_bytes,
    read_file,
    read_json,
)
from pickclutter_lang.utils.validation import MAX_IMAGE_SIZE, at_least, check_image_size, did_you_mean, one_of, within

SCHEMA = 3
CONFIG_FILE = "policy.json"
WEIGHTS_FILE = "weights.safetensors"
TEXT_FILE = "text.safetensors"
NETWORK_FILE = "student.onnx"
CROPS_FILE = "crop_classifier.onnx"
CROP_ENCODER_FILE = "crop_encoder.onnx"
_FILES = (CATALOG_FILE, WEIGHTS_FILE, TEXT_FILE, NETWORK_FILE, CROPS_FILE, CROP_ENCODER_FILE)
EXAMPLES_FILE = "examples.safetensors"
"""Memory of what a policy was taught; see `pickclutter_lang.policy.example_memory`."""
PICTURES = "examples"
"""Folder of small pictures of what it was taught."""
EMBEDDED_POLICIES = {"open": "policies/open", "ycb": "policies/ycb"}
"""Names of the embedded policies, and their folders in the package's assets."""
_MAX_CONTEXT = 4096
"""Most context vectors of a prompt; the paper learns 8, and a teacher's texts have 77 tokens."""
EXPORT_AGAIN = "export it again: pickclutter export-policy run=... out=..."


class TextFeatures(NamedTuple):
    """Features [C, D] of the positive and of the negative prompts of C names."""

    positive: NDArray[np.float32]
    negative: NDArray[np.float32]


@dataclass(frozen=True)
class StudentArchitecture:
    """Network, output stride and pooling of a student; see `pickclutter_lang.students.config.StudentConfig`."""

    name: Text
    output_stride: int | None
    dropout: bool
    temperature: float
    negative_attention: str = "positive"

    @property
    def student_config(self) -> StudentConfig:
        """The configuration of a network that gets its weights from the folder."""
        return StudentConfig(**asdict(self), pretrained=False)


@dataclass(frozen=True)
class PromptArchitecture:
    """How new names become prompts: the number of context vectors, and what happens to long names."""

    n_ctx: int
    truncate: bool
    closed_set: bool

    @property
    def prompt_config(self) -> PromptConfig:
        """The configuration of a label encoder that gets its weights from the folder; names have no descriptions."""
        return PromptConfig(**asdict(self), positive_init=None, negative_init=None)


@dataclass(frozen=True)
class StudentSpec:
    """The student of a policy folder: all that its networks are built from.

    - `phase`: the training phase that the weights are of, `distill` or `few_shot`
    - `target_label`: what scores are of, `present`, `visible` or `graspable`
    - `precision`: of the network with torch, `float32`, `bfloat16` or `auto` (bfloat16 on CPUs that multiply it in
      hardware)
    - `cameras`, `depth`: the images that the student takes
    - `camera_size`: side in pixels of the images that cameras give; the student sees their central `crop_size` pixels,
      resized to `image_size`
    - `names`: names whose text features lie in the folder; `unseen_names`: those of them that are of Y_ood, if
      that is known
    - `teacher`: encodes new names
    - `object_crop_size`: side in pixels of the crop classifier's images; None for a student without one
    """

    phase: str
    target_label: str
    network: StudentArchitecture
    precision: str
    cameras: tuple[str, ...]
    depth: bool
    camera_size: int
    crop_size: int
    image_size: int
    prompts: PromptArchitecture
    names: tuple[Text, ...]
    teacher: TeacherReference
    unseen_names: tuple[Text, ...] | None = None
    object_crop_size: int | None = None

    @property
    def camera_spec(self) -> CameraSpec:
        """The images that the student takes."""
        return CameraSpec(self.cameras, self.depth)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        one_of("phase", self.phase, ("distill", "few_shot"))
        one_of("target_label", self.target_label, LABELS)
        one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        for camera in self.cameras:
            one_of("cameras", camera, CAMERAS)
        for key in ("crop_size", "image_size", "object_crop_size"):
            check_image_size(key, getattr(self, key))
        within("camera_size", self.camera_size, self.crop_size, MAX_IMAGE_SIZE)
        within("network.temperature", self.network.temperature, *TEMPERATURES)
        one_of("network.negative_attention", self.network.negative_attention, NEGATIVE_ATTENTIONS)
        within("prompts.n_ctx", self.prompts.n_ctx, 1, _MAX_CONTEXT)
        at_least("number of cameras", len(self.cameras), 1)
        at_least("number of names", len(self.names), 1)
        if len(set(self.names)) < len(self.names):
            raise InvalidArgumentError("expected different names, but one of them occurs twice")
        if others := set(self.unseen_names or ()) - set(self.names):
            raise InvalidArgumentError(f"expected unseen_names out of names, but got {', '.join(sorted(others))}")


@dataclass(frozen=True)
class Thresholds:
    """Scores in 0..1 of the evidence of a folder, at which a name is as likely present as absent.

    - `default`: of the text of a name that is not in `names`; that of the unseen objects
    - `names`: of the text of each name of the folder
    - `second_look`: of the text of any name together with a second look; None: it takes none
    - `crop_classifier`: of the text of each name of the folder together with the crop classifier; None: there is none
    """

    default: float
    names: dict[str, float]
    second_look: float | None = None
    crop_classifier: dict[str, float] | None = None

    def of(self, name: str) -> float:
        """Return the threshold of a name's text."""
        return self.names.get(name, self.default)

    def validate(self, student: StudentSpec) -> None:
        """Raise InvalidArgumentError for a threshold that is missing or not in 0..1."""
        values = {"default": self.default}
        tables = {"names": self.names}
        if (self.crop_classifier is None) != (student.object_crop_size is None):
            raise InvalidArgumentError("expected thresholds of the crop classifier where there is one, and only there")
        if self.crop_classifier is not None:
            tables["crop_classifier"] = self.crop_classifier
        for key, table in tables.items():
            if missing := [name for name in student.names if name not in table]:
                raise InvalidArgumentError(f"expected thresholds.{key} of each name, but {missing[0]} has none")
            values |= {f"{key}.{name}": value for name, value in table.items()}
        if self.second_look is not None:
            values["second_look"] = self.second_look
            if student.object_crop_size is not None or student.cameras != ("hand",):
                raise InvalidArgumentError(
                    "expected a second look only in a policy of the hand camera without a crop classifier"
                )
        for key, value in values.items():
            within(f"thresholds.{key}", value, 0.0, 1.0)


@dataclass(frozen=True)
class PolicyConfig:
    """Content of `policy.json`: the student, the thresholds of its scores, and what else lies in the folder.

    - `metrics`: those of the run's evaluation, 0..1, such as `mAP, unseen names`; empty where there was none
    - `sha256`: of each other file, by name
    - `base`: embedded policy that has the files which are not in this folder
    - `further_names`: names without thresholds whose text features lie in a folder of `pickclutter export-runtime`
    """

    student: StudentSpec
    thresholds: Thresholds
    metrics: dict[str, float] = field(default_factory=dict)
    sha256: dict[str, Sha256] = field(default_factory=dict)
    further_names: tuple[Text, ...] = ()
    base: Literal["open"] | None = None
    schema: int = SCHEMA

    @property
    def is_onnx(self) -> bool:
        """Whether the folder has ONNX networks, which need no torch."""
        return NETWORK_FILE in self.sha256

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        one_of("schema", self.schema, (SCHEMA,))
        for name in self.sha256:
            one_of("a file in sha256", name, _FILES)
        network = NETWORK_FILE if self.is_onnx else WEIGHTS_FILE
        if self.sha256 and not {network, TEXT_FILE} <= self.sha256.keys():
            raise InvalidArgumentError(
                f"expected {network} and {TEXT_FILE} in sha256, but got {', '.join(self.sha256)}"
            )
        for name, value in self.metrics.items():
            within(f"metrics.{name}", value, 0.0, 1.0)
        self.student.validate()
        self.thresholds.validate(self.student)


def as_path(name: str, value: object) -> Path:
    """Return a path that a caller gives in Python.

    :raises InvalidArgumentError: for what is neither a text nor a path, or cannot be one
    """
    if not isinstance(value, str | os.PathLike) or "\0" in str(value):
        raise InvalidArgumentError(f"expected {name} to be a path, as a text or a Path, but got {value!r}")
    return Path(value)


def policy_folder(name_or_path: str | Path) -> Path:
    """Return the folder of a policy. A folder of that name comes before an embedded policy, such as `open`.

    :raises InvalidArgumentError: as `as_path`
    """
    path = as_path("a policy", name_or_path)
    embedded = EMBEDDED_POLICIES.get(str(name_or_path))
    if embedded is None or (path / CONFIG_FILE).exists():
        return path
    return Path(str(resource_files("pickclutter_lang.assets") / embedded))


def load_config(folder: str | Path) -> PolicyConfig:
    """Read the configuration of a policy folder, or of an embedded policy.

    :raises CheckpointError: when it is missing, damaged, of another schema, or a link is in it
    """
    root = policy_folder(folder)
    _check_links(root, [root / name for name in (CONFIG_FILE, *_FILES, EXAMPLES_FILE, PICTURES)])
    embedded = did_you_mean(root.name.lower(), EMBEDDED_POLICIES)
    missing = (
        f"expected a policy in {root}, but {CONFIG_FILE} is not there{embedded}; to make one: pickclutter export-policy"
    )
    config = read_json(root / CONFIG_FILE, PolicyConfig, CheckpointError, EXPORT_AGAIN, missing)
    try:
        config.validate()
    except InvalidArgumentError as error:
        raise CheckpointError(f"{root / CONFIG_FILE} is damaged ({error}); {EXPORT_AGAIN}") from error
    return config


def _check_links(root: Path, paths: Iterable[Path]) -> None:
    """Raise CheckpointError for a link in the place of a file: what it leads to would be read, or written.

    The cache of Hugging Face's hub has links to its blobs; those of the package are of its installer.
    """
    linked = [path for path in paths if path.is_symlink()]
    if linked and root not in map(policy_folder, EMBEDDED_POLICIES):
        blobs = Path(os.path.realpath(root.parent.parent)) / "blobs"
        for path in linked:
            if Path(os.path.realpath(path)).parent != blobs:  # `resolve` fails at a loop
                raise CheckpointError(
                    f"expected a policy folder without links, but {path} is one; put a copy in its place"
                )


def read_policy_file(folder: Path, config: PolicyConfig, name: str) -> bytes:
    """Read a file of a policy folder.

    :raises CheckpointError: when the folder has no such file, or another one than its configuration says
    """
    if name not in config.sha256:
        kind = "of pickclutter export-runtime" if config.is_onnx else "of pickclutter export-policy"
        raise CheckpointError(f"expected {name} in {folder}, but it is a folder {kind}, which has none")
    root = folder
    if config.base is not None and not (folder / name).exists():
        root = policy_folder(config.base)
        if load_config(root).sha256.get(name) != config.sha256[name]:
            raise CheckpointError(
                f"expected the {name} of {config.base} with which {folder} was made, but this release of the package "
                f"has another {config.base}; take the release that made it, or teach this one: pickclutter teach "
                f"policy={config.base}"
            )
    return read_bytes(root / name, config.sha256[name], CheckpointError, EXPORT_AGAIN)


def read_text(folder: Path, config: PolicyConfig) -> TextFeatures:
    """Read the text features of the names of a policy folder, and of its further names.

    :raises CheckpointError: as `read_policy_file`, or for others than its configuration says
    """
    names = [*config.student.names, *config.further_names]
    with damage_of(folder / TEXT_FILE, CheckpointError, EXPORT_AGAIN):
        data = read_policy_file(folder, config, TEXT_FILE)
        tensors = load(data)
        check_finite(tensors)
        text = TextFeatures(tensors["positive"], tensors["negative"])
        if any(part.ndim != 2 or len(part) != len(names) for part in text):
            raise ValueError(f"expected features of {len(names)} names")
        if json.loads(metadata_of(data)["names"]) != names:
            raise ValueError(f"expected features of the names of {CONFIG_FILE}, in their order")
    return text


def text_bytes(names: Sequence[str], text: TextFeatures) -> bytes:
    """Return the content of the file that `read_text` reads."""
    return save(
        {key: np.ascontiguousarray(value) for key, value in text._asdict().items()}, {"names": json.dumps(names)}
    )


def metadata_of(data: bytes) -> dict[str, str]:
    """Return the metadata of a safetensors file."""
    found: dict[str, str] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return found


def learned_bytes(key: str, tensors: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> bytes:
    """Return the content of a memory: tensors, what is noted about them as JSON, and a hash of both."""
    noted = {**about, "sha256": _hash_of(tensors, about)}
    contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}  # `save` takes others wrongly
    return save(contiguous, {key: json.dumps(noted)})  # one key: their order is not kept


def read_learned(path: Path, key: str, expected: type[Value], limit: int) -> tuple[dict[str, NDArray[Any]], Value]:
    """Read what `learned_bytes` returned: finite tensors, and what is noted, checked against a TypedDict.

    :raises OSError, ValueError, KeyError: for another file; see `damage_of`
    """
    data = read_file(path, limit)
    tensors = load(data)
    noted = json.loads(metadata_of(data)[key])
    about = check_json(noted, expected)
    if noted["sha256"] != _hash_of(tensors, {name: value for name, value in noted.items() if name != "sha256"}):
        raise ValueError("expected the hash that was noted when it was written")
    check_finite(tensors)
    return tensors, about


def _hash_of(tensors: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()


def check_nothing_lost(folder: Path, learned: Mapping[str, bytes], known: Mapping[str, bytes] | None = None) -> None:
    """Check that a policy folder was not taught what another policy that is written there lacks.

    :param learned: files of what that policy learned
    :param known: files of what it may leave out, since it had them once
    :raises InvalidArgumentError: when the folder learned anything else
    """
    there = learned_files(folder) if (folder / CONFIG_FILE).exists() else {}
    kept = _rows_of(learned) | _rows_of(known or {})
    if not _rows_of(there) <= kept:
        raise InvalidArgumentError(
            f"expected a folder in which no policy learned anything else, but {folder / EXAMPLES_FILE} would be lost; "
            "choose another out, or forget it: pickclutter forget"
        )


def learned_files(folder: Path) -> dict[str, bytes]:
    """Return the file of what a policy folder learned, its memory, as it is; none where it learned nothing."""
    path = folder / EXAMPLES_FILE
    return {path.name: read_bytes(path, None, CheckpointError, "delete it")} if path.exists() else {}


def _rows_of(learned: Mapping[str, bytes]) -> set[bytes]:
    """Return the rows of a memory with their names; of a damaged file, itself."""
    data = learned.get(EXAMPLES_FILE)
    if data is None:
        return set()
    try:
        tensors = load(data)
        (noted,) = map(json.loads, metadata_of(data).values())
        names = {"keys": noted.get("names"), "rivals": noted.get("rival_names")}
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {data}
    rows = set[bytes]()
    for part, values in tensors.items():
        owners = zip(names.get(part) or (), values, strict=False)
        rows.update(f"{part} {owner} ".encode() + row.tobytes() for owner, row in owners)
    return rows


def write_folder(
    folder: Path,
    config: PolicyConfig,
    files: Mapping[str, bytes],
    catalog: Sequence[CatalogEntry] = (),
    learned: Mapping[str, bytes] | None = None,
) -> None:
    """Write a policy folder: beside what lies there, whose files go when all of the new ones are on the disk.

    :param files: name -> content
    :param catalog: of one's own objects that the student was trained on
    :param learned: files of what it learned since: its memory with pictures
    :raises InvalidArgumentError: for a configuration that is not allowed, or a policy there that learned anything else
    :raises DatasetError: when it cannot be written, or the folder holds something else
    """
    config.validate()
    learned = learned or {}
    check_vacant(folder, CONFIG_FILE, {Path(name).parts[0] for name in (CATALOG_FILE, *files, *learned)})
    check_nothing_lost(folder, learned)
    stale = {EXAMPLES_FILE}
    with suppress(CheckpointError):
        stale |= {*load_config(folder).sha256}
    written = {CATALOG_FILE: catalog_bytes(catalog), **files} if catalog else files
    sha256 = {name: hashlib.sha256(data).hexdigest() for name, data in written.items()}
    content = _content(config) | {"sha256": sha256, "metrics": config.metrics, "further_names": config.further_names}
    create_dir(folder)
    new = folder / f".new{TEMPORARY_SUFFIX}"
    shutil.rmtree(new, ignore_errors=True)
    try:
        for name, data in {**written, **learned}.items():
            atomic_write(new / name, data)
        write_json(new / CONFIG_FILE, content)
        move_files(new, folder, CONFIG_FILE, stale)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _content(config: PolicyConfig) -> dict[str, object]:
    """Return what decisions depend on, as JSON values."""
    values = asdict(config)
    if config.thresholds.second_look is None:  # as of folders that were written before there was one
        del values["thresholds"]["second_look"]
    return {key: values[key] for key in ("schema", "student", "thresholds", "sha256")}


def copy_folder(folder: Path, out: Path, learned: Mapping[str, bytes]) -> None:
    """Write a policy folder somewhere else, or over a copy of it, with the files of what the policy learned since.

    :raises CheckpointError: when it is missing or damaged
    :raises InvalidArgumentError: when another policy in `out` learned what would be lost
    :raises DatasetError: when the copy cannot be written
    """
    folder = policy_folder(folder)
    config = load_config(folder)
    with suppress(CheckpointError):
        there = load_config(out)
        if _content(there) == _content(config) and all((out / name).exists() for name in there.sha256):
            write_learned(out, learned)
            return
    files = {name: read_policy_file(folder, config, name) for name in config.sha256}
    write_folder(out, config, files, learned=learned)


def write_learned(folder: Path, learned: Mapping[str, bytes]) -> None:
    """Write the files of what a policy learned into its folder, each at once; a memory that it has no more goes.

    :param learned: pictures before the memory that they are of
    :raises DatasetError: when they cannot be written
    """
    for name, data in learned.items():
        atomic_write(folder / name, data, remove_stale=False)
    if EXAMPLES_FILE not in learned:
        (folder / EXAMPLES_FILE).unlink(missing_ok=True)


def picture_prefix(name: str) -> str:
    """Return what the file names of an object's pictures begin with."""
    return f"{hashlib.sha256(name.encode()).hexdigest()[:12]}-"


def picture_files(folder: Path, name: str) -> list[Path]:
    """Return the files of the pictures of what a policy was taught of a name.

    :raises CheckpointError: when one of them is a link
    """
    found = sorted((folder / PICTURES).glob(f"{picture_prefix(name)}*.png"))
    _check_links(folder, found)
    return found


def pictures_of(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Return the picture files of what a policy was taught, of some names, by their paths in the folder.

    :raises CheckpointError: when they cannot be read
    """
    paths = [path for name in names for path in picture_files(folder, name)]
    return {str(path.relative_to(folder)): read_bytes(path, None, CheckpointError, "teach it again") for path in paths}


def load_catalog(folder: str | Path) -> tuple[CatalogEntry, ...]:
    """Read the catalog of one's own objects in a policy folder; nothing where there is none.

    :raises CheckpointError: when the folder or the file is missing or damaged
    """
    root, config = policy_folder(folder), load_config(folder)
    if CATALOG_FILE not in config.sha256:
        return ()
    try:
        return parse_catalog(read_policy_file(root, config, CATALOG_FILE), root / CATALOG_FILE)
    except DatasetError as error:
        raise CheckpointError(str(error)) from error


def policy_fingerprint(policy: str | Path) -> str:
    """Return a hash of a policy's content and all that it learned, without the metrics of its run.

    :raises CheckpointError: for a folder that is missing or damaged
    """
    content = json.dumps(_content(load_config(policy)), indent=1).encode()
    content += b"".join(learned_files(policy_folder(policy)).values())
    return hashlib.sha256(content).hexdigest()[:16]

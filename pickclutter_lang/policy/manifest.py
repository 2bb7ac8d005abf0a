"""`policy.json` of a policy folder, read and written; needs no torch.

Each folder has it, whatever its networks are kept in. It is written last, with the hashes of the other files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.resources import files as resource_files
from pathlib import Path
from typing import TypedDict

from pickclutter_lang.errors import CheckpointError, DatasetError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, MAX_BYTES, CatalogEntry, catalog_bytes, parse_catalog
from pickclutter_lang.policy.config import SCHEMA, PolicyConfig, StudentSpec, Thresholds
from pickclutter_lang.utils.io import atomic_write, ensure_dir
from pickclutter_lang.utils.json_files import Sha256, check_json, read_file, read_json
from pickclutter_lang.utils.tensor_files import read_bytes
from pickclutter_lang.utils.validation import did_you_mean

CONFIG_FILE, WEIGHTS_FILE, TEXT_FILE = "policy.json", "weights.safetensors", "text.safetensors"
NETWORK_FILE, CROPS_FILE = "student.onnx", "crop_classifier.onnx"
"""Networks of a folder of `pickclutter export-runtime`, which needs no torch."""
EMBEDDED_POLICIES = {"open": "policies/open"}
"""Names of the embedded policies, and their folders in the package's assets."""


class _Head(TypedDict):
    schema: int


@dataclass(frozen=True)
class Manifest:
    """Content of `policy.json`; version 0.2.0 lacks `sha256`, of each other file, and `metrics`."""

    schema: int
    student: StudentSpec
    thresholds: Thresholds
    sha256: dict[str, Sha256] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def config(self) -> PolicyConfig:
        """Student and thresholds."""
        return PolicyConfig(self.student, self.thresholds, self.metrics)


def policy_folder(name_or_path: str | Path) -> Path:
    """Return the folder of a policy; for the name of an embedded one its own, unless a policy of that name is here."""
    path, embedded = Path(name_or_path), EMBEDDED_POLICIES.get(str(name_or_path))
    if embedded is None or (path / CONFIG_FILE).exists():
        return path
    return Path(str(resource_files("pickclutter_lang.assets") / embedded))


def write_folder(
    folder: Path, config: PolicyConfig, files: Mapping[str, bytes], catalog: Sequence[CatalogEntry] = ()
) -> None:
    """Write a policy folder, its configuration last; files of a policy that lay there go.

    :param files: name -> content
    :param catalog: of one's own objects that the student was trained on
    :raises InvalidArgumentError: for a configuration that is not allowed
    :raises DatasetError: when it cannot be written
    """
    config.validate()
    ensure_dir(folder)
    for name in (CONFIG_FILE, *_files_of_before(folder).difference(files)):
        (folder / name).unlink(missing_ok=True)
    own, hashes = {CATALOG_FILE: catalog_bytes(catalog)} if catalog else {}, {}
    for name, data in {**own, **files}.items():
        hashes[name] = hashlib.sha256(data).hexdigest()
        atomic_write(folder / name, data)
    content = Manifest(SCHEMA, config.student, config.thresholds, hashes, config.metrics)
    atomic_write(folder / CONFIG_FILE, (json.dumps(asdict(content), indent=1) + "\n").encode())


def copy_folder(folder: Path, out: Path) -> None:
    """Write a policy folder again somewhere else.

    :raises CheckpointError: when it is missing or damaged
    :raises DatasetError: when the copy cannot be written
    """
    folder, again = policy_folder(folder), "export it again"
    content = read_manifest(folder)
    hashes = {name: expected for name, expected in content.sha256.items() if name != CATALOG_FILE}
    files = {name: read_bytes(folder / name, expected, CheckpointError, again) for name, expected in hashes.items()}
    write_folder(out, content.config, files, load_catalog(folder))


def _files_of_before(folder: Path) -> set[str]:
    """Return the files of a policy that lies in a folder; of a damaged one nothing is known."""
    known = {CATALOG_FILE, WEIGHTS_FILE, NETWORK_FILE, CROPS_FILE}
    with suppress(CheckpointError):
        return known.intersection(read_manifest(folder).sha256)
    return set()


def load_config(folder: str | Path) -> PolicyConfig:
    """Read the configuration of a policy folder, or of an embedded policy.

    :raises CheckpointError: when it is missing, damaged, or of another schema
    """
    return read_manifest(policy_folder(folder)).config


def load_catalog(folder: str | Path) -> tuple[CatalogEntry, ...]:
    """Read the catalog of one's own objects in a policy folder; nothing where there is none.

    :raises CheckpointError: when the folder or the file is missing or damaged
    """
    path = policy_folder(folder) / CATALOG_FILE
    expected = read_manifest(path.parent).sha256.get(CATALOG_FILE)
    if expected is None:
        return ()
    try:
        data = read_file(path, MAX_BYTES)
        if hashlib.sha256(data).hexdigest() != expected:
            raise DatasetError("it is not the one that was exported")
        return parse_catalog(data, path)
    except (OSError, DatasetError) as error:
        raise CheckpointError(f"cannot read {path} ({error}); export it again") from error


def read_manifest(root: Path) -> Manifest:
    """Read `policy.json` of a folder.

    :raises CheckpointError: when it is missing, damaged, or of another schema
    """
    again = "export it again: pickclutter export-policy run=... out=..."
    embedded = did_you_mean(root.name.lower(), EMBEDDED_POLICIES)
    missing = (
        f"expected a policy in {root}, but {CONFIG_FILE} is not there{embedded}; to make one: pickclutter export-policy"
    )
    values = read_json(root / CONFIG_FILE, _Head, CheckpointError, again, missing)
    if values["schema"] != SCHEMA:
        remedy = f"run: pickclutter migrate {root}" if values["schema"] == 2 else again
        raise CheckpointError(f"expected a policy of schema {SCHEMA} in {root}, but got {values['schema']}; {remedy}")
    try:
        content = check_json(values, Manifest)
        content.config.validate()
    except ValueError as error:
        raise CheckpointError(f"{root / CONFIG_FILE} is damaged ({error}); {again}") from error
    return content


def check_has_weights(folder: Path, manifest: Manifest) -> None:
    """Raise CheckpointError for a folder of export-runtime, which has networks alone, and for one without weights."""
    if NETWORK_FILE in manifest.sha256:
        raise CheckpointError(
            f"expected the weights of a policy in {folder}, but it is a folder of export-runtime, for use without "
            "torch; take the folder of pickclutter export-policy that it was made from"
        )
    missing = [name for name in (WEIGHTS_FILE, TEXT_FILE) if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f"expected {missing[0]} in {folder}, but there is none; export it again")


def policy_fingerprint(policy: str | Path) -> str:
    """Return a hash of a policy's content, without the metrics of its run, by which nothing is decided.

    :raises CheckpointError: for a folder that is missing or damaged, or has no weights
    """
    folder = policy_folder(policy)
    manifest = read_manifest(folder)
    check_has_weights(folder, manifest)
    content = asdict(manifest)
    del content["metrics"]
    found = hashlib.sha256((json.dumps(content, indent=1) + "\n").encode())
    for name in (WEIGHTS_FILE, TEXT_FILE):
        found.update((folder / name).read_bytes())
    return found.hexdigest()[:16]

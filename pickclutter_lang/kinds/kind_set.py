"""`KindSet`: kinds as an object set, whose labels are kinds and whose meshes are instances, made at their first use."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import MissingAssetsError, UnknownObjectError
from pickclutter_lang.kinds.kind import Instance, Kind, all_kinds, find_kinds
from pickclutter_lang.objects.catalog import Catalog, CatalogObject, paper_catalog, unseen_objects
from pickclutter_lang.objects.object_set import DEFAULT_INSTANCES, MAX_INSTANCES, ObjectSet
from pickclutter_lang.objects.procedural.writer import atomic_write_dir, model_db_entry, write_model
from pickclutter_lang.utils.io import cache_dir
from pickclutter_lang.utils.reading import Sha256, read_json
from pickclutter_lang.utils.validation import within

LEARNING_SPLITS = ("train", "fewshot", "teacher")
"""Splits of scenes to learn from; their instances lie in no scene of another split."""
KINDS_VERSION = 1
"""Names the instances that the kinds generate. A change that alters an instance of any kind raises it.

The golden case "kinds" notices such a change."""
ATLAS_WIDTH = 256
_ENTRY_FILE = "object.json"


@dataclass(frozen=True)
class KindSet(ObjectSet):
    """Kinds, each with `instances` instances to learn from and as many others to evaluate on.

    The catalog has an entry for each kind, such as `rubiks_cube`. A model is an instance, such as `rubiks_cube-3`.
    Seeds from 0 on are of `LEARNING_SPLITS`, those from `MAX_INSTANCES` on of the others.
    """

    @property
    def fingerprint(self) -> str:
        """Hash (sha256, hex) of the catalog, the number of instances and `KINDS_VERSION`."""
        return hashlib.sha256(f"{self.catalog.fingerprint} {self.instances} {KINDS_VERSION}".encode()).hexdigest()

    def label_index(self, model_id: str) -> int:
        """Return the position of an instance's kind in the catalog."""
        return self.catalog.index(self._parse(model_id)[0])

    def model(self, model_id: str) -> CatalogObject:
        """Return an instance with its size, density and attributes; its files are made if they are not there.

        :raises UnknownObjectError: for an id that is not `KIND-SEED`
        :raises InvalidArgumentError: when the folder of the set cannot be written
        :raises MissingAssetsError: when a file of the model is missing or damaged
        """
        kind_id, seed = self._parse(model_id)
        kind = self.catalog.find(kind_id)
        folder = self.model_dir(model_id)
        if not (folder / _ENTRY_FILE).is_file():
            _make_model(folder, find_kinds([kind.name])[0], seed)
        return replace(_read_entry(folder / _ENTRY_FILE), split=kind.split)

    def draw_models(
        self, label_indices: NDArray[np.int64], split: str, rng: np.random.Generator
    ) -> tuple[CatalogObject, ...]:
        """Draw an instance of each of these kinds, out of those of a split."""
        first = 0 if split in LEARNING_SPLITS else MAX_INSTANCES
        seeds = rng.integers(first, first + self.instances, size=len(label_indices))
        kinds = (self.catalog[index] for index in label_indices.tolist())
        return tuple(self.model(f"{kind.model_id}-{seed}") for kind, seed in zip(kinds, seeds, strict=True))

    def seed_of(self, model_id: str) -> int:
        """Return the seed of an instance."""
        return self._parse(model_id)[1]

    def model_db(self, model_ids: Sequence[str]) -> dict[str, Any]:
        """Return ManiSkill2's entries of instances."""
        models = [self.model(model_id) for model_id in dict.fromkeys(model_ids)]
        return {item.model_id: model_db_entry(item.size, item.scale, item.density) for item in models}

    def _parse(self, model_id: str) -> tuple[str, int]:
        match = re.fullmatch(r"(.+)-(0|[1-9][0-9]{0,8})", model_id)
        if match is None or match[1] not in self.catalog.model_ids:
            example = f"{self.catalog[0].model_id}-0"
            raise UnknownObjectError(f"expected an instance of a kind, such as {example}, but got {model_id!r}")
        return match[1], int(match[2])


def load_kind_set(
    root: str | Path | None = None, object_split: int = 0, kinds: Sequence[str] = (), instances: int = DEFAULT_INSTANCES
) -> KindSet:
    """Return kinds as an object set; nothing is made yet.

    :param root: the folder in which the models are kept, by default the package's cache; they lie in a folder of it
        named after `KINDS_VERSION`
    :param object_split: which of the paper's names are in Y_ood, see `unseen_objects`; all other kinds are in Y_id
    :param kinds: names of the kinds, by default all
    :param instances: the number of instances of each kind to learn from, and of those to evaluate on
    :raises UnknownObjectError: for a name that is no kind
    :raises InvalidArgumentError: for a repeated name, a number of instances out of range, or another object split
    """
    within("instances", instances, 1, MAX_INSTANCES)
    chosen = find_kinds(kinds) if kinds else list(all_kinds())
    catalog = Catalog([kind.catalog_entry() for kind in chosen])
    unseen_names = {item.name for item in paper_catalog() if item.model_id in unseen_objects(object_split)}
    unseen = [kind.id for kind in chosen if unseen_names & {kind.name, *kind.synonyms}]
    place = cache_dir() if root is None else Path(root).expanduser()
    return KindSet("kinds", place / f"kinds-{KINDS_VERSION}", catalog.with_unseen(unseen), instances)


def write_instance(instance: Instance, folder: Path) -> None:
    """Write the mesh, hulls and texture of an instance, quickly rather than small."""
    write_model(instance.geometry, folder, ATLAS_WIDTH, compress_level=1)


def _make_model(folder: Path, kind: Kind, seed: int) -> None:
    """Write the files of an instance, unless another process does so at the same time."""

    def write(temporary: Path) -> None:
        instance = kind.instance(seed)
        write_instance(instance, temporary)
        hashes = {path.name: _file_hash(path) for path in sorted(temporary.iterdir())}
        entry = _Entry(kind.catalog_object(seed, instance), hashes)
        (temporary / _ENTRY_FILE).write_text(json.dumps(asdict(entry)) + "\n")

    atomic_write_dir(folder, _ENTRY_FILE, write)


@dataclass(frozen=True)
class _Entry:
    object: CatalogObject
    files: dict[str, Sha256]


@lru_cache(maxsize=4096)
def _read_entry(path: Path) -> CatalogObject:
    """Read the entry of an instance, once in a process, and check its files."""
    remedy = f"delete {path.parent}, it is made again"
    entry = read_json(path, _Entry, MissingAssetsError, remedy)
    for name, expected in entry.files.items():
        file = path.parent / name
        if not file.is_file() or _file_hash(file) != expected:
            raise MissingAssetsError(f"{file} is missing or damaged; {remedy}")
    return entry.object


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""Writes instances of kinds as an object set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pickclutter_lang.objects.kinds.kind import Instance
from pickclutter_lang.objects.kinds.registry import find_kinds
from pickclutter_lang.objects.object_sets import MODEL_DB_FILE
from pickclutter_lang.objects.procedural.writer import atomic_write_dir, model_db_entry, write_model

WORDS_FILE, ATLAS_WIDTH = "objects.json", 256


def write_kinds(root: str | Path, seeds: Mapping[str, Sequence[int]]) -> list[str]:
    """Write instances in ManiSkill2's layout under ids such as `mug-3`, and their words to `ROOT/objects.json`.

    :param root: a folder that does not exist yet, or an empty one; it appears completely or not at all
    :param seeds: the seeds of each kind, by name
    :returns: the ids, kind by kind
    :raises UnknownObjectError: for a name that is no kind
    :raises InvalidArgumentError: for a negative seed, or a folder that is not empty or cannot be written
    """
    kinds = find_kinds(list(seeds))
    words: dict[str, dict[str, object]] = {}

    def write(folder: Path) -> None:
        rows = {}
        for kind in kinds:
            for seed in seeds[kind.name]:
                model_id, instance = kind.model_id(seed), kind.instance(seed)
                write_instance(instance, folder / "models" / model_id)
                rows[model_id] = model_db_entry(instance.size, 1.0, instance.density)
                words[model_id] = kind.words(seed, instance)
        (folder / MODEL_DB_FILE).write_text(json.dumps(rows, indent=1) + "\n")
        (folder / WORDS_FILE).write_text(json.dumps(words, indent=1) + "\n")

    atomic_write_dir(Path(root).expanduser(), MODEL_DB_FILE, write)
    return list(words)


def write_instance(instance: Instance, folder: Path) -> None:
    """Write the mesh, hulls and texture of an instance, quickly rather than small."""
    write_model(instance.geometry, folder, ATLAS_WIDTH, compress_level=1)

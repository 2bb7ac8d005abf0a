"""The dataset card of a scene store: contents, origin, label frequencies and license."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, credits_of
from pickclutter_lang.utils.constants import LABELS
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.json_files import read_json
from pickclutter_lang.utils.markdown import markdown_table, number

DATASET_CARD_FILE = "card.md"
GRASP_CHECK_FILE = "grasp_check.json"
_SPLITS = {
    "train": "objects of Y_id alone; for training",
    "id": "objects of Y_id alone; for evaluation (X_id) and for choosing among models",
    "ood": "objects of Y_id and Y_ood; for evaluation (X_ood)",
    "fewshot": "objects of Y_id and Y_ood; for few-shot training, no scene of it is in `ood`",
    "teacher": "objects of Y_id and Y_ood; for training the pocket teacher alone",
}
OBJECT_SETS = {
    "ycb": "Meshes: scans of the YCB Object and Model Set (Calli et al., 2015), CC BY 4.0. Attribution is due: "
    "name the YCB set where these images are present.",
    "proxy": "Meshes: procedural models for YCB objects, made by the code of this project (MIT). They are no "
    "scans; metrics measured on them say nothing certain about the real objects.",
    "kinds": "Meshes: instances of kinds, procedural models made by the code of this project (MIT). `instances` has "
    "the seed of each. They are no scans; metrics measured on them say nothing certain about real objects.",
    "published": "Images: the scenes published by the authors of Li et al. (ICCV 2023), imported; their license holds.",
}
_LABEL_WORDS = {
    "present": "the object lies in the scene, whether it can be seen or not (the label of the released data)",
    "visible": "present, and the hand camera sees enough of it (`visible_share` of the surface points that fall "
    "on its own pixels, and `visible_pixels`)",
    "graspable": "visible, and at least one pose of the open Panda gripper around it is free of collision with the "
    "scene and within reach",
}
_RATES = {
    "agreement": "objects for which label and pick agree",
    "precision": "of the objects labeled graspable, those that were picked",
    "recall": "of the objects that were picked, those labeled graspable",
    "pose_success": "of the labeled poses, those that succeeded at the first attempt",
}


class _GraspCheck(TypedDict):
    instances: int
    labelled: int
    picked: int
    agreement: float | None
    precision: float | None
    recall: float | None
    pose_success: float | None


def write_dataset_card(path: str | Path) -> Path:
    """Write `card.md` into a complete store, from its manifest, its labels and `grasp_check.json` if that is there.

    :raises DatasetError: when there is no complete store, or the result of the check cannot be read
    """
    store = SceneStore.open(path)
    parts = [_title(store), _labels(store), _objects(store), _check(store), _how(store), _license(store)]
    target = store.path / DATASET_CARD_FILE
    write_text(target, "\n\n".join(part for part in parts if part) + "\n")
    return target


def _title(store: SceneStore) -> str:
    manifest = store.manifest
    counts = store.labels("present").sum(1)
    size = sum(entry.bytes for entry in manifest.shards) / 1e6
    rows = {
        "split": f"`{manifest.split}`: {_SPLITS.get(manifest.split, 'as imported')}",
        "scenes": f"{len(store)} with {_range(counts, 'labeled objects' if manifest.distractor_kinds else 'objects')}",
        **_distractor_row(store),
        "objects": f"{len(manifest.objects)} labels: {len(store.split_label_indices('id'))} in Y_id, "
        f"{len(store.split_label_indices('ood'))} in Y_ood; object set `{manifest.object_set}`",
        "images": f"{', '.join(store.cameras)} camera, {store.image_size} x {store.image_size} pixels",
        "fields": ", ".join(f"`{name}`" for name in manifest.fields),
        "size": f"{size:.1f} MB in {len(manifest.shards)} shards",
        "content": f"`{manifest.content_hash}`",
    }
    return f"# Scenes of clutter: `{manifest.split}`, {manifest.object_set} objects\n\n" + markdown_table(
        ("", ""), rows.items()
    )


def _range(counts: NDArray[np.int64], of: str) -> str:
    return f"{counts.min()}-{counts.max()} {of} (mean {counts.mean():.1f})"


def _distractor_row(store: SceneStore) -> dict[str, str]:
    """Return the row of distractors, if there are any."""
    kinds = store.manifest.distractor_kinds
    if not kinds:
        return {}
    counts = (store.array("actors") >= len(store.label_names)).sum(1)
    return {"distractors": f"{_range(counts, 'in a scene')}: instances of {len(kinds)} kinds, which have no label"}


def _labels(store: SceneStore) -> str:
    labels = [label for label in LABELS if label in store.manifest.fields]
    return "## Labels\n\n" + "\n".join(f"- `{label}`: {_LABEL_WORDS[label]}" for label in labels)


def _objects(store: SceneStore) -> str:
    """Return the table of label frequencies: in how many scenes each label holds for each object."""
    labels = [label for label in LABELS if label in store.manifest.fields]
    counts = np.stack([store.labels(label).sum(0) for label in labels], 1)
    present = [n for n in range(len(counts)) if counts[n, 0]]
    rows = [
        (store.label_names[n], store.manifest.objects[n].split, *(_percent(k, counts[n, 0]) for k in counts[n]))
        for n in present
    ]
    total = counts.sum(0)
    rows.append(("**all objects**", "", *(_percent(k, total[0]) for k in total)))
    absent = len(counts) - len(present)
    note = f"\n\n{absent} objects of the catalog lie in no scene of this split." if absent else ""
    heading = (
        f"## Objects\n\nScenes out of {len(store)} in which a label holds (in brackets: of those with the object)."
    )
    return f"{heading}\n\n" + markdown_table(("object", "names", *labels), rows) + note


def _percent(count: int, present: int) -> str:
    return str(count) if count == present else f"{count} ({count / present:.0%})"


def _check(store: SceneStore) -> str:
    """Return how `graspable` was checked against executed picks."""
    path = store.path / GRASP_CHECK_FILE
    if "graspable" not in store.manifest.fields:
        return ""
    head = "## How `graspable` was checked\n\n"
    if not path.exists():
        return f"{head}Not yet for this store; run `pickclutter validate-grasp-labels store=` with this folder."
    result = read_json(
        path, _GraspCheck, DatasetError, "run pickclutter validate-grasp-labels again, or delete the file"
    )
    values: dict[str, Any] = dict(result)
    rows = [(key, number(values[key], 3, "-"), text) for key, text in _RATES.items()]
    text = (
        f"{head}The simulated arm attempted to pick {result['instances']} visible objects of this store: "
        f"{result['labelled']} were labeled graspable, {result['picked']} were picked.\n\n"
    )
    return text + markdown_table(("", "", "share of"), rows)


def _how(store: SceneStore) -> str:
    manifest = store.manifest
    if manifest.seed is None:
        intro = f"Imported, not made here: `{manifest.settings['source']}`."
    else:
        intro = (
            "Each pile was dropped and settled by physics (PhysX in SAPIEN 2), then rendered as the cameras of "
            "ManiSkill2's PickClutter see it before the arm moves. Scene k depends on "
            f"(seed {manifest.seed}, split, k) alone."
        )
        if {"camera", "appearance"} & set(manifest.settings):
            intro += " The settings `camera` and `appearance` differ from those of ManiSkill2; [low, high] is a range."
    rows = {**manifest.settings, **manifest.versions}
    if manifest.distractor_kinds:
        rows["distractor_kinds"] = ", ".join(manifest.distractor_kinds.values())
    listed = markdown_table(("setting", "value"), ((f"`{key}`", f"`{value}`") for key, value in rows.items()))
    return f"## How it was made\n\n{intro}\n\n{listed}"


def hub_license(object_set: object) -> str:
    """Return the license of images of an object set, in the words of the Hugging Face Hub."""
    return {"ycb": "cc-by-4.0", "proxy": "mit", "kinds": "mit"}.get(str(object_set), "other")


def mesh_words(object_set: str, entries: Sequence[CatalogEntry] | None, distractors: bool = False) -> str:
    """Return where the meshes of an object set come from, and their license.

    :param entries: the catalog of one's own objects; None of sets of the package
    :param distractors: whether instances of kinds lie beside them
    """
    if distractors:
        return f"{mesh_words(object_set, entries)}\n\nDistractors: {OBJECT_SETS['kinds']}"
    if entries is None:
        return OBJECT_SETS.get(object_set, "Meshes: see their source.")
    return f"Meshes: see `{CATALOG_FILE}`.\n\n{credits_of(entries) or 'It notes no license and no source.'}"


def _license(store: SceneStore) -> str:
    words = mesh_words(store.manifest.object_set, store.own_catalog, bool(store.manifest.distractor_kinds))
    return f"## License\n\n{words}\n\nFingerprint of the objects: `{store.manifest.object_fingerprint}`"

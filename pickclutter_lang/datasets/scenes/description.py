"""The files that describe a complete scene store: its dataset card, its contact sheet, and ManiSkill2's episodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.episodes import EPISODES_FILE, write_episodes
from pickclutter_lang.datasets.scenes.manifest import read_manifest
from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, credits_of
from pickclutter_lang.utils.constants import LABELS
from pickclutter_lang.utils.hub_files import CARD_FILE, hub_card
from pickclutter_lang.utils.images import Cell, Words, contact_sheet, png_bytes
from pickclutter_lang.utils.io import atomic_write, write_text
from pickclutter_lang.utils.markdown import markdown_table, number
from pickclutter_lang.utils.reading import read_json

SHEET_FILE, GRASP_CHECK_FILE = "contact_sheet.png", "grasp_check.json"
_SHEET_SCENES = 12
_SPLITS = {
    "train": "objects of Y_id only; for training",
    "id": "objects of Y_id only; for evaluation (X_id) and for choosing among models",
    "ood": "objects of Y_id and Y_ood; for evaluation (X_ood)",
    "fewshot": "objects of Y_id and Y_ood; for few-shot training, no scene of it is in `ood`",
    "teacher": "objects of Y_id and Y_ood; only for training the pocket teacher",
}
_ORIGINS = {
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
# Label -> mark, color and words of the legend, for an object whose furthest label it is.
_MARKS = {
    "present": ("○", "#8a8f98", "present, but hidden"),
    "visible": ("◐", "#1f6fb5", "visible, but not graspable"),
    "graspable": ("●", "#1d7a3e", "graspable"),
}
_DISTRACTOR = ("×", "#8a6d3b", "distractor, which has no label")


class _GraspCheck(TypedDict):
    instances: int
    labelled: int
    picked: int
    agreement: float | None
    precision: float | None
    recall: float | None
    pose_success: float | None


def describe_store(folder: Path, rewrite: bool = True) -> None:
    """Write card, contact sheet and, of simulated scenes, episodes.

    :param rewrite: False writes only the files that are missing
    """
    writers = {CARD_FILE: write_dataset_card, SHEET_FILE: write_contact_sheet, EPISODES_FILE: write_episodes}
    if read_manifest(folder).seed is None:
        del writers[EPISODES_FILE]
    for name, write in writers.items():
        if rewrite or not (folder / name).is_file():
            write(folder)


def write_dataset_card(path: str | Path) -> None:
    """Write the card into a complete store, from its manifest, its labels and `grasp_check.json` if that is there.

    :raises DatasetError: when there is no complete store, or the result of the check cannot be read
    """
    store = SceneStore.open(path)
    manifest = store.manifest
    labels = _labels_of(store)
    license_words = mesh_words(manifest.object_set, store.own_catalog, bool(manifest.distractor_kinds))
    parts = [
        markdown_table(("", ""), _overview(store).items()),
        "## Labels",
        "\n".join(f"- `{label}`: {_LABEL_WORDS[label]}" for label in labels),
        f"## Objects\n\nScenes out of {len(store)} in which a label holds (in brackets: of those with the object).",
        _label_table(store, labels),
        *(["## How `graspable` was checked", _grasp_check(store)] if "graspable" in labels else []),
        "## How it was made",
        _origin(store),
        f"## License\n\n{license_words}\n\nFingerprint of the objects: `{manifest.object_fingerprint}`",
    ]
    objects = None if manifest.has_catalog else manifest.object_set  # a folder of one's own may be called ycb
    title = f"Scenes of clutter: `{manifest.split}`, {manifest.object_set} objects"
    write_text(store.path / CARD_FILE, data_card("scenes", title, "\n\n".join(parts), objects))


def _labels_of(store: SceneStore) -> list[str]:
    return [label for label in LABELS if label in store.manifest.fields]


def _overview(store: SceneStore) -> dict[str, str]:
    manifest = store.manifest
    kinds = store.manifest.distractor_kinds
    counts = store.array("present").sum(1)
    rows = {
        "split": f"`{manifest.split}`: {_SPLITS.get(manifest.split, 'as imported')}",
        "scenes": f"{len(store)} with {_range(counts, 'labeled objects' if kinds else 'objects')}",
    }
    if kinds:
        others = (store.array("actors") >= len(store.label_names)).sum(1)
        rows["distractors"] = f"{_range(others, 'in a scene')}: instances of {len(kinds)} kinds, which have no label"
    return rows | {
        "objects": f"{len(manifest.objects)} labels: {len(store.split_label_indices('id'))} in Y_id, "
        f"{len(store.split_label_indices('ood'))} in Y_ood; object set `{manifest.object_set}`",
        "images": f"{', '.join(store.cameras)} camera, {store.image_size} x {store.image_size} pixels",
        "fields": ", ".join(f"`{name}`" for name in manifest.fields),
        "size": f"{sum(entry.bytes for entry in manifest.shards) / 1e6:.1f} MB in {len(manifest.shards)} shards",
        "content": f"`{manifest.content_hash}`",
    }


def _range(counts: NDArray[np.int64], of: str) -> str:
    return f"{counts.min()}-{counts.max()} {of} (mean {counts.mean():.1f})"


def _label_table(store: SceneStore, labels: Sequence[str]) -> str:
    """Return in how many scenes each label holds for each object."""
    counts = np.stack([store.array(label).sum(0) for label in labels], 1)
    present = np.flatnonzero(counts[:, 0]).tolist()
    rows = [(store.label_names[n], store.manifest.objects[n].split, *_percentages(counts[n])) for n in present]
    rows.append(("**all objects**", "", *_percentages(counts.sum(0))))
    absent = len(counts) - len(present)
    note = f"\n\n{absent} objects of the catalog lie in no scene of this split." if absent else ""
    return markdown_table(("object", "names", *labels), rows) + note


def _percentages(counts: NDArray[np.int64]) -> list[str]:
    """Return counts, each but equal ones with its share of the first."""
    return [str(count) if count == counts[0] else f"{count} ({count / counts[0]:.0%})" for count in counts]


def _grasp_check(store: SceneStore) -> str:
    """Return how the labels compare with executed picks."""
    path = store.path / GRASP_CHECK_FILE
    if not path.exists():
        return "Not yet for this store; run `pickclutter validate-grasp-labels store=` with this folder."
    remedy = "run pickclutter validate-grasp-labels again, or delete the file"
    result = read_json(path, _GraspCheck, DatasetError, remedy)
    rows = [(key, number(result[key], 3, "-"), text) for key, text in _RATES.items()]  # type: ignore[literal-required]
    return (
        f"The simulated arm attempted to pick {result['instances']} visible objects of this store: "
        f"{result['labelled']} were labeled graspable, {result['picked']} were picked.\n\n"
    ) + markdown_table(("", "", "share of"), rows)


def _origin(store: SceneStore) -> str:
    manifest = store.manifest
    intro = (
        "Each pile was dropped and settled by physics (PhysX in SAPIEN 2), then rendered as the cameras of "
        "ManiSkill2's PickClutter see it before the arm moves. Scene k depends on "
        f"(seed {manifest.seed}, split, k) only. [low, high] is a range."
    )
    if manifest.seed is None:
        intro = f"Imported, not made here: `{manifest.settings['source']}`."
    rows = {**manifest.settings, **manifest.versions}
    if manifest.distractor_kinds:
        rows["distractor_kinds"] = ", ".join(manifest.distractor_kinds.values())
    return f"{intro}\n\n{markdown_table(('setting', 'value'), ((f'`{k}`', f'`{v}`') for k, v in rows.items()))}"


def data_card(kind: str, title: str, text: str, objects: object, tags: Sequence[str] = (), **metadata: Any) -> str:
    """Return the card of a data set, with the hub's metadata and the command that fetches it from there.

    :param kind: as of `pickclutter fetch`
    :param objects: the object set, whose license its images have
    """
    command = f"```sh\npickclutter fetch repository=OWNER/NAME kind={kind} out={kind}\n```"
    metadata["license"] = {"ycb": "cc-by-4.0", "proxy": "mit", "kinds": "mit"}.get(str(objects), "other")
    tags = ["pickclutter-lang", "clutter", "grasping", *tags]
    return hub_card(title, f"{command}\n\n{text}", task_categories=["robotics"], tags=tags, **metadata)


def mesh_words(object_set: str, entries: Sequence[CatalogEntry] | None, distractors: bool = False) -> str:
    """Return where the meshes of an object set come from, and their license.

    :param entries: the catalog of one's own objects; None of sets of the package
    :param distractors: whether instances of kinds lie beside them
    """
    words = _ORIGINS.get(object_set, "Meshes: see their source.")
    if entries is not None:
        words = f"Meshes: see `{CATALOG_FILE}`.\n\n{credits_of(entries) or 'It notes no license and no source.'}"
    return f"{words}\n\nDistractors: {_ORIGINS['kinds']}" if distractors else words


def write_contact_sheet(path: str | Path) -> None:
    """Write `contact_sheet.png` into a complete store: scenes at equal distances, names under their images.

    Each name carries a mark and a color for the furthest label that holds.
    """
    store = SceneStore.open(path)
    manifest = store.manifest
    labels = _labels_of(store)
    camera = store.cameras[0]
    indices = np.unique(np.linspace(0, len(store) - 1, min(_SHEET_SCENES, len(store))).astype(int)).tolist()
    cells = [
        Cell([store.images(camera, "rgb", n)], [(f"scene {n}", "black"), *_names(store, n, labels)]) for n in indices
    ]
    title = f"{manifest.split}: {len(store)} scenes, {manifest.object_set} objects, {camera} camera"
    legend = [*(_MARKS[label] for label in labels), *([_DISTRACTOR] if manifest.distractor_kinds else [])]
    words = [(f"{mark} {text}", color) for mark, color, text in legend]
    atomic_write(store.path / SHEET_FILE, png_bytes(contact_sheet(cells, 4, 272, title, words)))


def _names(store: SceneStore, index: int, labels: Sequence[str]) -> list[Words]:
    """Return the objects of a scene with their furthest label, graspable ones first and distractors last."""
    scene = store.scene(index)
    reached = np.sum([scene[label] for label in labels], axis=0)
    order = sorted(np.flatnonzero(scene["present"]).tolist(), key=lambda label_index: -int(reached[label_index]))
    marked = [(store.label_names[n], _MARKS[labels[reached[n] - 1]]) for n in order]
    kinds = [*store.manifest.distractor_kinds.values()]
    first = len(store.label_names)
    if kinds:
        marked += [(kinds[actor - first], _DISTRACTOR) for actor in scene["actors"] if actor >= first]
    return [(f"{mark} {name}", color) for name, (mark, color, _) in marked]

"""Provenance of a pocket teacher: content hashes of its data, and the check that no test data is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog_file import CatalogEntry
from pickclutter_lang.objects.object_sets import MAX_INSTANCES, sources_of
from pickclutter_lang.teacher_training.compositions import held_out_compositions, shown_compositions
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.folder_batches import FolderImages
from pickclutter_lang.teachers.pocket import load_pocket_teacher
from pickclutter_lang.teachers.training_images import listed_images
from pickclutter_lang.utils.json_files import check_json


def run_signature(config: TeacherTrainConfig) -> dict[str, Any]:
    """Return what a resumed run must agree with: the configuration that decides the weights, and the data's hashes."""
    start = {"pretrained": pretrained_fingerprint(config)} if config.pretrained is not None else {}
    held_out = {"held_out": _held_out(config)} if config.hold_out_compositions else {}
    return (
        config.choices()
        | start
        | held_out
        | {
            "scenes": [SceneStore.open(folder).content_hash for folder in config.scenes],
            "views": [ObjectViewDataset.open(folder).content_hash for folder in config.views],
            "images": FolderImages.trained_on(config).content_hash if config.images else None,
        }
    )


def _held_out(config: TeacherTrainConfig) -> list[str]:
    """Return the compositions that are held out, which an earlier version chose otherwise."""
    shown = shown_compositions(map(ObjectViewDataset.open, config.views))
    return sorted(" ".join(pair) for pair in held_out_compositions(shown))


def pretrained_fingerprint(config: TeacherTrainConfig) -> str | None:
    """Return the fingerprint of the teacher that the training started from, if it did."""
    return None if config.pretrained is None else load_pocket_teacher(config.pretrained).fingerprint


def check_held_out_objects(config: TeacherTrainConfig) -> None:
    """Check that no evaluation data is trained on.

    :raises InvalidArgumentError: when scenes, views, or an image of a folder, are in both
    """
    trained_scenes = {scene for folder in config.scenes for scene in _scenes(folder)}
    for folder in config.unseen_scenes:
        shared = [scene for scene in _scenes(folder) if scene in trained_scenes]
        _refuse_shared(shared, "scenes", f"collect those of {folder} with another seed")
    _check_kinds(config)
    shared = _shared_keys(
        {folder: ObjectViewDataset.open(folder).content_hash for folder in config.views},
        {folder: ObjectViewDataset.open(folder).content_hash for folder in config.unseen_views},
    )
    _refuse_shared(shared, "views", "render them with another seed")
    if config.images and config.unseen_images:
        trained, unseen = FolderImages.trained_on(config), FolderImages.open(config.unseen_images)
        remedy = "remove them from one of the two"
        _refuse_shared(_shared_keys(_images(trained), _images(unseen)), "images", remedy)
    if config.pretrained and config.unseen_images:
        remedy = f"take others, or another teacher than {config.pretrained}"
        _refuse_shared(
            listed_images(FolderImages.open(config.unseen_images).at(1), config.pretrained), "images", remedy
        )


def check_held_out_instances(views: ObjectViewDataset, folder: str) -> None:
    """Check that instances of kinds in views are of those that no teacher is trained on.

    :raises InvalidArgumentError: when they are not
    """
    seeds = [int(row["seed"]) for row in views.objects if "kind" in row]
    if any(seed < MAX_INSTANCES for seed in seeds):
        raise InvalidArgumentError(
            f"expected instances of kinds with seeds from {MAX_INSTANCES} on, which no teacher is trained on, but "
            f"{folder} has {min(seeds)}; render them with first_seed={MAX_INSTANCES}"
        )


def _check_kinds(config: TeacherTrainConfig) -> None:
    """Check what teachers of kinds cannot be evaluated on, or cannot leave out."""
    for folder in config.unseen_views:
        check_held_out_instances(ObjectViewDataset.open(folder), folder)
    for folder in config.unseen_scenes:
        manifest = SceneStore.open(folder).manifest
        if manifest.object_set == "kinds" or manifest.has_catalog:
            raise InvalidArgumentError(
                f"expected unseen_scenes of proxy or ycb, whose 26 names the metrics are of, but {folder} has "
                f"{manifest.object_set}"
            )
    if config.exclude_split != "none" and "kinds" in trained_object_sets(config):
        raise InvalidArgumentError(
            f"expected exclude_split=none with kinds, but got {config.exclude_split}: it leaves out objects of proxy "
            "and ycb; render the other kinds alone, kinds=[...]"
        )


def trained_object_sets(config: TeacherTrainConfig) -> set[str]:
    """Return the object sets that a teacher is trained on, `kinds` for distractors too."""
    views = {name for folder in config.views for name in sources_of(ObjectViewDataset.open(folder).config["objects"])}
    manifests = [SceneStore.open(folder).manifest for folder in config.scenes]
    scenes = {name for manifest in manifests for name in manifest.object_set.split("+")}
    return views | scenes | ({"kinds"} if any(manifest.distractor_kinds for manifest in manifests) else set())


def trained_entries(config: TeacherTrainConfig) -> list[CatalogEntry]:
    """Return the objects of one's own that a teacher is trained on."""
    rows = [row["own"] for folder in config.views for row in ObjectViewDataset.open(folder).objects if "own" in row]
    entries = [entry for folder in config.scenes for entry in SceneStore.open(folder).own_catalog or ()]
    return list(dict.fromkeys([*entries, *(check_json(row, CatalogEntry) for row in rows)]))


def _scenes(folder: str) -> list[str]:
    """Return an id for each scene, unique across object sets."""
    store = SceneStore.open(folder)
    return [f"{store.manifest.object_set}/{scene}" for scene in store.scene_ids()]


def _images(images: FolderImages) -> dict[str, str]:
    return {str(path): digest.hex() for path, digest in zip(images.paths, images.at(1).file_hashes, strict=True)}


def _shared_keys(trained: Mapping[str, str], unseen: Mapping[str, str]) -> list[str]:
    """Return the names of held-out data whose content is trained on."""
    trained_hashes = set(trained.values())
    return [name for name, content in unseen.items() if content in trained_hashes]


def _refuse_shared(shared: Sequence[str], kind_of_data: str, remedy: str) -> None:
    if shared:
        raise InvalidArgumentError(
            f"expected held-out {kind_of_data} that are not trained on, but {len(shared)} are, such as {shared[0]}; "
            f"metrics on them would mean nothing: {remedy}"
        )

"""What a pocket teacher is trained on and measured on, by content: nothing of the one may be in the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.pretraining.folder_data import FolderPictures
from pickclutter_lang.scenes import SceneStore
from pickclutter_lang.scenes.views import ViewStore
from pickclutter_lang.training.splits import check_disjoint


def identity(settings: TeacherTrainSettings) -> dict[str, Any]:
    """Return what a resumed run must agree with: the settings that decide the weights, and the content of the data."""
    return settings.choices() | {
        "scenes": [SceneStore.open(folder).content_hash for folder in settings.scenes],
        "views": [ViewStore.open(folder).content_hash for folder in settings.views],
        "images": FolderPictures.open(settings.images, settings.classes).content_hash if settings.images else None,
    }


def check_held_out(settings: TeacherTrainSettings) -> None:
    """Check that nothing that gives the figures is trained on.

    :raises StoreError: when a scene is in both
    :raises InvalidArgumentError: when views, or a picture of a folder, are in both
    """
    _refuse_shared(_repeated(settings.scenes, settings.held_out_scenes), "scenes")
    check_disjoint({folder: _scenes(folder) for folder in (*settings.scenes, *settings.held_out_scenes)})
    shared = _shared_keys(
        {folder: ViewStore.open(folder).content_hash for folder in settings.views},
        {folder: ViewStore.open(folder).content_hash for folder in settings.held_out_views},
    )
    _refuse_shared(shared, "views")
    if settings.images and settings.held_out_images:
        _refuse_shared(_shared_keys(_pictures(settings.images), _pictures(settings.held_out_images)), "pictures")


def _scenes(folder: str) -> list[str]:
    """Return an id for each scene that tells object sets apart too."""
    store = SceneStore.open(folder)
    return [f"{store.manifest.object_set}/{scene}" for scene in store.scene_ids()]


def _pictures(folder: str) -> dict[str, str]:
    pictures = FolderPictures.open(folder)
    return {str(path): digest.hex() for path, digest in zip(pictures.paths, pictures.at(1).digests, strict=True)}


def _repeated(trained: Sequence[str], held_out: Sequence[str]) -> list[str]:
    return [folder for folder in held_out if folder in trained]


def _shared_keys(trained: Mapping[str, str], held_out: Mapping[str, str]) -> list[str]:
    """Return the names of what is held out and has the content of something that is trained on."""
    known = set(trained.values())
    return [name for name, content in held_out.items() if content in known]


def _refuse_shared(shared: Sequence[str], what: str) -> None:
    if shared:
        raise InvalidArgumentError(
            f"expected held-out {what} that are not trained on, but {len(shared)} are, such as {shared[0]}; figures on "
            "them would say nothing: take them out of one of the two"
        )

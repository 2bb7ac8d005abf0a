"""Configuration of the commands that check a scene store, and import published scenes."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.utils.validation import check_path, one_of, within

SPLITS = ("train", "id", "ood", "fewshot")


@dataclass
class VerifyConfig:
    """A check of a scene store."""

    store: str
    """Folder of the store."""


@dataclass
class ImportConfig:
    """Import of published scenes."""

    file: str
    """The published HDF5 file: a group for each scene, with images and model_ids."""
    split: str
    """Split of the scenes: `train`, `id`, `ood` or `fewshot`."""
    out: str
    """Folder of the store."""
    image_size: int = 224
    """Side in pixels to which images are resized."""
    shard_size: int = 50
    """Scenes in a file of the store."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        one_of("split", self.split, SPLITS)
        check_path("out", self.out)
        within("image_size", self.image_size, 16, 1024)
        within("shard_size", self.shard_size, 1, 10**6)

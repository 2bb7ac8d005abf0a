"""Golden values of what the simulator shows: scene stores."""

from __future__ import annotations

from pathlib import Path

from golden_measures import Measures, of_arrays, of_figures

SIDE = 48
SPLITS = {"known": "train", "known 2": "id", "all": "ood", "all 2": "fewshot", "all 3": "teacher"}


def stores(inputs: Path, folder: Path) -> Measures:
    """Collect a store of each split."""
    from pickclutter_lang.envs.config import CollectConfig
    from pickclutter_lang.envs.generation.collect import collect

    found: Measures = {}
    for key, split in SPLITS.items():
        settings = CollectConfig(
            split=split, scenes=3, seed=3, objects="proxy", out=str(folder / split),
            image_size=SIDE, shard_size=2, workers=1, cameras=("hand", "base"),
        )  # fmt: skip
        store = collect(settings).store
        labels = (store.array(label).sum() for label in ("present", "visible", "graspable"))
        found[f"{key}: labels"] = of_figures(labels, tolerance=0.25)
        found[f"{key}: piles"] = of_arrays([store.array("actors"), store.array("poses")], tolerance=0.02)
        for camera in ("hand", "base"):
            found[f"{key}: colour, {camera}"] = of_arrays([store.images(camera, "rgb")], tolerance=0.02)
            found[f"{key}: depth, {camera}"] = of_arrays([store.images(camera, "depth")], tolerance=0.02)
    return found

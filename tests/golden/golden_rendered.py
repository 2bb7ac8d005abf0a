"""Golden values of what the simulator shows: scene stores, and views of single objects."""

from __future__ import annotations

from pathlib import Path

from golden_measures import Measures, everywhere, of_arrays, of_figures

from pickclutter_lang.datasets.object_views import ObjectViewDataset

SIDE = 48
SPLITS = {"known": "train", "known 2": "id", "all": "ood", "all 2": "fewshot", "all 3": "teacher"}


def stores(objects: str, root: str | None, inputs: Path, folder: Path) -> Measures:
    """Collect a store of each split."""
    from pickclutter_lang.envs.config import CollectConfig
    from pickclutter_lang.envs.generation.collect import collect

    found: Measures = {}
    for key, split in SPLITS.items():
        settings = CollectConfig(
            split=split, scenes=3, seed=3, objects=objects, objects_root=root, out=str(folder / split),
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


def views(objects: str, root: str | None, inputs: Path, folder: Path) -> Measures:
    """Render a view of each object."""
    from pickclutter_lang.envs.config import ObjectViewConfig
    from pickclutter_lang.envs.generation.object_renderer import render_object_views

    settings = ObjectViewConfig(
        out=str(folder / "views"), objects=objects, objects_root=root, selection="paper", views_per_object=1,
        size=SIDE, seed=0,
    )  # fmt: skip
    render_object_views(settings)
    found = ObjectViewDataset.open(folder / "views")
    return {
        "pictures": of_arrays([found.rgb], tolerance=0.02),
        "masks": of_arrays([found.mask], tolerance=0.02),
        "owners": everywhere(found.object_index),
    }

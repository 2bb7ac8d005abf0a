"""ManiSkill2's PickClutter with the meshes of an object set."""

from __future__ import annotations

from typing import Any

from mani_skill2.envs.pick_and_place.pick_clutter import PickClutterYCBEnv

from pickclutter_lang.objects.object_sets import ObjectSet


class ObjectSetEnv(PickClutterYCBEnv):  # type: ignore[misc]
    """`PickClutterYCBEnv` that takes each model from its folder in an object set; a mixed set has several."""

    object_set: ObjectSet

    def __init__(self, object_set: ObjectSet, **kwargs: Any) -> None:
        """Make the environment; further arguments are those of `PickClutterYCBEnv`."""
        self.object_set = object_set
        super().__init__(**kwargs)

    def _load_model(self, model_id: str, model_scale: float = 1.0) -> Any:
        self.asset_root = self.object_set.model_dir(model_id).parent.parent
        return super()._load_model(model_id, model_scale)

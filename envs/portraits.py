"""Pictures of single objects on the environment's ground, under its lights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pickclutter_lang.envs.renderer import shared_engine
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.sets import ObjectSet

FIELD_OF_VIEW = 0.6
_UPRIGHT = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class View:
    """A picture: `rgb` uint8 [S, S, 3] and `mask` bool [S, S], true on the object."""

    rgb: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]


class ObjectStudio:
    """Renders single objects lying on the ground; each mesh is loaded once, at its first view."""

    def __init__(self) -> None:
        self._engine, self._renderer = shared_engine()
        self._scene = self._engine.create_scene()
        self._add_ground()
        _add_lights(self._scene)
        self._actors: dict[tuple[Path, float], tuple[Any, npt.NDArray[np.float64]]] = {}
        self._cameras: dict[int, Any] = {}

    @classmethod
    def of(cls, objects: ObjectSet) -> _SetStudio:
        """Return a studio whose views are asked for by model id, at the set's own scale."""
        return _SetStudio(cls(), objects)

    def view(
        self,
        model_dir: Path,
        scale: float = 1.0,
        rotation: npt.ArrayLike = _UPRIGHT,
        distance: float | None = None,
        elevation: float = 0.6,
        azimuth: float = 0.8,
        size: int = 128,
    ) -> View:
        """Render an object that touches the ground, seen by a camera that looks at its middle.

        :param model_dir: the folder with the object's `textured.obj`
        :param scale: factor on the mesh
        :param rotation: unit quaternion (w, x, y, z) of the object
        :param distance: from the camera to the middle of the object, metres; by default the object fills the picture
        :param elevation: angle of the camera above the ground, radians, in (0, pi / 2]
        :param azimuth: angle of the camera around the vertical, radians, 0 is on the side of +x
        :param size: side S of the picture in pixels
        :raises InvalidArgumentError: when the camera would be under the ground or inside the object
        """
        if not 0 < elevation <= np.pi / 2 or size < 1:
            raise InvalidArgumentError(
                f"expected an elevation in (0, pi/2] and a size of at least 1, but got {elevation} and {size}"
            )
        actor, points = self._actor(Path(model_dir), scale)
        turned = points @ _matrix(rotation).T
        low, high = turned.min(axis=0), turned.max(axis=0)
        radius = float(np.linalg.norm(turned - (low + high) / 2, axis=1).max())
        reach = radius * 1.08 / np.sin(FIELD_OF_VIEW / 2) if distance is None else distance
        if reach <= radius:
            raise InvalidArgumentError(
                f"expected a distance above the object's radius of {radius:.3f} m, but got {reach}"
            )
        shift = np.array([-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]])
        return self._shoot(
            actor, shift, rotation, _look_at(float(high[2] - low[2]) / 2, reach, elevation, azimuth), size
        )

    def _shoot(self, actor: Any, position: Any, rotation: npt.ArrayLike, camera_pose: Any, size: int) -> View:
        import sapien.core as sapien

        actor.set_pose(sapien.Pose(position, np.asarray(rotation, dtype=float)))
        actor.unhide_visual()
        if size not in self._cameras:
            self._cameras[size] = self._scene.add_camera(f"view{size}", size, size, FIELD_OF_VIEW, 0.005, 20.0)
        camera = self._cameras[size]
        camera.set_pose(camera_pose)
        self._scene.update_render()
        camera.take_picture()
        colour = camera.get_float_texture("Color")[..., :3]
        mask = camera.get_uint32_texture("Segmentation")[..., 1] == actor.id
        actor.hide_visual()
        return View((np.clip(colour, 0, 1) * 255).astype(np.uint8), mask)

    def _actor(self, model_dir: Path, scale: float) -> tuple[Any, npt.NDArray[np.float64]]:
        key = (model_dir, scale)
        if key not in self._actors:
            builder = self._scene.create_actor_builder()
            builder.add_visual_from_file(str(model_dir / "textured.obj"), scale=[scale] * 3)
            actor = builder.build_kinematic(model_dir.name)
            actor.hide_visual()
            self._actors[key] = actor, _points(model_dir / "textured.obj") * scale
        return self._actors[key]

    def _add_ground(self) -> None:
        """Lay mani_skill2's ground (`BaseEnv._add_ground`)."""
        material = self._renderer.create_material()
        material.base_color = [0.06, 0.08, 0.12, 1]
        material.metallic, material.roughness, material.specular = 0.0, 0.9, 0.8
        self._scene.add_ground(altitude=0.0, render=True, render_material=material)


class _SetStudio:
    """The views of one object set."""

    def __init__(self, studio: ObjectStudio, objects: ObjectSet) -> None:
        self._studio = studio
        self._objects = objects

    def view(self, model_id: str, **pose: Any) -> View:
        """Render an object of the set; `pose` as in `ObjectStudio.view`.

        :raises UnknownObjectError: for an id that the set does not have
        """
        item = self._objects.catalogue.find(model_id)
        return self._studio.view(self._objects.model_dir(item.model_id), item.scale, **pose)


def _add_lights(scene: Any) -> None:
    """Light a scene as mani_skill2 does (`BaseEnv._setup_lighting`, without shadows)."""
    scene.set_ambient_light([0.3, 0.3, 0.3])
    scene.add_directional_light([1, 1, -1], [1, 1, 1], shadow=False, scale=5, shadow_map_size=2048)
    scene.add_directional_light([0, 0, -1], [1, 1, 1])


def _points(path: Path) -> npt.NDArray[np.float64]:
    """Return the vertices [V, 3] of an OBJ file."""
    rows = [line.split()[1:4] for line in path.read_text().splitlines() if line.startswith("v ")]
    return np.array(rows, dtype=np.float64)


def _matrix(quaternion: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the rotation matrix of a unit quaternion (w, x, y, z)."""
    w, x, y, z = np.asarray(quaternion, dtype=np.float64)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _look_at(height: float, distance: float, elevation: float, azimuth: float) -> Any:
    """Return the pose of a camera (x forward, y left, z up) that looks at a height above the origin."""
    import sapien.core as sapien

    outward = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    left = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    frame = np.eye(4)
    frame[:3, 0], frame[:3, 1], frame[:3, 2] = -outward, left, np.cross(-outward, left)
    frame[:3, 3] = outward * distance + [0, 0, height]
    return sapien.Pose.from_transformation_matrix(frame)

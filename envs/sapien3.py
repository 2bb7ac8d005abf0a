"""SAPIEN 3 behind those names of SAPIEN 2 by which scenes are made and rendered here."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import sapien
from numpy.typing import NDArray
from sapien.wrapper.actor_builder import ActorBuilder

from pickclutter_lang.envs.renderer import prepare_renderer

Pose = sapien.Pose
SceneConfig = SimpleNamespace
"""Physics of a scene, by the names of SAPIEN 2."""
_PICTURES = ("Color", "ColorRaw", "PositionSegmentation")


def use_float_pictures() -> None:
    """Let the next cameras take pictures of floats: ManiSkill 3's cameras leave the formats of theirs behind."""
    for name in _PICTURES:
        sapien.render.set_picture_format(name, "r32g32b32a32sfloat")


class Engine:
    """Engine and renderer of SAPIEN 2; a process of SAPIEN 3 has one of each."""

    def __init__(self, shaders: str) -> None:
        """Set the shaders of cameras, a folder."""
        sapien.render.set_log_level("warn")
        sapien.render.set_camera_shader_dir(shaders)

    def set_renderer(self, renderer: Any) -> None:
        """Do nothing: it has its renderer."""

    def create_scene(self, config: SceneConfig | None = None) -> Scene:
        """Return an empty scene; SAPIEN 3 keeps its physics for the process."""
        if config is not None:
            frictions = config.default_static_friction, config.default_dynamic_friction
            sapien.physx.set_default_material(*frictions, config.default_restitution)
            sapien.physx.set_shape_config(contact_offset=config.contact_offset)
            sapien.physx.set_body_config(solver_position_iterations=config.solver_iterations)
            sapien.physx.set_scene_config(enable_pcm=config.enable_pcm, enable_tgs=False)
        return Scene()

    def create_material(self) -> Any:
        """Return a material."""
        return sapien.render.RenderMaterial()

    def clear_cached_resources(self) -> None:
        """Drop meshes and images that are in no scene."""
        sapien.render.clear_cache()


class Body:
    """An entity, or a link of a robot, with the methods of an actor of SAPIEN 2."""

    def __init__(self, entity: Any, name: str = "") -> None:
        """Wrap what SAPIEN 3 made."""
        self.entity = entity
        self.name = name or entity.name
        self._visual = entity.find_component_by_type(sapien.render.RenderBodyComponent)
        self._body = entity.find_component_by_type(sapien.physx.PhysxRigidDynamicComponent)

    @property
    def pose(self) -> Any:
        """Its pose."""
        return self.entity.pose

    @property
    def velocity(self) -> NDArray[np.float32]:
        """Its speed [3], m/s."""
        return np.asarray(self._body.linear_velocity)

    @property
    def angular_velocity(self) -> NDArray[np.float32]:
        """Its speed [3], rad/s."""
        return np.asarray(self._body.angular_velocity)

    @property
    def id(self) -> int:
        """Its number in segmentations."""
        return int(self.entity.per_scene_id)

    def set_pose(self, pose: Any) -> None:
        """Put it somewhere."""
        self.entity.pose = pose

    def set_velocity(self, velocity: Any) -> None:
        """Set its speed, m/s."""
        self._body.linear_velocity = velocity

    def set_angular_velocity(self, velocity: Any) -> None:
        """Set its speed, rad/s."""
        self._body.angular_velocity = velocity

    def set_damping(self, linear: float, angular: float) -> None:
        """Set how fast its speeds decay."""
        self._body.linear_damping = linear
        self._body.angular_damping = angular

    def hide_visual(self) -> None:
        """Hide it from cameras."""
        if self._visual is not None:
            self._visual.visibility = 0.0

    def unhide_visual(self) -> None:
        """Show it to cameras."""
        if self._visual is not None:
            self._visual.visibility = 1.0

    def materials(self) -> list[Any]:
        """Return the materials of its visuals."""
        shapes = [] if self._visual is None else self._visual.render_shapes
        return [part.material for shape in shapes for part in getattr(shape, "parts", [shape])]


class _Builder(ActorBuilder):  # type: ignore[misc]
    """Builds bodies."""

    def add_multiple_collisions_from_file(self, filename: str, **settings: Any) -> None:
        """Add the convex parts of a mesh."""
        self.add_multiple_convex_collisions_from_file(filename, **settings)

    def build(self, name: str | None = None) -> Body:
        """Add a body to the scene."""
        return Body(super().build(name))


class _Camera:
    """A camera whose pictures have SAPIEN 2's names."""

    def __init__(self, camera: Any) -> None:
        self._camera = camera

    def __getattr__(self, name: str) -> Any:
        return getattr(self._camera, name)

    def get_float_texture(self, name: str) -> NDArray[np.float32]:
        """Return a picture, such as `Color` or `Position`."""
        return np.asarray(self._camera.get_picture(name))

    get_uint32_texture = get_float_texture

    def set_pose(self, pose: Any) -> None:
        """Put the camera, which is not mounted, somewhere."""
        self._camera.entity.pose = pose


class Robot:
    """An articulation whose links are bodies."""

    def __init__(self, articulation: Any) -> None:
        self._articulation = articulation
        self._links = [Body(link.entity, link.name) for link in articulation.links]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._articulation, name)

    def get_links(self) -> list[Body]:
        """Return the links."""
        return self._links


class _Loader:
    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def load(self, path: str) -> Robot:
        """Add the robot of a URDF file to the scene."""
        return Robot(self._loader.load(path))


def _device() -> Any:
    """Return the device that renders."""
    if not prepare_renderer().startswith("software"):
        with suppress(RuntimeError):  # of a GPU that has no CUDA, or a Vulkan driver of the user's choice
            return sapien.Device("cuda")
    return sapien.Device("cpu")


class Scene(sapien.Scene):  # type: ignore[misc]
    """A scene whose actors are bodies."""

    def __init__(self) -> None:
        """Make an empty scene."""
        super().__init__([sapien.physx.PhysxCpuSystem(), sapien.render.RenderSystem(_device())])
        self._lights: list[Any] = []

    def create_actor_builder(self) -> _Builder:
        """Return a builder of bodies."""
        return _Builder().set_scene(self)  # type: ignore[no-any-return]

    def create_urdf_loader(self) -> Any:
        """Return a loader of robots."""
        return _Loader(super().create_urdf_loader())

    def remove_actor(self, actor: Body) -> None:
        """Remove a body."""
        self.remove_entity(actor.entity)

    def add_directional_light(
        self, direction: Any, color: Any, shadow: bool = False, scale: float = 10.0, shadow_map_size: int = 2048
    ) -> Any:
        """Add a light."""
        light = super().add_directional_light(
            direction, color, shadow, shadow_scale=scale, shadow_map_size=shadow_map_size
        )
        self._lights.append(_Light(light))
        return self._lights[-1]

    def get_all_lights(self) -> list[Any]:
        """Return the lights in the order in which they came."""
        return self._lights

    def add_camera(self, *settings: Any) -> Any:
        """Add a camera."""
        use_float_pictures()
        return _Camera(super().add_camera(*settings))

    def add_mounted_camera(self, name: str, mount: Body, *settings: Any) -> Any:
        """Add a camera on a link."""
        use_float_pictures()
        return _Camera(super().add_mounted_camera(name, mount.entity, *settings))


class _Light:
    """A directional light."""

    def __init__(self, light: Any) -> None:
        self._light = light

    def set_color(self, color: Any) -> None:
        """Set its color."""
        self._light.color = color

    def set_direction(self, direction: Any) -> None:
        """Set where it shines."""
        self._light.pose = Pose([0, 0, 0], sapien.math.shortest_rotation([1, 0, 0], direction))


def set_articulation_render_material(robot: Robot, **values: float) -> None:
    """Set values, such as `roughness`, of all materials of a robot."""
    for material in (material for link in robot.get_links() for material in link.materials()):
        for name, value in values.items():
            setattr(material, name, value)


def look_at(eye: Any, target: Any) -> Any:
    """Return the pose of a camera at a point that looks at another, upright."""
    forward = np.subtract(target, eye)
    forward = forward / np.linalg.norm(forward)
    left = np.cross([0, 0, 1], forward)
    left = left / np.linalg.norm(left)
    frame = np.eye(4)
    frame[:3, :3] = np.stack([forward, left, np.cross(forward, left)], axis=1)
    frame[:3, 3] = eye
    return Pose(frame)

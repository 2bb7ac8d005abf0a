"""Configuration of the commands that need the simulator: collection, views, contact sheets, and grasp validation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from omegaconf import MISSING

from pickclutter_lang.envs.generation.pile_sampling import SPLIT_OBJECTS, PileConfig
from pickclutter_lang.envs.simulator import SimulatorConfig
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import select_objects
from pickclutter_lang.objects.object_sets import (
    MAX_INSTANCES,
    ObjectsConfig,
    check_kinds,
    check_object_split,
    check_source,
    is_kinds,
    sources_of,
)
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.validation import (
    MAX_SEED,
    MAX_WORKERS,
    at_least,
    check_folder,
    check_path,
    check_values,
    one_of,
    within,
)

_MAX_SCENES = 10_000_000
_MAX_VIEWS = 1_000_000
_SHEET_INSTANCES = 12


@dataclass(frozen=True)
class CollectConfig(PileConfig, ObjectsConfig, PoolConfig, SimulatorConfig):
    """A collection of scenes of clutter. Scene k depends on `seed`, `split` and k only."""

    split: Annotated[str, one_of, tuple(SPLIT_OBJECTS)] = "train"
    """`train`, `id` (piles of Y_id objects only), `ood`, `fewshot` or `teacher` (piles of all objects)."""
    scenes: Annotated[int, within, 1, _MAX_SCENES] = 3000
    """Scenes of the store."""
    seed: Annotated[int, within, 0, MAX_SEED] = 0
    """Seed of the scenes. Those of two splits differ in any case."""
    object_split: int = 0
    """Which 12 objects are unseen (Y_ood): 0 the paper's, 1 to 4 drawn at random. Of your own objects: 0 those of
    catalog.yaml, 1 to 999 drawn by this seed."""
    out: Annotated[str, check_path] = MISSING
    """Folder of the store. Its content does not depend on `workers`, `engine` and `address`."""
    shard_size: Annotated[int, within, 1, _MAX_SCENES] = 50
    """Scenes in a file of the store."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        PileConfig.validate(self)
        PoolConfig.validate(self)
        ObjectsConfig.validate(self)
        check_object_split(self.objects, self.object_split)
        SimulatorConfig.validate(self)


@dataclass
class ObjectSheetConfig:
    """Contact sheet with a thumbnail of each object of the object sets, or a row of instances of each kind."""

    out: str = "objects.png"
    """The PNG file."""
    objects: Any = "proxy"
    """Object set, or several side by side, [proxy,ycb]: `proxy` (generated models), `ycb` (real scans), folders of
    your own objects with the same ids; or only `kinds`, a row each."""
    kinds: list[str] = field(default_factory=list)
    """For `kinds`: names of the kinds. []: all."""
    instances: int = _SHEET_INSTANCES
    """For `kinds`: instances of each kind."""
    first_seed: Annotated[int, within, 0, 2 * MAX_INSTANCES] = 0
    """For `kinds`: seed of the first instance. Instances from 1000000 on train nothing: they are for evaluation."""
    size: Annotated[int, within, 16, 1024] = 128
    """Side of each image in pixels."""
    suffixes: ClassVar[tuple[str, ...]] = (".png",)

    @property
    def sets(self) -> tuple[str, ...]:
        """The object sets, one or several."""
        return sources_of(self.objects)

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        for name in self.sets:
            check_source(name)
            check_kinds(name, self.kinds, self.instances, _SHEET_INSTANCES)
        if "kinds" in self.sets and len(self.sets) > 1:
            raise InvalidArgumentError(f"expected only kinds in objects, but got {list(self.sets)}")
        check_values(self)
        check_path("out", self.out, *self.suffixes)


@dataclass
class ObjectViewConfig(ObjectSheetConfig):
    """Rendered views of single objects. Everything is drawn from `seed`."""

    out: str = MISSING
    """Folder of the views."""
    objects: Any = "proxy"
    """Object set: `proxy` (generated models), `ycb` (real scans), `kinds` (instances of kinds), a folder of your own
    objects, or sets to mix."""
    objects_root: str | None = None
    """Folder of the object set. null: the package's cache, or $MS2_ASSET_DIR for `ycb`. `kinds` needs none."""
    selection: str = "paper"
    """Objects of the set: `paper` (the 26), `further` (26 more, of `ycb`), or `kept_out` (8 that train no teacher)."""
    views_per_object: Annotated[int, within, 1, _MAX_VIEWS] = 60
    """Views of each object of the set, or of each instance."""
    random_lights: bool = False
    """Draw the direction, strength and tint of the lights for each view."""
    seed: Annotated[int, within, 0, MAX_SEED] = 0
    """Seed of the views."""
    suffixes: ClassVar[tuple[str, ...]] = ()

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        super().validate()
        check_source(self.objects)
        select_objects(self.selection)
        if self.objects != "ycb" and self.selection != "paper":
            raise InvalidArgumentError(f"expected selection=paper of {self.objects}, but got {self.selection!r}")
        if is_kinds(self.objects) and self.objects_root is not None:
            raise InvalidArgumentError(f"expected no objects_root for kinds, but got {self.objects_root!r}")
        if self.objects == "proxy":  # of `ycb` its loader says where it comes from
            check_folder("objects_root", self.objects_root)


@dataclass
class GraspValidationConfig:
    """A check of the label `graspable` against executed picks."""

    store: str
    """The scene store. `grasp_check.json` is written into it, and its dataset card is rewritten."""
    objects_root: Annotated[str | None, check_folder] = None
    """Folder of the meshes. null: where the package keeps the object set of the store."""
    instances: Annotated[int, at_least, 1] = 200
    """Visible objects to pick, at least. Scenes are taken from the first of the store on."""
    workers: Annotated[int, within, 1, MAX_WORKERS] = 2
    """Processes."""
    objects: Any = None
    """Of a store of your own objects: the folder or the sets, as in its collection. null: those of the store."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        check_values(self)
        if self.objects is not None:
            check_source(self.objects)

"""Configurations of the commands that export and teach a policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pickclutter_lang.envs.simulator import SimulatorConfig
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.scenes.config import CALIBRATIONS, TrainedRunConfig
from pickclutter_lang.language.chat import ChatConfig
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.objects.object_sets import ObjectsConfig
from pickclutter_lang.policy.example_memory import MAX_EXAMPLES, bare_name
from pickclutter_lang.policy_folder.folder import EMBEDDED_POLICIES
from pickclutter_lang.utils.validation import (
    MAX_IMAGE_SIZE,
    MAX_SEED,
    check_path,
    check_seed,
    check_threads,
    check_values,
    one_of,
    within,
)


@dataclass
class PolicyExportConfig(TrainedRunConfig):
    """Export of a policy folder."""

    out: str = "${run}/policy"
    """Folder of the policy. The files of a policy in it are replaced."""
    false_positive_rate: float = 0.07
    """Fraction of the absent objects that the thresholds let pass, on X_id and on the few-shot scenes."""
    calibration: str | None = None
    """Scenes that thresholds come from: `id` (X_id), `few_shot` (X_id and the few-shot scenes, which have labels of
    unseen objects), or `unlabeled` (X_id and the unlabeled scenes, which lack the unseen objects). null: `id` before
    fine-tuning and `few_shot` after it."""
    half: bool = False
    """Write the weights in half precision (float16): half the bytes. Networks compute as before."""
    precision: str | None = None
    """In which the policy computes: `float32`, `bfloat16`, or `auto` (bfloat16 where the CPU has it in hardware). null:
    as the run."""

    def __post_init__(self) -> None:
        """Fill in `${run}`, as hydra does for a command."""
        self.out = self.out.replace("${run}", self.run)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate()
        check_path("out", self.out)
        within("false_positive_rate", self.false_positive_rate, 0.0, 1.0)
        if self.calibration is not None:
            one_of("calibration", self.calibration, [*CALIBRATIONS])
        if self.precision is not None:
            one_of("precision", self.precision, ("auto", "float32", "bfloat16"))


@dataclass
class RuntimeExportConfig:
    """Export of a policy folder for use without torch."""

    policy: str
    """Folder of `pickclutter export-policy`."""
    num_threads: int | None = None
    """Threads of torch. null: torch's default."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""
    out: str = "${policy}/runtime"
    """Folder of ONNX networks. The files of a policy in it are replaced."""
    names: list[str] = field(default_factory=list)
    """Further names to ask for there, also of objects that were never seen."""

    def __post_init__(self) -> None:
        """Fill in `${policy}`, as hydra does for a command."""
        self.out = self.out.replace("${policy}", self.policy)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_path("policy", self.policy)
        check_threads(self.num_threads)
        check_path("out", self.out)
        if self.names:
            validate_label_names(self.names)


@dataclass
class TeachConfig:
    """Objects that a policy is shown."""

    policy: str = "open"
    """Policy folder, or an embedded policy, `open` or `ycb`."""
    out: str | None = None
    """Policy folder that knows the objects. null: `policy` itself."""
    names: list[str] = field(default_factory=list)
    """Name of the object of `images`. Of `annotations`, `objects` and `scenes`: which objects. []: all."""
    images: str | None = None
    """A photo of the object, or a folder of photos. On a plain ground it is what differs; on another, a box, a point,
    an alpha channel or `annotations` says where it is."""
    annotations: str | None = None
    """File with the objects of the photos: COCO's (.json), or photo: {name, box | point | mask} (.yaml). null:
    `annotations.json` or `annotations.yaml` in the folder of photos, where there is one."""
    point: list[float] | None = None
    """Column and row of a pixel of the object in a photo, [u,v]."""
    box: list[float] | None = None
    """Box around the object in a photo, [left,top,right,bottom]."""
    objects: str | None = None
    """Object set that is rendered from random sides: a folder of `pickclutter import-mesh`, `proxy` or `ycb`."""
    objects_root: str | None = None
    """Folder of the object set. null: the package's default."""
    scenes: str | None = None
    """Scene store whose labels say where objects are."""
    shots: int = 5
    """Examples of each object, of `objects` and `scenes`."""
    seed: int = 0
    """Seed of the sides of `objects`, and of the scenes that are taken."""
    add: bool = False
    """Add to what was taught of a name before."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        given = [key for key in ("images", "objects", "scenes") if getattr(self, key)]
        if len(given) != 1:
            raise InvalidArgumentError(
                f"expected one of images, objects and scenes, but got {' and '.join(given) or 'none'}"
            )
        if self.out is None and self.policy in EMBEDDED_POLICIES:
            raise InvalidArgumentError(f"expected out=FOLDER, since {self.policy} belongs to the package")
        check_path("out", self.out)
        check_seed(self.seed)
        places = [key for key in ("annotations", "point", "box") if getattr(self, key) is not None]
        if self.images is None and places:
            raise InvalidArgumentError(f"expected {places[0]} only with images")
        if len(places) > 1:
            raise InvalidArgumentError(f"expected one of annotations, point and box, but got {' and '.join(places)}")
        if self.names:
            self.names = validate_label_names(list(map(bare_name, validate_label_names(self.names))))
        within("shots", self.shots, 1, MAX_EXAMPLES)
        is_photo = self.images is not None and self.annotations is None and not Path(self.images).is_dir()
        if is_photo and len(self.names) != 1:
            raise InvalidArgumentError(
                f"expected the name of the object, names=NAME, but got {len(self.names)}; annotations= names several"
            )


@dataclass(frozen=True, kw_only=True)
class LabelConfig(ChatConfig, ObjectsConfig, SimulatorConfig):
    """Looks whose segments a large vision-language model names, and the policy that learns these names."""

    looks: Any
    """A scene store, a folder of RGB-D frames or of photos, or a number: piles that the simulator draws now."""
    names: Any = ()
    """Names of the objects, or your `catalog.yaml`, whose synonyms are in the question too. []: the model says what it
    sees, and nothing is taught."""
    policy: Annotated[str, check_path] = "open"
    """Policy folder, or an embedded policy, `open` or `ycb`. Its segments are numbered."""
    out: Annotated[str | None, check_path] = None
    """Policy folder that knows the objects. null: `policy` itself."""
    answers: Annotated[str | None, check_path] = None
    """Folder of the pictures, the answers and the review sheet. null: `out` with `-labels` added."""
    max_looks: Annotated[int, within, 1, 1000] = 100
    """Most looks of a store or folder, the first ones."""
    shots: Annotated[int, within, 1, MAX_EXAMPLES] = 12
    """Most examples of each name."""
    leave_out: tuple[str, ...] = ()
    """Named segments that are not taught, as the review sheet calls them, such as `pile_3:5`."""
    yes: bool = False
    """Send the pictures to a server that is not this machine."""
    prices: tuple[float, ...] = ()
    """Of a million tokens of requests and of replies, [2.5,10], to see the cost."""
    timeout_s: Annotated[float, within, 1.0, 3600.0] = 60.0
    """Longest wait for a reply, seconds."""
    seed: Annotated[int, within, 0, MAX_SEED] = 0
    """Seed of the first pile that the simulator draws."""
    image_size: Annotated[int, within, 16, MAX_IMAGE_SIZE] = 512
    """Side in pixels of the hand camera's images of these piles."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        ChatConfig.validate(self)
        ObjectsConfig.validate(self)
        SimulatorConfig.validate(self)
        check_values(self)
        if self.piles is not None:
            within("looks", self.piles, 1, 1000)
        if self.out is None and self.policy in EMBEDDED_POLICIES:
            raise InvalidArgumentError(f"expected out=FOLDER, since {self.policy} belongs to the package")
        if len(self.prices) not in (0, 2) or any(price < 0 for price in self.prices):
            raise InvalidArgumentError(f"expected prices=[of_requests,of_replies], but got {list(self.prices)}")

    @property
    def piles(self) -> int | None:
        """Number of piles that the simulator draws; None: looks are in a store or folder."""
        return int(self.looks) if str(self.looks).isdecimal() else None


@dataclass
class ForgetConfig:
    """Objects that a policy forgets."""

    policy: str
    """Policy folder of `pickclutter teach`."""
    names: list[str]
    """Names of the objects."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for no name, or one that is no line of text."""
        validate_label_names(self.names)


@dataclass
class ExamplesConfig:
    """What a policy was taught."""

    policy: str
    """Policy folder, or an embedded policy."""
    out: str = "examples.png"
    """Picture of one example of each object."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_path("out", self.out, ".png")

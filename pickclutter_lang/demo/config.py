"""Configurations of `pickclutter demo` and `pickclutter look`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from omegaconf import MISSING

from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.object_sets import check_objects
from pickclutter_lang.policy.asking import AskConfig
from pickclutter_lang.utils.validation import MAX_WORKERS, check_folder, check_path, check_values, within


@dataclass
class DemoConfig:
    """A page in a browser on this machine."""

    policy: Annotated[str, check_path] = "open"
    """Policy folder, or an embedded policy, `open` or `ycb`."""
    out: Annotated[str | None, check_path] = None
    """Policy folder that keeps what the page is taught. null: it is gone when the page ends."""
    objects: Any = "proxy"
    """Object set of the piles: `proxy` (generated models), `ycb` (real scans), `kinds` (in every pile others), a
    folder of your own objects, or sets to mix, `[ycb,./mine]`."""
    objects_root: str | None = None
    """Folder of the object set. null: the package's default."""
    camera: HandCameraConfig = field(default_factory=HandCameraConfig)
    """The hand camera; a range is drawn for each pile."""
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    """Lights, table and background; a range is drawn for each pile."""
    ask: AskConfig = field(default_factory=AskConfig)
    """A large model that is asked where the policy is unsure."""
    num_threads: Annotated[int, within, 1, MAX_WORKERS] | None = None
    """Threads of torch. null: torch's default."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""
    device: str = "cpu"
    """torch's name of where the student's networks compute, such as `cuda`."""
    port: Annotated[int, within, 1024, 65535] = 7860
    """Port of the page on 127.0.0.1."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_objects(self.objects, self.objects_root)
        self.camera.validate()
        self.appearance.validate()
        self.ask.validate()
        check_values(self)


@dataclass
class LookConfig:
    """Names, asked for in one image."""

    image: str = MISSING
    """The image: PNG, JPEG, WebP, GIF or BMP. Its central square is used."""
    names: list[str] = field(default_factory=list)
    """Names to ask for, such as `[mug,"yellow fruit"]`."""
    teacher_name: str = "pocket"
    """`pocket`, `vit_l14_openai`, or `<open_clip architecture>:<pretrained tag>`."""
    checkpoint: str | None = None
    """Folder or .safetensors file with the teacher's weights. null: the embedded or downloaded ones."""
    threshold: Annotated[float, within, 0.0, 1.0] = 0.3
    """Score of the teacher from which a name is predicted present. It is not calibrated."""
    policy: Annotated[str | None, check_path] = None
    """Policy folder of a student of only RGB, to be asked beside the teacher. null: only the teacher."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""
    device: str = "cpu"
    """torch's name of where the networks of policy and teacher compute, such as `cuda`."""
    out: Annotated[str, check_path, ".png"] = "look.png"
    """PNG file of the figure, in a folder that exists."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if not self.names:
            raise InvalidArgumentError("expected names to ask for, such as names=mug,lemon, but got []")
        check_values(self)
        check_folder("the folder of out", str(Path(self.out).parent))
        if os.path.realpath(self.out) == os.path.realpath(self.image):
            raise InvalidArgumentError(f"expected out to be another file than image, but both are {self.out}")

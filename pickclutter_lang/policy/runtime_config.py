"""Configurations of `pickclutter export-runtime` and `pickclutter encode-names`."""

from __future__ import annotations

from dataclasses import dataclass, field

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.utils.object_storage import check_store
from pickclutter_lang.utils.validation import at_least, check_path, check_threads


@dataclass
class OpenedPolicyConfig:
    """A policy folder."""

    policy: str
    """Folder of `pickclutter export-policy`."""
    num_threads: int | None = None
    """Threads of torch. null: torch's default."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_path("policy", self.policy)
        check_threads(self.num_threads)


@dataclass
class RuntimeExportConfig(OpenedPolicyConfig):
    """Export of a policy folder for use without torch."""

    out: str = "${policy}/runtime"
    """Folder of ONNX networks. The files of a policy in it are replaced."""
    calibration: str | None = None
    """Scene store with the hand camera's depth. Its images calibrate networks of 8-bit integers. These are less exact,
    and faster on CPUs with instructions for them (AVX-512 VNNI). null: float32."""
    calibration_scenes: int = 100
    """Scenes of that store, evenly spaced."""

    def __post_init__(self) -> None:
        """Fill in `${policy}`, as hydra does for a command."""
        self.out = self.out.replace("${policy}", self.policy)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate()
        check_path("out", self.out)
        check_store("calibration", self.calibration)
        at_least("calibration_scenes", self.calibration_scenes, 1)


@dataclass
class NameEncodingConfig(OpenedPolicyConfig):
    """Text features of further names."""

    names: list[str] = field(default_factory=list)
    """The names, also of objects that were never seen."""
    out: str = "names.safetensors"
    """File with their features."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate()
        if not self.names:
            raise InvalidArgumentError("expected names to have at least one name, such as names=[mug], but got []")
        validate_label_names(self.names)
        check_path("out", self.out, ".safetensors")

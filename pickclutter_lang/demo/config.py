"""Configuration of `pickclutter demo`."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import check_folder, check_path, check_threads, one_of, within


@dataclass
class DemoConfig:
    """A page in a browser on this machine."""

    run: str | None = None
    """Folder of a finished run, `out` of `pickclutter train-affordance`, whose student is exported for the page."""
    policy: str | None = None
    """Instead of `run`: a policy folder of `pickclutter export-policy`."""
    phase: str = "few_shot"
    """Phase of the run after which the student is taken: `few_shot`, or `distill` (before fine-tuning)."""
    scenes: str | None = None
    """Folder with the stores of the run, if they were moved and its thresholds need them."""
    objects: str = "proxy"
    """Object set of the piles: `proxy` (procedural models) or `ycb` (real scans)."""
    objects_root: str | None = None
    """Folder of the object set. null: the package's default."""
    num_threads: int | None = None
    """Threads of torch. null: torch's default."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""
    port: int = 7860
    """Port of the page on 127.0.0.1."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        from pickclutter_lang.envs.registration import environment_id  # loads Gymnasium

        if (self.run is None) == (self.policy is None):
            raise InvalidArgumentError(
                "expected a student: either run= (a finished run) or policy= (a folder of pickclutter export-policy)"
            )
        one_of("phase", self.phase, ("distill", "few_shot"))
        environment_id(self.objects)
        check_path("run", self.run)
        check_path("policy", self.policy)
        check_folder("scenes", self.scenes)
        if self.objects == "proxy":  # of `ycb` its loader says where it comes from
            check_folder("objects_root", self.objects_root)
        check_threads(self.num_threads)
        within("port", self.port, 1024, 65535)

"""Configuration of `pickclutter compare-runs`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import check_path, check_values


@dataclass
class CompareRunsConfig:
    """Finished runs of one kind, compared with the first of them."""

    runs: list[Annotated[str, check_path]]
    """Folders of 2 to 8 runs: each `out` of `pickclutter train-affordance`, of `train-image-student` or of
    `evaluate-policy`. The others are compared with the first."""
    out: Annotated[str, check_path] = "runs/comparison"
    """Folder of the page."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if not 2 <= len(self.runs) <= 8:
            raise InvalidArgumentError(f"expected runs to be 2 to 8 folders of runs, but got {len(self.runs)}")
        check_values(self)
        if len({Path(run).resolve() for run in self.runs}) < len(self.runs):
            raise InvalidArgumentError(f"expected runs to be different folders, but got {', '.join(self.runs)}")
        if (Path(self.out) / "result.json").is_file() or any(Path(self.out).glob("table*.md")):
            raise InvalidArgumentError(
                f"expected out to be a folder of its own, but {self.out} is that of other results"
            )

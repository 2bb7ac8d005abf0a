"""ManiSkill 3's recorder of trajectories."""

from __future__ import annotations

import logging
from typing import Any

from mani_skill.utils.logging_utils import logger
from mani_skill.utils.wrappers import RecordEpisode

logger.setLevel(logging.ERROR)  # the recorder warns that it has no commit to note


class EpisodeFiles(RecordEpisode):  # type: ignore[misc]
    """Writes episodes as ManiSkill 3's tools read them."""

    before_first = -1
    """Number of the episode before that which is written next."""

    def __init__(self, env: Any, folder: str, **given: Any) -> None:
        # It records batches, inside of the wrapper that unbatches them.
        super().__init__(env.env, folder, record_reward=False, **given)

    def note_reset(self, arguments: dict[str, Any]) -> None:
        """Set the arguments of the last reset that the JSON has."""
        self.last_reset_kwargs = arguments

    def images(self) -> list[tuple[dict[str, Any], str]]:
        """Return what was recorded of each camera, with the key of its segmentation."""
        recorded = self._trajectory_buffer.observation["sensor_data"]
        return [(images, "segmentation") for images in recorded.values()]

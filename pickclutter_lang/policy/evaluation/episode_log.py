"""The log of finished episodes, from which an interrupted evaluation resumes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import DatasetError
from pickclutter_lang.utils.io import atomic_write


class EpisodeLog:
    """JSON lines, one for each episode; `episodes` has them by variant and seed."""

    def __init__(self, path: Path) -> None:
        """Read the episodes that are there, without a last line that was cut off by the end of a process."""
        self._path = path
        self.episodes: dict[tuple[str, int], dict[str, Any]] = {}
        if not path.is_file():
            return
        complete = []
        for line in path.read_text().splitlines():
            try:
                episode = json.loads(line)
            except ValueError:
                continue
            self.episodes[episode["variant"], episode["seed"]] = episode
            complete.append(line)
        atomic_write(path, "".join(f"{line}\n" for line in complete).encode())

    def append(self, episode: dict[str, Any]) -> None:
        """Add an episode.

        :raises DatasetError: when it cannot be written
        """
        try:
            with self._path.open("a") as stream:
                stream.write(json.dumps(episode) + "\n")
        except OSError as error:
            raise DatasetError(
                f"cannot write {self._path}: {error.strerror}; fix that and run the same command again"
            ) from error
        self.episodes[episode["variant"], episode["seed"]] = episode

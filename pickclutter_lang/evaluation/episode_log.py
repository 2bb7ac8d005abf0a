"""The log of finished episodes, from which an interrupted command resumes, and what its episodes are of."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from pickclutter_lang.errors import CheckpointError, DatasetError, MismatchError
from pickclutter_lang.results.record import git_revision
from pickclutter_lang.utils.io import write_json, write_json_lines
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.reading import Line, Text, describe_differences, read_json, read_json_lines

EPISODES_FILE = "episodes.jsonl"
IDENTITY_FILE = "config.json"
TEACHER_KEY = "teacher"
"""Key of what the teacher's thresholds are of; a folder in which it never acted lacks it."""
EpisodeKey = tuple[str, int, str]
"""Variant, seed and kind of instruction."""


class EpisodeRow(TypedDict):
    """A line of the log: an episode as `RolloutRunner.run` returns it, and the revision that ran it."""

    variant: Text
    seed: Annotated[int, Meta(ge=0)]
    kind: Text
    instruction: Line
    target: Text
    reference: Line
    expected: list[Text]
    seen: bool
    present: bool
    visible: bool
    graspable: bool
    located: bool | None
    success: bool
    declared_absent: bool
    refused: bool
    picked: list[Text]
    followed: bool
    wrong_objects: Annotated[int, Meta(ge=0)]
    grasp_found: bool
    steps: Annotated[int, Meta(ge=0)]
    score: float | None
    threshold: float | None
    seconds: float
    revision: str | None


class EpisodeLog:
    """JSON lines, one for each episode; `episodes` has them by variant, seed and kind of instruction."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        """Read the episodes that are there, without a last line that was cut off by the end of a process.

        :param identity: what the episodes are of, as JSON values; it gets the teacher's key where the folder has it
        :raises MismatchError: when those that are there are of something else
        :raises CheckpointError: when that cannot be read; DatasetError for a damaged line
        """
        self._path = folder / EPISODES_FILE
        self._folder = folder
        self.identity = check_identity(folder, identity)
        self.episodes: dict[EpisodeKey, dict[str, Any]] = {}
        if self._path.exists():
            remedy = "delete that line, whose episode then runs again"
            for episode in read_json_lines(self._path, EpisodeRow, DatasetError, remedy, may_be_cut=True):
                self.episodes[episode["variant"], episode["seed"], episode["kind"]] = dict(episode)
            write_json_lines(self._path, self.episodes.values())

    def play(self, episodes: Generator[tuple[Any, dict[str, Any]], None, None], missing: int, requested: int) -> None:
        """Log the episodes that a pool plays, each with the revision.

        Settings that cannot play an episode leave nothing behind.

        :param episodes: of `PoolConfig.map`
        :param missing: how many these are
        :param requested: number of episodes with those that are there
        """
        revision = git_revision()
        with closing(episodes) as played, ProgressBar("episodes", requested, requested - missing) as bar:
            for _, episode in played:
                if not self._path.exists():
                    self.save_identity()
                with self._path.open("a") as stream:
                    stream.write(json.dumps(episode | {"revision": revision}) + "\n")
                self.episodes[episode["variant"], episode["seed"], episode["kind"]] = episode | {"revision": revision}
                bar.advance()

    def save_identity(self) -> None:
        """Note down what the episodes in the folder are of."""
        write_json(self._folder / IDENTITY_FILE, self.identity)


def check_identity(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Check that the episodes in a folder, if any, are of what is given; return that, with the teacher's key of both.

    :raises MismatchError: when they are of something else
    :raises CheckpointError: when that cannot be read
    """
    path = folder / IDENTITY_FILE
    now = dict(identity)
    if path.exists():
        logged = read_json(path, dict[str, Any], CheckpointError, "choose another out, or remove that folder")
        teacher = {key: one[key] for one in (logged, now) for key in (TEACHER_KEY,) if key in one}
        logged = teacher | logged  # the teacher need not act each time
        now = teacher | now
        if differ := describe_differences(logged, now):
            raise MismatchError(
                f"the episodes in {folder} are of another student or environment (there / now): {'; '.join(differ)}; "
                "choose another out, or remove that folder"
            )
    return now

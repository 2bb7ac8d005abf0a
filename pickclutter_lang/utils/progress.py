"""Progress of long work on the terminal: a bar with count, rate, elapsed time and time left."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pickclutter_lang.utils.ranks import is_main

Item = TypeVar("Item")
_log = logging.getLogger("pickclutter_lang")
_RATE_PERIOD_S = 600.0  # or the last 1000 counts; a shorter one gives no time left where one count takes longer


class ProgressBar:
    """A bar on standard error while the `with` block runs; without a terminal it is one line, at the end.

    There is none where the package's logger wants only warnings, nor on ranks above 0.
    """

    def __init__(self, title: str, total: int, completed: int = 0, transient: bool = False) -> None:
        """Prepare the bar.

        :param title: what is counted, such as `scenes`
        :param completed: how many an earlier call did
        :param transient: leave no trace after the end, and show nothing without a terminal
        """
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            _RateColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=transient,
            disable=_log.level > logging.INFO or (transient and not console.is_terminal) or not is_main(),
            speed_estimate_period=_RATE_PERIOD_S,
        )
        self._task = self._progress.add_task(title, total=total, completed=completed, note="")

    def __enter__(self) -> ProgressBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, count: int = 1) -> None:
        """Count `count` more as done."""
        self._progress.update(self._task, advance=count)

    def note(self, text: str) -> None:
        """Show a text behind the bar, in place of the last one."""
        self._progress.update(self._task, note=text)

    @property
    def time_left(self) -> str:
        """Time left as the bar shows it; `?` before the first count."""
        seconds = self._progress.tasks[0].time_remaining
        return "?" if seconds is None else str(timedelta(seconds=math.ceil(seconds)))


def track(items: Collection[Item], title: str, **arguments: Any) -> Iterator[Item]:
    """Yield items and show how many are done; arguments as of `ProgressBar`."""
    with ProgressBar(title, len(items), **arguments) as bar:
        for item in items:
            yield item
            bar.advance()


class _RateColumn(ProgressColumn):
    """Items per second, or seconds per item below one per second."""

    def render(self, task: Task) -> Text:
        if not task.speed:
            return Text("-/s")
        return Text(f"{task.speed:.1f}/s" if task.speed >= 1 else f"{1 / task.speed:.1f} s each")

"""An observation whose images are rendered only when one is read: most steps of an arm are blind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


class LazyObservation(Mapping[str, Any]):
    """An observation of `FlatObservation` whose images are rendered when the first of them is read.

    That has to be before the next step of the environment.
    """

    def __init__(self, known: Mapping[str, Any], later: Sequence[str], render: Callable[[], Mapping[str, Any]]) -> None:
        """Take what is known.

        :param later: keys of the images and their cameras
        :param render: returns these
        """
        self._known = dict(known)
        self._later = later
        self._render = render

    def __getitem__(self, key: str) -> Any:
        if key not in self._known and key in self._later:
            self._known = {**self._render(), **self._known}
        return self._known[key]

    def __contains__(self, key: object) -> bool:
        return key in self._known or key in self._later

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._known, *self._later]))

    def __len__(self) -> int:
        return len({*self._known, *self._later})

    def __or__(self, other: Mapping[str, Any]) -> LazyObservation:
        """Return this observation with other values, as of a dictionary."""
        return LazyObservation({**self._known, **other}, self._later, self._render)

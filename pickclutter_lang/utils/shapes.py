"""Shapes of tensors, checked at the doors of losses and metrics. Values are not read: that costs a pass over them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

from pickclutter_lang.errors import InvalidArgumentError

_P = ParamSpec("_P")
_R = TypeVar("_R")


def of_shapes(**shapes: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Have a function check the shapes of its tensors, and `temperature` and `k` if it has them, which are above 0.

    :param shapes: name of a parameter -> a letter for each axis; one letter is one size, of at least 1
    """

    def checking(function: Callable[_P, _R]) -> Callable[_P, _R]:
        parameters = signature(function)

        @wraps(function)
        def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            given = parameters.bind(*args, **kwargs).arguments
            sizes: dict[str, int] = {}
            for name, axes in shapes.items():
                size = given[name].shape
                if len(size) != len(axes) or any(
                    n != sizes.setdefault(a, n or 1) for a, n in zip(axes, size, strict=True)
                ):
                    known = ", ".join(f"{axis} = {n}" for axis, n in sizes.items())
                    raise InvalidArgumentError(f"expected {name} [{', '.join(axes)}] with {known}, got {list(size)}")
            wrong = {name: given[name] for name in ("temperature", "k") if not 0 < given.get(name, 1) < math.inf}
            if wrong:
                raise InvalidArgumentError(f"expected a finite number above 0, got {wrong}")
            return function(*args, **kwargs)

        return checked

    return checking

"""Custom loss terms: functions of the tensors that a training step has, named `module:attribute`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.plugins import resolve


class ExtraLoss:
    """A user's function. The names of its parameters say which arguments of the objective's call it gets."""

    def __init__(self, name: str, offered: Sequence[str]) -> None:
        """Import the function.

        :param name: `module:attribute`, which names the term in the log too
        :param offered: names of the arguments that the objective has; a parameter of another name needs a default, and
            `**others` gets nothing
        :raises InvalidArgumentError: what `resolve` raises, or for a parameter that the objective does not have
        """
        self.name = name
        self._function: Callable[..., Any] = resolve(name, "objective.extra")
        parameters = inspect.signature(self._function).parameters.values()
        needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        unknown = [name for name in needed if name not in offered]
        if unknown:
            raise InvalidArgumentError(
                f"expected the parameters of objective.extra={name} to be of {', '.join(offered)}, but got "
                f"{', '.join(unknown)}"
            )
        self.arguments = tuple(p.name for p in parameters if p.name in offered)
        if not self.arguments:
            raise InvalidArgumentError(
                f"expected objective.extra={name} to name parameters of {', '.join(offered)}, but it names none of them"
            )

    def __call__(self, given: Mapping[str, Any]) -> Tensor:
        """Return the term, a scalar; without a gradient it trains nothing.

        :param given: the arguments of the objective's call
        :raises InvalidArgumentError: when the function returns anything else
        """
        term = self._function(**{name: given[name] for name in self.arguments})
        if not isinstance(term, Tensor) or term.ndim != 0:
            got = list(term.shape) if isinstance(term, Tensor) else type(term).__name__
            raise InvalidArgumentError(f"expected objective.extra={self.name} to return a scalar tensor, but got {got}")
        return term


def load_extra_losses(weights: Mapping[str, float], offered: Sequence[str]) -> dict[str, ExtraLoss]:
    """Return the terms of a weight other than 0 by name; see `ExtraLoss`."""
    return {name: ExtraLoss(name, offered) for name, weight in weights.items() if weight}

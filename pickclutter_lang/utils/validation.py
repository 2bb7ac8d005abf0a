"""Checks of configuration values; the errors name the key, what was expected and what came."""

from __future__ import annotations

from pickclutter_lang.errors import InvalidArgumentError


def one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Raise InvalidArgumentError unless a setting is one of some values."""
    if value not in allowed:
        raise InvalidArgumentError(f"expected {name} to be one of {', '.join(map(str, allowed))}, but got {value!r}")


def has_fields(name: str, text: str, *fields: str) -> None:
    """Raise InvalidArgumentError unless a text has each field in braces, and no other braces."""
    try:
        text.format(**dict.fromkeys(fields, ""))
        fits = all(f"{{{field}}}" in text for field in fields)
    except (KeyError, IndexError, ValueError):
        fits = False
    if not fits:
        wanted = " and ".join(f"{{{field}}}" for field in fields)
        raise InvalidArgumentError(f"expected {name} with {wanted} in it and no other braces, but got {text!r}")


def at_least(name: str, value: float, low: float) -> None:
    """Raise InvalidArgumentError unless a setting is at least `low`."""
    if not value >= low:
        raise InvalidArgumentError(f"expected {name} to be at least {low}, but got {value}")


def above(name: str, value: float, low: float) -> None:
    """Raise InvalidArgumentError unless a setting is larger than `low`."""
    if not value > low:
        raise InvalidArgumentError(f"expected {name} to be larger than {low}, but got {value}")


def within(name: str, value: float, low: float, high: float) -> None:
    """Raise InvalidArgumentError unless a setting is between two values."""
    if not low <= value <= high:
        raise InvalidArgumentError(f"expected {name} to lie between {low} and {high}, but got {value}")

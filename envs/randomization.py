"""Settings of the hand camera, the lights and the table, each a number or a range from which every scene draws.

Ranges are what robosuite, Isaac and ManiSkill3 call domain randomization. Draws come from a generator of their own, so
that piles stay what they are without them.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from PIL import Image, ImageColor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.cli import parse_config
from pickclutter_lang.utils.typing import FloatArray

IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")
RANDOM = "random"
_STREAM = 0x100C
_TABLE_HASH = "table_sha256"
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_PATTERN = re.compile(rf"{RANDOM}:[0-9]{{1,9}}")
_PATTERNS = 10**6
_LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("x", "y", "z"), (-0.2, 0.2)),
    **dict.fromkeys(("pitch", "yaw", "roll"), (-180.0, 180.0)),
    "fov": (10.0, 150.0),
    "image_noise": (0.0, 128.0),
    "depth_noise": (0.0, 0.1),
    "depth_dropout": (0.0, 1.0),
    "light_strength": (0.0, 10.0),
    "light_warmth": (-1.0, 1.0),
    "light_azimuth": (-360.0, 360.0),
    "light_elevation": (5.0, 90.0),
}
Settings = TypeVar("Settings", "HandCameraConfig", "AppearanceConfig")


@dataclass(frozen=True)
class HandCameraConfig:
    """The hand camera: where it is mounted, what it sees, how noisy it is. A value is a number or [low, high]."""

    x: Any = 0.0
    """Offset from ManiSkill2's mount to the right of the image, meters."""
    y: Any = 0.0
    """Offset downwards in the image, meters."""
    z: Any = 0.0
    """Offset along the optical axis, away from the hand, meters."""
    pitch: Any = 0.0
    """Rotation about the x axis, degrees: above 0 it looks further up in the image."""
    yaw: Any = 0.0
    """Rotation about the y axis, degrees: above 0 it looks further to the right."""
    roll: Any = 0.0
    """Rotation about the optical axis, degrees: above 0 the camera turns clockwise."""
    fov: Any = None
    """Vertical field of view, degrees. null: ManiSkill2's 1.57 radians."""
    image_noise: Any = 0.0
    """Standard deviation of Gaussian noise of each pixel and color, in steps of 255."""
    depth_noise: Any = 0.0
    """Standard deviation of the depth at 1 m, meters; it grows with the square of the depth. A RealSense D435 has some
    0.004."""
    depth_dropout: Any = 0.0
    """Probability that a pixel at an edge of the depth, or on a surface seen at a grazing angle, has no depth."""

    def __post_init__(self) -> None:
        _keep_tuples(self)

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        _check_numbers(self, "camera", optional=("fov",))

    def draw(self, rng: np.random.Generator) -> HandCameraConfig:
        """Return numbers in place of ranges; as many are drawn in any case."""
        return _draw_numbers(self, rng)

    @property
    def moved(self) -> bool:
        """Whether it is mounted elsewhere or has another field of view than ManiSkill2's."""
        return any(getattr(self, name) != 0 for name in ("x", "y", "z", "pitch", "yaw", "roll")) or self.fov is not None

    @property
    def noisy(self) -> bool:
        """Whether its images have noise."""
        return any(getattr(self, name) != 0 for name in ("image_noise", "depth_noise", "depth_dropout"))


@dataclass(frozen=True)
class AppearanceConfig:
    """Lights, table and background. A number may be a range [low, high]."""

    light_strength: Any = 1.0
    """Factor on the brightness of all lights."""
    light_warmth: Any = 0.0
    """Tint of all lights: 1 is warm (30% more red, 30% less blue), -1 is cold, 0 white."""
    light_azimuth: Any = None
    """Where the main light comes from, degrees around the vertical: 0 is straight ahead of the arm, 90 to its left.
    null: ManiSkill2's 225."""
    light_elevation: Any = None
    """Height of the main light above the table, degrees. null: ManiSkill2's 35.3."""
    shadows: bool = False
    """Whether the main light casts shadows."""
    table: str | None = None
    """What the table looks like: a color (a name of CSS such as `tan`, or `"#c8b090"`), an image that covers 0.5 m, a
    folder of images of which every scene draws one, `random` (every scene draws colors, pattern and material) or
    `random:7` (the one of that number). null: ManiSkill2's dark blue."""
    background: str | None = None
    """Color of what is seen beyond the table, or `random`. null: black."""

    def __post_init__(self) -> None:
        _keep_tuples(self)

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        _check_numbers(self, "appearance", optional=("light_azimuth", "light_elevation"))
        if not isinstance(self.shadows, bool):
            raise InvalidArgumentError(f"expected appearance.shadows to be true or false, but got {self.shadows!r}")
        back, table = self.background, self.table
        for name, value in (("background", back), ("table", table)):
            if value is not None and not isinstance(value, str):
                raise InvalidArgumentError(f"expected appearance.{name} to be a text, but got {value!r}")
        if back is not None and back != RANDOM and not is_color(back):
            raise InvalidArgumentError(
                f"expected appearance.background to be random, a color's name or #rrggbb, but got {back!r}"
            )
        if table is not None and not _is_made(table):
            for path in table_images(table):
                _check_image(path)

    def draw(self, rng: np.random.Generator) -> AppearanceConfig:
        """Return numbers in place of ranges, and one table and one background; as many are drawn in any case."""
        drawn = _draw_numbers(self, rng)
        pattern, color, share = int(rng.integers(_PATTERNS)), rng.integers(256, size=3), float(rng.random())
        if self.background == RANDOM:
            drawn = replace(drawn, background="#" + "".join(f"{value:02x}" for value in color))
        if self.table == RANDOM:
            return replace(drawn, table=f"{RANDOM}:{pattern}")
        if self.table is None or _is_made(self.table):
            return drawn
        images = table_images(self.table)
        return replace(drawn, table=str(images[int(share * len(images))]))


def _keep_tuples(config: HandCameraConfig | AppearanceConfig) -> None:
    """Make tuples of lists, so that a configuration can be a key of a cache."""
    for field in fields(config):
        value = getattr(config, field.name)
        if isinstance(value, list):
            object.__setattr__(config, field.name, tuple(value))


def _check_numbers(config: HandCameraConfig | AppearanceConfig, group: str, optional: tuple[str, ...]) -> None:
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name not in _LIMITS or (value is None and field.name in optional):
            continue
        low, high = _LIMITS[field.name]
        ends = value if isinstance(value, tuple) else (value, value)
        numbers = len(ends) == 2 and all(isinstance(end, Real) and not isinstance(end, bool) for end in ends)
        if not (numbers and low <= ends[0] <= ends[1] <= high):
            shown = list(value) if isinstance(value, tuple) else value
            raise InvalidArgumentError(
                f"expected {group}.{field.name} to be a number from {low:g} to {high:g}, or a range [low, high] of "
                f"them, but got {shown!r}"
            )


def _draw_numbers(config: Settings, rng: np.random.Generator) -> Settings:
    names = [field.name for field in fields(config) if field.name in _LIMITS]
    shares = zip(names, rng.random(len(names)), strict=True)
    values = {name: getattr(config, name) for name in names}
    drawn = {
        name: values[name][0] + float(share) * (values[name][1] - values[name][0])
        for name, share in shares
        if isinstance(values[name], tuple)
    }
    return replace(config, **drawn)


def view_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """Return the generator from which scene `index` draws its camera, its appearance and its noise, in this order."""
    return np.random.default_rng([seed, zlib.crc32(split.encode()), index, _STREAM])


def episode_view_rng(episode_seed: int, step: int | None = None) -> np.random.Generator:
    """Return the generator from which an episode draws camera and appearance or, at a step, the noise of its images."""
    return np.random.default_rng([episode_seed, _STREAM, 0 if step is None else 1 + step])


def changes(config: HandCameraConfig | AppearanceConfig) -> dict[str, Any]:
    """Return the settings that differ from the defaults, as a manifest records them.

    With images of a table also `table_sha256`, the hash of their content.
    """
    usual = type(config)()
    found = {field.name: getattr(config, field.name) for field in fields(config)}
    found = {name: value for name, value in found.items() if value != getattr(usual, name)}
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
    table = found.get("table")
    if table is not None and not _is_made(table):
        content = b"".join(hashlib.sha256(path.read_bytes()).digest() for path in table_images(table))
        found[_TABLE_HASH] = hashlib.sha256(content).hexdigest()
    return found


def overrides(settings: Mapping[str, Any]) -> list[str]:
    """Return the camera and the appearance of a manifest's settings as a command line takes them."""
    return [
        f"{group}.{name}={json.dumps(value, separators=(',', ':'))}"
        for group in ("camera", "appearance")
        for name, value in settings.get(group, {}).items()
        if name != _TABLE_HASH
    ]


def read_settings(kind: type[Settings], values: Settings | Mapping[str, Any] | None) -> Settings:
    """Return settings from a mapping of keys to values, such as that of a manifest, checked.

    :raises InvalidArgumentError: naming the key that is unknown or has a wrong value
    """
    if values is None or isinstance(values, kind):
        found = values or kind()
        found.validate()
        return found
    if not isinstance(values, Mapping):
        raise InvalidArgumentError(f"expected {kind.__name__} or a dictionary of its settings, but got {values!r}")
    plain = {key: _plain(value) for key, value in values.items() if key != _TABLE_HASH}
    try:
        return parse_config(kind, OmegaConf.create(plain))
    except OmegaConfBaseException as error:
        raise InvalidArgumentError(
            f"expected settings of {kind.__name__}, but got {dict(values)!r}: {str(error).splitlines()[0]}"
        ) from error


def _plain(value: Any) -> Any:
    """Return a value of NumPy as Python's own, which configurations are made of."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def table_images(path: str) -> list[Path]:
    """Return the image file, or those of a folder in the order of their names.

    :raises InvalidArgumentError: where there is none
    """
    place = Path(path)
    found = sorted(place.iterdir()) if path.strip() and place.is_dir() else [place]
    found = [one for one in found if one.suffix.lower() in IMAGE_SUFFIXES and one.is_file()]
    if not found:
        raise InvalidArgumentError(
            f"expected appearance.table to be a color's name, #rrggbb, random, an image or a folder of images "
            f"({', '.join(IMAGE_SUFFIXES)}), but there is none at {path!r}"
        )
    return found


def _check_image(path: Path) -> None:
    """Raise InvalidArgumentError for a file that is no image, before a worker opens it."""
    try:
        with Image.open(path) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidArgumentError(f"expected images in appearance.table, but {path} is none: {error}") from error


def _is_made(table: str) -> bool:
    """Return whether a table needs no image file."""
    return table == RANDOM or is_color(table) or bool(_PATTERN.fullmatch(table))


def is_color(text: str) -> bool:
    """Return whether a text is a color: a name of CSS, or #rrggbb."""
    return text.lower() in ImageColor.colormap or bool(_COLOR.fullmatch(text))


GRAZING_DEG = 75.0
"""A surface that is seen at a larger angle to its normal may have no depth."""


def image_noise(shape: tuple[int, ...], camera: HandCameraConfig, rng: np.random.Generator) -> FloatArray:
    """Return the noise of an image, in steps of 255."""
    return np.asarray(rng.normal(0.0, 1.0, shape) * camera.image_noise)


def noisy_depth(
    depth: FloatArray, focal_length: float, camera: HandCameraConfig, rng: np.random.Generator
) -> FloatArray:
    """Return a depth image [H, W] as a stereo camera measures it; meters, 0 = no measurement.

    The error is Gaussian, and its standard deviation is `camera.depth_noise` times the square of the depth. This is
    the error of triangulation. By A. Grunnet-Jepsen, J. N. Sweetser and J. Woodfill (Best-Known-Methods for Tuning
    Intel RealSense D400 Depth Cameras for Best Performance, Intel, 2018) it is the depth squared times the error of
    the disparity (0.08 px), over focal length (424 px) and baseline (0.05 m): 0.0038 per meter for a D435 of 848 px.
    A. Chatterjee and V. M. Govindu (arXiv:1505.01936) measure the same law for the Kinect.

    A pixel has no depth, with probability `camera.depth_dropout`, where the depth changes to a neighbor by more than
    on a plane seen at 75 degrees: at edges, where one of the two cameras does not see the surface, and at grazing
    angles, at which C. V. Nguyen, S. Izadi and D. Lovell (Modeling Kinect Sensor Noise for Improved 3D
    Reconstruction and Tracking, 3DIMPVT 2012) see the noise grow without bound. Noise of neighboring pixels is
    independent here; that of real cameras is not.

    :param depth: true depth [H, W], meters, 0 = nothing
    :param focal_length: of the image, pixels
    """
    missing = steep_pixels(depth, focal_length) & (rng.random(depth.shape) < camera.depth_dropout)
    measured = depth + rng.normal(0.0, 1.0, depth.shape) * camera.depth_noise * depth**2
    return np.where(missing | (depth <= 0), 0.0, np.maximum(measured, 0.0))


def steep_pixels(depth: FloatArray, focal_length: float) -> NDArray[np.bool_]:
    """Return the pixels [H, W] at edges of the depth and on surfaces at grazing angles."""
    step = np.zeros(depth.shape)
    for axis in (0, 1):
        change = np.abs(np.diff(depth, axis=axis))
        before, after = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
        before[axis], after[axis] = (1, 0), (0, 1)
        step = np.maximum(step, np.maximum(np.pad(change, before), np.pad(change, after)))
    return np.asarray(step > depth / focal_length * np.tan(np.deg2rad(GRAZING_DEG)))

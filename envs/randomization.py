"""Settings of the hand camera, the lights and the table, each a number or a range from which every scene draws.

Ranges are what robosuite, Isaac and ManiSkill3 call domain randomization. Draws come from a generator of their own, so
that piles stay what they are without them. The noise of a camera's images is here too.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.kinds.finishes import Finish, choice
from pickclutter_lang.objects.procedural.textures import PATTERNS
from pickclutter_lang.utils.images import IMAGE_SUFFIXES, image_files, read_image
from pickclutter_lang.utils.typing import FloatArray

RANDOM = "random"
GRAZING_DEG = 75.0
"""A surface that is seen at a larger angle to its normal may have no depth."""
_STREAM = 0x100C
_TABLE_HASH = "table_sha256"
_RANDOM_TABLES = 10**6
_TILE_MM, _TEXELS = 500, 256
_TABLE_MATERIALS = ("wood", "metal", "plastic", "foam", "cardboard", "cloth", "stone", "leather")
Settings = TypeVar("Settings", "HandCameraConfig", "AppearanceConfig")
Ranged = TypeVar("Ranged", bound="_Ranges")


def _within(low: float, high: float) -> dict[str, tuple[float, float]]:
    """Return the metadata of a field that is a number from `low` to `high`, or a range [low, high] of such numbers."""
    return {"limits": (low, high)}


_OFFSET = _within(-0.2, 0.2)
_ANGLE = _within(-180, 180)


@dataclass(frozen=True)
class _Ranges:
    """A configuration whose fields with limits may be ranges; hashable, so that it can be a key of a cache."""

    group: ClassVar[str]

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, (np.ndarray, np.generic, list, tuple)):
                plain = np.asarray(value).tolist()
                object.__setattr__(self, item.name, tuple(plain) if isinstance(plain, list) else plain)

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        for item in fields(self):
            value = getattr(self, item.name)
            if "limits" not in item.metadata or (value is None and item.default is None):
                continue
            low, high = item.metadata["limits"]
            ends = value if isinstance(value, tuple) else (value, value)
            numbers = len(ends) == 2 and all(isinstance(end, Real) and not isinstance(end, bool) for end in ends)
            if not (numbers and low <= ends[0] <= ends[1] <= high):
                raise InvalidArgumentError(
                    f"expected {self.group}.{item.name} to be a number from {low:g} to {high:g}, or [low, high] of "
                    f"such numbers, but got {list(value) if isinstance(value, tuple) else value!r}"
                )

    def draw(self: Ranged, rng: np.random.Generator) -> Ranged:
        """Return numbers in place of ranges; as many are drawn in any case."""
        names = [item.name for item in fields(self) if "limits" in item.metadata]
        values = [getattr(self, name) for name in names]
        drawn = {
            name: value[0] + float(share) * (value[1] - value[0])
            for name, value, share in zip(names, values, rng.random(len(names)), strict=True)
            if isinstance(value, tuple)
        }
        return replace(self, **drawn)


@dataclass(frozen=True)
class HandCameraConfig(_Ranges):
    """The hand camera: where it is mounted, what it sees, how noisy it is. A value is a number or [low, high]."""

    group: ClassVar[str] = "camera"
    x: Any = field(default=0.0, metadata=_OFFSET)
    """Offset from ManiSkill2's mount to the right of the image, meters."""
    y: Any = field(default=0.0, metadata=_OFFSET)
    """Offset downwards in the image, meters."""
    z: Any = field(default=0.0, metadata=_OFFSET)
    """Offset along the optical axis, away from the hand, meters."""
    pitch: Any = field(default=0.0, metadata=_ANGLE)
    """Rotation about the x axis, degrees: above 0 it looks further up in the image."""
    yaw: Any = field(default=0.0, metadata=_ANGLE)
    """Rotation about the y axis, degrees: above 0 it looks further to the right."""
    roll: Any = field(default=0.0, metadata=_ANGLE)
    """Rotation about the optical axis, degrees: above 0 the camera turns clockwise."""
    fov: Any = field(default=None, metadata=_within(10, 150))
    """Vertical field of view, degrees. null: ManiSkill2's 1.57 radians."""
    image_noise: Any = field(default=0.0, metadata=_within(0, 128))
    """Standard deviation of Gaussian noise of each pixel and color, in 8-bit levels (0 to 255)."""
    depth_noise: Any = field(default=0.0, metadata=_within(0, 0.1))
    """Standard deviation of the depth at 1 m, meters; it grows with the square of the depth. A RealSense D435 has some
    0.004."""
    depth_dropout: Any = field(default=0.0, metadata=_within(0, 1))
    """Probability that a pixel at an edge of the depth, or on a surface seen at a grazing angle, has no depth."""

    @property
    def moved(self) -> bool:
        """Whether it is mounted elsewhere or has another field of view than ManiSkill2's."""
        return any(getattr(self, name) != 0 for name in ("x", "y", "z", "pitch", "yaw", "roll")) or self.fov is not None

    @property
    def noisy(self) -> bool:
        """Whether its images have noise."""
        return any(getattr(self, name) != 0 for name in ("image_noise", "depth_noise", "depth_dropout"))


@dataclass(frozen=True)
class AppearanceConfig(_Ranges):
    """Lights, table and background. A number may be a range [low, high]."""

    group: ClassVar[str] = "appearance"
    light_strength: Any = field(default=1.0, metadata=_within(0, 10))
    """Factor on the brightness of all lights."""
    light_warmth: Any = field(default=0.0, metadata=_within(-1, 1))
    """Tint of all lights: 1 is warm (30% more red, 30% less blue), -1 is cold, 0 white."""
    light_azimuth: Any = field(default=None, metadata=_within(-360, 360))
    """Where the main light comes from, degrees around the vertical: 0 is straight ahead of the arm, 90 to its left.
    null: ManiSkill2's 225."""
    light_elevation: Any = field(default=None, metadata=_within(5, 90))
    """Height of the main light above the table, degrees. null: ManiSkill2's 35.3."""
    shadows: bool = False
    """Whether the main light casts shadows."""
    table: str | None = None
    """What the table looks like: a color (a name of CSS such as `tan`, or `"#c8b090"`), an image that covers 0.5 m, a
    folder of images of which every scene draws one, `random` (every scene draws colors, pattern and material) or
    `random:7` (the one of that number). null: ManiSkill2's dark blue."""
    background: str | None = None
    """Color of what is seen beyond the table, or `random`. null: black."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        super().validate()
        back, table = self.background, self.table
        if not isinstance(self.shadows, bool):
            raise InvalidArgumentError(f"expected appearance.shadows to be true or false, but got {self.shadows!r}")
        if back is not None and back != RANDOM and not (isinstance(back, str) and is_color(back)):
            raise InvalidArgumentError(
                f"expected appearance.background to be random, a color's name or #rrggbb, but got {back!r}"
            )
        if table is not None and not isinstance(table, str):
            raise InvalidArgumentError(f"expected appearance.table to be a text, but got {table!r}")
        for path in [] if table is None or is_generated(table) else table_images(table):
            try:
                with Image.open(path) as image:
                    image.verify()  # before a worker opens it
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                raise InvalidArgumentError(
                    f"expected images in appearance.table, but {path} is none: {error}"
                ) from error

    def draw(self, rng: np.random.Generator) -> AppearanceConfig:
        """Return numbers in place of ranges, and one table and one background; as many are drawn in any case."""
        drawn = super().draw(rng)
        pattern = int(rng.integers(_RANDOM_TABLES))
        color = rng.integers(256, size=3)
        share = float(rng.random())
        if self.background == RANDOM:
            drawn = replace(drawn, background="#" + "".join(f"{value:02x}" for value in color))
        if self.table == RANDOM:
            return replace(drawn, table=f"{RANDOM}:{pattern}")
        if self.table is None or is_generated(self.table):
            return drawn
        images = table_images(self.table)
        return replace(drawn, table=str(images[int(share * len(images))]))


def view_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """Return the generator from which scene `index` draws its camera, its appearance and its noise, in this order."""
    return np.random.default_rng([seed, zlib.crc32(split.encode()), index, _STREAM])


def episode_view_rng(episode_seed: int, step: int | None = None) -> np.random.Generator:
    """Return the generator from which an episode draws camera and appearance or, at a step, the noise of its images."""
    return np.random.default_rng([episode_seed, _STREAM, 0 if step is None else 1 + step])


@dataclass(frozen=True, kw_only=True)
class ViewConfig:
    """What the hand camera sees of piles."""

    camera: HandCameraConfig = field(default_factory=HandCameraConfig)
    """The hand camera; a range is drawn for each pile."""
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    """Lights, table and background; a range is drawn for each pile."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        self.camera.validate()
        self.appearance.validate()


def changes(config: HandCameraConfig | AppearanceConfig) -> dict[str, Any]:
    """Return the settings that differ from the defaults, as a manifest records them.

    With images of a table also `table_sha256`, the hash of their content.
    """
    usual = type(config)()
    values = {item.name: getattr(config, item.name) for item in fields(config)}
    found = {name: value for name, value in values.items() if value != getattr(usual, name)}
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
    table = found.get("table")
    if table is not None and not is_generated(table):
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
    if isinstance(values, Mapping):
        known: list[str] = [item.name for item in fields(kind)]
        for key in values:
            if key not in (*known, _TABLE_HASH):
                raise InvalidArgumentError(f"expected {', '.join(known)} of {kind.group}, but got {key!r}")
        values = kind(**{key: value for key, value in values.items() if key != _TABLE_HASH})
    found = kind() if values is None else values
    if not isinstance(found, kind):
        raise InvalidArgumentError(f"expected {kind.__name__} or a dictionary of its settings, but got {values!r}")
    found.validate()
    return found


def table_images(path: str) -> list[Path]:
    """Return the image file, or those of a folder in the order of their names.

    :raises InvalidArgumentError: where there is none
    """
    found = image_files(Path(path)) if path.strip() else []
    if not found:
        raise InvalidArgumentError(
            f"expected appearance.table to be a color's name, #rrggbb, random, an image or a folder of images "
            f"({', '.join(IMAGE_SUFFIXES)}), but there is none at {path!r}"
        )
    return found


def is_generated(table: str) -> bool:
    """Return whether a table needs no image file."""
    return table == RANDOM or is_color(table) or bool(re.fullmatch(rf"{RANDOM}:[0-9]{{1,9}}", table))


def is_color(text: str) -> bool:
    """Return whether a text is a color: a name of CSS, or #rrggbb."""
    return text.lower() in ImageColor.colormap or bool(re.fullmatch(r"#[0-9a-fA-F]{6}", text))


def image_noise(shape: tuple[int, ...], camera: HandCameraConfig, rng: np.random.Generator) -> FloatArray:
    """Return the noise of an image, in 8-bit levels (0 to 255)."""
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


def noisy_images(
    rgb: NDArray[np.uint8],
    millimeters: NDArray[Any],
    focal_length: float,
    camera: HandCameraConfig,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Return color [H, W, 3] and depth [H, W] in millimeters with their noise."""
    noisy = np.clip(np.rint(rgb + image_noise(rgb.shape, camera, rng)), 0, 255).astype(np.uint8)
    meters = noisy_depth(millimeters / 1000, focal_length, camera, rng)
    return noisy, np.clip(np.rint(meters * 1000), 0, 65535).astype(np.uint16)


def steep_pixels(depth: FloatArray, focal_length: float) -> NDArray[np.bool_]:
    """Return the pixels [H, W] at edges of the depth and on surfaces at grazing angles."""
    step = np.zeros(depth.shape)
    for axis in (0, 1):
        change = np.abs(np.diff(depth, axis=axis))
        before, after = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
        before[axis], after[axis] = (1, 0), (0, 1)
        step = np.maximum(step, np.maximum(np.pad(change, before), np.pad(change, after)))
    return np.asarray(step > depth / focal_length * np.tan(np.deg2rad(GRAZING_DEG)))


def table_image(table: str) -> NDArray[np.uint8]:
    """Return the image [H, W, 3] that covers a square of 0.5 m of a table.

    :param table: a color, `random:N` or an image file
    :raises InvalidArgumentError: for a file that is no image
    """
    if is_color(table):
        return np.full((8, 8, 3), ImageColor.getrgb(table), np.uint8)
    if table.startswith(f"{RANDOM}:"):
        return _random_image(np.random.default_rng(int(table.partition(":")[2])))
    return np.asarray(read_image(Path(table)).resize((_TEXELS, _TEXELS)), np.uint8)


def color_of(background: str | None) -> NDArray[np.uint8]:
    """Return a background color [3], black for None."""
    return np.array(ImageColor.getrgb(background or "#000000"), np.uint8)


def _random_image(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint colors, pattern and material that are drawn; half of the tables have one color."""
    first, second = rng.uniform(20, 235, (2, 3))
    pattern = "plain" if rng.random() < 0.5 else choice(rng, [*PATTERNS])
    material = choice(rng, _TABLE_MATERIALS)
    pitch = float(rng.uniform(30, 250))
    seed = int(rng.integers(2**31))
    return Finish((), (first, second), material, pattern, pitch, 0.0, seed).image(_TILE_MM, _TILE_MM, _TEXELS)

"""Drawings: what was detected in an image, and located objects with their grasps, in the image and from above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_dilation

from pickclutter_lang.manipulation.gripper import FINGER_TIP_Z_M, PREGRASP_DISTANCE_M, GraspCandidates
from pickclutter_lang.manipulation.point_cloud import Cloud, project_points, unproject_depth
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.policy.policy import Location
from pickclutter_lang.utils.typing import FloatArray

SIDE = 600
"""Pixels of the height of a drawn frame."""
_HOT = np.array([255.0, 60.0, 0.0])
_COLORS = ((255, 170, 40), (90, 210, 110), (80, 170, 255), (240, 100, 200), (250, 240, 90), (110, 235, 235))
_FONT = ImageFont.load_default(18)
_OPEN_M = 0.04  # from the TCP to an open finger, and to the palm
_PALM_Z_M = -0.036
_MARGIN_M, _MIN_HALF_M = 0.08, 0.2  # of the view from above: around the objects, and half of its side


def draw_detection(image: NDArray[np.uint8], detection: Detection) -> NDArray[np.uint8]:
    """Return an image [H, W, 3] with the heatmap of a detection in red, and its mask with a white edge."""
    heatmap = detection.heatmap / max(float(detection.heatmap.max()), 1e-12)
    drawn = image + 0.6 * heatmap[..., None] * (_HOT - image)
    return draw_outline(drawn.astype(np.uint8), detection.mask)


def draw_outline(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return an image [H, W, 3] with a white edge around a mask [H, W], dark outside so that white shows it too."""
    drawn = image.copy()
    for width, color in ((3, 30), (2, 255)):
        drawn[binary_dilation(mask, iterations=width) & ~mask] = color
    return drawn


def draw_located(view: Mapping[str, Any], found: Sequence[Location]) -> Image.Image:
    """Draw a view with the outlines and best grasps of the located objects, and beside it its points from above.

    A grasp is drawn as the open fingers, the line between their pads when closed, and the approach. From above the
    camera is at the lower edge.

    :param view: of `checked_view`
    """
    there = [one for one in found if one.present and one.mask.any()]
    colors = [_COLORS[n % len(_COLORS)] for n in range(len(there))]
    image = _image_with_objects(view, there, colors)
    above = _from_above(view, there, colors)
    canvas = Image.new("RGB", (image.width + above.width, SIDE), "white")
    canvas.paste(image, (0, 0))
    canvas.paste(above, (image.width, 0))
    absent = [one.name for one in found if not one.present]
    if absent:
        ImageDraw.Draw(canvas).text(
            (8, SIDE - 8), f"not there: {', '.join(absent)}", "white", _FONT, "ls", stroke_width=2, stroke_fill="black"
        )
    return canvas


def _image_with_objects(
    view: Mapping[str, Any], there: Sequence[Location], colors: Sequence[tuple[int, ...]]
) -> Image.Image:
    """Draw the outlines of objects, their names, and their best grasps in the image."""
    height, width = view["hand_rgb"].shape[:2]
    scale = SIDE / height
    size = round(width * scale), SIDE
    drawn = np.array(Image.fromarray(view["hand_rgb"]).resize(size, Image.Resampling.BICUBIC))
    for one in there:
        drawn = draw_outline(drawn, np.asarray(Image.fromarray(one.mask).resize(size, Image.Resampling.NEAREST)))
    image = Image.fromarray(drawn)
    pen = ImageDraw.Draw(image)
    for one, color in zip(there, colors, strict=True):
        for line in _lines_of(one.grasps[:1]):
            pixels = scale * project_points(line, view["hand_intrinsic"], view["hand_cam2world"])
            _draw_line(pen, pixels, color)
    for one, color in zip(there, colors, strict=True):
        row, column = (scale * np.argwhere(one.mask).min(0)).tolist()
        place = min(column, size[0] - 120), max(row - 4, 20)
        pen.text(place, f"{one.name} {one.score:.2f}", color, _FONT, "ls", stroke_width=2, stroke_fill="black")
    return image


def _from_above(view: Mapping[str, Any], there: Sequence[Location], colors: Sequence[tuple[int, ...]]) -> Image.Image:
    """Draw the points of a view from above in their own colors, those of objects in the colors of these."""
    pose = np.asarray(view["hand_cam2world"], float)
    cloud = unproject_depth(view["hand_depth"], view["hand_intrinsic"], pose)
    away = (pose[:3, 1] - pose[:3, 2])[:2]
    away = away / max(float(np.linalg.norm(away)), 1e-9)
    axes = np.array([[away[1], -away[0]], away])  # rightwards and upwards in the drawing
    shown = np.concatenate([one.points for one in there]) if there else cloud.points
    flat = shown[:, :2] @ axes.T if len(shown) else np.zeros((1, 2))
    low, high = np.percentile(flat, (1, 99), axis=0)
    half = max(float((high - low).max()) / 2 + _MARGIN_M, _MIN_HALF_M)
    scale = SIDE / (2 * half)

    def pixels(points: FloatArray) -> FloatArray:
        return np.asarray(SIDE / 2 + scale * (points[:, :2] @ axes.T - (low + high) / 2) * [1, -1])

    pitch = float(np.median(view["hand_depth"][view["hand_depth"] > 0])) / float(view["hand_intrinsic"][0, 0])
    side = int(np.clip(np.ceil(1.5 * scale * pitch), 3, 15))
    image = Image.fromarray(_painted(view["hand_rgb"], cloud, pixels(cloud.points), side, there, colors))
    pen = ImageDraw.Draw(image)
    for one, color in zip(there, colors, strict=True):
        for line in _lines_of(one.grasps[:1]):
            _draw_line(pen, pixels(line), color)
    pen.line([(16, SIDE - 16), (16 + 0.1 * scale, SIDE - 16)], "white", 3)
    pen.text((16, SIDE - 22), "10 cm, from above", "white", _FONT, "ls")
    return image


def _painted(
    rgb: NDArray[np.uint8],
    cloud: Cloud,
    pixels: FloatArray,
    side: int,
    there: Sequence[Location],
    colors: Sequence[tuple[int, ...]],
) -> NDArray[np.uint8]:
    """Return an image [SIDE, SIDE, 3] of points, `side` pixels wide at pixels [P, 2], the higher ones on top."""
    rows, columns = cloud.pixels.T
    shades = 0.6 * rgb[rows, columns]
    for one, color in zip(there, colors, strict=True):
        inside = one.mask[rows, columns]
        shades[inside] = 0.5 * rgb[rows, columns][inside] + 0.5 * np.array(color)
    order = np.argsort(cloud.points[:, 2], kind="stable")
    canvas = np.full((SIDE, SIDE, 3), 24, np.uint8)
    highest = np.full((SIDE, SIDE), -1)
    for shift in np.ndindex(side, side):
        place = np.floor(pixels[order]).astype(int) + shift - side // 2
        inside = np.flatnonzero(((place >= 0) & (place < SIDE)).all(1))
        shifted = np.full((SIDE, SIDE), -1)
        shifted[place[inside, 1], place[inside, 0]] = inside  # in the order of height: the last one stays
        highest = np.maximum(highest, shifted)
    canvas[highest >= 0] = shades[order][highest[highest >= 0]]
    return canvas


def _lines_of(grasps: GraspCandidates) -> list[FloatArray]:
    """Return lines [N, 3] in the world that show the hand of each grasp: its fingers, what it closes on, its way."""
    widths = np.full(len(grasps.positions), np.nan) if grasps.widths is None else grasps.widths
    lines = []
    for position, rotation, width in zip(grasps.positions, grasps.rotations, widths, strict=True):
        hand = [
            [(-_OPEN_M, FINGER_TIP_Z_M), (-_OPEN_M, _PALM_Z_M), (_OPEN_M, _PALM_Z_M), (_OPEN_M, FINGER_TIP_Z_M)],
            [(-width / 2, 0.0), (width / 2, 0.0)],
            [(0.0, _PALM_Z_M), (0.0, -PREGRASP_DISTANCE_M)],
        ]
        lines += [position + np.array([(0.0, y, z) for y, z in line]) @ rotation.T for line in hand]
    return lines


def _draw_line(pen: ImageDraw.ImageDraw, pixels: FloatArray, color: tuple[int, ...]) -> None:
    """Draw a line through pixels [N, 2] with a dark edge, where all of them can be seen."""
    if np.isfinite(pixels).all():
        points = [tuple(pixel) for pixel in pixels.tolist()]
        pen.line(points, (30, 30, 30), 6, joint="curve")
        pen.line(points, color, 3, joint="curve")

"""Reads the visible parts of a URDF; its joints stay at zero, so that it is one solid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
import trimesh

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.meshes.files import check_xml
from pickclutter_lang.utils.typing import FloatArray

Element = ElementTree.Element


@dataclass(frozen=True)
class VisiblePart:
    """A `<visual>` of a link: a mesh file or a simple solid, where it lies, and its color."""

    matrix: FloatArray
    """[4, 4], from the part to the first link."""
    file: str | None
    solid: Any = None
    color: tuple[int, ...] | None = None

    def placed(self, meshes: Sequence[Any]) -> list[Any]:
        """Return the meshes of its file, or its solid, in the frame of the first link."""
        parts = list(meshes) if self.file else [self.solid]
        for part in parts:
            part.apply_transform(self.matrix)
            if self.color is not None and not part.visual.defined:
                part.visual.face_colors = self.color
        return parts


def read_urdf(data: bytes) -> list[VisiblePart]:
    """Return the visible parts of all links.

    :raises InvalidArgumentError: when it is no URDF, or has no visible part
    """
    check_xml(data)
    try:
        robot = ElementTree.fromstring(data)
        if robot.tag != "robot":
            raise ValueError(f"its first element is {robot.tag}")
        frames = _frames(robot)
        colors = {str(one.get("name")): _color(one) for one in robot.findall("material")}
        parts = [
            _part(visual, frames[str(link.get("name"))], colors)
            for link in robot.findall("link")
            for visual in link.findall("visual")
        ]
    except (ElementTree.ParseError, ValueError, KeyError, TypeError) as error:
        raise InvalidArgumentError(f"expected a URDF, but it cannot be read ({error}); correct it") from error
    if not parts:
        raise InvalidArgumentError("expected a URDF with <visual> in a <link>, but it has none; add one")
    return parts


def _frames(robot: Element) -> dict[str, FloatArray]:
    """Return the frame [4, 4] of each link, with all joints at zero."""
    above = {}
    for joint in robot.findall("joint"):
        parent, child = joint.find("parent"), joint.find("child")
        if parent is None or child is None:
            raise ValueError(f"joint {joint.get('name')} lacks its parent or child")
        above[str(child.get("link"))] = (str(parent.get("link")), _origin(joint))
    frames = {}
    for link in (str(one.get("name")) for one in robot.findall("link")):
        matrix, name, seen = np.eye(4), link, {link}
        while name in above:
            name, step = above[name]
            matrix = step @ matrix
            if name in seen:
                raise ValueError(f"the joints of link {link} go in a circle")
            seen.add(name)
        frames[link] = matrix
    return frames


def _part(visual: Element, frame: FloatArray, colors: dict[str, tuple[int, ...] | None]) -> VisiblePart:
    material, geometry = visual.find("material"), visual.find("geometry")
    shape = None if geometry is None else next(iter(geometry), None)
    if shape is None:
        raise ValueError("a <visual> has no <geometry>")
    color = None if material is None else _color(material) or colors.get(str(material.get("name")))
    matrix = frame @ _origin(visual)
    if shape.tag == "mesh":
        scale = np.diag([*_numbers(shape.get("scale", "1 1 1"), 3), 1.0])
        # A package is the folder of the URDF: nothing is read outside of it.
        file = re.sub(r"^(package://[^/]+/|file://)", "", str(shape.get("filename", "")))
        if not file:
            raise ValueError("a <mesh> has no filename")
        return VisiblePart(matrix @ scale, file, color=color)
    return VisiblePart(matrix, None, _solid(shape), color)


def _solid(shape: Element) -> Any:
    if shape.tag == "box":
        return trimesh.creation.box(_numbers(shape.get("size"), 3))
    if shape.tag == "sphere":
        return trimesh.creation.icosphere(radius=_numbers(shape.get("radius"), 1)[0])
    if shape.tag == "cylinder":
        return trimesh.creation.cylinder(_numbers(shape.get("radius"), 1)[0], _numbers(shape.get("length"), 1)[0])
    raise ValueError(f"<{shape.tag}> is no geometry of a URDF")


def _origin(element: Element) -> FloatArray:
    """Return the matrix [4, 4] of an element's `<origin>`."""
    origin = element.find("origin")
    if origin is None:
        return np.eye(4)
    roll, pitch, yaw = _numbers(origin.get("rpy", "0 0 0"), 3)
    matrix = np.array(trimesh.transformations.euler_matrix(roll, pitch, yaw, axes="sxyz"), dtype=np.float64)
    matrix[:3, 3] = _numbers(origin.get("xyz", "0 0 0"), 3)
    return matrix


def _color(material: Element) -> tuple[int, ...] | None:
    color = material.find("color")
    return None if color is None else tuple(round(255 * value) for value in _numbers(color.get("rgba"), 4))


def _numbers(text: str | None, count: int) -> list[float]:
    values = [float(word) for word in (text or "").split()]
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(f"expected {count} numbers, but got {text!r}")
    return values

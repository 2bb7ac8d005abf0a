"""Meshes as people have them, made by code: one of each format, and folders of two data sets' forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from PIL import Image
from trimesh.visual import TextureVisuals
from trimesh.visual.material import PBRMaterial

RED, GREEN, BLUE = (200, 40, 40, 255), (40, 160, 60, 255), (50, 70, 200, 255)
MTL = "newmtl skin\nKd 1 1 1\nmap_Kd texture.png\n"


def checkered(size: int = 64) -> Image.Image:
    """Return an image whose left half is orange and whose right half is blue, with a grid on it."""
    pixels = np.full((size, size, 3), (240, 130, 30), dtype=np.uint8)
    pixels[:, size // 2 :] = (40, 90, 200)
    pixels[:: size // 8] //= 2
    return Image.fromarray(pixels)


def mug(radius: float = 0.04, height: float = 0.09, wall: float = 0.004) -> Any:
    """Return a cup with a cavity, of revolution: its volume is much smaller than its hull's."""
    inner = radius - wall
    outline = [[0, 0], [radius, 0], [radius, height], [inner, height], [inner, wall], [0, wall]]
    return trimesh.creation.revolve(np.array(outline), sections=32)


def write_ply(folder: Path) -> Path:
    """Write a mug, red outside and below, blue inside, by the colors of its vertices, in binary."""
    mesh = mug()
    radius = np.linalg.norm(mesh.vertices[:, :2], axis=1)
    inside = (radius < 0.037) & (mesh.vertices[:, 2] > 0.003)
    mesh.visual.vertex_colors = np.where(inside[:, None], BLUE, RED)
    return _written(folder / "red_mug.ply", mesh.export(file_type="ply"))


def write_obj(folder: Path, lines: tuple[str, ...] = ("mtllib box.mtl",)) -> Path:
    """Write a box of 8 x 6 x 4 cm with a texture, on each side the whole of it."""
    folder.mkdir(parents=True, exist_ok=True)
    checkered().save(folder / "texture.png")
    (folder / "box.mtl").write_text(MTL)
    return _written(folder / "box.obj", "\n".join([*lines, "usemtl skin", *box_lines((0.08, 0.06, 0.04))]).encode())


def box_lines(size: tuple[float, float, float]) -> list[str]:
    """Return the lines of a box's OBJ file, with texture coordinates; one corner is at the origin."""
    box = trimesh.creation.box(size)
    corners = box.vertices + np.array(size) / 2
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in corners]
    lines += ["vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1"]
    for normal, face in zip(box.face_normals, box.faces, strict=True):
        axes = [axis for axis in range(3) if abs(normal[axis]) < 0.5]
        high = (corners[face][:, axes] > 1e-6).astype(int)
        texture = [{(0, 0): 1, (1, 0): 2, (1, 1): 3, (0, 1): 4}[(int(u), int(v))] for u, v in high]
        lines.append("f " + " ".join(f"{vertex + 1}/{t}" for vertex, t in zip(face, texture, strict=True)))
    return lines


def write_glb(folder: Path) -> Path:
    """Write a lamp of two materials, y up: a green cylinder on a red box, 6 cm wide and 9 cm high."""
    foot = trimesh.creation.box((0.06, 0.02, 0.06))
    stand = trimesh.creation.cylinder(0.015, 0.07)
    stand.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0)))
    stand.apply_translation((0, 0.045, 0))
    for part, color in ((foot, RED), (stand, GREEN)):
        material = PBRMaterial(baseColorFactor=color, name=str(color[0]))
        part.visual = TextureVisuals(uv=np.zeros((len(part.vertices), 2)), material=material)
    scene = trimesh.Scene({"a foot": foot, "stand": stand})
    return _written(folder / "lamp.glb", scene.export(file_type="glb"))


def write_stl(folder: Path, scale: float = 1.0) -> Path:
    """Write a plain wedge of 7 x 5 x 3 cm."""
    points = np.array([[0, 0, 0], [7, 0, 0], [7, 5, 0], [0, 5, 0], [0, 0, 3], [0, 5, 3]]) / 100 * scale
    return _written(folder / "wedge.stl", trimesh.convex.convex_hull(points).export(file_type="stl"))


def write_dae(folder: Path) -> Path:
    """Write a blue ball of 5 cm, in centimeters, as its file says."""
    ball = trimesh.creation.icosphere(subdivisions=2, radius=2.5)
    ball.visual = TextureVisuals(material=PBRMaterial(baseColorFactor=BLUE))
    text = ball.export(file_type="dae").decode()
    unit = '<unit name="centimeter" meter="0.01"/>'
    return _written(folder / "ball.dae", text.replace("<up_axis>", f"{unit}<up_axis>").encode())


def write_urdf(folder: Path) -> Path:
    """Write a hammer of two links: a cylinder of 12 cm along x, and at its end a head of a mesh file."""
    (folder / "meshes").mkdir(parents=True, exist_ok=True)
    head = trimesh.creation.box((20, 60, 20))
    (folder / "meshes" / "head.stl").write_bytes(head.export(file_type="stl"))
    text = """<robot name="hammer">
  <material name="wood"><color rgba="0.6 0.4 0.2 1"/></material>
  <link name="grip"><visual><origin rpy="0 1.570796 0"/><geometry><cylinder radius="0.01" length="0.12"/></geometry>
    <material name="wood"/></visual></link>
  <link name="head"><visual><geometry><mesh filename="package://hammer/meshes/head.stl" scale="0.001 0.001 0.001"/>
    </geometry><material name="steel"><color rgba="0.3 0.3 0.35 1"/></material></visual></link>
  <joint name="glue" type="fixed"><parent link="grip"/><child link="head"/><origin xyz="0.07 0 0"/></joint>
</robot>
"""
    return _written(folder / "hammer.urdf", text.encode())


def write_scanned(folder: Path) -> Path:
    """Write a folder in the form of Google Scanned Objects: its texture lies elsewhere than its mesh."""
    for name in ("meshes", "materials/textures"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    checkered(128).save(folder / "materials" / "textures" / "texture.png")
    (folder / "meshes" / "model.mtl").write_text(MTL)
    lines = ["mtllib model.mtl", "usemtl skin", *box_lines((0.05, 0.05, 0.15))]
    (folder / "meshes" / "model.obj").write_text("\n".join(lines))
    (folder / "metadata.pbtxt").write_text(
        'name: "Tall Box"\nannotations { text: "A tall \\"box\\"" }\ncategories { first: "Toys" }\n'
        'legal { license: "CC BY 4.0" }\n'
    )
    return folder


def write_bop(folder: Path) -> Path:
    """Write a folder in the form of BOP, with two objects in millimeters."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    for number, radius in ((1, 25.0), (2, 15.0)):
        mesh = trimesh.creation.cylinder(radius, 60.0, sections=24)
        mesh.visual.vertex_colors = GREEN
        (folder / "models" / f"obj_{number:06d}.ply").write_bytes(mesh.export(file_type="ply"))
    info = {str(number): {"diameter": 80.0} for number in (1, 2)}
    (folder / "models" / "models_info.json").write_text(json.dumps(info))
    return folder


def write_all(folder: Path) -> list[Path]:
    """Write one of each into a folder, and return their paths."""
    return [
        write_ply(folder), write_obj(folder / "box"), write_glb(folder), write_stl(folder), write_dae(folder),
        write_urdf(folder / "hammer"), write_scanned(folder / "Tall_Box"), write_bop(folder / "bop"),
    ]  # fmt: skip


def _written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path

"""What a mesh file holds, and what is wrong with one: read without the simulator, and nothing is cut into parts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from helpers.own_meshes import (
    MTL,
    checkered,
    write_bop,
    write_dae,
    write_glb,
    write_obj,
    write_ply,
    write_scanned,
    write_stl,
    write_urdf,
)
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.meshes.model import Piece, bounds, placed
from pickclutter_lang.objects.meshes.reading import MeshContent, read_mesh
from pickclutter_lang.objects.meshes.sources import find_sources


def read(path: Path) -> MeshContent:
    """Read the first mesh of a path, as the command does."""
    sources, broken = find_sources([path])
    if broken:
        raise InvalidArgumentError(broken[0].reason)
    return read_mesh(sources[0])


def place(path: Path) -> list[Piece]:
    content = read(path)
    return placed(content.pieces, content.meters, content.up)


SIZES: dict[str, tuple[Callable[[Path], Path], tuple[float, float, float], str]] = {
    "ply": (write_ply, (0.08, 0.08, 0.09), "z"),
    "obj": (write_obj, (0.08, 0.06, 0.04), "z"),
    "glb": (write_glb, (0.06, 0.06, 0.09), "y"),
    "stl": (write_stl, (0.07, 0.05, 0.03), "z"),
    "dae": (write_dae, (0.05, 0.05, 0.05), "y"),
    "urdf": (write_urdf, (0.14, 0.06, 0.02), "z"),
    "Google Scanned Objects": (write_scanned, (0.05, 0.05, 0.15), "z"),
    "BOP": (write_bop, (0.05, 0.05, 0.06), "z"),
}


@pytest.mark.parametrize("form", SIZES)
def test_each_form_is_read_in_meters_with_z_up_around_the_origin(form: str, tmp_path: Path) -> None:
    write, size, up = SIZES[form]
    path = write(tmp_path / "in")
    assert read(path).up == up
    low, high = bounds(place(path))
    np.testing.assert_allclose(high - low, size, atol=5e-4)
    np.testing.assert_allclose(low + high, 0, atol=1e-9)


def test_colors_are_those_of_the_file(tmp_path: Path) -> None:
    mug = read(write_ply(tmp_path)).pieces[0]
    assert np.array_equal(np.unique(np.round(255 * mug.colors.reshape(-1, 3)), axis=0), [[50, 70, 200], [200, 40, 40]])
    red = read(write_glb(tmp_path)).pieces[0].colors[0, 0]
    linear = np.array([200, 40, 40]) / 255  # of glTF, whose plain colors are intensities
    np.testing.assert_allclose(red, 1.055 * linear ** (1 / 2.4) - 0.055, atol=0.01)
    grip, head = read(write_urdf(tmp_path)).pieces
    np.testing.assert_allclose(grip.colors[0, 0], [0.6, 0.4, 0.2], atol=0.005)
    np.testing.assert_allclose(head.colors[0, 0], [0.3, 0.3, 0.35], atol=0.005)


def test_a_link_lies_where_its_joint_puts_it(tmp_path: Path) -> None:
    grip, head = read(write_urdf(tmp_path)).pieces
    np.testing.assert_allclose(np.ptp(grip.points, axis=0), [0.12, 0.02, 0.02], atol=1e-3)
    np.testing.assert_allclose(head.points.mean(axis=0), [0.07, 0, 0], atol=1e-6)
    np.testing.assert_allclose(np.ptp(head.points, axis=0), [0.02, 0.06, 0.02], atol=1e-6)


def test_the_texture_of_a_scanned_object_lies_in_another_folder(tmp_path: Path) -> None:
    sources, _ = find_sources([write_scanned(tmp_path / "Tall_Box")])
    content = read_mesh(sources[0])
    assert np.array_equal(content.pieces[0].image, np.asarray(checkered(128)))  # type: ignore[arg-type]
    assert set(content.hashes) == {"meshes/model.obj", "meshes/model.mtl", "materials/textures/texture.png"}
    source = sources[0]
    assert (source.model_id, source.category, source.license) == ("tall_box", "Toys", "CC BY 4.0")
    assert source.description == 'A tall "box"'


@pytest.mark.parametrize(
    ("longest", "unit", "proposed"),
    [(140.0, 1.0, "unit=mm"), (0.12, 0.001, "unit=m"), (1e6, 1.0, "scale")],
)
def test_an_impossible_size_proposes_the_unit(longest: float, unit: float, proposed: str, tmp_path: Path) -> None:
    pieces = read(write_stl(tmp_path, scale=longest / 0.07)).pieces
    with pytest.raises(InvalidArgumentError, match=proposed):
        placed(pieces, unit, "z")


@pytest.mark.parametrize("up", ["x", "-y", "z"])
def test_the_axis_that_points_up_does_so_and_nothing_is_mirrored(up: str, tmp_path: Path) -> None:
    points = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.06, 0], [0, 0, 0.03]])
    mesh = trimesh.Trimesh(points, [[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    piece = Piece(points, np.asarray(mesh.faces), np.ones((4, 3, 3)))
    made = placed([piece], 1.0, up)[0]
    sign = -1 if up[0] == "-" else 1
    axis = "xyz".index(up[-1])
    height = made.points[:, 2]
    np.testing.assert_allclose(height - height.mean(), sign * (points - points.mean(axis=0))[:, axis], atol=1e-12)
    assert trimesh.Trimesh(made.points, made.faces).volume == pytest.approx(mesh.volume)


def _cut(path: Path, share: float = 0.5) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def _obj(change: Callable[[str], str]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = write_obj(folder)
        path.write_text(change(path.read_text()))
        return path

    return write


def _mtl(text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = write_obj(folder)
        (folder / "box.mtl").write_text(text)
        return path

    return write


def _text(name: str, text: str | bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder / name

    return write


def _texture(data: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = write_obj(folder)
        (folder / "texture.png").write_bytes(data)
        return path

    return write


def _damaged_glb(folder: Path) -> Path:
    """Write a GLB whose embedded image is damaged."""
    mesh: Any = trimesh.load(write_obj(folder), process=False)
    return _text("box.glb", mesh.export(file_type="glb").replace(b"\x89PNG", b"\x00PNG"))(folder)


def _gltf(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        files: Any = trimesh.Scene(trimesh.creation.icosphere(5, 0.03)).export(file_type="gltf")
        for name, data in files.items():
            _text(name, data)(folder)
        content = json.loads(files["model.gltf"])
        change(content)
        return _text("model.gltf", json.dumps(content))(folder)

    return write


def _instances(content: dict[str, Any]) -> None:
    content["nodes"] = [{"children": list(range(1, 201))}, *({"mesh": 0} for _ in range(200))]
    content["scenes"] = [{"nodes": [0]}]


def _many(content: dict[str, Any]) -> None:
    content["meshes"][0]["primitives"] *= 2001


def _position(**changes: Any) -> Callable[[Path], Path]:
    """Return what writes glTF whose positions are described in another way."""

    def change(content: dict[str, Any]) -> None:
        content["accessors"][content["meshes"][0]["primitives"][0]["attributes"]["POSITION"]].update(changes)

    return _gltf(change)


_CIRCLE = "".join(
    f'<joint name="{a}{b}" type="fixed"><parent link="{a}"/><child link="{b}"/></joint>' for a, b in ("ab", "ba")
)


def _urdf(shape: str, joints: str = "") -> Callable[[Path], Path]:
    """Return what writes a URDF of two links, the first of one shape."""
    links = f'<link name="a"><visual><geometry>{shape}</geometry></visual></link><link name="b"/>'
    return _text("r.urdf", f'<robot name="r">{links}{joints}</robot>')


def _ply(faces: str, count: int) -> Callable[[Path], Path]:
    """Return what writes a tetrahedron as PLY of text, with some rows of faces."""
    head = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    head += f"element face {count}\nproperty list uchar int vertex_indices\nend_header\n"
    return _text("a.ply", head + "0 0 0\n.1 0 0\n0 .1 0\n0 0 .1\n" + faces)


def _soup(folder: Path) -> Path:
    """Write triangles that do not meet."""
    points = np.random.default_rng(0).uniform(0, 0.1, (300, 3))
    data: Any = trimesh.Trimesh(points, np.arange(300).reshape(-1, 3)).export(file_type="stl")
    return _text("a.stl", data)(folder)


def _copies(folder: Path) -> Path:
    """Write a URDF that shows one mesh of 81,920 triangles many times."""
    _text("a.stl", trimesh.creation.icosphere(6, 0.03).export(file_type="stl"))(folder)
    shape = '<mesh filename="a.stl"/>'
    return _urdf("</geometry></visual><visual><geometry>".join([shape] * 40))(folder)


def _laughs(folder: Path) -> Path:
    """Write COLLADA whose nodes instance each other, 2^28 times in all."""
    path = write_dae(folder)
    nodes = "".join(f'<node id="n{n}">' + f'<instance_node url="#n{n + 1}"/>' * 2 + "</node>" for n in range(28))
    library = "<library_visual_scenes>"
    text = path.read_text().replace(library, f"<library_nodes>{nodes}</library_nodes>{library}", 1)
    path.write_text(re.sub(r"(<visual_scene[^>]*>)", r'\1<node id="top"><instance_node url="#n0"/></node>', text))
    return path


def _flat(folder: Path) -> Path:
    """Write a tilted sheet without a thickness."""
    points = np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0.1], [0, 0.1, 0.1]])
    data: Any = trimesh.Trimesh(points, [[0, 1, 2], [0, 2, 3]]).export(file_type="stl")
    return _text("flat.stl", data)(folder)


BROKEN: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no file": (lambda folder: folder / "no.stl", "path"),
    "another format": (_text("a.fbx", "x"), r"\.obj"),
    "points alone": (_text("a.obj", "v 0 0 0\nv 1 0 0\n"), "triangles"),
    "cut glb": (lambda folder: _cut(write_glb(folder)), "glb"),
    "cut ply": (lambda folder: _cut(write_ply(folder)), "ply"),
    "NaN": (_obj(lambda text: text.replace("v 0.080000", "v nan", 1)), "NaN"),
    "faces of vertices that are not there": (_obj(lambda text: text + "\nf 1/1 2/2 99/3"), "cut off"),
    "no texture coordinates": (_obj(lambda text: re.sub(r"/\d", "", re.sub(r"vt .*\n", "", text))), "UV"),
    "flat": (_flat, "flat"),
    "a texture that is not there": (_mtl(MTL.replace("texture", "skin")), r"skin\.png"),
    "a texture elsewhere": (_mtl(MTL.replace("texture.png", "/etc/hostname")), "/etc/hostname"),
    "a texture that is no image": (_texture(b"version https://git-lfs.github.com/spec/v1"), r"texture\.png"),
    "an image inside that is damaged": (_damaged_glb, r"box\.glb"),
    "a texture whose name is no path": (_mtl(MTL.replace("texture", "a\0b")), "names"),
    "a second library that is not there": (
        _obj(lambda text: text.replace("mtllib box.mtl", "mtllib box.mtl b.mtl")),
        r"'b\.mtl'",
    ),
    "too many instances": (_gltf(_instances), "2000000"),
    "too many copies": (_copies, "2000000"),
    "nodes that multiply": (_laughs, "nodes"),
    "a negative count": (_gltf(lambda content: content["accessors"][0].update(count=-3)), "count"),
    "an extension that is not read": (_gltf(lambda content: content.update(extensionsRequired=["X_y"])), "X_y"),
    "sparse numbers": (_position(sparse={"count": 1}), "sparse"),
    "normalized numbers": (_position(normalized=True), "normalized"),
    "positions of one number": (_position(type="SCALAR"), "faces"),
    "too many primitives": (_gltf(_many), "too many"),
    "a node in two places": (_gltf(lambda content: content["nodes"].append({"children": [1, 1]})), "twice"),
    "an index of 0": (_obj(lambda text: text + "\nf 1/1 0/2 2/3"), "index 0"),
    "fewer rows than it says": (_ply("3 0 1 2\n3 0 1 3\n3 0 2 3\n", 2**40), r"a\.ply"),
    "a row longer than it says": (_ply("3 0 1 2 3\n3 0 1 3\n3 0 2 3\n3 1 2 3\n", 4), "numbers"),
    "triangles that do not meet": (_soup, "100%"),
    "no link that is seen": (_text("a.urdf", '<robot name="r"><link name="a"/></robot>'), "triangles"),
    "a length below 0": (_urdf('<sphere radius="-0.03"/>'), "above 0"),
    "no geometry": (_urdf(""), "no geometry"),
    "too many solids": (_urdf("</geometry></visual><visual><geometry>".join(['<box size="1 1 1"/>'] * 2001)), "2000"),
    "no URDF": (_text("a.urdf", "<html"), "URDF"),
    "a solid that URDF lacks": (_urdf('<capsule radius="0.01" length="0.1"/>'), "capsule"),
    "joints in a circle": (_urdf('<sphere radius="0.03"/>', _CIRCLE), "circle"),
}


def test_meshes_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    for name, folder in (("a/m.stl", tmp_path / "a"), ("m.stl", tmp_path)):
        _text("m.stl", trimesh.creation.box((0.01 if name == "m.stl" else 0.05,) * 3).export(file_type="stl"))(folder)
    shapes = (f'<mesh filename="{name}"/>' for name in ("a/m.stl", "m.stl"))
    pieces = read(_urdf("</geometry></visual><visual><geometry>".join(shapes))(tmp_path)).pieces
    assert [float(np.ptp(piece.points, axis=0).max()) for piece in pieces] == pytest.approx([0.05, 0.01])


def test_options_before_the_name_of_a_texture_are_passed_over(tmp_path: Path) -> None:
    path = _mtl(MTL.replace("texture.png", "-s 1 1 1 -o 0 0.5 0 texture.png"))(tmp_path)
    assert read(path).pieces[0].image is not None


def test_metadata_outside_of_a_folder_is_not_read(tmp_path: Path) -> None:
    folder = write_scanned(tmp_path / "Tall_Box")
    (folder / "metadata.pbtxt").rename(tmp_path / "metadata.pbtxt")
    (folder / "metadata.pbtxt").symlink_to(tmp_path / "metadata.pbtxt")
    assert not find_sources([folder])[0][0].description


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_mesh_is_refused(name: str, tmp_path: Path) -> None:
    write, key = BROKEN[name]
    with pytest.raises(InvalidArgumentError, match=key):
        place(write(tmp_path / "in"))

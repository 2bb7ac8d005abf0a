"""`pickclutter import-mesh` from files to an object set, in processes of its own, as people run it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
import yaml
from PIL import Image
from scipy.spatial import ConvexHull

from helpers.forkserver import run_python
from helpers.own_meshes import copy_of, write_all, write_bop, write_obj, write_ply, write_scanned, write_stl
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingExtraError
from pickclutter_lang.objects import meshes
from pickclutter_lang.objects.catalog import Catalog
from pickclutter_lang.objects.meshes.mesh_importer import (
    ImportResult,
    _without_repeated,
    check_unique_ids,
    import_meshes,
)
from pickclutter_lang.objects.meshes.mesh_sources import MeshSource
from pickclutter_lang.objects.meshes.names import GivenNames, catalog_row
from pickclutter_lang.objects.meshes.settings import ModelSettings
from pickclutter_lang.objects.object_sets import ObjectSet, read_object_set
from pickclutter_lang.utils.json_files import read_json

COMMAND = ["-m", "pickclutter_lang.commands", "import-mesh"]
IDS = ["red_mug", "box", "lamp", "wedge", "ball", "hammer", "tall_box", "obj_000001", "obj_000002"]
DEFAULTS = {"split": "seen", "license": "", "source": ""}


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return run_python([*COMMAND, *map(str, words)])


def imported(paths: Sequence[Path], out: Path, names: Path | None = None, **settings: Any) -> ImportResult:
    return import_meshes(paths, out, ModelSettings(**settings), names, DEFAULTS, workers=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def objects_of(out: Path, ids: Sequence[str] = IDS) -> ObjectSet:
    """Return an imported folder as an object set, all of whose objects are seen."""
    found = read_object_set("mine", out, ids)
    return replace(found, catalog=Catalog([replace(item, split="id") for item in found.catalog]))


def hulls_of(model_dir: Path) -> list[Any]:
    scene = trimesh.load_scene(model_dir / "collision.obj", split_objects=True, process=False)
    return list(scene.geometry.values())


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder with one mesh of each form, and what the command said."""
    folder = tmp_path_factory.mktemp("meshes")
    options = ("--max-parts", "12", "--license", "own", "--source", "our bin", "--workers", "2")
    return folder / "mine", run(*write_all(folder / "in"), "--out", folder / "mine", *options)


def test_a_mesh_that_is_named_twice_is_one_with_what_its_folder_says(tmp_path: Path) -> None:
    path, root = tmp_path / "obj_000001.ply", tmp_path
    plain, of_bop = MeshSource(path, "obj_000001", root), MeshSource(path, "obj_000001", root, unit="mm")
    other = MeshSource(tmp_path / "mug.stl", "mug", root)
    for sources in ([plain, other, of_bop], [of_bop, other, plain]):
        assert {source.model_id: source.unit for source in _without_repeated(sources)} == {
            "obj_000001": "mm",
            "mug": None,
        }
        assert len(_without_repeated(sources)) == 2
    check_unique_ids([plain, replace(plain, path=tmp_path / "." / "obj_000001.ply")])
    with pytest.raises(InvalidArgumentError, match="would both be obj_000001"):
        check_unique_ids([plain, replace(plain, path=tmp_path / "b" / "obj_000001.ply")])


def test_an_empty_license_is_filled_and_an_edit_is_kept() -> None:
    source = MeshSource(Path("mug.stl"), "mug", Path())
    before = {"id": "mug", "name": "red mug", "license": "", "colors": [], "category": "cup"}
    row = catalog_row(source, GivenNames(), before, {"split": "seen", "license": "CC BY 4.0", "source": "our bin"})
    assert (row["license"], row["source"], row["name"], row["category"]) == ("CC BY 4.0", "our bin", "red mug", "cup")
    assert catalog_row(source, GivenNames(), row, {"license": "MIT"})["license"] == "CC BY 4.0"


@pytest.mark.slow
def test_every_form_becomes_an_object_that_can_be_read(everything: Any) -> None:
    out, done = everything
    assert done.returncode == 0, done.stderr
    assert "imported ball: 5.0 x 5.0 x 5.0 cm (unit cm, y up), 320 triangles, colors baked" in done.stdout
    assert "imported obj_000001: 5.0 x 5.0 x 6.0 cm (unit mm, z up)" in done.stdout
    objects = objects_of(out)
    for item in objects.catalog:
        mesh = trimesh.load_scene(objects.model_dir(item.model_id) / "textured.obj").to_mesh()
        np.testing.assert_allclose(mesh.extents, item.size, atol=2e-6)
        np.testing.assert_allclose(mesh.bounds.sum(axis=0), 0, atol=2e-6)
        with Image.open(objects.model_dir(item.model_id) / "texture_map.png") as image:
            assert image.mode == "RGB" and max(image.size) <= 1024
    assert objects.model_db(["ball"])["ball"]["density"] == 1000.0


@pytest.mark.slow
def test_convex_parts_are_convex_closed_and_of_the_shape(everything: Any) -> None:
    objects = objects_of(everything[0])
    for item in objects.catalog:
        folder = objects.model_dir(item.model_id)
        hulls, mesh = hulls_of(folder), trimesh.load_scene(folder / "textured.obj").to_mesh()
        assert all(hull.is_watertight and ConvexHull(hull.vertices).volume > 0 for hull in hulls)
        assert all(hull.volume == pytest.approx(hull.convex_hull.volume, rel=1e-3) for hull in hulls)
        around = np.concatenate([hull.vertices for hull in hulls])
        np.testing.assert_allclose(np.ptp(around, axis=0), item.size, atol=0.04 * max(item.size))
        outside = np.min([_distance(hull, mesh.vertices) for hull in hulls], axis=0)
        assert np.mean(outside <= 0.02 * np.linalg.norm(item.size)) > 0.97


def _distance(hull: Any, points: Any) -> Any:
    """Return how far points lie outside of a hull, meters; below 0 inside."""
    planes = ConvexHull(hull.vertices).equations
    return (points @ planes[:, :3].T + planes[:, 3]).max(axis=1)


@pytest.mark.slow
def test_the_cavity_of_a_mug_stays_open(everything: Any) -> None:
    hulls = hulls_of(everything[0] / "models" / "red_mug")
    assert len(hulls) > 4
    inside = np.array([[0, 0, z] for z in (-0.02, 0, 0.03)])
    assert min(_distance(hull, inside).min() for hull in hulls) > 0.02


@pytest.mark.slow
def test_the_catalog_says_what_is_known(everything: Any) -> None:
    content = yaml.safe_load((everything[0] / "catalog.yaml").read_text())
    assert content["version"] == 1
    rows = {row["id"]: row for row in content["objects"]}
    assert sorted(rows) == sorted(IDS)
    assert rows["red_mug"] == {
        "id": "red_mug", "name": "red mug", "split": "seen", "synonyms": [], "category": "", "colors": [], "shape": "",
        "material": "", "function": "", "description": "", "license": "own", "source": "our bin",
    }  # fmt: skip
    assert (rows["tall_box"]["license"], rows["tall_box"]["category"]) == ("CC BY 4.0", "Toys")
    report = (everything[0] / "report.md").read_text()
    assert all(f"| {model_id} | " in report for model_id in IDS) and "| CC BY 4.0 | our bin |" in report


@pytest.mark.slow
@pytest.mark.sim
def test_the_sheet_shows_each_object_in_its_colors(everything: Any) -> None:
    out, done = everything
    assert f"look at them: {out / 'sheet.png'}" in done.stdout
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.size == (6 * 192, 2 * 228)
    hues = {"ball": 2, "red_mug": 0, "obj_000001": 1}
    for model_id, channel in hues.items():
        with Image.open(out / "thumbnails" / f"{model_id}.png") as image:
            middle = np.asarray(image)[110:150, 86:106].reshape(-1, 3).mean(axis=0)
        assert middle.argmax() == channel and middle.max() > 1.5 * np.sort(middle)[1]


@pytest.mark.slow
@pytest.mark.sim
def test_imported_objects_lie_in_a_pile_and_are_seen(everything: Any) -> None:
    from pickclutter_lang.envs.generation.pile_sampling import PileConfig
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

    objects = objects_of(everything[0])
    config = PileConfig(min_objects=6, max_objects=6, image_size=96, graspable=True)
    maker = SceneGenerator(objects, config)
    rows = [maker.generate(0, "id", index) for index in range(3)]
    assert all(np.count_nonzero(row["present"]) == 6 for row in rows)
    assert sum(np.count_nonzero(row["visible"]) for row in rows) >= 15
    assert sum(np.count_nonzero(row["graspable"]) for row in rows) >= 3


@pytest.mark.slow
def test_what_did_not_change_is_skipped_and_what_did_is_replaced(tmp_path: Path) -> None:
    box, wedge, out = write_obj(tmp_path / "box"), write_stl(tmp_path), tmp_path / "mine"
    first = imported([box, wedge], out)
    assert (first.new, first.replaced, first.skipped) == (["box", "wedge"], [], [])
    before = contents(out)
    again = imported([wedge, box], out)
    assert (again.new, again.replaced, again.skipped) == ([], [], ["wedge", "box"])
    assert contents(out) == before
    Image.new("RGB", (32, 32), "purple").save(tmp_path / "box" / "texture.png")
    assert imported([box, wedge], out).replaced == ["box"]
    changed = {name for name, data in contents(out).items() if data != before[name]}
    assert changed == {"imported.json", "models/box/texture_map.png"}
    assert imported([wedge], out, density=500.0).replaced == ["wedge"]
    assert objects_of(out, ["box", "wedge"]).model_db(["box", "wedge"])["wedge"]["density"] == 500.0
    (out / "models" / "box" / "collision.obj").unlink()
    assert imported([box], out).replaced == ["box"]


@pytest.mark.slow
def test_a_user_may_change_the_catalog_and_later_imports_keep_that(tmp_path: Path) -> None:
    wedge, out = write_stl(tmp_path), tmp_path / "mine"
    imported([wedge], out)
    path = out / "catalog.yaml"
    path.write_text(path.read_text().replace("name: wedge", "name: door stop").replace("split: seen", "split: unseen"))
    imported([wedge, write_obj(tmp_path / "box")], out)
    rows = {row["id"]: row for row in yaml.safe_load(path.read_text())["objects"]}
    assert (rows["wedge"]["name"], rows["wedge"]["split"], rows["box"]["split"]) == ("door stop", "unseen", "seen")
    path.unlink()  # then there are plain names again, of the objects that are not imported now too
    assert {name: row["name"] for name, row in imported([wedge], out).rows.items()} == {"box": "box", "wedge": "wedge"}


@pytest.mark.slow
def test_names_come_from_a_file_by_id_or_file(tmp_path: Path) -> None:
    names = tmp_path / "names.yaml"
    names.write_text(
        "wedge.stl: {name: door stop, split: unseen, synonyms: [wedge], colors: [gray], density: 600}\n"
        "obj_000002: green can\n"
    )
    result = imported([write_stl(tmp_path), write_bop(tmp_path / "bop")], tmp_path / "mine", names)
    assert {model_id: row["name"] for model_id, row in result.rows.items()} == {
        "wedge": "door stop", "obj_000001": "obj 000001", "obj_000002": "green can",
    }  # fmt: skip
    assert (result.rows["wedge"]["synonyms"], result.rows["wedge"]["split"]) == (["wedge"], "unseen")
    assert result.models["wedge"].mass == pytest.approx(600 * 0.07 * 0.05 * 0.03 / 2, rel=0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wege: x", "did you mean wedge"),
        ('wedge: "two\\nlines"', "expected name to be one line|one line of text"),
        ('wedge: ""', "wrong at 'wedge'"),
        ("wedge: 5", "wrong at 'wedge'"),
        ("wedge: {nam: x}", "expected keys out of name, split"),
        ("wedge: {split: train}", "split"),
        ("wedge: {density: .nan}", "expected density to lie between"),
        ("wedge: a\nwedge: b", "'wedge' is there twice"),
        ("a: &x [1]\nb: *x", "expected no references"),
        ("- wedge", "expected a mapping"),
        ("a: [", "is damaged"),
        ("wedge: mug\nbox: mug", "wedge and box are both 'mug'|box and wedge are both 'mug'"),
        ("wedge: mug\nbox: Mug", "are both"),
    ],
)
def test_a_wrong_name_is_named_before_anything_is_made(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text(text + "\n")
    with pytest.raises(InvalidArgumentError, match=message) as caught:
        imported([write_stl(tmp_path), write_obj(tmp_path / "box")], tmp_path / "mine", tmp_path / "names.yaml")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "mine").exists()


def test_words_that_a_catalog_cannot_have_are_named_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("wedge: {name: Enamel Mug}\n")
    with pytest.raises(DatasetError, match=r"names\.yaml: object 1 .*expected names in lower case"):
        imported([write_stl(tmp_path)], tmp_path / "mine", tmp_path / "names.yaml")
    assert not (tmp_path / "mine").exists()


def test_two_meshes_of_one_id_are_named(tmp_path: Path) -> None:
    first = write_stl(tmp_path)
    second = copy_of(first, tmp_path / "other")
    with pytest.raises(InvalidArgumentError, match="would both be wedge; rename one"):
        imported([first, second], tmp_path / "mine")


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InvalidArgumentError, match=r"but .* holds thesis.tex"):
        imported([write_stl(tmp_path)], tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


@pytest.mark.slow
def test_broken_meshes_are_named_one_by_one_and_the_others_are_imported(tmp_path: Path) -> None:
    ply = write_ply(tmp_path)
    ply.write_bytes(ply.read_bytes()[:500])
    big = write_stl(tmp_path / "big", scale=2000.0).rename(tmp_path / "big.stl")
    done = run(ply, big, tmp_path / "no.glb", write_scanned(tmp_path / "Tall_Box"), "--out", tmp_path / "mine")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("not imported: ")]
    assert len(lines) == 3
    assert any("big.stl" in line and "is it --unit mm?" in line for line in lines)
    assert any("red_mug.ply" in line and "cut off" in line for line in lines)
    assert list(read_json(tmp_path / "mine" / "info_pick_v0.json", dict[str, Any], InvalidArgumentError, "")) == [
        "tall_box"
    ]
    assert [path.name for path in (tmp_path / "mine" / "models").iterdir()] == ["tall_box"]
    assert "## Not imported" in (tmp_path / "mine" / "report.md").read_text()
    again = run(big, "--unit", "mm", "--out", tmp_path / "mine")
    assert again.returncode == 0 and "imported big: 14.0 x 10.0 x 6.0 cm (unit mm, z up)" in again.stdout


def test_where_every_mesh_is_broken_nothing_is_left(tmp_path: Path) -> None:
    result = imported([write_stl(tmp_path, scale=1e6)], tmp_path / "mine")
    assert len(result.broken) == 1 and not (tmp_path / "mine").exists()


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meshes, "find_spec", lambda name: None if name == "collada" else True)
    with pytest.raises(MissingExtraError, match=r"pycollada is not installed.*-e '\.\[meshes\]'"):
        meshes.check_packages()


@pytest.mark.slow
def test_a_real_scan_gets_parts_like_those_of_maniskill2(ycb_root: Path, tmp_path: Path) -> None:
    result = imported([ycb_root / "models" / "011_banana" / "textured.obj"], tmp_path / "mine")
    model = result.models["011_banana"]
    assert result.rows["011_banana"]["name"] == "banana"
    theirs = sum(ConvexHull(hull.vertices).volume for hull in hulls_of(ycb_root / "models" / "011_banana"))
    assert 0.8 < model.volume / theirs < 1.1
    assert model.mesh_volume is not None and 0.95 < model.volume / model.mesh_volume < 1.15
    assert model.texture == "texture kept" and model.covered == 1.0

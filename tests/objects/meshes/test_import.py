"""`pickclutter import-mesh` from files to an object set."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image
from scipy.spatial import ConvexHull

from helpers.forkserver import run_python
from helpers.own_meshes import write_all, write_bop, write_obj, write_ply, write_scanned, write_stl
from helpers.process_kill import run_killed
from helpers.torture import only_torture
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingExtraError
from pickclutter_lang.objects import meshes
from pickclutter_lang.objects.catalog import Catalog
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.objects.meshes import ModelSettings, cutting
from pickclutter_lang.objects.meshes.importer import ImportResult, import_meshes
from pickclutter_lang.objects.object_sets import ObjectSet, read_object_set

COMMAND = ("-m", "pickclutter_lang.commands", "import-mesh")
Everything = tuple[Path, subprocess.CompletedProcess[str]]
IDS = ["red_mug", "box", "lamp", "wedge", "ball", "hammer", "tall_box", "obj_000001", "obj_000002"]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return run_python([*COMMAND, *map(str, words)])


def imported(paths: Sequence[Path], out: Path, names: Path | None = None, **settings: Any) -> ImportResult:
    return import_meshes(paths, out, ModelSettings(**settings), names, {"split": "seen"}, workers=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def objects_of(out: Path, ids: Sequence[str] = IDS) -> ObjectSet:
    """Return an imported folder as an object set, all of whose objects are seen."""
    found = read_object_set("mine", out, ids)
    return replace(found, catalog=Catalog([replace(item, split="id") for item in found.catalog]))


def hulls_of(model_dir: Path) -> list[Any]:
    scene = trimesh.load_scene(model_dir / "collision.obj", split_objects=True, process=False)
    return list(scene.geometry.values())


def _distance(hull: Any, points: Any) -> Any:
    """Return how far points lie outside of a hull, meters; below 0 inside."""
    planes = ConvexHull(hull.vertices).equations
    return (points @ planes[:, :3].T + planes[:, 3]).max(axis=1)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """A folder with one mesh of each form, and what the command said."""
    folder = tmp_path_factory.mktemp("meshes")
    options = ("max_parts=12", "license=own", "source=our bin", "workers=2")
    return folder / "mine", run(*write_all(folder / "in"), f"out={folder / 'mine'}", *options)


@pytest.mark.slow
def test_every_form_becomes_an_object(everything: Everything) -> None:
    out, done = everything
    assert done.returncode == 0, done.stderr
    objects = objects_of(out)
    entries = {entry.id: entry for entry in read_catalog(out / "catalog.yaml")}
    assert sorted(entries) == sorted(IDS)
    mug, box = entries["red_mug"], entries["tall_box"]
    assert (mug.split, mug.license, box.license, box.category) == ("seen", "own", "CC BY 4.0", "Toys")
    for item in objects.catalog:
        folder = objects.model_dir(item.model_id)
        mesh = trimesh.load_scene(folder / "textured.obj").to_mesh()
        hulls = hulls_of(folder)
        np.testing.assert_allclose(mesh.extents, item.size, atol=2e-6)
        np.testing.assert_allclose(mesh.bounds.sum(axis=0), 0, atol=2e-6)
        with Image.open(folder / "texture_map.png") as image:
            assert image.mode == "RGB" and max(image.size) <= 1024
        assert all(hull.is_watertight and hull.volume > 0 for hull in hulls)
        assert all(hull.volume == pytest.approx(hull.convex_hull.volume, rel=1e-3) for hull in hulls)
        outside = np.min([_distance(hull, mesh.vertices) for hull in hulls], axis=0)
        assert np.mean(outside <= 0.02 * np.linalg.norm(item.size)) > 0.97
    inside = np.array([[0, 0, z] for z in (-0.02, 0, 0.03)])  # the cavity of a mug
    assert min(_distance(hull, inside).min() for hull in hulls_of(out / "models" / "red_mug")) > 0.02


@pytest.mark.slow
@pytest.mark.sim
def test_imported_objects_lie_in_a_pile_and_are_seen(everything: Everything) -> None:
    from pickclutter_lang.envs.generation.pile_sampling import PileConfig
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

    with Image.open(everything[0] / "sheet.png") as sheet:
        assert sheet.width > 5 * 192 and np.asarray(sheet).std() > 20
    config = PileConfig(min_objects=6, max_objects=6, image_size=96, graspable=True)
    maker = SceneGenerator(objects_of(everything[0]), config)
    rows = [maker.generate(0, "id", index) for index in range(3)]
    assert all(np.count_nonzero(row["present"]) == 6 for row in rows)
    assert sum(np.count_nonzero(row["visible"]) for row in rows) >= 15
    assert sum(np.count_nonzero(row["graspable"]) for row in rows) >= 3


@pytest.mark.slow
def test_what_did_not_change_is_skipped_and_what_did_is_replaced(tmp_path: Path) -> None:
    box = write_obj(tmp_path / "box")
    wedge = write_stl(tmp_path)
    out = tmp_path / "mine"
    assert imported([box, wedge], out).imported == ["box", "wedge"]
    before = contents(out)
    again = imported([wedge, box], out)
    assert (again.imported, again.skipped) == ([], ["wedge", "box"]) and contents(out) == before
    Image.new("RGB", (32, 32), "purple").save(tmp_path / "box" / "texture.png")
    assert imported([box, wedge], out).imported == ["box"]
    changed = {name for name, data in contents(out).items() if data != before[name]}
    assert changed == {"imported.json", "models/box/texture_map.png"}
    assert imported([wedge], out, density=500.0).imported == ["wedge"]
    assert objects_of(out, ["box", "wedge"]).model_db(["box", "wedge"])["wedge"]["density"] == 500.0
    (out / "models" / "box" / "collision.obj").unlink()
    assert imported([box], out).imported == ["box"]
    trimesh.creation.box((0.03, 0.03, 0.04)).export(tmp_path / "wedge.obj")  # another file of that name
    assert imported([tmp_path / "wedge.obj"], out).imported == ["wedge"]


@pytest.mark.slow
def test_names_come_from_a_file_by_id_or_file(tmp_path: Path) -> None:
    names = tmp_path / "names.yaml"
    names.write_text(
        "wedge.stl: {name: door stop, split: unseen, synonyms: [wedge], colors: [gray], density: 600}\n"
        "obj_000002: green can\n"
    )
    bop = write_bop(tmp_path / "bop")
    result = imported([write_stl(tmp_path), bop, bop / "obj_000001.ply"], tmp_path / "mine", names)
    assert {model_id: entry.name for model_id, entry in result.entries.items()} == {
        "wedge": "door stop", "obj_000001": "obj 000001", "obj_000002": "green can",
    }  # fmt: skip
    assert (result.entries["wedge"].synonyms, result.entries["wedge"].split) == (("wedge",), "unseen")
    assert result.models["wedge"].mass == pytest.approx(600 * 0.07 * 0.05 * 0.03 / 2, rel=0.01)
    assert result.models["obj_000001"].unit == "mm"  # of its folder, also where its file is named too


@pytest.mark.parametrize(
    ("text", "error", "key"),
    [
        ("wege: x", InvalidArgumentError, "wege"),
        ("wedge: 5", InvalidArgumentError, "name"),
        ("wedge: {nam: x}", InvalidArgumentError, "nam"),
        ("wedge: {split: train}", InvalidArgumentError, "split"),
        ("a: [", InvalidArgumentError, r"names\.yaml"),
        ("wedge: mug\nbox: mug", DatasetError, "mug"),
    ],
)
def test_a_wrong_name_is_named_before_the_work(text: str, error: type[Exception], key: str, tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text(text + "\n")
    with pytest.raises(error, match=key):
        imported([write_stl(tmp_path), write_obj(tmp_path / "box")], tmp_path / "mine", tmp_path / "names.yaml")
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_broken_meshes_are_named_one_by_one_and_the_others_are_imported(tmp_path: Path) -> None:
    ply = write_ply(tmp_path)
    ply.write_bytes(ply.read_bytes()[:500])
    big = write_stl(tmp_path / "big", scale=2000.0).rename(tmp_path / "big.stl")
    done = run(ply, big, tmp_path / "no.glb", write_scanned(tmp_path / "Tall_Box"), f"out={tmp_path / 'mine'}")
    assert done.returncode == 2
    assert all(name in done.stderr for name in ("big.stl", "red_mug.ply", "no.glb"))
    assert [path.name for path in (tmp_path / "mine" / "models").iterdir()] == ["tall_box"]
    again = run(big, "unit=mm", f"out={tmp_path / 'mine'}")
    assert again.returncode == 0


def _link(place: Path) -> None:
    place.rename(place.with_name("elsewhere"))
    place.symlink_to("elsewhere")


def _forgotten(place: Path) -> None:
    """Let the folder be one that no import made."""
    state = place.parent.parent / "imported.json"
    state.write_text('{"models": {}}')


@pytest.mark.parametrize("change", [_link, _forgotten])
def test_a_folder_that_no_import_made_is_left_alone(change: Callable[[Path], None], tmp_path: Path) -> None:
    box = write_stl(tmp_path)
    out = tmp_path / "mine"
    imported([box], out)
    change(out / "models" / "wedge")
    before = contents(tmp_path)
    with pytest.raises(DatasetError, match="models/wedge"):
        imported([box], out, density=500.0)
    assert contents(tmp_path) == before and (out / "models" / "wedge").exists()


def test_each_object_can_be_used_as_soon_as_it_is_reported(tmp_path: Path) -> None:
    bop = write_bop(tmp_path / "bop")
    out = tmp_path / "mine"
    lines = list[str]()

    def report(line: str) -> None:
        lines.append(line)
        ids = [entry.id for entry in read_catalog(out / "catalog.yaml")]
        assert len(ids) == len(lines) and ids[-1] in line
        assert read_object_set("mine", out, ids).model(ids[-1]).size[2] == pytest.approx(0.06)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_meshes([bop], out, ModelSettings(), None, {}, workers=1, report=report)
    again = imported([bop], out)
    assert (again.skipped, again.imported) == (["obj_000001"], ["obj_000002"])


@pytest.mark.slow
@only_torture
def test_an_import_that_was_killed_before_its_first_object_goes_on(tmp_path: Path) -> None:
    place = "pickclutter_lang.objects.meshes.importer:write_surface"
    box = write_stl(tmp_path)
    out = tmp_path / "mine"
    run_killed([*COMMAND, str(box), f"out={out}"], place, 1, tmp_path)
    assert (out / "imported.json").is_file() and not (out / "catalog.yaml").exists()
    assert imported([box], out).imported == ["wedge"]
    assert [path.name for path in (out / "models").iterdir()] == ["wedge"]


def test_a_shell_inside_of_another_is_filled(tmp_path: Path) -> None:
    shells = [trimesh.creation.box((side,) * 3) for side in (0.08, 0.04)]
    trimesh.util.concatenate(shells).export(tmp_path / "shells.stl")
    (model,) = imported([tmp_path / "shells.stl"], tmp_path / "mine").models.values()
    assert model.parts == 1 and model.volume == pytest.approx(0.08**3, rel=0.05)


def test_a_cut_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MAX_SECONDS", 1)
    mesh = trimesh.creation.icosphere(1, 0.03)
    with pytest.raises(InvalidArgumentError, match="1 seconds"):
        cutting.cut(mesh.vertices, mesh.faces, {"threshold": 0.01, "mcts_iterations": 10**6, "preprocess_mode": "on"})


def test_where_every_mesh_is_broken_nothing_is_left(tmp_path: Path) -> None:
    result = imported([write_stl(tmp_path, scale=1e6)], tmp_path / "mine")
    assert len(result.broken) == 1 and not (tmp_path / "mine").exists()


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meshes, "find_spec", lambda name: None if name == "collada" else True)
    with pytest.raises(MissingExtraError, match=r"pycollada.*meshes\]"):
        meshes.check_packages()

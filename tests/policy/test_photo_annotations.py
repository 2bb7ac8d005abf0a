"""Photos on a busy ground, and the file beside them that says where their objects are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image

from helpers.photos import photo
from helpers.policies import random_policy
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.policy.teaching import find_example
from pickclutter_lang.policy_making.config import TeachConfig
from pickclutter_lang.policy_making.taught_folder import teach

SIDE = 128
ONE, TWO = (0.3, 0.35, 0.15), (0.72, 0.7, 0.13)


def busy(side: int) -> tuple[NDArray[np.uint8], list[NDArray[np.bool_]]]:
    """Return a photo of two disks on a ground of many colors, and their masks."""
    image, masks = photo(side, ONE, TWO)
    tiles = np.random.default_rng(0).choice([[40, 60, 30], [90, 150, 60], [200, 220, 190], [60, 90, 160]], (12, 12))
    ground = np.asarray(Image.fromarray(tiles.astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST))
    return np.where((masks[0] | masks[1])[..., None], image, ground), masks


def box_of(mask: NDArray[np.bool_], margin: int = 6) -> list[int]:
    v, u = np.nonzero(mask)
    return [int(u.min()) - margin, int(v.min()) - margin, int(u.max()) + margin, int(v.max()) + margin]


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("side", [200, 900])
def test_an_object_is_cut_out_of_a_busy_ground(side: int) -> None:
    image, masks = busy(side)
    with pytest.raises(InvalidArgumentError, match=r"box=.*point=.*alpha.*annotations"):
        find_example(image)
    for mask in masks:
        box, (v, u) = box_of(mask), np.argwhere(mask).mean(axis=0)
        found = find_example(image, box=box).mask
        assert overlap(found, mask) > 0.9
        assert np.array_equal(find_example(image, box=box).mask, found)
        assert overlap(find_example(image, point=(u, v)).mask, mask) > 0.8


def test_a_box_of_any_size_has_an_object_within_it() -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 400, 3)).astype(np.uint8)
    for box in ([0, 0, 400, 7], [3, 2, 4, 3], [0, 0, 1, 7], [390, 5, 400, 7]):
        mask = find_example(image, box=box).mask
        left, top, right, bottom = box
        assert mask.any() and mask[top:bottom, left:right].sum() == mask.sum()
    for shape in ((1, 1, 3), (1, 40, 3), (2, 2, 3)):
        image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
        if shape != (1, 1, 3):
            assert find_example(image, box=[0, 0, shape[1], shape[0]]).mask.any()


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("policies") / "p"
    return str(random_policy(folder, camera_size=SIDE, crop_size=SIDE, names=("lemon", "mug")))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a photo of two objects on a busy ground, and one of an object on a plain ground."""
    (tmp_path / "photos").mkdir()
    image, masks = busy(200)
    Image.fromarray(image).save(tmp_path / "photos" / "two.png")
    Image.fromarray(np.roll(photo(200, (0.5, 0.5, 0.25))[0], 1, axis=2)).save(tmp_path / "photos" / "one.png")
    Image.fromarray(masks[1]).save(tmp_path / "photos" / "mask.png")
    return tmp_path / "photos"


def taught(policy: str, photos: Path, *names: str, **given: Any) -> dict[str, int]:
    memory = teach(TeachConfig(policy, str(photos.parent / "mine"), [*names], str(photos), **given))
    return {name: memory.count(name) for name in memory.taught}


def test_a_short_file_names_several_objects_of_several_photos(policy: str, photos: Path) -> None:
    box = box_of(busy(200)[1][0])
    rows = {
        "two.png": [{"name": "red thing", "box": box}, {"name": "the nut", "mask": "mask.png"}],
        "one.png": {"name": "red thing"},
    }
    (photos / "annotations.yaml").write_text(yaml.safe_dump(rows))
    assert taught(policy, photos, "nut") == {"nut": 1}
    assert taught(policy, photos, "red thing") == {"nut": 1, "red thing": 2}
    with pytest.raises(InvalidArgumentError, match=r"expected names of .*annotations\.yaml"):
        taught(policy, photos, "pear")


def coco(**changed: Any) -> dict[str, Any]:
    mask = busy(200)[1][1]
    left, top, right, bottom = box_of(mask)
    changes = np.flatnonzero(np.diff(np.r_[False, mask.T.ravel(), False]))
    counts = np.diff(np.r_[0, changes, mask.size]).tolist()
    objects: list[dict[str, Any]] = [
        {"bbox": [left, top, right - left, bottom - top], "segmentation": [], "category_id": 1},
        {"segmentation": [[left, top, right, top, right, bottom, left, bottom]], "category_id": 2},
        {"segmentation": {"counts": counts, "size": [200, 200]}, "category_id": 1, "iscrowd": 0},
    ]
    return {
        "info": {"year": 2020},
        "images": [{"id": 7, "file_name": "two.png", "width": 200, "height": 200}],
        "categories": [{"id": 1, "name": "nut"}, {"id": 2, "name": "plate"}],
        "annotations": [{"id": n, "image_id": 7, **one, **changed} for n, one in enumerate(objects)],
    }


def test_a_file_of_coco_has_boxes_polygons_and_runs(policy: str, photos: Path) -> None:
    (photos / "annotations.json").write_text(json.dumps(coco()))
    assert taught(policy, photos) == {"nut": 2, "plate": 1}


FAULTS: list[tuple[str, Any, str]] = [
    ("a.json", [], "expected object"),
    ("a.json", coco(image_id=8), r"annotations\[0\]: expected an image and a category"),
    ("a.json", coco(segmentation={"counts": "abc", "size": [200, 200]}), "uncompressed"),
    ("a.json", coco(segmentation={"counts": [3, 4], "size": [200, 200]}), "counts of RLE"),
    ("a.json", coco(segmentation={"counts": [6], "size": [2, 3]}), "200 x 200"),
    ("a.json", coco(segmentation=[[1, 2, 3]]), "three points"),
    ("a.json", coco(segmentation=[], bbox=[150, 10, 90, 20]), "box="),
    ("a.json", coco(iscrowd=1), "none"),
    ("a.yaml", {"two.png": {"name": "nut", "bix": [1, 2, 3, 4]}}, "bix"),
    ("a.yaml", {"two.png": {"name": "nut", "box": [1, 2, 3]}}, "length 4"),
    ("a.yaml", {"two.png": {"name": "nut", "point": [1, 2], "mask": "mask.png"}}, "one of box, point and mask"),
    ("a.yaml", {"two.png": {"name": "nut", "mask": "none.png"}}, "none.png"),
    ("a.yaml", {"two.png": {"name": "nut"}}, "many colors"),
    ("a.yaml", {"three.png": {"name": "nut"}}, "no such photo"),
    ("a.yaml", {"../photos/one.png": {"name": "nut"}}, "no such photo"),
    ("a.yaml", {"one.png": {}}, "a name of each object"),
    ("a.yaml", "two.png: [", "no YAML"),
    ("a.txt", "", "json or .yaml"),
]


@pytest.mark.parametrize(("file", "content", "named"), FAULTS, ids=[str(n) for n in range(len(FAULTS))])
def test_what_is_wrong_with_a_file_is_named(policy: str, photos: Path, file: str, content: Any, named: str) -> None:
    (photos / file).write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises((InvalidArgumentError, DatasetError), match=named):
        taught(policy, photos, annotations=str(photos / file))
    assert not (photos.parent / "mine").exists() or not list((photos.parent / "mine").glob("*.json"))

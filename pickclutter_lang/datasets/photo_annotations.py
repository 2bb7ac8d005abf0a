"""Where the objects of photos are: a file beside them, in COCO's format or a short one.

`annotations.json` is COCO's: `images`, `categories`, and `annotations` with a `bbox` or a `segmentation`, polygons or
RLE that is not compressed. `annotations.yaml` has one object or several of each photo, with one of `box`, `point` and
`mask`, or none of them on a plain ground:

    mug_1.jpg: {name: my mug, box: [40, 30, 210, 190]}
    table.jpg: [{name: my mug, point: [80, 95]}, {name: lemon, mask: table_lemon.png}]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from typing_extensions import NotRequired

from pickclutter_lang.errors import DatasetError
from pickclutter_lang.objects.catalog_file import load_yaml
from pickclutter_lang.utils.images import read_image
from pickclutter_lang.utils.reading import Text, check_json, damage_of, read_file, read_json

ANNOTATION_FILES = ("annotations.json", "annotations.yaml", "annotations.yml")
_COCO_REMEDY = "export it in COCO's format: images, categories, annotations with bbox, polygons or uncompressed RLE"
_REMEDY = "mend it or remove it"


class _Photo(TypedDict):
    id: int | str
    file_name: Text


class _Category(TypedDict):
    id: int
    name: Text


class _Rle(TypedDict):
    counts: list[int]
    size: tuple[int, int]


class _Annotation(TypedDict):
    image_id: int | str
    category_id: int
    bbox: NotRequired[tuple[float, float, float, float]]
    segmentation: NotRequired[list[list[float]] | _Rle]
    iscrowd: NotRequired[int]


class _Coco(TypedDict):
    images: list[_Photo]
    categories: list[_Category]
    annotations: list[_Annotation]


@dataclass(frozen=True)
class _Entry:
    """An object of a photo in the short format."""

    name: Text | None = None
    box: tuple[float, float, float, float] | None = None
    point: tuple[float, float] | None = None
    mask: Text | None = None


@dataclass(frozen=True)
class PhotoObject:
    """An object of a photo.

    - `path`: of the photo
    - `name`: None where the file has none
    - `box`: (left, top, right, bottom), which may be a pixel beyond the photo by rounding
    - `point`: (u, v), column and row
    - `region`: a file of a mask, COCO's polygons, or its RLE
    """

    path: Path
    name: str | None
    box: tuple[float, ...] | None = None
    point: Sequence[float] | None = None
    region: Path | list[list[float]] | _Rle | None = None

    def place(self, height: int, width: int) -> dict[str, Any]:
        """Return the arguments of `find_example` for the photo in its size: point, box or mask.

        :raises ValueError: for a region that is none of this photo's
        """
        if self.region is not None:
            return {"mask": _mask(self.region, height, width)}
        if self.box is not None:
            most = (width, height) * 2
            clipped = (min(max(value, 0.0), high) for value, high in zip(self.box, most, strict=True))
            rounded = [new if abs(new - old) <= 1 else old for new, old in zip(clipped, self.box, strict=True)]
            return {"box": rounded}
        return {"point": self.point}


def find_annotations(folder: Path) -> Path | None:
    """Return the file of annotations in a folder of photos, if there is one.

    :raises DatasetError: where there are several
    """
    found = [folder / name for name in ANNOTATION_FILES if (folder / name).is_file()]
    if len(found) > 1:
        raise DatasetError(f"expected one file of annotations in {folder}, but got {found[0].name} and {found[1].name}")
    return found[0] if found else None


def read_annotations(path: Path, folder: Path) -> list[PhotoObject]:
    """Read where the objects of photos are.

    :param path: a file of COCO's format (.json) or the short one (.yaml, .yml), whose masks lie beside it
    :param folder: of the photos
    :raises DatasetError: for a file that is missing, damaged, or names a photo that is not there
    """
    kind = path.suffix.lower()
    if kind == ".json":
        rows = _of_coco(path)
    elif kind in (".yaml", ".yml"):
        rows = _of_yaml(path)
    else:
        raise DatasetError(f"expected annotations in a .json or .yaml file, but got {path}")
    found = []
    for photo, about in rows:
        place = folder / photo
        if Path(photo).is_absolute() or ".." in Path(photo).parts or not place.is_file():
            raise DatasetError(f"expected {photo!r} of {path} in {folder}, but there is no such photo")
        found.append(PhotoObject(place, **about))
    if not found:
        raise DatasetError(f"expected objects in {path}, but there is none")
    return found


def _of_coco(path: Path) -> list[tuple[str, dict[str, Any]]]:
    about = read_json(path, _Coco, DatasetError, _COCO_REMEDY)
    photos = {one["id"]: one["file_name"] for one in about["images"]}
    names = {one["id"]: one["name"] for one in about["categories"]}
    rows = []
    for number, one in enumerate(about["annotations"]):
        if one.get("iscrowd"):
            continue  # a crowd is no object
        with damage_of(path, DatasetError, _REMEDY):
            if one["image_id"] not in photos or one["category_id"] not in names:
                raise ValueError(f"$.annotations[{number}]: expected an image and a category that the file has")
            if not one.get("segmentation") and "bbox" not in one:
                raise ValueError(f"$.annotations[{number}]: expected a bbox or a segmentation")
        left, top, width, height = one.get("bbox", (0.0,) * 4)
        region = one.get("segmentation") or None
        box = None if region else (left, top, left + width, top + height)
        rows.append((photos[one["image_id"]], {"name": names[one["category_id"]], "box": box, "region": region}))
    return rows


def _of_yaml(path: Path) -> list[tuple[str, dict[str, Any]]]:
    rows = []
    with damage_of(path, DatasetError, _REMEDY):
        content = check_json(load_yaml(read_file(path)), dict[str, Any])
        for photo, value in content.items():
            for one in value if isinstance(value, list) else [value]:
                try:
                    entry = check_json(one, _Entry)
                except ValueError as error:
                    raise ValueError(f"{photo}: {error}") from error
                given = [key for key in ("box", "point", "mask") if getattr(entry, key) is not None]
                if len(given) > 1:
                    raise ValueError(f"{photo}: expected one of box, point and mask, but got {' and '.join(given)}")
                region = None if entry.mask is None else path.parent / entry.mask
                rows.append((photo, {"name": entry.name, "box": entry.box, "point": entry.point, "region": region}))
    return rows


def _mask(region: Path | list[list[float]] | _Rle, height: int, width: int) -> NDArray[np.bool_]:
    """Return the pixels [H, W] of a region."""
    if isinstance(region, Path):
        mask = np.asarray(read_image(region, "L")) > 0
    elif isinstance(region, dict):
        counts = region["counts"]
        size = region["size"]
        if min(counts, default=0) < 0 or sum(counts) != size[0] * size[1]:
            raise ValueError("expected counts of RLE that sum to the pixels of its size")
        if tuple(size) != (height, width):  # before anything of that size is made
            raise ValueError(
                f"expected a mask of {width} x {height} pixels, as the photo, but got {size[1]} x {size[0]}"
            )
        mask = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(size[::-1]).T  # column by column
    else:
        image = Image.new("1", (width, height))
        for polygon in region:
            if len(polygon) < 6 or len(polygon) % 2 or not np.isfinite(polygon).all():
                raise ValueError("expected polygons of three points or more, [u1, v1, u2, v2, ...]")
            ImageDraw.Draw(image).polygon(polygon, fill=1)
        mask = np.asarray(image)
    if mask.shape != (height, width):
        raise ValueError(f"expected a mask of {width} x {height} pixels, as the photo, but got {mask.shape[::-1]}")
    return mask

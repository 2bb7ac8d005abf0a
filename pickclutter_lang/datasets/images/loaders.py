"""Loaders of the supported datasets, by name, in the layouts in which people hold them.

A loader of one's own is `module:attribute`, a function like `SETS` holds. torchvision's classes of these datasets are
not used: they keep paths and labels to themselves, and know neither class folders nor the authors' folders.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import (
    ArrayImages,
    ImageClass,
    ImageDataset,
    ImageFiles,
    check_class_names,
)
from pickclutter_lang.datasets.images.splits import FOLDERS, humanize, read_lines
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError, MissingExtraError
from pickclutter_lang.language.captions import object_caption
from pickclutter_lang.language.descriptions import load_descriptions
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.objects.catalog import CatalogObject, all_objects
from pickclutter_lang.objects.catalog_file import object_of_words
from pickclutter_lang.utils.json_files import Line, Prose, Text, read_json
from pickclutter_lang.utils.plugins import checked_result, is_plugin, resolve

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
CLASSES = "classes.json"
FLOWERS = tuple(
    """
pink primrose, hard-leaved pocket orchid, canterbury bells, sweet pea, english marigold, tiger lily, moon orchid, bird
of paradise, monkshood, globe thistle, snapdragon, colt's foot, king protea, spear thistle, yellow iris, globe-flower,
purple coneflower, peruvian lily, balloon flower, giant white arum lily, fire lily, pincushion flower, fritillary, red
ginger, grape hyacinth, corn poppy, prince of wales feathers, stemless gentian, artichoke, sweet william, carnation,
garden phlox, love in the mist, mexican aster, alpine sea holly, ruby-lipped cattleya, cape flower, great masterwort,
siam tulip, lenten rose, barbeton daisy, daffodil, sword lily, poinsettia, bolero deep blue, wallflower, marigold,
buttercup, oxeye daisy, common dandelion, petunia, wild pansy, primula, sunflower, pelargonium, bishop of llandaff,
gaura, geranium, orange dahlia, pink-yellow dahlia, cautleya spicata, japanese anemone, black-eyed susan, silverbush,
californian poppy, osteospermum, spring crocus, bearded iris, windflower, tree poppy, gazania, azalea, water lily,
rose, thorn apple, morning glory, passion flower, lotus, toad lily, anthurium, frangipani, clematis, hibiscus,
columbine, desert-rose, tree mallow, magnolia, cyclamen, watercress, canna lily, hippeastrum, bee balm, ball moss,
foxglove, bougainvillea, camellia, mallow, mexican petunia, bromelia, blanket flower, trumpet creeper, blackberry lily
""".replace("\n", " ")
    .strip()
    .split(", ")
)
"""Names of the classes 1 to 102 of Oxford 102 Flowers, whose own files have numbers alone."""
_FLOWER_CLASSES = tuple(ImageClass(name.replace(" ", "_"), name) for name in FLOWERS)
LabeledFile = tuple[Path, ImageClass]


@dataclass(frozen=True)
class LoadResult:
    """A dataset, and notes to print, one line each, such as files that are missing or unlisted."""

    data: ImageDataset
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedSet:
    """A published dataset: numbers of classes and images, the layout of its folder, and where to get it.

    `places` are folders below the root in which class folders may lie.
    """

    title: str
    num_classes: int
    num_images: int
    layout: str
    source: str
    places: tuple[str, ...]

    def missing(self, root: Path) -> MissingAssetsError:
        """Return the error for a folder that does not hold the dataset."""
        return MissingAssetsError(
            f"expected {self.title} in {root} ({self.layout}, a folder of images for each class, or such folders in "
            f"the authors' {', '.join(FOLDERS.values())}), but it is not there; get it from {self.source} (several "
            "official links are dead: look for a mirror)"
        )


BIRDS = PublishedSet(
    "CUB-200-2011", 200, 11788, "CUB_200_2011/images/<class>/*.jpg",
    "https://www.vision.caltech.edu/datasets/cub_200_2011", ("CUB_200_2011/images", "images"),
)  # fmt: skip
FOOD = PublishedSet(
    "Food-101", 101, 101000, "food-101/images/<class>/*.jpg",
    "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101", ("food-101/images", "images"),
)  # fmt: skip
FLOWER = PublishedSet(
    "Oxford 102 Flowers", 102, 8189, "jpg/*.jpg and imagelabels.mat",
    "https://www.robots.ox.ac.uk/~vgg/data/flowers/102", ("flowers-102",),
)  # fmt: skip
CARS = PublishedSet(
    "Stanford Cars (train)", 196, 8144, "cars_train/*.jpg and devkit/cars_train_annos.mat, cars_meta.mat",
    "https://ai.stanford.edu/~jkrause/cars/car_dataset.html", ("stanford_cars",),
)  # fmt: skip
SUN = PublishedSet(
    "SUN397", 397, 108754, "SUN397/<letter>/<class>/*.jpg",
    "https://vision.princeton.edu/projects/2010/SUN", ("SUN397",),
)  # fmt: skip
TIERED = PublishedSet(
    "tiered-ImageNet's train", 351, 448695, "train/<wnid>/*.JPEG",
    "https://www.image-net.org (the images), https://github.com/renmengye/few-shot-ssl-public (train.csv)", ("train",),
)  # fmt: skip


class _Named(TypedDict):
    folder: Text


class _Row(_Named, total=False):
    name: Text | None
    category: Line | None
    coarse: Line | None
    description: Prose | None


class _File(TypedDict):
    classes: list[_Row]


_CONTENT: Any = list[_Row] | _File


def load_set(config: ImageDataConfig) -> LoadResult:
    """Return the dataset that settings name.

    :raises InvalidArgumentError: for a name that is none, and what the set's own loader raises
    """
    if is_plugin(config.name):
        return checked_result(resolve(config.name, "data.name")(config), LoadResult, config.name, "data.name")
    if config.name not in SETS:
        raise InvalidArgumentError(
            f"expected data.name to be one of {', '.join(SETS)}, or a function of your own as module:attribute, but "
            f"got {config.name!r}"
        )
    return SETS[config.name](config)


def images_in(folder: Path, half: str | None = None) -> list[Path]:
    """Return the images of a class folder, in order.

    :param half: `first` or `second`: half of the images, in the order of the hashes (sha256) of their names. Both
        halves together are all images, and the first has one more where their number is odd
    :raises MissingAssetsError: when there are none
    """
    images = sorted(path for path in folder.iterdir() if _is_image(path))
    if half is not None:
        by_hash = sorted(images, key=lambda path: hashlib.sha256(path.name.encode()).digest())
        middle = (len(images) + 1) // 2
        images = sorted(by_hash[:middle] if half == "first" else by_hash[middle:])
    if not images:
        part = f"the {half} half of " if half else ""
        raise MissingAssetsError(
            f"expected images ({', '.join(IMAGE_EXTENSIONS)}) in {part}{folder}, but there are none"
        )
    return images


def from_files(
    config: ImageDataConfig,
    files: Sequence[LabeledFile],
    notes: Sequence[str] = (),
    spec: PublishedSet | None = None,
) -> LoadResult:
    """Load files with their classes, in this order; classes are in the order of their first image.

    :raises InvalidArgumentError: when two classes share a name, or two images an id
    :raises MissingAssetsError: for a file that is not there
    """
    class_index = {item: n for n, item in enumerate(dict.fromkeys(item for _, item in files))}
    ids = [f"{item.folder}/{path.name}" for path, item in files]
    images = ImageFiles([path for path, _ in files], ids, config.image_size, Path(config.cache))
    labels = np.array([class_index[item] for _, item in files], dtype=np.int64)
    here = len(class_index), len(files)
    if spec and here != (spec.num_classes, spec.num_images):
        notes = [
            *notes,
            f"{spec.title} has {spec.num_classes} classes and {spec.num_images} images, but here are {here[0]} and "
            f"{here[1]}; the full dataset is at {spec.source}",
        ]
    return LoadResult(ImageDataset(config.name, tuple(class_index), labels, images), tuple(notes))


def read_classes(root: Path, classes: Path | None = None) -> list[ImageClass]:
    """Return the classes of a folder of images, in the order of their folders.

    :param root: holds a folder of images for each class
    :param classes: a JSON list of `{"folder": ..., "name": ..., "category": ..., "description": ...}` (or an object
        with such a list as `classes`; `coarse` is read as `category`); all but `folder` may be left out. By default
        each class has the name of its folder
    :raises MissingAssetsError: when there are no class folders
    :raises InvalidArgumentError: when the file is not such a list, or two classes share a name
    """
    folders = [path.name for path in _subfolders(root)]
    if not folders:
        raise MissingAssetsError(f"expected a folder of images for each class in {root}, but there is none")
    rows = {row["folder"]: row for row in _read_rows(classes)} if classes else {}
    items = []
    for folder in folders:
        row = rows.get(folder, _Row(folder=folder))
        name = str(row.get("name") or re.sub(r"[-_]+", " ", folder))
        category, description = str(row.get("category") or row.get("coarse") or ""), str(row.get("description") or "")
        items.append(ImageClass(folder, name, description.strip(), category))
    check_class_names(items)
    return items


def default_classes(root: Path) -> Path | None:
    """Return the file of names in a folder or next to it, where there is one."""
    return next((place / CLASSES for place in (root, root.parent) if (place / CLASSES).is_file()), None)


def _read_rows(path: Path) -> list[_Row]:
    advice = "if that is another file, name the right one as data.classes"
    content: list[_Row] | _File = read_json(path, _CONTENT, InvalidArgumentError, advice)
    rows = content if isinstance(content, list) else content["classes"]
    if len({row["folder"] for row in rows}) < len(rows):
        raise InvalidArgumentError(f"expected each folder once in {path}, but one is there twice; {advice}")
    return rows


def _image_folder(config: ImageDataConfig) -> LoadResult:
    """Load a folder of images for each class, with a file of names and descriptions."""
    root = Path(config.root)
    names = Path(config.classes) if config.classes else default_classes(root)
    classes = read_classes(root, names)
    notes = []
    if names:
        there, listed = {item.folder for item in classes}, {row["folder"] for row in _read_rows(names)}
        for what, missing in (("have no folder of images", listed - there), ("are not in the file", there - listed)):
            notes += [f"{len(missing)} classes of {names} {what}, such as {min(missing)}"] if missing else []
    return _from_folders(config, {root / item.folder: item for item in classes}, None, notes)


def _published(spec: PublishedSet, config: ImageDataConfig) -> LoadResult:
    """Load class folders of a published dataset."""
    return _from_folders(config, _class_folders(_first_folder(Path(config.root), *spec.places), spec), spec)


def _flowers(config: ImageDataConfig) -> LoadResult:
    """Load the archives' `jpg/image_00001.jpg` ... and `imagelabels.mat`, or class folders, also called 1 to 102."""
    root = _first_folder(Path(config.root), *FLOWER.places)
    if not (root / "jpg").is_dir():
        numbers = {str(n): item for n, item in enumerate(_FLOWER_CLASSES, 1)}
        folders = {path: numbers.get(path.name, item) for path, item in _class_folders(root, FLOWER).items()}
        return _from_folders(config, folders, FLOWER)
    path = root / "imagelabels.mat"
    labels = np.atleast_1d(_read_mat(path, "labels"))
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not 1 <= labels.min() <= labels.max() <= len(FLOWERS):
        raise InvalidArgumentError(f"expected labels 1 to {len(FLOWERS)} in {path}")
    files = [(root / "jpg" / f"image_{n:05d}.jpg", _FLOWER_CLASSES[k - 1]) for n, k in enumerate(labels.tolist(), 1)]
    return _from_labels(config, files, _FLOWER_CLASSES, path, FLOWER)


def _cars(config: ImageDataConfig) -> LoadResult:
    """Load `cars_train` with the development kit's labels, or class folders; as the paper, no image of the test."""
    root = _first_folder(Path(config.root), *CARS.places)
    if not (root / "cars_train").is_dir():
        return _published(CARS, config)
    kit, images = _first_folder(root, "devkit"), _first_folder(root, "cars_train/cars_train", "cars_train")
    path = kit / "cars_train_annos.mat"
    names = [str(name) for name in np.atleast_1d(_read_mat(kit / "cars_meta.mat", "class_names"))]
    classes = [ImageClass(re.sub(r"[\s/]+", "_", name), name) for name in names]
    rows = np.atleast_1d(_read_mat(path, "annotations"))
    try:
        owners = {str(name): classes[int(n) - 1] for name, n in zip(rows["fname"], rows["class"], strict=True)}
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidArgumentError(f"expected `class` and `fname` of images in {path}: {error}") from error
    return _from_labels(config, [(images / file, owners[file]) for file in sorted(owners)], classes, path, CARS)


def _sun(config: ImageDataConfig) -> LoadResult:
    """Load folders of letters, where `a/apse/indoor` is the class folder `apse_indoor`, or class folders."""
    root = _first_folder(Path(config.root), *SUN.places)
    if _parts(root) != [root]:
        return _published(SUN, config)
    folders = {}
    for place, inner, files in sorted(os.walk(root)):
        inside = Path(place).relative_to(root).as_posix()
        # A folder without folders is a class even when it is empty, so that `images_in` can refuse it.
        if inside != "." and "/." not in f"/{inside}" and (not inner or any(_is_image(Path(name)) for name in files)):
            folder = re.sub(r"^\w/", "", inside).replace("/", "_")
            folders[Path(place)] = ImageClass(folder, humanize(folder))
    if not folders:
        raise SUN.missing(root)
    return _from_folders(config, folders, SUN)


def _tiered_imagenet(config: ImageDataConfig) -> LoadResult:
    """Load folders of wnids; of a full ImageNet those in `train.csv`, in `root` or in the folder of the lists.

    A class is called by its wnid until `label2text.txt` in the folder of the lists says more.

    :raises InvalidArgumentError: when there are too many classes and no `train.csv` to choose from them
    """
    root = Path(config.root)
    folders = _class_folders(root if (root / FOLDERS["id"]).is_dir() else _first_folder(root, *TIERED.places), TIERED)
    places = [root, *([Path(config.author_lists)] if config.author_lists else [])]
    listed = next((place / "train.csv" for place in places if (place / "train.csv").is_file()), None)
    if listed:
        chosen = {line.split(",")[0].strip() for line in read_lines(listed)}
        folders = {path: item for path, item in folders.items() if item.folder in chosen}
        if not folders:
            raise MissingAssetsError(f"expected folders of the classes in {listed}, such as {min(chosen)}, in {root}")
    elif len(folders) > TIERED.num_classes:
        raise InvalidArgumentError(
            f"expected the {TIERED.num_classes} classes of {TIERED.title} in {root}, but got {len(folders)}; put the "
            f"train.csv of its class split there, from {TIERED.source}"
        )
    return _from_folders(config, folders, TIERED)


def _object_views(config: ImageDataConfig) -> LoadResult:
    """Load views of single objects (`pickclutter render-object-views`); their captions are made of their attributes.

    Seen and unseen classes are those of the catalog; of its other objects, every second one is seen.

    :raises DatasetError: when there are no views of objects, or a folder is damaged
    :raises InvalidArgumentError: when the same views are there twice
    :raises UnknownObjectError: for an object that the catalog does not know
    """
    images, ids, objects, left_out, hashes = [], [], [], 0, set()
    for folder in (config.root, *config.extra_views):
        store = ObjectViewDataset.open(folder)
        if store.content_hash in hashes:
            raise InvalidArgumentError(f"expected other views in each folder, but those in {folder} are there twice")
        hashes.add(store.content_hash)
        models = [_object_of(row) for row in store.objects]
        views = [(row, item) for row, n in enumerate(store.object_index.tolist()) if (item := models[n]) is not None]
        left_out += len(store) - len(views)
        images.append(_resized(store.rgb[[row for row, _ in views]], config.image_size))
        objects += [item for _, item in views]
        ids += [f"{item.model_id}/{store.content_hash[:8]}-{row:05d}" for row, item in views]
    if not objects:
        raise DatasetError(f"expected views of objects of the catalog in {config.root}, but there are none")
    order = {item: n for n, item in enumerate(all_objects())}
    classes = sorted(dict.fromkeys(objects), key=lambda item: order.get(item, len(order)))  # one's own come last
    place = {item: n for n, item in enumerate(classes)}
    blind = load_descriptions("blind").texts  # the catalog's own sentences on scans had images of them
    texts = {item: blind.get(item.name, "" if item in order else item.description) for item in classes}
    content = hashlib.sha256("\n".join([*sorted(hashes), *ids]).encode()).hexdigest()
    is_seen = [item.split == "id" or item.model_id in _seen_extras() for item in classes]
    data = ImageDataset(
        config.name,
        tuple(ImageClass(item.model_id, item.name, texts[item], item.category) for item in classes),
        np.array([place[item] for item in objects], dtype=np.int64),
        ArrayImages(ids, np.concatenate(images), content),
        {
            name: object_caption(attributes_of(item), np.random.default_rng(row)).text
            for row, (name, item) in enumerate(zip(ids, objects, strict=True))
        },
        (tuple(n for n, seen in enumerate(is_seen) if seen), tuple(n for n, seen in enumerate(is_seen) if not seen)),
    )
    return LoadResult(data, (f"{left_out} views of objects outside the catalog are left out",) if left_out else ())


def _object_of(row: Mapping[str, Any]) -> CatalogObject | None:
    """Return the object of the catalog, or of one's own, that a row of the views' list is about."""
    if "own" in row:
        return object_of_words(row)
    return all_objects().find(str(row["model_id"])) if "model_id" in row else None


def _resized(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if rgb.shape[1] == side:
        return rgb
    images = [Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR) for image in rgb]
    return np.array([np.asarray(image) for image in images], dtype=np.uint8).reshape(-1, side, side, 3)


@lru_cache(maxsize=1)
def _seen_extras() -> frozenset[str]:
    """Return every second of the objects that are neither in Y_id nor in Y_ood."""
    return frozenset([item.model_id for item in all_objects() if item.split == "none"][::2])


def _from_folders(
    config: ImageDataConfig, folders: Mapping[Path, ImageClass], spec: PublishedSet | None, notes: Sequence[str] = ()
) -> LoadResult:
    files = [(path, item) for folder, item in folders.items() for path in images_in(folder, config.half)]
    return from_files(config, files, notes, spec)


def _from_labels(
    config: ImageDataConfig,
    files: Sequence[LabeledFile],
    classes: Sequence[ImageClass],
    where: Path,
    spec: PublishedSet,
) -> LoadResult:
    """Load the files of a label file, class after class.

    :param where: the label file
    :raises MissingAssetsError: when some are not there, unless that is allowed, or none is
    """
    there, absent = ([row for row in files if row[0].is_file() is wanted] for wanted in (True, False))
    if absent and not (there and config.allow_missing):
        raise MissingAssetsError(
            f"expected the {len(files)} images that {where} names, but {len(absent)} are not there, such as "
            f"{absent[0][0]}; complete them, or skip them with data.allow_missing=true"
        )
    notes = [f"{len(absent)} images that {where} names are not there, such as {absent[0][0]}"] if absent else []
    order = {item: n for n, item in enumerate(classes)}
    return from_files(config, sorted(there, key=lambda row: order[row[1]]), notes, spec)


def _class_folders(root: Path, spec: PublishedSet) -> dict[Path, ImageClass]:
    """Return the class folders of a published dataset, in its folder or in the authors' parts, by their names."""
    folders = sorted((path for part in _parts(root) for path in _subfolders(part)), key=lambda path: path.name)
    if not any(_is_image(path) for folder in folders for path in folder.iterdir()):
        raise spec.missing(root)
    return {folder: ImageClass(folder.name, humanize(folder.name)) for folder in folders}


def _parts(root: Path) -> list[Path]:
    """Return the authors' `train`, `val_on_train` and `val` in a folder, or the folder itself."""
    parts = [root / part for part in FOLDERS.values() if (root / part).is_dir()]
    if len(parts) == len(FOLDERS) - 1:
        raise MissingAssetsError(f"expected all of the authors' {', '.join(FOLDERS.values())} in {root}, but one lacks")
    return parts if len(parts) == len(FOLDERS) else [root]


def _subfolders(root: Path) -> list[Path]:
    """Return the folders in a folder, in order, without hidden ones; none where there is no folder."""
    if not root.is_dir():
        return []
    shown = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    broken = [path for path in shown if not path.exists()]
    if broken:
        raise MissingAssetsError(f"expected links to folders, but {str(broken[0])!a} leads nowhere; mend or remove it")
    return [path for path in shown if path.is_dir()]


def _first_folder(root: Path, *candidates: str) -> Path:
    """Return the first candidate below a root that is a folder; the root itself where none is."""
    return next((root / name for name in candidates if (root / name).is_dir()), root)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_EXTENSIONS and not path.name.startswith(".")


def _read_mat(path: Path, key: str) -> Any:
    """Return a variable of a MATLAB file, without dimensions of length 1."""
    try:
        from scipy.io.matlab import MatReadError, loadmat
    except ImportError as error:
        raise MissingExtraError("scipy", "sim") from error
    try:
        return loadmat(str(path), squeeze_me=True)[key]
    except FileNotFoundError as error:
        raise MissingAssetsError(f"expected the file {path}, but it is not there") from error
    except (MatReadError, OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise InvalidArgumentError(f"expected a MATLAB file with {key!r} at {path}, but: {error}") from error


Loader = Callable[[ImageDataConfig], LoadResult]
SETS: dict[str, Loader] = {
    "caltech_birds": partial(_published, BIRDS),
    "flower102": _flowers,
    "food101": partial(_published, FOOD),
    "image_folder": _image_folder,
    "object_views": _object_views,
    "stanford_cars": _cars,
    "sun397": _sun,
    "tiered_imagenet": _tiered_imagenet,
}
"""Name of a dataset -> its loader."""

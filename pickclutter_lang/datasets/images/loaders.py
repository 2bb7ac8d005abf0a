"""Readers of the supported datasets, by name, in the layouts in which people hold them.

A reader of one's own is `module:attribute`, a function like `SETS` holds. torchvision's classes of these datasets are
not used: they keep paths and labels to themselves, and know neither class folders nor the authors' folders.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.images.config import IMAGE_CACHE, ImageDataConfig
from pickclutter_lang.datasets.images.dataset import (
    ArrayImages,
    ImageClass,
    ImageDataset,
    ImageFiles,
)
from pickclutter_lang.datasets.images.splits import FOLDERS, humanize, read_lines
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError
from pickclutter_lang.language.captions import object_caption
from pickclutter_lang.language.descriptions import read_descriptions
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.objects.catalog import all_objects
from pickclutter_lang.objects.catalog_file import object_of_words
from pickclutter_lang.utils.images import IMAGE_SUFFIXES, image_files, is_image
from pickclutter_lang.utils.plugins import checked_result, is_plugin, resolve
from pickclutter_lang.utils.reading import Line, Prose, Text, read_json
from pickclutter_lang.utils.validation import one_of

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
"""Names of the classes 1 to 102 of Oxford 102 Flowers, whose own files have only numbers."""
_FLOWER_CLASSES = tuple(ImageClass(name.replace(" ", "_"), name) for name in FLOWERS)
LabeledFile = tuple[Path, ImageClass]


class _Named(TypedDict):
    folder: Text


class _Row(_Named, total=False):
    name: Text | None
    category: Line | None
    coarse: Line | None
    description: Prose | None


class _File(TypedDict):
    classes: list[_Row]


def load_set(config: ImageDataConfig) -> ImageDataset:
    """Return the dataset that settings name.

    :raises InvalidArgumentError: for a name that is none, and what the set's own reader raises
    """
    if is_plugin(config.name):
        return checked_result(resolve(config.name, "data.name")(config), ImageDataset, config.name, "data.name")
    one_of("data.name (a dataset, or a function of your own as module:attribute)", config.name, [*SETS])
    return SETS[config.name](config)


def from_files(config: ImageDataConfig, files: Sequence[LabeledFile]) -> ImageDataset:
    """Return the dataset of files with their classes, in this order; classes are in the order of their first image.

    :raises InvalidArgumentError: when two classes share a name, or two images an id
    :raises MissingAssetsError: for a file that is not there
    """
    class_index = {item: n for n, item in enumerate(dict.fromkeys(item for _, item in files))}
    ids = [f"{item.folder}/{path.name}" for path, item in files]
    images = ImageFiles([path for path, _ in files], ids, config.image_size, Path(config.cache or IMAGE_CACHE))
    labels = np.array([class_index[item] for _, item in files], dtype=np.int64)
    return ImageDataset(config.name, tuple(class_index), labels, images)


def _image_folder(config: ImageDataConfig) -> ImageDataset:
    """Read a folder of images for each class, in the order of the folders, with a file of names and descriptions.

    That is a JSON list of `{"folder": ..., "name": ..., "category": ..., "description": ...}` (or an object with such a
    list as `classes`; `coarse` is read as `category`); all but `folder` may be left out. By default each class has the
    name of its folder.

    :raises MissingAssetsError: when there are no class folders
    :raises InvalidArgumentError: when the file is not such a list, or two classes share a name
    """
    root = Path(config.root)
    beside = (place / CLASSES for place in (root, root.parent) if (place / CLASSES).is_file())
    names = Path(config.classes) if config.classes else next(beside, None)
    rows = _read_rows(names) if names else {}
    classes = {}
    for path in _subfolders(root):
        row = rows.get(path.name, _Row(folder=path.name))
        name = str(row.get("name") or re.sub(r"[-_]+", " ", path.name))
        category = str(row.get("category") or row.get("coarse") or "")
        description = str(row.get("description") or "")
        classes[path] = ImageClass(path.name, name, description.strip(), category)
    if not classes:
        raise MissingAssetsError(f"expected a folder of images for each class in {root}, but there is none")
    data = from_files(config, _files_of(classes, config.half))
    differ = sorted({path.name for path in classes} ^ {*rows}) if names else []
    if not differ:
        return data
    return replace(data, notes=(f"{len(differ)} classes have a folder or are in {names}, not both: {differ[:3]}",))


def _read_rows(path: Path) -> dict[str, _Row]:
    kind: Any = list[_Row] | _File
    advice = "if that is another file, name the right one as data.classes"
    content: list[_Row] | _File = read_json(path, kind, InvalidArgumentError, advice)
    return {row["folder"]: row for row in (content if isinstance(content, list) else content["classes"])}


class PublishedSet(NamedTuple):
    """A published dataset: numbers of classes and images, the layout of its folder, and where to get it.

    `places` are folders below the root in which class folders may lie. `read` returns the files of such a folder.
    """

    title: str
    num_classes: int
    num_images: int
    layout: str
    source: str
    places: tuple[str, ...]
    read: Callable[[ImageDataConfig, Path, PublishedSet], Sequence[LabeledFile]]


def _published(spec: PublishedSet, config: ImageDataConfig) -> ImageDataset:
    """Read a published dataset, and note where its numbers of classes and images are others."""
    root = Path(config.root)
    if not (root / FOLDERS["id"]).is_dir():
        root = _first_folder(root, *spec.places)
    data = from_files(config, spec.read(config, root, spec))
    here = (len(data.classes), len(data.labels))
    whole = (spec.num_classes, spec.num_images)
    counts = f"{spec.title} has {whole[0]} classes and {whole[1]} images, but here are {here[0]} and {here[1]}"
    return data if here == whole else replace(data, notes=(f"{counts}; the full dataset is at {spec.source}",))


def _class_folders(config: ImageDataConfig, root: Path, spec: PublishedSet) -> dict[Path, ImageClass]:
    """Return the class folders of a published dataset, in its folder or in the authors' parts, by their names."""
    folders = sorted((path for part in _parts(root) for path in _subfolders(part)), key=lambda path: path.name)
    if not any(is_image(path) for folder in folders for path in folder.iterdir()):
        raise MissingAssetsError(
            f"expected {spec.title} in {config.root} ({spec.layout}, or a folder of images for each class), but it is "
            f"not there; get it from {spec.source} (several official links are dead: look for a mirror)"
        )
    return {folder: ImageClass(folder.name, humanize(folder.name)) for folder in folders}


def _plain(config: ImageDataConfig, root: Path, spec: PublishedSet) -> Sequence[LabeledFile]:
    """Read class folders."""
    return _files_of(_class_folders(config, root, spec))


def _flowers(config: ImageDataConfig, root: Path, spec: PublishedSet) -> Sequence[LabeledFile]:
    """Read the archives' `jpg/image_00001.jpg` ... and `imagelabels.mat`, or class folders, also called 1 to 102."""
    if not (root / "jpg").is_dir():
        numbers = {str(n): item for n, item in enumerate(_FLOWER_CLASSES, 1)}
        folders = _class_folders(config, root, spec)
        return _files_of({path: numbers.get(path.name, item) for path, item in folders.items()})
    path = root / "imagelabels.mat"
    labels = np.atleast_1d(_read_mat(path, "labels"))
    if labels.dtype.kind not in "iu" or not 1 <= labels.min() <= labels.max() <= len(FLOWERS):
        raise InvalidArgumentError(f"expected labels 1 to {len(FLOWERS)} in {path}")
    files = [(root / "jpg" / f"image_{n:05d}.jpg", _FLOWER_CLASSES[k - 1]) for n, k in enumerate(labels.tolist(), 1)]
    return sorted(files, key=lambda row: _FLOWER_CLASSES.index(row[1]))


def _cars(config: ImageDataConfig, root: Path, spec: PublishedSet) -> Sequence[LabeledFile]:
    """Read `cars_train` with the development kit's labels, or class folders; as the paper, no image of the test."""
    if not (root / "cars_train").is_dir():
        return _plain(config, root, spec)
    kit = _first_folder(root, "devkit")
    images = _first_folder(root, "cars_train/cars_train", "cars_train")
    names = [str(name) for name in np.atleast_1d(_read_mat(kit / "cars_meta.mat", "class_names"))]
    classes = [ImageClass(re.sub(r"[\s/]+", "_", name), name) for name in names]
    path = kit / "cars_train_annos.mat"
    rows = np.atleast_1d(_read_mat(path, "annotations"))
    try:
        numbers = {str(name): int(n) - 1 for name, n in zip(rows["fname"], rows["class"], strict=True)}
        return [(images / file, classes[n]) for file, n in sorted(numbers.items(), key=lambda row: (row[1], row[0]))]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidArgumentError(f"expected `class` and `fname` of images in {path}: {error}") from error


def _sun(config: ImageDataConfig, root: Path, spec: PublishedSet) -> Sequence[LabeledFile]:
    """Read folders of letters, where `a/apse/indoor` is the class folder `apse_indoor`, or class folders."""
    folders = {}
    for place, inner, files in sorted(os.walk(root)) if _parts(root) == [root] else ():
        inside = Path(place).relative_to(root).as_posix()
        # A folder without folders is a class even when it is empty, so that it is refused.
        if inside != "." and "/." not in f"/{inside}" and (not inner or any(is_image(Path(name)) for name in files)):
            folder = re.sub(r"^\w/", "", inside).replace("/", "_")
            folders[Path(place)] = ImageClass(folder, humanize(folder))
    return _files_of(folders or _class_folders(config, root, spec))


def _tiered_imagenet(config: ImageDataConfig, root: Path, spec: PublishedSet) -> Sequence[LabeledFile]:
    """Read folders of wnids; of a full ImageNet those in `train.csv`, in `root` or in the folder of the lists.

    A class is called by its wnid until `label2text.txt` in the folder of the lists says more.
    """
    folders = _class_folders(config, root, spec)
    places = [Path(place) for place in (config.root, config.author_lists) if place]
    listed = next((place / "train.csv" for place in places if (place / "train.csv").is_file()), None)
    if listed:
        chosen = {line.split(",")[0].strip() for line in read_lines(listed)}
        folders = {path: item for path, item in folders.items() if item.folder in chosen}
    if not 0 < len(folders) <= spec.num_classes:
        raise InvalidArgumentError(
            f"expected the {spec.num_classes} classes of {spec.title} in {root}, but got {len(folders)}; put the "
            f"train.csv of its class split there, from {spec.source}"
        )
    return _files_of(folders)


def _object_views(config: ImageDataConfig) -> ImageDataset:
    """Read views of single objects (`pickclutter render-object-views`); their captions are made of their attributes.

    Seen and unseen classes are those of the catalog; of its other objects, every second one is seen.

    :raises DatasetError: when there are no views of objects, or a folder is damaged
    :raises InvalidArgumentError: when the same views are there twice
    """
    images = []
    ids = []
    objects = []
    left_out = 0
    hashes = []
    for folder in (config.root, *config.extra_views):
        store = ObjectViewDataset.open(folder)
        hashes.append(store.content_hash)
        models = [object_of_words(row) for row in store.objects]
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
    blind = read_descriptions("blind").texts  # the catalog's own sentences on scans had images of them
    texts = {item: blind.get(item.name, "" if item in order else item.description) for item in classes}
    content = hashlib.sha256("\n".join([*sorted(hashes), *ids]).encode()).hexdigest()
    extras = [item for item in all_objects() if item.split == "none"][::2]
    is_seen = [item.split == "id" or item in extras for item in classes]
    notes = [f"{left_out} views of objects outside the catalog are left out"] if left_out else []
    return ImageDataset(
        config.name,
        tuple(ImageClass(item.model_id, item.name, texts[item], item.category) for item in classes),
        np.array([place[item] for item in objects], dtype=np.int64),
        ArrayImages(ids, np.concatenate(images), content),
        {
            name: object_caption(attributes_of(item), np.random.default_rng(row)).text
            for row, (name, item) in enumerate(zip(ids, objects, strict=True))
        },
        (tuple(n for n, seen in enumerate(is_seen) if seen), tuple(n for n, seen in enumerate(is_seen) if not seen)),
        tuple(notes),
    )


def _resized(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if rgb.shape[1] == side:
        return rgb
    images = [Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR) for image in rgb]
    return np.array([np.asarray(image) for image in images], dtype=np.uint8).reshape(-1, side, side, 3)


def _files_of(folders: Mapping[Path, ImageClass], half: str | None = None) -> list[LabeledFile]:
    """Return the images of class folders, in order, with their classes.

    :param half: `first` or `second`: half of the images of each, in the order of the hashes (sha256) of their names.
        Both halves together are all images, and the first has one more where their number is odd
    :raises MissingAssetsError: naming a folder without images
    """
    files: list[LabeledFile] = []
    for folder, item in folders.items():
        images = image_files(folder)
        if half is not None:
            by_hash = sorted(images, key=lambda path: hashlib.sha256(path.name.encode()).digest())
            middle = (len(images) + 1) // 2
            images = sorted(by_hash[:middle] if half == "first" else by_hash[middle:])
        if not images:
            raise MissingAssetsError(f"expected images ({', '.join(IMAGE_SUFFIXES)}) in {folder}, but there are none")
        files += [(path, item) for path in images]
    return files


def _parts(root: Path) -> list[Path]:
    """Return the authors' `train`, `val_on_train` and `val` in a folder, or the folder itself."""
    parts = [root / part for part in FOLDERS.values()]
    return parts if all(part.is_dir() for part in parts) else [root]


def _subfolders(root: Path) -> list[Path]:
    """Return the folders in a folder, and links that lead nowhere, in order, without hidden ones; none of no folder."""
    paths = sorted(root.iterdir()) if root.is_dir() else []
    return [path for path in paths if not path.name.startswith(".") and (path.is_dir() or not path.exists())]


def _first_folder(root: Path, *candidates: str) -> Path:
    """Return the first candidate below a root that is a folder; the root itself where none is."""
    return next((root / name for name in candidates if (root / name).is_dir()), root)


def _read_mat(path: Path, key: str) -> Any:
    """Return a variable of a MATLAB file, without dimensions of length 1."""
    from scipy.io.matlab import MatReadError, loadmat

    try:
        return loadmat(str(path), squeeze_me=True)[key]
    except (MatReadError, OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise InvalidArgumentError(f"expected a MATLAB file with {key!r} at {path}, but: {error}") from error


PUBLISHED = {
    "caltech_birds": PublishedSet(
        "CUB-200-2011", 200, 11788, "CUB_200_2011/images/<class>/*.jpg",
        "https://www.vision.caltech.edu/datasets/cub_200_2011", ("CUB_200_2011/images", "images"), _plain,
    ),
    "flower102": PublishedSet(
        "Oxford 102 Flowers", 102, 8189, "jpg/*.jpg and imagelabels.mat",
        "https://www.robots.ox.ac.uk/~vgg/data/flowers/102", ("flowers-102",), _flowers,
    ),
    "food101": PublishedSet(
        "Food-101", 101, 101000, "food-101/images/<class>/*.jpg",
        "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101", ("food-101/images", "images"), _plain,
    ),
    "stanford_cars": PublishedSet(
        "Stanford Cars (train)", 196, 8144, "cars_train/*.jpg and devkit/cars_train_annos.mat, cars_meta.mat",
        "https://ai.stanford.edu/~jkrause/cars/car_dataset.html", ("stanford_cars",), _cars,
    ),
    "sun397": PublishedSet(
        "SUN397", 397, 108754, "SUN397/<letter>/<class>/*.jpg",
        "https://vision.princeton.edu/projects/2010/SUN", ("SUN397",), _sun,
    ),
    "tiered_imagenet": PublishedSet(
        "tiered-ImageNet's train", 351, 448695, "train/<wnid>/*.JPEG",
        "https://www.image-net.org (the images), https://github.com/renmengye/few-shot-ssl-public (train.csv)",
        ("train",), _tiered_imagenet,
    ),
}  # fmt: skip
"""Name of a published dataset -> its layout and its reader."""
SETS: Mapping[str, Callable[[ImageDataConfig], ImageDataset]] = {
    **{name: partial(_published, spec) for name, spec in PUBLISHED.items()},
    "image_folder": _image_folder,
    "object_views": _object_views,
}
"""Name of a dataset -> its reader."""

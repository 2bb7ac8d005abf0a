"""Oxford 102 Flowers: `jpg/image_00001.jpg` ... with `imagelabels.mat`; torchvision's in a folder `flowers-102`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageClass
from pickclutter_lang.datasets.images.loaders.dataset_spec import (
    DatasetSpec,
    LoadResult,
    existing_files,
    first_folder,
    from_files,
    from_folders,
    named_folders,
)
from pickclutter_lang.datasets.images.loaders.matlab import read_mat
from pickclutter_lang.errors import InvalidArgumentError

SPEC = DatasetSpec(
    "Oxford 102 Flowers",
    102,
    8189,
    "jpg/*.jpg and imagelabels.mat",
    "https://www.robots.ox.ac.uk/~vgg/data/flowers/102",
)
LABELS = "imagelabels.mat"
# The dataset's own files number the classes; these are the names of 1 to 102.
NAMES = tuple(
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
_CLASSES = tuple(ImageClass(name.replace(" ", "_"), name) for name in NAMES)


def load(config: ImageDataConfig) -> LoadResult:
    """Load the original archives' layout or plain class folders, which may be called 1 to 102.

    :raises InvalidArgumentError: when the labels are damaged
    """
    root = first_folder(Path(config.root), "flowers-102")
    if not (root / "jpg").is_dir():
        folders, notes = named_folders(root, SPEC)
        numbered = {path: _numbered(item) for path, item in folders.items()}
        loaded = from_folders(config, numbered, SPEC)
        return LoadResult(loaded.data, (*notes, *loaded.notes))
    labels = np.atleast_1d(read_mat(root / LABELS, "labels"))
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not 1 <= labels.min() <= labels.max() <= len(_CLASSES):
        raise InvalidArgumentError(f"expected labels 1 to {len(_CLASSES)} in {root / LABELS}")
    files = [(root / "jpg" / f"image_{n:05d}.jpg", _CLASSES[label - 1]) for n, label in enumerate(labels.tolist(), 1)]
    found, notes = existing_files(files, config, root / LABELS)
    return from_files(config, sorted(found, key=lambda row: _CLASSES.index(row[1])), notes, SPEC)


def _numbered(item: ImageClass) -> ImageClass:
    """Return the class with a folder's number; for another folder, the class as it is."""
    number = int(item.folder) if item.folder.isdecimal() else 0
    return _CLASSES[number - 1] if 1 <= number <= len(_CLASSES) else item

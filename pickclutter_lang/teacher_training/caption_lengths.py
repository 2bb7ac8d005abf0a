"""Lengths of the captions of one's own classes and objects, which are checked before the training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, object_of_words
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.folder_batches import read_classes
from pickclutter_lang.teachers.open_clip_teacher import count_tokens
from pickclutter_lang.teachers.pocket import POCKET_CONFIG
from pickclutter_lang.utils.words import with_article

_CONTEXT_LENGTH = int(POCKET_CONFIG["model_cfg"]["text_cfg"]["context_length"])
# The longest captions of a word, of a sentence about a class of images, and of the description of an object in a scene.
_OF_WORD, _OF_CLASS = "an image of {a} on a table", "a photo of {bare} . {sentence}"
_OF_OBJECT = "a picture of a table without {a} . {sentence}"


def check_captions(config: TeacherTrainConfig) -> None:
    """Check that the text encoder can read what is said of each class of images, and of each object of one's own.

    A caption that joins the words of several objects may be longer: `TrainablePocketTeacher.encode_texts` cuts it.

    :raises InvalidArgumentError: naming the class or object, the text, and the file to shorten it in
    """
    for folder in filter(None, (config.images, config.unseen_images)):
        where = config.classes or f"the name of its folder in {folder}"
        for item in read_classes(Path(folder), Path(config.classes) if config.classes else None):
            name, category = item.attributes.name, item.attributes.category
            _check(name, (name, category), item.sentences, _OF_CLASS, where)
    for folder in config.scenes:
        _check_objects([entry.catalog_object() for entry in SceneStore.open(folder).own_catalog or ()], folder)
    for folder in (*config.views, *config.unseen_views):
        rows = ObjectViewDataset.open(folder).objects
        _check_objects([object_of_words(row) for row in rows if "own" in row], folder)


def _check_objects(objects: Sequence[CatalogObject], folder: str) -> None:
    for item in objects:
        words = (item.name, *item.synonyms, item.category, *item.colors, item.shape, item.material, item.function)
        _check(item.name, words, (item.description,), _OF_OBJECT, f"its {CATALOG_FILE}, and make {folder} again")


def _check(name: str, words: Sequence[str], sentences: Sequence[str], template: str, where: str) -> None:
    captions = {word: _OF_WORD.format(a=with_article(word)) for word in words if word}
    captions |= {text: template.format(a=with_article(name), bare=name, sentence=text) for text in sentences if text}
    for text, count in zip(captions, count_tokens([*captions.values()], _CONTEXT_LENGTH), strict=True):
        if count > _CONTEXT_LENGTH:
            raise InvalidArgumentError(
                f"expected texts whose captions have at most {_CONTEXT_LENGTH} tokens, but one of {name!r} has a "
                f"caption of {count}: {text!r}; shorten it in {where}"
            )

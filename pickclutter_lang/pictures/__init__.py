"""Pictures with classes, a folder or archive of them on disk: data sets, splits, decoding."""

from pickclutter_lang.pictures.labelled import ImageClass, LabelledPictures
from pickclutter_lang.pictures.lists import ListReport, read_lists
from pickclutter_lang.pictures.opening import open_pictures
from pickclutter_lang.pictures.pictures import ArrayPictures, FilePictures, Pictures
from pickclutter_lang.pictures.settings import PictureSettings
from pickclutter_lang.pictures.splits import Split, limited, seeded_split
from pickclutter_lang.pictures.texts import read_texts

__all__ = [
    "ArrayPictures",
    "FilePictures",
    "ImageClass",
    "LabelledPictures",
    "ListReport",
    "PictureSettings",
    "Pictures",
    "Split",
    "limited",
    "open_pictures",
    "read_lists",
    "read_texts",
    "seeded_split",
]

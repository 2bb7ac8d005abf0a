"""Attributes of objects as tags (`color:red`), from a catalog or from the words of an instance of a kind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pickclutter_lang.kinds.materials import UNSAID_MATERIAL
from pickclutter_lang.objects.catalog import CatalogObject, all_objects
from pickclutter_lang.utils.words import plurals_of

# Words that one word implies: a sphere is round, steel is metal.
_IMPLIED = {
    "shape": {
        "flat rectangular": ("flat", "rectangular"),
        "long and thin": ("long", "thin"),
        "cube-shaped": ("cube", "cubic", "box-shaped"),
        "rectangular": ("box", "box-shaped"),
        "spherical": ("round", "ball"),
        "cylindrical": ("cylinder",),
        "conical": ("cone",),
        "hemispherical": ("round", "bowl"),
        "cup-shaped": ("cup",),
    },
    "material": {
        "plastic and steel": ("plastic", "steel", "metal"),
        "wood and steel": ("wood", "wooden", "steel", "metal"),
        "hard plastic": ("plastic",),
        "wood": ("wooden",),
        "steel": ("metal",),
    },
}
_SHAPE_OF_CATEGORY = {"bottle": "bottle", "box": "box", "ball": "ball", "can": "cylinder", "cup": "cup"}
# Materials that nobody would name in a caption.
_UNNAMED_MATERIALS = ("fruit flesh", UNSAID_MATERIAL)
_SMALL, _LARGE = 0.06, 0.16


@dataclass(frozen=True)
class ObjectAttributes:
    """The words that captions may use of an object; an empty word is not used.

    `tags` are `attribute:word` pairs and hold everything that is true of it, implied words included. `features` are
    phrases such as "with a handle".
    """

    tags: frozenset[str]
    name: str
    synonyms: tuple[str, ...] = ()
    description: str = ""
    category: str = ""
    colors: tuple[str, ...] = ()
    shape: str = ""
    material: str = ""
    use: str = ""
    size: str = ""
    pattern: str = ""
    features: tuple[str, ...] = ()


def attributes_of(item: CatalogObject) -> ObjectAttributes:
    """Return the attributes of an object of a catalog; its size word follows from the extent of the scaled mesh."""
    longest = item.scale * max(item.size)
    return _tagged(
        ObjectAttributes(
            frozenset(),
            name=item.name,
            synonyms=item.synonyms,
            description=item.description,
            category=item.category,
            colors=item.colors,
            shape=item.shape,
            material="" if item.material in _UNNAMED_MATERIALS else item.material,
            use=item.function,
            size="small" if 0 < longest < _SMALL else "large" if longest > _LARGE else "",
        )
    )


def attributes_of_instance(words: Mapping[str, Any]) -> ObjectAttributes:
    """Return the attributes of an instance of a kind; every hypernym is a category, every feature a tag.

    Its size is left out: an image of a single object does not show it. So is a description of the kind that names a
    part which the instance lacks, "with a handle".

    :param words: those of `Kind.words`
    """
    instance = _tagged(
        ObjectAttributes(
            frozenset(),
            name=words["kind"],
            synonyms=tuple(words["synonyms"]),
            description="" if _names_lacking_part(words["description"], words["features"]) else words["description"],
            category=words["hypernyms"][0],
            colors=tuple(words["colors"]),
            shape=words["shape"],
            material="" if words["material"] in _UNNAMED_MATERIALS else words["material"],
            use=words["function"],
            pattern=words["pattern"],
            features=tuple(words["features"]),
        )
    )
    of_kind = {f"category:{hypernym}" for hypernym in words["hypernyms"]} | {f"feature:{f}" for f in words["features"]}
    return replace(instance, tags=instance.tags | of_kind)


def _names_lacking_part(description: str, features: Sequence[str]) -> bool:
    said = set(re.findall("[a-z]+", re.sub(r"\bwithout (?:an? )?\w+", "", description.lower())))
    parts = {feature.split()[-1] for feature in features if feature.startswith("without ")}
    forms = {part: {part, *plurals_of(part)} for part in parts | said}
    return any(part in forms[word] or word in forms[part] for part in parts for word in said)


def _tagged(item: ObjectAttributes) -> ObjectAttributes:
    """Return an object with the tags of its words, and of those that they imply."""
    tags = {f"name:{item.name}"} | {f"color:{color}" for color in item.colors}
    for attribute_type in ("category", "shape", "material", "use", "size", "pattern"):
        word = getattr(item, attribute_type)
        words = (word, *_IMPLIED.get(attribute_type, {}).get(word, ())) if word else ()
        tags.update(f"{attribute_type}:{one}" for one in words)
    if item.category in _SHAPE_OF_CATEGORY:
        tags.add(f"shape:{_SHAPE_OF_CATEGORY[item.category]}")
    if item.category == "cup":
        tags.add("category:tableware")
    return replace(item, tags=frozenset(tags))


@lru_cache(maxsize=1024)
def noun_tags(noun: str, name: str, own: tuple[CatalogObject, ...] = ()) -> frozenset[str]:
    """Return what a noun for the object `name` asserts.

    A synonym that only joins a color or size with a category ("yellow fruit") is as true of any other object with
    both; every other noun means the object itself.

    :param own: objects of one's own, whose colors and categories count beside those of the package's
    """
    attributes: dict[str, str] = {}
    for item in (*all_objects(), *own):
        attributes[item.category] = f"category:{item.category}"
        attributes.update({color: f"color:{color}" for color in item.colors})
    attributes.update({size: f"size:{size}" for size in ("small", "large")})
    words = noun.split()
    if noun != name and len(words) > 1 and all(map(attributes.get, words)):
        return frozenset(attributes[word] for word in words)
    return frozenset({f"name:{name}"})

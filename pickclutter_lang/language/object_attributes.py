"""Attributes of objects as tags (`color:red`), from the catalog or from a procedural object's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pickclutter_lang.objects.catalog import CatalogObject, all_objects
from pickclutter_lang.objects.kinds.materials import UNSAID_MATERIAL
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
        "ball": ("spherical", "round"),
        "egg": ("oval",),
        "box": ("rectangular", "box-shaped"),
        "cube": ("cube-shaped", "cubic", "box-shaped"),
        "cylinder": ("cylindrical",),
        "cone": ("conical",),
        "rod": ("long and thin", "long", "thin"),
        "bowl": ("hemispherical", "round"),
        "cup-shaped": ("cup",),
        "cup": ("cup-shaped",),
        "t-shape": ("t-shaped",),
    },
    "material": {
        "plastic and steel": ("plastic", "steel", "metal"),
        "wood and steel": ("wood", "wooden", "steel", "metal"),
        "hard plastic": ("plastic",),
        "wood": ("wooden",),
        "steel": ("metal",),
    },
}
# Shapes that categories imply, and categories of random objects, of which a shape is all that is known: a cucumber is
# cylindrical and no can.
_SHAPE_OF_CATEGORY = {"bottle": "bottle", "box": "box", "ball": "ball", "can": "cylinder", "cup": "cup"}
_CATEGORY_OF_SHAPE = {shape: category for category, shape in _SHAPE_OF_CATEGORY.items()} | {"bowl": "tableware"}
# Nouns that several shapes share: they imply no shape.
_VAGUE_NOUNS = ("toy", "block")
# Materials that nobody would name in a caption.
_UNNAMED_MATERIALS = ("fruit flesh",)
_SMALL, _LARGE = 0.06, 0.16


@dataclass(frozen=True)
class ObjectAttributes:
    """The words that captions may use of an object; an empty word is not used.

    `tags` are `attribute:word` pairs and hold everything that is true of it, implied words included. A procedural
    object has no name; its `noun` names its shape. `features` are phrases such as "with a handle".
    """

    tags: frozenset[str]
    name: str = ""
    synonyms: tuple[str, ...] = ()
    description: str = ""
    category: str = ""
    colors: tuple[str, ...] = ()
    shape: str = ""
    material: str = ""
    use: str = ""
    size: str = ""
    pattern: str = ""
    noun: str = ""
    features: tuple[str, ...] = ()


def attributes_of(item: CatalogObject) -> ObjectAttributes:
    """Return the attributes of an object of a catalog; its size word follows from the extent of the scaled mesh."""
    longest = item.scale * max(item.size)
    size = "small" if 0 < longest < _SMALL else "large" if longest > _LARGE else ""
    material = "" if item.material in _UNNAMED_MATERIALS else item.material
    words = {
        "category": item.category,
        "colors": item.colors,
        "shape": item.shape,
        "material": material,
        "use": item.function,
        "size": size,
    }
    return ObjectAttributes(
        tags=_tags(words) | {f"name:{item.name}"},
        name=item.name,
        synonyms=item.synonyms,
        description=item.description,
        category=item.category,
        colors=item.colors,
        shape=item.shape,
        material=material,
        use=item.function,
        size=size,
    )


def attributes_from_dict(words: Mapping[str, object]) -> ObjectAttributes:
    """Return the attributes of a procedural object.

    Its size is left out: an image of a single object does not show it.

    :param words: `shape`, `category` (a noun for the shape), `colours`, `pattern`, `material`; others are ignored.
        An instance of a kind has the words of `Kind.words`
    """
    if "kind" in words:
        return _attributes_of_instance(words)
    shape, noun = str(words["shape"]), str(words["category"])
    colors = tuple(str(color) for color in words["colours"])  # type: ignore[attr-defined]
    pattern, material = str(words["pattern"]), str(words["material"]).replace("wooden", "wood")
    said = {"shape": shape, "colors": colors, "pattern": pattern, "material": material}
    return ObjectAttributes(
        tags=_tags(said | {"category": _CATEGORY_OF_SHAPE.get(shape, "")}),
        colors=colors,
        material=material,
        pattern=pattern,
        shape=shape,
        noun=shape if noun in _VAGUE_NOUNS else noun,
    )


def _attributes_of_instance(words: Mapping[str, Any]) -> ObjectAttributes:
    """Return the attributes of an instance of a kind; every hypernym is a category, every feature a tag.

    A description of the kind that names a part which the instance lacks, "with a handle", is left out.
    """
    name, hypernyms, colors = words["kind"], words["hypernyms"], tuple(words["colors"])
    material = "" if words["material"] == UNSAID_MATERIAL else words["material"]
    said = {"shape": words["shape"], "colors": colors, "pattern": words["pattern"], "material": material}
    tags = _tags(said | {"category": hypernyms[0], "use": words["function"]})
    tags |= {f"category:{hypernym}" for hypernym in hypernyms} | {f"feature:{f}" for f in words["features"]}
    return ObjectAttributes(
        tags=tags | {f"name:{name}"},
        name=name,
        synonyms=tuple(words["synonyms"]),
        description="" if _names_lacking_part(words["description"], words["features"]) else words["description"],
        category=hypernyms[0],
        colors=colors,
        shape=words["shape"],
        material=material,
        use=words["function"],
        pattern=words["pattern"],
        features=tuple(words["features"]),
    )


def _names_lacking_part(description: str, features: Sequence[str]) -> bool:
    said = set(re.findall("[a-z]+", re.sub(r"\bwithout (?:an? )?\w+", "", description.lower())))
    parts = {feature.split()[-1] for feature in features if feature.startswith("without ")}
    forms = {part: {part, *plurals_of(part)} for part in parts | said}
    return any(part in forms[word] or word in forms[part] for part in parts for word in said)


def _tags(words: Mapping[str, str | Sequence[str]]) -> frozenset[str]:
    tags = {f"color:{color}" for color in words.get("colors", ())}
    for attribute_type in ("category", "shape", "material", "use", "size", "pattern"):
        word = words.get(attribute_type)
        if word:
            tags.add(f"{attribute_type}:{word}")
            tags.update(f"{attribute_type}:{other}" for other in _IMPLIED.get(attribute_type, {}).get(str(word), ()))
    tags |= {f"shape:{shape}" for category, shape in _SHAPE_OF_CATEGORY.items() if f"category:{category}" in tags}
    if "category:cup" in tags:
        tags.add("category:tableware")
    return frozenset(tags)


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
    tags = [attributes.get(word) for word in noun.split()]
    if noun != name and len(tags) > 1 and all(tags):
        return frozenset(tag for tag in tags if tag)
    return frozenset({f"name:{name}"})

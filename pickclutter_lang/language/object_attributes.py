"""What words are true of a thing: tags, from the catalog or from the words of a procedural thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.extra_objects import all_objects

# What else is true where one word is: a sphere is round, steel is metal.
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
# Categories of the catalog and shapes of procedural things that mean each other.
_SHAPE_OF_CATEGORY = {"bottle": "bottle", "box": "box", "ball": "ball", "can": "cylinder", "cup": "cup"}
_CATEGORY_OF_SHAPE = {"bottle": "bottle", "box": "box", "ball": "ball", "cylinder": "can", "cup": "cup"} | {
    "bowl": "tableware"
}
# Nouns that several shapes share, so that they say nothing certain.
_VAGUE_NOUNS = ("toy", "block")
# Materials that nobody would name.
_UNSAID_MATERIALS = ("fruit flesh",)
_SMALL, _LARGE = 0.06, 0.16


@dataclass(frozen=True)
class ObjectAttributes:
    """An object and what may be said of it; empty words are not said.

    `tags` are `kind:word` pairs and hold everything that is true of it, implied words among them. A procedural
    thing has no name; its `noun` stands for its shape.
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


def attributes_of(item: CatalogObject) -> ObjectAttributes:
    """Return what may be said of an object of the catalog; its size word compares the scaled mesh with the others."""
    longest = item.scale * max(item.size)
    size = "small" if longest < _SMALL else "large" if longest > _LARGE else ""
    material = "" if item.material in _UNSAID_MATERIALS else item.material
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
    """Return what may be said of a procedural thing.

    Its size is left out: a image of a thing alone does not show it.

    :param words: `shape`, `category` (a noun for the shape), `colors`, `pattern`, `material`; others say nothing
    """
    shape, noun = str(words["shape"]), str(words["category"])
    colors = tuple(str(color) for color in words["colours"])  # type: ignore[attr-defined]
    pattern, material = str(words["pattern"]), str(words["material"]).replace("wooden", "wood")
    return ObjectAttributes(
        tags=_tags({"shape": shape, "colors": colors, "pattern": pattern, "material": material}),
        colors=colors,
        material=material,
        pattern=pattern,
        shape=shape,
        noun=shape if noun in _VAGUE_NOUNS else noun,
    )


def _tags(words: Mapping[str, str | Sequence[str]]) -> frozenset[str]:
    tags = {f"color:{color}" for color in words.get("colors", ())}
    for kind in ("category", "shape", "material", "use", "size", "pattern"):
        word = words.get(kind)
        if word:
            tags.add(f"{kind}:{word}")
            tags.update(f"{kind}:{other}" for other in _IMPLIED.get(kind, {}).get(str(word), ()))
    tags |= {f"shape:{shape}" for category, shape in _SHAPE_OF_CATEGORY.items() if f"category:{category}" in tags}
    tags |= {f"category:{category}" for shape, category in _CATEGORY_OF_SHAPE.items() if f"shape:{shape}" in tags}
    if "category:cup" in tags:
        tags.add("category:tableware")
    return frozenset(tags)


@lru_cache(maxsize=1024)
def noun_tags(noun: str, name: str) -> frozenset[str]:
    """Return what a noun for the object `name` asserts.

    A synonym that only joins a color or size with a category ("yellow fruit") is as true of any other object with
    both; every other noun means the object itself.
    """
    attributes: dict[str, str] = {}
    for item in all_objects():
        attributes[item.category] = f"category:{item.category}"
        attributes.update({color: f"color:{color}" for color in item.colors})
    attributes.update({size: f"size:{size}" for size in ("small", "large")})
    tags = [attributes.get(word) for word in noun.split()]
    if noun != name and len(tags) > 1 and all(tags):
        return frozenset(tag for tag in tags if tag)
    return frozenset({f"name:{name}"})

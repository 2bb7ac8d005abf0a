"""What words are true of a thing: tags, from the catalogue or from the words of a procedural thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pickclutter_lang.objects.catalogue import CatalogueObject, paper_catalogue

# What else is true where one word is: a sphere is round, steel is metal.
_IMPLIED = {
    "shape": {
        "spherical": ("round",),
        "hemispherical": ("round",),
        "flat rectangular": ("flat", "rectangular"),
        "long and thin": ("long", "thin"),
        "cube-shaped": ("cubic", "box-shaped"),
        "rectangular": ("box-shaped",),
    },
    "material": {
        "plastic and steel": ("plastic", "steel", "metal"),
        "wood and steel": ("wood", "wooden", "steel", "metal"),
        "hard plastic": ("plastic",),
        "wood": ("wooden",),
        "steel": ("metal",),
    },
    "category": {"block": ("toy",), "cleaning tool": ("household item",)},
}
# Materials that nobody would name.
_UNSAID_MATERIALS = ("fruit flesh",)
_SMALL, _LARGE = 0.06, 0.16


@dataclass(frozen=True)
class Thing:
    """An object and what may be said of it; empty words are not said.

    `tags` are `kind:word` pairs and hold everything that is true of it, implied words among them; `name` and
    `synonyms` are empty for a procedural thing.
    """

    tags: frozenset[str]
    name: str = ""
    synonyms: tuple[str, ...] = ()
    description: str = ""
    category: str = ""
    colours: tuple[str, ...] = ()
    shape: str = ""
    material: str = ""
    use: str = ""
    size: str = ""
    pattern: str = ""


def thing_of(item: CatalogueObject) -> Thing:
    """Return what may be said of an object of the catalogue; its size word compares the scaled mesh with the others."""
    longest = item.scale * max(item.size)
    size = "small" if longest < _SMALL else "large" if longest > _LARGE else ""
    material = "" if item.material in _UNSAID_MATERIALS else item.material
    words = {
        "category": item.category,
        "colours": item.colours,
        "shape": item.shape,
        "material": material,
        "use": item.use,
        "size": size,
    }
    return Thing(
        tags=_tags(words) | {f"name:{item.name}"},
        name=item.name,
        synonyms=item.synonyms,
        description=item.description,
        category=item.category,
        colours=item.colours,
        shape=item.shape,
        material=material,
        use=item.use,
        size=size,
    )


def thing_of_words(words: Mapping[str, str | Sequence[str]]) -> Thing:
    """Return what may be said of a procedural thing.

    :param words: any of `shape`, `colours` (several), `material`, `size`, `pattern`; other keys say nothing
    """
    colours = words.get("colours", ())
    known = {key: str(words.get(key, "")) for key in ("shape", "material", "size", "pattern")}
    several = (colours,) if isinstance(colours, str) else tuple(colours)
    return Thing(tags=_tags({**known, "colours": several}), colours=several, **known)


def _tags(words: Mapping[str, str | Sequence[str]]) -> frozenset[str]:
    tags = {f"colour:{colour}" for colour in words.get("colours", ())}
    for kind in ("category", "shape", "material", "use", "size", "pattern"):
        word = words.get(kind)
        if word:
            tags.add(f"{kind}:{word}")
            tags.update(f"{kind}:{other}" for other in _IMPLIED.get(kind, {}).get(str(word), ()))
    return frozenset(tags)


@lru_cache(maxsize=256)
def meaning_of_noun(noun: str, name: str) -> frozenset[str]:
    """Return what a noun for the object `name` asserts.

    A synonym that only joins a colour or size with a category ("yellow fruit") is as true of any other object with
    both; every other noun means the object itself.
    """
    attributes: dict[str, str] = {}
    for item in paper_catalogue():
        attributes[item.category] = f"category:{item.category}"
        attributes.update({colour: f"colour:{colour}" for colour in item.colours})
    attributes.update({size: f"size:{size}" for size in ("small", "large")})
    tags = [attributes.get(word) for word in noun.split()]
    if noun != name and len(tags) > 1 and all(tags):
        return frozenset(tag for tag in tags if tag)
    return frozenset({f"name:{name}"})

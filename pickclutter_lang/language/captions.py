"""Template captions with a machine-readable meaning, so that every image-caption pair is known to match or not.

A caption carries its text and the predicates it asserts; `caption_truth` evaluates these on the objects in an image.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pickclutter_lang.language.descriptions import describe
from pickclutter_lang.language.object_attributes import ObjectAttributes, noun_tags
from pickclutter_lang.utils.words import counted, plural, with_article

_OBJECT = (
    "{a}",
    "{a}",
    "a photo of {a}",
    "a picture of {a}",
    "a photo of {bare}",
    "{bare}",
    "the {bare}",
    "this is {a}",
    "a close-up photo of {a}",
    "an image of {a} on a table",
    "{a} on the table",
    "{a} in a pile",
    "pick up the {bare}",
    "grasp the {bare}",
)
_SCENE = (
    "a photo of a table with {a}",
    "a photo of a table with {a}",
    "a table with {a}",
    "there is {a} on the table",
    "a picture of a pile with {a}",
    "clutter with {a} in it",
    "{a} among other things",
    "a scene with {a}",
    "a photo of {a}",
    "the table has {a} on it",
)
_ABSENT = (
    "a photo of a table without {a}",
    "a picture of a table without {a}",
    "a table with no {bare}",
    "there is no {bare} on the table",
    "a pile without {a}",
    "clutter with no {bare} in it",
    "a table without any {bare}",
    "no {bare} here",
)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Predicate:
    """Asserts that between `low` and `high` (None: no upper bound) objects in the image have all of the tags."""

    tags: frozenset[str]
    low: int = 1
    high: int | None = None


@dataclass(frozen=True)
class Caption:
    """A text and the predicates that it asserts, all of them."""

    text: str
    predicates: tuple[Predicate, ...]


def caption_truth(captions: Sequence[Caption], contents: Sequence[Sequence[ObjectAttributes]]) -> npt.NDArray[np.bool_]:
    """Return which of P captions are true of which images.

    :param contents: for each of N images the objects in it
    :return: bool [N, P]
    """
    predicates = {predicate: n for n, predicate in enumerate({c: None for p in captions for c in p.predicates})}
    tag_sets = {tags: n for n, tags in enumerate({c.tags: None for c in predicates})}
    objects = {item: n for n, item in enumerate({t: None for row in contents for t in row})}
    has = np.array([[tags <= item.tags for tags in tag_sets] for item in objects], dtype=np.int64)
    members = np.zeros((len(contents), len(objects)), dtype=np.int64)
    for n, row in enumerate(contents):
        np.add.at(members[n], [objects[t] for t in row], 1)
    counts = members @ has.reshape(len(objects), len(tag_sets))
    found = counts[:, [tag_sets[c.tags] for c in predicates]]
    max_count = np.array([c.high if c.high is not None else np.iinfo(np.int64).max for c in predicates])
    holds = (found >= np.array([c.low for c in predicates])) & (found <= max_count)
    columns = [holds[:, [predicates[c] for c in p.predicates]].all(axis=1) for p in captions]
    return np.stack(columns, axis=1) if columns else np.zeros((len(contents), 0), dtype=np.bool_)


def object_caption(item: ObjectAttributes, rng: np.random.Generator) -> Caption:
    """Sample a true caption of an image of one object: its name, words that describe it, or both."""
    caption_type = rng.choice(4, p=(0.45, 0.12, 0.13, 0.3))
    if not (item.description if caption_type in (1, 2) else item.category or item.colors or item.shape):
        caption_type = 0
    if caption_type == 3:
        return attribute_caption(item, rng)
    if caption_type == 0:
        noun, tags = _sample_noun(item, rng)
        return _filled(_OBJECT, noun, tags, rng)
    if caption_type == 1:
        text = str(rng.choice([item.description, f"a photo of {item.description}"]))
    else:
        template = str(rng.choice(["{a}, {what}", "a photo of {bare} . {what}", "{bare}: {what}", "{a} . {what}"]))
        text = template.format(a=with_article(item.name), bare=item.name, what=item.description)
    return Caption(text, (_named(item),))


def attribute_caption(item: ObjectAttributes, rng: np.random.Generator) -> Caption:
    """Sample a caption of one to three attributes of an object, such as "a yellow curved object"."""
    return _filled(_OBJECT, *_sample_attributes(item, rng), rng)


def scene_caption(
    objects: Sequence[ObjectAttributes], others: Sequence[ObjectAttributes], rng: np.random.Generator
) -> Caption:
    """Sample a caption that is true of an image of several objects.

    :param objects: what is in the image, at least one object
    :param others: candidates for absence; an object whose name is in the image is never chosen
    """
    caption_type = rng.choice(6, p=(0.3, 0.22, 0.2, 0.12, 0.08, 0.08))
    absent = [o for o in others if not any(o.name == t.name for t in objects)]
    if caption_type in (2, 3) and not absent:
        caption_type = 1
    if caption_type == 1:
        return _list_caption(objects, rng)
    if caption_type == 2:
        return absent_caption(_choose(absent, rng), rng)
    if caption_type == 3:  # without descriptions: two exceed the text encoder's context
        first = _presence_caption(objects, rng, with_description=False)
        other = _choose(absent, rng)
        second = Caption(_fill_template(_ABSENT, other.name, rng), (_named(other, 0, 0),))
        return Caption(f"{first.text}, and {second.text}", (*first.predicates, *second.predicates))
    if caption_type == 4:
        return _count_caption(objects, rng)
    if caption_type == 5:
        return _filled(_SCENE, *_sample_attributes(_choose(objects, rng), rng), rng)
    return _presence_caption(objects, rng)


def composed_caption(item: ObjectAttributes, rng: np.random.Generator, color: str | None = None) -> Caption:
    """Sample a caption that joins the name with what else is true: "a red mug", "a striped mug with a handle".

    :param color: says this color and nothing else, whether it is true or not: a red cup against a blue one
    """
    tags = {f"name:{item.name}"}
    if color is not None:
        return _filled(_OBJECT, f"{color} {item.name}", tags | {f"color:{color}"}, rng)
    pattern = "" if item.pattern == "plain" else item.pattern
    said = {"pattern": pattern, "color": item.colors[0], "material": item.material}
    said = {key: word for key, word in said.items() if word and rng.random() < 0.6} or {"color": item.colors[0]}
    feature = str(rng.choice(item.features)) if item.features and rng.random() < 0.35 else ""
    after = feature if feature.startswith("with") else ""
    text = " ".join(word for word in ("" if after else feature, *said.values(), item.name, after) if word)
    tags |= {f"{key}:{word}" for key, word in said.items()} | ({f"feature:{feature}"} if feature else set())
    return _filled(_OBJECT, text, tags, rng)


def named_object_caption(item: ObjectAttributes, rng: np.random.Generator, synonym_probability: float = 0.0) -> Caption:
    """Sample a caption that names an object, for images that show it alone, sometimes by a synonym.

    A synonym that is as true of others, "yellow fruit", is no name.
    """
    name = item.name
    synonyms = [word for word in item.synonyms if noun_tags(word, item.name) == {f"name:{item.name}"}]
    if synonym_probability and synonyms and rng.random() < synonym_probability:
        name = str(rng.choice(synonyms))
    return Caption(_fill_template(_OBJECT, name, rng), (_named(item),))


def named_scene_caption(item: ObjectAttributes, rng: np.random.Generator) -> Caption:
    """Sample a caption that asserts by name that an object is in the image; sometimes its description follows."""
    return Caption(_maybe_add_description(_fill_template(_SCENE, item.name, rng), item, rng), (_named(item),))


def absent_caption(item: ObjectAttributes, rng: np.random.Generator) -> Caption:
    """Sample a caption that asserts by name that an object is absent; sometimes its description follows."""
    return Caption(_maybe_add_description(_fill_template(_ABSENT, item.name, rng), item, rng), (_named(item, 0, 0),))


def _presence_caption(
    objects: Sequence[ObjectAttributes], rng: np.random.Generator, with_description: bool = True
) -> Caption:
    item = _choose(objects, rng)
    if with_description and rng.random() < 0.5:
        return named_scene_caption(item, rng)
    return _filled(_SCENE, *_sample_noun(item, rng), rng)


def _named(item: ObjectAttributes, low: int = 1, high: int | None = None) -> Predicate:
    return Predicate(frozenset({f"name:{item.name}"}), low, high)


def _filled(templates: Sequence[str], noun: str, tags: Iterable[str], rng: np.random.Generator) -> Caption:
    """Return the caption that an object with some tags is there, in one of the templates."""
    return Caption(_fill_template(templates, noun, rng), (Predicate(frozenset(tags)),))


def _fill_template(templates: Sequence[str], noun: str, rng: np.random.Generator) -> str:
    return str(rng.choice(templates)).format(a=with_article(noun), bare=noun)


def _maybe_add_description(text: str, item: ObjectAttributes, rng: np.random.Generator) -> str:
    return describe(text, item.description) if rng.random() < 0.25 and item.description else text


def _choose(objects: Sequence[ObjectAttributes], rng: np.random.Generator) -> ObjectAttributes:
    return objects[int(rng.integers(len(objects)))]


def _list_caption(objects: Sequence[ObjectAttributes], rng: np.random.Generator) -> Caption:
    max_count = min(4, len(objects))
    chosen = rng.permutation(len(objects))[: int(rng.integers(min(2, max_count), max_count + 1))]
    nouns = [_sample_noun(objects[n], rng) for n in chosen]
    listed = [with_article(noun) for noun, _ in nouns]
    text = f"{', '.join(listed[:-1])} and {listed[-1]}" if len(listed) > 1 else listed[0]
    template = str(rng.choice([f for f in _SCENE if "{bare}" not in f]))
    return Caption(template.format(a=text), tuple(dict.fromkeys(Predicate(tags) for _, tags in nouns)))


def _count_caption(objects: Sequence[ObjectAttributes], rng: np.random.Generator) -> Caption:
    """Count all objects, or those of one category, which may be absent."""
    categories = sorted({t.category for t in objects if t.category})
    template = str(rng.choice(["{n} on a table", "a photo of {n}", "a table with {n}", "there are {n} in the pile"]))
    noun = "thing"
    tags = frozenset[str]()
    count = len(objects)
    if categories and rng.random() >= 0.3:
        noun = str(rng.choice(categories))
        tags = frozenset({f"category:{noun}"})
        count = sum(tags <= t.tags for t in objects)
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    text = template.format(n=f"{number} {counted(noun) if count == 1 else plural(noun)}")
    return Caption(text, (Predicate(tags, count, count),))


def _sample_noun(item: ObjectAttributes, rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """Sample the name (mostly) or a synonym, with what it asserts."""
    synonym = item.synonyms and rng.random() < 0.25
    noun = str(rng.choice(item.synonyms)) if synonym else item.name
    return noun, noun_tags(noun, item.name)


def _sample_attributes(item: ObjectAttributes, rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """Sample one to three of an object's attributes and join them to a noun phrase."""
    colors = item.colors
    if len(colors) > 1 and rng.random() < 0.5:
        colors = (str(rng.choice(colors)),)
    words = {
        "size": item.size,
        "pattern": item.pattern,
        "color": " and ".join(colors[:3]),
        "shape": item.shape,
        "material": item.material,
        "category": item.category,
        "use": item.use,
    }
    available = [attribute_type for attribute_type, word in words.items() if word]
    count = min(len(available), int(rng.integers(1, 4)))
    chosen = set(rng.permutation(available)[:count].tolist())
    if chosen == {"size"}:
        chosen.add("color" if words["color"] else available[-1])
    adjectives = [words[k] for k in ("size", "pattern", "color", "shape") if k in chosen]
    noun = counted(words["category"]) if "category" in chosen else str(rng.choice(["object", "thing", "item"]))
    material = words["material"] if "material" in chosen else ""
    material_last = bool(material) and (" " in material or rng.random() < 0.5)
    if material and not material_last:
        adjectives.append(material)
    text = " ".join([*adjectives, noun])
    text += f" made of {material}" if material_last else ""
    text += f" for {words['use']}" if "use" in chosen else ""
    tags = {f"{attribute_type}:{words[attribute_type]}" for attribute_type in chosen if attribute_type != "color"}
    return text, frozenset(tags | {f"color:{color}" for color in colors[:3] if "color" in chosen})


ATTRIBUTE_TYPES = ("color", "shape", "pattern", "material", "category", "use")
_ADJECTIVE = ("{a} object", "{a} thing", "{a} item", "a photo of {a} object")
_TEMPLATES = {
    "color": _ADJECTIVE,
    "pattern": _ADJECTIVE,
    "shape": _ADJECTIVE,
    "material": (
        "an object made of {}",
        "a thing made of {}",
        "something made of {}",
        "a photo of an object made of {}",
    ),
    "category": ("{a}", "a photo of {a}", "a kind of {}"),
    "use": ("an object for {}", "a thing for {}", "something for {}", "a photo of an object for {}"),
}
# Shapes that are nouns: a ball is not "a ball object". A noun that names objects too does not mean only the shape: a
# book has the shape of a box and is no box.
_NOUN = ("{a}", "{a} shape", "an object in the shape of {a}", "a photo of {a}")
_NOUN_OF_OBJECTS = ("{a} shape", "an object in the shape of {a}")
_OBJECTS = ("ball", "bottle", "bowl", "box", "cup")
_ADJECTIVES = {
    *("spherical", "round", "oval", "rectangular", "flat rectangular", "cubic", "cylindrical", "conical"),
    *("hemispherical", "long", "thin", "long and thin", "flat", "tapered", "curved", "pointed", "irregular"),
    *("box-shaped", "cube-shaped", "cup-shaped", "pear-shaped", "x-shaped", "t-shaped", "y-shaped", "pistol-shaped"),
}


def attribute_words(objects: Iterable[ObjectAttributes]) -> dict[str, list[str]]:
    """Return, for each of `ATTRIBUTE_TYPES`, the words that are true of some of the objects, sorted."""
    tags = {tag for item in objects for tag in item.tags}
    return {
        attribute_type: sorted(tag[len(attribute_type) + 1 :] for tag in tags if tag.startswith(f"{attribute_type}:"))
        for attribute_type in ATTRIBUTE_TYPES
    }


def attribute_prompt(attribute_type: str, word: str, template_index: int = 0) -> Caption:
    """Return the caption that asserts an attribute of an object.

    :param attribute_type: one of `ATTRIBUTE_TYPES`
    :param template_index: index of the template, modulo their number; the probes of the model card use the first
    """
    # "steel" and "plastic and steel" are materials; "wooden" is an adjective.
    if attribute_type == "material" and word == "wooden":
        templates: Sequence[str] = _ADJECTIVE
    elif attribute_type == "shape" and word not in _ADJECTIVES:
        templates = _NOUN_OF_OBJECTS if word in _OBJECTS else _NOUN
    else:
        templates = _TEMPLATES[attribute_type]
    text = templates[template_index % len(templates)].format(word, a=with_article(counted(word)))
    return Caption(text, (Predicate(frozenset({f"{attribute_type}:{word}"})),))


def sample_attribute_prompts(
    words: dict[str, list[str]], max_words: int, rng: np.random.Generator
) -> dict[str, list[Caption]]:
    """Sample up to `max_words` words of each attribute type, each in one of its templates."""
    sampled = {}
    for attribute_type, available in words.items():
        if not available:
            continue
        chosen = sorted(rng.permutation(len(available))[:max_words].tolist())
        sampled[attribute_type] = [attribute_prompt(attribute_type, available[n], int(rng.integers(4))) for n in chosen]
    return sampled

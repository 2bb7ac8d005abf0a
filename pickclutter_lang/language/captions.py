"""Captions with their meaning: every phrase says what it asserts, so that any image can be held against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pickclutter_lang.language.object_attributes import ObjectAttributes, noun_tags

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
_PLURALS = {
    "fruit": "pieces of fruit",
    "cutlery": "pieces of cutlery",
    "tableware": "pieces of tableware",
    "box": "boxes",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Predicate:
    """Says that between `low` and `high` (None: any number) things in the image have all of the tags."""

    tags: frozenset[str]
    low: int = 1
    high: int | None = None


@dataclass(frozen=True)
class Caption:
    """A text and what it asserts: all of its clauses."""

    text: str
    clauses: tuple[Predicate, ...]


def caption_truth(phrases: Sequence[Caption], contents: Sequence[Sequence[ObjectAttributes]]) -> npt.NDArray[np.bool_]:
    """Return which phrases are true of which images.

    :param contents: for each of N images the things in it
    :return: [N, P]
    """
    clauses = {clause: n for n, clause in enumerate({c: None for p in phrases for c in p.clauses})}
    tag_sets = {tags: n for n, tags in enumerate({c.tags: None for c in clauses})}
    things = {thing: n for n, thing in enumerate({t: None for row in contents for t in row})}
    has = np.array([[tags <= thing.tags for tags in tag_sets] for thing in things], dtype=np.int64)
    members = np.zeros((len(contents), len(things)), dtype=np.int64)
    for n, row in enumerate(contents):
        np.add.at(members[n], [things[t] for t in row], 1)
    counts = members @ has.reshape(len(things), len(tag_sets))
    found = counts[:, [tag_sets[c.tags] for c in clauses]]
    most = np.array([c.high if c.high is not None else np.iinfo(np.int64).max for c in clauses])
    holds = (found >= np.array([c.low for c in clauses])) & (found <= most)
    columns = [holds[:, [clauses[c] for c in p.clauses]].all(axis=1) for p in phrases]
    return np.stack(columns, axis=1) if columns else np.zeros((len(contents), 0), dtype=np.bool_)


def object_caption(thing: ObjectAttributes, rng: np.random.Generator) -> Caption:
    """Draw a phrase that is true of a image of one thing: its name, words that describe it, or both."""
    kind = rng.choice(4, p=(0.45, 0.12, 0.13, 0.3)) if thing.name else 3
    if thing.name and not (thing.description if kind in (1, 2) else thing.category or thing.colors or thing.shape):
        kind = 0
    if kind == 3:
        return attribute_caption(thing, rng)
    tags = frozenset({f"name:{thing.name}"})
    if kind == 1:
        text = str(rng.choice([thing.description, f"a photo of {thing.description}"]))
    elif kind == 2:
        form = str(rng.choice(["{a}, {what}", "a photo of {bare} . {what}", "{bare}: {what}", "{a} . {what}"]))
        text = form.format(a=with_article(thing.name), bare=thing.name, what=thing.description)
    else:
        noun, tags = _noun(thing, rng)
        text = _fill(_OBJECT, noun, rng)
    return Caption(text, (Predicate(tags),))


def attribute_caption(thing: ObjectAttributes, rng: np.random.Generator) -> Caption:
    """Draw a phrase of one to three attributes of a thing, such as "a yellow curved object"."""
    text, tags = _attributes(thing, rng)
    return Caption(_fill(_OBJECT, text, rng), (Predicate(tags),))


def scene_caption(
    things: Sequence[ObjectAttributes], others: Sequence[ObjectAttributes], rng: np.random.Generator
) -> Caption:
    """Draw a phrase that is true of a image of several things.

    :param things: what is in the image, at least one thing
    :param others: things that may be said to be absent; those with a tag in the image are never chosen
    """
    kind = rng.choice(6, p=(0.3, 0.22, 0.2, 0.12, 0.08, 0.08))
    absent = [o for o in others if not any(o.name == t.name for t in things)]
    if kind in (2, 3) and not absent:
        kind = 1
    if kind == 1:
        return _several(things, rng)
    if kind == 2:
        return absent_caption(_pick(absent, rng), rng)
    if kind == 3:
        return _with_and_without(things, absent, rng)
    if kind == 4:
        return _number(things, rng)
    if kind == 5:
        text, tags = _attributes(_pick(things, rng), rng)
        return Caption(_fill(_SCENE, text, rng), (Predicate(tags),))
    return _one(things, rng)


def _with_and_without(
    things: Sequence[ObjectAttributes], absent: Sequence[ObjectAttributes], rng: np.random.Generator
) -> Caption:
    """Say that one thing is there and another is not, without descriptions: two are more than a text tower reads."""
    first, other = _one(things, rng, described=False), _pick(absent, rng)
    second = Caption(_fill(_ABSENT, other.name, rng), (Predicate(frozenset({f"name:{other.name}"}), 0, 0),))
    return Caption(f"{first.text}, and {second.text}", (*first.clauses, *second.clauses))


def named_object_caption(thing: ObjectAttributes, rng: np.random.Generator) -> Caption:
    """Draw a phrase that names a thing, true of images of it alone."""
    return Caption(_fill(_OBJECT, thing.name, rng), (Predicate(frozenset({f"name:{thing.name}"})),))


def named_scene_caption(thing: ObjectAttributes, rng: np.random.Generator) -> Caption:
    """Draw a phrase that says by name that a thing is in the image; sometimes its description follows."""
    text = _described(_fill(_SCENE, thing.name, rng), thing, rng)
    return Caption(text, (Predicate(frozenset({f"name:{thing.name}"})),))


def absent_caption(thing: ObjectAttributes, rng: np.random.Generator) -> Caption:
    """Draw a phrase that says by name that a thing is not in the image; sometimes its description follows."""
    text = _described(_fill(_ABSENT, thing.name, rng), thing, rng)
    return Caption(text, (Predicate(frozenset({f"name:{thing.name}"}), 0, 0),))


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def _one(things: Sequence[ObjectAttributes], rng: np.random.Generator, described: bool = True) -> Caption:
    thing = _pick(things, rng)
    if not thing.name:
        text, tags = _attributes(thing, rng)
        return Caption(_fill(_SCENE, text, rng), (Predicate(tags),))
    if described and rng.random() < 0.5:
        return named_scene_caption(thing, rng)
    noun, tags = _noun(thing, rng)
    return Caption(_fill(_SCENE, noun, rng), (Predicate(tags),))


def _described(text: str, thing: ObjectAttributes, rng: np.random.Generator) -> str:
    return f"{text} . {thing.description}" if rng.random() < 0.25 else text


def _pick(things: Sequence[ObjectAttributes], rng: np.random.Generator) -> ObjectAttributes:
    return things[int(rng.integers(len(things)))]


def _several(things: Sequence[ObjectAttributes], rng: np.random.Generator) -> Caption:
    most = min(4, len(things))
    chosen = rng.permutation(len(things))[: int(rng.integers(min(2, most), most + 1))]
    nouns = [_noun(things[n], rng) if things[n].name else _attributes(things[n], rng) for n in chosen]
    listed = [with_article(noun) for noun, _ in nouns]
    text = f"{', '.join(listed[:-1])} and {listed[-1]}" if len(listed) > 1 else listed[0]
    form = str(rng.choice([f for f in _SCENE if "{bare}" not in f]))
    return Caption(form.format(a=text), tuple(dict.fromkeys(Predicate(tags) for _, tags in nouns)))


def _number(things: Sequence[ObjectAttributes], rng: np.random.Generator) -> Caption:
    """Count all things, or those of one category, which may be one that is not there."""
    categories = sorted({t.category for t in things if t.category})
    form = str(rng.choice(["{n} on a table", "a photo of {n}", "a table with {n}", "there are {n} in the pile"]))
    if not categories or rng.random() < 0.3:
        return Caption(
            form.format(n=_counted(len(things), "thing")), (Predicate(frozenset(), len(things), len(things)),)
        )
    category = str(rng.choice(categories))
    tags = frozenset({f"category:{category}"})
    count = sum(tags <= t.tags for t in things)
    return Caption(form.format(n=_counted(count, category)), (Predicate(tags, count, count),))


def _counted(count: int, noun: str) -> str:
    plural = _PLURALS.get(noun, f"{noun}s")
    if count == 1:
        return f"one {plural.replace('pieces', 'piece')}" if plural.startswith("pieces") else f"one {noun}"
    return f"{_NUMBERS[count] if count < len(_NUMBERS) else count} {plural}"


def _noun(thing: ObjectAttributes, rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """Draw the name (mostly) or a synonym, with what it asserts."""
    synonym = thing.synonyms and rng.random() < 0.25
    noun = str(rng.choice(thing.synonyms)) if synonym else thing.name
    return noun, noun_tags(noun, thing.name)


def _attributes(thing: ObjectAttributes, rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """Draw one to three of a thing's attributes and join them to a noun phrase."""
    colors = thing.colors
    if len(colors) > 1 and rng.random() < 0.5:
        colors = (str(rng.choice(colors)),)
    words = {
        "size": thing.size,
        "pattern": thing.pattern,
        "color": " and ".join(colors[:3]),
        "shape": thing.shape,
        "material": thing.material,
        "category": thing.category,
        "use": thing.use,
    }
    known = [kind for kind, word in words.items() if word]
    count = min(len(known), int(rng.integers(1, 4)))
    chosen = set(rng.permutation(known)[:count].tolist())
    if chosen == {"size"}:
        chosen.add("color" if words["color"] else known[-1])
    before = [words[k] for k in ("size", "pattern", "color", "shape") if k in chosen]
    noun = words["category"] if "category" in chosen else str(rng.choice(["object", "thing", "item"]))
    if thing.noun and "shape" in chosen:
        before, noun = before[:-1], thing.noun
    material = words["material"] if "material" in chosen else ""
    behind = bool(material) and (" " in material or rng.random() < 0.5)
    if material and not behind:
        before.append(material)
    text = " ".join([*before, noun])
    text += f" made of {material}" if behind else ""
    text += f" for {words['use']}" if "use" in chosen else ""
    tags = {f"{kind}:{words[kind]}" for kind in chosen if kind != "color"}
    return text, frozenset(tags | {f"color:{color}" for color in colors[:3] if "color" in chosen})


def _fill(forms: Sequence[str], noun: str, rng: np.random.Generator) -> str:
    return str(rng.choice(forms)).format(a=with_article(noun), bare=noun)

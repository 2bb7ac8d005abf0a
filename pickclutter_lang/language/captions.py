"""Captions with their meaning: every phrase says what it asserts, so that any picture can be held against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pickclutter_lang.language.things import Thing, meaning_of_noun

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
class Clause:
    """Says that between `low` and `high` (None: any number) things in the picture have all of the tags."""

    tags: frozenset[str]
    low: int = 1
    high: int | None = None


@dataclass(frozen=True)
class Phrase:
    """A text and what it asserts: all of its clauses."""

    text: str
    clauses: tuple[Clause, ...]


def match(phrases: Sequence[Phrase], contents: Sequence[Sequence[Thing]]) -> npt.NDArray[np.bool_]:
    """Return which phrases are true of which pictures.

    :param contents: for each of N pictures the things in it
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


def object_phrase(thing: Thing, rng: np.random.Generator) -> Phrase:
    """Draw a phrase that is true of a picture of one thing: its name, words that describe it, or both."""
    kind = rng.choice(4, p=(0.45, 0.12, 0.13, 0.3)) if thing.name else 3
    if thing.name and not (thing.description if kind in (1, 2) else thing.category or thing.colours or thing.shape):
        kind = 0
    if kind == 3:
        return attribute_phrase(thing, rng)
    tags = frozenset({f"name:{thing.name}"})
    if kind == 1:
        text = str(rng.choice([thing.description, f"a photo of {thing.description}"]))
    elif kind == 2:
        form = str(rng.choice(["{a}, {what}", "a photo of {bare} . {what}", "{bare}: {what}", "{a} . {what}"]))
        text = form.format(a=with_article(thing.name), bare=thing.name, what=thing.description)
    else:
        noun, tags = _noun(thing, rng)
        text = _fill(_OBJECT, noun, rng)
    return Phrase(text, (Clause(tags),))


def attribute_phrase(thing: Thing, rng: np.random.Generator) -> Phrase:
    """Draw a phrase of one to three attributes of a thing, such as "a yellow curved object"."""
    text, tags = _attributes(thing, rng)
    return Phrase(_fill(_OBJECT, text, rng), (Clause(tags),))


def scene_phrase(things: Sequence[Thing], others: Sequence[Thing], rng: np.random.Generator) -> Phrase:
    """Draw a phrase that is true of a picture of several things.

    :param things: what is in the picture, at least one thing
    :param others: things that may be said to be absent; those with a tag in the picture are never chosen
    """
    kind = rng.choice(6, p=(0.3, 0.22, 0.2, 0.12, 0.08, 0.08))
    absent = [o for o in others if not any(o.name == t.name for t in things)]
    if kind in (2, 3) and not absent:
        kind = 1
    if kind == 1:
        return _several(things, rng)
    if kind == 2:
        return absent_phrase(_pick(absent, rng), rng)
    if kind == 3:
        return _with_and_without(things, absent, rng)
    if kind == 4:
        return _number(things, rng)
    if kind == 5:
        text, tags = _attributes(_pick(things, rng), rng)
        return Phrase(_fill(_SCENE, text, rng), (Clause(tags),))
    return _one(things, rng)


def _with_and_without(things: Sequence[Thing], absent: Sequence[Thing], rng: np.random.Generator) -> Phrase:
    """Say that one thing is there and another is not, without descriptions: two are more than a text tower reads."""
    first, other = _one(things, rng, described=False), _pick(absent, rng)
    second = Phrase(_fill(_ABSENT, other.name, rng), (Clause(frozenset({f"name:{other.name}"}), 0, 0),))
    return Phrase(f"{first.text}, and {second.text}", (*first.clauses, *second.clauses))


def named_object_phrase(thing: Thing, rng: np.random.Generator) -> Phrase:
    """Draw a phrase that names a thing, true of pictures of it alone."""
    return Phrase(_fill(_OBJECT, thing.name, rng), (Clause(frozenset({f"name:{thing.name}"})),))


def named_scene_phrase(thing: Thing, rng: np.random.Generator) -> Phrase:
    """Draw a phrase that says by name that a thing is in the picture; sometimes its description follows."""
    text = _described(_fill(_SCENE, thing.name, rng), thing, rng)
    return Phrase(text, (Clause(frozenset({f"name:{thing.name}"})),))


def absent_phrase(thing: Thing, rng: np.random.Generator) -> Phrase:
    """Draw a phrase that says by name that a thing is not in the picture; sometimes its description follows."""
    text = _described(_fill(_ABSENT, thing.name, rng), thing, rng)
    return Phrase(text, (Clause(frozenset({f"name:{thing.name}"}), 0, 0),))


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def _one(things: Sequence[Thing], rng: np.random.Generator, described: bool = True) -> Phrase:
    thing = _pick(things, rng)
    if not thing.name:
        text, tags = _attributes(thing, rng)
        return Phrase(_fill(_SCENE, text, rng), (Clause(tags),))
    if described and rng.random() < 0.5:
        return named_scene_phrase(thing, rng)
    noun, tags = _noun(thing, rng)
    return Phrase(_fill(_SCENE, noun, rng), (Clause(tags),))


def _described(text: str, thing: Thing, rng: np.random.Generator) -> str:
    return f"{text} . {thing.description}" if rng.random() < 0.25 else text


def _pick(things: Sequence[Thing], rng: np.random.Generator) -> Thing:
    return things[int(rng.integers(len(things)))]


def _several(things: Sequence[Thing], rng: np.random.Generator) -> Phrase:
    most = min(4, len(things))
    chosen = rng.permutation(len(things))[: int(rng.integers(min(2, most), most + 1))]
    nouns = [_noun(things[n], rng) if things[n].name else _attributes(things[n], rng) for n in chosen]
    listed = [with_article(noun) for noun, _ in nouns]
    text = f"{', '.join(listed[:-1])} and {listed[-1]}" if len(listed) > 1 else listed[0]
    form = str(rng.choice([f for f in _SCENE if "{bare}" not in f]))
    return Phrase(form.format(a=text), tuple(dict.fromkeys(Clause(tags) for _, tags in nouns)))


def _number(things: Sequence[Thing], rng: np.random.Generator) -> Phrase:
    """Count all things, or those of one category, which may be one that is not there."""
    categories = sorted({t.category for t in things if t.category})
    form = str(rng.choice(["{n} on a table", "a photo of {n}", "a table with {n}", "there are {n} in the pile"]))
    if not categories or rng.random() < 0.3:
        return Phrase(form.format(n=_counted(len(things), "thing")), (Clause(frozenset(), len(things), len(things)),))
    category = str(rng.choice(categories))
    tags = frozenset({f"category:{category}"})
    count = sum(tags <= t.tags for t in things)
    return Phrase(form.format(n=_counted(count, category)), (Clause(tags, count, count),))


def _counted(count: int, noun: str) -> str:
    plural = _PLURALS.get(noun, f"{noun}s")
    if count == 1:
        return f"one {plural.replace('pieces', 'piece')}" if plural.startswith("pieces") else f"one {noun}"
    return f"{_NUMBERS[count] if count < len(_NUMBERS) else count} {plural}"


def _noun(thing: Thing, rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """Draw the name (mostly) or a synonym, with what it asserts."""
    synonym = thing.synonyms and rng.random() < 0.25
    noun = str(rng.choice(thing.synonyms)) if synonym else thing.name
    return noun, meaning_of_noun(noun, thing.name)


def _attributes(thing: Thing, rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """Draw one to three of a thing's attributes and join them to a noun phrase."""
    colours = thing.colours
    if len(colours) > 1 and rng.random() < 0.5:
        colours = (str(rng.choice(colours)),)
    words = {
        "size": thing.size,
        "pattern": thing.pattern,
        "colour": " and ".join(colours[:3]),
        "shape": thing.shape,
        "material": thing.material,
        "category": thing.category,
        "use": thing.use,
    }
    known = [kind for kind, word in words.items() if word]
    count = min(len(known), int(rng.integers(1, 4)))
    chosen = set(rng.permutation(known)[:count].tolist())
    if chosen == {"size"}:
        chosen.add("colour" if words["colour"] else known[-1])
    before = [words[k] for k in ("size", "pattern", "colour", "shape") if k in chosen]
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
    tags = {f"{kind}:{words[kind]}" for kind in chosen if kind != "colour"}
    return text, frozenset(tags | {f"colour:{colour}" for colour in colours[:3] if "colour" in chosen})


def _fill(forms: Sequence[str], noun: str, rng: np.random.Generator) -> str:
    return str(rng.choice(forms)).format(a=with_article(noun), bare=noun)

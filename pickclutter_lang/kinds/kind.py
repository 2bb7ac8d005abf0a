"""`Kind`: what people call a sort of object, and a generator of different instances; `Instance`: one of these.

The families of kinds register their generators by name; `words.yaml` has the words of each.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib import import_module
from importlib.resources import files

import numpy as np
import yaml

from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.kinds.materials import UNSAID_MATERIAL
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.procedural.geometry import ModelGeometry
from pickclutter_lang.utils.plugins import checked_result, import_named
from pickclutter_lang.utils.reading import check_json
from pickclutter_lang.utils.validation import did_you_mean

FAMILIES = (
    "baked", "bathroom", "bottles", "building_tools", "cookware", "desk", "electronics", "fruit", "gripping_tools",
    "hardware", "household", "packages", "pens", "snacks", "sports", "tableware", "toy_vehicles", "toys", "utensils",
    "vegetables",
)  # fmt: skip
"""The modules that generate kinds."""
OWN_KINDS = "PICKCLUTTER_KINDS"
"""Environment variable that names modules of one's own kinds, separated by commas.

Worker processes have it too, on other machines as well."""


@dataclass(frozen=True)
class Instance:
    """One object of a kind.

    `geometry` is in meters, centered, z up; `density` in kg/m^3 is that of the hulls. `colors` are words of
    `appearance.COLORS`, that of the largest area first; `material`, `pattern` and `shape` are a word each.
    `features` are phrases true of this very instance ("with a handle", "without a lid").
    """

    geometry: ModelGeometry
    colors: tuple[str, ...]
    material: str
    pattern: str
    shape: str
    density: float
    features: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[float, float, float]:
        """Extent along x, y and z in meters."""
        low, high = self.geometry.bounds
        x, y, z = (round(float(side), 6) for side in high - low)
        return x, y, z


Generator = Callable[[np.random.Generator], Instance]
_GENERATORS: dict[str, Generator] = {}
_OWN_WORDS: dict[tuple[str, str], KindWords] = {}
"""By module and name of a kind of one's own."""


@dataclass(frozen=True)
class KindWords:
    """What is said of a sort of object: an entry of `words.yaml`, or beside the generator of a kind of one's own.

    `hypernyms` go from near to far ("cup", "tableware"); `function` is what it is used for ("drinking tea");
    `description` says how it looks, from only the name; `longest` is the range of the longest side in meters.
    """

    name: str
    synonyms: tuple[str, ...]
    hypernyms: tuple[str, ...]
    function: str
    description: str
    longest: tuple[float, float]

    @property
    def id(self) -> str:
        """Id in an object set, `rubiks_cube`."""
        return self.name.replace(" ", "_").replace("'", "")

    def catalog_entry(self) -> CatalogObject:
        """Return the entry in a catalog: what is true of all instances."""
        return CatalogObject(
            model_id=self.id,
            name=self.name,
            split="id",
            size=(0.0, 0.0, 0.0),
            category=self.hypernyms[0],
            function=self.function,
            synonyms=self.synonyms,
            description=self.description,
            hypernyms=self.hypernyms[1:],
        )


@dataclass(frozen=True)
class Kind(KindWords):
    """A sort of object, with the words for it and the generator of its instances."""

    sample: Generator

    def instance(self, seed: int) -> Instance:
        """Return an instance; the same one for the same name and seed, whatever other kinds there are.

        :raises InvalidArgumentError: for a negative seed
        """
        if seed < 0:
            raise InvalidArgumentError(f"expected a seed of at least 0, but got {seed}")
        words = np.frombuffer(hashlib.sha256(self.name.encode()).digest()[:16], dtype="<u4")
        made = self.sample(np.random.default_rng([*words.tolist(), seed]))
        return checked_result(made, Instance, self.name, "a kind")

    def model_id(self, seed: int) -> str:
        """Return the id of an instance in an object set, `rubiks_cube-3`."""
        return f"{self.id}-{seed}"

    def catalog_object(self, seed: int, instance: Instance) -> CatalogObject:
        """Return the entry of an instance in a catalog."""
        return replace(
            self.catalog_entry(),
            model_id=self.model_id(seed),
            split="none",
            size=instance.size,
            density=instance.density,
            colors=instance.colors,
            shape=instance.shape,
            material=instance.material,
        )

    def words(self, seed: int, instance: Instance) -> dict[str, object]:
        """Return everything said of an instance, for JSON."""
        return {
            "kind": self.name,
            "seed": seed,
            "synonyms": list(self.synonyms),
            "hypernyms": list(self.hypernyms),
            "function": self.function,
            "description": self.description,
            "colors": list(instance.colors),
            "material": instance.material,
            "pattern": instance.pattern,
            "shape": instance.shape,
            "features": list(instance.features),
            "phrases": instance_phrases(self.name, instance),
            "size": list(instance.size),
        }


def instance_phrases(name: str, instance: Instance) -> list[str]:
    """Return noun phrases that are true of an instance: "red mug", "striped ceramic mug", "mug with a handle"."""
    color = " and ".join(instance.colors[:2])
    material = instance.material
    phrases = [f"{instance.colors[0]} {name}", f"{color} {name}"]
    if material != UNSAID_MATERIAL:
        phrases += [f"{material} {name}", f"{color} {material} {name}"]
    if instance.pattern != "plain":
        phrases += [f"{instance.pattern} {name}", f"{color} {instance.pattern} {name}"]
        if instance.pattern in _NOUNS and len(instance.colors) > 1:
            phrases.append(f"{instance.colors[0]} {name} with {instance.colors[1]} {_NOUNS[instance.pattern]}")
    phrases += [f"{name} {feature}" for feature in instance.features if feature.startswith("with")]
    phrases += [f"{feature} {name}" for feature in instance.features if not feature.startswith("with")]
    return list(dict.fromkeys(phrases))


_NOUNS = {"striped": "stripes", "dotted": "dots", "checkered": "checks", "speckled": "speckles", "floral": "flowers"}


def generates(kind: str | KindWords) -> Callable[[Generator], Generator]:
    """Register a function as the generator of a kind.

    :param kind: a name in `words.yaml`, or the words of a kind of one's own, see `OWN_KINDS`
    :raises InvalidArgumentError: for words that are not as `words.yaml` has them, or a kind that has a generator
    """
    name = kind.name if isinstance(kind, KindWords) else kind

    def register(generator: Generator) -> Generator:
        other = _GENERATORS.setdefault(name, generator).__module__
        if other != generator.__module__:
            raise InvalidArgumentError(
                f"expected one generator of {name!r}, but got two: of {other} and of "
                f"{generator.__module__}; rename the kind in one"
            )
        _GENERATORS[name] = generator
        if isinstance(kind, KindWords):
            _OWN_WORDS[generator.__module__, name] = _checked_words(kind)
        return generator

    return register


def _checked_words(words: KindWords) -> KindWords:
    try:
        checked = check_json(asdict(words), KindWords)
    except ValueError as error:
        raise InvalidArgumentError(f"expected words of the kind {words.name!r}, but {error}") from error
    if not re.fullmatch(r"[a-z0-9][a-z0-9' -]*", checked.name) or not checked.hypernyms:
        raise InvalidArgumentError(
            f"expected a kind with a name of lower-case letters and a hypernym, but got {checked.name!r} and "
            f"{list(checked.hypernyms)}"
        )
    return checked


@lru_cache(maxsize=1)
def all_kinds() -> tuple[Kind, ...]:
    """Return every kind, ordered by name, those of one's own among them.

    :raises InvalidArgumentError: for words without a generator, a word that means two kinds, or a module of one's own
        that cannot be imported
    """
    for family in FAMILIES:
        import_module(f"pickclutter_lang.kinds.{family}")
    words = words_of_kinds()
    if lacking := {item.name for item in words} ^ _GENERATORS.keys():
        got = ", ".join(sorted(lacking))
        raise InvalidArgumentError(f"expected words and a generator of each kind, but {got} lack one of them")
    return tuple(Kind(**vars(item), sample=_GENERATORS[item.name]) for item in words)


@lru_cache(maxsize=1)
def words_of_kinds() -> tuple[KindWords, ...]:
    """Return the words of every kind, ordered by name, without a look at the generators of the package.

    :raises InvalidArgumentError: for a word that means two kinds, or a module of one's own that cannot be imported
    """
    for module in filter(None, os.environ.get(OWN_KINDS, "").split(",")):
        import_named(module, OWN_KINDS)
    text = (files("pickclutter_lang.kinds") / "words.yaml").read_text()
    rows = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    words = check_json([{"name": name, **row} for name, row in rows.items()], list[KindWords])
    words = sorted([*words, *_OWN_WORDS.values()], key=lambda item: item.name)
    check_unique_names(words)
    return tuple(words)


def find_kinds(names: Sequence[str]) -> list[Kind]:
    """Return kinds by name, in the order of the names.

    :raises UnknownObjectError: with the nearest names, when there is no such kind
    :raises InvalidArgumentError: for a name that is given twice
    """
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise InvalidArgumentError(f"expected each kind once, but got {twice!r} twice; leave one away")
    known = {kind.name: kind for kind in all_kinds()}
    for name in names:
        if name not in known:
            own = f"; a kind of your own is known where {OWN_KINDS} names its module"
            raise UnknownObjectError(f"no kind is named {name!r}{did_you_mean(name, known)}{own}")
    return [known[name] for name in names]


def check_unique_names(kinds: Sequence[KindWords]) -> None:
    """Check that no name or synonym means two kinds, and no name of a kind is a hypernym of another.

    :raises InvalidArgumentError: with the word and its kinds
    """
    owner: dict[str, str] = {}
    for kind in kinds:
        for word in (kind.name, *kind.synonyms):
            if word in owner:
                raise InvalidArgumentError(
                    f"expected a word to mean one kind, but {word!r} means {owner[word]!r} and {kind.name!r}"
                )
            owner[word] = kind.name
    for kind in kinds:
        for word in kind.hypernyms:
            if word in owner:
                raise InvalidArgumentError(
                    f"expected hypernyms that mean no kind, but {word!r} of {kind.name!r} means {owner[word]!r}"
                )

"""`catalog.yaml`: names, words, splits, licenses and sources of objects of one's own, read and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from msgspec import Meta

from pickclutter_lang.errors import DatasetError, MissingAssetsError
from pickclutter_lang.objects.catalog import CatalogObject, ObjectSplit, all_objects
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.reading import Identifier, Line, Text, check_json, read_file

CATALOG_FILE = "catalog.yaml"
MAX_BYTES = 4 * 2**20
"""Largest catalog file; that of 10000 objects with long descriptions has less."""
MAX_OBJECTS = 10_000
MAX_NAME = 80
"""Longest name in characters; longer ones leave no room in a prompt."""
VERSION = 1
_SPLITS: dict[str, ObjectSplit] = {"seen": "id", "unseen": "ood", "none": "none"}
_WORDS = ("synonyms", "category", "colors", "shape", "material", "function", "description")
_Words = Annotated[tuple[Text, ...], Meta(max_length=100)]


@dataclass(frozen=True)
class CatalogEntry:
    """One object of `catalog.yaml`.

    - `split`: whether students train on its name (`seen`), never do (`unseen`), or it lies in no pile (`none`)
    - `synonyms` to `description`: words for it, as of `CatalogObject`
    - `license`, `source`: of its mesh
    """

    id: Identifier
    name: Text
    split: Literal["seen", "unseen", "none"] = "seen"
    synonyms: _Words = ()
    category: Line = ""
    colors: _Words = ()
    shape: Line = ""
    material: Line = ""
    function: Line = ""
    description: Line = ""
    license: Line = ""
    source: Line = ""

    def catalog_object(self, size: tuple[float, float, float] = (0.0, 0.0, 0.0), scale: float = 1.0) -> CatalogObject:
        """Return the object, with the size and scale of its mesh."""
        words = {name: getattr(self, name) for name in _WORDS}
        return CatalogObject(self.id, self.name, _SPLITS[self.split], size, scale, **words)


def entry_of(item: CatalogObject, license: str = "", source: str = "") -> CatalogEntry:
    """Return the entry of an object."""
    split = next(word for word, of in _SPLITS.items() if of == item.split)
    words = {name: getattr(item, name) for name in _WORDS}
    return CatalogEntry(item.model_id, item.name, split, **words, license=license, source=source)  # type: ignore[arg-type]


def words_of_entry(entry: CatalogEntry, item: CatalogObject) -> dict[str, Any]:
    """Return everything said of an object of one's own, for JSON."""
    return {"own": asdict(entry), "size": list(item.size), "scale": item.scale}


def object_of_words(words: Mapping[str, Any]) -> CatalogObject | None:
    """Return the object of the package, or of one's own (`words_of_entry`), of which words are; None of an instance.

    :raises DatasetError: for other words
    """
    if "own" not in words:
        return all_objects().find(str(words["model_id"])) if "model_id" in words else None
    try:
        found = check_json({key: words[key] for key in ("own", "size", "scale")}, _EntryWords)
    except (KeyError, ValueError) as error:
        raise DatasetError(f"cannot read the words of a view's object ({error}); render the views again") from error
    return found.own.catalog_object(found.size, found.scale)


@dataclass(frozen=True)
class _EntryWords:
    own: CatalogEntry
    size: tuple[float, float, float]
    scale: float


@dataclass(frozen=True)
class _File:
    """Content of `catalog.yaml`; its rows are checked one by one."""

    version: int
    objects: Annotated[list[Any], Meta(min_length=1, max_length=MAX_OBJECTS)]


def read_catalog(path: Path) -> tuple[CatalogEntry, ...]:
    """Read a `catalog.yaml`.

    :raises MissingAssetsError: when there is no such file
    :raises DatasetError: naming the object and what is wrong with it
    """
    try:
        data = read_file(path, MAX_BYTES)
    except FileNotFoundError as error:
        raise MissingAssetsError(f"expected a catalog at {path}, but there is no such file") from error
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error
    return parse_catalog(data, path)


def parse_catalog(data: bytes, path: Path) -> tuple[CatalogEntry, ...]:
    """Check the content of a `catalog.yaml`.

    :param path: of the file, for errors
    :raises DatasetError: naming the object and what is wrong with it
    """
    try:
        content = check_json(load_yaml(data), _File)
        if content.version != VERSION:
            raise ValueError(f"expected version {VERSION}, but got {content.version}")
        entries = tuple(_entry(number, row) for number, row in enumerate(content.objects, 1))
        check_unique(entries)
    except ValueError as error:
        raise DatasetError(f"cannot read {path}: {error}; correct it") from error
    return entries


def write_catalog(path: Path, entries: Sequence[CatalogEntry]) -> None:
    """Write a `catalog.yaml` atomically; equal entries give equal bytes.

    :raises DatasetError: for entries that are refused when they are read, or when it cannot be written
    """
    data = catalog_bytes(entries)
    parse_catalog(data, path)
    atomic_write(path, data)


def catalog_bytes(entries: Sequence[CatalogEntry]) -> bytes:
    """Return what `write_catalog` writes: every entry without its empty values."""
    rows = []
    for entry in entries:
        values = {field.name: getattr(entry, field.name) for field in fields(entry)}
        rows.append({key: list(v) if isinstance(v, tuple) else v for key, v in values.items() if v})
    content = {"version": VERSION, "objects": rows}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110).encode()


def check_unique(entries: Sequence[CatalogEntry]) -> None:
    """Check that no id and no name is there twice, and that no name is another object's id, no synonym its name.

    :raises ValueError: naming both objects
    """
    for kind in ("id", "name"):
        values = [getattr(entry, kind) for entry in entries]
        repeated = next((value for value, count in Counter(values).items() if count > 1), None)
        if repeated is not None:
            places = [f"{n} ({entry.id})" for n, entry in enumerate(entries, 1) if getattr(entry, kind) == repeated]
            raise ValueError(f"expected each {kind} once, but objects {' and '.join(places[:2])} have {repeated!r}")
    ids = {entry.id for entry in entries}
    for entry in entries:
        if entry.name != entry.id and entry.name in ids:
            raise ValueError(f"expected another name of {entry.id}, but {entry.name!r} is the id of another object")
    owners = {entry.name: entry.id for entry in entries}
    for entry in entries:
        for word in entry.synonyms:
            if owners.get(word, entry.id) != entry.id:
                raise ValueError(f"expected other synonyms of {entry.id}, but {word!r} is the name of {owners[word]}")


def credits_of(entries: Sequence[CatalogEntry]) -> str:
    """Return licenses and sources as a Markdown table with the objects of each; nothing where none is noted."""
    objects: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        objects.setdefault((entry.license, entry.source), []).append(entry.name)
    if set(objects) <= {("", "")}:
        return ""
    rows = [(of or "not noted", source or "not noted", ", ".join(names)) for (of, source), names in objects.items()]
    return markdown_table(("license", "source", "objects"), rows)


def _entry(number: int, row: Any) -> CatalogEntry:
    """Return a row as an entry.

    :raises ValueError: naming its number, its id where it has one, and the key
    """
    known = row.get("id", row.get("name")) if isinstance(row, dict) else None
    where = f"object {number}" + (f" ({known!a:.60})" if isinstance(known, str) else "")
    if not isinstance(row, dict):
        raise ValueError(f"{where}: expected keys and values (id: ..., name: ...), but got {type(row).__name__}")
    try:
        entry = check_json(row, CatalogEntry)
    except ValueError as error:
        quotes = "; put the text in quotes" if "expected str, but got" in str(error) else ""
        raise ValueError(f"{where}: {str(error).removeprefix('$.').removeprefix('$: ')}{quotes}") from error
    if len(entry.name) > MAX_NAME:
        raise ValueError(f"{where}: expected a name of at most {MAX_NAME} characters, but got {len(entry.name)}")
    for word in (entry.name, *entry.synonyms):
        if word != " ".join(word.lower().split()) or not word.isprintable():
            raise ValueError(f"{where}: expected names of printable lower case with single spaces, but got {word!r}")
    return entry


def load_yaml(data: bytes) -> Any:
    """Parse YAML of plain values.

    :raises ValueError: for other YAML, in one line
    """
    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark is not None else ""
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or type(error).__name__
        raise ValueError(f"it is no YAML of plain values: {' '.join(str(reason).split())}{place}") from error

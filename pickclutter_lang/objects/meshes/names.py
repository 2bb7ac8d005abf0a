"""Names and attributes of imported objects: those that a user gives in a file, and the rows of `catalog.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import yaml

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import display_name
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, MAX_BYTES, VERSION, parse_catalog
from pickclutter_lang.objects.meshes.mesh_sources import MeshSource
from pickclutter_lang.objects.meshes.settings import MAX_DENSITY, MIN_DENSITY
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.json_files import Text, check_json, read_file
from pickclutter_lang.utils.validation import did_you_mean, within

_REMEDY = "correct it"


@dataclass(frozen=True)
class GivenNames:
    """What a file of names says of one mesh; None where it says nothing."""

    name: Text | None = None
    split: Literal["seen", "unseen", "none"] | None = None
    synonyms: tuple[Text, ...] | None = None
    category: Text | None = None
    colors: tuple[Text, ...] | None = None
    shape: Text | None = None
    material: Text | None = None
    function: Text | None = None
    description: Text | None = None
    license: Text | None = None
    source: Text | None = None
    density: float | None = None
    """kg/m^3."""

    @property
    def catalog_fields(self) -> dict[str, Any]:
        """The fields of the catalog that are given."""
        given = {key: value for key, value in asdict(self).items() if value is not None and key != "density"}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in given.items()}


def read_names(path: Path | None, sources: Sequence[MeshSource]) -> dict[str, GivenNames]:
    """Read a file that maps ids, or names of files, to names or to fields of the catalog.

    :param path: None for no file
    :return: id -> what is given for it
    :raises InvalidArgumentError: for a file that cannot be read, a field that is wrong, or a mesh that is not there
    """
    rows = {} if path is None else _read_mapping(path)
    ids = {word: source.model_id for source in sources for word in (source.model_id, source.stem, source.path.name)}
    given = {}
    for key, row in rows.items():
        if str(key) not in ids:
            raise InvalidArgumentError(
                f"expected ids or files of the meshes in {path}, but got {str(key)!r}{did_you_mean(str(key), ids)}"
            )
        try:
            made = check_json({"name": row} if isinstance(row, str) else row, GivenNames)
            if made.density is not None:
                within("density", made.density, MIN_DENSITY, MAX_DENSITY)
        except ValueError as error:
            raise InvalidArgumentError(f"{path} is wrong at {key!r} ({error}); {_REMEDY}") from error
        if made.name is not None and not made.name.strip():
            raise InvalidArgumentError(f"{path} is wrong at {key!r} (a blank name); {_REMEDY}")
        given[ids[str(key)]] = made
    return given


def catalog_rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a folder's `catalog.yaml` by id, as a user may have changed them; none where there is no file.

    :raises InvalidArgumentError: when it cannot be read
    """
    path = folder / CATALOG_FILE
    if not path.is_file():
        return {}
    rows = _read_mapping(path).get("objects")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise InvalidArgumentError(f"{path} is damaged (expected objects: a list with an id each); {_REMEDY}")
    return {row["id"]: row for row in rows}


def catalog_row(
    source: MeshSource, given: GivenNames, before: Mapping[str, Any] | None, defaults: Mapping[str, str]
) -> dict[str, Any]:
    """Return an object's row of the catalog: what is given now, what the row was before, what its form says, defaults.

    What the row before left empty is filled.

    :param before: its row in a catalog that is there
    :param defaults: split, license and source for objects without
    """
    found = {"category": source.category, "description": source.description, "license": source.license}
    row = plain_row(source.model_id, defaults) | {key: value for key, value in found.items() if value}
    kept = {key: value for key, value in (before or {}).items() if value not in ("", [], None)}
    return row | kept | given.catalog_fields


def plain_row(model_id: str, defaults: Mapping[str, str]) -> dict[str, Any]:
    """Return the row of an object of which nothing is known but its id."""
    keys = [field.name for field in fields(GivenNames) if field.name not in ("name", "density")]
    row: dict[str, Any] = {"id": model_id, "name": display_name(model_id)}
    row |= {key: [] if key in ("synonyms", "colors") else "" for key in keys}
    return row | {key: value for key, value in defaults.items() if value}


def check_unique_names(rows: Iterable[Mapping[str, Any]]) -> None:
    """Raise InvalidArgumentError for objects of the same name, or a name that is none."""
    seen: dict[str, str] = {}
    for row in rows:
        name = row.get("name")
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise InvalidArgumentError(f"expected a name of one line for {row['id']}, but got {name!r}; name it anew")
        other = seen.setdefault(name.casefold(), row["id"])
        if other != row["id"]:
            raise InvalidArgumentError(
                f"expected unique names, but {other} and {row['id']} are both {name!r}; name one anew by --names"
            )


def catalog_of_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> bytes:
    """Return the content of a `catalog.yaml`; fields without a value stay in it, to be filled.

    :param path: of the file that the rows come from, for errors
    :raises DatasetError: for rows that `read_catalog` refuses
    """
    content = {"version": VERSION, "objects": sorted((dict(row) for row in rows), key=lambda row: str(row["id"]))}
    data = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110).encode()
    parse_catalog(data, path)
    return data


def write_rows(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write `catalog.yaml`, atomically.

    :raises DatasetError: as `catalog_of_rows`
    """
    atomic_write(folder / CATALOG_FILE, catalog_of_rows(rows, folder / CATALOG_FILE))


def _read_mapping(path: Path) -> dict[Any, Any]:
    """Read a YAML file with a mapping; repeated keys and references, which can make it huge, are refused."""
    try:
        text = read_file(path, MAX_BYTES).decode()
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ValueError("expected no references (*name)")
        _check_keys(yaml.compose(text, yaml.SafeLoader))
        content = yaml.safe_load(text)
    except OSError as error:
        raise InvalidArgumentError(f"cannot read {path}: {error.strerror}; {_REMEDY}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"{path} is damaged ({' '.join(str(error).split())[:200]}); {_REMEDY}") from error
    if not isinstance(content, dict):
        raise InvalidArgumentError(f"{path} is damaged (expected a mapping); {_REMEDY}")
    return content


def _check_keys(node: yaml.Node | None) -> None:
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        repeated = next((key for key in keys if keys.count(key) > 1), None)
        if repeated is not None:
            raise ValueError(f"expected keys once, but {repeated!r} is there twice")
        for _, value in node.value:
            _check_keys(value)

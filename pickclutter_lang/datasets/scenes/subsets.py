"""Subsets of a scene store: JSON lists of the ids of the scenes that are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pickclutter_lang.errors import DatasetError
from pickclutter_lang.utils.json_files import read_json


def read_split(path: str | Path) -> list[str]:
    """Read a split: a JSON list of scene ids such as `"ood/0/17"` (split, seed, index).

    :raises DatasetError: when there is no such file, or it is no list of different texts
    """
    remedy = 'it must be a JSON list of scene ids, such as ["ood/0/0", "ood/0/1"]'
    ids: list[str] = read_json(Path(path), list[str], DatasetError, remedy)
    if not ids:
        raise DatasetError(f"expected scene ids in {path}, but the list is empty; {remedy}")
    if len(set(ids)) < len(ids):
        raise DatasetError(f"expected different scene ids in {path}, but {len(ids) - len(set(ids))} are there twice")
    return ids


def rows_for_ids(ids: Sequence[str], stored: Sequence[str], path: str | Path) -> list[int]:
    """Return the rows of a store whose scene ids are `stored`, in the order of a split.

    :param path: the store, for the message
    :raises DatasetError: naming ids that are not in the store
    """
    rows = {name: row for row, name in enumerate(stored)}
    missing = [name for name in ids if name not in rows]
    if missing:
        raise DatasetError(
            f"expected the scenes of the split in the store at {path}, but {len(missing)} are not there, such as "
            f"{missing[0]}; name the store that holds them"
        )
    return [rows[name] for name in ids]


def check_disjoint(splits: Mapping[str, Mapping[str, str]]) -> None:
    """Check that no two splits have a scene in common.

    :param splits: name -> what is equal for equal scenes, such as a hash of their content -> id of the scene
    :raises DatasetError: naming a shared scene
    """
    owner: dict[str, str] = {}
    for name, scenes in splits.items():
        shared = [content for content in scenes if content in owner]
        if shared:
            raise DatasetError(
                f"{owner[shared[0]]} and {name} share {len(shared)} scenes, such as {scenes[shared[0]]}; what is "
                "trained on must not be evaluated on: give each its own scenes of one store, "
                "data.scene_subsets={fewshot: few.json, ood: rest.json}, or collect one of them with another seed"
            )
        owner |= dict.fromkeys(scenes, name)

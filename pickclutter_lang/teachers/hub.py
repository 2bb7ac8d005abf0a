"""Pocket teachers on the Hugging Face Hub: fetched by name, and pushed with a model card."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers.pocket import TEACHER_FILES, load_pocket_teacher
from pickclutter_lang.utils.cards import Figure, hub_card
from pickclutter_lang.utils.hub_files import push_folder
from pickclutter_lang.utils.json_files import read_json

_CARD, _FIGURES = "MODEL_CARD.md", "figures.json"


class _Figures(TypedDict, total=False):
    """What is read of a teacher's `figures.json`."""

    views: dict[str, dict[str, Any]]
    kinds: dict[str, dict[str, Any]]


def push_teacher(folder: Path, repository: str, private: bool = False, **place: Any) -> str:
    """Push a teacher's folder with a model card to a repository of the hub, which is made if it is not there.

    :param repository: `owner/name`
    :param place: `token` and `endpoint` of the hub
    :return: address of the commit
    :raises TeacherError: for a damaged folder
    :raises HubError: when the hub refuses it or cannot be reached
    :raises InvalidArgumentError: for another form of `repository`
    """
    load_pocket_teacher(folder)
    return push_folder(folder, TEACHER_FILES, teacher_card(folder, repository), repository, private=private, **place)


def teacher_card(folder: Path, repository: str) -> str:
    """Return the model card of a teacher's folder, with the hub's metadata and the accuracies of `figures.json`."""
    found = _accuracies(folder / _FIGURES) if (folder / _FIGURES).exists() else {}
    task = "zero-shot-image-classification"
    figures = [Figure(task, name, "accuracy", value) for name, value in found.items()]
    beside = [path for path in (folder / _CARD, folder.parent / _CARD) if path.is_file()]
    text = beside[0].read_text() if beside else "A small CLIP of renders.\n"
    commands = (
        f"```sh\npickclutter fetch repository={repository} kind=teacher out=teacher\npickclutter look image=photo.png "
        "names=[mug,lemon] checkpoint=teacher\n```"
    )
    tags = ["pickclutter-lang", "clip", "zero-shot-classification"]
    return hub_card(repository, f"{text}\n{commands}", figures, library_name="pickclutter-lang", tags=tags)


def _accuracies(path: Path) -> dict[str, float]:
    """Read the top-1 accuracy on each group of held-out views from a teacher's `figures.json`."""
    figures = read_json(path, _Figures, TeacherError, "delete it, or evaluate the teacher again")
    groups = [figures.get("views", {}), figures.get("kinds", {})]
    found = {name: row.get("top1") for group in groups for name, row in group.items()}
    return {name: float(top1) for name, top1 in found.items() if isinstance(top1, (int, float))}

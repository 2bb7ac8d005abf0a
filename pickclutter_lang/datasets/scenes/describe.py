"""The files that describe a complete scene store to people and to other programs."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.datasets.scenes.contact_sheet import SHEET_FILE, write_contact_sheet
from pickclutter_lang.datasets.scenes.dataset_card import DATASET_CARD_FILE, write_dataset_card
from pickclutter_lang.datasets.scenes.maniskill_episodes import EPISODES_FILE, write_episodes


def describe_store(folder: Path, rewrite: bool) -> None:
    """Write card, contact sheet and episodes: those that are missing, or all.

    :param rewrite: whether shards are new, so that the files that are there may be of others
    """
    for name, write in (
        (DATASET_CARD_FILE, write_dataset_card),
        (SHEET_FILE, write_contact_sheet),
        (EPISODES_FILE, write_episodes),
    ):
        if rewrite or not (folder / name).is_file():
            write(folder)

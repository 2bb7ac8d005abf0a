"""The episodes on the page of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from helpers.browser import opened
from pickclutter_lang.evaluation.episode_page import MOST_ROWS, episode_gallery, episode_table
from pickclutter_lang.evaluation.videos import video_name
from pickclutter_lang.reports.page import write_page


def episode(seed: int, **changes: Any) -> dict[str, Any]:
    plain = {
        "variant": "few_shot", "seed": seed, "kind": "drawn", "instruction": "pick the lemon", "target": "lemon",
        "seen": True, "present": True, "declared_absent": False, "success": True, "wrong_objects": 0, "steps": 80,
        "score": 0.8, "threshold": 0.5, "expected": ["lemon"], "followed": True,
    }  # fmt: skip
    return plain | changes


def test_videos_and_episodes_are_filtered_by_object_and_outcome(tmp_path: Path) -> None:
    missed = {"target": "dice", "seen": False, "success": False, "declared_absent": True, "instruction": "a | <dice>"}
    episodes = [*(episode(n) for n in range(6)), *(episode(n, **missed) for n in range(6, 12))]
    names = [f"{video_name(episodes[0])}.gif", f"{video_name(episodes[6])}.png"]
    (tmp_path / "videos").mkdir()
    frames = [Image.fromarray(np.full((32, 64, 3), value, np.uint8)) for value in (10, 200)]
    frames[0].save(tmp_path / names[0], save_all=True, append_images=frames[1:], duration=400)
    frames[0].save(tmp_path / names[1])
    gallery = episode_gallery(episodes, names, "picking", tmp_path)
    assert [card.media.mime for card in gallery.cards if card.media] == ["video/mp4", "image/jpeg"]
    text = f"# Episodes\n\n![v](v)\n\n{episode_table(episodes, 'picking')}"
    with opened(write_page(tmp_path / "report.html", text, {"v": gallery})) as (page, problems):
        page.locator(".gallery").get_by_label("outcome").select_option("present, predicted absent")
        assert page.locator(".card:visible").count() == 1 and not page.locator("video").is_visible()
        rows = page.locator("tbody tr:visible")
        assert rows.count() == 12
        page.locator("main > .filters").get_by_label("outcome").select_option("placed")
        assert rows.count() == 6 and set(rows.locator("td:nth-child(5)").all_inner_texts()) == {"lemon"}
        assert page.locator("td").filter(has_text="a | <dice>").count() == 6 and problems.messages == []


def test_the_table_is_bounded() -> None:
    assert len(episode_table([episode(n) for n in range(MOST_ROWS + 5)], "picking").splitlines()) == MOST_ROWS + 2

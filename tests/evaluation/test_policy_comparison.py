"""Evaluations of policies that are compared: pairs by pile, what is not paired, and charts of episodes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from helpers.episodes import episode
from pickclutter_lang.commands import main
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.evaluation.episode_charts import object_rates, plot_objects, plot_scores
from pickclutter_lang.evaluation.policy_comparison import differences, load_evaluation, unpaired
from pickclutter_lang.experiments.compare_config import CompareRunsConfig, kind_of_runs
from pickclutter_lang.reports.charts import inline_svg

IDENTITY = {
    "objects": "proxy", "split": "ood", "absent_probability": 0.25, "control_mode": "pd_ee_delta_pose",
    "meshes": "abc", "schema": 6,
}  # fmt: skip


def evaluation(folder: Path, placed: str, seed: int = 0, identity: Any = None, **changes: Any) -> Path:
    """Write an evaluation whose episodes succeed where `placed` has a 1."""
    episodes = [
        episode(seed=seed + n, success=one == "1", target=f"object {(seed + n) % 3}", seen=(seed + n) % 3 > 0)
        for n, one in enumerate(placed)
    ]
    episodes = [one | changes.get("episode", {}) for one in episodes]
    config = {"suite": "picking", "seed": seed, "episodes": len(placed), "split": "ood"} | changes.get("config", {})
    variants: dict[str, Any] = {one["variant"]: {} for one in episodes}
    key = "variants" if config["suite"] == "picking" else "suite"
    folder.mkdir()
    result = {"schema": 6, "config": config, "revisions": ["r"], "teacher_thresholds": None, key: variants}
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "config.json").write_text(json.dumps(IDENTITY | (identity or {})))
    (folder / "episodes.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in episodes))
    return folder


def test_a_difference_is_that_of_the_same_piles(tmp_path: Path) -> None:
    first = load_evaluation(evaluation(tmp_path / "a", "1100110011"))
    other = load_evaluation(evaluation(tmp_path / "b", "1111100", seed=3))  # piles 3 to 9, of which the first has all
    assert unpaired(first, other) is None
    found = differences(first, other)["few_shot", "all", "success"]
    mine, theirs = [0, 1, 1, 0, 0, 1, 1], [1, 1, 1, 1, 1, 0, 0]
    assert found.piles == 7 and found.difference == pytest.approx((sum(theirs) - sum(mine)) / 7)
    alone = sum(t > m for m, t in zip(mine, theirs, strict=True)), sum(t < m for m, t in zip(mine, theirs, strict=True))
    assert (found.first_only, found.second_only) == alone == (3, 2)
    assert found.p_value == pytest.approx(binomtest(3, 5).pvalue)
    seen = differences(first, other)["few_shot", "seen", "success"].piles
    unseen = differences(first, other)["few_shot", "unseen", "success"].piles
    assert (seen, unseen) == (4, 3)


def test_kinds_of_instructions_are_compared_each_for_itself(tmp_path: Path) -> None:
    """A pile counts once for each kind, and episodes of another suite in the same folder do not count."""
    language = {"suite": "language", "seed": 0, "episodes": 6}
    folders = [evaluation(tmp_path / name, "111111", config=language) for name in ("a", "b")]
    for folder, right in zip(folders, ("named", "synonym"), strict=True):
        rows = [
            episode(seed=seed, kind=kind, followed=kind == right)
            for seed in range(6)
            for kind in ("named", "synonym", "drawn")
        ]
        (folder / "episodes.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    runs = [load_evaluation(folder) for folder in folders]
    assert {one["kind"] for run in runs for one in run.episodes} == {"named", "synonym"}
    found = {rate: one for (_, group, rate), one in differences(*runs).items() if group == "all"}
    assert {rate: (one.difference, one.piles) for rate, one in found.items()} == {
        "right, named": (-1.0, 6),
        "right, synonym": (1.0, 6),
    }
    rates = object_rates(runs[0].episodes, "language")["lemon"]
    assert rates is not None and rates.value == 1  # the name alone: the synonyms, of which none is right, do not count


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seed": 50}, "other seeds"),
        ({"identity": {"meshes": "def"}}, "other objects"),
        ({"identity": {"split": "id", "absent_probability": 0.5}}, "other split, absent_probability"),
        ({"identity": {"object_split": 2}}, "other unseen objects"),
        ({"config": {"suite": "language"}}, "another suite"),
        ({"episode": {"variant": "own"}}, "other variants"),
        ({"episode": {"instruction": "take the dice"}}, "other instructions"),
    ],
)
def test_what_is_not_of_the_same_piles_is_named(changes: dict[str, Any], why: str, tmp_path: Path) -> None:
    first, other = evaluation(tmp_path / "a", "1100"), evaluation(tmp_path / "b", "1110", **changes)
    assert unpaired(load_evaluation(first), load_evaluation(other)) == why
    assert main(["compare-runs", f"runs=[{first},{other}]", f"out={tmp_path / 'page'}"]) == 0
    page = (tmp_path / "page" / "report.html").read_text()
    assert f"not paired, {why}." in page and f"not paired: {why}</td>" in page


def test_the_page_has_rates_settings_and_what_was_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = evaluation(tmp_path / "a", "1100")
    other = evaluation(tmp_path / "b", "1110", identity={"few_shot": "hash"}, config={"false_positive_rate": 0.3})
    assert main(["compare-runs", f"runs=[{first},{other}]", f"out={tmp_path / 'page'}"]) == 0
    assert capsys.readouterr().out == f"report: {tmp_path / 'page' / 'report.html'}\n"
    page = (tmp_path / "page" / "report.html").read_text()
    table = page.split("What differs</h2>")[1].split("</table>")[0]
    names = re.findall(r"<td><code>([^<]*)</code></td>", table)
    assert names == ["false_positive_rate", "of the episodes: few_shot"]
    assert "50 (15 to 85; 2/4)" in page and "paired on 4 episodes of <code>few_shot</code>" in page
    assert "+25 (+0 to +75; 4)" in page and page.count("<svg") == 2


@pytest.mark.parametrize("name", ["result.json", "config.json", "episodes.jsonl"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "a", "10")
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        load_evaluation(folder)


def test_runs_of_several_kinds_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = evaluation(tmp_path / "a", "10")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "result.json").write_text(json.dumps({"schema": 4, "kind": "images"}))
    assert kind_of_runs([str(policy)]) == "policy"
    with pytest.raises(SystemExit, match="2"):
        main(["compare-runs", f"runs=[{policy},{tmp_path / 'b'}]", f"out={tmp_path / 'page'}"])
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and f"{policy} is of policy, {tmp_path / 'b'} is of images" in line
    assert not (tmp_path / "page").exists()


def test_rates_of_objects_are_those_of_their_episodes() -> None:
    own = [episode(success=True), episode(success=False), episode(target="dice", seen=False, success=False)]
    rates = object_rates(own, "picking")
    assert [*rates] == ["lemon", "dice"]  # the unseen one comes last
    assert rates["lemon"] is not None and rates["lemon"].value == 0.5 and rates["lemon"].low < 0.1
    assert object_rates([episode(followed=False)], "language")["lemon"].value == 0  # type: ignore[union-attr]
    assert ">dice *</text>" in inline_svg(plot_objects(own, "picking"))


def test_scores_are_drawn_by_what_is_there() -> None:
    absent = {"present": False, "visible": False}
    own = [
        episode(score=0.9, threshold=0.8),
        episode(score=0.7, threshold=0.8),
        episode(score=0.3, threshold=0.2, **absent),
    ]
    figure = plot_scores([*own, episode(variant="oracle", score=1.0, threshold=0.5)])
    assert figure is not None
    text = inline_svg(figure)
    assert "visible: 1 of 2 above" in text and "absent: 1 of 1 above" in text and "oracle" not in text
    assert plot_scores([episode(variant="oracle")]) is None


@pytest.mark.parametrize(("key", "other"), [("out", "runs/comparison"), ("tables", "runs/numbers")])
def test_what_others_wrote_is_not_replaced(key: str, other: str, tmp_path: Path) -> None:
    runs = [str(tmp_path / "a"), str(tmp_path / "b")]
    CompareRunsConfig(runs, **{key: other}).validate()
    with pytest.raises(InvalidArgumentError, match=f"expected {key} to be a folder of its own, but .* of a run"):
        CompareRunsConfig(runs, **{key: f"{runs[1]}/../b"}).validate()
    (tmp_path / "table12.md").write_text("of a sweep")
    with pytest.raises(InvalidArgumentError, match="is that of a sweep"):
        CompareRunsConfig(runs, **{key: str(tmp_path)}).validate()


def test_numbers_are_of_runs_on_scenes_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, other = evaluation(tmp_path / "a", "10"), evaluation(tmp_path / "b", "11")
    with pytest.raises(SystemExit, match="2"):
        main(["compare-runs", f"runs=[{first},{other}]", f"out={tmp_path / 'page'}", f"tables={tmp_path / 'numbers'}"])
    assert "expected runs on scenes for tables=" in capsys.readouterr().err
    assert not (tmp_path / "page").exists() and not (tmp_path / "numbers").exists()

"""The whole path of one's own objects: meshes, import, scenes, training, evaluation, policy, picks by name, demo."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from helpers.own_objects import MESHES, UNSEEN, make_own_set, own_entry
from helpers.scene_runs import SMALL, config, make_teacher
from pickclutter_lang.demo.config import DemoConfig
from pickclutter_lang.demo.page import open_session
from pickclutter_lang.envs.config import CollectConfig
from pickclutter_lang.envs.generation.collect import collect
from pickclutter_lang.evaluation.config import PickConfig, PolicyEvalConfig
from pickclutter_lang.evaluation.evaluate import evaluate_policy
from pickclutter_lang.evaluation.pick import pick
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.objects.meshes import ModelSettings
from pickclutter_lang.objects.meshes.importer import import_meshes
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy

SIDE = 48
NAMES = [own_entry(model_id).name for model_id in sorted(MESHES)]
UNSEEN_NAMES = {own_entry(model_id).name for model_id in UNSEEN}


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `import-mesh` makes of ten files and a file of names."""
    root = tmp_path_factory.mktemp("own")
    made = make_own_set(root / "made", catalog=False)
    for parts in made.glob("models/*/collision.obj"):
        parts.unlink()
    given = {entry.id: {k: v for k, v in asdict(entry).items() if v and k != "id"} for entry in map(own_entry, MESHES)}
    (root / "names.yaml").write_text(json.dumps(given))  # JSON is YAML
    files = [made / "models" / model_id / "textured.obj" for model_id in MESHES]
    settings = ModelSettings(max_parts=8, threshold=0.9)  # nearly hulls: a second for each
    result = import_meshes(files, root / "mine", settings, root / "names.yaml", {"split": "seen"}, workers=1)
    assert set(result.models) == set(MESHES) and not result.broken
    return root / "mine"


@pytest.fixture(scope="module")
def policy_folder(mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported student of a run on scenes of the folder."""
    root = tmp_path_factory.mktemp("path")
    (root / "scenes").mkdir()
    for split in ("train", "id", "ood", "fewshot"):
        out = str(root / "scenes" / split)
        collect(CollectConfig(split=split, scenes=4, objects=str(mine), image_size=SIDE, workers=1, out=out))
    given = [f"scenes={root / 'scenes'}", f"teacher.checkpoint={make_teacher(root / 'teacher')}", *SMALL]
    run = SceneRun.open(config(*given, "distill.epochs=1", "few_shot.epochs=1", f"out={root / 'run'}"))
    run.train()
    evaluate_run(run)
    return export_policy(PolicyExportConfig(str(root / "run"), num_threads=1, out=str(root / "policy")))


@pytest.mark.sim
@pytest.mark.slow
def test_ones_own_objects_are_picked_by_name_evaluated_and_shown(
    mine: Path, policy_folder: Path, tmp_path: Path
) -> None:
    policy = LanguagePickPolicy.load(policy_folder)
    assert list(policy.detector.names) == NAMES
    env = policy.make_env(str(mine))
    observation, info = env.reset(seed=1, options={"target": "alarm"})
    action, _ = policy.predict(observation)
    assert info["target_name"] == "alarm" and env.action_space.contains(action)
    env.close()

    out = str(tmp_path / "e")
    given: dict[str, Any] = {"n_videos": 0, "workers": 1, "variants": ["oracle"], "episodes": 1}
    evaluate_policy(PolicyEvalConfig(policy=str(policy_folder), objects=str(mine), suite="language", out=out, **given))
    rows = [json.loads(line) for line in (tmp_path / "e" / "episodes.jsonl").read_text().splitlines()]
    named = {row["kind"]: row for row in rows}
    assert {row["target"] for row in rows} <= {*NAMES} and named["absent"]["present"] is False
    assert all(row["seen"] is (row["target"] not in UNSEEN_NAMES) for row in rows)
    assert named["named"]["picked"][:1] in ([named["named"]["target"]], [])

    film = tmp_path / "p.mp4"
    found = pick(PickConfig("a lab thing", str(policy_folder), objects=[str(mine), "proxy"], out=str(film)))
    assert found.target in NAMES and film.stat().st_size > 1000
    with open_session(DemoConfig(policy=str(policy_folder), objects=str(mine), num_threads=1)) as session:
        pile = session.pile(0)
        assert 4 <= len(pile.objects) <= 9 and {*pile.objects} <= {*NAMES}
        assert len(session.ask(pile, ["tea mug", "alarm"], teacher=False)) == 2

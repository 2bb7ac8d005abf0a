"""The exported student: policy folder, imports, images and names, environment wrappers, features extractor."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pytest
import torch

from helpers.scene_runs import SMALL, config, make_finished_run, make_toys, names_of_objects
from pickclutter_lang.datasets.cameras import CameraImages
from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError, TeacherError
from pickclutter_lang.experiments.scenes.command_configs import PolicyExportConfig
from pickclutter_lang.experiments.scenes.export_policy import export_policy, policy_thresholds
from pickclutter_lang.experiments.scenes.load import load_trained_run
from pickclutter_lang.experiments.scenes.predictions import Predictions
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.language.descriptions import DescriptionSet
from pickclutter_lang.policy.bundle import load_pretrained, save_pretrained
from pickclutter_lang.policy.config import PolicyConfig
from pickclutter_lang.policy.runtime import StudentRuntime, camera_images

if TYPE_CHECKING:
    import gymnasium

SIDE = 48  # of the images; the student sees them at 32 pixels
CAMERA = {"hand_camera": {"width": SIDE, "height": SIDE}}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, exported after both phases."""
    root = tmp_path_factory.mktemp("policy")
    make_finished_run(root, SIDE)
    for phase in ("distill", "few_shot"):
        export_policy(PolicyExportConfig(str(root / "run"), phase, None, 1, str(root / phase)))
    return root


@pytest.fixture
def student(exported: Path) -> StudentRuntime:
    return StudentRuntime.load(exported / "few_shot")


def images_of_scene(run: SceneRun, row: int) -> dict:
    scenes = run.scenes["ood"]
    return {("hand", "rgb"): scenes.load_images("hand", "rgb", [row])[0]}


def opened(exported: Path, phase: str) -> SceneRun:
    """The run again, with the weights of a phase."""
    overrides = [f"scenes={exported / 'scenes'}", f"teacher.checkpoint={exported / 'teacher'}", *SMALL]
    run = SceneRun.open(config(*overrides, f"out={exported / 'run'}", "distill.epochs=1", "few_shot.epochs=1"))
    run.load_weights(phase)
    return run


@pytest.mark.parametrize("phase", ["distill", "few_shot"])
def test_a_folder_predicts_what_the_run_predicts(exported: Path, phase: str) -> None:
    student, run = StudentRuntime.load(exported / phase), opened(exported, phase)
    names = ["banana", "a red teapot", "lemon"]  # one of them is new
    with torch.no_grad():
        expected = run.model.predict(run.scenes["ood"].batch([3]), names)
    found = student.predict(images_of_scene(run, 3), names)
    np.testing.assert_allclose(found.scores, expected.probabilities[0], atol=1e-5)
    np.testing.assert_allclose(found.attention, expected.attention[0], atol=1e-5)
    assert found.attention.shape == (3, student.map_size, student.map_size)
    assert set(student.names) == {*names_of_objects("id"), *names_of_objects("ood"), "a red teapot"}


@pytest.mark.parametrize("phase", ["distill", "few_shot"])
def test_thresholds_are_quantiles_of_the_scores_of_absent_names(exported: Path, phase: str) -> None:
    student, run, found = StudentRuntime.load(exported / phase), opened(exported, phase), {}
    for store in ("id", "fewshot"):
        scenes = run.scenes[store]
        for split in ("id", "ood"):
            names = names_of_objects(split)
            with torch.no_grad():
                scores = run.model.predict(scenes.batch(range(len(scenes))), names).probabilities.double().numpy()
            there = scenes.labels[:, [scenes.label_names.index(name) for name in names]].numpy()
            found[store, split] = np.quantile(scores[~there], 0.93)
            assert len({student.threshold(name) for name in names}) == 1
    known, unseen = (student.threshold(names_of_objects(split)[0]) for split in ("id", "ood"))
    if phase == "distill":
        assert (known, unseen) == pytest.approx((found["id", "id"], found["id", "ood"]), abs=1e-5)
    else:  # of the known ones the higher, since the student was trained on the few-shot scenes
        assert found["id", "id"] != pytest.approx(found["fewshot", "id"], abs=1e-4)
        assert known == pytest.approx(max(found["id", "id"], found["fewshot", "id"]), abs=1e-5)
        assert unseen == pytest.approx(found["fewshot", "ood"], abs=1e-5)
    assert student.threshold("a new word") == unseen


@pytest.mark.parametrize("higher", ["id", "fewshot"])
def test_of_known_names_the_higher_threshold_of_two_stores_counts(higher: str) -> None:
    scores = {"id": 0.2, "fewshot": 0.2} | {higher: 0.6}
    stores = [
        Predictions(
            torch.full((4, 2), scores[store]),
            torch.zeros(4, 2, dtype=torch.bool),
            ["a", "b"],
            torch.tensor([False, True]),
            list("wxyz"),
        )
        for store in ("id", "fewshot")
    ]
    found = policy_thresholds(0.07, *stores)
    assert found == pytest.approx({"a": 0.6, "b": scores["fewshot"]})
    assert policy_thresholds(0.07, stores[0], None) == pytest.approx({"a": scores["id"], "b": scores["id"]})


def test_names_that_come_later_need_no_description(tmp_path: Path) -> None:
    """A student that learned descriptions: a new name stands alone, wherever the files of descriptions are."""
    texts = tmp_path / "mine.json"
    descriptions = {
        name: f"which is number {n}" for n, name in enumerate(names_of_objects("id") + names_of_objects("ood"))
    }
    DescriptionSet("mine", "standard", "none", "", "", "none", "a test", descriptions).save(texts)
    overrides = make_toys(tmp_path)
    described = [f"prompts.descriptions={texts}", "prompts.extra_descriptions=[succinct]", f"out={tmp_path / 'run'}"]
    run = SceneRun.open(config(*overrides, *described))
    run.train()
    export_policy(PolicyExportConfig(str(tmp_path / "run"), "few_shot", None, 1, str(tmp_path / "policy")))
    run.load_weights("few_shot")
    names = ["a red teapot", "Lemon", "lemon"]
    with torch.no_grad():
        expected = run.model.predict(run.scenes["ood"].batch([3]), names).probabilities[0]
    texts.unlink()
    assert str(tmp_path / "mine") not in (tmp_path / "policy" / "policy.json").read_text()
    found = StudentRuntime.load(tmp_path / "policy").predict(images_of_scene(run, 3), names)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert found.scores[1] != found.scores[2]  # the one is described, the other is not


def test_the_folder_does_not_contain_the_paths_of_its_run(exported: Path) -> None:
    values = json.loads((exported / "few_shot" / "policy.json").read_text())
    values["student"]["teacher"].pop("checkpoint")
    assert str(exported) not in json.dumps(values)
    assert sorted(path.name for path in (exported / "few_shot").iterdir()) == [
        "policy.json", "text.safetensors", "weights.safetensors",
    ]  # fmt: skip


def test_names_of_the_folder_need_no_teacher(
    exported: Path, student: StudentRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise TeacherError("no teacher here")

    monkeypatch.setattr("pickclutter_lang.teachers.factory.load_teacher", refuse)
    images = {("hand", "rgb"): np.zeros((SIDE, SIDE, 3), np.uint8)}
    assert student.predict(images, ["lemon", "dice"]).scores.shape == (2,)
    with pytest.raises(TeacherError, match=r"no teacher here; names that are known without it: .*lemon"):
        student.predict(images, ["teapot"])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ({}, "expected rgb of the hand camera, but got nothing"),
        ({("base", "rgb"): np.zeros((SIDE, SIDE, 3), np.uint8)}, "rgb of base"),
        ({("hand", "rgb"): np.zeros((64, 64, 3), np.uint8)}, "48 x 48 .* got 64 x 64; .*camera_cfgs"),
        ({("hand", "rgb"): np.zeros((SIDE, SIDE, 4), np.uint8)}, r"uint8 \[48, 48, 3\], but got uint8 \[48, 48, 4\]"),
        ({("hand", "rgb"): np.zeros((SIDE, SIDE), np.uint8)}, r"uint8 \[48, 48, 3\], but got uint8 \[48, 48\]"),
        ({("hand", "rgb"): np.zeros((SIDE, SIDE, 3), np.float32)}, r"but got float32 \[48, 48, 3\]"),
    ],
)
def test_other_images_are_refused(student: StudentRuntime, images: CameraImages, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        student.predict(images, ["lemon"])


def changed(exported: Path, part: str, **values: Any) -> bytes:
    """The configuration of a policy with other values in one part; None: without the key."""
    content = json.loads((exported / "few_shot" / "policy.json").read_text())
    left_out = [key for key, value in values.items() if value is None]
    content[part] = {key: value for key, value in (content[part] | values).items() if key not in left_out}
    return json.dumps(content).encode()


def test_a_folder_from_before_a_setting_has_its_default(exported: Path) -> None:
    content = json.loads((exported / "few_shot" / "policy.json").read_text())
    del content["schema"]
    content["student"]["network"]["negative_attention"] = "own"
    assert PolicyConfig.from_json(content).student.network.student_config.negative_attention == "own"
    del content["student"]["network"]["negative_attention"]
    assert PolicyConfig.from_json(content).student.network.student_config.negative_attention == "positive"


def test_damage_is_named(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="Not a directory"):
        StudentRuntime.load(tmp_path / "file")
    with pytest.raises(CheckpointError, match="export-policy"):
        StudentRuntime.load(tmp_path)
    for name, content, message in (
        ("policy.json", b"{", "damaged"),
        ("policy.json", b'{"schema": 99}', "schema 3 .* got 99.*export-policy"),
        ("policy.json", b'{"schema": 2}', "schema 3 .* got 2; run: pickclutter migrate .*copy"),
        ("policy.json", b"[]", "damaged"),
        ("policy.json", changed(exported, "student", names=None), "missing: names"),
        ("policy.json", changed(exported, "student", names="lemon"), "student.names to be a list"),
        ("policy.json", changed(exported, "student", depth=1), "student.depth to be true or false"),
        ("policy.json", changed(exported, "student", crop_size=64), "camera_size to be at least 64, but got 48"),
        ("policy.json", changed(exported, "student", settings={}), "unknown: settings"),
        ("policy.json", changed(exported, "student", teacher={}), "missing: .*fingerprint"),
        ("policy.json", changed(exported, "student", names=["lemon"]), "text features of 1 names"),
        ("policy.json", changed(exported, "student", phase="fewshot"), "phase to be one of distill, few_shot"),
        ("policy.json", changed(exported, "thresholds", default=2), "default to lie between"),
        ("policy.json", changed(exported, "thresholds", default=True), "default to be a number"),
        ("policy.json", changed(exported, "thresholds", names={}), "a threshold of each name in thresholds.names"),
        ("policy.json", changed(exported, "thresholds", crop_classifier={}), "crop classifier where there is one"),
        ("weights.safetensors", b"123", "damaged"),
        ("text.safetensors", b"123", "damaged"),
    ):
        folder = tmp_path / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(exported / "few_shot", folder)
        (folder / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=message):
            StudentRuntime.load(folder)


def test_another_teacher_is_refused(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "few_shot", tmp_path / "copy")
    values = json.loads((tmp_path / "copy" / "policy.json").read_text())
    values["student"]["teacher"]["fingerprint"] = "0" * 64
    (tmp_path / "copy" / "policy.json").write_text(json.dumps(values))
    with pytest.raises(TeacherError, match="distilled from"):
        StudentRuntime.load(tmp_path / "copy").encode_names(["teapot"])


@pytest.fixture(scope="module")
def environment() -> Callable[..., gymnasium.Env]:
    pytest.importorskip("sapien")
    import gymnasium

    def make(**changes: Any) -> gymnasium.Env:
        given = {"obs_mode": "rgbd", "camera_cfgs": CAMERA, "control_mode": "pd_ee_delta_pose"} | changes
        return gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", **given)

    return make


@pytest.mark.sim
def test_observations_carry_the_students_scores(
    environment: Callable[..., gymnasium.Env], student: StudentRuntime, exported: Path
) -> None:
    from pickclutter_lang.policy.score_wrappers import InstructionEmbedding, TargetScoreObservation
    from pickclutter_lang.teachers import load_teacher

    teacher = load_teacher("pocket", exported / "teacher")
    env = TargetScoreObservation(InstructionEmbedding(environment(), teacher), student, ["lemon", "dice"])
    observation, info = env.reset(seed=3)
    assert env.observation_space.contains(observation)
    expected = teacher.encode_text([info["instruction"]])[0]
    np.testing.assert_allclose(observation["instruction"], expected, atol=1e-5)
    for step in range(2):
        output = student.predict(camera_images(observation), [info["target_name"]])
        added = observation["graspability"]
        np.testing.assert_allclose(added["target"], output.scores, atol=1e-5)
        np.testing.assert_allclose(added["map"], output.attention[0], atol=1e-5)
        np.testing.assert_allclose(
            added["names"], student.predict(camera_images(observation), ["lemon", "dice"]).scores, atol=1e-5
        )
        assert info["target_score"] == pytest.approx(float(output.scores[0]), abs=1e-5)
        assert info["target_threshold"] == student.threshold(info["target_name"])
        observation, *_, info = env.step(env.action_space.sample()) if not step else (None, info)
    env.close()


@pytest.mark.sim
def test_both_libraries_check_the_wrapped_environment(
    environment: Callable[..., gymnasium.Env], student: StudentRuntime, exported: Path
) -> None:
    pytest.importorskip("stable_baselines3")
    from gymnasium.utils.env_checker import check_env as check_gymnasium
    from stable_baselines3.common.env_checker import check_env as check_sb3

    from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation
    from pickclutter_lang.policy.score_wrappers import InstructionEmbedding, TargetScoreObservation
    from pickclutter_lang.teachers import load_teacher

    teacher = load_teacher("pocket", exported / "teacher")
    inner = InstructionEmbedding(DeclareAbsence(environment()), teacher)
    env = FlatObservation(TargetScoreObservation(inner, student))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sb3(env)
        warnings.filterwarnings("ignore", ".*is different from the unwrapped version.*")  # it is a wrapper
        check_gymnasium(env, skip_render_check=True, skip_close_check=True)
    env.close()


@pytest.mark.sim
def test_wrapped_environments_are_vectorized(
    environment: Callable[..., gymnasium.Env], student: StudentRuntime, exported: Path
) -> None:
    from gymnasium.vector import SyncVectorEnv

    from pickclutter_lang.envs.wrappers import DeclareAbsence
    from pickclutter_lang.policy.score_wrappers import InstructionEmbedding, TargetScoreObservation
    from pickclutter_lang.teachers import load_teacher

    teacher = load_teacher("pocket", exported / "teacher")

    def one() -> gymnasium.Env:
        return TargetScoreObservation(InstructionEmbedding(DeclareAbsence(environment()), teacher), student, ["dice"])

    many, alone = SyncVectorEnv([one, one]), one()
    actions = np.zeros(many.action_space.shape, np.float32)
    for n, seed in enumerate((3, 4)):
        seen, infos = many.reset(seed=[3, 4])
        expected, info = alone.reset(seed=seed)
        for _ in range(2):
            for key in ("target", "map", "names"):
                np.testing.assert_array_equal(seen["graspability"][key][n], expected["graspability"][key])
            np.testing.assert_array_equal(seen["instruction"][n], expected["instruction"])
            assert infos["instruction"][n] == info["instruction"]
            assert infos["target_threshold"][n] == info["target_threshold"]
            seen, *_, infos = many.step(actions)
            expected, *_, info = alone.step(actions[n])
    many.close()
    alone.close()


@pytest.mark.sim
def test_other_environments_are_refused(environment: Callable[..., gymnasium.Env], student: StudentRuntime) -> None:
    import gymnasium

    from pickclutter_lang.policy.score_wrappers import TargetScoreObservation

    with pytest.raises(InvalidArgumentError, match="PickClutterLang"):
        TargetScoreObservation(gymnasium.make("CartPole-v1"), student)
    for changes, message in (({"obs_mode": "state"}, "obs_mode"), ({"camera_cfgs": None}, "48 x 48")):
        env = environment(**changes)
        with pytest.raises(InvalidArgumentError, match=message):
            TargetScoreObservation(env, student)
        env.close()


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("frozen", [True, False])
def test_stable_baselines3_learns_on_the_students_features(
    environment: Callable[..., gymnasium.Env], student: StudentRuntime, frozen: bool
) -> None:
    pytest.importorskip("stable_baselines3")
    from stable_baselines3 import PPO

    from pickclutter_lang.envs.wrappers import FlatObservation
    from pickclutter_lang.policy.rl.extractor import StudentFeaturesExtractor

    torch.manual_seed(0)
    env = FlatObservation(environment(reward_mode="normalized_dense"))
    chosen = {"student": student, "frozen": frozen}
    agent = PPO(
        "MultiInputPolicy", env, n_steps=16, batch_size=8, n_epochs=1, seed=0, device="cpu",
        policy_kwargs={"features_extractor_class": StudentFeaturesExtractor, "features_extractor_kwargs": chosen},
    )  # fmt: skip
    before = {name: value.clone() for name, value in agent.policy.features_extractor.scorer.state_dict().items()}
    agent.learn(16)
    changed = [
        name
        for name, value in agent.policy.features_extractor.scorer.state_dict().items()
        if not torch.equal(value, before[name])
    ]
    assert (not changed) if frozen else ("student.global_head.weight" in changed)
    observation, _ = env.reset(seed=0)
    action, _ = agent.predict(observation, deterministic=True)
    assert env.action_space.contains(action)
    env.close()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_traced_network_predicts_what_the_network_predicts_and_can_be_sent(exported: Path, precision: str) -> None:
    config, weights, text = load_pretrained(exported / "few_shot")
    student = StudentRuntime(replace(config.student, precision=precision), weights, text, config.thresholds)
    near = 1e-5 if precision == "float32" else 0.02
    images, names = images_of_scene(opened(exported, "few_shot"), 2), ["lemon", "dice"]
    with torch.no_grad():
        expected = student.scorer.score(student.preprocess(images), student.encode_names(names))
    found = student.predict(images, names)
    assert student._network(student.preprocess(images)).dtype == getattr(torch, precision)
    np.testing.assert_allclose(found.scores, expected.probabilities[0], atol=near)
    np.testing.assert_allclose(found.attention, expected.attention[0], atol=near)
    sent = pickle.loads(pickle.dumps(student))  # as gymnasium does for AsyncVectorEnv
    np.testing.assert_array_equal(sent.predict(images, names).scores, found.scores)


def test_a_policy_is_loaded_without_the_training(exported: Path) -> None:
    """In a fresh process, with a prediction of the folder's names."""
    code = f"""
import sys
import numpy as np
from pickclutter_lang.policy.policy import LanguagePickPolicy

policy = LanguagePickPolicy.load({str(exported / "few_shot")!r})
student = policy.detector.student
student.predict({{("hand", "rgb"): np.zeros(({SIDE}, {SIDE}, 3), np.uint8)}}, ["lemon"])
print(" ".join(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "torch" in loaded and "timm" in loaded  # the network is one of timm's
    libraries = {"hydra", "omegaconf", "tensorboard", "torch.utils.tensorboard", "matplotlib", "h5py", "open_clip"}
    assert not libraries & loaded
    laboratory = ("training", "experiments", "datasets.scenes", "teachers.factory", "distillation", "commands")
    prefixes = tuple(f"pickclutter_lang.{room}" for room in laboratory)
    assert not [name for name in loaded if name.startswith(prefixes)]


def test_importing_the_policy_imports_no_network_library() -> None:
    code = "import sys, pickclutter_lang.policy.policy, pickclutter_lang.policy.score_wrappers; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"timm", "torchvision", "efficientnet_pytorch", "hydra", "h5py", "matplotlib"} & set(done.stdout.split())


def test_a_configuration_is_what_was_saved(exported: Path, tmp_path: Path) -> None:
    config, weights, text = load_pretrained(exported / "few_shot")
    save_pretrained(tmp_path, config, weights, text)
    again, same_weights, same_text = load_pretrained(tmp_path)
    assert again == config and isinstance(config, PolicyConfig)
    assert all(torch.equal(weights[name], same_weights[name]) for name in {*weights, *same_weights})
    assert torch.equal(text.positive, same_text.positive) and torch.equal(text.negative, same_text.negative)
    with pytest.raises(InvalidArgumentError, match="image_size to be at least 1"):
        save_pretrained(tmp_path, replace(config, student=replace(config.student, image_size=0)), weights, text)


@pytest.fixture
def moved(exported: Path) -> Iterator[None]:
    """The run's scene stores and teacher are elsewhere."""
    away = exported / "away"
    away.mkdir()
    for name in ("scenes", "teacher"):
        (exported / name).rename(away / name)
    yield
    for name in ("scenes", "teacher"):
        (away / name).rename(exported / name)
    away.rmdir()


@pytest.mark.parametrize("phase", ["distill", "few_shot"])
def test_a_run_is_exported_without_scenes_and_teacher(exported: Path, moved: None, tmp_path: Path, phase: str) -> None:
    export_policy(PolicyExportConfig(str(exported / "run"), phase, None, 1, str(tmp_path)))
    assert (tmp_path / "policy.json").read_bytes() == (exported / phase / "policy.json").read_bytes()
    for name in ("weights.safetensors", "text.safetensors"):
        assert (tmp_path / name).read_bytes() == (exported / phase / name).read_bytes()


def test_what_an_export_without_scenes_lacks_is_named(exported: Path, moved: None, tmp_path: Path) -> None:
    shutil.copytree(exported / "run", tmp_path / "run")
    (tmp_path / "run" / "predictions" / "few_shot_fewshot.npz").unlink()
    request = PolicyExportConfig(str(tmp_path / "run"), "few_shot", None, 1, str(tmp_path / "policy"))
    with pytest.raises(DatasetError, match=r"scenes=.*no predictions at .*few_shot_fewshot\.npz"):
        export_policy(request)
    path = export_policy(replace(request, scenes=str(exported / "away" / "scenes")))
    found, expected = StudentRuntime.load(path), StudentRuntime.load(exported / "few_shot")
    assert found.thresholds.names == pytest.approx(expected.thresholds.names, abs=1e-6)
    (tmp_path / "run" / "few_shot" / "label_features.safetensors").unlink()
    with pytest.raises(DatasetError, match=r"label_features\.safetensors, so its scene stores"):
        load_trained_run(request)


def test_a_run_without_label_features_is_opened_with_its_scenes_and_teacher(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "run", tmp_path / "run")
    (tmp_path / "run" / "few_shot" / "label_features.safetensors").unlink()
    export_policy(PolicyExportConfig(str(tmp_path / "run"), "few_shot", None, 1, str(tmp_path / "policy")))
    found, expected = (load_pretrained(folder) for folder in (tmp_path / "policy", exported / "few_shot"))
    assert found[0] == expected[0] and torch.equal(found[2].positive, expected[2].positive)

"""The student in use: its folder, frames and names, the wrappers in the real environment, the extractor."""

from __future__ import annotations

import json
import pickle
import shutil
import warnings

import numpy as np
import pytest
import torch
from toy_training import SMALL, make_finished_run, make_toys, names_of_objects, settings

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, TeacherError
from pickclutter_lang.evaluation.predictions import Predictions
from pickclutter_lang.language.descriptions import DescriptionSet
from pickclutter_lang.policy.export import PolicySettings, export_policy, policy_thresholds
from pickclutter_lang.policy.student import GraspabilityStudent
from pickclutter_lang.training import Run

SIDE = 48  # of the pictures; the student sees them at 32 pixels
CAMERA = {"hand_camera": {"width": SIDE, "height": SIDE}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run, exported after both phases."""
    root = tmp_path_factory.mktemp("policy")
    make_finished_run(root, SIDE)
    for phase in ("distill", "fewshot"):
        export_policy(PolicySettings(str(root / "run"), phase, None, 1, str(root / phase)))
    return root


@pytest.fixture
def student(made) -> GraspabilityStudent:
    return GraspabilityStudent.load(made / "fewshot")


def frame_of_scene(run: Run, row: int) -> dict:
    scenes = run.scenes["ood"]
    return {("hand", "rgb"): scenes.pictures("hand", "rgb", [row])[0]}


def opened(made, phase: str) -> Run:
    """The run again, with the weights of a phase."""
    overrides = [f"scenes={made / 'scenes'}", f"teacher.checkpoint={made / 'teacher'}", *SMALL]
    run = Run.open(settings(*overrides, f"out={made / 'run'}", "distill.epochs=1", "fewshot.epochs=1"))
    run.load_weights(phase)
    return run


@pytest.mark.parametrize("phase", ["distill", "fewshot"])
def test_a_folder_says_what_the_run_says(made, phase):
    student, run = GraspabilityStudent.load(made / phase), opened(made, phase)
    names = ["banana", "a red teapot", "lemon"]  # one of them is new
    with torch.no_grad():
        expected = run.model.predict(run.scenes["ood"].batch([3]), names)
    found = student.look(frame_of_scene(run, 3), names)
    np.testing.assert_allclose(found.scores, expected.probabilities[0], atol=1e-5)
    np.testing.assert_allclose(found.maps, expected.maps[0], atol=1e-5)
    assert found.maps.shape == (3, student.map_size, student.map_size)
    assert set(student.names) == {*names_of_objects("id"), *names_of_objects("ood"), "a red teapot"}


@pytest.mark.parametrize("phase", ["distill", "fewshot"])
def test_thresholds_are_quantiles_of_what_absent_names_score(made, phase):
    student, run, found = GraspabilityStudent.load(made / phase), opened(made, phase), {}
    for store in ("id", "fewshot"):
        scenes = run.scenes[store]
        for split in ("id", "ood"):
            names = names_of_objects(split)
            with torch.no_grad():
                scores = run.model.predict(scenes.batch(range(len(scenes))), names).probabilities.double().numpy()
            there = scenes.labels[:, [scenes.names.index(name) for name in names]].numpy()
            found[store, split] = np.quantile(scores[~there], 0.93)
            assert len({student.threshold(name) for name in names}) == 1
    known, unseen = (student.threshold(names_of_objects(split)[0]) for split in ("id", "ood"))
    if phase == "distill":
        assert (known, unseen) == pytest.approx((found["id", "id"], found["id", "ood"]), abs=1e-5)
    else:  # of the known ones the higher, since the student was trained on the few-shot scenes
        assert found["id", "id"] != pytest.approx(found["fewshot", "id"], abs=1e-4)
        assert known == pytest.approx(max(found["id", "id"], found["fewshot", "id"]), abs=1e-5)
        assert unseen == pytest.approx(found["fewshot", "ood"], abs=1e-5)
    assert student.threshold("a word of mine") == unseen


@pytest.mark.parametrize("higher", ["id", "fewshot"])
def test_of_known_names_the_higher_threshold_of_two_stores_counts(higher):
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


def test_names_that_come_later_need_no_description(tmp_path):
    """A student that learned descriptions: a new name stands alone, wherever the files of descriptions are."""
    texts = tmp_path / "mine.json"
    own = {name: f"which is number {n}" for n, name in enumerate(names_of_objects("id") + names_of_objects("ood"))}
    DescriptionSet("mine", "standard", "none", "", "", "none", "a test", own).save(texts)
    overrides = make_toys(tmp_path)
    described = [f"prompts.descriptions={texts}", "prompts.variants=[succinct]", f"out={tmp_path / 'run'}"]
    run = Run.open(settings(*overrides, *described))
    run.train()
    export_policy(PolicySettings(str(tmp_path / "run"), "fewshot", None, 1, str(tmp_path / "policy")))
    run.load_weights("fewshot")
    names = ["a red teapot", "Lemon", "lemon"]
    with torch.no_grad():
        expected = run.model.predict(run.scenes["ood"].batch([3]), names).probabilities[0]
    texts.unlink()
    assert str(tmp_path / "mine") not in (tmp_path / "policy" / "policy.json").read_text()
    found = GraspabilityStudent.load(tmp_path / "policy").look(frame_of_scene(run, 3), names)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert found.scores[1] != found.scores[2]  # the one is described, the other is not


def test_the_folder_tells_nothing_of_where_it_was_made(made):
    text = (made / "fewshot" / "policy.json").read_text()
    card = json.loads(text)
    card["teacher"].pop("checkpoint"), card["settings"]["teacher"].pop("checkpoint")
    assert str(made) not in json.dumps(card)
    assert sorted(path.name for path in (made / "fewshot").iterdir()) == [
        "policy.json", "text.safetensors", "weights.safetensors",
    ]  # fmt: skip


def test_names_of_the_folder_need_no_teacher(made, student, monkeypatch):
    def refuse(*_):
        raise TeacherError("no teacher here")

    monkeypatch.setattr("pickclutter_lang.policy.folder.load_teacher", refuse)
    frame = {("hand", "rgb"): np.zeros((SIDE, SIDE, 3), np.uint8)}
    assert student.look(frame, ["lemon", "dice"]).scores.shape == (2,)
    with pytest.raises(TeacherError, match="no teacher"):
        student.look(frame, ["teapot"])


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({}, "expected rgb of the hand camera, but the frame has nothing"),
        ({("base", "rgb"): np.zeros((SIDE, SIDE, 3), np.uint8)}, "rgb of base"),
        ({("hand", "rgb"): np.zeros((64, 64, 3), np.uint8)}, "48 x 48 .* got 64 x 64; .*camera_cfgs"),
        ({("hand", "rgb"): np.zeros((SIDE, SIDE, 4), np.uint8)}, r"uint8 \[48, 48, 3\], but got uint8 \[48, 48, 4\]"),
        ({("hand", "rgb"): np.zeros((SIDE, SIDE), np.uint8)}, r"uint8 \[48, 48, 3\], but got uint8 \[48, 48\]"),
        ({("hand", "rgb"): np.zeros((SIDE, SIDE, 3), np.float32)}, r"but got float32 \[48, 48, 3\]"),
    ],
)
def test_other_frames_are_refused(student, frame, message):
    with pytest.raises(InvalidArgumentError, match=message):
        student.look(frame, ["lemon"])


def changed(made, **values) -> bytes:
    return json.dumps(json.loads((made / "fewshot" / "policy.json").read_text()) | values).encode()


def test_damage_is_named(made, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="Not a directory"):
        GraspabilityStudent.load(tmp_path / "file")
    with pytest.raises(CheckpointError, match="pickclutter export-policy"):
        GraspabilityStudent.load(tmp_path)
    for name, content, words in (
        ("policy.json", b"{", "damaged"),
        ("policy.json", b'{"schema": 99}', "schema 2 .* got 99"),
        ("policy.json", b"[]", "damaged"),
        ("policy.json", changed(made, names=None), "names"),
        ("policy.json", changed(made, thresholds=None), "thresholds"),
        ("policy.json", changed(made, teacher={}), "teacher"),
        ("weights.safetensors", b"123", "damaged"),
        ("text.safetensors", b"123", "damaged"),
    ):
        folder = tmp_path / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made / "fewshot", folder)
        (folder / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=words):
            GraspabilityStudent.load(folder)


def test_another_teacher_is_refused(made, tmp_path):
    shutil.copytree(made / "fewshot", tmp_path / "copy")
    card = json.loads((tmp_path / "copy" / "policy.json").read_text())
    card["teacher"]["fingerprint"] = "0" * 64
    (tmp_path / "copy" / "policy.json").write_text(json.dumps(card))
    with pytest.raises(TeacherError, match="distilled from"):
        GraspabilityStudent.load(tmp_path / "copy").text(["teapot"])


@pytest.fixture(scope="module")
def environment():
    pytest.importorskip("sapien")
    import gymnasium

    def make(**changes):
        given = {"obs_mode": "rgbd", "camera_cfgs": CAMERA, "control_mode": "pd_ee_delta_pose"} | changes
        return gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", **given)

    return make


@pytest.mark.sim
def test_observations_carry_what_the_student_says(environment, student, made):
    from pickclutter_lang.policy.wrappers import GraspabilityObservation, InstructionEmbedding, frame_of
    from pickclutter_lang.teachers import load_teacher

    teacher = load_teacher("pocket", made / "teacher")
    env = GraspabilityObservation(InstructionEmbedding(environment(), teacher), student, ["lemon", "dice"])
    observation, info = env.reset(seed=3)
    assert env.observation_space.contains(observation)
    expected = teacher.encode_text([info["instruction"]])[0]
    np.testing.assert_allclose(observation["instruction"], expected, atol=1e-5)
    for step in range(2):
        look = student.look(frame_of(observation), [info["target_name"]])
        said = observation["graspability"]
        np.testing.assert_allclose(said["target"], look.scores, atol=1e-5)
        np.testing.assert_allclose(said["map"], look.maps[0], atol=1e-5)
        np.testing.assert_allclose(
            said["names"], student.look(frame_of(observation), ["lemon", "dice"]).scores, atol=1e-5
        )
        assert info["target_score"] == pytest.approx(float(look.scores[0]), abs=1e-5)
        assert info["target_threshold"] == student.threshold(info["target_name"])
        observation, *_, info = env.step(env.action_space.sample()) if not step else (None, info)
    env.close()


@pytest.mark.sim
def test_both_libraries_check_the_wrapped_environment(environment, student, made):
    pytest.importorskip("stable_baselines3")
    from gymnasium.utils.env_checker import check_env as check_gymnasium
    from stable_baselines3.common.env_checker import check_env as check_sb3

    from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation
    from pickclutter_lang.policy.wrappers import GraspabilityObservation, InstructionEmbedding
    from pickclutter_lang.teachers import load_teacher

    teacher = load_teacher("pocket", made / "teacher")
    inner = InstructionEmbedding(DeclareAbsence(environment()), teacher)
    env = FlatObservation(GraspabilityObservation(inner, student))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sb3(env)
        warnings.filterwarnings("ignore", ".*is different from the unwrapped version.*")  # it is a wrapper
        check_gymnasium(env, skip_render_check=True, skip_close_check=True)
    env.close()


@pytest.mark.sim
def test_wrapped_environments_are_vectorised(environment, student, made):
    from gymnasium.vector import SyncVectorEnv

    from pickclutter_lang.envs.wrappers import DeclareAbsence
    from pickclutter_lang.policy.wrappers import GraspabilityObservation, InstructionEmbedding
    from pickclutter_lang.teachers import load_teacher

    teacher = load_teacher("pocket", made / "teacher")

    def one():
        return GraspabilityObservation(InstructionEmbedding(DeclareAbsence(environment()), teacher), student, ["dice"])

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
def test_other_environments_are_refused(environment, student):
    import gymnasium

    from pickclutter_lang.policy.wrappers import GraspabilityObservation

    with pytest.raises(InvalidArgumentError, match="PickClutterLang"):
        GraspabilityObservation(gymnasium.make("CartPole-v1"), student)
    for changes, words in (({"obs_mode": "state"}, "obs_mode"), ({"camera_cfgs": None}, "48 x 48")):
        env = environment(**changes)
        with pytest.raises(InvalidArgumentError, match=words):
            GraspabilityObservation(env, student)
        env.close()


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("frozen", [True, False])
def test_stable_baselines3_learns_on_the_students_features(environment, student, frozen):
    pytest.importorskip("stable_baselines3")
    from stable_baselines3 import PPO

    from pickclutter_lang.envs.wrappers import FlatObservation
    from pickclutter_lang.policy.extractor import GraspabilityExtractor

    torch.manual_seed(0)
    env = FlatObservation(environment(reward_mode="normalized_dense"))
    chosen = {"student": student, "frozen": frozen}
    agent = PPO(
        "MultiInputPolicy", env, n_steps=16, batch_size=8, n_epochs=1, seed=0, device="cpu",
        policy_kwargs={"features_extractor_class": GraspabilityExtractor, "features_extractor_kwargs": chosen},
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
def test_a_traced_network_says_what_the_network_says_and_a_student_can_be_sent(made, student, precision):
    student.scorer.mixed = precision == "bfloat16"
    frame, near = frame_of_scene(opened(made, "fewshot"), 2), 1e-5 if precision == "float32" else 0.02
    with torch.no_grad():
        expected = student.scorer.score(student.prepare(frame), student.text(["lemon", "dice"]))
    found = student.look(frame, ["lemon", "dice"])
    assert student._network(student.prepare(frame)).dtype == getattr(torch, precision)
    np.testing.assert_allclose(found.scores, expected.probabilities[0], atol=near)
    np.testing.assert_allclose(found.maps, expected.maps[0], atol=near)
    sent = pickle.loads(pickle.dumps(student))  # as gymnasium does for AsyncVectorEnv
    np.testing.assert_array_equal(sent.look(frame, ["lemon", "dice"]).scores, found.scores)

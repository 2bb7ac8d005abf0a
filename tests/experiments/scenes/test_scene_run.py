"""Training on scenes: exact resume, learning, and augmentation that depends on the image alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers.scene_data import make_toy_store
from helpers.scene_runs import config, make_toys
from pickclutter_lang.datasets.config import AugmentationConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.augmentation import (
    AugmentationParams,
    flip_index,
    sample_augmentation,
)
from pickclutter_lang.distillation import SceneObjective
from pickclutter_lang.errors import InvalidArgumentError, MismatchError, UnknownObjectError
from pickclutter_lang.experiments.scenes.config import TrainedRunConfig
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.trained_run import load_trained_run, names_of
from pickclutter_lang.language.descriptions import read_descriptions
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.students.label_encoders import ClosedSetEncoder, build_label_encoder
from pickclutter_lang.students.student import predict_batches, predict_scenes
from pickclutter_lang.teachers import FeatureCache, load_teacher
from pickclutter_lang.teachers.scene_features import encode_regions, teacher_features
from pickclutter_lang.training.checkpoint import epoch_folder, saved_epochs
from pickclutter_lang.training.logger import TrainingLogger

ALL = AugmentationConfig(flips=["horizontal", "vertical"], shift=0.1, brightness=0.3, contrast=0.3)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return make_toys(tmp_path_factory.mktemp("toys"))


@pytest.fixture(scope="module")
def rgbd(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [*make_toys(tmp_path_factory.mktemp("rgbd"), cameras=("hand", "base")), "data=both_rgbd"]


@pytest.mark.parametrize("method", ["closed_set", "cls_imcst_semantic", "best", "best_scene_proximity"])
def test_all_tensors_of_a_step_follow_the_device(
    toys: list[str], method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operation on a CPU's and another device's tensors fails: `meta` stands for CUDA, which is not here."""
    run = SceneRun.open(config(*toys, f"method={method}", f"out={tmp_path}"))
    phases: list[Any] = [*run.phases.values()]
    for phase in phases:
        phase.loss(phase.load(phase.batches(1)[0], 1, 0), 1)  # teacher's features, which all runs compute first
    for phase in phases:
        phase.model.to("meta")
    run.parts.teacher.to("meta")
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # it knows no `meta`
    for phase in phases:
        loss, terms = phase.loss(phase.load(phase.batches(1)[0], 1, 0), 1)
        loss.backward()
        gradients = [weight.grad for weight in phase.model.parameters() if weight.grad is not None]
        assert gradients and {part.device.type for part in (loss, *terms.values(), *gradients)} == {"meta"}


def trained(overrides: list[str], out: Path) -> SceneRun:
    run = SceneRun.open(config(*overrides, f"out={out}"))
    run.train()
    return run


@pytest.fixture(scope="module")
def finished(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> SceneRun:
    return trained(toys, tmp_path_factory.mktemp("whole"))


def last(run: SceneRun, phase: str) -> Path:
    return epoch_folder(run.folder / phase, saved_epochs(run.folder / phase)[-1])


def logged(run: SceneRun, phase: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (run.folder / phase / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def assert_same_bytes(one: SceneRun, other: SceneRun) -> None:
    for phase in ("distill", "few_shot"):
        for name in ("model", "optimizer"):
            file = f"{name}.safetensors"
            assert (last(one, phase) / file).read_bytes() == (last(other, phase) / file).read_bytes()
        assert logged(one, phase) == logged(other, phase)


class StopError(Exception):
    pass


@pytest.mark.parametrize("step", [4, 12])
def test_a_stopped_run_ends_with_the_same_bytes(
    toys: list[str], finished: SceneRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """9 steps of distillation, then 4 of fine-tuning: within an epoch of each phase."""
    taken = 0
    original = TrainingLogger.step

    def stopping(self: TrainingLogger, number: int, scalars: Mapping[str, float]) -> None:
        nonlocal taken
        taken += 1
        if taken == step:
            raise StopError
        original(self, number, scalars)

    monkeypatch.setattr(TrainingLogger, "step", stopping)
    with pytest.raises(StopError):
        trained(toys, tmp_path)
    monkeypatch.undo()
    torch.rand(step)
    np.random.rand(step)
    assert_same_bytes(trained(toys, tmp_path), finished)


def test_region_labels_do_not_depend_on_workers(toys: list[str], tmp_path: Path) -> None:
    overrides = [*toys, "method=best", "objective.region_cls=1", "distill.epochs=1", "few_shot.epochs=1"]
    run = trained(overrides, tmp_path / "a")
    terms = logged(run, "few_shot")[0].keys()
    assert {"cls", "im_cst", "region_cls", "region_contrastive", "region_proximity"} <= terms
    assert_same_bytes(trained([*overrides, "num_workers=2"], tmp_path / "b"), run)


def test_only_the_last_and_the_best_epoch_are_kept(finished: SceneRun) -> None:
    values = [row["validation"]["map"] for row in logged(finished, "distill")]
    assert set(saved_epochs(finished.folder / "distill")) == {3, 1 + int(np.argmax(values))}
    assert saved_epochs(finished.folder / "few_shot") == [2]


def test_eight_channels_train_and_depth_is_normalized(rgbd: list[str], tmp_path: Path) -> None:
    run = trained([*rgbd, "distill.epochs=1", "few_shot.epochs=1"], tmp_path)
    images = run.scenes["train"].batch([0, 1])
    assert images.shape == (2, 8, 32, 32)
    depth = run.model._normalize(run.scenes["train"].batch(range(24)))[:, [3, 7]]
    assert abs(float(depth.mean())) < 0.05 and abs(float(depth.std()) - 1) < 0.05


def test_training_and_evaluation_share_one_predict(finished: SceneRun) -> None:
    finished.load_weights("few_shot")
    scenes = finished.scenes["ood"]
    names = list(finished.unseen)
    once = predict_scenes(finished.model, scenes, names)
    with torch.enable_grad():
        features = finished.model.features(scenes.batch(range(len(scenes))))
        rows = finished.model.score(features, finished.model.prompts.encode(names))
    assert rows.probabilities.requires_grad
    np.testing.assert_allclose(once, rows.probabilities.detach(), atol=1e-5)
    ((reverse, _),) = predict_batches(finished.model, scenes, names[::-1], [3])
    np.testing.assert_allclose(reverse.probabilities[0].flip(0), once[3], atol=1e-5)


def test_bfloat16_trains_and_predicts_nearly_the_same(toys: list[str], finished: SceneRun, tmp_path: Path) -> None:
    run = SceneRun.open(config(*toys, f"out={finished.folder}"))
    run.load_weights("distill")
    names = names_of(run.unseen, "id")
    exact = predict_scenes(run.model, run.scenes["id"], names)
    run.model.student.use_bf16 = True
    rough = predict_scenes(run.model, run.scenes["id"], names)
    assert rough.dtype == torch.float32 and 0 < float((rough - exact).abs().max()) < 0.1
    trained([*toys, f"out={tmp_path}", "precision=bfloat16", "distill.epochs=1", "few_shot.epochs=1"], tmp_path)


def test_an_image_is_augmented_equally_in_any_batch(toys: list[str]) -> None:
    cfg = config(*toys).data
    scenes = SceneDataset(SceneStore.open(cfg.train), cfg)
    draws = {row: sample_augmentation(ALL, 32, (0, 0, 5, 0, row)) for row in range(24)}
    together = scenes.batch(range(24), list(draws.values()))
    for row in (17, 3):
        alone = scenes.batch([row], [draws[row]])
        assert torch.equal(alone[0], together[row])
    assert len(set(draws.values())) == 24
    assert sample_augmentation(ALL, 32, (0, 0, 6, 0, 3)) != draws[3] != sample_augmentation(ALL, 32, (1, 0, 5, 0, 3))


def test_the_input_is_the_resized_center_crop_and_its_flip(toys: list[str]) -> None:
    cfg = config(*toys).data
    whole = SceneDataset(SceneStore.open(cfg.train), cfg).batch([2])
    cfg.crop_size = 16
    side: dict[str, Any] = {"size": (32, 32), "mode": "bilinear", "antialias": True}
    expected = torch.nn.functional.interpolate(whole[..., 8:24, 8:24], **side)
    scenes = SceneDataset(SceneStore.open(cfg.train), cfg)
    torch.testing.assert_close(scenes.batch([2]), expected)
    mirrored = scenes.batch([2], [AugmentationParams(horizontal=True, vertical=True)])
    torch.testing.assert_close(mirrored, expected.flip(-1, -2), rtol=0, atol=1e-2)


def test_the_teacher_sees_the_flip_that_the_student_sees(toys: list[str], tmp_path: Path) -> None:
    cfg = config(*toys, "data.augmentation.flips=[horizontal,vertical]").data
    scenes = SceneDataset(SceneStore.open(cfg.id), cfg)
    teacher = load_teacher("pocket", config(*toys).teacher.checkpoint)
    features = teacher_features(teacher, scenes, FeatureCache(tmp_path))
    assert features.shape == (len(scenes), 4, teacher.embed_dim)
    for row in range(3):
        draw = sample_augmentation(cfg.augmentation, 32, (0, 0, 1, 0, row))
        image = scenes.hand_images([row], AugmentationParams(draw.horizontal, draw.vertical))
        expected = teacher.encode_image(teacher.preprocess(image))[0]
        np.testing.assert_allclose(features[row, flip_index(draw, cfg.augmentation.flips)], expected, atol=1e-5)
    assert not torch.allclose(features[:, 0], features[:, 1], atol=1e-3)


def test_training_scenes_contain_no_object_of_y_ood(toys: list[str], tmp_path: Path) -> None:
    make_toy_store(tmp_path / "mixed", "ood", 12, seed=5)
    with pytest.raises(MismatchError, match="Y_id"):
        SceneRun.open(config(*toys, f"data.train={tmp_path / 'mixed'}"))


def test_distractors_are_regions_and_no_labels(tmp_path: Path) -> None:
    toys = [*make_toys(tmp_path, distractors=("mug", "teapot")), "distill.epochs=1", "few_shot.epochs=1"]
    run = SceneRun.open(config("method=best", *toys, f"out={tmp_path / 'run'}"))
    scenes = run.scenes["train"]
    actors = run.scenes["train"].store.array("actors")
    assert {*run.unseen} == {*paper_catalog().names}
    assert (scenes.labels.sum(1).numpy() == ((actors >= 0).sum(1) - 1)).all()
    regions = encode_regions(run.teacher, scenes, FeatureCache(tmp_path / "cache"))
    for row, instance_ids in enumerate(regions.instance_ids):
        distractor = int(np.flatnonzero(actors[row] >= 26)[0]) + 1
        assert distractor in instance_ids and distractor not in scenes.instance_ids([row], range(26))
    run.train()
    assert evaluate_run(run)


def test_descriptions_follow_the_name(toys: list[str]) -> None:
    run = SceneRun.open(config(*toys, "prompts.descriptions=succinct", "prompts.extra_descriptions=[distinct,catalog]"))
    labels: Any = run.model.prompts
    first, *variants = labels.texts(["banana"])
    assert first[0].startswith("banana . ")
    assert len(variants) == 2 and len({*first, variants[0][0], variants[1][0]}) == 3
    assert labels.texts(["spaceship"]) == [["spaceship"]]  # a name that comes later has none
    with pytest.raises(UnknownObjectError, match="spaceship"):
        build_label_encoder(run.config.prompts, run.teacher, ["banana", "spaceship"])


def test_descriptions_of_other_objects_are_trained_and_evaluated(toys: list[str], tmp_path: Path) -> None:
    own = SceneRun.open(config(*toys, "method=best", f"out={tmp_path / 'own'}"))
    overrides = [*toys, "method=best_swapped_descriptions", "distill.epochs=1", "few_shot.epochs=1"]
    run = SceneRun.open(config(*overrides, f"out={tmp_path / 'swapped'}"))
    names = list(run.unseen)
    sources = run.config.prompts.sources
    unseen = set(names_of(run.unseen, "ood"))
    owners = run.parts.description_owners
    assert all(owners[name] != name and (owners[name] in unseen) == (name in unseen) for name in names)
    encoder: Any = run.model.prompts
    own_encoder: Any = own.model.prompts
    texts = encoder.texts(names)
    for source, found, true in zip(sources, texts, own_encoder.texts(names), strict=True):
        of_owners = read_descriptions(source).of([owners[name] for name in names])
        assert found == [f"{name} . {text}" for name, text in zip(names, of_owners, strict=True)]
        assert all(one != other for one, other in zip(found, true, strict=True))
    run.train()
    evaluate_run(run)
    saved = load_trained_run(TrainedRunConfig(str(tmp_path / "swapped"), "few_shot"))
    with torch.no_grad():
        parts = [encoder.prompts.encode(one).positive for one in texts]
    mean = torch.nn.functional.normalize(torch.stack(parts).mean(dim=0), dim=1)
    torch.testing.assert_close(saved.labels.features.positive, mean)
    with pytest.raises(InvalidArgumentError, match=r"prompts\.descriptions_of"):
        SceneRun.open(config(*overrides, "prompts.descriptions_of=own", f"out={tmp_path / 'swapped'}"))


def test_variants_are_sampled_in_training_and_averaged_in_evaluation(toys: list[str]) -> None:
    labels: Any = SceneRun.open(config(*toys, "prompts.extra_descriptions=[distinct]")).model.prompts
    name, described = (labels.prompts.encode(texts).positive for texts in labels.texts(["banana", "lemon"]))
    mean = torch.nn.functional.normalize(name + described, dim=1)
    torch.testing.assert_close(labels.eval().encode(["banana", "lemon"], ["red box"]).positive[:2], mean)
    torch.testing.assert_close(
        labels.encode(["banana"], ["red box"]).negative[1:], labels.prompts.encode(["red box"]).negative
    )
    labels.train()
    torch.manual_seed(0)
    sampled = torch.stack([labels.encode(["banana"]).positive[0] for _ in range(12)])
    near = [torch.allclose(row, name[0], atol=1e-5) for row in sampled]
    assert any(near) and not all(near)
    assert all(same or torch.allclose(row, described[0], atol=1e-5) for same, row in zip(near, sampled, strict=True))


def test_a_closed_set_knows_the_catalog_names_alone() -> None:
    labels = ClosedSetEncoder(paper_catalog().names, 8)
    features = labels.encode(["lemon", "banana"])
    assert features.positive.shape == (2, 8) and not torch.equal(*labels.encode(["lemon", "banana"]).positive)
    features.positive.sum().backward()
    gradient = labels.get_parameter("positive").grad
    assert gradient is not None and int((gradient.abs().sum(dim=1) > 0).sum()) <= 2
    for names, words in ((["spaceship"], []), (["banana"], ["red box"])):
        with pytest.raises(UnknownObjectError, match="closed-set"):
            labels.encode(names, words)


@pytest.mark.parametrize("method", ["closed_set", "best_scene_proximity"])
def test_every_method_trains_its_own_terms(toys: list[str], tmp_path: Path, method: str) -> None:
    short = [f"method={method}", "distill.epochs=1", "few_shot.epochs=1"]
    run = trained([*toys, *short], tmp_path)
    row = run.load_weights("distill")[-1]
    weights = vars(run.config.objective)
    assert {name for name in SceneObjective.terms if name in row} == {
        name for name in SceneObjective.terms if weights[name]
    }
    assert all(np.isfinite(row[name]) for name in SceneObjective.terms if name in row)


@pytest.mark.parametrize(
    "override",
    ["distill.epochs=-1", "data.target_label=liftable", "data.cameras=[base]", "objective.region_cls=-1"],
)
def test_settings_out_of_range_are_named(override: str) -> None:
    with pytest.raises(InvalidArgumentError, match=override.partition("=")[0]):
        config(override)


def test_an_epoch_has_the_size_of_its_part_of_the_training(toys: list[str], tmp_path: Path) -> None:
    schedule = ["distill.image_size_schedule=[16,32]", "distill.epochs=4"]
    phase: Any = SceneRun.open(config(*toys, *schedule, f"out={tmp_path}")).phases["distill"]
    assert [next(iter(phase.iter_batches(epoch))).images.shape[-1] for epoch in range(1, 5)] == [16, 16, 32, 32]


def test_the_papers_preset_has_the_form_of_its_program() -> None:
    """As the table of `docs/explanation/method.md` says, where a setting names it."""
    cfg = config("experiment=table12")
    default = config()
    assert (cfg.objective.similarity, cfg.objective.detach_focus) == ("cosine", True)
    assert (default.objective.similarity, default.objective.detach_focus) == ("squared_distance", False)
    assert (cfg.student.negative_attention, default.student.negative_attention) == ("own", "positive")
    assert cfg.prompts.positive_init is cfg.prompts.negative_init is None and default.prompts.positive_init
    assert (cfg.few_shot.epoch_over, default.few_shot.epoch_over) == ("training", "few_shot")
    assert cfg.data.augmentation == AugmentationConfig(["horizontal"], 0.0, 0.0, 0.0)

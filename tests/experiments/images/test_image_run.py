"""Runs on single images: training, resume, evaluation, report, and mismatched settings."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers.image_runs import config, make_toys, trained
from helpers.scene_runs import make_teacher
from pickclutter_lang.errors import InvalidArgumentError, MismatchError, PickClutterError, TeacherError
from pickclutter_lang.experiments.images.image_protocol import (
    SPACE_FILE,
    evaluate_images,
    retrieve,
    text_statistics,
)
from pickclutter_lang.experiments.images.image_report import write_report
from pickclutter_lang.experiments.images.image_run import ImageRun
from pickclutter_lang.results.record import read_record
from pickclutter_lang.results.scores import Scores
from pickclutter_lang.training.checkpoint import epoch_folder, load_checkpoint
from pickclutter_lang.training.config import RetrievalConfig
from pickclutter_lang.training.trainer import Trainer, seed_everything

LONGER = ("distill.epochs=3", "continual_split=true", "few_shot.epochs=2")
BEST = ("objective.cls=1", "objective.im_cst=1", "objective.vlprox=1")


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Overrides that point to views of objects and to an untrained teacher."""
    return make_toys(tmp_path_factory.mktemp("toys"))


@pytest.fixture(scope="module")
def finished(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> ImageRun:
    run = trained(*toys, *BEST, *LONGER, f"out={tmp_path_factory.mktemp('run')}")
    evaluate_images(run)
    return run


def weights(run: ImageRun, phase: str, epoch: int) -> dict[str, torch.Tensor]:
    return load_checkpoint(epoch_folder(run.folder / phase, epoch)).model


def test_a_result_records_provenance_and_metrics(finished: ImageRun) -> None:
    record = read_record(finished.folder, "images")
    data, metrics = record["data"], record["metrics"]
    assert len(data["seen"]) + len(data["unseen"]) == 6
    assert not set(data["seen"]) & set(data["unseen"])
    assert metrics["zero_shot"]["id"]["images"] == data["id"]
    for half in ("ood1_before", "ood1_after", "ood2_before", "ood2_after"):
        assert 0 <= metrics["continual"][half]["accuracy"] <= 1
    assert metrics["continual"]["ood1_before"]["images"] + metrics["continual"]["ood2_before"]["images"] == data["ood"]
    assert {*metrics["text"]} == {"names", "descriptions", "captions"}
    assert metrics["features"]["ood"]["degrees"] > 0
    with np.load(finished.folder / SPACE_FILE) as space:
        assert len(space["students"]) == len(space["labels"]) == data["ood"]
        assert space["labels"].max() < len(space["texts"]) == len(data["unseen"])


def test_answers_are_those_of_each_image(finished: ImageRun) -> None:
    """Against a slow reference: images one by one, cosines in NumPy."""
    finished.load_weights("few_shot")
    split = finished.parts.split
    scores = Scores.load(finished.folder)
    cell = scores.cell("few_shot", "ood")
    text = finished.model.text(split.unseen).detach().numpy()
    names = [finished.parts.data.classes[n].name for n in split.unseen]
    right: dict[int, list[bool]] = {}
    for n, row in enumerate(split.ood):
        with torch.no_grad():
            feature = finished.model.features(finished.parts.crops.eval_images([row]))[0].numpy()
        cosines = text @ feature / np.linalg.norm(feature)
        place = split.unseen.index(int(finished.parts.labels[row]))
        answer = int(cosines.argmax())
        right.setdefault(place, []).append(answer == place)
        assert cell.items[n] == finished.parts.data.images.ids[row]
        assert [cell.labels[k] for k in np.flatnonzero(cell.predicted[n])] == [names[answer]]
        assert cell.scores[n, cell.labels.index(names[place])] == pytest.approx(cosines[place], abs=2e-5)
    record = read_record(finished.folder, "images")
    accuracy = np.mean([np.mean(of) for of in right.values()])
    assert record["metrics"]["few_shot"]["ood"]["accuracy"] == pytest.approx(accuracy)
    assert scores.unseen == set(record["data"]["unseen"])
    for stage, part in scores.places:
        by_class = scores.cell(stage, part).by_label("recall").values()
        assert record["metrics"][stage][part]["accuracy"] == pytest.approx(np.mean([*by_class]))


def test_few_shot_images_are_never_evaluated(finished: ImageRun) -> None:
    split = finished.parts.split
    seen = {row for epoch in range(3) for batch in finished.phases["few_shot"].batches(epoch) for _, row in batch}
    assert {*split.fewshot} <= seen
    assert not seen & {*split.ood, *split.id}


def test_the_continual_phase_sees_half_of_the_unseen_classes(finished: ImageRun) -> None:
    phase: Any = finished.phases["continual"]
    first, second = finished.parts.unseen_halves
    assert {*first} | {*second} == {*finished.parts.split.unseen}
    rows = {row for batch in phase.batches(0) for source, row in batch if source == 1}
    assert {int(finished.parts.labels[row]) for row in rows} == {*first}
    assert not {*second} & {number for group in phase.classes for number in group}


def test_a_killed_run_resumes_bit_for_bit(finished: ImageRun, toys: list[str], tmp_path: Path) -> None:
    run = ImageRun.open(config(*toys, *BEST, *LONGER, f"out={tmp_path}"))
    trainer = Trainer(run.phases["distill"], tmp_path / "distill")
    original = trainer._save

    def save_and_stop(epoch: int) -> None:
        original(epoch)
        if epoch == 2:
            raise KeyboardInterrupt

    trainer._save = save_and_stop  # type: ignore[method-assign]
    seed_everything(run.config.seed)
    with pytest.raises(KeyboardInterrupt):
        trainer.run(tmp_path / "tensorboard" / "distill")
    again = trained(*toys, *BEST, *LONGER, f"out={tmp_path}")
    for phase, epoch in (("distill", 3), ("few_shot", 2), ("continual", 2)):
        ours, theirs = weights(again, phase, epoch), weights(finished, phase, epoch)
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs), phase


def test_a_closed_set_has_no_zero_shot_output_and_separate_classifiers(toys: list[str], tmp_path: Path) -> None:
    run = trained(*toys, "objective.cls=1", "text.closed_set=true", f"out={tmp_path}")
    phase: Any = run.phases["few_shot"]
    assert [len(group) for group in phase.classes] == [len(run.parts.split.seen), len(run.parts.split.unseen)]
    metrics = evaluate_images(run)["metrics"]
    assert metrics["zero_shot"]["ood"] is None and "retrieval" not in metrics
    assert 0 <= metrics["few_shot"]["ood"]["accuracy"] <= 1
    assert ("zero_shot", "ood") not in Scores.load(tmp_path).places and write_report(tmp_path).is_file()


def test_the_mean_of_the_last_epochs(toys: list[str], tmp_path: Path) -> None:
    run = trained(
        *toys, "objective.cls=1", "distill.epochs=3", "few_shot.epochs=2", "average_last_epochs=2", f"out={tmp_path}"
    )
    record = evaluate_images(run)
    noted = [row["validation"]["accuracy"] for row in record["history"]["distill"]]
    assert record["metrics"]["zero_shot"]["id"]["accuracy"] == pytest.approx(np.mean(noted[-2:]))


@pytest.mark.parametrize(
    ("overrides", "error", "key"),
    [
        ((), InvalidArgumentError, "objective"),
        (("objective.cls=1", "objective.cap=1", "text.closed_set=true"), InvalidArgumentError, r"objective\.cls"),
        (("objective.cls=1", "text.template=thing"), InvalidArgumentError, r"text\.template"),
        (("objective.cls=1", "data.root=nowhere"), PickClutterError, "nowhere"),
        (("objective.cls=1", "center_crop=500"), InvalidArgumentError, "center_crop"),
        (("objective.cls=1", "few_shot.lr=1e38", "few_shot.repeats=1"), InvalidArgumentError, r"few_shot\.lr"),
    ],
)
def test_mismatches_are_named(
    toys: list[str], tmp_path: Path, overrides: tuple[str, ...], error: type[PickClutterError], key: str
) -> None:
    with pytest.raises(error, match=key):
        trained(*toys, *overrides, f"out={tmp_path / 'run'}")


def test_a_folder_of_another_run_is_refused(finished: ImageRun, toys: list[str], tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    same = [*toys, *BEST, *LONGER, f"out={tmp_path / 'run'}"]
    ImageRun.open(config(*same))
    with pytest.raises(InvalidArgumentError, match=r"objective\.top_k"):
        ImageRun.open(config(*same, "objective.top_k=3"))
    with pytest.raises(MismatchError, match="split"):
        ImageRun.open(config(*same, "data.seed=1"))
    other = make_teacher(tmp_path / "teacher", seed=1)
    with pytest.raises(TeacherError, match="fingerprint"):
        ImageRun.open(config(*same, f"teacher.checkpoint={other}"))


@pytest.mark.slow
def test_prefetching_processes_change_no_result(finished: ImageRun, toys: list[str], tmp_path: Path) -> None:
    for crops in (0, 2):
        overrides = [*toys, *BEST, f"crops.fixed_crops={crops}", "crops.rand_augment=true", f"out={tmp_path}"]
        alone, prefetched = (ImageRun.open(config(*overrides, f"num_workers={n}")).phases["distill"] for n in (0, 2))
        before = torch.get_rng_state()
        batches = list(prefetched.iter_batches(1))
        assert torch.equal(torch.get_rng_state(), before)
        for (rows, images, crop_numbers), (others, same, again) in zip(alone.iter_batches(1), batches, strict=True):
            assert rows == others and crop_numbers == again
            assert images.dtype == torch.uint8 and torch.equal(images, same)
    run = trained(*toys, *BEST, *LONGER, "num_workers=2", f"out={tmp_path / 'run'}")
    assert evaluate_images(run)["metrics"] == read_record(finished.folder, "images")["metrics"]


def test_fixed_crops_are_those_that_the_teacher_saw(toys: list[str], tmp_path: Path) -> None:
    run = ImageRun.open(config(*toys, *BEST, "crops.fixed_crops=3", "crops.flip=false", f"out={tmp_path}"))
    images, crops = run.parts.crops.train_images([0, 1, 2, 3], (0, 0, 1))
    again, _ = run.parts.crops.train_images([3, 2, 1, 0], (0, 0, 1))
    assert torch.equal(images.flip(0), again)
    assert set(crops) <= {0, 1, 2}
    seen = (
        torch.from_numpy(run.parts.crops.fixed_crops([0], crops[0], run.teacher.image_size)).permute(0, 3, 1, 2).float()
    )
    same_size = torch.nn.functional.interpolate(seen, size=images.shape[-2:], mode="bilinear", antialias=True)
    assert (same_size[0] - images[0]).abs().mean() < 0.03 * 255
    assert any(run.parts.crops.train_images([0], (0, 0, epoch))[1] != crops[:1] for epoch in range(2, 12))
    features = run.parts.crops.crop_features(run.teacher, run.parts.cache, [5, 2])
    assert features.shape[:2] == (2, 3)
    assert not torch.equal(features[:, 0], features[:, 1])


def test_retrieval_tunes_the_cache_on_the_few_shot_images_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(4, 16, generator=generator)
    labels = torch.arange(4).repeat(5)
    keys = centers[labels] + 0.1 * torch.randn(20, 16, generator=generator)
    queries = centers + 0.1 * torch.randn(4, 16, generator=generator)
    useless = torch.nn.functional.normalize(torch.randn(4, 16, generator=generator), dim=1)
    tuned = RetrievalConfig()
    places, choice = retrieve(tuned, queries, keys, keys[:, None], labels, useless, 0.07)
    assert places.tolist() == [0, 1, 2, 3]
    assert choice.alpha > 0
    texts = torch.nn.functional.normalize(centers, dim=1)
    assert retrieve(tuned, queries, keys, keys[:, None], labels, texts, 0.07)[1].alpha == 0  # text alone is as good


def test_retrieval_of_the_papers_program_is_its_sum() -> None:
    """Student features as queries, V teacher features of each example, alpha 1, beta 5.5, cosines as they are."""
    generator = torch.Generator().manual_seed(1)
    unit = torch.nn.functional.normalize
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    views = 3
    queries, examples = torch.randn(40, 8, generator=generator), torch.randn(6, 8, generator=generator)
    keys = unit(torch.randn(6, views, 8, generator=generator), dim=2)
    text = unit(torch.randn(3, 8, generator=generator), dim=1)
    released = RetrievalConfig("teacher", views, 1.0, 5.5, 1.0)
    places, choice = retrieve(released, queries, examples, keys, labels, text, 0.07)
    assert (choice.alpha, choice.beta) == (1.0, 5.5)
    for query, place in zip(unit(queries, dim=1).numpy(), places.tolist(), strict=True):
        scores = text.numpy() @ query
        for example, label in enumerate(labels.tolist()):
            for view in range(views):
                scores[label] += np.exp(-5.5 * (1 - keys[example, view].numpy() @ query))
        assert place == int(scores.argmax())
    assert places.tolist() != (unit(queries, dim=1) @ text.T).argmax(dim=1).tolist()


def test_retrieval_by_the_teachers_keys_is_evaluated(toys: list[str], tmp_path: Path) -> None:
    released = ("retrieval.keys=teacher", "retrieval.key_views=3", "retrieval.alpha=1", "retrieval.beta=5.5")
    run = trained(*toys, *BEST, *released, "retrieval.temperature=1", f"out={tmp_path}")
    assert run.teacher_keys.shape == (len(run.parts.split.fewshot), 3, run.teacher.embed_dim)
    whole = run.parts.teacher_image_features[list(run.parts.split.fewshot)]
    torch.testing.assert_close(run.teacher_keys[:, 0], whole)
    _, first, second = run.teacher_keys.unbind(1)
    assert not torch.allclose(first, whole) and not torch.allclose(first, second)
    found = evaluate_images(run)["metrics"]["retrieval"]["ood"]
    assert (found["alpha"], found["beta"]) == (1.0, 5.5) and 0 <= found["accuracy"] <= 1


@pytest.mark.parametrize("shape", [(2, 3), (5, 16), (30, 12)])
def test_text_statistics_match_a_slow_reference(shape: tuple[int, int]) -> None:
    features = np.random.default_rng(0).normal(0.3, 1, size=shape)
    cosines = [
        one @ other / np.sqrt((one @ one) * (other @ other)) for n, one in enumerate(features) for other in features[:n]
    ]
    centered = features - features.mean(axis=0)
    values = np.sqrt(np.clip(np.linalg.eigvalsh(centered.T @ centered), 0, None))[::-1]
    found = text_statistics(features.astype(np.float32))
    assert found["cosine"] == pytest.approx(np.mean(cosines), abs=1e-6)
    assert found["eigenvalues"] == pytest.approx(values[: min(10, *shape)].tolist(), abs=1e-5)

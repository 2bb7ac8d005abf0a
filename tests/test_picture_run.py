"""Runs on single pictures: trained, gone on with, evaluated; every run of every table in small."""

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import initialize_config_module
from toy_pictures import toy_views
from toy_training import make_teacher

from pickclutter_lang.benchmarks.grid import BenchmarkGridSettings, plan_benchmark, write_benchmark
from pickclutter_lang.benchmarks.protocol import evaluate_pictures
from pickclutter_lang.benchmarks.results import RESULT_FILE, SPACE_FILE, read_result
from pickclutter_lang.benchmarks.retrieval import retrieve
from pickclutter_lang.benchmarks.rows import FIGURES, RUNS, TABLES
from pickclutter_lang.benchmarks.run import PictureRun
from pickclutter_lang.benchmarks.settings import BenchmarkSettings
from pickclutter_lang.command import composed
from pickclutter_lang.errors import (
    CheckpointError,
    InvalidArgumentError,
    PickClutterError,
    StoreMismatchError,
    TeacherError,
)
from pickclutter_lang.training.checkpoint import epoch_folder, load_checkpoint
from pickclutter_lang.training.loop import Trainer
from pickclutter_lang.training.phased_run import seed_everything

ROOT = Path(__file__).parent.parent
LONGER = ("distill.epochs=3", "continual=true", "fewshot.epochs=2")
BEST = ("objective.cls=1", "objective.im_cst=1", "objective.vlprox=1")


@pytest.fixture(scope="module")
def toys(tmp_path_factory) -> list[str]:
    """Overrides that point to views of objects and to an untrained teacher."""
    folder = tmp_path_factory.mktemp("toys")
    toy_views(folder / "views", objects=6, views=16)
    teacher = make_teacher(folder / "teacher")
    return [
        "recipe=smoke", "student.name=timm/resnet10t", "threads=1", "precision=float32", "data.side=32",
        "data.max_classes=null", "data.max_per_class=null",
        f"data.root={folder / 'views'}", f"teacher.checkpoint={teacher}", f"teacher.cache={folder / 'cache'}",
    ]  # fmt: skip


def settings(*overrides: str) -> BenchmarkSettings:
    with initialize_config_module("pickclutter_lang.configs", version_base="1.3"):
        return composed(BenchmarkSettings, "train_pictures", list(overrides))


def trained(*overrides: str) -> PictureRun:
    run = PictureRun.open(settings(*overrides))
    run.train()
    return run


@pytest.fixture(scope="module")
def finished(toys, tmp_path_factory) -> PictureRun:
    folder = tmp_path_factory.mktemp("run")
    run = trained(
        *toys, *BEST, "distill.epochs=3", "last_epochs=1", "continual=true", "fewshot.epochs=2", f"out={folder}"
    )
    evaluate_pictures(run)
    return run


def weights(run: PictureRun, phase: str, epoch: int) -> dict[str, torch.Tensor]:
    return load_checkpoint(epoch_folder(run.folder / phase, epoch)).model


def test_a_result_says_what_it_is_made_of_and_how_well_it_went(finished) -> None:
    result = read_result(finished.folder / RESULT_FILE)
    data, metrics = result["data"], result["metrics"]
    assert len(data["known"]) + len(data["unseen"]) == 6
    assert not set(data["known"]) & set(data["unseen"])
    assert metrics["zero_shot"]["id"]["images"] == data["id"]
    for half in ("ood1_before", "ood1_after", "ood2_before", "ood2_after"):
        assert 0 <= metrics["continual"][half]["accuracy"] <= 1
    assert metrics["continual"]["ood1_before"]["images"] + metrics["continual"]["ood2_before"]["images"] == data["ood"]
    assert {*metrics["text"]} == {"names", "descriptions", "captions"}
    assert metrics["features"]["ood"]["degrees"] > 0
    with np.load(finished.folder / SPACE_FILE) as space:
        assert len(space["students"]) == len(space["labels"]) == data["ood"]
        assert space["labels"].max() < len(space["texts"]) == len(data["unseen"])


def test_accuracies_are_those_of_the_nearest_texts(finished) -> None:
    """Against a slow reference: pictures one by one, cosines in NumPy."""
    finished.load_weights("distill")
    model, split = finished.model, finished.split
    text = model.text(split.unseen).numpy()
    right: dict[int, list[bool]] = {}
    with torch.no_grad():
        for row in split.ood:
            feature = model.features(finished.views.plain([row]))[0].numpy()
            cosines = text @ feature / np.linalg.norm(feature)
            label = int(finished.labels[row])
            right.setdefault(label, []).append(split.unseen[int(cosines.argmax())] == label)
    expected = np.mean([np.mean(found) for found in right.values()])
    result = read_result(finished.folder / RESULT_FILE)
    assert result["metrics"]["zero_shot"]["ood"]["accuracy"] == pytest.approx(expected)


def test_few_shot_pictures_are_never_evaluated(finished) -> None:
    split = finished.split
    seen = {row for epoch in range(3) for batch in finished.task("fewshot").batches(epoch) for _, row in batch}
    assert {*split.fewshot} <= seen
    assert not seen & {*split.ood, *split.id}


def test_the_continual_phase_sees_half_of_the_unseen_classes(finished) -> None:
    task, (first, second) = finished.task("continual"), finished.halves
    assert {*first} | {*second} == {*finished.split.unseen}
    rows = {row for batch in task.batches(0) for source, row in batch if source == 1}
    assert {int(finished.labels[row]) for row in rows} == {*first}
    assert not {*second} & {number for group in task.classes for number in group}


def test_a_killed_run_goes_on_to_the_bit(finished, toys, tmp_path) -> None:
    run = PictureRun.open(settings(*toys, *BEST, *LONGER, f"out={tmp_path}"))
    trainer = Trainer(run.task("distill"), tmp_path / "distill", run.teacher_card)
    original = trainer._save

    def save_and_stop(epoch: int) -> None:
        original(epoch)
        if epoch == 2:
            raise KeyboardInterrupt

    trainer._save = save_and_stop  # type: ignore[method-assign]
    seed_everything(run.settings.seed)
    with pytest.raises(KeyboardInterrupt):
        trainer.run(tmp_path / "tensorboard" / "distill")
    again = trained(*toys, *BEST, *LONGER, f"out={tmp_path}")
    for phase, epoch in (("distill", 3), ("fewshot", 2), ("continual", 2)):
        ours, theirs = weights(again, phase, epoch), weights(finished, phase, epoch)
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs), phase


def test_a_closed_set_has_no_zero_shot_output_and_tells_its_halves_apart(toys, tmp_path) -> None:
    run = trained(*toys, "objective.cls=1", "text.closed_set=true", f"out={tmp_path}")
    assert [len(group) for group in run.task("fewshot").classes] == [len(run.split.known), len(run.split.unseen)]
    metrics = evaluate_pictures(run)["metrics"]
    assert metrics["zero_shot"]["ood"] is None
    assert 0 <= metrics["few_shot"]["ood"]["accuracy"] <= 1
    assert "retrieval" not in metrics


def test_learned_prompts_move_with_the_training(toys, tmp_path) -> None:
    run = trained(*toys, "objective.cls=1", "text.tokens=4", "text.context=null", f"out={tmp_path}")
    first, last = (load_checkpoint(epoch_folder(run.folder / phase, 1)).model for phase in ("distill", "fewshot"))
    name = next(name for name in first if name.endswith("positive"))
    assert not torch.equal(first[name], last[name])


def test_the_mean_of_the_last_epochs(toys, tmp_path) -> None:
    run = trained(*toys, "objective.cls=1", "distill.epochs=3", "fewshot.epochs=2", "last_epochs=2", f"out={tmp_path}")
    result = evaluate_pictures(run)
    noted = [row["validation"]["accuracy"] for row in result["history"]["distill"]]
    assert result["metrics"]["zero_shot"]["id"]["accuracy"] == pytest.approx(np.mean(noted[-2:]))


@pytest.mark.parametrize(
    ("overrides", "error", "words"),
    [
        ((), InvalidArgumentError, "objective.cls=1"),
        (("objective.cls=1", "objective.cap=1", "text.closed_set=true"), InvalidArgumentError, "objective.cls alone"),
        (("objective.cls=1", "text.template=thing"), InvalidArgumentError, "text.template"),
        (("objective.cls=1", "text.descriptions=other.json"), PickClutterError, "other.json"),
        (("objective.cls=1", "text.descriptions=flowery"), PickClutterError, "flowery"),
        (("objective.cls=1", "last_epochs=2"), InvalidArgumentError, "last_epochs"),
        (("objective.cls=1", "data.name=imagenet"), InvalidArgumentError, "imagenet"),
        (("objective.cls=1", "data.root=nowhere"), PickClutterError, "nowhere"),
        (("objective.cls=1", "student.name=timm/nothing"), InvalidArgumentError, "nothing"),
        (("objective.cls=1", "views.smallest=0"), InvalidArgumentError, "views.smallest"),
        (("objective.cls=1", "threads=0"), InvalidArgumentError, "threads"),
        (("objective.cls=1", "centre=500"), InvalidArgumentError, "centre"),
        (("objective.cls=1", "'text.template=\"{name} {x}\"'"), InvalidArgumentError, "text.template"),
        (("objective.cls=1", "fewshot.batch_size=500"), InvalidArgumentError, "training pictures for batches of 500"),
        (
            ("objective.cls=1", "objective.im_cst=1", "distill.lr=1e30", "distill.epochs=4"),
            InvalidArgumentError,
            r"distill\.lr",
        ),
        (
            ("objective.cls=1", "student.name=timm/vit_tiny_patch16_224", "image_size=50"),
            InvalidArgumentError,
            "pictures of 50 px",
        ),
    ],
)
def test_what_does_not_fit_is_named(toys, tmp_path, overrides, error, words) -> None:
    with pytest.raises(error, match=words):
        trained(*toys, *overrides, f"out={tmp_path / 'run'}")


def test_a_mistake_leaves_nothing_behind_that_refuses_its_correction(toys, tmp_path) -> None:
    with pytest.raises(InvalidArgumentError, match="nothing"):
        trained(*toys, "objective.cls=1", "student.name=timm/nothing", f"out={tmp_path}")
    trained(*toys, "objective.cls=1", f"out={tmp_path}")


def test_damaged_settings_of_a_run_are_named(finished, toys, tmp_path) -> None:
    for text in ("{", "{}"):
        (tmp_path / "settings.json").write_text(text)
        with pytest.raises(CheckpointError, match=r"settings\.json"):
            PictureRun.open(settings(*toys, *BEST, f"out={tmp_path}"))


def test_each_pass_over_a_picture_shows_another_view(toys, tmp_path) -> None:
    run = PictureRun.open(settings(*toys, *BEST, "repeats=3", "views.crops=0", f"out={tmp_path}"))
    shown = [run.views.drawn([0], (0, 0, 1, number))[0] for number in range(3)]
    assert not torch.equal(shown[0], shown[1]) and not torch.equal(shown[1], shown[2])
    keys = []
    run.views.drawn = lambda rows, key, size: keys.append(key) or (torch.zeros(len(rows), 3, 32, 32), [0] * len(rows))
    task = run.task("distill")
    for number, batch in enumerate(task.batches(1)[:2]):
        task.loss(batch, 1, number)
    assert len(set(keys)) == 2


def test_evaluation_shows_the_middle_that_is_asked_for(toys, tmp_path) -> None:
    run = PictureRun.open(settings(*toys, *BEST, "centre=16", "image_size=16", f"out={tmp_path}"))
    middle = torch.from_numpy(run.data.pictures.read([3])[0, 8:24, 8:24]).permute(2, 0, 1).float() / 255
    assert torch.allclose(run.views.plain([3])[0], middle, atol=1e-6)


def test_captions_and_descriptions_that_changed_are_other_data(finished, toys, tmp_path) -> None:
    ids = finished.data.pictures.ids
    files = []
    for word in ("red", "blue"):
        files.append(tmp_path / f"{word}.jsonl")
        files[-1].write_text("".join(json.dumps({"id": item, "text": f"a {word} thing"}) + "\n" for item in ids))
    same = [*toys, "objective.cls=1", "objective.cap=1", f"out={tmp_path / 'run'}"]
    trained(*same, f"data.captions={files[0]}")
    with pytest.raises(StoreMismatchError, match="captions"):
        PictureRun.open(settings(*same, f"data.captions={files[1]}"))


def test_descriptions_too_long_for_the_teacher_do_not_fail_a_run_without_them(toys, tmp_path) -> None:
    run = trained(*toys, "objective.cls=1", f"out={tmp_path}")
    long = [replace(item, description="word " * 200) for item in run.data.classes]
    run.data = replace(run.data, classes=tuple(long))
    assert "descriptions" in evaluate_pictures(run)["metrics"]["text"]


def test_a_folder_of_another_run_is_refused(finished, toys, tmp_path) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    same = [*toys, *BEST, *LONGER, f"out={tmp_path / 'run'}"]
    PictureRun.open(settings(*same))
    with pytest.raises(InvalidArgumentError, match=r"objective\.top_k: 256 / 3"):
        PictureRun.open(settings(*same, "objective.top_k=3"))
    with pytest.raises(StoreMismatchError, match="other data"):
        PictureRun.open(settings(*same, "data.seed=1"))
    other = make_teacher(tmp_path / "teacher", seed=1)
    with pytest.raises(TeacherError, match="fingerprint"):
        PictureRun.open(settings(*same, f"teacher.checkpoint={other}"))


def test_fixed_crops_are_those_that_the_teacher_saw(toys, tmp_path) -> None:
    run = PictureRun.open(settings(*toys, *BEST, "views.crops=3", "views.flip=false", f"out={tmp_path}"))
    shown, crops = run.views.drawn([0, 1, 2, 3], (0, 0, 1))
    again, _ = run.views.drawn([3, 2, 1, 0], (0, 0, 1))
    assert torch.equal(shown.flip(0), again)
    assert set(crops) <= {0, 1, 2}
    seen = torch.from_numpy(run.views._cropped([0], crops[0], run.teacher.image_size)).permute(0, 3, 1, 2).float() / 255
    same_size = torch.nn.functional.interpolate(seen, size=shown.shape[-2:], mode="bilinear", antialias=True)
    assert (same_size[0] - shown[0]).abs().mean() < 0.03
    assert any(run.views.drawn([0], (0, 0, epoch))[1] != crops[:1] for epoch in range(2, 12))
    features = run.views.crop_features(run.teacher, run.cache, [5, 2])
    assert features.shape[:2] == (2, 3)
    assert not torch.equal(features[:, 0], features[:, 1])
    again = run.teacher.encode_image(run.teacher.preprocess(run.views._cropped([2], 1, run.teacher.image_size)))
    assert torch.allclose(features[1, 1], again[0], atol=1e-5)


def test_retrieval_weighs_the_cache_by_the_few_shot_pictures_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(4, 16, generator=generator)
    labels = torch.arange(4).repeat(5)
    keys = centres[labels] + 0.1 * torch.randn(20, 16, generator=generator)
    queries = centres + 0.1 * torch.randn(4, 16, generator=generator)
    useless = torch.nn.functional.normalize(torch.randn(4, 16, generator=generator), dim=1)
    places, choice = retrieve(queries, keys, labels, useless, scale=1 / 0.07)
    assert places.tolist() == [0, 1, 2, 3]
    assert choice["alpha"] > 0
    texts = torch.nn.functional.normalize(centres, dim=1)
    assert retrieve(queries, keys, labels, texts, scale=1 / 0.07)[1]["alpha"] == 0  # text alone is as good


@pytest.mark.slow
def test_every_table_and_figure_from_runs_of_two_classes_a_side(toys, tmp_path) -> None:
    shared = [*toys, "data.max_classes=2", "data.max_per_class=6"]
    for name, overrides in RUNS.items():
        student = ["student.name=timm/vit_tiny_patch16_224"] if "student=vit_b_32" in overrides else []
        evaluate_pictures(trained(*shared, *overrides, *student, f"name={name}", f"out={tmp_path / name / 'seed0'}"))
    grid = BenchmarkGridSettings("all", "all", [0], str(tmp_path), 1, [])
    written = write_benchmark(grid)
    assert len(written) == len(TABLES) + len(FIGURES)
    for number, table in TABLES.items():
        assert "Not finished" not in (tmp_path / f"table{number}.md").read_text()
        if table.rows:
            rows = list(csv.DictReader((tmp_path / f"table{number}.csv").open()))
            assert {row["row"] for row in rows if not row["minus"]} == {row.name for row in table.rows}
            assert any(row["mean"] for row in rows)


@pytest.mark.slow
def test_the_command_makes_a_table_and_skips_what_is_finished(toys, tmp_path) -> None:
    command = [
        sys.executable, str(ROOT / "scripts" / "run_benchmark.py"), "table=3", "seeds=[0]", f"out={tmp_path / 'out'}",
        *(one for one in toys if not one.startswith("threads")),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "table3.md" in done.stdout
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob(RESULT_FILE)}
    assert len(before) == 2
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    other = subprocess.run([*command, "distill.lr=0.5"], capture_output=True, text=True)
    assert other.returncode == 2
    assert "distill.lr: 0.002 / 0.5" in other.stderr
    toy_views(tmp_path / "other", objects=6, views=17)
    elsewhere = subprocess.run([*command, f"data.root={tmp_path / 'other'}"], capture_output=True, text=True)
    assert elsewhere.returncode == 2
    assert "other pictures" in elsewhere.stderr
    damaged = next(iter(before))
    damaged.write_text(json.dumps({"schema": 0}))
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2
    assert str(damaged) in refused.stderr


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({}, "table=1"),
        ({"table": "13"}, "13"),
        ({"figure": "3"}, "3"),
        ({"table": "1", "seeds": [0, 0]}, "seeds"),
        ({"table": "1", "workers": 0}, "workers"),
        ({"table": "1", "overrides": ["seed=4"]}, "seed=4"),
        ({"table": "2", "overrides": ["objective.im_cst=1"]}, "objective.im_cst=1"),
        ({"table": "5", "overrides": ["text.descriptions=own"]}, "text.descriptions=own"),
    ],
)
def test_a_grid_that_makes_no_sense_is_named(chosen, words) -> None:
    values = {"table": None, "figure": None, "seeds": [0], "out": "runs", "workers": 1, "overrides": []} | chosen
    with pytest.raises(InvalidArgumentError, match=words):
        BenchmarkGridSettings(**values).validate()


def test_runs_that_tables_share_are_planned_once(toys, tmp_path) -> None:
    grid = BenchmarkGridSettings("all", "all", [0, 1], str(tmp_path), 2, [])
    jobs = plan_benchmark(grid, lambda overrides: settings(*toys, *overrides))
    names = [job.name for job in jobs]
    assert len(names) == len(set(names)) == 2 * len(RUNS)


def test_a_vit_is_trained_by_its_own_recipe_whatever_the_other_students(toys, tmp_path) -> None:
    paths = [one for one in toys if one.startswith(("data.root", "teacher"))]
    overrides = [*paths, "recipe=paper_resnet", "student.name=torchvision/resnet50"]
    grid = BenchmarkGridSettings("all", None, [0], str(tmp_path), 1, overrides)
    jobs = plan_benchmark(grid, lambda some: settings(*some))
    vit = {job.name: job.settings for job in jobs if "vit" in job.name}
    assert len(vit) == 4
    for own in vit.values():
        assert own.student.name == "timm/vit_base_patch32_224"
        assert own.distill.optimizer == "adamw" and own.views.rand_augment
    others = [job.settings for job in jobs if "vit" not in job.name]
    assert {own.student.name for own in others} == {"torchvision/resnet50"}
    assert {own.distill.optimizer for own in others} == {"sgd"}


def test_settings_that_cannot_stand_in_one_table_are_refused_before_training(toys, tmp_path) -> None:
    evaluate_pictures(trained(*toys, *RUNS["cls"], "name=cls", f"out={tmp_path / 'cls' / 'seed0'}"))
    grid = BenchmarkGridSettings("9", None, [0], str(tmp_path), 1, ["distill.epochs=2"])
    with pytest.raises(InvalidArgumentError, match=r"distill\.epochs: 1 / 2"):
        plan_benchmark(grid, lambda some: settings(*toys, *some))


@pytest.mark.parametrize("recipe", ["cpu", "smoke", "paper_resnet", "paper_vit"])
@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "benchmark").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_data_set_and_recipe_is_a_whole_configuration(path, recipe) -> None:
    chosen = settings(f"benchmark={path.stem}", f"recipe={recipe}", "data.root=somewhere", "objective.cls=1")
    assert chosen.data.name == path.stem and chosen.data.root == "somewhere"


def test_a_data_set_without_a_place_asks_for_it() -> None:
    with pytest.raises(InvalidArgumentError, match=r"data\.root"):
        settings("benchmark=flower102", "objective.cls=1")

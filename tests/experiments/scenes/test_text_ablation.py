"""The ablation of label texts: names, descriptions, ensembles and noise, on toy scenes and views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg

from helpers.forkserver import run_python
from helpers.paths import SCRIPTS
from helpers.scene_data import make_toy_store
from pickclutter_lang.datasets.object_views import ObjectViewDataset, write_object_views
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.scenes.command_configs import TextAblationConfig
from pickclutter_lang.experiments.scenes.text_ablation import (
    Method,
    ablate_on_views,
    compare_on_scenes,
    table,
    text_methods,
)
from pickclutter_lang.language.descriptions import STYLES, attach_descriptions
from pickclutter_lang.metrics.multilabel import multilabel_row
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teachers import OpenClipTeacher
from pickclutter_lang.utils.statistics import estimate

SCRIPT = SCRIPTS / "ablate_texts.py"
NAMES = paper_catalog().names
CONFIG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 64, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def teacher() -> OpenClipTeacher:
    torch.manual_seed(0)
    model = open_clip.CLIP(**CONFIG)
    with torch.no_grad():
        model.token_embedding.weight.mul_(20)
        model.positional_embedding.mul_(20)
    return OpenClipTeacher(model, CONFIG, PreprocessCfg(size=(32, 32)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SceneStore:
    return make_toy_store(tmp_path_factory.mktemp("scenes") / "ood", "ood", 12)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> ObjectViewDataset:
    rng = np.random.default_rng(0)
    objects: list[dict[str, Any]] = [{"model_id": "011_banana"}, {"colours": ["red"]}, {"model_id": "062_dice"}]
    rgb, mask = rng.integers(0, 256, (9, 32, 32, 3), dtype=np.uint8), np.ones((9, 32, 32), bool)
    folder = tmp_path_factory.mktemp("views") / "views"
    write_object_views(folder, rgb, mask, np.arange(9, dtype=np.int32) % 3, objects, {"objects": "toy"})
    return ObjectViewDataset.open(folder)


def test_names_on_scenes_are_scored_by_pairs_of_prompts(teacher: OpenClipTeacher, store: SceneStore) -> None:
    names = store.label_names
    rows = compare_on_scenes(teacher, store, text_methods(names, ["standard"], 1)[:2])
    features = teacher.encode_image(teacher.preprocess(store.images("hand", "rgb")))
    truth = torch.from_numpy(store.labels("visible"))
    for row, labels in (
        (rows["name"][0], names),
        (rows["standard description"][0], attach_descriptions(names, "standard")),
    ):
        with_it, without = (
            teacher.encode_text([f"a photo of a table {word} a {label}" for label in labels])
            for word in ("with", "without")
        )
        logits = teacher.logit_scale * torch.stack([features @ with_it.T, features @ without.T])
        expected = multilabel_row(logits.softmax(dim=0)[0], truth)
        assert row["map"] == pytest.approx(expected["map"]) and row["f1"] == pytest.approx(expected["f1"])


def test_scenes_with_catalog_objects_are_scored_on_these_alone(teacher: OpenClipTeacher, tmp_path: Path) -> None:
    known = make_toy_store(tmp_path / "id", "id", 6)
    rows = compare_on_scenes(teacher, known, text_methods(known.label_names, [], 1)[:1])
    assert np.isnan(rows["name"][0]["map_ood"])
    assert rows["name"][0]["map"] == rows["name"][0]["map_id"]
    assert "Y_ood" not in table(rows)


def test_only_catalog_objects_are_classified_on_views(teacher: OpenClipTeacher, views: ObjectViewDataset) -> None:
    rows = ablate_on_views(teacher, views, [Method("name", [[[name] for name in NAMES]])])
    named_rows = [n for n in range(9) if n % 3 != 1]
    owners = [NAMES.index("banana") if n % 3 == 0 else NAMES.index("dice") for n in named_rows]
    features = teacher.encode_image(teacher.preprocess(views.rgb[named_rows]))
    best = (features @ teacher.encode_text([f"a photo of a {name}" for name in NAMES]).T).argmax(dim=1).tolist()
    assert rows["name"][0]["top1"] == pytest.approx(np.mean([b == o for b, o in zip(best, owners, strict=True)]))


def test_controls_have_a_row_for_each_seed() -> None:
    methods = {method.name: method.texts for method in text_methods(NAMES, STYLES, 3)}
    assert [len(texts) for texts in methods.values()] == [1] * 7 + [3] + [1] + [3] * 4
    counts = [len(texts) for texts in methods["mean of descriptors"][0]]
    for name in ("random words", "random characters", "random words of the descriptors"):
        first, second, _ = methods[name]
        assert [len(texts) for texts in first] == counts and first != second
    assert methods["random words"] == {m.name: m.texts for m in text_methods(NAMES, STYLES, 3)}["random words"]


def test_the_table_shows_means_and_intervals() -> None:
    values = [0.5, 0.6, 0.7]
    half = estimate([100 * value for value in values]).half_width
    lines = table({"name": [{"top1": 0.123}], "noise": [{"top1": value} for value in values]}).splitlines()
    assert lines == ["| texts | top-1 |", "| --- | ---: |", "| name | 12.3 |", f"| noise | 60.0 ± {half:.1f} |"]


@pytest.mark.slow
def test_the_script_writes_the_tables(store: SceneStore, views: ObjectViewDataset, tmp_path: Path) -> None:
    root = Path(views_folder(views, tmp_path))
    arguments = [
        f"scenes=[{store.path}]",
        f"views=[{root}]",
        "descriptions=[succinct]",
        "seeds=1",
        f"out={tmp_path / 'texts.md'}",
    ]
    done = run_python([str(SCRIPT), *arguments])
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "texts.md").read_text()
    assert done.stdout.strip() == written.strip()
    assert written.count("| random characters |") == 2 and "## 12 scenes" in written and "## 9 views (toy)" in written


def views_folder(views: ObjectViewDataset, folder: Path) -> Path:
    write_object_views(
        folder / "views", views.rgb, views.mask, views.object_index, list(views.objects), dict(views.config)
    )
    return folder / "views"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "scenes=.* or views=.* but got neither"),
        ({"scenes": ["a"], "seeds": 0}, "seeds to lie between 1"),
        ({"views": ["a"], "crop_fraction": 1.5}, "crop_fraction to lie between"),
    ],
)
def test_bad_settings_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        TextAblationConfig(**change).validate()  # type: ignore[arg-type]


def test_views_of_other_objects_are_refused(teacher: OpenClipTeacher, views: ObjectViewDataset) -> None:
    others = ObjectViewDataset(views.rgb, views.mask, views.object_index * 0 + 1, views.objects, {}, "")
    with pytest.raises(InvalidArgumentError, match="these show none"):
        ablate_on_views(teacher, others, [])

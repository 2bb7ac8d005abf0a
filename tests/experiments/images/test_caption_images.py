"""Image captions by small BLIP and GIT models with random weights, saved and loaded like published ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from helpers.captioners import SPECIAL, WORDS, save_blip, save_git
from helpers.image_data import config as image_config
from helpers.image_data import paint, paint_classes
from helpers.paths import PROGRAM
from helpers.process_kill import run_killed
from pickclutter_lang import errors
from pickclutter_lang.datasets.images.loading import load_image_dataset
from pickclutter_lang.experiments.images.caption_images import caption_images
from pickclutter_lang.experiments.images.config import CaptionConfig
from pickclutter_lang.language.captioner import Captioner

pytest.importorskip("transformers")

TOKENS, BATCH = 5, 3
FOLDERS = ("apple", "pear", "plum", "ten")
BIAS = "text_decoder.cls.predictions.bias"


def save(name: str, folder: Path) -> Path:
    torch.manual_seed(0)
    {"blip": save_blip, "git": save_git}[name](folder / name)
    return folder / name


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save("blip", tmp_path_factory.mktemp("models"))


@pytest.fixture
def config(model: Path, tmp_path: Path) -> CaptionConfig:
    paint_classes(tmp_path / "data", FOLDERS, 3)
    data = image_config(tmp_path, shots=1)
    return CaptionConfig(data, str(model), None, TOKENS, BATCH, "cpu", str(tmp_path / "captions.jsonl"))


def changed(model: Path, folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Path:
    """Return a copy of a model whose tensors are changed."""
    weights = shutil.copytree(model, folder) / "model.safetensors"
    save_file(change(load_file(weights)), weights, {"format": "pt"})
    return folder


def captions(out: str | Path) -> dict[str, str]:
    rows = [json.loads(line) for line in Path(out).read_text().splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row["text"] for row in rows}


@pytest.mark.parametrize("name", ["blip", "git"])
def test_every_image_gets_its_caption(name: str, config: CaptionConfig, tmp_path: Path) -> None:
    config = replace(config, model=str(save(name, tmp_path)))
    done = caption_images(config)
    assert (done.images, done.new) == (12, 12)
    texts = captions(config.out)
    captioner = Captioner(config.model, max_tokens=TOKENS)
    for image_id, text in texts.items():
        image = Image.open(Path(config.data.root) / image_id).convert("RGB")
        assert captioner.caption([image]) == [text]
        assert 1 <= len(text.split()) <= TOKENS and set(text.split()) <= set(WORDS[len(SPECIAL) :])
    assert len(set(texts.values())) > 3, "equal captions for all images: a mix-up would go unnoticed"
    data, _, report = load_image_dataset(replace(config.data, captions=config.out))
    assert data.captions == texts and set(texts) == set(data.images.ids) and "caption" not in report


@pytest.mark.slow
def test_a_killed_run_resumes(config: CaptionConfig, tmp_path: Path) -> None:
    """The real command dies before its third batch is written; a line is cut, as a power cut would."""
    places = (f"data.root={config.data.root}", f"data.cache={config.data.cache}", f"out={config.out}")
    values = ("dataset=image_folder", "data.shots=1", f"max_tokens={TOKENS}", f"batch_size={BATCH}")
    line = [*values, *places, f"model={config.model}"]
    place = "pickclutter_lang.experiments.images.caption_images:_append"
    run_killed([*PROGRAM, "caption-images", *line], place, 3, tmp_path)
    first = Path(config.out).read_text()
    assert len(captions(config.out)) == 2 * BATCH
    Path(config.out).write_text(first + '{"id": "pear/p0.png", "te')
    assert caption_images(config).new == 12 - 2 * BATCH
    uninterrupted = replace(config, out=str(tmp_path / "whole.jsonl"))
    caption_images(uninterrupted)
    assert Path(config.out).read_text() == Path(uninterrupted.out).read_text()
    assert caption_images(config).new == 0 and Path(config.out).read_text().startswith(first)


@pytest.mark.parametrize("other", ["weights", "tokens", "image", "line"])
def test_captions_of_another_model_or_other_images_are_refused(
    config: CaptionConfig, tmp_path: Path, other: str
) -> None:
    caption_images(config)
    out = Path(config.out)
    image = Path(config.data.root) / "plum" / "p1.png"
    if other == "weights":
        folder = changed(Path(config.model), tmp_path / "other", lambda t: {**t, BIAS: t[BIAS] * 2})
        config = replace(config, model=str(folder))
    elif other == "tokens":
        config = replace(config, max_tokens=TOKENS + 1)
    elif other == "image":
        paint(image, 99)
    else:
        out.write_text("[]\n" + out.read_text())
    before = out.read_bytes()
    with pytest.raises(errors.DatasetError if other == "line" else errors.MismatchError, match="captions"):
        caption_images(config)
    assert out.read_bytes() == before


@pytest.mark.parametrize("fault", ["pickle", "code"])
def test_a_folder_that_is_no_captioner_is_refused(model: Path, tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    if fault == "pickle":
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    else:
        (folder / "config.json").write_text('{"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}')
        (folder / "own.py").write_text("raise SystemExit('code of a model was run')")
    with pytest.raises(errors.MissingAssetsError if fault == "pickle" else errors.LanguageModelError):
        Captioner(str(folder))

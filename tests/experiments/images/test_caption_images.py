"""Image captions by small BLIP and GIT models with random weights, saved and loaded like published ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from helpers.captioners import SPECIAL, WORDS, save_blip, save_git
from helpers.image_data import config as picture_settings
from helpers.image_data import paint, paint_classes, toy_views
from helpers.paths import ROOT, SCRIPTS
from helpers.process_kill import run_killed
from pickclutter_lang import errors
from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.datasets.images import load_image_dataset
from pickclutter_lang.experiments.images.caption_images import caption_images
from pickclutter_lang.experiments.images.config import CACHE_DIR, CaptionConfig
from pickclutter_lang.utils.locks import file_lock

transformers = pytest.importorskip("transformers")
constants = pytest.importorskip("huggingface_hub.constants")
from pickclutter_lang.language.captioner import Captioner  # noqa: E402  # needs the hub's client

SCRIPT = SCRIPTS / "caption_images.py"
TOKENS, BATCH = 5, 3
FOLDERS = ("apple", "pear", "plum", "ten")


@pytest.fixture(scope="module", params=["blip", "git"])
def any_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("models") / request.param
    torch.manual_seed(0)
    {"blip": save_blip, "git": save_git}[request.param](folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "blip"
    torch.manual_seed(0)
    save_blip(folder)
    return folder


@pytest.fixture
def config(model: Path, tmp_path: Path) -> CaptionConfig:
    paint_classes(tmp_path / "data", FOLDERS, 3)
    data = picture_settings(tmp_path, shots=1)
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


def test_every_image_gets_its_caption(any_model: Path, config: CaptionConfig) -> None:
    done = caption_images(replace(config, model=str(any_model)))
    assert (done.images, done.new) == (12, 12)
    texts_by_image, captioner = captions(config.out), Captioner(str(any_model), max_tokens=TOKENS)
    for name, text in texts_by_image.items():
        image = Image.open(Path(config.data.root) / name).convert("RGB")
        assert captioner.caption([image]) == [text]
        assert 1 <= len(text.split()) <= TOKENS and set(text.split()) <= set(WORDS[len(SPECIAL) :])
    assert len(set(texts_by_image.values())) > 3, "equal captions for all images: a mix-up would go unnoticed"
    data, _, report = load_image_dataset(replace(config.data, captions=config.out))
    assert data.captions == texts_by_image and set(texts_by_image) == set(data.images.ids) and "caption" not in report


def test_images_in_memory_are_captioned_too(config: CaptionConfig, tmp_path: Path) -> None:
    views = toy_views(tmp_path / "views", 4, 3)
    data = replace(config.data, name="object_views", root=str(views), image_size=32)
    caption_images(replace(config, data=data))
    images = load_image_dataset(data)[0].images
    expected = Captioner(config.model, max_tokens=TOKENS).caption(list(images.load(range(12))))
    assert captions(config.out) == dict(zip(images.ids, expected, strict=True))


def test_a_killed_run_resumes(config: CaptionConfig, tmp_path: Path) -> None:
    """The real command dies before its third batch is written; a line is cut, as a power cut would."""
    places = (f"data.root={config.data.root}", f"data.cache={config.data.cache}", f"out={config.out}")
    values = ("dataset=image_folder", "data.shots=1", f"max_tokens={TOKENS}", f"batch_size={BATCH}")
    command = [*values, *places, f"model={config.model}"]
    run_killed(SCRIPT, command, "pickclutter_lang.experiments.images.caption_images:_append", 3, tmp_path)
    first = Path(config.out).read_text()
    assert len(captions(config.out)) == 2 * BATCH
    Path(config.out).write_text(first + '{"id": "pear/p0.png", "te')
    assert caption_images(config).new == 12 - 2 * BATCH
    uninterrupted = replace(config, out=str(tmp_path / "whole.jsonl"))
    caption_images(uninterrupted)
    assert Path(config.out).read_text() == Path(uninterrupted.out).read_text()
    assert caption_images(config).new == 0 and Path(config.out).read_text().startswith(first)


def test_more_images_are_captioned_in_the_same_file(config: CaptionConfig) -> None:
    caption_images(replace(config, data=replace(config.data, max_classes=1)))
    before = captions(config.out)
    assert 0 < len(before) < 12 and caption_images(config).new == 12 - len(before)
    assert captions(config.out).items() >= before.items()


@pytest.mark.parametrize("other", ["weights", "tokens", "image", "gone", "provenance", "line"])
def test_captions_of_another_model_or_other_images_are_refused(
    config: CaptionConfig, tmp_path: Path, other: str
) -> None:
    caption_images(config)
    out, image = Path(config.out), Path(config.data.root) / "plum" / "p1.png"
    error: type[Exception] = errors.MismatchError
    if other == "weights":
        name = "text_decoder.cls.predictions.bias"
        folder = changed(Path(config.model), tmp_path / "other", lambda t: {**t, name: t[name] * 2})
        config, match = replace(config, model=str(folder)), "other weights"
    elif other == "tokens":
        config, match = replace(config, max_tokens=TOKENS + 1), f"max_tokens={TOKENS}, but now"
    elif other == "image":
        paint(image, 99)
        match = r"plum/p1\.png"
    elif other == "gone":
        image.unlink()
        match = r"plum/p1\.png"
    elif other == "provenance":
        out.with_name("captions.jsonl.card.json").unlink()
        match = r"captions\.jsonl\.card\.json"
    else:
        out.write_text("[]\n" + out.read_text())
        error, match = errors.DatasetError, "line 1"
    before = out.read_bytes()
    with pytest.raises(error, match=match):
        caption_images(config)
    assert out.read_bytes() == before


def test_an_unreadable_image_is_named_and_may_be_replaced(config: CaptionConfig) -> None:
    bad = Path(config.data.root) / "plum" / "p1.png"
    bad.write_bytes(b"no image")
    with pytest.raises(errors.InvalidArgumentError, match=r"plum/p1\.png"):
        caption_images(config)
    assert len(captions(config.out)) == 6
    paint(bad, 99)
    assert caption_images(config).new == 6 and len(captions(config.out)) == 12


def test_empty_captions_are_reported_after_all_images_are_captioned(config: CaptionConfig, tmp_path: Path) -> None:
    name = "text_decoder.cls.predictions.bias"
    end = torch.zeros(len(WORDS))
    end[3] = 1000
    folder = changed(Path(config.model), tmp_path / "silent", lambda tensors: {**tensors, name: end})
    with pytest.raises(errors.LanguageModelError, match=r"an empty caption for 12, such as apple/p0\.png"):
        caption_images(replace(config, model=str(folder)))
    assert captions(config.out) == {}


def test_two_processes_do_not_write_one_file(config: CaptionConfig) -> None:
    with file_lock(Path(config.out)), pytest.raises(errors.LockedError, match="alone"):
        caption_images(config)
    with pytest.raises(errors.DatasetError, match="mkdir -p"):
        caption_images(replace(config, out=str(Path(config.out).parent / "none" / "captions.jsonl")))


@pytest.mark.parametrize("fault", ["pickle", "part", "broken", "kind", "code", "processor"])
def test_a_folder_that_is_no_captioner_is_refused(model: Path, tmp_path: Path, fault: str) -> None:
    error = errors.MissingAssetsError if fault == "pickle" else errors.LanguageModelError
    match = {"pickle": "safetensors", "part": "crossattention", "broken": "BLIP", "kind": "BLIP"}.get(fault, fault)
    folder = tmp_path / "model"
    if fault == "part":
        changed(model, folder, lambda tensors: {k: v for k, v in tensors.items() if "crossattention" not in k})
    else:
        shutil.copytree(model, folder)
    if fault == "pickle":
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    elif fault == "broken":
        (folder / "model.safetensors").write_bytes(b"no weights")
    elif fault == "kind":
        (folder / "config.json").write_text('{"model_type": "bert"}')
    elif fault == "code":
        (folder / "config.json").write_text('{"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}')
        (folder / "own.py").write_text("raise SystemExit('code of a model was run')")
    elif fault == "processor":
        (folder / "processor_config.json").unlink()
    with pytest.raises(error, match=match):
        Captioner(str(folder))


def test_tied_tensors_may_be_saved_under_either_name(model: Path, tmp_path: Path) -> None:
    """The hub's converter saves one of two names of a shared tensor, and not the one that transformers saves."""
    one, two = "bert.embeddings.word_embeddings", "cls.predictions.decoder"
    other = changed(model, tmp_path / "other", lambda tensors: {k.replace(one, two): v for k, v in tensors.items()})
    assert f"text_decoder.{two}.weight" in load_file(other / "model.safetensors")
    images = [np.random.default_rng(n).integers(0, 256, (32, 32, 3), dtype=np.uint8) for n in range(3)]
    assert Captioner(str(other)).caption(images) == Captioner(str(model)).caption(images)


def test_wrong_settings_are_named(config: CaptionConfig, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: dict[str, Any] = {"out": "captions.json", "max_tokens": 0, "batch_size": 0}
    for key, value in wrong.items():
        with pytest.raises(errors.InvalidArgumentError, match=key):
            replace(config, **{key: value}).validate()
    with pytest.raises(errors.InvalidArgumentError, match="revision"):
        Captioner(str(model), revision="main")
    with pytest.raises(errors.InvalidArgumentError, match="'nowhere'"):
        Captioner(str(model), device="nowhere")
    with pytest.raises(errors.MissingAssetsError, match=r"\./none"):
        Captioner("./none")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(errors.MissingExtraError, match=r"transformers .*\[sentence\]"):
        Captioner(str(model))


def test_a_model_in_the_cache_needs_no_network(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    revision, hub_folder = "1" * 40, tmp_path / "models--owner--blip"
    shutil.copytree(model, hub_folder / "snapshots" / revision)
    (hub_folder / "refs").mkdir()
    (hub_folder / "refs" / "main").write_text(revision)
    by_name, local = (Captioner(name).provenance["weights"] for name in ("owner/blip", str(model)))
    assert by_name == local
    with pytest.raises(errors.MissingAssetsError, match="owner/blip/tree/older"):
        Captioner("owner/blip", revision="older")


def test_without_network_the_error_names_the_missing_download(config: CaptionConfig, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "dataset=image_folder", f"data.root={config.data.root}"]
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path / "hub")}
    done = subprocess.run(command, cwd=tmp_path, env=offline, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    for part in ("MissingAssetsError", "Salesforce/blip-image-captioning-base/tree/", "safetensors", "model=FOLDER"):
        assert part in done.stderr
    assert not (tmp_path / "captions.jsonl").exists()


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "configs" / "dataset").glob("*.yaml")))
def test_every_benchmark_can_be_chosen(name: str) -> None:
    config = compose_config(CaptionConfig, "caption_images", [f"dataset={name}", "data.root=IMAGES"])
    assert (config.data.name, config.data.root, config.data.cache) == (name, "IMAGES", CACHE_DIR)

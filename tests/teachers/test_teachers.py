"""Teachers: prompts equal texts, preprocessing is open_clip's, and missing parts raise one-line errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import save_file

from pickclutter_lang.errors import InvalidArgumentError, TeacherError
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.object_sets import load_object_set
from pickclutter_lang.teachers import OpenClipTeacher, load_teacher
from pickclutter_lang.teachers.config import TeacherReference
from pickclutter_lang.teachers.pocket import (
    POCKET_CONFIG,
    PocketTeacher,
    build_pocket_model,
    dense_maps,
    save_pocket_model,
)

TEXTS = ["a banana", "a photo of a table with a rubik's cube", "a photo of dice . a tiny white cube with black dots"]


def random_pocket() -> PocketTeacher:
    torch.manual_seed(0)
    return PocketTeacher(
        build_pocket_model(POCKET_CONFIG),
        POCKET_CONFIG["model_cfg"],
        PreprocessCfg(**POCKET_CONFIG["preprocess_cfg"]),
    )


def random_l14(layers: int = 2) -> OpenClipTeacher:
    """Width, heads, patches and activation of `ViT-L-14-quickgelu`, few layers, random weights."""
    torch.manual_seed(0)
    config = open_clip.get_model_config("ViT-L-14-quickgelu")
    config["vision_cfg"]["layers"] = config["text_cfg"]["layers"] = layers
    return OpenClipTeacher(open_clip.CLIP(**config), config, PreprocessCfg())


@pytest.fixture(scope="module", params=[random_pocket, random_l14], ids=["pocket", "vit-l-14"])
def teacher(request: pytest.FixtureRequest) -> Iterator[OpenClipTeacher]:
    yield request.param()


def test_prompts_equal_texts_at_any_length(teacher: OpenClipTeacher) -> None:
    tokens = teacher.tokenize(TEXTS)
    model = cast(Any, teacher.model)
    expected = model.encode_text(open_clip.tokenize(TEXTS, teacher.context_length), normalize=True)
    assert torch.allclose(teacher.encode_text(TEXTS), expected, atol=2e-5)
    for length in (None, 20):
        embeddings = teacher.embed_tokens(tokens)[:, :length].requires_grad_()
        found = teacher.encode_token_embeddings(embeddings, teacher.eot_positions(tokens))
        assert torch.allclose(found, expected, atol=2e-5)
    found.sum().backward()
    assert embeddings.grad is not None and embeddings.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("resize_mode", "shape"), [("shortest", (64, 64)), ("shortest", (300, 200)), ("squash", (300, 200))]
)
def test_preprocessing_is_open_clips(resize_mode: str, shape: tuple[int, int]) -> None:
    config = PreprocessCfg(size=96, mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7), resize_mode=resize_mode)
    rows = np.linspace(0, 255, shape[0])[:, None, None] * [1, 0.5, 0.2]
    columns = np.linspace(0, 80, shape[1])[None, :, None] * [0, 1, 1]
    image = np.clip(rows + columns, 0, 255).astype(np.uint8)
    expected = image_transform_v2(config, is_train=False)(Image.fromarray(image))
    model = build_pocket_model(POCKET_CONFIG)
    found = OpenClipTeacher(model, POCKET_CONFIG["model_cfg"], config).preprocess(image[None])[0]
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 2.5 / 255 / 0.5


def test_unprocessed_images_are_refused(teacher: OpenClipTeacher) -> None:
    with pytest.raises(InvalidArgumentError):
        teacher.encode_image(torch.zeros(1, 3, 31, 31))
    wrong: list[Any] = [np.zeros((2, 8, 8, 3), np.float32), np.zeros((8, 8, 3), np.uint8)]
    for images in wrong:
        with pytest.raises(InvalidArgumentError):
            teacher.preprocess(images)


def test_long_text_is_an_error_that_names_it(teacher: OpenClipTeacher) -> None:
    long = "a banana " * teacher.context_length
    with pytest.raises(InvalidArgumentError, match="a banana a banana"):
        teacher.encode_text(["short", long])
    assert teacher.encode_text([long], truncate=True).shape == (1, teacher.embed_dim)


def test_dense_features_average_to_the_image_feature() -> None:
    teacher = random_pocket()
    model: Any = teacher.model
    images = torch.randn(2, 3, 160, 160)
    dense = dense_maps(model, model.visual.trunk.forward_features(images))
    assert dense.shape == (2, 256, 10, 10)
    mean = torch.nn.functional.normalize(dense.mean(dim=(2, 3)), dim=-1)
    assert torch.allclose(mean, teacher.encode_image(images), atol=1e-5)
    assert torch.allclose(teacher.encode_dense(images), torch.nn.functional.normalize(dense, dim=1), atol=1e-5)


def test_open_clip_itself_builds_the_pocket_teacher(tmp_path: Path) -> None:
    model = build_pocket_model(POCKET_CONFIG)
    save_pocket_model(tmp_path, model, POCKET_CONFIG, torch.arange(5))
    built = open_clip.create_model(f"local-dir:{tmp_path}", load_weights=False)
    assert {k: v.shape for k, v in built.state_dict().items()} == {k: v.shape for k, v in model.state_dict().items()}
    teacher = load_teacher("pocket")
    assert teacher.config == POCKET_CONFIG["model_cfg"]
    save_pocket_model(tmp_path, teacher.model, POCKET_CONFIG, None)
    loaded = open_clip.create_model(f"local-dir:{tmp_path}").eval()
    image = torch.randn(1, 3, 160, 160)
    tokens = open_clip.tokenize(TEXTS, teacher.context_length)
    with torch.no_grad():
        features, text = loaded.encode_image(image, normalize=True), loaded.encode_text(tokens, normalize=True)
    torch.testing.assert_close(features, teacher.encode_image(image), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(text, teacher.encode_text(TEXTS), atol=1e-5, rtol=1e-4)
    assert load_teacher("pocket", checkpoint=tmp_path).fingerprint == teacher.fingerprint


def test_without_network_the_error_names_the_source_of_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A proxy without a server: no network on any machine.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(TeacherError, match=r"timm/vit_large_patch14_clip_224\.openai"):
        load_teacher("vit_l14_openai", cache_dir=tmp_path)


@pytest.mark.parametrize("name", ["no-such-model:openai", "ViT-B-32:no-such-tag", "ViT-B-32", "ViT-L-14:openai"])
def test_unknown_names_and_wrong_activations_are_refused(name: str) -> None:
    with pytest.raises(TeacherError, match=name.partition(":")[0]):
        load_teacher(name)


@pytest.mark.slow
def test_local_checkpoints(tmp_path: Path) -> None:
    model = open_clip.create_model("ViTamin-S", load_weights=False)
    path = tmp_path / "weights.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    teacher = load_teacher("ViTamin-S:datacomp1b", checkpoint=path)
    tokens = open_clip.tokenize(TEXTS)
    assert torch.allclose(teacher.encode_text(TEXTS), model.eval().encode_text(tokens, normalize=True), atol=2e-5)
    assert teacher.image_size == 224
    assert teacher.preprocess.describe()["mean"] == pytest.approx([0.48145466, 0.4578275, 0.40821073])
    with pytest.raises(TeacherError, match="RN50-quickgelu"):
        load_teacher("RN50-quickgelu:openai", checkpoint=path)
    for file in ("absent.safetensors", "w.pt"):
        with pytest.raises(TeacherError, match=file):
            load_teacher("ViT-B-32-quickgelu:openai", checkpoint=tmp_path / file)


def test_fingerprint_depends_on_weights_architecture_and_preprocessing() -> None:
    first, other_weights = random_pocket(), random_pocket()
    assert first.fingerprint == random_pocket().fingerprint
    with torch.no_grad():
        other_weights.model.get_parameter("ln_final.bias")[0] += 1e-3
    other_mean = OpenClipTeacher(first.model, first.config, PreprocessCfg(size=160))
    other_config = OpenClipTeacher(first.model, {**first.config, "quick_gelu": True}, first.preprocess.config)
    assert len({t.fingerprint for t in (first, other_weights, other_mean, other_config)}) == 4
    with pytest.raises(TeacherError):
        TeacherReference("pocket", None, first.fingerprint).load()


@pytest.mark.sim
def test_the_embedded_teacher_recognizes_easy_objects() -> None:
    pytest.importorskip("sapien")
    from pickclutter_lang.envs.generation.object_renderer import Model, ObjectRenderer
    from pickclutter_lang.envs.renderer import prepare_renderer

    prepare_renderer()
    objects = load_object_set("proxy")
    renderer = ObjectRenderer()
    easy_names = ["lemon", "pear", "orange", "bowl", "tennis ball", "wood block", "golf ball", "apple"]
    items = [objects.catalog.find(name) for name in easy_names]
    views = []
    for item in items:
        renderer.show(Model(objects.model_dir(item.model_id), item.scale, item.name, {}))
        views += [renderer.view(azimuth=azimuth).rgb for azimuth in (0.3, 2.5)]
    teacher = load_teacher("pocket")
    names = paper_catalog().names
    texts = teacher.encode_text([f"a photo of a {name}" for name in names])
    predicted = (teacher.encode_image(teacher.preprocess(np.stack(views))) @ texts.T).argmax(dim=1)
    found = [names[n] for n in predicted]
    assert sum(f == name for f, name in zip(found, np.repeat(easy_names, 2), strict=True)) >= 12, found

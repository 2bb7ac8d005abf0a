"""Text ensembles and their controls, on a real open_clip text tower with random weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import open_clip
import pytest
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg

from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.language.clip_words import word_tokens
from pickclutter_lang.language.descriptions import STYLES, attach_descriptions
from pickclutter_lang.language.ensembles import (
    catalog_descriptors,
    ensemble_features,
    label_texts,
    shuffled_descriptors,
    style_descriptors,
    swapped_names,
    waffle_descriptors,
    words_of,
)
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teachers import OpenClipTeacher

NAMES = ["banana", "dice", "power drill"]
ALL_NAMES = paper_catalog().names
CONFIG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 64, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
DESCRIPTORS = [["which has a long, thin tail", "which is made of wood"], ["which has red-green dots"]]


@pytest.fixture(scope="module")
def teacher() -> OpenClipTeacher:
    torch.manual_seed(0)
    model = open_clip.CLIP(**CONFIG)
    with torch.no_grad():
        model.token_embedding.weight.mul_(20)
        model.positional_embedding.mul_(20)
    return OpenClipTeacher(model, CONFIG, PreprocessCfg(size=(32, 32)))


def slow_ensemble(teacher: OpenClipTeacher, texts: list[list[str]], template: str) -> NDArray[Any]:
    rows = []
    for texts_of in texts:
        total = np.zeros(24)
        for text in texts_of:
            feature = teacher.encode_text([template.replace("{label}", text)]).numpy()[0].astype(np.float64)
            total = total + feature / np.sqrt((feature * feature).sum())
        mean = total / len(texts_of)
        rows.append(mean / np.sqrt((mean * mean).sum()))
    return np.array(rows)


@pytest.mark.parametrize("template", ["{label}", "a photo of a table with a {label}"])
@pytest.mark.parametrize("make", [style_descriptors, catalog_descriptors], ids=["styles", "descriptors"])
def test_ensembles_equal_a_slow_mean(teacher: OpenClipTeacher, template: str, make: Callable[..., Any]) -> None:
    texts = label_texts(NAMES, make(NAMES))
    found = ensemble_features(teacher, texts, template)
    assert found.dtype == torch.float32 and found.shape == (3, 24)
    np.testing.assert_allclose(found.numpy(), slow_ensemble(teacher, texts, template), atol=2e-6)


def test_labels_may_have_any_number_of_texts(teacher: OpenClipTeacher) -> None:
    texts = [["banana"], ["dice", "a die", "a white cube"]]
    found = ensemble_features(teacher, texts)
    np.testing.assert_allclose(found.numpy(), slow_ensemble(teacher, texts, "{label}"), atol=2e-6)
    torch.testing.assert_close(found[:1], teacher.encode_text(["banana"]), atol=2e-6, rtol=1e-5)


def test_one_text_a_label_is_that_text(teacher: OpenClipTeacher) -> None:
    texts = label_texts(NAMES, style_descriptors(NAMES, ["distinct"]))
    assert texts == [[text] for text in attach_descriptions(NAMES, "distinct")]
    torch.testing.assert_close(
        ensemble_features(teacher, texts),
        teacher.encode_text(attach_descriptions(NAMES, "distinct")),
        atol=2e-6,
        rtol=1e-5,
    )


def test_texts_over_the_context_are_named_unless_cut(teacher: OpenClipTeacher) -> None:
    texts = [["banana"], ["dice " * 70]]
    with pytest.raises(InvalidArgumentError, match="'dice dice"):
        ensemble_features(teacher, texts)
    assert ensemble_features(teacher, texts, truncate=True).shape == (2, 24)


@pytest.mark.parametrize("seed", range(4))
def test_swapped_names_stay_in_their_group_and_leave_none_its_own(seed: int) -> None:
    groups = [[item.name for item in paper_catalog() if item.split == split] for split in ("id", "ood")]
    owners = swapped_names(groups, seed)
    assert owners == swapped_names(groups, seed) != swapped_names(groups, seed + 1)
    for names in groups:
        assert sorted(owners[name] for name in names) == sorted(names)
        assert all(owners[name] != name for name in names)
    with pytest.raises(InvalidArgumentError, match="at least two labels"):
        swapped_names([["banana"]], seed)


def test_descriptors_of_the_styles_and_their_parts() -> None:
    assert [len(texts_of) for texts_of in style_descriptors(NAMES)] == [len(STYLES)] * 3
    for texts_of in catalog_descriptors(ALL_NAMES):
        assert len(texts_of) >= 4 and all(re.match(r"which (has|is) \w", descriptor) for descriptor in texts_of)
    assert "which has short, thin brown stem at the top" in catalog_descriptors(["pear"])[0]


@pytest.mark.parametrize("kind", ["words", "characters"])
@pytest.mark.parametrize("make", [style_descriptors, catalog_descriptors], ids=["styles", "descriptors"])
def test_noise_has_the_same_count_and_template(kind: Any, make: Callable[..., Any]) -> None:
    descriptors: list[list[str]] = make(ALL_NAMES)
    noise = waffle_descriptors(descriptors, np.random.default_rng(0), kind)
    assert [len(texts_of) for texts_of in noise] == [len(texts_of) for texts_of in descriptors]
    longest = max(noise, key=len)
    assert all(texts_of == longest[: len(texts_of)] for texts_of in noise)  # all labels share it
    for noise_text, original in zip(longest, max(descriptors, key=lambda texts_of: len(list(texts_of))), strict=True):
        assert noise_text != original and len(noise_text.split()) == len(original.split())
        assert re.findall(r"[,;.]", noise_text) == re.findall(r"[,;.]", original)
        assert noise_text.startswith("which has ") == original.startswith("which has ")
        if kind == "characters":
            assert len(noise_text) == len(original)


def test_noise_comes_from_its_seed_and_its_words() -> None:
    first, repeated, other = (waffle_descriptors(DESCRIPTORS, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first == repeated != other
    sampled = waffle_descriptors(DESCRIPTORS, np.random.default_rng(0), words=["tree", "sea"])
    assert re.fullmatch(r"which has a (tree|sea), (tree|sea) (tree|sea)", sampled[0][0])
    assert sampled[1] == sampled[0][:1]


def test_every_label_gets_the_descriptors_of_another() -> None:
    descriptors = catalog_descriptors(ALL_NAMES)
    shuffled = shuffled_descriptors(descriptors, np.random.default_rng(0))
    assert sorted(shuffled) == sorted(descriptors)
    assert all(other != texts_of for other, texts_of in zip(shuffled, descriptors, strict=True))
    assert shuffled == shuffled_descriptors(descriptors, np.random.default_rng(0))


def test_words_come_from_the_descriptors_and_from_clip() -> None:
    assert words_of(DESCRIPTORS) == ["dots", "long", "of", "red-green", "tail", "thin", "wood"]
    words = [*word_tokens()]
    assert {"the", "banana", "blue"} <= set(words) and len(words) > 10_000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: ensemble_features(t, []), "at least one text for every label"),
        (lambda t: ensemble_features(t, [["a"], []]), r"got \[1, 0\] texts"),
        (lambda t: ensemble_features(t, [["a"]], "a photo"), "template with {label}, but got 'a photo'"),
        (lambda t: label_texts(NAMES, [["a"]]), "3 labels, but got them for 1"),
        (lambda t: waffle_descriptors(DESCRIPTORS, np.random.default_rng(0), cast(Any, "x")), "but got 'x'"),
        (lambda t: waffle_descriptors([[]], np.random.default_rng(0)), "at least one descriptor"),
        (lambda t: waffle_descriptors(DESCRIPTORS, np.random.default_rng(0), words=[]), "one word to sample from"),
        (lambda t: shuffled_descriptors(DESCRIPTORS[:1], np.random.default_rng(0)), "two labels to shuffle, but got 1"),
    ],
)
def test_bad_input_is_named(teacher: OpenClipTeacher, call: Callable[[OpenClipTeacher], object], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        call(teacher)


def test_labels_without_a_description_are_named() -> None:
    with pytest.raises(UnknownObjectError, match="'spaceship'"):
        catalog_descriptors(["spaceship"])

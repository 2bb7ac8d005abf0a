"""Learned prompts on a real open_clip text tower (random weights)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.prompts import DEFAULT_CONTEXTS, LearnedPrompts
from pickclutter_lang.teachers import OpenClipTeacher, load_teacher

LABELS = ["banana", "mustard bottle", "phillips screwdriver with a red handle", "die"]
CONFIG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def teacher() -> OpenClipTeacher:
    torch.manual_seed(0)
    model = open_clip.CLIP(**CONFIG)
    # At its initial scale an untrained tower hardly distinguishes texts; larger weights make differences visible.
    with torch.no_grad():
        model.token_embedding.weight.mul_(20)
        model.positional_embedding.mul_(20)
    return OpenClipTeacher(model, CONFIG, PreprocessCfg(size=(32, 32)))


@pytest.mark.parametrize(
    ("contexts", "n_context"),
    [(("a photo of a", "no image of a"), 4), (DEFAULT_CONTEXTS, 7)],
)
def test_embedded_contexts_equal_encoded_texts(
    teacher: OpenClipTeacher, contexts: tuple[str, str], n_context: int
) -> None:
    prompts = LearnedPrompts(teacher, LABELS, n_context=n_context, init=contexts)
    features = prompts()
    assert features.negative is not None
    for feature, context in zip(features, contexts, strict=True):
        expected = teacher.encode_text([f"{context} {label}" for label in LABELS])
        torch.testing.assert_close(feature, expected, atol=2e-6, rtol=1e-5)
    assert not torch.allclose(features.positive, features.negative, atol=1e-2)


def test_prompts_of_the_embedded_teacher_are_its_texts() -> None:
    embedded = load_teacher("pocket")
    features = LearnedPrompts(embedded, LABELS, n_context=7)()
    for feature, context in zip(features, DEFAULT_CONTEXTS, strict=True):
        expected = embedded.encode_text([f"{context} {label}" for label in LABELS])
        torch.testing.assert_close(feature, expected, atol=1e-5, rtol=1e-4)
    assert (features.positive - features.negative).abs().max() > 0.05


def test_a_short_initial_context_stands_before_the_label(teacher: OpenClipTeacher) -> None:
    prompts = LearnedPrompts(teacher, LABELS, n_context=8, generator=torch.Generator().manual_seed(3))
    exact = LearnedPrompts(teacher, LABELS, n_context=7)
    assert torch.equal(prompts.positive[1:], exact.positive)
    assert 0 < prompts.positive[0].norm().item() < 1
    again = LearnedPrompts(teacher, LABELS, n_context=8, generator=torch.Generator().manual_seed(3))
    assert torch.equal(prompts.positive, again.positive)


def test_a_label_that_is_too_long_is_cut_where_that_is_asked_for(teacher: OpenClipTeacher) -> None:
    long = " ".join(f"word{n}" for n in range(40))
    prompts = LearnedPrompts(teacher, ["mug", long], n_context=7, truncate=True)
    tokens = open_clip.tokenize([f"{DEFAULT_CONTEXTS[0]} mug", f"{DEFAULT_CONTEXTS[0]} {long}"], teacher.context_length)
    expected = teacher.model.encode_text(tokens, normalize=True)  # type: ignore[operator]
    torch.testing.assert_close(prompts().positive, expected, atol=1e-5, rtol=1e-4)
    with pytest.raises(InvalidArgumentError, match="word39"):
        LearnedPrompts(teacher, ["mug", long], n_context=7)


def test_other_labels_follow_the_same_contexts(teacher: OpenClipTeacher) -> None:
    prompts = LearnedPrompts(teacher, LABELS[:2])
    whole = prompts.encode(LABELS)
    unseen = prompts.encode(LABELS[2:])
    known = prompts()
    for part, expected in enumerate(whole):
        parts: list[Any] = [known[part], unseen[part]]
        torch.testing.assert_close(torch.cat(parts), expected, atol=2e-6, rtol=1e-5)


def test_contexts_alone_learn(teacher: OpenClipTeacher) -> None:
    prompts = LearnedPrompts(teacher, LABELS)
    assert {name: list(p.shape) for name, p in prompts.named_parameters()} == {
        "positive": [8, 32],
        "negative": [8, 32],
    }
    optimiser = torch.optim.Adam(prompts.parameters(), lr=0.05)
    target = torch.nn.functional.normalize(
        torch.randn(teacher.embed_dim, generator=torch.Generator().manual_seed(0)), dim=0
    )
    losses = []
    for _ in range(10):
        features = prompts()
        assert features.negative is not None
        loss = (features.negative @ target - features.positive @ target).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1
    assert all(p.grad is None for p in teacher.model.parameters())


@pytest.mark.parametrize(
    "call",
    [
        lambda t: LearnedPrompts(t, ["banana", "banana " * 23]),
        lambda t: LearnedPrompts(t, LABELS).encode(["x", "y " * 25]),
        lambda t: LearnedPrompts(t, LABELS, n_context=3),
        lambda t: LearnedPrompts(t, LABELS, n_context=30, init=(None, None), truncate=True),
    ],
)
def test_bad_input_is_refused(teacher: OpenClipTeacher, call: Callable[[OpenClipTeacher], object]) -> None:
    with pytest.raises(InvalidArgumentError):
        call(teacher)

"""Small captioning models with random weights, saved like published ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

transformers = pytest.importorskip("transformers")

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIAL, "a", "photo", "of", "red", "green", "blue", "thing", "with", "dots", "on", "the", "table"]
TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
VISION = {**TOWER, "image_size": 32, "patch_size": 16, "initializer_range": 1.0}
TEXT = {**TOWER, "vocab_size": len(WORDS), "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}


def save_blip(folder: Path) -> None:
    text = {**TEXT, "sep_token_id": 3, "encoder_hidden_size": 16, "max_position_embeddings": 64}
    config = transformers.BlipConfig(text_config={**text, "initializer_range": 1.0}, vision_config=VISION)
    model = transformers.BlipForConditionalGeneration(config)
    head = model.text_decoder.cls.predictions
    with torch.no_grad():
        for bias in (head.bias, head.decoder.bias):
            bias[: len(SPECIAL)] = -100  # words alone: never the end
    image_processor = transformers.BlipImageProcessor(size={"height": 32, "width": 32})
    _save(folder, model, transformers.BlipProcessor, image_processor)


def save_git(folder: Path) -> None:
    model = transformers.GitForCausalLM(transformers.GitConfig(vision_config=VISION, **TEXT, initializer_range=1.0))
    with torch.no_grad():
        model.output.bias[: len(SPECIAL)] = -100
    image_processor = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    _save(folder, model, transformers.GitProcessor, image_processor)


def _save(folder: Path, model: Any, processor: Callable[[Any, Any], Any], image_processor: Any) -> None:
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    model.save_pretrained(folder)
    processor(image_processor, transformers.BertTokenizerFast(str(folder / "vocab.txt"))).save_pretrained(folder)

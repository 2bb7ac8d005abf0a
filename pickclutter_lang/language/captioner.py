"""Captions of images by a captioning model (BLIP, GIT) through transformers; needs the extra `llm`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.errors import LanguageModelError, MissingAssetsError, MissingExtraError
from pickclutter_lang.utils.hub_files import SharedFolder, pretrained_folder
from pickclutter_lang.utils.validation import check_device

# The main branches of these hold only pickles; the hub's converter put the same weights as safetensors here.
_REVISIONS = {
    "Salesforce/blip-image-captioning-base": "9cfcdbcaccbcadb2b53b36d4b50042c4eeaa0c25",
    "microsoft/git-base-coco": "refs/pr/1",
}
_FILES = ("*.safetensors", "*.json", "*.txt")
_FETCHED = SharedFolder("config.json", "model", _FILES, lambda folder: None, lambda folder, repository: "")


class Captioner:
    """A deterministic image captioning model: it decodes greedily."""

    def __init__(self, model: str, revision: str | None = None, max_tokens: int = 30, device: str = "cpu") -> None:
        """Load a model; nothing but safetensors, JSON and plain text is read.

        :param model: a folder as transformers saves it, or a name on the hub, which is downloaded once
        :param revision: branch or commit on the hub; None: one known to hold safetensors, or else the main branch
        :param max_tokens: at which a caption is cut
        :raises MissingExtraError: when transformers is not installed
        :raises HubError: for a name that is neither on this machine nor on the hub
        :raises MissingAssetsError: for weights that are not in safetensors
        :raises LanguageModelError: for a folder that holds no image captioning model
        :raises InvalidArgumentError: for a device that torch cannot use
        """
        try:
            import transformers
        except ImportError as error:
            raise MissingExtraError(str(error.name), "llm") from error
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        check_device(device)
        folder = pretrained_folder(model, _FETCHED, revision=revision or _REVISIONS.get(model))
        if not any(folder.glob("*.safetensors")):
            raise MissingAssetsError(
                f"expected weights of {model} as *.safetensors, since others can run code when they are read; name a "
                "revision= that has them, or pass a folder with them as model="
            )
        self._processor, loaded = _load(transformers, folder)
        self._model = loaded.float().eval().to(device)
        self._device, self._max_tokens = device, max_tokens
        self.provenance = {
            "model": model,
            "weights": _fingerprint(folder),
            "max_tokens": max_tokens,
            "transformers": transformers.__version__,
        }
        """What determines the captions, as JSON values; `weights` is a hash of all files that were read."""

    def caption(self, images: Sequence[Image.Image | NDArray[np.uint8]]) -> list[str]:
        """Return a one-line caption of each image (uint8 RGB [H, W, 3] of any size); it may be empty."""
        import torch

        pixels = self._processor(images=list(images), return_tensors="pt")["pixel_values"].to(self._device)
        with torch.no_grad():
            tokens = self._model.generate(
                pixel_values=pixels, max_new_tokens=self._max_tokens, num_beams=1, do_sample=False
            )
        return [" ".join(text.split()) for text in self._processor.batch_decode(tokens, skip_special_tokens=True)]


def _load(transformers: Any, folder: Path) -> tuple[Any, Any]:
    """Return processor and model of a folder."""
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        processor = transformers.AutoProcessor.from_pretrained(folder, **options)
        model, info = transformers.AutoModelForImageTextToText.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, **options
        )
    except Exception as error:  # transformers has no common error type for a faulty folder
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise LanguageModelError(
            f"expected an image captioning model (BLIP, GIT) in {folder}, but: {reason}"
        ) from error
    if info["missing_keys"]:  # transformers would continue with random weights
        raise LanguageModelError(f"expected all weights of {folder}, but {min(info['missing_keys'])} is missing")
    return processor, model


def _fingerprint(folder: Path) -> str:
    """Return a hash (sha256, hex) of the files of a model."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _FILES for path in folder.glob(pattern)):
        digest.update(path.name.encode() + b"\n")
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()

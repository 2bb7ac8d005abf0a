"""Loads a teacher by name: a pocket teacher, a classifier of photographs, a model of open_clip, a local checkpoint."""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import open_clip
from huggingface_hub import try_to_load_from_cache
from huggingface_hub.constants import ENDPOINT
from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model
from open_clip.transform import PreprocessCfg, merge_preprocess_dict
from safetensors import SafetensorError

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers.imagenet import ImageNetTeacher
from pickclutter_lang.teachers.open_clip_teacher import OpenClipTeacher
from pickclutter_lang.teachers.pocket import load_pocket_teacher

# With the tag `openai` the plain `ViT-L-14` would run OpenAI's weights with another activation.
_ALIASES = {"vit_l14_openai": "ViT-L-14-quickgelu:openai"}
_WEIGHTS_FILE = "open_clip_model.safetensors"
_PROBE_SECONDS = 8.0


def load_teacher(
    name: str,
    checkpoint: str | Path | None = None,
    cache_dir: str | Path | None = None,
    device: str = "cpu",
    use_bf16: bool = False,
) -> OpenClipTeacher:
    """Load a teacher by name.

    :param name: `pocket` (trained on renders of kinds), `imagenet` (photographs, with words for its classes),
        `vit_l14_openai`, or `<open_clip architecture>:<pretrained tag>`
    :param checkpoint: a local `.safetensors` file with the weights instead of a download; `name` still gives
        the architecture and, by its tag, the preprocessing. For a pocket teacher a folder that `train-teacher` exported
    :param cache_dir: folder for downloads, by default Hugging Face's cache
    :param use_bf16: compute image features in bfloat16
    :raises TeacherError: for an unknown name, weights that cannot be found, downloaded or loaded
    """
    teacher: OpenClipTeacher
    if name == "pocket":
        teacher = load_pocket_teacher(checkpoint)
    elif name != "imagenet":
        teacher = _load(name, checkpoint, cache_dir)
    elif checkpoint is None:
        teacher = ImageNetTeacher()
    else:
        raise TeacherError(f"expected no checkpoint with the teacher imagenet, but got {checkpoint}")
    teacher.use_bf16 = use_bf16
    return teacher.to(device)


def _load(name: str, checkpoint: str | Path | None, cache_dir: str | Path | None) -> OpenClipTeacher:
    """Load a model of open_clip."""
    architecture, _, tag = _ALIASES.get(name, name).partition(":")
    config = open_clip.get_model_config(architecture)
    if config is None:
        raise TeacherError(
            f"expected 'pocket', 'imagenet', 'vit_l14_openai' or '<open_clip architecture>:<pretrained tag>', "
            f"but got {name!r}; open_clip.list_models() lists the architectures"
        )
    pretrained = dict(get_pretrained_cfg(architecture, tag))
    if not pretrained:
        tags = ", ".join(list_pretrained_tags_by_model(architecture)) or "none"
        raise TeacherError(
            f"expected a pretrained tag of {architecture} (it decides the preprocessing), but got {tag!r}; tags: {tags}"
        )
    if bool(pretrained.get("quick_gelu")) != bool(config.get("quick_gelu")):
        other = f"{architecture}-quickgelu" if pretrained.get("quick_gelu") else architecture.replace("-quickgelu", "")
        raise TeacherError(
            f"the weights {tag!r} were trained with another activation than {architecture} has; use '{other}:{tag}'"
        )
    if checkpoint is not None:
        model = _build(architecture, Path(checkpoint))
    else:
        model = _download(name, architecture, tag, pretrained, cache_dir)
    preprocess = merge_preprocess_dict(PreprocessCfg(), pretrained)
    preprocess["size"] = model.visual.image_size
    return OpenClipTeacher(model, config, PreprocessCfg(**preprocess))


def _build(architecture: str, checkpoint: Path) -> Any:
    """Build an architecture and fill it from a local safetensors file."""
    if checkpoint.suffix != ".safetensors" or not checkpoint.is_file():
        raise TeacherError(f"expected a .safetensors file with a teacher's weights, but got {checkpoint}")
    model = open_clip.create_model(architecture, load_weights=False)
    try:
        open_clip.load_checkpoint(model, str(checkpoint), strict=True)
    except (AssertionError, RuntimeError, SafetensorError) as error:  # open_clip asserts that widths agree
        reason = str(error).strip().splitlines()
        raise TeacherError(f"the weights in {checkpoint} do not fit {architecture}: {' '.join(reason[:2])}") from error
    return model


def _download(name: str, architecture: str, tag: str, pretrained: dict[str, Any], cache_dir: str | Path | None) -> Any:
    """Let open_clip fetch (or find in its cache) and load the weights of a tag."""
    repository = "/".join(str(pretrained.get("hf_hub", "")).split("/")[:2])
    source = f"{ENDPOINT}/{repository}" if repository else str(pretrained.get("url"))
    cached = repository and try_to_load_from_cache(repository, _WEIGHTS_FILE, cache_dir=cache_dir)
    try:
        if not cached:
            _probe(source)
        return open_clip.create_model(
            architecture, pretrained=tag, weights_only=True, cache_dir=str(cache_dir) if cache_dir else None
        )
    except (RuntimeError, OSError) as error:
        raise TeacherError(
            f"the weights of {name!r} are not on this machine ({str(error).splitlines()[0]}); get them from {source} "
            f"(the file {_WEIGHTS_FILE}) on a machine with network, put the file anywhere here and pass its path as "
            "the teacher's checkpoint"
        ) from error


def _probe(url: str) -> None:
    """Ask once, briefly: Hugging Face's client would try for most of a minute before it gives up.

    :raises OSError: where nobody answers
    """
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_PROBE_SECONDS).close()

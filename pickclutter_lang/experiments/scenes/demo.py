"""A local demo page (gradio): a student's predictions for any names, in stored scenes and uploaded images."""

from __future__ import annotations

import math
import os
import threading
import traceback
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch.nn import functional

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingExtraError, PickClutterError
from pickclutter_lang.experiments.scenes.command_configs import DemoConfig
from pickclutter_lang.experiments.scenes.load import load_trained_run
from pickclutter_lang.experiments.scenes.trained_student import TrainedStudent
from pickclutter_lang.students.inference import predict_batch
from pickclutter_lang.students.label_encoders import validate_label_names
from pickclutter_lang.students.model import Prediction

MAX_PIXELS = 25_000_000
"""Pixels of an uploaded image; they are counted before it is decoded."""
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""Of an upload: what browsers save. Pillow decodes others by programs of the machine, without a limit of time."""
MAX_NAMES = 64
MAX_NAME_LENGTH = 200
"""Characters of a name; texts of the teachers are shorter."""
_STORES = ("ood", "id", "fewshot", "train")
_DISPLAY_SIZE = 448  # pixels


class DemoPrediction(NamedTuple):
    """The square `image` uint8 [s, s, 3], and for each name a probability in 0..1 and a map [h, w]."""

    image: NDArray[np.uint8]
    probabilities: dict[str, float]
    attention: dict[str, NDArray[np.float32]]


def predict_scene(student: TrainedStudent, store: str, index: int, names: Sequence[str]) -> DemoPrediction:
    """Predict names in a scene of one of the stores of a student's run.

    :raises InvalidArgumentError: when there is no such store or scene, or a name is wrong
    :raises DatasetError: when the stores are missing
    """
    if store not in student.scenes or not 0 <= index < len(student.scenes[store]):
        last = {name: len(scenes) - 1 for name, scenes in student.scenes.items()}
        raise InvalidArgumentError(f"expected a store and a scene of at most {last}, but got {store} and {index}")
    names = validate_label_names(names)
    prediction = predict_batch(student.model, student.scenes[store], [index], names)
    return _by_name(student.scenes[store].hand_images([index])[0], prediction, names)


@torch.no_grad()
def predict_image(student: TrainedStudent, image: NDArray[np.uint8], names: Sequence[str]) -> DemoPrediction:
    """Predict names in the center square of any image; neither scenes nor, for names of the run, a teacher is needed.

    :param image: [height, width, 3]
    :raises InvalidArgumentError: when the student takes more than one camera's RGB, or a name is wrong
    """
    if not accepts_uploads(student):
        raise InvalidArgumentError("expected a student of one RGB image, but this one takes depth or two cameras")
    names = validate_label_names(names)
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = image[top : top + side, left : left + side, :3]
    images = torch.tensor(square, dtype=torch.float32).permute(2, 0, 1)[None] / 255
    size = student.config.data.image_size
    images = functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    return _by_name(square, student.model.predict(images, names), names)


def open_upload(path: str) -> NDArray[np.uint8]:
    """Return an uploaded image, uint8 [height, width, 3], as its camera was turned.

    :raises InvalidArgumentError: when the file is no image, or has too many pixels
    """
    try:
        with Image.open(path, formats=IMAGE_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except Image.DecompressionBombError as error:  # of Pillow, for a far larger one
        megapixels = MAX_PIXELS // 10**6
        raise InvalidArgumentError(f"expected an image of at most {megapixels} megapixels; make it smaller") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise InvalidArgumentError("expected an image, but the file cannot be read as one; choose another") from error


def split_names(text: object) -> list[str]:
    """Return the names in a text with commas between them.

    :raises InvalidArgumentError: for no text, too many names, or one that is too long or cannot be shown
    """
    longest = MAX_NAMES * (MAX_NAME_LENGTH + 1)
    if not isinstance(text, str) or len(text) > longest:
        got = f"{len(text)} characters" if isinstance(text, str) else type(text).__name__
        raise InvalidArgumentError(f"expected names with commas between them, in {longest} characters, but got {got}")
    names = text.split(",")
    if len(names) > MAX_NAMES:
        raise InvalidArgumentError(f"expected at most {MAX_NAMES} names, but got {len(names)}")
    for name in names:
        if len(name) > MAX_NAME_LENGTH or not name.strip().isprintable():
            raise InvalidArgumentError(
                f"expected names of at most {MAX_NAME_LENGTH} printable characters, but got {name[:40]!a}"
            )
    return validate_label_names(names)


def accepts_uploads(student: TrainedStudent) -> bool:
    """Return whether a single RGB image is all that the student needs."""
    return student.config.data.camera_spec.channels == 3


def overlay(image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Overlay a map on an image, which is desaturated where the map is low.

    :param image: uint8 [s, s, 3]
    :param heatmap: float [h, w]
    :return: uint8 [448, 448, 3]
    """
    size, smooth = (_DISPLAY_SIZE, _DISPLAY_SIZE), Image.Resampling.BICUBIC
    gray = np.asarray(Image.fromarray(image).convert("L").resize(size, smooth))[..., None] / 255
    relative = Image.fromarray((255 * heatmap / max(float(heatmap.max()), 1e-6)).astype(np.uint8)).resize(size, smooth)
    strength = np.asarray(relative) / 255
    colors = matplotlib.colormaps["inferno"](strength)[..., :3]
    weight = 0.25 + 0.45 * strength[..., None]
    return np.asarray(255 * ((1 - weight) * gray + weight * colors), dtype=np.uint8)


def build_demo(config: DemoConfig) -> Any:
    """Open a finished run and return its page, a `gradio.Blocks`.

    :raises MissingExtraError: without the extra `demo`
    :raises PickClutterError: what `load_trained_run` raises
    """
    gradio = _gradio()
    return build_page(gradio, load_trained_run(config))


def build_page(gr: ModuleType, student: TrainedStudent) -> Any:
    """Lay out the page; `gr` is gradio. Its one function has the API name `predict`.

    Without the run's scene stores the page takes uploaded images alone.

    :raises DatasetError: when the stores are missing and the student takes more than an RGB image
    """
    names = student.label_names(("id", "ood"))
    scene_counts, missing = _scene_counts(student)
    with gr.Blocks(title="pickclutter-lang", analytics_enabled=False, delete_cache=(600, 600)) as page:
        gr.Markdown(_introduction(student))
        with gr.Row():
            with gr.Column():
                store = gr.Radio(list(_STORES), value=_STORES[0], label="Store", visible=bool(scene_counts))
                last = max([2, *scene_counts.values()]) - 1  # gradio refuses a slider of one value
                scene = gr.Slider(0, last, value=0, step=1, label="Scene", visible=bool(scene_counts))
                names_box = gr.Textbox(", ".join(names), label="Names, with commas between them", lines=2)
                chosen = gr.Dropdown([], label="Map of (default: the most probable)", allow_custom_value=True)
                upload = gr.Image(
                    label="Your own image instead (its center square)", sources=["upload", "clipboard"],
                    type="filepath", image_mode=None, height=220, visible=accepts_uploads(student),
                )  # fmt: skip
                # As a path: gradio would open the file before anything can be checked.
                upload.preprocess = lambda payload: None if payload is None else payload.path
                _refuse_addresses(gr, upload)
            with gr.Column():
                options = {"format": "png", "interactive": False, "buttons": ["fullscreen", "download"]}
                image = gr.Image(label="Image", **options)
                truth = gr.Markdown()
            with gr.Column():
                located = gr.Image(label="Map", **options)
                scores = gr.Label(label="Probabilities", num_top_classes=10, show_heading=False)
        inputs = [store, scene, upload, names_box, chosen]
        triggers = [page.load, store.input, scene.input, upload.change, names_box.submit, names_box.blur, chosen.input]
        outputs = [image, located, scores, truth, chosen, scene]
        gr.on(triggers, _page_function(gr, student, scene_counts, missing), inputs, outputs, api_name="predict",
              queue=False, show_progress="hidden", trigger_mode="always_last")  # fmt: skip
    return page


def _refuse_addresses(gr: Any, upload: Any) -> None:
    """Take files that were uploaded alone: gradio would download what a request names by an address."""
    take = upload.async_move_resource_to_block_cache

    async def take_file(path: str | None) -> str | None:
        if path is not None and "://" in str(path):
            raise gr.Error("expected an uploaded image, but got an address; upload the file")
        taken: str | None = await take(path)
        return taken

    upload.async_move_resource_to_block_cache = take_file


def _scene_counts(student: TrainedStudent) -> tuple[dict[str, int], str]:
    """Return the number of scenes of each store; without stores nothing, and why, for a student of uploads."""
    try:
        return {name: len(student.scenes[name]) for name in _STORES}, ""
    except DatasetError as error:
        if not accepts_uploads(student):
            raise
        return {}, str(error)


def _introduction(student: TrainedStudent) -> str:
    """Return the page's heading and its explanation, in Markdown."""
    return (
        f"## What can be picked?\nStudent `{student.config.student.name}` of `{student.folder}`, distilled from "
        f"`{student.teacher.name}`. A probability is that of the named object being "
        f"`{student.config.data.target_label}`. The map is the student's attention to it. Any name is allowed."
    )


def _page_function(gr: ModuleType, student: TrainedStudent, scene_counts: Mapping[str, int], missing: str) -> Any:
    """Return the page's function of (store, scene, uploaded image, names, name of the map)."""
    one_at_a_time = threading.Lock()  # memory for one image and its maps, however many requests come

    def answer(store: str, scene: float, upload: str | None, names_text: str, chosen: str | None) -> tuple[Any, ...]:
        last = scene_counts.get(store, 1) - 1
        if not math.isfinite(scene):
            raise InvalidArgumentError(f"expected the number of a scene, but got {scene}")
        index = min(int(scene), last)
        if upload is None and not scene_counts:
            return None, None, None, f"Upload an image. There are no scenes: {missing}", gr.skip(), gr.skip()
        names = split_names(names_text)
        if upload is None:
            found, truth = predict_scene(student, store, index, names), _truth(student, store, index)
        else:
            found, truth = predict_image(student, open_upload(upload), names), "Remove your image to see scenes."
        most_probable = max(found.probabilities, key=found.probabilities.__getitem__)
        name = chosen if chosen in found.attention else most_probable
        size = (_DISPLAY_SIZE, _DISPLAY_SIZE)
        return (
            np.asarray(Image.fromarray(found.image).resize(size, Image.Resampling.BICUBIC)),
            gr.Image(overlay(found.image, found.attention[name]), label=f"Map of {name}"),
            found.probabilities,
            truth,
            gr.Dropdown(list(found.attention), value=chosen if chosen in found.attention else None),
            gr.Slider(maximum=last, value=index),
        )

    def predict(*inputs: Any) -> tuple[Any, ...]:
        try:
            with one_at_a_time:
                return answer(*inputs)
        except PickClutterError as error:
            raise gr.Error(str(error)) from error
        except Exception as error:
            traceback.print_exc()
            raise gr.Error(f"unexpected {type(error).__name__}; the terminal shows more") from error

    return predict


def _truth(student: TrainedStudent, store: str, index: int) -> str:
    scenes = student.scenes[store]
    true = [name for name, holds in zip(scenes.label_names, scenes.labels[index].tolist(), strict=True) if holds]
    label = student.config.data.target_label
    return f"Scene {scenes.scene_ids[index]}. Objects that are {label}: {', '.join(true) or 'none'}."


def _by_name(image: NDArray[np.uint8], prediction: Prediction, names: Sequence[str]) -> DemoPrediction:
    probabilities = dict(zip(names, prediction.probabilities[0].tolist(), strict=True))
    return DemoPrediction(image, probabilities, dict(zip(names, prediction.attention[0].numpy(), strict=True)))


def _gradio() -> ModuleType:
    for feature in ("ANALYTICS_ENABLED", "RUN_HISTORY"):  # nothing leaves this machine, nothing stays in the browser
        os.environ[f"GRADIO_{feature}"] = "False"
    try:
        import gradio
    except ModuleNotFoundError as error:
        raise MissingExtraError("gradio", "demo") from error
    return gradio

"""A small page on this machine alone: images of clutter, any names, and what a student says of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError, PickClutterError
from pickclutter_lang.experiments.scenes.command_configs import DemoConfig
from pickclutter_lang.experiments.scenes.load import load_trained_run, validate_label_names
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.students.inference import predict_batch
from pickclutter_lang.students.model import Prediction

HOST = "127.0.0.1"
_STORES = ("ood", "id", "fewshot", "train")
_SHOWN = 448  # pixels


class DemoPrediction(NamedTuple):
    """`image` uint8 [s, s, 3] that was looked at, a probability in 0..1 and a map [h, w] for each name."""

    image: NDArray[np.uint8]
    probabilities: dict[str, float]
    attention: dict[str, NDArray[np.float32]]


def predict_scene(run: SceneRun, store: str, index: int, names: Sequence[str]) -> DemoPrediction:
    """Ask the student of a run for names in a scene of one of its stores.

    :raises InvalidArgumentError: when there is no such store or scene, or a name is wrong
    """
    if store not in run.scenes or not 0 <= index < len(run.scenes[store]):
        last = {name: len(scenes) - 1 for name, scenes in run.scenes.items()}
        raise InvalidArgumentError(f"expected a store and a scene of at most {last}, but got {store} and {index}")
    names = validate_label_names(names)
    prediction = predict_batch(run.model, run.scenes[store], [index], names)
    return _predict(run.scenes[store].hand_images([index])[0], prediction, names)


@torch.no_grad()
def predict_image(run: SceneRun, image: NDArray[np.uint8], names: Sequence[str]) -> DemoPrediction:
    """Ask the student of a run for names in the center square of any image.

    :param image: [height, width, 3]
    :raises InvalidArgumentError: when the student sees more than one camera's RGB, or a name is wrong
    """
    if not accepts_uploads(run):
        raise InvalidArgumentError("expected a student of one RGB image, but this one sees depth or two cameras")
    names = validate_label_names(names)
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = image[top : top + side, left : left + side, :3]
    images = torch.tensor(square, dtype=torch.float32).permute(2, 0, 1)[None] / 255
    size = run.config.data.image_size
    images = functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    return _predict(square, run.model.predict(images, names), names)


def accepts_uploads(run: SceneRun) -> bool:
    """Tell whether a plain RGB image is all that the student needs."""
    return run.config.data.channels == 3


def overlay(image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay a map over a image, in gray where the map is low: uint8 [s, s, 3] and float [h, w] to [448, 448, 3]."""
    size, smooth = (_SHOWN, _SHOWN), Image.Resampling.BICUBIC
    grey = np.asarray(Image.fromarray(image).convert("L").resize(size, smooth))[..., None] / 255
    share = Image.fromarray((255 * heatmap / max(float(heatmap.max()), 1e-6)).astype(np.uint8)).resize(size, smooth)
    strength = np.asarray(share) / 255
    colors = matplotlib.colormaps["inferno"](strength)[..., :3]
    weight = 0.25 + 0.45 * strength[..., None]
    return np.asarray(255 * ((1 - weight) * grey + weight * colors), dtype=np.uint8)


def build_demo(config: DemoConfig) -> Any:
    """Open a finished run and return its page, a `gradio.Blocks`.

    :raises MissingExtraError: without the extra `demo`
    :raises PickClutterError: what `load_trained_run` raises
    """
    gradio = _gradio()
    return build_page(gradio, load_trained_run(config))


def serve(page: Any, port: int) -> str:
    """Serve a page on 127.0.0.1 from threads of this process and return its address; `page.close()` ends it.

    :raises InvalidArgumentError: when the port is taken
    """
    try:
        page.launch(
            server_name=HOST, server_port=port, share=False, quiet=True, ssr_mode=False, show_error=True,
            prevent_thread_lock=True,
        )  # fmt: skip
    except OSError as error:
        raise InvalidArgumentError(f"expected a free port, but {port} is not ({error}); choose another port") from error
    return f"http://{HOST}:{port}/"


def build_page(gr: ModuleType, run: SceneRun) -> Any:
    """Lay out the page; `gr` is gradio. Its one function has the API name `look`."""
    names = run.label_names(("id", "ood"))
    with gr.Blocks(title="pickclutter-lang", analytics_enabled=False, delete_cache=(600, 600)) as page:
        gr.Markdown(
            f"## What can be picked?\nStudent `{run.config.student.name}` of `{run.folder}`, taught by "
            f"`{run.config.teacher.name}`. A probability says how likely the named object is "
            f"`{run.config.data.target_label}`; the map says where the student looks for it. Any name will do."
        )
        with gr.Row():
            with gr.Column():
                store = gr.Radio(list(_STORES), value=_STORES[0], label="Store")
                most = max(len(scenes) for scenes in run.scenes.values()) - 1
                scene = gr.Slider(0, most, value=0, step=1, label="Scene")
                words = gr.Textbox(", ".join(names), label="Names, with commas between them", lines=2)
                chosen = gr.Dropdown([], label="Map of (the likeliest by default)", allow_custom_value=True)
                upload = gr.Image(
                    label="Your own image instead (its center square)", sources=["upload", "clipboard"],
                    type="numpy", image_mode="RGB", height=220, visible=accepts_uploads(run),
                )  # fmt: skip
            with gr.Column():
                shown = {"format": "png", "interactive": False, "buttons": ["fullscreen", "download"]}
                image = gr.Image(label="Picture", **shown)
                truth = gr.Markdown()
            with gr.Column():
                located = gr.Image(label="Map", **shown)
                scores = gr.Label(label="Probabilities", num_top_classes=10, show_heading=False)
        inputs = [store, scene, upload, words, chosen]
        triggers = [page.load, store.input, scene.input, upload.change, words.submit, words.blur, chosen.input]
        gr.on(triggers, _heatmap(gr, run), inputs, [image, located, scores, truth, chosen, scene], api_name="look",
              queue=False, show_progress="hidden", trigger_mode="always_last")  # fmt: skip
    return page


def _heatmap(gr: ModuleType, run: SceneRun) -> Any:
    """Return the page's function of (store, scene, own image, names, name of the map)."""

    def look(
        store: str, scene: float, upload: NDArray[np.uint8] | None, words: str, chosen: str | None
    ) -> tuple[Any, ...]:
        last = len(run.scenes[store]) - 1
        index = min(int(scene), last)
        try:
            if upload is None:
                answer, truth = predict_scene(run, store, index, words.split(",")), _truth(run, store, index)
            else:
                answer, truth = predict_image(run, upload, words.split(",")), "Remove your image to see scenes."
        except PickClutterError as error:
            raise gr.Error(str(error)) from error
        shown = (
            chosen if chosen in answer.attention else max(answer.probabilities, key=answer.probabilities.__getitem__)
        )
        return (
            np.asarray(Image.fromarray(answer.image).resize((_SHOWN, _SHOWN), Image.Resampling.BICUBIC)),
            gr.Image(overlay(answer.image, answer.attention[shown]), label=f"Map of {shown}"),
            answer.probabilities,
            truth,
            gr.Dropdown(list(answer.attention), value=chosen if chosen in answer.attention else None),
            gr.Slider(maximum=last, value=index),
        )

    return look


def _truth(run: SceneRun, store: str, index: int) -> str:
    scenes = run.scenes[store]
    true = [name for name, holds in zip(scenes.label_names, scenes.labels[index].tolist(), strict=True) if holds]
    return f"Scene {scenes.scene_ids[index]}. Truly {run.config.data.target_label}: {', '.join(true) or 'nothing'}."


def _predict(image: NDArray[np.uint8], prediction: Prediction, names: Sequence[str]) -> DemoPrediction:
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

"""Example scenes of X_ood as cards: the image, and what the student said of each label, right, wrong or missed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.reports.gallery import Card, Gallery, Item, jpeg

Verdict = Literal["right", "wrong", "missed"]
Examples = tuple[list[int], NDArray[np.uint8], NDArray[np.float32]]
"""Rows of scenes, their images [E, S, S, 3] and the maps [E, C, h, w] of all labels; see `load_examples`."""

_MOST_MAPS, _MAP_PIXELS = 12, 160


def scene_gallery(predictions: Predictions, examples: Examples, threshold: float) -> Gallery:
    """Return a card for each example scene, with the map of each label that is true or predicted, of 12 at most."""
    cards = []
    for row, image, maps in zip(*examples, strict=True):
        items = []
        for n, (label, verdict) in enumerate(verdicts(predictions, row, threshold)):
            unseen, score = bool(predictions.unseen[label]), float(predictions.probabilities[row, label])
            name = predictions.names[label]
            facets = {"object": name, "verdict": verdict, "objects": "unseen (Y_ood)" if unseen else "seen (Y_id)"}
            caption = f"{verdict}: {name}{' *' if unseen else ''} {score:.2f}"
            media = jpeg(overlay_map(image, maps[label]), _MAP_PIXELS) if n < _MOST_MAPS else None
            items.append(Item(caption, facets, media, verdict))
        cards.append(Card(predictions.scenes[row], jpeg(image), items))
    return Gallery(cards)


def verdicts(predictions: Predictions, row: int, threshold: float) -> Iterator[tuple[int, Verdict]]:
    """Yield the labels of a scene that are true or predicted, the likeliest first, and which of both they are."""
    scores, true = predictions.probabilities[row].numpy(), predictions.targets[row].numpy()
    predicted = scores > threshold
    for label in sorted(np.flatnonzero(predicted | true).tolist(), key=lambda n: -float(scores[n])):
        yield label, "missed" if not predicted[label] else "right" if true[label] else "wrong"


def overlay_map(image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return an image uint8 [S, S, 3] in gray below a map [h, w], whose largest value is the brightest."""
    levels = Image.fromarray((255 * heatmap / max(float(heatmap.max()), 1e-6)).astype(np.uint8))
    smooth = np.asarray(levels.resize((image.shape[1], image.shape[0]), Image.Resampling.BICUBIC))[..., None] / 255
    colors = 255 * colormaps["inferno"](smooth[..., 0])[..., :3]
    opacity = 0.25 + 0.45 * smooth
    return np.asarray((1 - opacity) * image.mean(axis=2, keepdims=True) + opacity * colors, np.uint8)

"""The pocket teacher's figures on pictures it was not trained on, and the model card that carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.metrics.multilabel import multilabel_row, trivial_predictors
from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.scenes import SceneStore
from pickclutter_lang.scenes.schema import ROBOT_SEGMENT
from pickclutter_lang.scenes.views import ViewStore
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.training.teacher_config import TeacherTrainSettings
from pickclutter_lang.training.teacher_pictures import SEEN_SHARE, object_window
from pickclutter_lang.training.windows import Windows, cut_rgb

_AT_ONCE = 64
_CROP_EVERY = 2
# The objects lie in the middle of the hand camera's picture.
_WINDOWS = {"whole": 1.0, "middle": 0.7}
_WORDS = {"colours": "a {} object", "shape": "a {}", "pattern": "a {} object", "material": "an object made of {}"}


def evaluate_teacher(teacher: PocketTeacher, settings: TeacherTrainSettings) -> dict[str, Any]:
    """Measure a teacher on the held-out scenes and views of its settings, zero-shot, with fixed prompts.

    :return: `scenes` (two rows for each store, the whole picture and its middle: multi-label metrics of the label
        `visible`), `crops` (a row for each store: top-1 over all names on crops of seen objects, of every other
        scene), `views` (a row for each folder: top-1 by name and by description), `objects` (per object: top-1 on
        views and on crops), `words` (top-1 of words of random things)
    """
    names = _Names(teacher)
    scenes, crops, views, words = {}, {}, {}, {}
    by_object: dict[str, dict[str, list[bool]]] = {name: {"views": [], "crops": []} for name in names.names}
    for folder in settings.held_out_scenes:
        store = SceneStore.open(folder)
        label = f"{store.manifest.object_set}, {store.manifest.split}, {store.image_size} px"
        for window, share in _WINDOWS.items():
            scenes[f"{label}, {window}"] = _scene_row(teacher, store, names, share)
        crops[label] = _crop_row(teacher, store, names, by_object)
    for folder in settings.held_out_views:
        found = ViewStore.open(folder)
        label = str(found.settings["objects"])
        views[label] = _view_row(teacher, found, names, by_object)
        words.update(_word_rows(teacher, found))
    objects = {
        name: {kind: float(np.mean(hits)) if hits else None for kind, hits in kinds.items()}
        for name, kinds in by_object.items()
    }
    return {"scenes": scenes, "crops": crops, "views": views, "objects": objects, "words": words}


class _Names:
    """The catalogue's names and the text features that they are found by."""

    def __init__(self, teacher: PocketTeacher) -> None:
        catalogue = paper_catalogue()
        self.names = catalogue.names
        self.index = {item.model_id: n for n, item in enumerate(catalogue)}
        self.single = teacher.encode_text([f"a photo of a {name}" for name in self.names])
        self.described = teacher.encode_text([f"a photo of {item.description}" for item in catalogue])
        self.present = teacher.encode_text([f"a photo of a table with a {name}" for name in self.names])
        self.absent = teacher.encode_text([f"a photo of a table without a {name}" for name in self.names])


def _encode(teacher: PocketTeacher, pictures: NDArray[np.uint8]) -> Tensor:
    parts = [pictures[n : n + _AT_ONCE] for n in range(0, len(pictures), _AT_ONCE)]
    return torch.cat([teacher.encode_image(teacher.preprocess(part)) for part in parts])


def _scene_row(teacher: PocketTeacher, store: SceneStore, names: _Names, share: float) -> dict[str, float]:
    """Label whole scenes: a name's probability is the softmax over its prompts with "with a" and "without a"."""
    side = round(share * store.image_size)
    start = (store.image_size - side) // 2
    pictures = store.images("hand", "rgb")[:, start : start + side, start : start + side]
    features = _encode(teacher, pictures)
    columns = [names.index[model_id] for model_id in store.model_ids]
    margin = features @ (names.present - names.absent)[columns].T
    allowed = [n for n, model_id in enumerate(store.model_ids) if _may_be_there(store, model_id)]
    truth = torch.from_numpy(store.labels("visible"))[:, allowed]
    row = multilabel_row(torch.sigmoid(teacher.logit_scale * margin[:, allowed]), truth)
    always = trivial_predictors(truth.float().mean(dim=0), truth)["always_yes"]
    return {"scenes": len(store), **row, "f1_always_yes": always["f1"], "map_always_yes": always["map"]}


def _may_be_there(store: SceneStore, model_id: str) -> bool:
    """Of a split with Y_id objects alone only these names are asked for."""
    return store.manifest.split not in ("train", "id") or paper_catalogue().find(model_id).split == "id"


def _crop_row(
    teacher: PocketTeacher, store: SceneStore, names: _Names, by_object: Mapping[str, dict[str, list[bool]]]
) -> dict[str, float]:
    rgb, segmentation = store.images("hand", "rgb"), store.images("hand", "segmentation")
    actors = store.array("actors")
    rows, centres, sides, owners = [], [], [], []
    for row in range(0, len(store), _CROP_EVERY):
        counts = np.bincount(segmentation[row].ravel(), minlength=ROBOT_SEGMENT + 1)
        for slot in np.flatnonzero(counts[1:ROBOT_SEGMENT] >= SEEN_SHARE * segmentation[row].size) + 1:
            centre, side = object_window(segmentation[row], int(slot))
            rows.append(row)
            centres.append(centre)
            sides.append(1.3 * side)
            owners.append(names.index[store.model_ids[actors[row, slot - 1]]])
    plain = np.zeros(len(rows))
    windows = Windows(np.array(centres), np.array(sides), plain, plain.astype(bool))
    crops = (cut_rgb(rgb[rows], windows, 96) * 255).round().byte().permute(0, 2, 3, 1)
    hits = _hits(_encode(teacher, crops.numpy()), names.single, owners)
    _collect(by_object, names, "crops", owners, hits)
    return {"crops": len(rows), "top1": float(np.mean(hits))}


def _view_row(
    teacher: PocketTeacher, store: ViewStore, names: _Names, by_object: Mapping[str, dict[str, list[bool]]]
) -> dict[str, float]:
    known = [n for n, thing in enumerate(store.thing) if "model_id" in store.things[thing]]
    owners = [names.index[store.things[store.thing[n]]["model_id"]] for n in known]
    features = _encode(teacher, store.rgb[known])
    hits = _hits(features, names.single, owners)
    _collect(by_object, names, "views", owners, hits)
    described = _hits(features, names.described, owners)
    return {"views": len(known), "top1": float(np.mean(hits)), "top1_by_description": float(np.mean(described))}


def _word_rows(teacher: PocketTeacher, store: ViewStore) -> dict[str, dict[str, float]]:
    """Ask for the words of random things that no training picture shows: which of all colours, shapes and so on."""
    free = [n for n, thing in enumerate(store.thing) if "model_id" not in store.things[thing]]
    if not free:
        return {}
    features = _encode(teacher, store.rgb[free])
    rows = {}
    for kind, form in _WORDS.items():
        said = [_listed(store.things[store.thing[n]][kind]) for n in free]
        vocabulary = sorted({word for words in said for word in words})
        texts = teacher.encode_text([form.format(word).replace("wooden", "wood") for word in vocabulary])
        best = (features @ texts.T).argmax(dim=1).tolist()
        hits = [vocabulary[b] in words for b, words in zip(best, said, strict=True)]
        rows[kind] = {"words": len(vocabulary), "views": len(free), "top1": float(np.mean(hits))}
    return rows


def _listed(words: str | Sequence[str]) -> list[str]:
    return [words] if isinstance(words, str) else list(words)


def _hits(features: Tensor, texts: Tensor, owners: Sequence[int]) -> list[bool]:
    found: list[bool] = ((features @ texts.T).argmax(dim=1) == torch.tensor(owners)).tolist()
    return found


def _collect(
    by_object: Mapping[str, dict[str, list[bool]]], names: _Names, kind: str, owners: Sequence[int], hits: list[bool]
) -> None:
    for owner, hit in zip(owners, hits, strict=True):
        by_object[names.names[owner]][kind].append(hit)

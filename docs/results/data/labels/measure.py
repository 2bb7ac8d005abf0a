"""Look again, compare what was named with the truth, and ask policies that were taught it in stored piles.

    PYTHONPATH=scripts:docs/results/data/labels python docs/results/data/labels/measure.py WORK YCB_ROOT SCANS FRAMES \
        ANNOTATIONS

WORK has the stores `ycb` and `scans` of README.md, and gets the CSV files. SCANS is a folder of `import-mesh`.
The replies are those of replies.jsonl.gz.
"""

from __future__ import annotations

import csv
import hashlib
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from frames import REPLIES
from numpy.typing import NDArray

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.frames import read_labeled_frames
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.envs.wrappers import actors_of
from pickclutter_lang.errors import LanguageModelError
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.kinds import all_kinds
from pickclutter_lang.labeling.large_model import Answer, with_synonyms
from pickclutter_lang.labeling.picture import NumberedPicture, draw_numbered
from pickclutter_lang.labeling.question import question, read_answer
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.policy.asking import AskingDetector
from pickclutter_lang.policy.detectors import Detection, StudentDetector
from pickclutter_lang.policy.example_memory import ExampleMemory, crop_metric
from pickclutter_lang.policy.label_guard import trusted
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teaching import Example, encode_example
from pickclutter_lang.policy.views import View
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation

SEEDS = {"ycb": 610000, "scans": 620000, "kinds": 630000}
Masks = Mapping[str, NDArray[np.bool_]]


class Named(NamedTuple):
    """A numbered segment: its look, number and key, what was named, what it shows and how much of it and of that."""

    look: str
    number: int
    key: NDArray[np.float32]
    named: str | None
    shows: str
    share: float
    of_object: float


class Pile(NamedTuple):
    """A stored pile: its view, the masks of the visible objects, and the names of all that lie there."""

    view: View
    visible: Masks
    present: set[str]


def answer_to(picture: NumberedPicture, names: Mapping[str, Sequence[str]]) -> list[str | None]:
    """Return the recorded answer; LanguageModelError where there is none."""
    text = question(len(picture.segments), names)
    key = picture.sha256, hashlib.sha256(text.encode()).hexdigest()
    if key not in REPLIES:
        raise LanguageModelError("no answer was recorded")
    return read_answer(REPLIES[key], len(picture.segments), [*names])


def piles_of(objects: str, first: int, ycb: str) -> Iterator[tuple[str, Any, Masks, list[str], list[str]]]:
    """Yield 25 looks of the simulator: name, observation, masks and names of all objects, names of the visible ones."""
    kinds = [kind.name for kind in all_kinds()]
    random.Random(58).shuffle(kinds)
    own: dict[str, Any] = {"ycb": {"objects_root": ycb}, "kinds": {"kinds": tuple(sorted(kinds[:30])), "instances": 1}}
    runner = RolloutRunner(RolloutConfig(objects=objects, camera_size=512, split="ood", **own.get(objects, {})))
    for seed in range(first, first + 25):
        start = runner.start(seed)
        env: Any = runner.inner.unwrapped
        actors = np.asarray(actors_of(env.get_obs())).reshape(start.observation["mask"].shape)
        labels = [env.catalog[env.object_set.label_index(one["model_id"])].name for one in env.episode["actors"]]
        masks = {name: actors == actor for actor, name in zip(env.actor_ids, labels, strict=True)}
        visible = [item.name for item in start.pile.visible]
        yield str(seed), start.observation, masks, visible, env.catalog.names


def named_in(
    student: StudentRuntime, look: str, image: Any, masks: Masks, names: Mapping[str, Sequence[str]]
) -> list[Named]:
    """Return the numbered segments of a look."""
    view = View.of_observation(student, image)
    parts = [view.mask(n) for n in range(len(view.numbers))]
    picture = draw_numbered(view.rgb, parts)
    out = []
    for number, (segment, name) in enumerate(zip(picture.segments, answer_to(picture, names), strict=True), 1):
        part = parts[segment]
        shares = {one: float((part & mask).sum() / part.sum()) for one, mask in masks.items()}
        shows = max(shares, key=lambda one: shares[one])
        of_object = float((part & masks[shows]).sum() / max(masks[shows].sum(), 1))
        key = encode_example(student, Example(view.rgb, part))[0][0]
        out.append(Named(look, number, key, name, shows, shares[shows], of_object))
    return out


def stored(folder: Path, student: StudentRuntime) -> tuple[list[str], list[Pile]]:
    """Return names and piles of a store."""
    store = SceneStore.open(folder)
    scenes = SceneDataset(store, SceneDataConfig(crop_size=None, target_label="present"))
    names = [*store.label_names]
    piles = []
    for row in range(len(scenes)):
        scene = store.scene(row)
        actors = {slot + 1: actor for slot, actor in enumerate(scene["actors"].tolist()) if actor >= 0}
        seen = {slot: actor for slot, actor in actors.items() if scene["visible"][actor]}
        masks = {names[actor]: scene["hand_segmentation"] == slot for slot, actor in seen.items()}
        view = View.of_observation(student, scene_to_observation(scenes, row))
        piles.append(Pile(view, masks, {names[actor] for actor in actors.values()}))
    return names, piles


def on_object(found: Detection, mask: NDArray[np.bool_]) -> bool:
    """Return whether a name is called present, with more than half of the mask on the object."""
    return bool(found.margin >= 0 and (found.mask & mask).sum() > 0.5 * max(int(found.mask.sum()), 1))


def memory_of(
    found: Sequence[Named], names: Sequence[str], wrong: float = 0.0, guard: bool = True
) -> tuple[ExampleMemory, str]:
    """Return a memory of what was named, a share of it exchanged for another name, and what the guard did."""
    rng = random.Random(7)
    rows = []
    for one in found:
        if one.named is not None:
            changed = rng.random() < wrong
            name = rng.choice([other for other in names if other != one.named]) if changed else one.named
            rows.append((name, one.key, name == one.shows))
    keys = np.stack([key for _, key, _ in rows])
    everything = ExampleMemory(crop_metric().encoder, tuple(name for name, _, _ in rows), keys)
    kept = trusted(everything, np.ones(len(rows), bool)) if guard else np.ones(len(rows), bool)
    memory = ExampleMemory(crop_metric().encoder)
    counts = Counter[str]()
    for (name, key, _), fits in zip(rows, kept, strict=True):
        if fits and counts[name] < 12:
            counts[name] += 1
            memory = memory.add(name, key[None], np.zeros((0, len(key)), np.float32), "recorded")
    right = np.array([one for _, _, one in rows])
    did = {"wrong": ~right, "wrong_out": ~right & ~kept, "right_out": right & ~kept}
    return memory, str({"rows": len(rows), **{key: int(some.sum()) for key, some in did.items()}})


def counts_of(detector: StudentDetector, piles: Sequence[Pile], names: Sequence[str]) -> dict[str, list[int]]:
    """Return of each name how often it is visible, pointed to, called absent, absent, and refused."""
    counts = {name: [0] * 5 for name in names}
    for pile in piles:
        for name, found in zip(names, detector.decide(pile.view, names), strict=True):
            if name in pile.visible:
                more = [1, on_object(found, pile.visible[name]), found.margin < 0, 0, 0]
            elif name not in pile.present:
                more = [0, 0, 0, 1, found.margin < 0]
            else:
                continue
            counts[name] = [a + int(b) for a, b in zip(counts[name], more, strict=True)]
    return counts


class Answering:
    """Answers for `AskingDetector`: by the truth of `pile`, a share of them wrong, or those that were recorded."""

    def __init__(self, names: Sequence[str], wrong: float | None) -> None:
        self.names, self.wrong, self.rng = names, wrong, random.Random(59)
        self.pile: Pile | None = None

    def ask(self, picture: NumberedPicture, names: Mapping[str, Sequence[str]]) -> Answer:
        """Return the answer about the view of `pile`."""
        assert self.pile is not None
        said = answer_to(picture, names) if self.wrong is None else [self._truth(k) for k in picture.segments]
        return Answer(picture.sha256, "0" * 64, 1, "recorded", "here", "2026-12-02", tuple(said))

    def _truth(self, segment: int) -> str | None:
        part = self.pile.view.mask(segment)  # type: ignore[union-attr]
        masks = self.pile.visible
        best = max(masks, key=lambda name: (part & masks[name]).sum(), default=None)
        if best is None:
            return None
        common = (part & masks[best]).sum()
        if common <= 0.8 * part.sum() or common < 0.5 * masks[best].sum():
            return None
        wrong = self.rng.random() < (self.wrong or 0.0)
        return self.rng.choice([name for name in self.names if name != best]) if wrong else best


def ask_on_the_way(
    student: StudentRuntime, piles: Sequence[Pile], names: Sequence[str], wrong: float | None
) -> Iterator[tuple[Any, ...]]:
    """Yield of each pile in turn what is asked for, whether it is decided rightly, and whether a question was asked."""
    student.examples = ExampleMemory(crop_metric().encoder)
    model = Answering(names, wrong)
    rng = random.Random(58)
    detector = AskingDetector(student, model, names)  # type: ignore[arg-type]
    for number, pile in enumerate(piles):
        model.pile = pile
        if rng.random() < 0.25:
            kind = "absent"
            name = rng.choice([one for one in names if one not in pile.present])
        else:
            name = rng.choice(sorted(one for one in pile.present if one in names))
            kind = "visible" if name in pile.visible else "hidden"
        (found,) = detector.decide(pile.view, [name])
        right: int | str = ""
        if kind != "hidden":
            right = int(on_object(found, pile.visible[name]) if kind == "visible" else found.margin < 0)
        yield ("model" if wrong is None else wrong, number, kind, right, int(detector.asked[-1] is not None))


def write(path: Path, head: str, rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([head.split(), *rows])
    print(path, len(rows), flush=True)


def main(work: Path, ycb: str, scans: str, frames: str, annotations: str) -> None:
    """Write labels.csv, visible.csv, decisions.csv and asked.csv."""
    student = StudentRuntime.load("open")
    found: dict[str, list[Named]] = {}
    visible: list[tuple[object, ...]] = []
    for base, seed in SEEDS.items():
        for draw in range(3):
            key = f"{base}{draw}"
            objects = scans if base == "scans" else base
            found[key] = []
            for look, image, masks, there, known in piles_of(objects, seed + 1000 * draw, ycb):
                names = with_synonyms(known)
                if base == "scans":
                    names = {one.name: one.synonyms for one in read_catalog(Path(scans, "catalog.yaml"))}
                segments = named_in(student, look, image, masks, names)
                found[key] += segments
                right = {one.named for one in segments if one.named == one.shows}
                visible += [(key, look, name, int(name in right)) for name in sorted(set(there))]
    labeled = read_labeled_frames(frames, annotations)
    names = with_synonyms(sorted({name for frame in labeled for name, _ in frame.objects}))
    found["real0"] = []
    for frame in labeled:
        segments = named_in(student, frame.name, frame.frame, dict(frame.objects), names)
        found["real0"] += segments
        right = {one.named for one in segments if one.named == one.shows}
        there = sorted({name for name, _ in frame.objects})
        visible += [("real0", frame.name, name, int(name in right)) for name in there]
    rows = [
        (key, one.look, one.number, one.named or "", one.shows, f"{one.share:.3f}", f"{one.of_object:.3f}")
        for key, some in found.items()
        for one in some
    ]
    write(work / "labels.csv", "set look number named shows share of_object", rows)
    write(work / "visible.csv", "set look object named", visible)

    decisions: list[Sequence[object]] = []
    detector = StudentDetector(student)
    for base in ("ycb", "scans"):
        known, piles = stored(work / base, student)
        looks = list(dict.fromkeys(one.look for one in found[f"{base}0"]))
        memories = {}
        for count in (25, 10, 5):
            some = [one for one in found[f"{base}0"] if int(one.look) < SEEDS[base] + count]
            memories[f"{count} looks"] = memory_of(some, known)[0]
        memories["open"] = ExampleMemory(crop_metric().encoder)
        if base == "ycb":
            memories["ycb"] = StudentRuntime.load("ycb").examples
            for wrong in (0.0, 0.05, 0.1, 0.2):
                for guard in (True, False):
                    memory, did = memory_of(found["ycb0"], known, wrong, guard)
                    memories[f"guard {guard} {wrong} {did}"] = memory
        print(base, len(looks), "looks with segments", flush=True)
        for title, memory in memories.items():
            student.examples = memory
            counts = counts_of(detector, piles, known)
            decisions += [(base, title, name, *of) for name, of in counts.items()]
            print(title, np.sum([*counts.values()], axis=0), flush=True)
        if base == "ycb":
            asked = [row for wrong in (0.0, 0.05, 0.2, None) for row in ask_on_the_way(student, piles, known, wrong)]
            write(work / "asked.csv", "wrong pile kind right asked", asked)
    write(work / "decisions.csv", "piles policy name visible pointed called_absent absent refused", decisions)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

"""Time decisions, networks, training steps, the simulator and start-up, each as a ratio of two that take turns.

    OMP_NUM_THREADS=1 python scripts/bench.py
    OMP_NUM_THREADS=1 python scripts/bench.py --only decision env --repeats 50 --objects ycb --out bench.csv

A turn repeats the shorter of the two calls until both last equally long, so that changes of load affect both alike.
The pile is painted: decisions need no simulator. CLIP is ViT-L/14 in float32 with random weights, which takes as long
as a trained one. A row whose extra, renderer or objects are missing is skipped.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import open_clip
import torch
from torch import nn

from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.policy.command_configs import RuntimeExportConfig
from pickclutter_lang.policy.detectors import StudentDetector, segment_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.students.student import build_student
from pickclutter_lang.teachers.factory import load_teacher

Call = Callable[[], object]
TURN_S, MAX_CALLS, EMBED_DIM = 0.1, 200, 256
FOLDER = tempfile.TemporaryDirectory(prefix="bench")
PLACE = Path(FOLDER.name)


class Pair(NamedTuple):
    """What is measured, what it is compared with, and the parts of a call, such as scenes, of which the time is."""

    ours: Call
    reference: Call
    per: int = 1


def painted_observation(side: int, seed: int = 0) -> dict[str, Any]:
    """Return an observation of a painted pile: boxes and domes close together, from straight above.

    :param side: of the images in pixels
    """
    rng, half, camera = np.random.default_rng(seed), side / 2, 0.38
    x, y = (np.mgrid[:side, :side][::-1] + 0.5 - half) / half * camera  # on the table; the camera sees 90 degrees
    height, color = np.zeros((side, side)), np.full((side, side, 3), 150.0)
    for number in range(12):
        center, radii, top = rng.uniform(-0.13, 0.13, 2), rng.uniform(0.03, 0.06, 2), rng.uniform(0.02, 0.1)
        across, along = (x - center[0]) / radii[0], (y - center[1]) / radii[1]
        dome = top * np.sqrt(np.clip(1 - across**2 - along**2, 0, None))
        shape = top * (np.maximum(abs(across), abs(along)) < 1) if number % 2 == 0 else dome
        shown = shape > height
        height[shown] = shape[shown]
        color[shown] = (rng.uniform(30, 220, 3) + 30 * (np.sin(8 * across) > 0)[..., None])[shown]
    pose = np.eye(4)
    pose[2, 3] = camera
    return {
        "hand_rgb": np.clip(color + rng.normal(0, 1, color.shape), 0, 255).astype(np.uint8),
        "hand_depth": (camera - height + rng.normal(0, 0.0002, height.shape)).astype(np.float32),
        "hand_intrinsic": np.array([[half, 0, half], [0, half, half], [0, 0, 1]], np.float32),
        "hand_cam2world": pose.astype(np.float32),
    }


@cache
def student_of(policy: str, onnx: bool) -> StudentRuntime:
    """Return the student of a policy, by torch or by ONNX Runtime."""
    if not onnx:
        return StudentRuntime.load(policy)
    from pickclutter_lang.policy.onnx_export import export_runtime

    given = RuntimeExportConfig(str(StudentRuntime.load(policy).folder), 1, out=str(PLACE / "onnx"))
    return StudentRuntime.load(export_runtime(given).folder, num_threads=1)


@cache
def clip() -> Call:
    """Return CLIP's image encoder on one image."""
    encoder = open_clip.create_model("ViT-L-14", load_weights=False).visual.eval().requires_grad_(False)
    side = encoder.image_size[0]
    image = torch.rand(1, 3, side, side)
    return lambda: encoder(image)


def decision(policy: str, onnx: bool = False) -> Call:
    """Return a decision: segmentation, network, choice, and close crops where the policy has them."""
    student = student_of(policy, onnx)
    return partial(StudentDetector(student), painted_observation(student.config.camera_size), student.names[0])


def part_of_decision(policy: str, part: str) -> Pair:
    """Compare a part of a decision with the whole."""
    student = student_of(policy, False)
    seen = painted_observation(student.config.camera_size)
    segments = segment_observation(seen)
    masks = [segments == number for number in np.argsort(np.bincount(segments.ravel())[1:])[-3:] + 1]
    calls: dict[str, Call] = {
        "segmentation": lambda: segment_observation(seen),
        "network": lambda: student.predict(seen, student.names),
        "crops": lambda: student.classify_crops(seen["hand_rgb"], masks),
    }
    return Pair(calls[part], decision(policy))


def network(name: str, stride: int | None) -> nn.Module:
    """Return a student with random weights, channels-last."""
    torch.manual_seed(0)
    built = build_student(name, channels=3, embed_dim=EMBED_DIM, output_stride=stride)
    return built.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def inference(name: str, stride: int | None) -> Pair:
    """Compare a student on one image with CLIP's image encoder, both float32."""
    student, image = network(name, stride).eval(), torch.rand(1, 3, 128, 128)
    return Pair(torch.inference_mode()(lambda: student(image)), clip())


def teacher(batch: int) -> Pair:
    """Compare the pocket teacher with CLIP's image encoder; of more images its precisions."""
    fast, plain = load_teacher("pocket", use_bf16=True), load_teacher("pocket")
    images = torch.rand(batch, 3, plain.image_size, plain.image_size)
    if batch == 1:
        return Pair(lambda: plain.encode_image(images), clip())
    return Pair(lambda: fast.encode_image(images), lambda: plain.encode_image(images))


def step(name: str, stride: int | None) -> Pair:
    """Compare the precisions of a student's forward and backward pass."""
    student, images = network(name, stride).train(), torch.rand(16, 3, 128, 128)

    def both_passes(use_bf16: bool) -> None:
        student.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=use_bf16):
            features = student(images)
        (features.spatial.float().square().mean() + features.pooled.float().square().mean()).backward()

    return Pair(partial(both_passes, True), partial(both_passes, False))


def scenes(objects: str, graspable: bool) -> Pair:
    """Compare scenes, made and written as `collect-scenes` does, with resets of stock ManiSkill2."""
    from pickclutter_lang.datasets.scenes import write_shard
    from pickclutter_lang.envs.config import CollectConfig
    from pickclutter_lang.envs.generation import collect
    from pickclutter_lang.objects.object_sets import load_object_set

    per, out = 4, PLACE / f"scenes_{graspable}"
    config = CollectConfig(
        split="ood", scenes=400_000, shard_size=per, image_size=128, graspable=graspable, objects=objects, out=str(out)
    )
    found = load_object_set(objects)
    manifest = collect.plan(config, found, collect.current_versions())
    (out / "shards").mkdir(parents=True)
    source = collect.simulator_source(found, config.clutter, manifest)
    numbers, env, turns = count(), stock(objects), count()

    def make() -> None:
        number = next(numbers)
        made = [source.generate(0, "ood", index) for index in manifest.shard_range(number)]
        write_shard(out, number, made, manifest.layout)

    def reset() -> None:
        for _ in range(per):
            env.reset(options={"episode_idx": next(turns) % 8, "reconfigure": True})

    return Pair(make, reset, per)


def collected(objects: str, split: str, number: int, size: int) -> Path:
    """Return a store of scenes, collected by the command."""
    from pickclutter_lang.commands import command_line

    out = PLACE / f"{objects}_{size}" / split
    words = [f"split={split}", f"scenes={number}", f"image_size={size}", f"objects={objects}", f"out={out}"]
    subprocess.run(
        [*command_line("collect-scenes"), *words, "graspable=false", "workers=1"], check=True, capture_output=True
    )
    return out


def distillation(objects: str) -> Pair:
    """Compare the precisions of a whole step: images, teacher's features, both passes, losses, optimizer."""
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun
    from pickclutter_lang.training.trainer import Trainer

    for split, number in {"train": 16, "id": 1, "ood": 1, "fewshot": 1}.items():
        root = collected(objects, split, number, 176).parent

    def step_in(precision: str) -> Call:
        config = TrainConfig(scenes=str(root), precision=precision, num_threads=1, out=str(PLACE / precision))
        config.data.target_label = "visible"
        run = SceneRun.open(config)
        task = run.phases["distill"].task()
        trainer = Trainer(task, run.folder, run.teacher_provenance)
        task.model.train()
        return lambda: [trainer.step(batch, 1) for batch in task.iter_batches(1)]

    return Pair(step_in("bfloat16"), step_in("float32"))


@cache
def stock(objects: str) -> Any:
    """Return ManiSkill2's own environment on 8 piles of the same objects."""
    from pickclutter_lang.envs.registration import prepare_simulator
    from pickclutter_lang.envs.renderer import renderer_options
    from pickclutter_lang.objects.object_sets import load_object_set

    episodes = collected(objects, "ood", 8, 48) / "episodes.json.gz"
    prepare_simulator()
    import mani_skill2.envs  # noqa: F401  # registers the environment
    from mani_skill2.utils.registration import make

    files = {"asset_root": str(load_object_set(objects).root), "episode_json": str(episodes)}
    return make("PickClutterYCB-v0", as_gym=False, obs_mode="rgbd", **files, **renderer_options())


def env_step(objects: str) -> Pair:
    """Compare steps without an action in the same episode: the hand camera here, two cameras in stock."""
    from pickclutter_lang.envs.registration import make_env

    theirs = stock(objects)
    ours = make_env(objects=objects, obs_mode="rgbd", base_camera=False)
    for env in (theirs, ours):
        env.reset(seed=0)
    still = np.zeros(ours.action_space.shape, np.float32)
    return Pair(lambda: ours.step(still), lambda: theirs.step(still))


def start(words: list[str], reference: list[str]) -> Pair:
    """Compare new processes of Python."""
    run = partial(subprocess.run, check=True, capture_output=True)
    return Pair(partial(run, [sys.executable, *words]), partial(run, [sys.executable, *reference]))


OPEN = "import sys; from pickclutter_lang.policy.policy import LanguagePickPolicy as P; P.load(sys.argv[1])"


def rows(policy: str, objects: str) -> dict[str, tuple[str, Callable[[], Pair]]]:
    """Return name -> what is measured against what, and what makes the pair; the topic is the part before the `/`."""
    found: dict[str, tuple[str, Callable[[], Pair]]] = {
        "decision/torch": ("decision / CLIP", lambda: Pair(decision(policy), clip())),
        "decision/onnx": ("decision / CLIP", lambda: Pair(decision(policy, True), clip())),
        "decision/segmentation": ("segmentation / decision", partial(part_of_decision, policy, "segmentation")),
        "decision/network": ("network / decision", partial(part_of_decision, policy, "network")),
    }
    if student_of(policy, False).config.object_crop_size is not None:
        found["decision/crops"] = ("three crops / decision", partial(part_of_decision, policy, "crops"))
    for name, stride in (("small_resnet", 8), ("timm/resnet10t", 16), ("efficientnet_b0", None)):
        found[f"student/{name}"] = ("network / CLIP", partial(inference, name, stride))
        found[f"step/{name}"] = ("both passes, 16 images, bfloat16 / float32", partial(step, name, stride))
    found["step/distillation"] = ("a whole step, 16 scenes, bfloat16 / float32", partial(distillation, objects))
    found["teacher/pocket"] = ("pocket teacher / CLIP", partial(teacher, 1))
    found["teacher/bfloat16"] = ("16 images, bfloat16 / float32", partial(teacher, 16))
    found["scenes/plain"] = ("scene collected / reset of stock", partial(scenes, objects, False))
    found["scenes/graspable"] = ("the same with `graspable` / reset of stock", partial(scenes, objects, True))
    found["env/step"] = ("step / step of stock", partial(env_step, objects))
    words = ["-m", "pickclutter_lang.commands", "train-affordance", "--help"]
    found["start/help"] = ("train-affordance --help / python -c pass", lambda: start(words, ["-c", "pass"]))
    ways = [["-c", OPEN, str(PLACE / "onnx")], ["-c", OPEN, str(student_of(policy, False).folder)]]
    found["start/load"] = ("policy opened, ONNX / torch", lambda: (student_of(policy, True), start(*ways))[1])
    return found


def seconds(call: Call, calls: int) -> float:
    """Return the mean time of some calls."""
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begin) / calls


def measure(pair: Pair, repeats: int) -> tuple[float, float, np.ndarray[Any, Any]]:
    """Return the median milliseconds of both, and the quartiles of the ratio of the turns."""
    sides = pair.ours, pair.reference
    for side in sides:
        side()
    once = [max(seconds(side, 1), 1e-9) for side in sides]
    turn_s = max(TURN_S, *once)
    calls = [min(max(round(turn_s / one), 1), MAX_CALLS) for one in once]
    turns = np.zeros((repeats, 2))
    for turn in range(repeats):
        for k in (0, 1) if turn % 2 == 0 else (1, 0):
            turns[turn, k] = 1000 * seconds(sides[k], calls[k]) / pair.per
    ours, theirs = np.median(turns, axis=0)
    return float(ours), float(theirs), np.percentile(turns[:, 0] / turns[:, 1], (25, 50, 75))


def main() -> None:
    """Measure the chosen rows, print them as a Markdown table, and write them as CSV."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", default=[], help="rows, such as decision/onnx, or topics, such as decision"
    )
    parser.add_argument("--policy", default="open", help="policy of the decisions, a name or a folder (%(default)s)")
    parser.add_argument("--repeats", type=int, default=20, help="turns of each row (%(default)s)")
    parser.add_argument("--objects", default="proxy", help="object set of the simulator: proxy, ycb (%(default)s)")
    parser.add_argument("--out", type=Path, help="CSV file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    known, table = (
        rows(options.policy, options.objects),
        [["row", "what", "ms", "ms of the other", "ratio", "quartiles"]],
    )
    chosen = [name for name in known if not options.only or {name, name.partition("/")[0]} & {*options.only}]
    if not chosen:
        parser.error(f"expected --only to name rows or topics, {', '.join(known)}, but got {' '.join(options.only)}")
    print("| " + " | ".join(table[0]) + " |\n|" + " --- |" * len(table[0]))
    for name in chosen:
        what, make = known[name]
        try:
            ours, theirs, (low, middle, high) = measure(make(), options.repeats)
        except (PickClutterError, ImportError) as error:
            print(f"{name} is skipped: {error}", file=sys.stderr)
            continue
        table.append([name, what, f"{ours:.3g}", f"{theirs:.3g}", f"{middle:.3g}", f"{low:.3g} to {high:.3g}"])
        print("| " + " | ".join(table[-1]) + " |", flush=True)
    if options.out is not None:
        with options.out.open("w", newline="") as stream:
            csv.writer(stream).writerows(table)


if __name__ == "__main__":
    main()

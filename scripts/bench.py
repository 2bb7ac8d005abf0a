"""Time decisions, networks, training steps, the simulator and start-up, each as a ratio of two that take turns.

    OMP_NUM_THREADS=1 python scripts/bench.py
    OMP_NUM_THREADS=1 python scripts/bench.py --only decision env --repeats 50 --objects ycb > bench.md

A turn repeats the shorter of the two calls until both last equally long, so that changes of load affect both alike.
The pile is painted: decisions need no simulator. CLIP is ViT-L/14 in float32 with random weights, which takes as long
as a trained one. A row whose extra, renderer or objects are missing is skipped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import nn

from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.example_memory import ExampleMemory, crop_metric, normalized
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.students.student import build_student
from pickclutter_lang.teachers.efficientnet_lite import PocketEfficientNet
from pickclutter_lang.teachers.factory import load_teacher

Call = Callable[[], object]
Pair = tuple[Call, Call]
"""What is measured, and what it is compared with."""
TURN_S = 0.1
MAX_CALLS = 200
SCENES = 4
FOLDER = tempfile.TemporaryDirectory(prefix="bench")
PLACE = Path(FOLDER.name)


def painted_observation(side: int, seed: int = 0) -> dict[str, Any]:
    """Return an observation of a painted pile: boxes and domes close together, from straight above.

    :param side: of the images in pixels
    """
    rng = np.random.default_rng(seed)
    half = side / 2
    camera = 0.38
    x, y = (np.mgrid[:side, :side][::-1] + 0.5 - half) / half * camera  # on the table; the camera sees 90 degrees
    height = np.zeros((side, side))
    color = np.full((side, side, 3), 150.0)
    for number in range(12):
        center = rng.uniform(-0.13, 0.13, 2)
        radii = rng.uniform(0.03, 0.06, 2)
        top = rng.uniform(0.02, 0.1)
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
def student_of(policy: str, onnx: bool = False) -> StudentRuntime:
    """Return the student of a policy, by torch or by ONNX Runtime."""
    if not onnx:
        return StudentRuntime.load(policy)
    from pickclutter_lang.policy_making.config import RuntimeExportConfig
    from pickclutter_lang.policy_making.export_runtime import export_runtime

    done = export_runtime(RuntimeExportConfig(str(student_of(policy).folder), 1, out=str(PLACE / "onnx")))
    return StudentRuntime.load(done.folder, num_threads=1)


@cache
def clip() -> Call:
    """Return CLIP's image encoder on one image."""
    encoder = open_clip.create_model("ViT-L-14", load_weights=False).visual.eval().requires_grad_(False)
    return partial(encoder, torch.rand(1, 3, *encoder.image_size))


def teacher() -> Call:
    """Return the pocket teacher's image encoder on one image."""
    loaded = load_teacher("pocket")
    return partial(loaded.encode_image, torch.rand(1, 3, loaded.image_size, loaded.image_size))


def folded_teacher() -> Pair:
    """Compare the pocket teacher's image encoder on 16 objects with the same, whose batch norms are not folded."""
    loaded = load_teacher("pocket").for_objects()
    assert loaded is not None  # the pocket teacher knows objects alone
    images = torch.rand(16, 3, loaded.image_size, loaded.image_size).to(memory_format=torch.channels_last)
    encoder: Any = loaded.model.visual
    return partial(loaded.encode_image, images), torch.no_grad()(partial(encoder, images))


def pocket_pass() -> Pair:
    """Compare both passes of the network of student and teacher, `pocket`, with those of torch's own convolutions."""

    def passes(network: nn.Module) -> Call:
        images = torch.rand(16, 3, 128, 128).to(memory_format=torch.channels_last)
        return lambda: network.train()(images).sum().backward()

    own, plain = PocketEfficientNet(), PocketEfficientNet()
    for conv in plain.modules():
        if isinstance(conv, nn.Conv2d):
            conv.__class__ = Conv2dSame if isinstance(conv, Conv2dSame) else nn.Conv2d
    return passes(own), passes(plain)


def decision(policy: str, onnx: bool = False) -> Call:
    """Return a decision: segmentation, networks, choice; of what was taught, where the policy was taught."""
    detector = StudentDetector(student_of(policy, onnx))
    return partial(detector, painted_observation(detector.student.config.camera_size), detector.names[0])


def decision_on_frame(policy: str) -> Call:
    """Return a decision on a frame of 640 x 480 pixels with the camera's pose."""
    seen = painted_observation(640)
    inside = slice(80, 560)
    intrinsic = seen["hand_intrinsic"] - [[0, 0, 0], [0, 0, 80], [0, 0, 0]]
    frame = Frame(seen["hand_rgb"][inside], seen["hand_depth"][inside], intrinsic, seen["hand_cam2world"], "opengl")
    detector = StudentDetector(student_of(policy))
    return lambda: detector.detect(frame, detector.names[:1])


def decision_among(names: int) -> Call:
    """Return a decision where names were taught with five examples each, and three rivals beside each: random keys."""
    rng = np.random.default_rng(0)
    metric = crop_metric()
    student = StudentRuntime.load("open")
    owners = [f"thing {n:04d}" for n in range(names)]
    keys, rivals = (
        normalized(rng.normal(size=(names, count, metric.rivals.shape[1])).astype(np.float32)) for count in (5, 15)
    )
    examples, beside = (tuple(np.repeat(owners, count).tolist()) for count in (5, 15))
    flat = (np.concatenate([*rows]) for rows in (keys, rivals))
    student.examples = ExampleMemory(metric.encoder, examples, next(flat), beside, next(flat))
    return partial(StudentDetector(student), painted_observation(student.config.camera_size), owners[0])


def student(name: str, stride: int | None) -> Pair:
    """Compare a student with random weights with CLIP's image encoder, on one image."""
    torch.manual_seed(0)
    built: Any = build_student(StudentConfig(name, stride), 3, 256)
    network = built.to(memory_format=torch.channels_last).eval()
    return torch.inference_mode()(partial(network, torch.rand(1, 3, 128, 128))), clip()


def scenes(objects: str, graspable: bool) -> Pair:
    """Compare scenes, made and written as `collect-scenes` does, with resets of stock ManiSkill2."""
    from pickclutter_lang.datasets.scenes import write_shard
    from pickclutter_lang.envs.config import CollectConfig
    from pickclutter_lang.envs.generation import collect
    from pickclutter_lang.objects.object_sets import load_object_set

    out = PLACE / f"scenes_{graspable}"
    config = CollectConfig(
        split="ood", scenes=400_000, shard_size=SCENES, image_size=128, graspable=graspable, objects=objects,
        out=str(out),
    )  # fmt: skip
    found = load_object_set(objects)
    manifest = collect.plan(config, found, collect.current_versions())
    (out / "shards").mkdir(parents=True)
    source = collect.simulator_source(found, config, manifest)
    numbers = count()
    env = stock(objects)
    turns = count()

    def make() -> None:
        number = next(numbers)
        made = [source.generate(0, "ood", index) for index in manifest.shard_range(number)]
        write_shard(out, number, made, manifest)

    def reset() -> None:
        for _ in range(SCENES):
            env.reset(options={"episode_idx": next(turns) % 8, "reconfigure": True})

    return make, reset


def collected(objects: str, split: str, number: int, size: int) -> Path:
    """Return a store of scenes, collected by the command."""
    from pickclutter_lang.commands import command_line

    out = PLACE / f"{objects}_{size}" / split
    words = [f"split={split}", f"scenes={number}", f"image_size={size}", f"objects={objects}", f"out={out}"]
    line = [*command_line("collect-scenes"), *words, "graspable=false", "workers=1"]
    subprocess.run(line, check=True, capture_output=True)
    return out


def distillation(objects: str, precision: str) -> Call:
    """Return a whole step: images, teacher's features, both passes, losses, optimizer."""
    from pickclutter_lang.experiments.scenes.config import TrainConfig
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun
    from pickclutter_lang.training.trainer import Trainer

    root = PLACE / f"{objects}_176"
    for split, number in {"train": 16, "id": 1, "ood": 1, "fewshot": 1}.items():
        if not (root / split).exists():
            collected(objects, split, number, 176)
    config = TrainConfig(scenes=str(root), precision=precision, num_threads=1, out=str(PLACE / precision))
    config.data.target_label = "visible"
    run = SceneRun.open(config)
    phase = run.phases["distill"]
    trainer = Trainer(phase, run.folder)
    phase.model.train()
    return lambda: [trainer.step(batch, 1) for batch in phase.iter_batches(1)]


@cache
def stock(objects: str) -> Any:
    """Return ManiSkill2's own environment on 8 piles of the same objects."""
    from pickclutter_lang.envs.renderer import sapien_names
    from pickclutter_lang.objects.object_sets import load_object_set

    episodes = collected(objects, "ood", 8, 48) / "episodes.json.gz"
    sapien_names()
    import mani_skill2.envs  # noqa: F401  # registers the environment
    from mani_skill2.utils.registration import make

    from pickclutter_lang.envs.pick_clutter import renderer_options

    files = {"asset_root": str(load_object_set(objects).root), "episode_json": str(episodes)}
    return make("PickClutterYCB-v0", as_gym=False, obs_mode="rgbd", **files, **renderer_options())


def env_step(objects: str) -> Pair:
    """Compare steps without an action in the same episode: the hand camera here, two cameras in stock."""
    from pickclutter_lang.envs.maniskill2 import make_env

    theirs = stock(objects)
    ours = make_env(objects=objects, obs_mode="rgbd", base_camera=False)
    for env in (theirs, ours):
        env.reset(seed=0)
    still = np.zeros(ours.action_space.shape, np.float32)
    return partial(ours.step, still), partial(theirs.step, still)


def start(*words: str) -> Call:
    """Return a new process of Python."""
    return partial(subprocess.run, [sys.executable, *words], check=True, capture_output=True)


def opened(policy: str, onnx: bool) -> Call:
    """Return a process that opens a policy."""
    code = "import sys; from pickclutter_lang.policy.policy import LanguagePickPolicy as P; P.load(sys.argv[1])"
    return start("-c", code, str(student_of(policy, onnx).folder))


def rows(policy: str, objects: str) -> dict[str, tuple[str, Callable[[], Pair]]]:
    """Return name -> what is measured against what, and what makes the pair; the topic is the part before the `/`."""

    painted = partial(segment_observation, painted_observation(student_of(policy).config.camera_size))
    found: dict[str, tuple[str, Callable[[], Pair]]] = {
        "decision/torch": ("decision / CLIP", lambda: (decision(policy), clip())),
        "decision/onnx": ("decision / CLIP", lambda: (decision(policy, onnx=True), clip())),
        "decision/taught": ("decision of `ycb`, taught / CLIP", lambda: (decision("ycb"), clip())),
        "decision/frame": (
            "decision of `ycb` on 640 x 480 / on 256 x 256 pixels",
            lambda: (decision_on_frame("ycb"), decision("ycb")),
        ),
        "decision/names": (
            "decision where 1,000 names were taught / where 5 were",
            lambda: (decision_among(1000), decision_among(5)),
        ),
        "decision/segmentation": ("segmentation / decision", lambda: (painted, decision(policy))),
    }
    for name, stride in (("small_resnet", 8), ("timm/resnet10t", 16), ("efficientnet_b0", None)):
        found[f"student/{name}"] = ("network / CLIP", partial(student, name, stride))
    return found | {
        "step/distillation": (
            "a whole step, 16 scenes, bfloat16 / float32",
            lambda: (distillation(objects, "bfloat16"), distillation(objects, "float32")),
        ),
        "step/pocket": ("both passes of `pocket` / the same by torch's dilated convolutions", pocket_pass),
        "teacher/folded": ("pocket teacher / the same with batch norms", folded_teacher),
        "teacher/pocket": ("pocket teacher / CLIP", lambda: (teacher(), clip())),
        "scenes/plain": (f"{SCENES} scenes collected / {SCENES} resets of stock", lambda: scenes(objects, False)),
        "scenes/graspable": ("the same with `graspable` / resets of stock", lambda: scenes(objects, True)),
        "env/step": ("step / step of stock", lambda: env_step(objects)),
        "start/help": (
            "train-affordance --help / python -c pass",
            lambda: (start("-m", "pickclutter_lang.commands", "train-affordance", "--help"), start("-c", "pass")),
        ),
        "start/load": (
            "policy opened, ONNX / torch",
            lambda: (opened(policy, True), opened(policy, False)),
        ),
    }


def seconds(call: Call, calls: int) -> float:
    """Return the mean time of some calls."""
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begin) / calls


def measure(pair: Pair, repeats: int) -> list[str]:
    """Return the median milliseconds of both, and the median and quartiles of the ratio of the turns."""
    once = [seconds(call, 2) for call in pair]
    calls = [min(max(round(max(TURN_S, *once) / one), 1), MAX_CALLS) for one in once]
    turns = np.zeros((repeats, 2))
    for turn in range(repeats):
        for k in (0, 1) if turn % 2 == 0 else (1, 0):
            turns[turn, k] = 1000 * seconds(pair[k], calls[k])
    low, middle, high = np.percentile(turns[:, 0] / turns[:, 1], (25, 50, 75))
    return [*(f"{value:.3g}" for value in (*np.median(turns, axis=0), middle)), f"{low:.3g} to {high:.3g}"]


def main() -> None:
    """Measure the chosen rows, and print them as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", default=[], help="rows, such as decision/onnx, or topics, such as decision"
    )
    parser.add_argument("--policy", default="open", help="policy of the decisions, a name or a folder (%(default)s)")
    parser.add_argument("--repeats", type=int, default=20, help="turns of each row (%(default)s)")
    parser.add_argument("--objects", default="proxy", help="object set of the simulator: proxy, ycb (%(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    known = rows(options.policy, options.objects)
    chosen = [name for name in known if not options.only or {name, name.partition("/")[0]} & {*options.only}]
    if not chosen:
        parser.error(f"expected --only to name rows or topics, {', '.join(known)}, but got {' '.join(options.only)}")
    print("| row | what | ms | ms of the other | ratio | quartiles |\n|" + " --- |" * 6)
    for name in chosen:
        what, make = known[name]
        try:
            print(f"| {' | '.join([name, what, *measure(make(), options.repeats)])} |", flush=True)
        except (PickClutterError, ImportError) as error:
            print(f"{name} is skipped: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()

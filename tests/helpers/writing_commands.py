"""Every command that writes, with a command line of seconds: what is killed, and what must be equal after a rerun.

In a command line {inputs} stands for the folder of `make_inputs`, {work} for an empty folder, and {chat} for the
address of a chat server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from bench import painted_observation

from helpers.captioners import save_blip
from helpers.demonstrations import make_toy_demos
from helpers.frames import frame_of, write_frame
from helpers.image_data import paint_classes, toy_views
from helpers.kill_runs import COMMAND
from helpers.own_meshes import write_glb, write_obj, write_stl
from helpers.paths import ROOT
from helpers.published_scenes import write_published
from helpers.scene_data import make_toy_store
from helpers.scene_runs import SMALL, make_finished_run
from helpers.torture import TORTURE
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy

SIDE = 48
CLASSIFIER = (
    "crop_classifier=default", "crop_classifier.crop_size=64", "crop_classifier.epochs=1",
    "crop_classifier.batch_size=16", "crop_classifier.repeats=4",
)  # fmt: skip
SHORT = ("distill.epochs=2", "few_shot.epochs=1", "few_shot.repeats=1")
TEACHER = "teacher.checkpoint={inputs}/teacher teacher.cache={work}/features"
TOYS = " ".join(("scenes={inputs}/scenes", TEACHER, *SMALL, *SHORT))
IMAGES = (
    "recipe=smoke student.name=timm/test_resnet precision=float32 data.image_size=32 data.root={inputs}/views "
    + TEACHER
)
STEPS = "steps=6 save_every=2 view_batch_size=4 crop_sizes=[32] sentence_weight=0 bf16=false num_threads=1"
STUDENT = "run={inputs}/run scenes={inputs}/scenes"


def make_inputs(root: Path) -> Path:
    """Make what the command lines read: stores, a teacher, a finished run, its policy, images, views, a captioner."""
    make_finished_run(root, SIDE, *CLASSIFIER)
    shutil.copytree(root / "run", root / "other")
    export_policy(PolicyExportConfig(str(root / "run"), out=str(root / "policy")))
    export_policy(PolicyExportConfig(str(root / "run"), "distill", out=str(root / "zero_shot")))  # without crops
    make_toy_store(root / "teacher_scenes", "teacher", 8, size=SIDE)
    toy_views(root / "views", objects=6, views=16)
    paint_classes(root / "images", ("apple", "pear", "plum", "ten"), 6)
    write_frame(root / "frame", frame_of(painted_observation(96)))
    torch.manual_seed(0)
    save_blip(root / "blip")
    collected = ["collect-scenes", "split=ood", "scenes=2", "image_size=48", "workers=0", f"out={root / 'store'}"]
    subprocess.run([*COMMAND, *collected], check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return root


class WritingCommand(NamedTuple):
    """A command line, and what is put into its empty folder first."""

    line: str
    prepare: Callable[[Path, Path], object] = lambda inputs, work: None
    """Called with the inputs and the empty folder."""
    cheap: bool = False
    """It takes few seconds: `make test` kills it too. One keeps its parts, one replaces its folder."""
    place: str = "o"
    """What it writes, relative to its folder: a folder, or a file with a suffix."""


def _copied(name: str) -> Callable[[Path, Path], object]:
    return lambda inputs, work: shutil.copytree(inputs / name, work / name)


WRITING = {
    "import-scenes": WritingCommand(
        "import-scenes file={work}/f.h5 split=ood shard_size=1 image_size=64 out={work}/o",
        lambda inputs, work: write_published(work / "f.h5"),
        cheap=True,
    ),
    "import-mesh": WritingCommand(
        "import-mesh {work}/wedge.stl {work}/lamp.glb {work}/box/box.obj out={work}/o",
        lambda inputs, work: (write_stl(work), write_glb(work), write_obj(work / "box")),
    ),
    "describe-labels": WritingCommand(
        "describe-labels labels=[mug,bolt,pear] model=m base_url={chat} api_key_env=null out={work}/o.json",
        place="o.json",
    ),
    "label": WritingCommand(
        "label looks={work}/images/pear names=[mug,pear] policy=open model=m base_url={chat} api_key_env=null "
        "out={work}/o",
        lambda inputs, work: paint_classes(work / "images", ("pear",), 3),
        cheap=True,
    ),
    "check-install": WritingCommand("check-install out={work}/o.png", place="o.png"),
    "collect-scenes": WritingCommand(
        "collect-scenes scenes=8 shard_size=2 image_size=48 workers=2 split=ood out={work}/o"
    ),
    "collect-demos": WritingCommand("collect-demos episodes=2 camera_size=48 workers=1 n_videos=1 out={work}/o"),
    "export-lerobot": WritingCommand(
        "export-lerobot demos={work}/demos out={work}/o",
        lambda inputs, work: make_toy_demos(work / "demos", 8, side=96),
        cheap=True,
    ),
    "render-object-views": WritingCommand("render-object-views views_per_object=1 size=32 out={work}/o"),
    "render-object-sheet": WritingCommand("render-object-sheet size=32 out={work}/o.png", place="o.png"),
    "validate-grasp-labels": WritingCommand(
        "validate-grasp-labels store={work}/store instances=4 workers=1", _copied("store"), place="store"
    ),
    "train-affordance": WritingCommand(" ".join(("train-affordance", TOYS, *CLASSIFIER, "out={work}/o"))),
    "evaluate-affordance": WritingCommand(
        "evaluate-affordance run={work}/run scenes={inputs}/scenes num_threads=1", _copied("run"), place="run"
    ),
    "evaluate-affordance of a policy": WritingCommand(
        "evaluate-affordance policy={inputs}/policy store={inputs}/scenes/ood num_threads=1 out={work}/o"
    ),
    "compare-runs": WritingCommand("compare-runs runs=[{inputs}/run,{inputs}/other] out={work}/o"),
    "export-policy": WritingCommand(f"export-policy {STUDENT} num_threads=1 out={{work}}/o"),
    "export-runtime": WritingCommand("export-runtime policy={inputs}/policy num_threads=1 out={work}/o"),
    "train-image-student": WritingCommand(
        f"train-image-student {IMAGES} num_threads=1 objective.cls=1 objective.im_cst=1 out={{work}}/o"
    ),
    "train-teacher": WritingCommand(
        "train-teacher scenes=[{inputs}/teacher_scenes] views=[{inputs}/views] min_crop_size=40 scene_batch_size=4 "
        f"{STEPS} out={{work}}/o"
    ),
    "train-teacher on images": WritingCommand(
        f"train-teacher teacher_data=image_folder images={{inputs}}/images {STEPS} out={{work}}/o"
    ),
    "caption-images": WritingCommand(
        "caption-images dataset=image_folder data.root={inputs}/images data.image_size=32 data.cache={work}/cache "
        "model={inputs}/blip batch_size=3 max_tokens=5 out={work}/o.jsonl",
        place="o.jsonl",
    ),
    "look": WritingCommand(
        "look image={inputs}/images/pear/p0.png names=[pear,mug] checkpoint={inputs}/teacher out={work}/o.png",
        place="o.png",
    ),
    "locate": WritingCommand(
        "locate {inputs}/frame names=lemon policy={inputs}/policy out={work}/o.png",
        place="o.png",
    ),
    "pick": WritingCommand("pick lemon policy={inputs}/policy objects=proxy out={work}/o.mp4", place="o.mp4"),
    "reproduce-table12": WritingCommand(
        f"reproduce-table12 experiment=quickstart methods=[cls,cls_imcst] seeds=[0] {TOYS} out={{work}}/o".replace(
            " num_threads=1", ""
        )
    ),
    "reproduce-tables": WritingCommand(f"reproduce-tables table=3 seeds=[0] {IMAGES} out={{work}}/o"),
    "evaluate-policy": WritingCommand(
        f"evaluate-policy {STUDENT} variants=[oracle,few_shot] episodes=2 camera_size=48 n_videos=1 "
        "workers=1 out={work}/o"
    ),
    "teach": WritingCommand("teach policy={inputs}/policy scenes={inputs}/scenes/ood shots=2 add=true out={work}/o"),
    "examples": WritingCommand("examples policy=ycb out={work}/o.png", place="o.png"),
    "train-ppo": WritingCommand("train-ppo policy={inputs}/policy steps=64 out={work}/o"),
}
"""Name -> command line; its first word is the command."""
NOT_KILLED = {
    "push": "writes on the hub alone, in one commit, or to a URL, the manifest last; it has its tests",
    "fetch": "fetches into a folder of its own, and moves what was checked; it has its tests",
    "forget": "replaces one file, the memory of a policy; names that it forgot are an error of the next run",
    "demo": "serves a page until it is stopped; it keeps nothing but caches, which have their tests",
    "verify-scenes": "writes nothing",
}
"""Commands without a row, and why."""
NAMES = [name for name, command in WRITING.items() if TORTURE or command.cheap]
"""Names of the command lines that are tried."""


def command_words(name: str, inputs: Path, work: Path, chat: str) -> list[str]:
    """Return a command line of `WRITING` for some folders and a server."""
    return [word.format(inputs=inputs, work=work, chat=chat) for word in WRITING[name].line.split()]

"""How well a small teacher names scans, by the number of kinds, and of instances of each, that it was trained on.

The first kinds of every point are those of Y_id; others follow in one random order; those of Y_ood are in none. So the
scans of Y_id show how known kinds fare. Those of Y_ood show whether more kinds help on kinds that were never shown.
However many kinds, there are as many instances in all; further points have fewer instances of the most kinds.
Each point renders its views, and trains on them alone with `train-teacher`. FOLDER/curve.json has the accuracies.
Points that the file has are kept, and a training that was interrupted goes on; other settings need another folder. The
package's extras `sim`, `imagenet` and `sentence` are needed, and with `--objects ycb` the scans.

    python scripts/profiling/teacher_curve.py runs/curve
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE, POINT = "curve.json", "{kinds}x{instances}"
TRAINING = (
    "scenes=[] image_encoder=efficientnet_lite0 strong_augmentation=true text_steps=200 lr=0.0005 head_lr=0.002 "
    "text_lr=0.0005 view_batch_size=96 max_names=64 crop_sizes=[96] warmup_fraction=0.02 occlusion=0.4 "
    "low_resolution=0.3"
)
GROUPS = {
    "seen_kinds": ("Y_id alone", False),
    "unseen_kinds": ("Y_ood alone", False),
    "unseen_kinds_neighbors": ("Y_ood alone", True),
}
"""Group -> which scans, and whether words that the teacher does not know are taken for the nearest that it knows."""


def names_of_kinds(count: int) -> list[str]:
    """Return the names of the first kinds: those of Y_id, then others, never one of Y_ood."""
    from pickclutter_lang.objects.catalog import paper_catalog
    from pickclutter_lang.objects.kinds import all_kinds

    split = {item.name: item.split for item in paper_catalog()}
    names = sorted(kind.name for kind in all_kinds())
    first = [name for name in names if split.get(name) == "id"]
    others = [name for name in names if name not in split]
    random.Random(0).shuffle(others)
    if not len(first) <= count <= len(first) + len(others):
        sys.exit(f"error: expected {len(first)} to {len(first) + len(others)} kinds, but got {count}")
    return [*first, *others][:count]


def call(command: str, *words: str) -> None:
    """Run a command of the package; end where it fails."""
    line = [sys.executable, "-m", "pickclutter_lang.commands", command, *words]
    if subprocess.run(line).returncode:
        sys.exit(f"error: {command} failed; finished points are kept, run this command again to go on")


def views(folder: Path, *words: str) -> str:
    """Render views into a folder, unless it is there."""
    if not (folder / "views.json").is_file():
        call("render-object-views", *words, "random_objects=0", f"out={folder}")
    return str(folder)


def accuracies(folder: Path, test: Path) -> dict[str, Any]:
    """Return what a teacher names, by group, and `teacher`, the fingerprint of its weights.

    :return: of each group `top1` with its `interval` and `chance` in 0..1, `known`, how many of its names have an
        embedding of all their words, and `objects`: name -> its views that were named, of all: "7/12"
    """
    from pickclutter_lang.datasets.object_views import ObjectViewDataset
    from pickclutter_lang.teacher_training.encoded_views import EncodedViews, clusters_of, groups_of
    from pickclutter_lang.teachers.known_words import unknown_words
    from pickclutter_lang.teachers.pocket import load_pocket_teacher
    from pickclutter_lang.utils.statistics import clustered_interval

    teacher = load_pocket_teacher(folder)
    of_groups = groups_of(EncodedViews.of(teacher, ObjectViewDataset.open(test)))
    found: dict[str, Any] = {"teacher": teacher.fingerprint}
    for key, (group, neighbors) in GROUPS.items():
        views, asked = of_groups[group], teacher.with_neighbors() if neighbors else teacher
        names = sorted({item.name for item in views.objects})
        texts = asked.encode_text([f"a photo of a {name}" for name in names])
        predicted = (views.features @ texts.T).argmax(dim=1).tolist()
        true = [item.name for item in views.objects]
        hits = clusters_of(true, (names[best] == name for best, name in zip(predicted, true, strict=True)))
        found[key] = {
            "top1": sum(map(sum, hits.values())) / len(true),
            "interval": clustered_interval([*hits.values()]),
            "chance": 1 / len(names),
            "known": sum(not unknown_words(teacher, [name]) for name in names),
            "objects": {name: f"{sum(of_name)}/{len(of_name)}" for name, of_name in hits.items()},
        }
    return found


def measure(options: argparse.Namespace, kinds: int, instances: int) -> dict[str, Any]:
    """Train a point, and return what it names, with the revision that measured it."""
    from pickclutter_lang.experiments.result import git_revision

    folder = options.folder / POINT.format(kinds=kinds, instances=instances)
    quoted = ",".join(f'"{name}"' for name in names_of_kinds(kinds))
    chosen = [f"kinds=[{quoted}]", f"instances={instances}", "random_lights=true", "size=112"]
    seen = views(folder / "views", "objects=kinds", *chosen, f"views_per_object={options.views}")
    test = views(options.folder / "test", f"objects={options.objects}", "views_per_object=12", "size=128", "seed=1")
    amounts = f"steps={options.steps} seed={options.seed} bf16={str(options.bf16).lower()}".split()
    own = [*TRAINING.split(), *amounts, f"views=[{seen}]", f"unseen_views=[{test}]", f"out={folder}/run"]
    call("train-teacher", *own, *options.settings)
    found = {"kinds": kinds, "instances": instances, "revision": git_revision()}
    return found | accuracies(folder / "run" / "teacher", Path(test))


def main() -> None:
    """Measure the points that the file lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the views, the trainings and curve.json")
    parser.add_argument("settings", nargs="*", help="settings of train-teacher, which replace the script's, KEY=VALUE")
    parser.add_argument("--kinds", type=int, nargs="+", default=[20, 50, 100, 150], help="numbers of kinds")
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 5, 20], help="of each of the most kinds")
    parser.add_argument("--views", type=int, default=4, help="views of each instance")
    parser.add_argument("--steps", type=int, default=400, help="steps of each training")
    parser.add_argument("--objects", default="ycb", help="what is named: `ycb` (scans) or `proxy` (procedural models)")
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16, for CPUs with units for it")
    parser.add_argument("--seed", type=int, default=0, help="seed of the trainings")
    options = parser.parse_args()
    from pickclutter_lang.utils.io import write_text

    most_kinds, most_instances = max(options.kinds), max(options.instances)
    points = [(kinds, most_kinds * most_instances // kinds) for kinds in options.kinds]
    for kinds, _ in points:
        names_of_kinds(kinds)
    options.folder.mkdir(parents=True, exist_ok=True)
    options.folder = options.folder.resolve()
    settings = {key: getattr(options, key) for key in ("views", "steps", "objects", "bf16", "seed", "settings")}
    content: dict[str, Any] = {"settings": settings, "points": {}}
    file = options.folder / FILE
    if file.is_file():
        kept = json.loads(file.read_text())
        if {**kept, "points": {}} != content:
            sys.exit(f"error: {file} has other settings; choose another folder")
        content = kept
    else:
        write_text(file, json.dumps(content, indent=1) + "\n")  # first: the views in the folder are of these settings
    for kinds, instances in dict.fromkeys([*points, *((most_kinds, count) for count in options.instances)]):
        name = POINT.format(kinds=kinds, instances=instances)
        if name not in content["points"]:
            content["points"][name] = point = measure(options, kinds, instances)
            write_text(file, json.dumps(content, indent=1) + "\n")
            shown = ", ".join(f"{group} {100 * point[group]['top1']:.1f}%" for group in GROUPS)
            print(f"{kinds} kinds, {instances} instances: {shown}", flush=True)


if __name__ == "__main__":
    main()

"""Let the arm pick with what a large model named: appends to loop.csv, pile by pile, what it does not have yet.

    PYTHONPATH=scripts:docs/results/data/labels python docs/results/data/labels/loop.py ycb YCB_ROOT 640000 400 \
        oracle "25 looks" "10 looks" "5 looks" ycb open "by hand"
    PYTHONPATH=... python docs/results/data/labels/loop.py scans SCANS 650000 200 \
        "scans, oracle" "scans, 25 looks" "scans, open" "scans, by hand"

SCANS is a folder of `import-mesh`. The looks are those of the first set; all variants of a pile play before the next.
`by hand` is one example of each name: the first segment of the 25 looks that shows it for the most part, with its true
name, as a person would click it.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from measure import SEEDS, Named, memory_of, named_in, piles_of

from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.labeling.large_model import with_synonyms
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.example_memory import ExampleMemory, crop_metric
from pickclutter_lang.policy.runtime import StudentRuntime

FILE = Path(__file__).with_name("loop.csv")
COLUMNS = ("seed", "target", "present", "visible", "graspable", "success", "declared_absent", "wrong_objects")


def memories(base: str, root: str) -> dict[str, ExampleMemory]:
    """Return what is learned from the first 25, 10 and 5 looks, from one example of each name, and from none."""
    student = StudentRuntime.load("open")
    found: list[Named] = []
    known: list[str] = []
    for look, image, masks, _, known in piles_of(root if base == "scans" else base, SEEDS[base], root):
        names = with_synonyms(known)
        if base == "scans":
            names = {one.name: one.synonyms for one in read_catalog(Path(root, "catalog.yaml"))}
        found += named_in(student, look, image, masks, names)
    learned = {"open": ExampleMemory(crop_metric().encoder)}
    for count in (25, 10, 5):
        some = [one for one in found if int(one.look) < SEEDS[base] + count]
        learned[f"{count} looks"] = memory_of(some, known)[0]
    clicked: dict[str, Named] = {}
    for one in found:
        if one.share > 0.8 and one.of_object >= 0.5:
            clicked.setdefault(one.shows, one._replace(named=one.shows))
    print(len(clicked), "names by hand", flush=True)
    learned["by hand"] = memory_of([*clicked.values()], known, guard=False)[0]
    return learned


def main(base: str, root: str, first: int, piles: int, variants: list[str]) -> None:
    """Play the piles from a seed on."""
    learned = memories(base, root) if any(not one.endswith(("oracle", "ycb")) for one in variants) else {}
    objects = {"objects": root} if base == "scans" else {"objects": base, "objects_root": root}
    runner = RolloutRunner(RolloutConfig(split="ood", absent_probability=0.25, **objects))
    for variant in variants:
        title = variant.removeprefix("scans, ")
        if title != "oracle":
            student = StudentRuntime.load("ycb" if title == "ycb" else "open")
            student.examples = student.examples if title == "ycb" else learned[title]
            runner.use_detector(variant, StudentDetector(student))
    with FILE.open(newline="") as stream:
        done = {(row["policy"], row["seed"]) for row in csv.DictReader(stream)}
    for seed in range(first, first + piles):
        for variant in variants:
            if (variant, str(seed)) not in done:
                record = runner.rollout("oracle" if variant.endswith("oracle") else variant, seed)
                row = [int(value) if isinstance(value, bool) else value for value in map(record.get, COLUMNS)]
                with FILE.open("a", newline="") as stream:
                    csv.writer(stream, lineterminator="\n").writerow([variant, *row])
        print(seed, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])

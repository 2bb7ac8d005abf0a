"""Fill the tables of the pages from the data under docs/results/data: `python docs/make_results.py`.

A page asks for a table with a pair of comments; what stands between them is replaced:

    <!-- results: by_words policy/open_words -->
    <!-- /results -->

The first word is a function of `RENDERERS`, the others are its arguments. `--check` changes nothing, and fails where a
page is out of date.

Shares in a table that is written by hand must be among those that scripts print, or such functions return:

    <!-- printed by: labels/tables.py, of_oracle teaching/loop ycb -->
    <!-- /printed -->
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.evaluation.metrics import MEASURES, hits_of, paired, share_of
from pickclutter_lang.experiments.images.image_tables import load_image_runs, table_of_runs
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS
from pickclutter_lang.experiments.scenes.table12_sweep import TABLE12 as TABLE12_RULES
from pickclutter_lang.kinds import all_kinds
from pickclutter_lang.policy.color_order import color_order_note
from pickclutter_lang.results.intervals import Bootstrap, Estimate, RunScores, SplitScores, share
from pickclutter_lang.results.paper_tables import TABLE12
from pickclutter_lang.results.runs import Runs, load_runs
from pickclutter_lang.results.tables import difference_cell, estimate_cell, table_rows
from pickclutter_lang.utils.markdown import markdown_table

DOCS = Path(__file__).resolve().parent
DATA = DOCS / "results" / "data"
FIGURES = DOCS.parent / "assets" / "pocket_teacher" / "figures.json"
_PRINTED = re.compile(r"<!-- printed by: (.+?) -->\n(.*?)<!-- /printed -->", re.DOTALL)
_INTERVAL = re.compile(r"(\d+) \((\d+ to \d+); (\d+)/(\d+)\)")
_SHARE = re.compile(r"\d+ \(\d+ to \d+(?:; \d+/\d+)?\)|(?<=\| )\d+%(?: \(\d+(?: of \d+)?\))?(?= \|)")
_REGION = re.compile(r"(<!-- results: (.+?) -->\n)(.*?)(<!-- /results -->)", re.DOTALL)

VARIANTS = {
    "oracle": "told by the simulator",
    "ycb": "shown five views of each object alone: `ycb`",
    "view1": "shown one view of each object alone",
    "look1": "shown one example of each, in another pile",
    "open": "by name only: `open`",
    "look25": "by name only: `open`, after 25 looks without labels, a command that was removed",
    "teacher": "by name only: the teacher `pocket`, on the crop of each segment",
    "open_strict": "`open`, with a threshold that 7 instead of 10% of the absent names pass",
    "open_once": "`open` without its second look",
    "only_look1": "shown one example of the target, and nothing else",
    "only_look5": "shown five examples of the target, and nothing else",
    "camera": "`ycb`, hand camera moved by 3 cm, 80 instead of 90 degrees of view",
    "light": "`ycb`, weaker, warmer light from another side, a tan table",
    "scans": "47 scans that are no YCB, shown five views of each alone",
    "scans_open": "47 scans that are no YCB, by name only: `open`",
    "scans_look25": "the same, after 25 looks without labels, a command that was removed",
    "kinds_open": "new generated objects, by name only: `open`",
    "labeled50": "after 50 labeled scenes of all objects",
    "labeled0": "the same student before them: by name",
}
STORED = {
    "open": "`open`",
    "strict": "the same, with a threshold of 7%",
    "once": "without a second look",
    "open25": "after 25 looks",
    "once25": "after 25 looks, without a second look",
    "open100": "after 100 looks",
}
IN_PILES = {
    "calibration/stored/open": "`open` without its second look",
    "calibration/stored/look25": "without a second look, after 25 looks",
    "second_look/stored/open": "`open`",
    "second_look/stored/look10": "after 10 looks",
    "second_look/stored/look25": "after 25 looks",
    "second_look/stored/look100": "after 100 looks",
    "second_look/stored/kinds25": "after 25 looks at generated objects",
    "second_look/stored/teaching_piles_open": "by name only: `open`",
    "teaching/stored/open": "`open` without its second look",
    "teaching/stored/view1": "shown one view of each alone",
    "teaching/stored/ycb": "shown five views of each alone: `ycb`",
    "teaching/stored/look1": "shown one example of each, in another pile",
    "teaching/stored/look5": "shown five examples, in other piles",
}
IN_FRAMES = {
    "ycb": "`ycb`, 26 names, taught by renders",
    "meshes60": "60 names taught by renders of meshes",
    "crops1": "one crop of another group of frames each",
    "crops5": "five crops at most",
    "open": "by words: `open`, all names of the frames",
}
HALVES = {"report": "reported half", "choose": "other half"}
LOSSES = {
    "cls": "L_cls",
    "cls_imcst": "L_cls + L_im-cst",
    "cls_imcst_semantic": "L_cls + L_im-cst, descriptions",
    "best_scene_proximity": "`best_scene_proximity`",
    "closed_set": "closed set",
    "best": "`best`",
    "cls+im_cst": "L_cls + L_im-cst",
    "im_cst": "L_im-cst",
    "mse": "L_mse",
}
PAPER = {
    ("table12", "cls_imcst:cls"): ("+0.4", "+14.5"),
    ("table12", "cls:closed_set"): ("", "-3.1"),
    ("table12", "cls_imcst_semantic:cls_imcst"): ("-12.0", "+3.4"),
    ("grocery", "cls+im_cst:cls"): ("+7.0", "+8.4"),
    ("grocery", "im_cst:mse"): ("+10.5", "+13.4"),
}
"""What the paper has of a difference, zero-shot and few-shot: in Table 12, and on the average of its data sets."""
STAGES = ("zero_shot", "few_shot")
RATES = ("graspable_picked", "false_absence", "absence_detected", "wrong_object")
TEXTS = ("variant", "kind", "instruction", "target", "reference", "expected", "picked")


def read(name: str) -> list[dict[str, str]]:
    """Return the rows of `data/NAME.csv`."""
    with (DATA / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def episodes_of(name: str) -> dict[str, list[dict[str, Any]]]:
    """Return variant -> its episodes in `data/NAME.csv`."""
    found: dict[str, list[dict[str, Any]]] = {variant: [] for variant in VARIANTS}
    for row in read(name):
        episode = {key: x if key in TEXTS else float(x or 0) for key, x in row.items()}
        found.setdefault(row["variant"], []).append(episode)
    return {variant: episodes for variant, episodes in found.items() if episodes}


def of_oracle(name: str, *variants: str) -> str:
    """Return the rates of some variants, the first of what the oracle places: `oracle`, or B of a variant A:B."""
    found = episodes_of(name)
    rows = []
    for variant, _, own_oracle in (one.partition(":") for one in variants):
        oracle = own_oracle or "oracle"
        placed = {pile for pile, (hit, _) in hits_of(found[oracle], oracle, RATES[0]).items() if hit}
        own = found[variant]
        tried = [episode for episode in found[variant] if episode["seed"] in placed]
        of_placed = [share_of(tried, variant, RATES[0], group) for group in ("all", "unseen")]
        rows.append([VARIANTS[variant], *of_placed, *(share_of(own, variant, key, "all") for key in RATES[1:])])
    heads = [
        "graspable: placed, of what the oracle places",
        "of these, unseen names",
        *(MEASURES[key].title for key in RATES[1:]),
    ]
    return markdown_table(["%, 95% interval", *heads], rows)


def differences(name: str, *pairs: str) -> str:
    """Return by how many points more A places than B, of what the oracle places, for pairs of variants A:B."""
    found = episodes_of(name)
    rows = []
    placed = {pile for pile, (hit, _) in hits_of(found["oracle"], "oracle", RATES[0]).items() if hit}
    for one, _, other in (pair.partition(":") for pair in pairs):
        both = [episode for episode in (*found[one], *found[other]) if episode["seed"] in placed]
        groups = (both, [episode for episode in both if not episode["seen"]])
        cells = (paired(group, (one, RATES[0]), (other, RATES[0])) for group in groups)
        rows.append([VARIANTS[one], VARIANTS[other], *cells])
    return markdown_table(["places more", "than", "points, 95% interval", "of unseen names"], rows)


def by_words(name: str) -> str:
    """Return how often the first object was the one that an instruction asked for, by its kind of words."""
    (episodes,) = episodes_of(name).values()
    rows = []
    for kind in dict.fromkeys(episode["kind"] for episode in episodes):
        own = [episode for episode in episodes if episode["kind"] == kind]
        names = [episode["target"] for episode in own]
        shares = (share([bool(episode[key]) for episode in own], names) for key in ("followed", "declared_absent"))
        rows.append([kind.replace("_", " "), *shares])
    return markdown_table(["instruction", "right, %", "called absent, %"], rows)


def earlier(name: str, metric: Any, *pairs: str) -> str:
    """Return what was gained on Y_ood in an earlier sweep, for pairs of methods A:B, from the predictions of its runs.

    The intervals cover what varies: object splits, seeds, draws, scenes or images, and classes.
    """
    with gzip.open(DATA / "earlier" / f"{name}.json.gz") as stream:
        recorded = json.load(stream)
    found = {stage: _bootstrap(recorded, stage) for stage in ("zero_shot", "few_shot")}
    rows = []
    for pair in pairs:
        this, _, that = pair.partition(":")
        gains = [bootstrap.difference(this, that, metric) for bootstrap in found.values()]
        cells = [_points(gain) for gain in gains if gain]
        if that == "closed_set":
            cells[0] = "-"  # it has no output for an unseen name
        rows.append(_gain(name, pair, gains[-1].runs if gains[-1] else 0, *cells))
    return markdown_table(_GAINS, rows)


def rows_of(name: str, *methods: str) -> str:
    """Return F1 and mean average precision of the unseen names in Table 12, of some methods, beside the paper's F1."""
    runs = _sweep(name)
    heads = ["", "runs", "F1, zero-shot", "few-shot", "mAP, zero-shot", "few-shot", "paper's F1"]
    rows = []
    for method in methods:
        measures = (f"{stage}.ood_on_ood.model.{metric}" for metric in ("f1", "map") for stage in STAGES)
        cells = [estimate_cell(runs.estimate(method, measure)) for measure in measures]
        figures = TABLE12["f1"][METHODS[method]]["ood_on_ood"] if method in METHODS else ()
        paper = " / ".join("-" if value is None else f"{value}" for value in figures)
        if method == "closed_set":
            cells[0] = cells[2] = "-"  # it has no output for an unseen name
        rows.append([LOSSES[method], str(len(runs.of(method))), *cells, paper or "-"])
    return markdown_table(heads, rows)


def claims(name: str) -> str:
    """Return what the paper claims, its difference, ours, whether it shows here, and what the intervals cover.

    It shows where the interval leaves out 0 on the paper's side, and does not where it leaves out 0 on the other side.
    """
    runs = _sweep(name)
    rows = []
    for row in read(f"{Path(name).parts[0]}/claims"):
        found = runs.difference((row["left"], row["left_measure"]), (row["right"], row["right_measure"]))
        if found is None:
            continue
        paper = float(row["paper"])
        shown = found._replace(half_width=found.half_width or None)  # 0: of one distillation, whatever the draw
        verdict = "one training, no interval" if shown.half_width is None else "undecided"
        if found.leaves_out_zero:
            verdict = "**shows**" if found.mean * paper > 0 else "**does not show**"
        rows.append([row["claim"], f"{paper:+.1f}", difference_cell(shown), verdict])
    covered = "\n".join(textwrap.wrap(runs.note([*runs.records]), 119))
    return markdown_table(["the paper's claim, in points", "paper", "here", ""], rows) + f"\n\n{covered}"


def single_images(name: str, *numbers: str) -> str:
    """Return some of Tables 1 to 11 from the runs that are there."""
    runs = _sweep(name)
    parts = []
    for number in numbers:
        found = table_of_runs(runs, number)
        parts.append(table_rows(runs, replace(found, rows=tuple(row for row in found.rows if runs.of(row.run)))))
    return "\n\n".join(parts)


def number_of_names() -> str:
    """Return the shares of right answers for numbers of taught names, over the draws of each."""
    heads = ["a name is", "taught names", "right", "called present", "some other name called present"]
    asked: dict[tuple[str, int], list[int]] = {}
    for row in read("teaching/number_of_names"):
        what, count, _, *hits = row.values()
        known = asked.setdefault((what, int(count)), [0] * (len(hits) + 1))
        asked[what, int(count)] = [one + more for one, more in zip(known, map(int, (count, *hits)), strict=True)]
    singular = {"objects": "an object", "kinds": "a kind"}
    rows = [
        [singular[what], f"{count}", *(f"{100 * n / total:.0f}" for n in hits)]
        for (what, count), (total, *hits) in asked.items()
    ]
    return markdown_table(heads, rows)


def seen_names() -> str:
    """Return the accuracy on unseen names with 14, 50 and 100 seen ones, and what L_im-cst adds to it."""
    stages = [stage.replace("_", "-") for stage in STAGES]
    heads = ["seen names", *(f"{what}, {stage}" for what in ("L_cls", "L_im-cst adds") for stage in stages)]
    measures = [f"{stage}.ood.accuracy" for stage in STAGES]
    rows = []
    gains = {}
    for count in (14, 50, 100):
        runs = _sweep(f"images/seen_{count}")
        gains[count] = [runs.difference(("cls+im_cst", measure), ("cls", measure)) for measure in measures]
        accuracies = (estimate_cell(runs.estimate("cls", measure)) for measure in measures)
        rows.append([str(count), *accuracies, *map(difference_cell, gains[count])])
    pairs = zip(gains[100], gains[14], strict=True)
    grown = [(more.mean - few.mean, float(np.hypot(more.half_width, few.half_width))) for more, few in pairs]
    rows.append(["100 less 14", "", "", *(f"{100 * mean:+.1f} ± {100 * half:.1f}" for mean, half in grown)])
    covered = "\n".join(textwrap.wrap(runs.note([*runs.records]), 119))
    return markdown_table(heads, rows) + f"\n\n{covered} The last row takes both as independent."


@cache
def _sweep(name: str) -> Runs:
    """Return the runs in the archives `data/NAME_*.tar.xz`, which `data/pack.py` writes."""
    with tempfile.TemporaryDirectory() as folder:
        for archive in DATA.glob(f"{name}_*.tar.xz"):
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
        found = Path(folder)
        return load_image_runs(found) if name.startswith("images") else load_runs(found, TABLE12_RULES)


def stored(name: str, *pairs: str) -> str:
    """Return differences of unseen names in stored piles, for pairs of policies A:B, from their scores.

    The intervals cover piles and names.
    """
    with gzip.open(DATA / f"{name}.json.gz") as stream:
        bootstrap = _bootstrap(json.load(stream), "stored")
        rows = []
    for this, _, that in (pair.partition(":") for pair in pairs):
        cells = (_points(gain) for metric in ("map", "f1") if (gain := bootstrap.difference(this, that, metric)))
        rows.append([STORED[this], STORED[that], *cells])
    return markdown_table(["", "over", "mAP", "F1"], rows)


def in_piles(group: str, *names: str) -> str:
    """Return what `evaluate-affordance` measured in stored piles, of all, seen or unseen names, from its results."""
    heads = [
        {"all": "all 26 names", "unseen": "unseen names"}[group],
        "mAP",
        "F1",
        "visible: called absent",
        "not visible: called absent",
        "missed at 10% false alarms",
    ]
    rows = []
    for name in names:
        found = json.loads((DATA / f"{name}.json").read_text())["metrics"][group]
        scores = (found[f"policy_{metric}"] for metric in ("map", "f1"))
        missed = found["missed"]
        rows.append(
            [
                IN_PILES[name],
                *(f"{100 * score['mean']:.1f} ± {100 * score['half_width']:.1f}" for score in scores),
                f"{100 * found['true_called_absent'] / found['true']:.1f}",
                f"{100 * found['absent_called_so'] / found['absent']:.1f}",
                f"{100 * missed['mean']:.0f} ({100 * missed['low']:.0f} to {100 * missed['high']:.0f})",
            ]
        )
    return markdown_table(heads, rows)


def in_frames() -> str:
    """Return what policies found and refused in real frames, and how many objects have a segment there."""
    heads = [f"{half}: {what}" for half in HALVES.values() for what in ("found", "absent names refused")]
    answers = read("real/answers")
    segments = read("real/segments")
    rows = []
    for policy, title in IN_FRAMES.items():
        cells = []
        for half in HALVES:
            own = [row for row in answers if (row["policy"], row["half"]) == (policy, half)]
            for good, bad in (("found", ("called absent", "wrong object")), ("refused", ("called present",))):
                asked = [row for row in own if row["outcome"] in (good, *bad)]
                cells.append(share([row["outcome"] == good for row in asked], [row["name"] for row in asked]))
        rows.append([title, *cells])
    cells = []
    for half in HALVES:
        own = [row for row in segments if row["half"] == half]
        cells += [share([float(row["iou"]) >= 0.5 for row in own], [row["name"] for row in own]), ""]
    rows.append(["objects that have a segment with an IoU of 0.5", *cells])
    return markdown_table(["%, 95% interval over names", *heads], rows)


def in_changed_frames() -> str:
    """Return what `ycb` finds in real frames as they are, blue first and upside down, and which are noticed."""
    changed = read("real/colors")
    rows = []
    for change in dict.fromkeys(row["change"] for row in changed):
        frames = [row for row in changed if row["change"] == change]
        counts = {key: sum(int(row[key]) for row in frames) for key in ("found", "there", "refused", "absent")}
        noticed = sum(color_order_note([float(row["odds"])]) is not None for row in frames)
        groups = {
            row["group"]: [float(one["odds"]) for one in frames if one["group"] == row["group"]] for row in frames
        }
        of_groups = sum(color_order_note(odds) is not None for odds in groups.values())
        shares = f"{counts['found']} of {counts['there']}", f"{counts['refused']} of {counts['absent']}"
        rows.append([change, *shares, f"{noticed} of {len(frames)}", f"{of_groups} of {len(groups)}"])
    heads = "found", "absent names refused", '"blue first?" of a frame', "of all frames of a camera"
    return markdown_table(["frames", *heads], rows)


def simulators_apart() -> str:
    """Return how far the two simulators are apart in the same piles."""
    poses, pixels = read("simulators/poses"), read("simulators/pixels")

    def spread(key: str, unit: str) -> str:
        found = np.array([float(row[key]) for row in poses])
        middle, most = np.quantile(found, (0.5, 0.9))
        return f"median {middle:.2f}{unit}, 90% below {most:.2f}, largest {found.max():.1f}"

    def mean(key: str) -> str:
        return f"{100 * np.mean([float(row[key]) for row in pixels]):.1f}%"

    rows = [
        ["positions after a second of physics", spread("mm_apart", " mm")],
        ["angles after a second", spread("degrees_apart", " degrees")],
        ["moved within that second, ManiSkill2", spread("mm_moved_in_2", " mm")],
        ["the same, ManiSkill 3", spread("mm_moved_in_3", " mm")],
        ["pixels with the same color", f"{mean('equal')}, above the gripper {mean('equal_above')}"],
        ["pixels within 8 of 255 levels", f"{mean('within_8')}, above the gripper {mean('within_8_above')}"],
        ["depth within 2 mm", f"{mean('depth_2mm')} of the pixels: ManiSkill 3 cuts it to whole millimeters"],
    ]
    return markdown_table([f"what differs, in {len(pixels)} piles with {len(poses)} objects", ""], rows)


_GAINS = ["", "over", "runs", "zero-shot", "few-shot", "paper, zero-shot / few-shot"]


def _gain(name: str, pair: str, runs: object, *cells: str) -> list[str]:
    this, _, that = pair.partition(":")
    paper = " / ".join(value or "-" for value in PAPER.get((name, pair), ()))
    return [LOSSES[this], LOSSES[that], str(runs), *cells, paper or "-"]


def _bootstrap(recorded: Mapping[str, Any], stage: str) -> Bootstrap:
    splits = {}
    for number, own in recorded["splits"].items():
        runs: dict[str, dict[tuple[int, int], RunScores]] = {}
        for run in recorded["runs"]:
            if str(run["split"]) == number:
                predicted = _answers(run["predicted"][stage])
                scores = np.array([*run["scores"][stage].values()]).T if "scores" in run else predicted * 1.0
                runs.setdefault(run["method"], {})[run["seed"], run["draw"]] = RunScores(scores, predicted)
        targets = own["targets"]
        splits[int(number)] = SplitScores(_answers(targets), runs, tuple(own["items"]), tuple(targets))
    return Bootstrap(splits)


def _answers(of_labels: Mapping[str, str]) -> Any:
    return np.array([[answer == "1" for answer in row] for row in of_labels.values()]).T


def _points(gain: Estimate) -> str:
    text = f"{100 * gain.mean:+.1f} ± {100 * (gain.half_width or 0):.1f}"
    return f"**{text}**" if gain.leaves_out_zero else text


def held_out() -> str:
    """Return the differences of a sweep whose predictions were not kept, as they were recorded."""
    found: dict[str, dict[str, str]] = {}
    for row in read("earlier/held_out"):
        mean, half_width = float(row["mean"]), float(row["half_width"])
        text = f"{mean:+.1f} ± {half_width:.1f}"
        own = found.setdefault(f"{row['method']}:{row['minus']}", {})
        own[row["stage"]] = f"**{text}**" if abs(mean) > half_width else text
    rows = [_gain("table12", pair, 3, own["zero_shot"], own["few_shot"]) for pair, own in found.items()]
    return markdown_table(_GAINS, rows)


def objects_alone() -> str:
    """Return how often the teacher names the visible objects of stored piles, by how they are shown to it."""
    counted = read("teacher/objects_alone")
    rows = []
    for shown in dict.fromkeys(row["shown"] for row in counted):
        cells = []
        for unseen in ("01", "1"):
            own = [row for row in counted if row["shown"] == shown and row["unseen"] in unseen]
            hits = [n < int(row["right"]) for row in own for n in range(int(row["objects"]))]
            cells.append(str(share(hits, [row["name"] for row in own for _ in range(int(row["objects"]))])))
        rows.append([shown, *cells])
    return markdown_table(["objects in piles, shown", "named, % of all 26", "of the 12 of Y_ood"], rows)


def readings() -> str:
    """Return how many kinds each reader of images without names called by their name or a synonym of theirs."""
    accepted = {kind.name: {kind.name, *kind.synonyms} for kind in all_kinds()}
    rows = []
    for reader in ("first", "second"):
        other = [row for row in read("teacher/reading") if row[reader].lower() not in accepted[row["kind"]]]
        wrong = ", ".join(f'{row["kind"]}: "{row[reader]}"' for row in other)
        rows.append([reader, f"{len(accepted) - len(other)} of {len(accepted)}", wrong])
    return markdown_table(["reader", "named", "other words"], rows)


def teacher() -> str:
    """Return top-1 of the embedded teacher for images of objects that it was not trained on, in percent."""
    figures: Mapping[str, Any] = json.loads(FIGURES.read_text())
    crops, kinds = figures["crops"]["ycb, ood, 176 px"], figures["kinds"]["kinds from seed 1000000"]
    found = {
        "views of the paper's 26 scans, among their names": (figures["views"]["ycb, paper, objects"], "top1_shown"),
        "those of the 12 names of Y_ood, among these": (figures["views"]["ycb, paper, Y_ood alone"], "top1_shown"),
        "views of all 60 scans, among all their names": (figures["all_names"]["ycb"], "top1"),
        "crops of the 26 scans in piles": (crops, "top1"),
        "views of new generated objects, among 206 kinds": (kinds, "top1"),
    }
    rows = []
    for name, (row, key) in found.items():
        low, high = row["interval"]
        rows.append([name, f"{100 * row[key]:.1f} ({100 * low:.0f} to {100 * high:.0f})"])
    return markdown_table(["images", "top-1, % (95% interval)"], rows)


def table(name: str) -> str:
    """Return a CSV file as it is."""
    rows = read(name)
    return markdown_table(list(rows[0]), [list(row.values()) for row in rows])


def source(name: str) -> str:
    """Return the note on some numbers, the revision and the teacher they rest on, and the command that makes them."""
    entry: Mapping[str, str] = json.loads((DATA / "sources.json").read_text())[name]
    teacher_of = f", teacher `{entry['teacher']}`" if "teacher" in entry else ""
    text = f"{entry['note']} The command is that of revision `{entry['revision']}`{teacher_of}."
    quoted = re.sub(r'(?<![\w"])([\w.]+=\[[^\]"]*\])(?!")', r'"\1"', entry["command"])  # for zsh
    command = textwrap.wrap(quoted, 110, break_long_words=False, break_on_hyphens=False)
    return "\n".join(textwrap.wrap(text, 119)) + "\n\n    " + " \\\n        ".join(command)


RENDERERS: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        by_words,
        claims,
        differences,
        earlier,
        held_out,
        in_changed_frames,
        in_frames,
        in_piles,
        number_of_names,
        objects_alone,
        of_oracle,
        readings,
        rows_of,
        seen_names,
        simulators_apart,
        single_images,
        source,
        stored,
        table,
        teacher,
    )
}


def render(text: str) -> str:
    """Return a page with all its regions filled."""

    def fill(match: re.Match[str]) -> str:
        name, *arguments = match[2].split()
        return f"{match[1]}\n{RENDERERS[name](*arguments)}\n\n{match[4]}"

    return _REGION.sub(fill, text)


def not_printed(text: str) -> list[str]:
    """Return the shares of a page's hand-written tables that their sources do not print."""
    wrong = []
    for sources, body in _PRINTED.findall(text):
        printed = {form for source in sources.split(", ") for form in _shares(source)}
        shares = _SHARE.findall(body.replace("**", ""))
        wrong += [f"{found}, not printed by {sources}" for found in shares if found not in printed]
    return wrong


@cache
def _shares(source: str) -> set[str]:
    """Return each share that a script or renderer prints, in all forms that a page may give it."""
    name, *arguments = source.split()
    if name in RENDERERS:
        text = RENDERERS[name](*arguments)
    else:
        text = subprocess.run([sys.executable, DATA / name], check=True, capture_output=True, text=True).stdout
    forms = set()
    for found in _INTERVAL.finditer(text):
        percent, interval, hits, total = found.groups()
        short = f"{percent}% ({hits}"
        forms |= {found[0], f"{percent} ({interval})", f"{percent}%", f"{short})", f"{short} of {total})"}
    return forms


def main() -> int:
    """Fill the pages; return the exit status, 1 for a share that no script prints, and where `--check` finds a page
    that is out of date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a page is out of date")
    every = (DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md")))
    parser.add_argument("pages", nargs="*", type=Path, default=every, help="all by default")
    given = parser.parse_args()
    check = given.check
    stale = False
    wrong = False
    for page in (path.resolve() for path in given.pages):
        text = page.read_text()
        for line in not_printed(text):
            wrong = True
            sys.stderr.write(f"{page.relative_to(DOCS.parent)}: {line}\n")
        filled = render(text)
        if filled != text:
            stale = True
            sys.stderr.write(f"{'out of date' if check else 'filled'}: {page.relative_to(DOCS.parent)}\n")
            if not check:
                page.write_text(filled)
    return int(wrong or (check and stale))


if __name__ == "__main__":
    sys.exit(main())

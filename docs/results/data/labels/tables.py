"""Print the tables of docs/results/labels.md, from the files beside this one."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

from pickclutter_lang.results.intervals import mean_interval, share, share_difference
from pickclutter_lang.utils.markdown import markdown_table

HERE = Path(__file__).parent
Row = dict[str, str]
SETS = {
    "ycb": "YCB scans, 26 names",
    "scans": "other scans, 47 names",
    "kinds": "30 kinds",
    "real": "real frames, 55 names",
}


def rows(file: str) -> list[Row]:
    """Return the rows of a CSV file beside this one; none where it is missing."""
    path = HERE / file
    return list(csv.DictReader(path.open())) if path.exists() else []


def share_of(found: Iterable[Row], hit: Callable[[Row], bool], name: str) -> str:
    """Return the share of the rows that are a hit, with its interval over names."""
    some = list(found)
    return str(share([hit(row) for row in some], [row[name] for row in some]))


def counted(found: Iterable[Row], hit: str, total: str) -> str:
    """Return a share of counts in rows of names."""
    hits, names = list[bool](), list[str]()
    for row in found:
        count, of = int(row[hit]), int(row[total])
        hits += [True] * count + [False] * (of - count)
        names += [row["name"]] * of
    return str(share(hits, names))


def labels() -> None:
    """Print what the model named."""
    given = [row for row in rows("labels.csv") if row["named"]]
    visible = rows("visible.csv")
    table = []
    for key, title in SETS.items():
        right = share_of((r for r in given if r["set"].startswith(key)), lambda r: r["named"] == r["shows"], "named")
        named = share_of((r for r in visible if r["set"].startswith(key)), lambda r: r["named"] == "1", "object")
        table.append([title, right, named])
    for key, title in (("open_ycb", "YCB scans, without a list"), ("open_scans", "other scans, without a list")):
        found = [row for row in rows("open.csv") if row["set"] == key]
        table.append([title, "", share_of(found, lambda r: r["accepted"] == "1", "object")])
    print(markdown_table(["%", "labels right", "visible objects named"], table), end="\n\n")


def decisions() -> None:
    """Print what policies decide in stored piles, and what wrong answers do."""
    found = rows("decisions.csv") + rows("confusion.csv")
    tables: dict[bool, list[list[object]]] = {False: [], True: []}
    for piles, policy in dict.fromkeys((row["piles"], row["policy"]) for row in found):
        of = [row for row in found if (row["piles"], row["policy"]) == (piles, policy)]
        pairs = (("pointed", "visible"), ("called_absent", "visible"), ("refused", "absent"))
        tables["guard" in policy].append([piles, policy, *(counted(of, *pair) for pair in pairs)])
    head = ["piles", "policy", "visible: pointed to", "visible: called absent", "absent: refused"]
    for table in tables.values():
        print(markdown_table(head, table), end="\n\n")


def loop() -> None:
    """Print what the arm delivers."""
    found = rows("loop.csv")
    by_seed = {(row["policy"], row["seed"]): row for row in found}
    table = []
    for policy in dict.fromkeys(row["policy"] for row in found):
        oracle = "scans, oracle" if policy.startswith("scans") else "oracle"
        of = [row for row in found if row["policy"] == policy and (oracle, row["seed"]) in by_seed]
        best = [row for row in of if row["graspable"] == "1" and by_seed[oracle, row["seed"]]["success"] == "1"]
        visible, absent = ([r for r in of if r[key] == value] for key, value in (("visible", "1"), ("present", "0")))
        table.append([
            policy, len(of), share_of(best, lambda r: r["success"] == "1", "target"),
            share_of(visible, lambda r: r["declared_absent"] == "1", "target"),
            share_of(absent, lambda r: r["declared_absent"] == "1", "target"),
        ])  # fmt: skip
    head = ["policy", "piles", "of the oracle's", "visible: called absent", "absent: refused"]
    print(markdown_table(head, table), end="\n\n")
    for first, second in (("25 looks", "ycb"), ("25 looks", "open"), ("scans, 25 looks", "scans, open")):
        seeds = [
            row["seed"] for row in found
            if row["policy"] == first and row["graspable"] == "1" and (second, row["seed"]) in by_seed
        ]  # fmt: skip
        pairs = [[by_seed[policy, seed]["success"] == "1" for seed in seeds] for policy in (first, second)]
        print(f"{first} minus {second}: {share_difference(*pairs, [by_seed[first, s]['target'] for s in seeds])}")


def asked() -> None:
    """Print what is decided where the policy asks on its way."""
    found = rows("asked.csv")
    table = []
    for wrong in dict.fromkeys(row["wrong"] for row in found):
        of = [row for row in found if row["wrong"] == wrong]
        counted_rows = [row for row in of if row["right"]]
        right = share([row["right"] == "1" for row in counted_rows], [row["pile"] for row in counted_rows])
        questions = [row["asked"] == "1" for row in of]
        table.append([wrong, right, sum(questions), sum(questions[:25]), sum(questions[-25:])])
    head = ["answers wrong", "decisions right, %", "questions", "in the first 25", "in the last 25"]
    print(markdown_table(head, table))


def few_shot() -> None:
    """Print the mean average precision of students that were fine-tuned on labels of the simulator or of the model."""
    found = rows("few_shot.csv")
    table = []
    for unseen, title in (("0", "seen"), ("1", "unseen")):
        stages = [("simulator", "zero_shot"), ("simulator", "few_shot"), ("model", "few_shot")]
        precise = [
            [
                100 * float(r["average_precision"])
                for r in found
                if (r["labels"], r["stage"], r["unseen"]) == (*of, unseen)
            ]
            for of in stages
        ]
        change = [theirs - own for own, theirs in zip(precise[1], precise[2], strict=True)]
        means = [mean_interval(values) for values in (*precise, change)]
        table.append([f"{len(change)} {title}", *(f"{one.mean:.1f} ± {one.half_width:.1f}" for one in means)])
    print(markdown_table(["names", "zero-shot", "labels of the simulator", "labels of the model", "difference"], table))


if __name__ == "__main__":
    labels()
    decisions()
    loop()
    asked()
    few_shot()

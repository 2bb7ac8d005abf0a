"""Tables 1 to 11 on single images: one CSV file a table, and how each is laid out (`images/tables.json`)."""

from __future__ import annotations

import json
from typing import Any

from result_data import DATA, bold, markdown, read, source_of

_DECIMALS = {"accuracy": (100, 1), "mse": (1, 2), "degrees": (1, 1), "relative_match": (1, 3), "cosine": (1, 4)}


def image_table(folder: str, number: str) -> str:
    """Return one of Tables 1 to 11, and its comparisons paired by seed."""
    spec = _spec()[number]
    rows = read(f"images/{folder}/table{number}")
    found = {(row["row"], row["minus"], row["measure"]): row for row in rows}
    best = _best(spec, found)
    lines = []
    for row in spec["rows"]:
        cells, seeds = [], ""
        measures = row["measures"] or [column["measures"] for column in spec["columns"]]
        for cell in measures:
            entries = [(measure, found.get((row["name"], "", measure))) for measure in cell]
            seeds = max([seeds, *(e["seeds"] for _, e in entries if e)])
            cells.append(" / ".join(bold(_shown(m, e), (row["name"], m) in best) for m, e in entries))
        lines.append([row["title"], f"`{row['run']}`" if row["run"] else "", seeds, *cells])
    chance = [" / ".join(_chance(folder, m) for m in column["measures"]) for column in spec["columns"]]
    if any(text.strip("NA/ ") for text in chance):
        lines.append(["chance", "", "", *chance])
    titles = [column["title"] for column in spec["columns"]]
    parts = [markdown(["", "run", "seeds", *titles], lines)]
    if spec["pairs"]:
        parts += ["Differences paired by seed; **bold** where the interval excludes 0:", _pairs(spec, found, titles)]
    return "\n\n".join(parts)


def image_tables(folder: str) -> str:
    """Return every table of a dataset, each with its heading."""
    parts = []
    revisions: dict[str, list[str]] = source_of(f"images/{folder}").get("revisions_of_tables", {})
    for number, spec in _spec().items():
        if (DATA / f"images/{folder}/table{number}.csv").is_file():
            parts.append(f"## Table {number}: {spec['title']}")
            if number in revisions:
                parts.append("Revision " + ", ".join(f"`{revision}`" for revision in revisions[number]) + ".")
            parts.append(image_table(folder, number))
    return "\n\n".join(parts)


def image_summary(folder: str) -> str:
    """Return Table 1 in short: accuracy on X_id, and zero-shot and few-shot on X_ood."""
    found = {(row["row"], row["measure"]): row for row in read(f"images/{folder}/table1") if not row["minus"]}
    keys = ("zero_shot.id", "zero_shot.ood", "zero_shot.all", "few_shot.ood")
    lines = []
    for row in _spec()["1"]["rows"]:
        names = ("teacher.id", "teacher.ood", "", "") if row["name"] == "teacher" else keys
        lines.append([row["title"], *(_shown("x.accuracy", found.get((row["name"], f"{n}.accuracy"))) for n in names)])
    lines.append(["chance", *(_chance(folder, f"{key}.accuracy") for key in keys)])
    header = ["", "X_id", "X_ood zero-shot", "X_ood zero-shot, among all names", "X_ood few-shot"]
    return markdown(header, lines)


def _spec() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "images" / "tables.json").read_text())
    return found


def _form(measure: str) -> tuple[int, int]:
    return next((form for key, form in _DECIMALS.items() if key in measure.split(".")), (1, 2))


def _shown(measure: str, row: dict[str, str] | None, sign: str = "") -> str:
    if row is None or not row["mean"]:
        return "NA" if row is not None else ""
    scale, decimals = _form(measure)
    text = f"{scale * float(row['mean']):{sign}.{decimals}f}"
    return text + (f" ± {scale * float(row['half_width']):.{decimals}f}" if row["half_width"] else "")


def _best(spec: dict[str, Any], found: dict[tuple[str, str, str], dict[str, str]]) -> set[tuple[str, str]]:
    """Return the best row of each measure, of rows of students, as it is printed; none where a column has no best."""
    best: set[tuple[str, str]] = set()
    for column in spec["columns"]:
        for position, measure in enumerate(column["measures"]):
            values = {}
            for row in spec["rows"]:
                if row["run"] is None:
                    continue
                at = row["measures"][spec["columns"].index(column)][position] if row["measures"] else measure
                entry = found.get((row["name"], "", at))
                if entry and entry["mean"]:
                    scale, decimals = _form(at)
                    values[row["name"], at] = round(scale * float(entry["mean"]), decimals)
            if column["best"] and len(values) > 1:
                top = max(values.values()) if column["best"] == "high" else min(values.values())
                best |= {key for key, value in values.items() if value == top}
    return best


def _pairs(spec: dict[str, Any], found: dict[tuple[str, str, str], dict[str, str]], titles: list[str]) -> str:
    lines = []
    for this, other in spec["pairs"]:
        cells, seeds = [], ""
        for column in spec["columns"]:
            entries = [(m, _difference(found, this, other, m)) for m in column["measures"]]
            seeds = max([seeds, *(e["seeds"] for _, e in entries if e)])
            cells.append(" / ".join(bold(_shown(m, e, "+"), _excludes_0(e)) for m, e in entries))
        lines.append([f"`{this}` - `{other}`", seeds, *cells])
    return markdown(["", "seeds", *titles], lines)


def _difference(
    found: dict[tuple[str, str, str], dict[str, str]], this: str, other: str, measure: str
) -> dict[str, str] | None:
    """Return a difference; where rows take other measures than the column, that of the row's own."""
    exact = found.get((this, other, measure))
    return exact or next((row for (a, b, _), row in found.items() if (a, b) == (this, other)), None)


def _excludes_0(row: dict[str, str] | None) -> bool:
    return bool(row and row["mean"] and row["half_width"]) and abs(float(row["mean"])) > float(row["half_width"])  # type: ignore[index]


def _chance(folder: str, measure: str) -> str:
    """Return what guessing gives: one over the number of classes, or half of all pairs in the wrong order."""
    seen, unseen = source_of(f"images/{folder}")["classes"]
    classes = {"id": seen, "ood": unseen, "all": seen + unseen, "ood1": (unseen + 1) // 2, "ood2": unseen // 2}
    _, part, *rest = measure.split(".")
    if rest and rest[0] == "alignment_inversions":
        k = int(rest[1])
        return f"{k * (k - 1) / 4:.2f}"
    count = classes.get(part.split("_")[0], 0) if rest == ["accuracy"] else 0
    return f"{100 / count:.1f}" if count else "NA"

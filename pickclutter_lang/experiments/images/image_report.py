"""`report.html` of a run on single images, from its record, its scores, and small images of some answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from pickclutter_lang.experiments.images.image_protocol import EXAMPLES
from pickclutter_lang.experiments.images.image_tables import student_name
from pickclutter_lang.experiments.stages import FEW_SHOT, STAGE_TITLES
from pickclutter_lang.results.charts import draw_bars, draw_curves
from pickclutter_lang.results.comparison import TITLES
from pickclutter_lang.results.intervals import Estimate
from pickclutter_lang.results.page import PAGE_FILE, Card, Gallery, Item, Media, Tone, run_details, write_page
from pickclutter_lang.results.record import Record, number_at, read_record
from pickclutter_lang.results.runs import TEACHER
from pickclutter_lang.results.scores import Scores
from pickclutter_lang.results.tables import estimate_cell
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table

_STAGES = STAGE_TITLES | {TEACHER: "teacher"}
_CELLS = ("id", "ood", "all")


def write_report(run: str | Path) -> Path:
    """Write `report.html` into the folder of a run, from its record, scores and examples; return its path.

    :raises CheckpointError: when one of them is missing or damaged
    :raises LockedError: when another process is at work in the folder
    """
    folder = Path(run)
    record = read_record(folder, "images")
    scores = Scores.load(folder)
    bars: dict[str, Estimate] = {}
    for part in ("id", "ood"):  # the best first in each
        by_class = scores.cell(FEW_SHOT, part).by_label("recall").items()
        bars |= {name: Estimate(x, None, 1) for name, x in sorted(by_class, key=lambda item: -item[1])}
    shown: dict[str, Figure | Gallery] = {
        "curves.png": draw_curves({record["name"]: record["history"]}),
        "classes.png": draw_bars({"few-shot": bars}, {"few-shot": scores.unseen}, "accuracy, %"),
        "images.png": _gallery(scores, folder),
    }
    with dir_lock(folder):
        return write_page(folder / PAGE_FILE, "\n\n".join(_sections(record, scores)), shown, run_details(record))


def _sections(record: Record, scores: Scores) -> Iterator[str]:
    data = record["data"]
    seen = len(record["data"]["seen"])
    unseen = len(record["data"]["unseen"])
    yield f"# A student of {data['name']}"
    yield (
        f"Run `{record['name']}`: student {student_name(record)} with {record['parameters'] / 1e6:.1f} million "
        f"parameters, teacher `{record['teacher']['name']}`. {data['train']} training, {data['id']} X_id, "
        f"{data['ood']} X_ood and {data['fewshot']} few-shot images. Seed {record['seed']}, revision "
        f"{record['git_revision']}."
    )
    yield "\n".join(record["report"].splitlines()[1:])
    yield "![Training curves](curves.png)\n\n## Results"
    yield (
        "Mean accuracy of the classes, in percent, ± half of the 95% interval over images and classes (bootstrap). "
        "Other seeds are not covered. `chance` is a guess without an image."
    )
    rows = [
        [title, *(_accuracy_cell(record, scores, stage, part) for part in _CELLS)] for stage, title in _STAGES.items()
    ]
    rows.append(["chance", *(f"{100 / n:.1f}" if n else "NA" for n in (seen, unseen, seen + unseen))])
    yield markdown_table(["", *(TITLES[part] for part in _CELLS)], rows)
    yield "## Each class\n\nFew-shot; a star marks classes of Y_ood.\n\n![Accuracy of each class](classes.png)"
    yield (
        "## Images\n\nSome images that the few-shot student names rightly, and some that it does not: up to 6 of each "
        "of X_id, and 12 of X_ood. They do not show how often it is right.\n\n![Images](images.png)"
    )


def _accuracy_cell(record: Record, scores: Scores, stage: str, part: str) -> str:
    """Return the accuracy of a stage for a part, in percent, with its interval."""
    value = number_at(record, f"{stage}.{part}.accuracy")
    if value is None or (stage, part) not in scores.places:
        return ""
    found = scores.cell(stage, part).with_positives().bootstrap().estimate("", "recall")
    return estimate_cell(found and found._replace(mean=value))


def _gallery(scores: Scores, folder: Path) -> Gallery:
    """Return a card for each example image, with what each stage answers."""
    cells = {place: scores.cell(*place) for place in scores.places}
    cards = []
    for path in sorted((folder / EXAMPLES).glob("*.jpg")):
        rows, _, number = path.stem.partition("_")
        items = []
        for (stage, part), cell in cells.items():
            if (part == "id") == (rows == "id"):
                name, answer = (cell.labels[int(of[int(number)].argmax())] for of in (cell.targets, cell.predicted))
                verdict: Tone = "right" if name == answer else "wrong"
                facets = {"class": name, "asked": TITLES[part], "answer": verdict, "stage": _STAGES[stage]}
                items.append(Item(f"{_STAGES[stage]}, {TITLES[part]}: {answer}", facets, tone=verdict))
        title = cells[FEW_SHOT, rows].items[int(number)]
        cards.append(Card(title, Media("image/jpeg", path.read_bytes()), items))
    return Gallery(cards, small=True)

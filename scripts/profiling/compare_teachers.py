"""Which of two pocket teachers names more views of instances of kinds: a difference that is paired over kinds.

Takes views that neither of them was trained on:

    pickclutter render-object-views objects=kinds first_seed=1400000 instances=4 views_per_object=3 random_objects=0 \
        size=112 seed=1 out=runs/kinds_compared
    python scripts/profiling/compare_teachers.py runs/kinds_compared pocket runs/teacher/teacher

Each view is classified among the names of all kinds that the views show, as on a teacher's model card. A teacher is the
name of an embedded one, or a folder that `train-teacher` exported. Prints CSV; intervals are over kinds.
"""

from __future__ import annotations

import argparse
import csv
import sys

import numpy as np

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.teacher_training.encoded_views import EncodedViews, clusters_of
from pickclutter_lang.teacher_training.provenance import check_held_out_instances
from pickclutter_lang.teachers.pocket import EMBEDDED, PocketTeacher, load_pocket_teacher
from pickclutter_lang.utils.statistics import clustered_difference, clustered_interval
from pickclutter_lang.utils.words import with_article

HEADER = ("teacher", "weights", "kinds", "views", "top-1, %", "minus the first, points")


def hits_of(teacher: PocketTeacher, store: ObjectViewDataset) -> dict[str, list[bool]]:
    """Return for each kind whether its name fits each of its views best among the names of all kinds shown."""
    views = EncodedViews.of(teacher, store)
    names = sorted({item.name for item in views.objects})
    texts = teacher.encode_text([f"a photo of {with_article(name)}" for name in names])
    predicted = (views.features @ texts.T).argmax(dim=1).tolist()
    true = [item.name for item in views.objects]
    return clusters_of(true, (names[best] == name for best, name in zip(predicted, true, strict=True)))


def percent(value: float, interval: tuple[float, float] | None, sign: str = "") -> str:
    """Return a fraction in percent with its interval, if there is one."""
    ends = f" ({100 * interval[0]:{sign}.1f} to {100 * interval[1]:{sign}.1f})" if interval else ""
    return f"{100 * value:{sign}.1f}{ends}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("views", help="folder of the views")
    parser.add_argument("first", help="an embedded teacher, or a folder that train-teacher exported")
    parser.add_argument("second", help="the teacher that is compared with it")
    options = parser.parse_args()
    store = ObjectViewDataset.open(options.views)
    if any("kind" not in row for row in store.objects):
        sys.exit("error: expected views of instances of kinds; render them with objects=kinds random_objects=0")
    try:
        check_held_out_instances(store, options.views)
    except InvalidArgumentError as error:
        sys.exit(f"error: {error}")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    before: list[list[bool]] | None = None
    for name in (options.first, options.second):
        teacher = load_pocket_teacher(name=name) if name in EMBEDDED else load_pocket_teacher(name)
        hits = [*hits_of(teacher, store).values()]
        difference = "" if before is None else percent(*clustered_difference(hits, before), "+")
        top1 = percent(float(np.mean(np.concatenate(hits))), clustered_interval(hits))
        writer.writerow((name, teacher.fingerprint[:8], len(hits), sum(map(len, hits)), top1, difference))
        before = hits


if __name__ == "__main__":
    main()

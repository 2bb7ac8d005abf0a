"""Measure the guard where a model takes one thing for another each time, not at random: writes confusion.csv.

    PYTHONPATH=scripts:docs/results/data/labels python docs/results/data/labels/confusion.py WORK YCB_ROOT

WORK has the store `ycb` of README.md. The labels are the recorded ones of 25 looks. The names whose mean keys are most
alike make pairs, and no name is in two of them. In 1, 3 and 5 pairs each label of the first name becomes the second.
"""

import sys
from pathlib import Path

import numpy as np
from measure import SEEDS, Named, counts_of, memory_of, named_in, piles_of, stored, write

from pickclutter_lang.labeling.large_model import with_synonyms
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime

HERE = Path(__file__).parent


def alike(found: list[Named], count: int) -> dict[str, str]:
    """Return the most similar pairs of names, each of which was named twice or more."""
    rows = [one for one in found if one.named is not None]
    names = sorted({str(one.named) for one in rows if sum(other.named == one.named for other in rows) > 1})
    means = np.stack([np.mean([one.key for one in rows if one.named == name], axis=0) for name in names])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    similar = np.tril(means @ means.T, -1)
    pairs: dict[str, str] = {}
    for place in np.argsort(-similar, axis=None):
        first, second = (names[k] for k in np.unravel_index(place, similar.shape))
        if not {first, second} & {*pairs, *pairs.values()} and len(pairs) < count:
            pairs[first] = second
    return pairs


def main(work: Path, ycb: str) -> None:
    """Write the counts of each name."""
    student = StudentRuntime.load("open")
    found: list[Named] = []
    for look, image, masks, _, known in piles_of("ycb", SEEDS["ycb"], ycb):
        found += named_in(student, look, image, masks, with_synonyms(known))
    names, piles = stored(work / "ycb", student)
    rows = []
    for count in (1, 3, 5):
        pairs = alike(found, count)
        print(pairs, flush=True)
        confused = [one._replace(named=pairs.get(str(one.named), one.named)) for one in found]
        for guard in (True, False):
            student.examples, did = memory_of(confused, names, guard=guard)
            print(guard, did, flush=True)
            title = f"guard {guard}, {count} names taken for others {did}"
            rows += [
                ("ycb", title, name, *of) for name, of in counts_of(StudentDetector(student), piles, names).items()
            ]
    write(HERE / "confusion.csv", "piles policy name visible pointed called_absent absent refused", rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

"""How well an embedded teacher reads words that it does not know, measured with words that are hidden from it.

Takes views of held-out instances of kinds:

    pickclutter render-object-views objects=kinds instances=4 first_seed=1300000 views_per_object=2 random_objects=0 \
        random_lights=true size=160 out=runs/kind_views
    python scripts/profiling/hidden_words.py runs/kind_views

Each kind whose name is one token has its embedding hidden in turn, and views of it are classified among the names of
all kinds:

- `trained`: with its embedding
- `neighbors`: with that of the nearest words of captions, without all words of its name and synonyms
- `without categories`: the words of its categories are left out too
- `any word`: with the embedding of a random word of captions
- `none`: without one

Needs the extra `sentence`. Prints CSV.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.clip_words import word_tokens
from pickclutter_lang.objects.kinds import Kind, all_kinds
from pickclutter_lang.teacher_training.encoded_views import EncodedViews
from pickclutter_lang.teacher_training.nearest_words import NearestWords
from pickclutter_lang.teacher_training.provenance import check_held_out_instances
from pickclutter_lang.teachers.pocket import EMBEDDED, PocketTeacher, load_pocket_teacher
from pickclutter_lang.teachers.zero_shot import PHOTO_TEMPLATE
from pickclutter_lang.utils.statistics import clustered_interval

_BEST = 10
Ranks = NDArray[np.int64]


def ranks_of(teacher: PocketTeacher, views: EncodedViews, kinds: Sequence[Kind], name: str) -> Ranks:
    """Return for each view of a kind how many other names fit better than its own."""
    texts = teacher.encode_text([PHOTO_TEMPLATE.format(label=kind.name) for kind in kinds])
    own = [n for n, item in enumerate(views.objects) if item.name == name]
    scores = views.features[own] @ texts.T
    at = [kind.name for kind in kinds].index(name)
    return np.asarray((scores > scores[:, at : at + 1]).sum(dim=1))


@contextmanager
def hidden(teacher: PocketTeacher, token: int) -> Iterator[None]:
    """Set a token's embedding to zeros for a while."""
    table = teacher.model.token_embedding.weight.data
    before = table[token].clone()
    table[token] = 0
    try:
        yield
    finally:
        table[token] = before


def measure(teacher: PocketTeacher, views: EncodedViews, kinds: Sequence[Kind], half: int) -> dict[str, list[Ranks]]:
    """Return the ranks of the views of each kind of a half that the teacher knows, by what its name is taken for."""
    nearest, tokens = NearestWords(), word_tokens()
    table = teacher.model.token_embedding.weight.data
    known = [kind for kind in kinds if kind.name in tokens and bool(table[tokens[kind.name]].any())]
    found: dict[str, list[Ranks]] = {
        "trained": [],
        "neighbors": [],
        "without categories": [],
        "any word": [],
        "none": [],
    }
    for n, kind in enumerate(known[half::2]):
        name, own = kind.name, _words((kind.name, *kind.synonyms))
        others = [word for word in nearest.words if word not in own and bool(table[tokens[word]].any())]
        other = np.random.default_rng([half, n]).choice(others)
        listed = {
            "neighbors": nearest([name], own),
            "without categories": nearest([name], own | _words(kind.hypernyms)),
            "any word": nearest([name], {word for word in nearest.words if word != other}),
        }
        found["trained"].append(ranks_of(teacher, views, kinds, name))
        with hidden(teacher, tokens[name]):
            for key, of_name in listed.items():
                found[key].append(ranks_of(teacher.with_neighbors(listed=of_name), views, kinds, name))
            found["none"].append(ranks_of(teacher, views, kinds, name))
    return found


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in text.split()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("views", help="folder of the views")
    parser.add_argument("--teacher", default="pocket", choices=list(EMBEDDED), help="the embedded teacher")
    parser.add_argument(
        "--half", type=int, default=1, choices=(0, 1), help="which of every two such kinds; 0 was tuned on"
    )
    options = parser.parse_args()
    teacher = load_pocket_teacher(name=options.teacher)
    store = ObjectViewDataset.open(options.views)
    try:
        check_held_out_instances(store, options.views)
    except InvalidArgumentError as error:
        sys.exit(f"error: {error}")
    views = EncodedViews.of(teacher, store)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("taken for", "kinds", "views", "names", "top-1, %", f"among the best {_BEST}, %"))
    kinds = all_kinds()
    for key, ranks in measure(teacher, views, kinds, options.half).items():
        cells = []
        for least in (1, _BEST):
            hits = [(of_kind < least).tolist() for of_kind in ranks]
            interval = clustered_interval(hits)
            ends = f" ({100 * interval[0]:.0f} to {100 * interval[1]:.0f})" if interval else ""
            cells.append(f"{100 * np.mean(np.concatenate(hits)):.1f}{ends}")
        writer.writerow((key, len(ranks), sum(map(len, ranks)), len(kinds), *cells))


if __name__ == "__main__":
    main()

"""What a student's map says of a name: whether it is in the image, and in which segment, against other names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import log_expit

from pickclutter_lang.datasets.transforms.resampling import segment_means
from pickclutter_lang.policy.evidence import LogOdds, log_odds_of
from pickclutter_lang.policy.observations import upsample_to_image
from pickclutter_lang.policy.queries import Query
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View

_UNSEEN = -20.0
"""Log odds of a segment outside of the student's field."""
OF_SEGMENT = 0.2
"""Weight of what the map says of a segment, beside the image; chosen on piles of kinds."""
_BESIDE_EXAMPLES = 0.3
"""Weight beside one example; beside n examples a share of 1 / n is left."""
_ENOUGH_EXAMPLES = 5
"""Examples of a name beside which its text is not asked: it would change the log odds by 0.24 at most."""
_MOST_BESIDE_EXAMPLES = 4.0
"""The most that a text may say of what was taught."""


class Text:
    """The student's scores of names, by their texts.

    The whole image says whether a name is there: the log odds of its score, less those of the folder's threshold. The
    segment that the attention points to, and that is least of the rivals, is it.

    A color by itself, "the red one", competes with the likeliest other color in each segment instead. Where there is no
    segment it is a name like any other.

    Beside examples a text weighs less with each of them, and nothing from the fifth on, which takes less time. What was
    taught and has no threshold is not asked for.
    """

    def __init__(self, student: StudentRuntime) -> None:
        self.student = student

    def __call__(self, view: View, queries: Sequence[Query]) -> LogOdds:
        """Return what the student's map says; see `Evidence`."""
        said = LogOdds.nothing(view, queries)
        known = self.student.config.names
        memory = self.student.examples
        asked = {
            n: query
            for n, query in enumerate(queries)
            if not query.by_itself or (query.name in known and memory.count(query.name) < _ENOUGH_EXAMPLES)
        }
        if not asked:
            return said
        texts = list(dict.fromkeys(t for query in asked.values() for t in (*query.texts, *query.rivals)))
        features = self.student.networks.encode_names(texts)
        output = self.student.networks.score(self.student.preprocess(view.observation), features)
        row_of = {text: row for row, text in enumerate(texts)}
        odds, heat = (
            segment_means(maps, view.seen, int(view.parts.max()) + 1)[:, view.numbers]
            for maps in (output.cell_logits, output.attention)
        )
        for n, query in asked.items():
            own, rivals = ([row_of[text] for text in group] for group in (query.texts, query.rivals))
            margin = np.nan_to_num(odds[own].max(axis=0) - odds[rivals].max(axis=0, initial=_UNSEEN), nan=_UNSEEN)
            if query.color and view.segmented and len(view.numbers):
                said.segments[n] = margin
                continue
            threshold = self.student.thresholds.of(query.name)
            image = log_odds_of(float(output.scores[own[0]])) - log_odds_of(threshold)
            if query.by_itself:
                weight = _BESIDE_EXAMPLES / memory.count(query.name)
                said.image[n] = weight * np.clip(image, -_MOST_BESIDE_EXAMPLES, _MOST_BESIDE_EXAMPLES)
                continue
            said.image[n] = image
            pointed = np.log(np.nan_to_num(heat[own[0]]) + 1e-12) + log_expit(margin)
            said.segments[n] = OF_SEGMENT * (pointed - pointed.max(initial=-np.inf))
        if view.segmented and len(view.numbers):
            return said
        maps = np.zeros((len(queries), *view.parts.shape))
        rows = [row_of[query.texts[0]] for query in asked.values()]
        maps[list(asked)] = upsample_to_image(output.attention[rows], len(view.seen), len(view.parts))
        return said._replace(maps=maps)

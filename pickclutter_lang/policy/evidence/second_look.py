"""A second look at each segment: its crop, of the object alone, beside the texts of names.

A student sees the whole image at once, and small. The crop encoder of the embedded teacher sees one object at a time,
in the space of the very texts that a student of this teacher has. So a second look needs no further network.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from pickclutter_lang.policy.evidence import LogOdds, log_odds_of, weigh_crops
from pickclutter_lang.policy.queries import Query
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View

_SCALE = 20.0
"""Sharpness of cosines; chosen on piles of kinds."""


class SecondLook:
    """The crop of each segment beside the texts of names: most of the name, and least of its rivals.

    It says nothing of a color by itself, of a name without rivals, and of what was taught; nor in a photo.
    """

    def __init__(self, student: StudentRuntime) -> None:
        self.student = student

    def __call__(self, view: View, queries: Sequence[Query]) -> LogOdds:
        """Return what crops say of names; see `Evidence`."""
        said = LogOdds.nothing(view, queries)
        looked = {n: q for n, q in enumerate(queries) if q.rivals and not q.color and not q.by_itself}
        if not view.with_depth or not looked:
            return said
        thresholds = self.student.thresholds
        texts = list(dict.fromkeys(t for query in looked.values() for t in (*query.texts, *query.rivals)))
        row_of = {text: row for row, text in enumerate(texts)}
        positive = self.student.networks.encode_names(texts).positive
        cosines = _SCALE * (view.teacher_features.astype(np.float64) @ positive.T)
        for n, query in looked.items():
            own, rivals = ([row_of[text] for text in group] for group in (query.texts, query.rivals))
            odds = cosines[:, own].max(axis=1) - logsumexp(cosines[:, rivals], axis=1)
            said.segments[n] = weigh_crops(odds)
            # The score of text and crops together has a threshold of its own.
            said.image[n] = log_odds_of(thresholds.of(query.name)) - log_odds_of(thresholds.second_look or 0.0)
        return said

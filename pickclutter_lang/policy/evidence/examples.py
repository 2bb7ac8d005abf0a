"""What examples say: each segment beside what the policy was shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pickclutter_lang.policy.evidence import LogOdds
from pickclutter_lang.policy.example_memory import crop_metric
from pickclutter_lang.policy.queries import Query
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View

_NOTHING_LIES = -50.0
"""Log odds of what was taught where no segment is."""
_DOUBT = 1.5
_MOST_TURNED = 6
"""Log odds of a name's best segment below which it is seen turned, and most such segments of a view."""


class Examples:
    """The memory of what was shown: a segment is like the examples of a name, and not like others.

    A name's best segment that is in doubt is seen from four sides, by quarter turns of its crop, as examples are. For
    the others that changes no decision.

    For "red mug" and "fruit" the examples of a mug or a lemon only count in favor: another one may be meant.
    """

    def __init__(self, student: StudentRuntime) -> None:
        self.student = student

    def __call__(self, view: View, queries: Sequence[Query]) -> LogOdds:
        """Return what examples say of names; see `Evidence`."""
        said = LogOdds.nothing(view, queries)
        asked = {n: query for n, query in enumerate(queries) if query.taught}
        if not len(view.numbers):
            said.image[[n for n, query in asked.items() if query.by_itself]] = _NOTHING_LIES
            return said
        if not asked:
            return said
        memory = self.student.examples
        odds = memory.log_odds(view.keys, crop_metric())
        columns = sorted({memory.taught.index(name) for query in asked.values() for name in query.taught})
        best = odds[:, columns].argmax(axis=0)
        doubts = abs(odds[best, columns])
        order = np.argsort(doubts)
        turned = list(dict.fromkeys(best[order][doubts[order] < _DOUBT].tolist()))[:_MOST_TURNED]
        if turned:
            odds[turned] = memory.log_odds(view.turned_keys(turned), crop_metric())
        for n, query in asked.items():
            of_names = odds[:, [memory.taught.index(name) for name in query.taught]].max(axis=1)
            said.segments[n] = of_names if query.by_itself else np.maximum(of_names, 0.0)
        return said

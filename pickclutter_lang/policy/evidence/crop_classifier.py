"""What the crop classifier says: a second student that names single objects, by their crops."""

from __future__ import annotations

from collections.abc import Sequence

from pickclutter_lang.policy.evidence import LogOdds, log_odds_of, weigh_crops
from pickclutter_lang.policy.queries import Query
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View


class CropClassifier:
    """The crop of each segment against the other names of the folder.

    It says nothing of a new name and of what was taught; nor in a photo.
    """

    def __init__(self, student: StudentRuntime) -> None:
        self.student = student

    def __call__(self, view: View, queries: Sequence[Query]) -> LogOdds:
        """Return what the classifier says of names; see `Evidence`."""
        said = LogOdds.nothing(view, queries)
        names = self.student.config.names
        known = {n: query.name for n, query in enumerate(queries) if query.name in names and not query.by_itself}
        if not view.with_depth or not known or not len(view.numbers):
            return said
        odds = self.student.classify_crops(view.rgb, [view.mask(segment) for segment in range(len(view.numbers))])
        thresholds = self.student.thresholds
        together = thresholds.crop_classifier or {}
        for n, name in known.items():
            said.segments[n] = weigh_crops(odds[:, names.index(name)])
            # The score of text and crops together has a threshold of its own.
            said.image[n] = log_odds_of(thresholds.of(name)) - log_odds_of(together.get(name, thresholds.default))
        return said

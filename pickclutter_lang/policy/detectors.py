"""Target detectors: whether the named object is present, and its mask; of a student, and two that bound it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import color_alone
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.policy.evidence import Evidence
from pickclutter_lang.policy.evidence.crop_classifier import CropClassifier
from pickclutter_lang.policy.evidence.examples import Examples
from pickclutter_lang.policy.evidence.second_look import SecondLook
from pickclutter_lang.policy.evidence.text import Text
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.queries import Query, query_of
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View
from pickclutter_lang.utils.typing import FloatArray

THRESHOLD = 0.5
"""Score from which a name is predicted present: log odds of 0."""
_OF_CAMERA = -0.8
"""Log odds of every name in a frame of a real camera: all constants are of renders, and say yes too often there."""


class Detection(NamedTuple):
    """A detector's answer for a name: its score, the score from which it is predicted present, and where it is.

    `mask`, bool [H, W], is the object in the hand camera's image. `heatmap`, [H, W], says where it may be, with the
    sum 1: by the probability of each segment, or by the student's attention where there is none.
    """

    score: float
    threshold: float
    mask: NDArray[np.bool_]
    heatmap: NDArray[np.float64]

    @property
    def margin(self) -> float:
        """Score minus threshold; below 0 where the object is predicted absent."""
        return self.score - self.threshold


class TargetDetector(Protocol):
    """Detects a named object in an observation of `FlatObservation`."""

    @property
    def names(self) -> Sequence[str]:
        """Names that it knows; others are allowed too."""
        ...

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect the object of a name."""
        ...


class StudentDetector:
    """A student: what its evidence says of each segment is added up, and the best segment is compared with a threshold.

    Evidence is what its map says of a name's text, a second look at crops or a crop classifier, if it has one, and
    examples of what it was shown; see `policy.evidence`.
    """

    def __init__(self, student: StudentRuntime, threshold: float = THRESHOLD) -> None:
        """Take a student of the hand camera.

        :param threshold: score from which an object is predicted present; 0: always
        :raises InvalidArgumentError: for one that takes the base camera too: its attention is not of one image
        """
        if student.config.cameras != ("hand",):
            raise InvalidArgumentError(
                f"expected a student of only the hand camera, so that its map lies on that image, but got one of "
                f"{', '.join(student.config.cameras)}; distill one with data=hand_rgb or data=hand_rgbd"
            )
        self.student = student
        self._threshold = threshold
        self.evidence: list[Evidence] = [Text(student), Examples(student)]
        if student.looks_twice:
            self.evidence.append(SecondLook(student))
        if student.config.object_crop_size is not None:
            self.evidence.append(CropClassifier(student))

    @property
    def names(self) -> Sequence[str]:
        """What it was taught, and names whose text features are known, without phrases of a color by itself."""
        known = [name for name in self.student.names if name in self.student.config.names or not color_alone(name)]
        return list(dict.fromkeys([*self.student.examples.taught, *known]))

    def query(self, name: str) -> Query:
        """Return what a name means to the policy, spelled as it was taught: "the Mug" too."""
        memory = self.student.examples
        spelled = memory.spelled(name)
        plain = spelled if spelled in memory.taught else name.strip()
        return query_of(plain, self.student.config.names, memory.taught)

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect the object of a name; a new name is encoded by the teacher's text tower."""
        return self.detect(observation, [name])[0]

    def detect(self, observation: Frame | Mapping[str, Any], names: Sequence[str]) -> list[Detection]:
        """Detect the objects of several names in one observation, or in a frame, of any size.

        The student sees it as small as it takes images, and examples are compared with crops of all pixels.

        :raises PickClutterError: what `View.of_observation` and `StudentRuntime.predict` raise
        """
        return self.decide(View.of_observation(self.student, observation), names)

    def detect_without_depth(self, rgb: NDArray[np.uint8], names: Sequence[str]) -> list[Detection]:
        """Detect the objects of several names in a photo [S, S, 3] that fills the student's view.

        On a plain ground its objects are told apart. On another one the whole image decides: masks are empty.

        :raises PickClutterError: what `View.of_photo` and `StudentRuntime.predict` raise
        """
        return self.decide(View.of_photo(self.student, rgb), names)

    def note_on_photo(self, rgb: NDArray[np.uint8], names: Sequence[str]) -> str | None:
        """Return a sentence on the names that were taught, and with which the whole photo is compared; else None."""
        compared = [name for name in names if self.query(name).taught]
        if not compared or View.of_photo(self.student, rgb).segmented:
            return None
        return (
            "The image's ground has many colors, so no object is cut out: with what was shown the whole image is "
            f"compared, for {', '.join(compared)}. Cut out a square around one object, or take a plain ground."
        )

    def decide(self, view: View, names: Sequence[str]) -> list[Detection]:
        """Add up what the evidence says of each name in a view, and take the best segment."""
        queries = [self.query(name) for name in names]
        said = [evidence(view, queries) for evidence in self.evidence]
        image = np.sum([one.image for one in said], axis=0) + (_OF_CAMERA if view.of_camera else 0.0)
        segments = image[:, None] + np.sum([one.segments for one in said], axis=0)
        if view.with_depth or (view.segmented and len(view.numbers)):
            return [self._of_segments(view, expit(of_name)) for of_name in segments]
        log_odds = segments.max(axis=1, initial=-np.inf) if len(view.numbers) else image
        nowhere = np.zeros(view.rgb.shape[:2], bool)
        blank = np.zeros((len(names), *view.parts.shape))
        maps = next((one.maps for one in said if one.maps is not None), blank)
        return [
            Detection(score, self._threshold, nowhere, of_name / max(of_name.sum(), 1e-12))
            for score, of_name in zip(expit(log_odds).tolist(), maps, strict=True)
        ]

    def _of_segments(self, view: View, scores: FloatArray) -> Detection:
        """Return the detection of the best segment by the scores [n] of all; none where nothing lies."""
        by_number = np.zeros(int(view.parts.max()) + 1)
        by_number[view.numbers] = scores
        heatmap = view.enlarged(by_number[view.parts])
        if len(scores):
            mask = view.mask(int(scores.argmax()))
            score = float(scores.max())
        else:
            mask = np.zeros(heatmap.shape, bool)
            score = 0.0
        return Detection(score, self._threshold, mask, heatmap / max(heatmap.sum(), 1e-12))


class OracleDetector:
    """Ground-truth segmentation of the simulator, an upper bound: `FlatObservation(env, mask=True)` gives it.

    Margins of all observations of an episode are added. A visible object counts three times as much as a hidden one,
    so that an object that is visible first and hidden later is not predicted absent.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        """Take names that are read in an instruction as they are; any other name is as good."""
        self.names = names

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Return the pixels of the environment's target, whatever the name.

        :raises InvalidArgumentError: for an observation without the mask
        """
        if "mask" not in observation:
            raise InvalidArgumentError("expected the simulator's mask; wrap with FlatObservation(env, mask=True)")
        mask = np.asarray(observation["mask"], bool)
        return Detection(float(mask.any()), 0.25, mask, mask / max(int(mask.sum()), 1))


class RandomDetector:
    """Any segment, a lower bound; the same for the same image and name. It always predicts that the object is there."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        """Take names that are read in an instruction as they are; any other name is as good."""
        self.names = names

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Choose a segment."""
        segments = segment_observation(observation)
        rgb = np.ascontiguousarray(observation["hand_rgb"])
        rng = np.random.default_rng([zlib.crc32(rgb.tobytes()), zlib.crc32(name.encode())])
        mask = (segments == rng.integers(1, max(int(segments.max()), 1) + 1)) & (segments > 0)
        return Detection(1.0, 0.5, mask, mask / max(int(mask.sum()), 1))

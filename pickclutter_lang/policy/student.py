"""A student in use: frames of cameras and names in, scores and maps out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.evaluation.finished import check_names
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.policy.folder import CLOSE_UPS_PREFIX, PROMPTS_PREFIX, PolicyCard, read_policy, teacher_of
from pickclutter_lang.students.closeup import CloseUpStudent
from pickclutter_lang.training import TrainSettings
from pickclutter_lang.training.crops import square_around
from pickclutter_lang.training.cutouts import windows_around
from pickclutter_lang.training.labels import ClosedSet, PromptedLabels, build_labels
from pickclutter_lang.training.model import Scorer, normalise_rgb
from pickclutter_lang.training.pictures import show_pictures
from pickclutter_lang.training.windows import cut_labels, cut_rgb

_FIRST_CALLS = 3
"""After so many a traced network is compiled."""
Frame = Mapping[tuple[str, str], NDArray[Any]]
"""(camera, kind) -> a picture: `rgb` uint8 [H, W, 3], `depth` float32 [H, W] or [H, W, 1] in metres (0 = nothing)."""


class Look(NamedTuple):
    """Scores [C] in 0..1 of C names, where each is seen: maps [C, h, w] with sum 1 each, and odds [C, h, w]: the
    logarithm of the odds that each cell alone gives it.
    """

    scores: NDArray[np.float32]
    maps: NDArray[np.float32]
    odds: NDArray[np.float32]


class _LocalFeatures(nn.Module):
    """A scorer's network as a module from pictures to local features."""

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        self.scorer = scorer

    def forward(self, images: Tensor) -> Tensor:
        """Return local features [N, D, h, w] of pictures [N, K, S, S]."""
        return self.scorer.features(images).local


class GraspabilityStudent:
    """An exported student on the CPU; made by `load`.

    Names of the folder need no teacher. Others are encoded, without a description, by the text tower of the teacher
    that the student was distilled from, which is loaded at the first of them; each is encoded once. The weights are
    frozen at the first look, and close-ups' at the first of them: what is loaded into `scorer` later does not count.
    """

    def __init__(
        self, card: PolicyCard, settings: TrainSettings, weights: Mapping[str, Tensor], text: PromptFeatures
    ) -> None:
        """Build the network; `load` is the usual way.

        :raises CheckpointError: when the weights do not fit the settings
        """
        self.card, self.settings = card, settings
        self._contexts = {
            name.removeprefix(PROMPTS_PREFIX): value
            for name, value in weights.items()
            if name.startswith(PROMPTS_PREFIX)
        }
        self._text = {name: (text.positive[n], text.negative[n]) for n, name in enumerate(card.names)}  # type: ignore[index]
        empty = replace(settings, student=replace(settings.student, pretrained=False))  # its weights are here
        self.scorer = Scorer(empty, text.positive.shape[1])
        self._closeups = (
            None
            if card.closeups is None
            else CloseUpStudent(Scorer(empty, text.positive.shape[1]).student, len(card.names))
        )
        own = {
            name: value for name, value in weights.items() if not name.startswith((PROMPTS_PREFIX, CLOSE_UPS_PREFIX))
        }
        closer = {
            name.removeprefix(CLOSE_UPS_PREFIX): v for name, v in weights.items() if name.startswith(CLOSE_UPS_PREFIX)
        }
        try:
            self.scorer.load_state_dict(own)
            if self._closeups is not None:
                self._closeups.load_state_dict(closer)
        except RuntimeError as error:
            raise CheckpointError(
                f"expected weights of the student that policy.json describes, but: {error}"
            ) from error
        self.scorer.eval().requires_grad_(False)
        if self._closeups is not None:
            self._closeups.eval().requires_grad_(False)
            self._closeups.mixed = self.scorer.mixed
        kinds = ("rgb", "depth") if settings.data.depth else ("rgb",)
        self.pictures = [(camera, kind) for camera in settings.data.cameras for kind in kinds]
        """(camera, kind) of each picture that it looks at."""

    @classmethod
    def load(cls, folder: str | Path) -> GraspabilityStudent:
        """Open what `export_policy` wrote.

        :raises CheckpointError: when it is not there, damaged, or of another schema
        """
        return cls(*read_policy(folder))

    @property
    def names(self) -> list[str]:
        """Names that it knows the texts of: those of its folder, then those that were asked for since."""
        return list(self._text)

    @property
    def map_size(self) -> int:
        """Side h = w of its maps."""
        with torch.no_grad():
            return int(self._network(self._blank).shape[-1])

    def threshold(self, name: str) -> float:
        """Return the score from which an object counts as there: its own threshold, or the one for all names."""
        return self.card.thresholds.get(name, self.card.threshold)

    @torch.no_grad()
    def look(self, frame: Frame, names: Sequence[str]) -> Look:
        """Score names on what the cameras show.

        :param frame: has all of `pictures`, each with a side of `card.camera_size` pixels
        :param names: C names; new ones are encoded
        :raises InvalidArgumentError: for a picture that is missing or of another size, or a wrong name
        :raises TeacherError: when a name is new, and the teacher is not there or another one
        """
        text = self.text(names)
        scored = self.scorer.aggregation(self._network(self.prepare(frame)).float(), text.positive, text.negative)
        return Look(scored.probabilities[0].numpy(), scored.maps[0].numpy(), scored.odds[0].numpy())

    @torch.no_grad()
    def close_up(self, rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the logarithms [C] of the odds that an object is rather called by a name of `card.names` than by any
        other of them.

        :param rgb: [S, S, 3], of the hand camera
        :param mask: [S, S], where the object is, not empty
        :raises InvalidArgumentError: for a student without close-ups
        """
        network, size = self._closer
        window = windows_around(np.array([square_around(mask)]))
        picture = cut_rgb(np.asarray(rgb)[None], window, size)
        own = cut_labels(mask[None].astype(np.uint8), window, size)
        logits = network(normalise_rgb(picture), own.float())[0].double()
        others = logits.repeat(len(logits), 1).fill_diagonal_(-torch.inf).logsumexp(dim=1)
        odds: NDArray[np.float64] = (logits - others).numpy()
        return odds

    def prepare(self, frame: Frame) -> Tensor:
        """Return what the student sees of a frame, float32 [1, K, S, S].

        :raises InvalidArgumentError: for a picture that is missing or of another size
        """
        side, stored = self.card.camera_size, {}
        for camera, kind in self.pictures:
            if (camera, kind) not in frame:
                there = ", ".join(f"{k} of {c}" for c, k in frame) or "nothing"
                raise InvalidArgumentError(
                    f"expected {kind} of the {camera} camera, but the frame has {there}; make the environment with "
                    "obs_mode='rgbd', and not with base_camera=False for the base camera's"
                )
            stored[camera, kind] = _checked(np.asarray(frame[camera, kind]), camera, kind, side)[None]
        data = self.settings.data
        return show_pictures(stored, data.view or side, data.image_size)

    def text(self, names: Sequence[str]) -> PromptFeatures:
        """Return the text features [C, D] of names.

        :raises InvalidArgumentError, UnknownObjectError, TeacherError: for a name that cannot be encoded
        """
        wanted = check_names(names)
        new = [name for name in wanted if name not in self._text]
        if new:
            found = self._encode(new)
            self._text |= {name: (found.positive[n], found.negative[n]) for n, name in enumerate(new)}  # type: ignore[index]
        positive, negative = zip(*(self._text[name] for name in wanted), strict=True)
        return PromptFeatures(torch.stack(positive), torch.stack(negative))

    @torch.no_grad()
    def _encode(self, names: Sequence[str]) -> PromptFeatures:
        """Encode names by the learned contexts and the teacher's text tower."""
        return self._prompts.encode(names)

    @property
    def _blank(self) -> Tensor:
        """A picture [1, K, S, S] with nothing on it."""
        size = self.settings.data.image_size
        return torch.zeros(1, self.settings.data.channels, size, size)

    @cached_property
    def _network(self) -> torch.jit.ScriptModule:
        """The network from a picture to local features, frozen."""
        return _frozen(_LocalFeatures(self.scorer), self._blank)

    @cached_property
    def _closer(self) -> tuple[torch.jit.ScriptModule, int]:
        """The network from a cut-out and its mask to logits of the folder's names, frozen, and the cut-out's side."""
        if self._closeups is None or self.card.closeups is None:
            raise InvalidArgumentError("expected a student of close-ups, but this policy has none; train with closeups")
        size = self.card.closeups.size
        return _frozen(self._closeups, torch.zeros(1, 3, size, size), torch.zeros(1, size, size)), size

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is frozen, so that a student can be sent to the processes of vectorised environments."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_network", "_closer")}

    @cached_property
    def _prompts(self) -> PromptedLabels | ClosedSet:
        """The learned contexts before the teacher's text tower, which is loaded for it."""
        plain = replace(self.settings.prompts, descriptions=None, variants=[])  # their files need not be here
        prompts = build_labels(plain, teacher_of(self.card), self.card.names)
        prompts.load_state_dict(self._contexts)
        return prompts.eval()


@torch.no_grad()
def _frozen(network: nn.Module, *blank: Tensor) -> torch.jit.ScriptModule:
    """Trace a network and freeze its weights; that takes about half of its time.

    :param blank: what it may be given, of the only size that it takes then
    """
    with warnings.catch_warnings():
        # Of sizes that are taken for constants: all pictures have one size.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        traced = torch.jit.trace(network.eval(), blank, check_trace=False)  # type: ignore[no-untyped-call]
    frozen: torch.jit.ScriptModule = torch.jit.freeze(traced)
    for _ in range(_FIRST_CALLS):
        frozen(*blank)
    return frozen


def _checked(picture: NDArray[Any], camera: str, kind: str, side: int) -> NDArray[Any]:
    """Return a picture as scene stores hold it: uint8 [S, S, 3], or depth in millimetres, uint16 [S, S].

    :raises InvalidArgumentError: for another size, number of channels or type
    """
    if picture.shape[:2] != (side, side):
        raise InvalidArgumentError(
            f"expected pictures of {side} x {side} pixels of the {camera} camera, but got "
            f"{' x '.join(map(str, picture.shape[:2]))}; make the environment with "
            f"camera_cfgs={{'{camera}_camera': {{'width': {side}, 'height': {side}}}}}"
        )
    if kind == "rgb":
        if picture.shape[2:] != (3,) or picture.dtype != np.uint8:
            raise InvalidArgumentError(
                f"expected rgb of the {camera} camera as uint8 [{side}, {side}, 3], but got {picture.dtype} "
                f"{list(picture.shape)}; leave out an alpha channel, and give 0 to 255"
            )
        return picture
    if picture.shape[2:] not in ((), (1,)) or not np.issubdtype(picture.dtype, np.floating):
        raise InvalidArgumentError(
            f"expected depth of the {camera} camera in metres as floats [{side}, {side}] or [{side}, {side}, 1], but "
            f"got {picture.dtype} {list(picture.shape)}"
        )
    return (picture.reshape(side, side) * 1000).round().clip(0, 65535).astype(np.uint16)

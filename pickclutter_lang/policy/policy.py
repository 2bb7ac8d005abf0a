"""A policy for stable-baselines3's `predict`: someone says whether the object is there and where, the arm picks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import parse_target_name
from pickclutter_lang.manipulation.controllers import hold_action, make_controller
from pickclutter_lang.manipulation.picker_config import DEFAULT_PICKER_CONFIG, PickerConfig
from pickclutter_lang.manipulation.scripted_picker import ScriptedPicker
from pickclutter_lang.policy.detectors import Detection, StudentDetector, TargetDetector
from pickclutter_lang.policy.flat_observation import decode_instruction, unflatten_observation
from pickclutter_lang.policy.runtime import StudentRuntime

DECLARE, CONTINUE = 1.0, -1.0


class EpisodeState:
    """One episode: the name that is asked for, what is said of it, and the arm's script."""

    def __init__(self, detector: TargetDetector, control_mode: str, instruction: str, config: PickerConfig) -> None:
        """Begin."""
        self.instruction = instruction
        self.name = parse_target_name(instruction, detector.names)
        self.detections: list[Detection] = []
        """What was said of the name, each time that it was looked for."""
        self.picker = ScriptedPicker(self._find, control_mode, config)
        self._detector = detector
        self._detected_observation: Mapping[str, Any] | None = None

    @property
    def absent(self) -> bool:
        """Whether the object counts as absent: the scores of all looks for it are below the threshold on average."""
        return sum(detection.margin for detection in self.detections) < 0

    def detect(self, observation: Mapping[str, Any]) -> Detection:
        """Judge the name on what is seen now, each observation once."""
        if observation is not self._detected_observation:
            self.detections.append(self._detector(observation, self.name))
            self._detected_observation = observation
        return self.detections[-1]

    def _find(self, observation: Mapping[str, Any]) -> NDArray[np.bool_]:
        return self.detect(observation).mask


class LanguagePickPolicy:
    """Decides whether the object that the instruction names is there; picks it, or says that it is not.

    Takes observations of `PolicyObservation`, of one environment or of a vectorised one, and returns actions of the
    control mode, with the one more of `DeclareAbsence` at the end. All that it remembers of an episode is in the state
    that `predict` returns, so that one policy may act in many environments. Each `Pick` of a state goes on in place: a
    state is given back once.
    """

    def __init__(
        self,
        detector: TargetDetector,
        control_mode: str = "pd_ee_delta_pose",
        declare: bool = True,
        config: PickerConfig = DEFAULT_PICKER_CONFIG,
    ) -> None:
        """Build a policy; `load` is the usual way.

        :param control_mode: of the environment: `pd_ee_delta_pose` or `pd_joint_delta_pos`
        :param declare: the environment is wrapped in `DeclareAbsence`; otherwise the policy always picks
        :param config: of the scripted picker
        :raises InvalidArgumentError: for another control mode
        """
        make_controller(control_mode)
        self.detector, self.control_mode, self.declare, self.config = detector, control_mode, declare, config

    @classmethod
    def load(
        cls,
        folder: str | Path,
        control_mode: str = "pd_ee_delta_pose",
        declare: bool = True,
        config: PickerConfig = DEFAULT_PICKER_CONFIG,
        trust_code: bool = False,
    ) -> LanguagePickPolicy:
        """Open a folder that `export_policy` wrote.

        :param trust_code: see `load_pretrained`
        :raises CheckpointError: when it is not there, damaged, or of another schema, or names code that is not trusted
        """
        return cls(StudentDetector(StudentRuntime.load(folder, trust_code)), control_mode, declare, config)

    def predict(
        self,
        observation: Mapping[str, NDArray[Any]],
        state: Sequence[EpisodeState] | None = None,
        episode_start: NDArray[np.bool_] | Sequence[bool] | bool | None = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.float32], tuple[EpisodeState, ...]]:
        """Return actions and the new state, as `stable_baselines3`'s `predict` does.

        :param observation: of `PolicyObservation`; with a first axis of n environments, or of one without it
        :param state: what the last call returned; None at the start
        :param episode_start: [n], where a new episode begins; another instruction than before begins one too
        :param deterministic: the policy is so in any case
        :return: actions [n, A] or [A], and one `Pick` for each environment
        :raises InvalidArgumentError: for observations of another form, or an instruction that names nothing known
        """
        if not isinstance(observation, Mapping) or "instruction" not in observation:
            raise InvalidArgumentError(
                "expected an observation of PolicyObservation, but it has no instruction; wrap the environment in "
                "pickclutter_lang.policy.flat_observation.PolicyObservation"
            )
        many = np.ndim(observation["instruction"]) == 2
        count = len(observation["instruction"]) if many else 1
        starts = np.broadcast_to(np.asarray(state is None if episode_start is None else episode_start, bool), (count,))
        picks = list(state) if state is not None else []
        if len(picks) != count and not (state is None or starts.all()):
            raise InvalidArgumentError(f"expected the state of {count} environments, but got that of {len(picks)}")
        actions, after = [], []
        for n in range(count):
            own = {key: value[n] for key, value in observation.items()} if many else observation
            action, pick = self._act(own, None if state is None or starts[n] else picks[n])
            actions.append(action)
            after.append(pick)
        return (np.stack(actions) if many else actions[0]), tuple(after)

    def _act(
        self, flat: Mapping[str, NDArray[Any]], pick: EpisodeState | None
    ) -> tuple[NDArray[np.float32], EpisodeState]:
        seen, instruction = unflatten_observation(flat), decode_instruction(flat["instruction"])
        if pick is None or pick.instruction != instruction:
            pick = EpisodeState(self.detector, self.control_mode, instruction, self.config)
            if self.declare:
                pick.detect(seen)
        action = hold_action(self.control_mode) if self.declare and pick.absent else pick.picker.act(seen)
        if self.declare:
            # After a try that failed the picker looks anew, and may see that nothing is there.
            action = np.append(action, np.float32(DECLARE if pick.absent else CONTINUE))
        return action, pick

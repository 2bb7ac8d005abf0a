"""`Picker`: what moves the arm in an episode, once it is known where the target is. `ScriptedPicker` is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.gripper import GraspCandidates, checked_candidates
from pickclutter_lang.manipulation.kinematics import hold_action
from pickclutter_lang.utils.typing import FloatArray

Observation = Mapping[str, Any]
TargetMaskFn = Callable[[Observation], NDArray[np.bool_]]
"""From an observation to the pixels [H, W] of the target in the hand camera's image."""


class Picker(Protocol):
    """Picks the target of one episode."""

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """Return the next action of the control mode, in [-1, 1]: 7 numbers, or 8 of `pd_joint_delta_pos`."""

    @property
    def done(self) -> bool:
        """Whether nothing is left to do. An evaluation then ends the episode, without the action."""

    @property
    def target(self) -> FloatArray | None:
        """The TCP pose [7] (x y z qw qx qy qz) of the grasp that it goes to; None: it has found none."""

    @property
    def candidates(self) -> GraspCandidates | None:
        """The grasps from which the target was chosen; None: it does not say."""


PickerFactory = Callable[[TargetMaskFn, str], Picker]
"""Makes the picker of an episode, such as its class: from what finds the target, and the control mode."""


def make_picker(factory: PickerFactory, find_target: TargetMaskFn, control_mode: str) -> Picker:
    """Make the picker of an episode.

    :raises InvalidArgumentError: when it is no `Picker`
    """
    made = factory(find_target, control_mode)
    lacking = [name for name in ("act", "done", "target", "candidates") if not hasattr(made, name)]
    if lacking:
        raise InvalidArgumentError(
            f"expected picker to make a pickclutter_lang.manipulation.picker.Picker, but {type(made).__name__} has no "
            f"{', '.join(lacking)}"
        )
    return made


def next_action(picker: Picker, observation: Observation, control_mode: str) -> NDArray[np.float32]:
    """Return the next action of a picker.

    :raises InvalidArgumentError: for an action of another shape or not of finite numbers, or a target that is no pose
    """
    action = np.asarray(picker.act(observation))
    hold = hold_action(control_mode)
    if action.shape != hold.shape or action.dtype.kind not in "fiu" or not np.isfinite(action).all():
        raise InvalidArgumentError(
            f"expected {type(picker).__name__}.act to return {len(hold)} finite numbers, an action of {control_mode}, "
            f"but got {action}"
        )
    if picker.target is not None and np.shape(picker.target) != (7,):
        raise InvalidArgumentError(
            f"expected {type(picker).__name__}.target as a TCP pose [7] or None, but got {picker.target}"
        )
    if picker.candidates is not None:
        checked_candidates(picker.candidates)
    return action.astype(np.float32)

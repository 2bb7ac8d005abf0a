"""The policy, with stable-baselines3's `predict`: a detector finds the named object, a scripted picker picks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import decode_instruction, parse_target_name, read_name
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.manipulation.grasp_proposals import GraspProposer, first_proposals, propose_grasps
from pickclutter_lang.manipulation.gripper import GraspCandidates
from pickclutter_lang.manipulation.kinematics import hold_action, make_controller
from pickclutter_lang.manipulation.picker import PickerFactory, make_picker, next_action
from pickclutter_lang.manipulation.point_cloud import points_of_object
from pickclutter_lang.manipulation.scripted_picker import ScriptedPicker
from pickclutter_lang.objects.object_sets import ObjectSource, own_sources
from pickclutter_lang.policy.detectors import Detection, StudentDetector, TargetDetector
from pickclutter_lang.policy.example_memory import load_examples
from pickclutter_lang.policy.observations import checked_step, checked_view, each_environment
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teaching import add_example, find_example
from pickclutter_lang.policy_folder.folder import policy_folder
from pickclutter_lang.utils.hub_files import pretrained_folder, push_to_hub
from pickclutter_lang.utils.typing import FloatArray

if TYPE_CHECKING:
    from pickclutter_lang.envs.wrappers import FlatObservation
    from pickclutter_lang.labeling.large_model import LargeModel

DECLARE = 1.0
CONTINUE = -1.0


@dataclass(frozen=True)
class Location:
    """Where a named object is in an image with depth, as `LanguagePickPolicy.locate` returns it.

    - `name`; `present`: whether its `score`, in 0..1, reaches the `threshold`
    - `mask`: bool [H, W], its pixels
    - `points`: [N, 3], what is seen of it above the table, in the world, meters
    - `grasps`: of it, the best first; `grasps.pose(0)` is a TCP pose [7] (x y z qw qx qy qz) in the world
    - `camera`: [4, 4], pose of the camera in that world, OpenCV's axes (x right, y down, z forward)
    """

    name: str
    present: bool
    score: float
    threshold: float
    mask: NDArray[np.bool_]
    points: FloatArray
    grasps: GraspCandidates
    camera: FloatArray

    def grasps_in_camera(self) -> GraspCandidates:
        """Return the grasps in the axes of the camera, those of OpenCV and of a ROS optical frame."""
        rotation = self.camera[:3, :3]
        position = self.camera[:3, 3]
        turned = np.asarray(rotation.T @ self.grasps.rotations)
        return replace(self.grasps, positions=(self.grasps.positions - position) @ rotation, rotations=turned)


def location_of(
    view: Mapping[str, Any], name: str, detection: Detection, proposer: GraspProposer = propose_grasps
) -> Location:
    """Return where a detected object is, with its grasps.

    :param view: of `checked_view`
    """
    pose = np.asarray(view["hand_cam2world"], float)
    points, others = points_of_object(view["hand_depth"].astype(float), view["hand_intrinsic"], pose, detection.mask)
    grasps = first_proposals(points, others, np.eye(3), proposer)
    answer = detection.margin >= 0, detection.score, detection.threshold
    return Location(name, *answer, detection.mask, points, grasps, pose @ np.diag([1.0, -1.0, -1.0, 1.0]))


class _Episode:
    """One episode: the target name, its detections, and the picker."""

    def __init__(self, policy: LanguagePickPolicy, instruction: str) -> None:
        self.instruction = instruction
        self.name = parse_target_name(instruction, policy.detector.names)
        self.detections: list[Detection] = []
        self.picker = make_picker(policy.picker, lambda seen: self._detect(seen).mask, policy.control_mode)
        self.steps = 0
        self._policy = policy
        self._detection: Detection | None = None

    def state(self) -> EpisodeState:
        """Return the present state of the episode."""
        picker = self.picker
        return EpisodeState(
            self.instruction,
            self.name,
            tuple(self.detections),
            self.absent,
            picker.done,
            picker.target,
            picker.candidates,
            getattr(picker, "phase", ""),
            self,
            self.steps,
        )

    @property
    def absent(self) -> bool:
        """Whether the object is predicted absent: the mean margin of all detections is below 0."""
        return sum(detection.margin for detection in self.detections) < 0

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return the action for the next observation."""
        self._detection = None
        declare = self._policy.declare
        mode = self._policy.control_mode
        if declare and self.steps == 0:
            self._detect(observation)
        hold = declare and self.absent
        action = hold_action(mode) if hold else next_action(self.picker, observation, mode)
        self.steps += 1
        if declare:
            # After a failed attempt the picker detects again, and the object may be predicted absent from then on.
            action = np.append(action, np.float32(DECLARE if self.absent else CONTINUE))
        return action

    def _detect(self, observation: Mapping[str, Any]) -> Detection:
        """Detect the object, at most once in a step: the picker reuses the detection of the first step."""
        if self._detection is None:
            self._detection = self._policy.detector(observation, self.name)
            self.detections.append(self._detection)
        return self._detection


@dataclass(frozen=True)
class EpisodeState:
    """The state of one episode after a step, as `LanguagePickPolicy.predict` returns it; it never changes.

    - `instruction`, and the target `name` in it
    - `detections`: one before the first action, and one for each further attempt
    - `absent`: whether the object is predicted absent
    - `done`, `target` and `candidates` of the picker, see `pickclutter_lang.manipulation.picker.Picker`
    - `phase`: what the picker says of itself as its attribute `phase`, for films; else empty
    """

    instruction: str
    name: str
    detections: tuple[Detection, ...]
    absent: bool
    done: bool
    target: FloatArray | None
    candidates: GraspCandidates | None
    phase: str
    _episode: _Episode | None = field(repr=False, compare=False)
    _step: int

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what goes on with the episode: a state that was pickled is a record, and cannot be continued."""
        return {**self.__dict__, "_episode": None}


class LanguagePickPolicy:
    """Decides whether the object that the instruction names is there; picks it, or declares it absent.

    Takes observations of `FlatObservation`, of one environment or of a vectorized one, and returns actions of the
    control mode, with the additional one of `DeclareAbsence` at the end. All that it remembers of an episode is in the
    state that `predict` returns, so that one policy may act in many environments. A returned state never changes. Only
    the newest state of an episode can be continued.
    """

    def __init__(
        self,
        detector: TargetDetector,
        control_mode: str = "pd_ee_delta_pose",
        declare: bool = True,
        picker: PickerFactory = ScriptedPicker,
    ) -> None:
        """Build a policy; `load` is the usual way.

        :param control_mode: of the environment: `pd_ee_delta_pose` or `pd_joint_delta_pos`
        :param declare: the environment is wrapped in `DeclareAbsence`; otherwise the policy always picks
        :param picker: makes the picker of each episode; `partial(ScriptedPicker, speed=0.5)` slows the arm
        :raises InvalidArgumentError: for another control mode
        """
        make_controller(control_mode)
        self.detector = detector
        self.control_mode = control_mode
        self.declare = declare
        self.picker = picker

    @classmethod
    def load(
        cls,
        folder: str | Path,
        control_mode: str = "pd_ee_delta_pose",
        declare: bool = True,
        picker: PickerFactory = ScriptedPicker,
        trust_code: bool = False,
        ask: LargeModel | None = None,
        names: Sequence[str] = (),
        max_questions: int | None = None,
        device: str = "cpu",
    ) -> LanguagePickPolicy:
        """Open a folder that `export_policy` or `export_runtime` wrote; the latter needs no torch. `open` is embedded.

        Further arguments are those of the class.

        :param trust_code: see `StudentRuntime.load`, also for `device`
        :param ask: a large model that is asked where the policy is unsure, see `AskingDetector`; None: nobody is
        :param names: what may lie there, for its questions
        :param max_questions: most questions; None: as many as there are doubts
        :raises CheckpointError: when it is not there, damaged, or of another schema, or names code that is not trusted
        """
        student = StudentRuntime.load(folder, trust_code, device=device)
        if ask is None:
            return cls(StudentDetector(student), control_mode, declare, picker)
        from pickclutter_lang.policy.asking import AskingDetector

        return cls(AskingDetector(student, ask, names, max_questions), control_mode, declare, picker)

    @classmethod
    def from_pretrained(
        cls, name_or_path: str | Path, revision: str | None = None, token: str | None = None, **of_load: Any
    ) -> LanguagePickPolicy:
        """Open an embedded policy, `open` or `ycb`, one of the Hugging Face Hub, `owner/name`, or a folder.

        :param of_load: further arguments of `load`
        :raises PickClutterError: what `pretrained_folder` and `load` raise
        """
        from pickclutter_lang.policy.hub import POLICY

        folder = pretrained_folder(policy_folder(name_or_path), POLICY, revision=revision, token=token)
        return cls.load(folder, **of_load)

    def teach(
        self,
        image: Frame | Mapping[str, Any] | NDArray[np.uint8],
        name: str,
        point: Sequence[float] | None = None,
        box: Sequence[float] | None = None,
        mask: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """Show the policy an object: from then on it finds it in any pile by its name. That takes no training.

        :param image: a frame, an observation of `FlatObservation`, or a photo [H, W, 3] of the object: on a plain
            ground, or on any where a point, a box or a mask is given
        :param name: what the object is called from now on; a name that was taught before gets one more example
        :param point: (u, v), column and row of a pixel of the object; needed in a pile
        :param box: (left, top, right, bottom) around it, pixels
        :param mask: bool [H, W], its pixels
        :return: the pixels, bool [H, W], that were taken for the object
        :raises InvalidArgumentError: when no object is there, or several are and nothing says which
        """
        example = find_example(image, point, box, mask)
        add_example(self._student, name, example)
        return example.mask

    def forget(self, name: str) -> None:
        """Take an object that the policy was taught out of its memory.

        :raises UnknownObjectError: for a name that was not taught
        """
        self._student.remember(lambda examples: examples.forget([name]))

    @property
    def taught(self) -> dict[str, int]:
        """The names that the policy was taught, and the number of examples of each."""
        examples = self._student.examples
        return {name: examples.count(name) for name in examples.taught}

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the policy folder again somewhere else, with what it learned since; without names encoded since.

        :param folder: another one, or the one that it was opened from
        :raises CheckpointError: when the folder that it was opened from is gone or was changed
        :raises InvalidArgumentError: when there is none, or a policy in `folder` learned what would be lost
        :raises DatasetError: when the new one cannot be written
        """
        self._student.save(self._folder, folder)

    def push_to_hub(self, repository: str, private: bool = False, **place: Any) -> str:
        """Push the policy folder with a model card to the Hugging Face Hub, and return the commit's address.

        Arguments and errors are `push_to_hub`'s.

        :raises InvalidArgumentError: when there is no folder, or the policy learned since it was opened
        """
        from pickclutter_lang.policy.hub import POLICY

        if self._student.learned() != load_examples(self._folder).files():
            raise InvalidArgumentError("expected what it learned to be in the folder; save_pretrained first, open that")
        return push_to_hub(self._folder, POLICY, repository, private, **place)

    @property
    def _student(self) -> StudentRuntime:
        if not isinstance(self.detector, StudentDetector):
            raise InvalidArgumentError("expected the policy of a student; other detectors cannot be taught")
        return self.detector.student

    @property
    def _folder(self) -> Path:
        if (folder := self._student.folder) is None:
            raise InvalidArgumentError("expected the policy of a policy folder; make one: pickclutter export-policy")
        return folder

    def make_env(self, objects: ObjectSource = "proxy", **env: Any) -> FlatObservation:
        """Return an environment that this policy can act in: its images, its actions, `FlatObservation`.

        :param objects: object set of the piles, or a folder of one's own
        :param env: further arguments of `PickClutterLangEnv`
        :raises PickClutterError: what making the environment raises
        """
        from pickclutter_lang.envs.registration import environment_id, make_single
        from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation

        side = self.detector.student.config.camera_size if isinstance(self.detector, StudentDetector) else 256
        given: dict[str, Any] = {
            "obs_mode": "rgbd",
            "control_mode": self.control_mode,
            "camera_cfgs": {"hand_camera": {"width": side, "height": side}},
            "base_camera": "base_camera" in env.get("camera_cfgs", ()),
        }
        given |= {"objects": list(own)} if (own := own_sources(objects)) else {}
        made = make_single(environment_id(objects), **(given | env))
        return FlatObservation(DeclareAbsence(made) if self.declare else made)

    def locate(self, image: Frame | Mapping[str, Any], name: str, proposer: GraspProposer = propose_grasps) -> Location:
        """Find a named object in one image with depth, of any camera.

        :param image: a frame, or an observation of `FlatObservation`
        :param name: of any object
        :param proposer: proposes its grasps
        :return: an empty mask where nothing stands above the table
        :raises InvalidArgumentError: for an image of another form or unit, a matrix or pose that is none of a camera,
            a frame in which no table is found, a name that cannot be encoded, or one that says where the object is or
            what it is not
        :raises PickClutterError: what encoding a new name raises
        """
        seen = checked_view(image)
        return location_of(seen, name, self.detector(seen, read_name(name, self.detector.names)), proposer)

    def predict(
        self,
        observation: Mapping[str, NDArray[Any]],
        state: Sequence[EpisodeState] | None = None,
        episode_start: NDArray[np.bool_] | Sequence[bool] | bool | None = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.float32], tuple[EpisodeState, ...]]:
        """Return actions and the new state, as `stable_baselines3`'s `predict` does.

        :param observation: of `FlatObservation`; with a first axis of n environments, or of one without it
        :param state: what the last call returned; None at the start. An older state raises InvalidArgumentError
        :param episode_start: [n], where a new episode begins; another instruction than before begins one too
        :param deterministic: the policy is so in any case
        :return: actions [n, A] or [A], and one `EpisodeState` for each environment
        :raises InvalidArgumentError: for observations of another form or unit, of which none has acted then, another
            state than the last, or an instruction that names nothing known
        """
        singles, vectorized = each_environment(observation)
        count = len(singles)
        starts = np.array(state is None if episode_start is None else episode_start, object)
        if starts.shape not in ((), (count,)) or not all(isinstance(one, bool | np.bool_) for one in starts.flat):
            raise InvalidArgumentError(f"expected episode_start as bool [{count}], but got {episode_start!r:.80}")
        states = [None] * count if state is None or starts.all() else state
        if (
            not isinstance(states, Sequence)
            or len(states) != count
            or not all(isinstance(one, EpisodeState | None) for one in states)
        ):
            raise InvalidArgumentError(
                f"expected the state of {count} environments that the last call returned, but got {state!r:.80}"
            )
        last = [None if start else one for start, one in zip(np.broadcast_to(starts, count), states, strict=True)]
        seen = [checked_step(single, of_pile=one is None) for single, one in zip(singles, last, strict=True)]
        actions, after = zip(*map(self._act, seen, last), strict=True)
        return (np.stack(actions) if vectorized else actions[0]), after

    def _act(
        self, observation: Mapping[str, NDArray[Any]], state: EpisodeState | None
    ) -> tuple[NDArray[np.float32], EpisodeState]:
        instruction = decode_instruction(observation["instruction"])
        if state is None or state.instruction != instruction:
            episode = _Episode(self, instruction)
        elif state._episode is None or state._episode.steps != state._step:
            newest = "no copy of it" if state._episode is None else f"after step {state._episode.steps}"
            raise InvalidArgumentError(
                f"expected the state of the last call, {newest}, but got the one after step {state._step}; give back "
                "the newest state, or begin the episode again with state=None"
            )
        else:
            episode = state._episode
        return episode.act(observation), episode.state()

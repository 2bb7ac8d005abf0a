"""The page: name objects, see what is found in a pile or an image, show it what an object is, have one picked."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import torch
from loky import ProcessPoolExecutor
from numpy.typing import NDArray

from pickclutter_lang.demo.config import DemoConfig
from pickclutter_lang.demo.look import center_square, split_names, verdict
from pickclutter_lang.envs.wrappers import actors_of
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError, PickClutterError, TeacherError, WorkerError
from pickclutter_lang.evaluation.drawing import draw_outline
from pickclutter_lang.evaluation.instructions import Instruction, Pile, typed_instruction
from pickclutter_lang.evaluation.pick import is_known, outcome_in_words
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.evaluation.teacher_thresholds import read_thresholds, thresholds_of
from pickclutter_lang.evaluation.videos import SIDE, VideoRecorder
from pickclutter_lang.labeling.large_model import Answer
from pickclutter_lang.labeling.picture import NumberedPicture
from pickclutter_lang.policy.asking import AskConfig, AskingDetector, in_words
from pickclutter_lang.policy.detectors import Detection, StudentDetector
from pickclutter_lang.policy.example_memory import ExampleMemory
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy.teaching import Example, add_example, find_example
from pickclutter_lang.policy_folder.folder import Thresholds, load_config
from pickclutter_lang.policy_making import taught_folder
from pickclutter_lang.utils.images import read_image
from pickclutter_lang.utils.validation import check_seed

HOST = "127.0.0.1"
MAX_UPLOAD = "16mb"
_STUDENT = "student"  # variant of the policy in the simulator
_NOT_CALIBRATED = Thresholds(0.5, {})
_KEPT_PILES = 8
_CLICKED_SIDE = 1024
_LATELY = 25  # images, of which the number of questions is shown
_CORRECT = " If that is not it, click what it took in the image, type what that is, and press Teach."


class SimulatedPile(NamedTuple):
    """A pile: the observation before the arm moves, the names of its objects, and of what each pixel [H, W] shows."""

    observation: Mapping[str, NDArray[Any]]
    objects: tuple[str, ...]
    visible: tuple[str, ...]
    labels: NDArray[np.object_]


class Simulator:
    """The simulator in a process of its own, since its renderer cannot move from thread to thread."""

    def __init__(self, config: RolloutConfig) -> None:
        """Take where policies act; that of the page is the variant `student`."""
        self._config, self._lock = config, threading.Lock()
        self._pool = ProcessPoolExecutor(max_workers=1)

    def pile(self, seed: int) -> Future[SimulatedPile]:
        """Have the pile of a seed shown.

        :raises InvalidArgumentError: for what is no seed, as of an empty field
        """
        check_seed(seed)
        return self._submit(_show_pile, seed)

    def pick(
        self, seed: int, name: str, examples: ExampleMemory, clicked: Mapping[str, set[str]]
    ) -> Future[tuple[str, bytes]]:
        """Have an object of a pile picked by the student with these examples; it gives the outcome, and an MP4 video.

        :param clicked: taught name -> what the simulator calls the objects that were clicked for it
        """
        return self._submit(_pick, seed, name, replace(examples), clicked)  # a copy has no cached values

    def close(self) -> None:
        """End the process, whatever it does."""
        self._pool.shutdown(wait=True, kill_workers=True)

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        with self._lock:
            try:
                return self._pool.submit(function, self._config, *arguments)  # type: ignore[no-any-return]
            except BrokenExecutor:  # a process that died takes its pool along
                self._pool = ProcessPoolExecutor(max_workers=1)
                return self._pool.submit(function, self._config, *arguments)  # type: ignore[no-any-return]


_runners: list[RolloutRunner] = []  # in the process: the environment, once it is made


def _runner(config: RolloutConfig) -> RolloutRunner:
    if not _runners:
        torch.set_num_threads(1)
        _runners.append(RolloutRunner(config, base_size=SIDE))
    return _runners[0]


def _result(future: Future[Any]) -> Any:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise WorkerError("the simulator ended unexpectedly; try again") from error


def _show_pile(config: RolloutConfig, seed: int) -> SimulatedPile:
    runner = _runner(config)
    start = runner.start(seed)
    env = runner.inner.unwrapped
    objects, visible = (tuple(item.name for item in items) for items in (start.pile.objects, start.pile.visible))
    names = [env.object_set.model(actor["model_id"]).name for actor in env.episode["actors"]]
    name_of = np.vectorize(dict(zip(env.actor_ids, names, strict=True)).get, otypes=[object])
    labels = name_of(np.asarray(actors_of(env.get_obs())).reshape(start.observation["mask"].shape))
    return SimulatedPile(start.observation, objects, visible, labels)


def _asked(name: str, known: Sequence[str], clicked: Mapping[str, set[str]], pile: Pile) -> Instruction:
    """Return the instruction to pick what has a name in the simulator, or else the one object clicked for that name."""
    asked = typed_instruction(name, known, pile)
    right = [item.name for item in pile.objects if item.name in clicked.get(asked.reference, ())]
    if asked.expected or len(right) != 1:
        return asked
    return replace(asked, target=right[0], expected=tuple(right))


def _pick(
    config: RolloutConfig, seed: int, name: str, examples: ExampleMemory, clicked: Mapping[str, set[str]]
) -> tuple[str, bytes]:
    runner = _runner(config)
    video = VideoRecorder()
    assert runner.student is not None
    runner.student.examples = examples
    detector = StudentDetector(runner.student)
    runner.use_detector(_STUDENT, detector)  # which knows the taught names now
    start = runner.start(seed, partial(_asked, name, detector.names, clicked))
    episode = runner.run(_STUDENT, start, video.callback)
    if episode["success"]:
        return outcome_in_words(episode), video.mp4("success")
    return outcome_in_words(episode) + _CORRECT, video.mp4("failure" if is_known(episode) else "")


def _found(
    detector: StudentDetector | TeacherDetector, image: SimulatedPile | NDArray[np.uint8], names: Sequence[str]
) -> list[Detection]:
    if isinstance(image, SimulatedPile):
        return detector.detect(image.observation, names)
    return detector.detect_without_depth(image, names)


def _hash(image: SimulatedPile | NDArray[np.uint8]) -> str:
    pixels = image.observation["hand_rgb"] if isinstance(image, SimulatedPile) else image
    return hashlib.sha256(pixels.tobytes()).hexdigest()


class DemoSession:
    """Student, teacher and simulator of a page; each does one thing at a time, for any thread."""

    def __init__(
        self,
        folder: Path,
        simulator: Simulator,
        evaluation: Path,
        trust_code: bool,
        keep: bool = False,
        ask: AskConfig | None = None,
        device: str = "cpu",
    ) -> None:
        """Open a policy folder; `open_session` is the usual way.

        :param evaluation: folder of an evaluation, which may have calibrated the teacher's thresholds
        :param keep: write what is taught to the policy folder
        :param ask: who is asked where the student is unsure
        :raises CheckpointError: when the policy folder is missing or damaged
        :raises InvalidArgumentError: for a student of other cameras than the hand's
        """
        self.simulator, self._evaluation, self._lock = simulator, evaluation, threading.Lock()
        simulator.pile(0)  # the simulator starts while the student is loaded
        self.student = StudentRuntime.load(folder, trust_code, device=device)
        self._kept = folder if keep else None
        self._detector = (ask or AskConfig()).detector(self.student, keep=self._kept)
        self.clicked: dict[str, set[str]] = {}  # taught name -> what the simulator calls the objects clicked for it
        self.pile = lru_cache(_KEPT_PILES)(lambda seed: _result(simulator.pile(seed)))
        """Returns the pile of a seed; raises what the simulator raises."""
        self._looks: dict[str, tuple[NumberedPicture, Answer] | None] = {}  # of an image's hash

    def ask(self, image: SimulatedPile | NDArray[np.uint8], names: Sequence[str], teacher: bool) -> list[Detection]:
        """Return what the student finds, or the teacher.

        :param image: a pile, or an image [S, S, 3]
        :raises InvalidArgumentError: for a wrong name, or an image of one's own when the student takes depth
        :raises TeacherError: for the teacher, or a new name, when the teacher is missing or another one
        """
        with self._lock:
            if teacher:
                return _found(self._teacher, image, names)
            found = _found(self._detector, image, names)
            if isinstance(self._detector, AskingDetector):
                earlier = self._looks.pop(_hash(image), None)
                self._looks[_hash(image)] = self._detector.last_answered if self._detector.asked[-1] else earlier
                self._looks = dict([*self._looks.items()][-_LATELY:])
            return found

    def question(self, image: SimulatedPile | NDArray[np.uint8]) -> tuple[str, NDArray[np.uint8] | None]:
        """Return what was asked about an image, and how often about the last ones, with the picture that was sent.

        The words are empty where nobody is asked; the picture is None where nothing was.
        """
        with self._lock:
            if _hash(image) not in self._looks:
                return "", None
            asked = self._looks[_hash(image)]
            last = f"Asked: {in_words(asked[1])}" if asked else "Nothing was asked"
            questions = sum(one is not None for one in self._looks.values())
            said = f"{last}. Questions about the last {_LATELY} images: {questions}."
            return said, asked and asked[0].pixels

    def names(self, *others: str) -> list[str]:
        """Return the names that the student was taught, those of its folder, and others."""
        return list(dict.fromkeys([*self.student.examples.taught, *self.student.config.names, *others]))

    @property
    def taught(self) -> list[list[Any]]:
        """Names that the student was taught, each with the number of its examples."""
        return [[name, self.student.examples.count(name)] for name in self.student.examples.taught]

    def teach(self, name: str, example: Example, clicked: str | None) -> str:
        """Show the student an object: it knows it from then on, by the name that is returned, as it spells it.

        :param clicked: what the simulator calls it
        :raises InvalidArgumentError: for a name that is no line of text, or too many examples
        :raises CheckpointError: when the folder that keeps it is gone
        """
        with self._lock:
            name = self.student.examples.spelled(name, self.student.config.names)
            if self._kept is None:
                add_example(self.student, name, example)
            else:
                load_config(self._kept)
                taught_folder.add_to_folder(self.student, name, example, self._kept)
            if clicked is not None:
                self.clicked.setdefault(name, set()).add(clicked)
            return name

    def forget(self, name: str) -> None:
        """Take a name out of what the student was taught.

        :raises UnknownObjectError: when it was not taught
        """
        with self._lock:
            examples = self.student.examples.forget([name])
            self.student.examples = taught_folder.forget(str(self._kept), [name]) if self._kept else examples
            self.clicked = {one: of for one, of in self.clicked.items() if one in self.student.examples.taught}

    @cached_property
    def _teacher(self) -> TeacherDetector:
        spec = self.student.config
        thresholds = read_thresholds(self._evaluation, thresholds_of(spec)) or _NOT_CALIBRATED
        return TeacherDetector(spec.teacher.load(), spec.names, thresholds)


@contextmanager
def open_session(config: DemoConfig) -> Iterator[DemoSession]:
    """Open the student of a policy folder, with its simulator, for as long as the page is served.

    :raises PickClutterError: what `DemoSession` raises
    """
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)
    policy = config.policy if config.out is None else config.out
    keep = config.out is not None
    if keep:
        taught_folder.prepare_folder(config.policy, Path(policy))
    simulator = Simulator(RolloutConfig.of_command(config, split="ood", policies={_STUDENT: policy}, ask=AskConfig()))
    try:
        evaluation = Path(config.policy) / "evaluation"
        yield DemoSession(Path(policy), simulator, evaluation, config.trust_code, keep, config.ask, config.device)
    finally:
        simulator.close()


@contextmanager
def serve(session: DemoSession, port: int) -> Iterator[str]:
    """Serve the page of a session on 127.0.0.1 from threads of this process; yield its address.

    Its functions have the API names `show`, `pick`, `teach` and `forget`. Other hosts than this machine's are refused,
    as pages of the web could reach it under a name of their own (DNS rebinding).

    :raises MissingExtraError: without the extra `demo`
    :raises InvalidArgumentError: when the port is taken
    """
    if find_spec("gradio") is None:
        raise MissingExtraError("gradio", "demo")
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    with TemporaryDirectory(prefix="pickclutter_demo_") as folder:
        os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": folder}  # nothing leaves this machine
        page = _build_page(session, Path(folder).resolve())
        try:
            page.queue().launch(
                server_name=HOST, server_port=port, share=False, quiet=True, ssr_mode=False, prevent_thread_lock=True,
                max_file_size=MAX_UPLOAD, footer_links=[],
                app_kwargs={"middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])]},
            )  # fmt: skip
        except OSError as error:
            raise InvalidArgumentError(f"expected a free port, but {port} is not ({error}); choose another") from error
        try:
            yield f"http://{HOST}:{port}/"
        finally:
            page.close(verbose=False)


def _build_page(session: DemoSession, folder: Path) -> Any:
    """Return a `gradio.Blocks`; videos of picks go into the folder, where images of one's own are."""
    import gradio as gr

    spec = session.student.config
    with _blocks(gr) as page:
        gr.Markdown(
            f"## What can be picked?\nStudent `{spec.network.name}`, distilled from the teacher `{spec.teacher.name}`. "
            f"A score says whether the named object is {spec.target_label}, and its color where: the map, "
            "and the segment that the arm would pick. Any name is allowed.\n\n**Show it once:** click an object, type "
            "what you call it, press Teach, and ask for it, here or in another pile."
        )
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                names = gr.Textbox(label="Object, or several with commas between them; the arm picks the first")
                with gr.Row(equal_height=True):
                    number = gr.Number(0, label="Pile (seed)", precision=0, min_width=100)
                    new_pile = gr.Button("New pile", min_width=100)
                    pick_it = gr.Button("Pick it", variant="primary", min_width=100)
                objects = gr.Markdown()
                video = gr.Video(show_label=False, autoplay=True, interactive=False)
                outcome = gr.Markdown()
                own: Any = gr.Image(
                    label="Your own image instead; its center square is used", height=240,
                    sources=["upload", "clipboard"], visible=not spec.depth,
                )  # fmt: skip
                own.preprocess = partial(_upload, folder)  # `_image` reads it
            with gr.Column(scale=3, min_width=300):
                with gr.Row():
                    seen, name, column, row, teach_it, forget_it, said, taught = _teaching_panel(gr)
                with gr.Row():
                    student = gr.AnnotatedImage(label="Student", min_width=240)
                    teacher = gr.AnnotatedImage(label="Teacher", min_width=240)
                sent = gr.Image(label="Asked about", visible=False, interactive=False, buttons=[])
                answers = gr.Dataframe(headers=_HEADERS, label="Scores", interactive=False, wrap=True)
        new_pile.click(lambda n: ((n or 0) + 1) % 2**32, number, number, queue=False, **_PRIVATE)
        offered = partial(_offered, gr)
        show = offered(
            "show", objects, partial(_show, gr, session), [number, own, names],
            [objects, sent, taught, student, teacher, answers], trigger_mode="always_last",
        )  # fmt: skip
        gr.on([page.load, number.change, own.change, names.submit, names.blur], **show)
        gr.on(
            [page.load, number.change, own.change], partial(_view, session), [number, own], [seen, column, row, taught],
            trigger_mode="always_last", **_PRIVATE,
        )  # fmt: skip
        point_at, chosen = _on_click(gr, said, session)
        in_turn = {"concurrency_id": "said", "concurrency_limit": 1}  # the answer to the last one stays
        seen.select(point_at, [number, own], [seen, column, row, said], **_PRIVATE, **in_turn)
        taught.select(chosen, None, name, queue=False, **_PRIVATE)
        teach = offered(
            "teach", said, partial(_teach, session), [number, own, name, column, row], [seen, names, said, taught],
            **in_turn,
        )  # fmt: skip
        forget = offered("forget", said, partial(_forget, session), name, [said, taught], **in_turn)
        for done in (gr.on([teach_it.click, name.submit], **teach), forget_it.click(**forget)):
            done.then(**show)
        pick = partial(_pick_on_page, session, folder)
        pick_it.click(**offered("pick", outcome, pick, [number, own, names], [video, outcome]))
    return page


def _blocks(gr: Any) -> Any:
    """Return `gradio.Blocks` that refuse in one line what no page of theirs sends."""

    class Page(gr.Blocks):  # type: ignore[misc]
        async def preprocess_data(self, function: Any, inputs: list[Any], *rest: Any) -> Any:
            try:
                return await super().preprocess_data(function, inputs, *rest)
            except Exception as error:  # each component raises others
                said = f"expected values as the page sends them, but got {inputs!r:.80}"
                raise gr.Error(said, print_exception=False) from error

    return Page(title="pickclutter-lang", delete_cache=(3600, 3600))


def _upload(folder: Path, given: Any) -> Path | None:
    """Return the file that was uploaded; raise ValueError for one that was not."""
    return given and folder / Path(given.path).resolve().relative_to(folder)


def _teaching_panel(gr: Any) -> tuple[Any, ...]:
    """Return image, name, point, buttons, what is said, and the list of what was taught."""
    seen = gr.Image(label="Click an object to teach it", interactive=False, height=350, buttons=[], min_width=240)
    with gr.Column(min_width=240):
        name = gr.Textbox(label="What you call it")
        with gr.Row():
            column = gr.Number(None, label="Column", precision=0, min_width=80)
            row = gr.Number(None, label="Row", precision=0, min_width=80)
        with gr.Row():
            teach_it = gr.Button("Teach", variant="primary", min_width=80)
            forget_it = gr.Button("Forget", min_width=80)
        said = gr.Markdown()
        taught = gr.Dataframe(headers=["taught", "examples"], interactive=False, buttons=[])
    return seen, name, column, row, teach_it, forget_it, said, taught


def _on_click(gr: Any, said: Any, session: DemoSession) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return what follows a click in the image, and one in the list of what was taught."""
    find = _with_errors(said, partial(_find, session))

    def point_at(number: int, own: Path | None, event: Any) -> Iterator[Any]:
        yield from find(number, own, *event.index)

    def chosen(event: Any) -> Any:
        return event.row_value[0]

    point_at.__annotations__["event"] = chosen.__annotations__["event"] = gr.SelectData
    return point_at, chosen


def _show(gr: Any, session: DemoSession, number: int, own: Path | None, text: str | None) -> Iterator[tuple[Any, ...]]:
    """Yield the objects, what was asked about, what is taught now, what both find, and the table of scores."""
    image, pixels = _image(session, number, own)
    shown, visible = (image.objects, image.visible) if isinstance(image, SimulatedPile) else ((), ())
    objects = ", ".join(name if name in visible else f"{name} (hidden)" for name in shown)
    names = split_names(text or next(iter(visible), session.names()[0]), session.names(*shown))
    note = None if isinstance(image, SimulatedPile) else StudentDetector(session.student).note_on_photo(image, names)
    student = session.ask(image, names, teacher=False)
    question, sent = session.question(image)
    said = f"In it: {objects if own is None else 'your own image'}. {note or ''} {question}".strip()
    picture = gr.Image(sent, visible=sent is not None)
    found = annotated(pixels, names, student)
    yield said, picture, session.taught, found, gr.skip(), table(names, student, [])
    try:
        teacher = session.ask(image, names, teacher=True)
    except TeacherError as error:
        yield f"{said} {error}", *[gr.skip()] * 5
        return
    yield *[gr.skip()] * 4, annotated(pixels, names, teacher), table(names, student, teacher)


def _pick_on_page(
    session: DemoSession, folder: Path, number: int, own: Path | None, text: str | None
) -> Iterator[tuple[str | None, str]]:
    """Yield the file of a pick's video, and what comes of it."""
    if own is not None:
        raise InvalidArgumentError("expected a pile, but your own image is shown, where no arm is; remove it")
    pile = session.pile(number)
    name = split_names(text or next(iter(pile.visible), session.names()[0]), session.names(*pile.objects))[0]
    yield None, f"The arm picks {name} ..."
    outcome, video = _result(session.simulator.pick(number, name, session.student.examples, session.clicked))
    path = folder / f"{uuid4().hex}.mp4"
    path.write_bytes(video)
    yield str(path), outcome


def _image(
    session: DemoSession, number: int, own: Path | None
) -> tuple[SimulatedPile | NDArray[np.uint8], NDArray[np.uint8]]:
    """Return what is looked at, a pile or an image of one's own, and its pixels."""
    if own is not None:
        return (square := center_square(read_image(own))), square
    pile = session.pile(number)
    return pile, pile.observation["hand_rgb"]


def _view(session: DemoSession, number: int, own: Path | None) -> Iterator[tuple[Any, ...]]:
    """Yield the image, no point in it, and what was taught."""
    pixels = None
    with suppress(PickClutterError):  # `_show` says it
        pixels = _enlarged(_image(session, number, own)[1])
    yield pixels, None, None, session.taught


def _find(session: DemoSession, number: int, own: Path | None, x: int, y: int) -> Iterator[tuple[Any, ...]]:
    """Yield the image with an edge around the object that was clicked in the enlarged one, its point, and no error."""
    zoom = _zoom(_image(session, number, own)[1])
    u, v = x // zoom, y // zoom
    example, _ = _example(session, number, own, u, v)
    yield _enlarged(draw_outline(example.rgb, example.mask)), u, v, ""


def _example(
    session: DemoSession, number: int, own: Path | None, u: int | None, v: int | None
) -> tuple[Example, str | None]:
    """Return the object at a point, and what the simulator calls it; None: nothing, or it is in an image of one's own.

    :raises InvalidArgumentError: when no object is there
    """
    image = _image(session, number, own)[0]
    if not isinstance(image, SimulatedPile):
        return find_example(image, None if u is None or v is None else (u, v)), None
    if u is None or v is None:
        raise InvalidArgumentError("expected a point on the object: click it in the image of the pile")
    return find_example(image.observation, (u, v)), image.labels[v, u]


def _zoom(pixels: NDArray[np.uint8]) -> int:
    return max(_CLICKED_SIDE // len(pixels), 1)


def _enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image with each pixel several times: `gradio.Image` tells where a click was only if it is shrunk."""
    return pixels.repeat(_zoom(pixels), axis=0).repeat(_zoom(pixels), axis=1)


def _teach(
    session: DemoSession, number: int, own: Path | None, text: str | None, u: int | None, v: int | None
) -> Iterator[tuple[Any, ...]]:
    """Yield the image with an edge around what was taken, the name, what to do next, and what was taught."""
    # "My mug" stays, which is "mug" where it is no known name.
    given = " ".join((text or "").split()).removeprefix("the ")
    if not given or len(read := split_names(given, session.names(given))) != 1:
        raise InvalidArgumentError(f"expected one name of the object, but got {text!r}: type what you call it")
    example, clicked = _example(session, number, own, u, v)
    name = session.teach(read[0], example, clicked)
    count = session.student.examples.count(name)
    said = f"Taught {name} by what has a white edge (examples: {count}). Ask for it, or press Pick it."
    yield _enlarged(draw_outline(example.rgb, example.mask)), name, said, session.taught


def _forget(session: DemoSession, text: str | None) -> Iterator[tuple[Any, ...]]:
    """Yield what was done, and what is still taught."""
    name = (text or "").strip()
    session.forget(name)
    yield f"Forgot {name}.", session.taught


_HEADERS = ["name", "student", "teacher"]
# Of an event of the page itself; a shown progress would cover what it is shown on.
_PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def annotated(
    image: NDArray[np.uint8], names: Sequence[str], found: Sequence[Detection]
) -> tuple[NDArray[np.uint8], list[tuple[NDArray[np.float64], str]]]:
    """Return an image [S, S, 3] with map and chosen segment of each name, as `gradio.AnnotatedImage` takes it."""
    return image, [
        (np.maximum(0.6 * one.heatmap / max(one.heatmap.max(), 1e-12), 0.4 * one.mask), f"{name}: {one.score:.2f}")
        for name, one in zip(names, found, strict=True)
    ]


def table(names: Sequence[str], student: Sequence[Detection], teacher: Sequence[Detection]) -> list[list[str]]:
    """Return a row for each name: what the student finds, and the teacher if it answered."""
    cells = ([verdict(one) for one in found] for found in (student, teacher))
    return [list(row) for row in zip_longest(names, *cells, fillvalue="")]


def _offered(gr: Any, name: str, said: Any, function: Any, inputs: Any, outputs: Any, **how: Any) -> dict[str, Any]:
    """Let callers over HTTP call a function, and return the event of the page that does so."""
    gr.on([], _raising(gr, function), inputs, outputs, api_name=name, **how)
    return {"fn": _with_errors(said, function), "inputs": inputs, "outputs": outputs, **_PRIVATE, **how}


def _with_errors(said: Any, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Return a function of the page that says its errors in `said`, where they cover nothing.

    It raises none: Gradio loses what is yielded right before an error, and the change that waits behind one.
    """

    def shown(*given: Any) -> Iterator[Any]:
        try:
            yield from function(*given)
        except PickClutterError as error:
            yield {said: str(error)}

    return shown


def _raising(gr: Any, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Return a function for callers over HTTP, who get its errors as errors."""

    def called(*given: Any) -> Iterator[Any]:
        try:
            yield from function(*given)
        except PickClutterError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return called

"""The page itself: its parts (gradio), and what each of them does."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from html import escape
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.demo.cards import STYLE, answer_cards, attempt_card, image_card, message, progress_card
from pickclutter_lang.demo.inputs import MAX_PILE, open_upload, pile_number, split_names
from pickclutter_lang.demo.session import DemoSession, OwnImage
from pickclutter_lang.demo.simulator import SimulatedPile
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError, PickClutterError, TeacherError

if find_spec("gradio") is None:
    raise MissingExtraError("gradio", "demo")
_POLL_S = 0.25
_SLOW_S = 1.0
"""Beyond so many seconds the student's answer does not wait for the teacher's."""
_WAITING = 16
"""Requests that may wait; a further one is told to come again."""


def build_page(session: DemoSession) -> Any:
    """Lay out the page of a session, a `gradio.Blocks`; its functions have the API names `show` and `pick`."""
    for feature in ("ANALYTICS_ENABLED", "RUN_HISTORY"):  # nothing leaves this machine, nothing stays in the browser
        os.environ[f"GRADIO_{feature}"] = "False"
    import gradio as gr

    with gr.Blocks(title="pickclutter-lang", analytics_enabled=False) as page:
        gr.HTML(STYLE + _introduction(session))
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                names = gr.Textbox(label="Object, or several with commas between them; the arm picks the first")
                pick = gr.Button("Pick it", variant="primary")
                with gr.Row(equal_height=True):
                    pile = gr.Number(0, label="Pile", min_width=100)
                    new_pile = gr.Button("New pile", min_width=100)
                video, image = gr.HTML(), gr.HTML()
            with gr.Column(scale=3, min_width=300):
                answers = gr.HTML()
        with gr.Accordion("Your own image instead", open=False, visible=session.accepts_uploads):
            upload = gr.Image(
                label="Its center square is shown to student and teacher", sources=["upload", "clipboard"],
                type="filepath", image_mode=None, height=240,
            )  # fmt: skip
        _take_as_it_is(gr, pile, upload)
        inputs, outputs = [pile, upload, names], [answers, image, names]
        new_pile.click(_next_pile, pile, pile, queue=False, api_visibility="private")
        gr.on(
            [page.load, pile.change, upload.change, names.submit, names.blur],
            _guarded(_show(gr, session), (gr.skip(), gr.skip())), inputs, outputs, api_name="show",
            show_progress="minimal", trigger_mode="always_last", concurrency_limit=2,
        )  # fmt: skip
        pick.click(
            _guarded(_pick(session), ()), inputs, video, api_name="pick", show_progress="hidden", concurrency_limit=4
        )
    return page.queue(max_size=_WAITING)


def _take_as_it_is(gr: Any, pile: Any, upload: Any) -> None:
    """Take a number and a file as they were sent: gradio would convert and open them before anything is checked.

    Of files those that were uploaded alone: gradio would download what a request names by an address.
    """
    pile.preprocess = lambda payload: payload
    upload.preprocess = lambda payload: None if payload is None else payload.path
    take = upload.async_move_resource_to_block_cache

    async def take_file(path: str | None) -> str | None:
        if path is not None and "://" in str(path):
            raise gr.Error("expected an uploaded image, but got an address; upload the file")
        taken: str | None = await take(path)
        return taken

    upload.async_move_resource_to_block_cache = take_file


def _introduction(session: DemoSession) -> str:
    spec = session.student.config
    calibrated = "" if session.teacher_is_calibrated else " The teacher's threshold is 0.5, since none was calibrated."
    return (
        '<div class="demo-intro"><h2>What can be picked?</h2><p>'
        f"Student <code>{escape(spec.network.name)}</code>, distilled from the teacher "
        f"<code>{escape(spec.teacher.name)}</code>. A score says whether the named object is {spec.target_label}; red "
        "is where it is seen, a white edge the segment that the arm would pick. Any name is allowed."
        f"{calibrated}</p></div>"
    )


def _next_pile(number: object) -> int:
    try:
        return (pile_number(number) + 1) % (MAX_PILE + 1)
    except InvalidArgumentError:
        return 0


def _show(gr: ModuleType, session: DemoSession) -> Callable[..., Iterator[tuple[Any, ...]]]:
    """Return the function that shows an image, then what the student finds in it, then what the teacher does."""

    def show(number: object, upload: str | None, text: object) -> Iterator[tuple[Any, ...]]:
        asked, pixels, card = _image(session, number, upload)
        hint = gr.Textbox(placeholder=_default_name(session, asked))  # the text itself is the person's
        yield gr.skip(), card, hint
        names = _names(session, asked, text)
        student = session.ask_student(asked, names)
        if session.teacher_seconds > _SLOW_S:
            yield answer_cards(pixels, names, student, "The teacher is at work."), card, hint
        try:
            teacher = session.ask_teacher(asked, names)
        except TeacherError as error:
            yield answer_cards(pixels, names, student, f"There is no teacher: {error}"), card, hint
        else:
            yield answer_cards(pixels, names, student, teacher), card, hint

    return show


def _names(session: DemoSession, asked: SimulatedPile | OwnImage, text: object) -> list[str]:
    return split_names(_default_name(session, asked) if text == "" else text, session.student.config.names)


def _image(
    session: DemoSession, number: object, upload: str | None
) -> tuple[SimulatedPile | OwnImage, NDArray[np.uint8], str]:
    """Return what is asked about, its pixels, and how the page shows it."""
    if upload is not None:
        own = open_upload(upload)
        return own, own, image_card(own, "Remove your image to see piles.")
    pile = session.pile(pile_number(number))
    objects = ", ".join(name if name in pile.visible else f"{name} (hidden)" for name in pile.objects)
    return pile, pile.rgb, image_card(pile.rgb, f"In this pile: {objects}.")


def _default_name(session: DemoSession, asked: SimulatedPile | OwnImage) -> str:
    """Return what is asked for without a name: an object that is seen."""
    names = asked.visible if isinstance(asked, SimulatedPile) else ()
    return next(iter(names), session.student.config.names[0])


def _pick(session: DemoSession) -> Callable[..., Iterator[tuple[Any, ...]]]:
    """Return the function that lets the arm pick, and shows how far it is until its video is there."""

    def pick(number: object, upload: str | None, text: object) -> Iterator[tuple[Any, ...]]:
        if upload is not None:
            raise InvalidArgumentError("expected a pile, but your own image is shown, where no arm is; remove it")
        seed = pile_number(number)
        job = session.pick(seed, _names(session, session.pile(seed), text)[0])
        try:
            while not wait([job.future], _POLL_S).done:
                yield (progress_card(job),)
            yield (attempt_card(job.future.result()),)
        finally:
            job.future.cancel()  # where it has not begun, and nobody waits for it any more

    return pick


def _guarded(
    function: Callable[..., Iterator[tuple[Any, ...]]], others: tuple[Any, ...]
) -> Callable[[Any, Any, Any], Iterator[Any]]:
    """Return a function of the page whose errors are shown in the place of its first output.

    :param others: the further outputs then
    """

    def guarded(number: Any, upload: Any, text: Any) -> Iterator[Any]:
        try:
            for values in function(number, upload, text):
                yield values if len(values) > 1 else values[0]
            return
        except PickClutterError as error:
            said = str(error)
        except Exception as error:
            traceback.print_exc()
            said = f"unexpected {type(error).__name__}; the terminal shows more"
        yield (message(said), *others) if others else message(said)

    return guarded

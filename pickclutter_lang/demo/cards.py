"""HTML of the page: piles, what student and teacher find, progress and video of a pick. All texts are escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.demo.session import Answer
from pickclutter_lang.demo.simulator import Attempt, Job
from pickclutter_lang.envs.registration import MAX_EPISODE_STEPS
from pickclutter_lang.evaluation.pick import outcome_in_words
from pickclutter_lang.evaluation.videos import draw_detection
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.results.page import jpeg

STYLE = """<style>
.gradio-container .html-container { padding: 0 !important; }
.demo-intro { max-width: 60rem; }
.demo-intro code { font-size: .9em; }
.demo-image img { width: 100%; max-width: 22rem; border-radius: 6px; display: block; }
.demo-note { color: var(--body-text-color-subdued); margin: .4rem 0; }
.demo-message { border-left: 4px solid #d9822b; padding: .5rem .8rem; margin: .4rem 0; overflow-wrap: anywhere; }
.demo-pair { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; max-width: 44rem; }
.demo-head { font-weight: 600; }
.demo-head .demo-note { font-weight: 400; margin: 0; overflow-wrap: anywhere; }
.demo-head small { font-weight: 400; color: var(--body-text-color-subdued); }
.demo-answers h3 { margin: .9rem 0 .3rem; font-size: 1rem; font-weight: 600; overflow-wrap: anywhere; }
.demo-pair figure { margin: 0; min-width: 0; }
.demo-pair img { width: 100%; border-radius: 6px; display: block; }
.demo-scale { position: relative; height: .5rem; margin: .5rem 0 .2rem; border-radius: 4px;
  background: var(--border-color-primary); }
.demo-scale i { position: absolute; inset: 0 auto 0 0; border-radius: 4px; background: #8a94a6; }
.demo-present .demo-scale i { background: #2e9e5b; }
.demo-scale b { position: absolute; top: -.2rem; bottom: -.2rem; width: 2px; background: var(--body-text-color); }
.demo-pick video { width: 100%; max-width: 44rem; border-radius: 6px; display: block; }
.demo-progress .demo-scale i { background: var(--color-accent); }
.demo-outcome { font-weight: 600; margin: .6rem 0 .4rem; overflow-wrap: anywhere; }
</style>"""


def message(text: str) -> str:
    """Return what is wrong, for a person to read."""
    return f'<div class="demo-message" role="alert">{escape(text)}</div>'


def image_card(image: NDArray[np.uint8], note: str) -> str:
    """Return an image, uint8 [S, S, 3], with a note below it."""
    return f'<div class="demo-image">{_image(image, "the image")}<p class="demo-note">{escape(note)}</p></div>'


def answer_cards(image: NDArray[np.uint8], names: Sequence[str], student: Answer, teacher: Answer | str) -> str:
    """Return map, score and threshold of each name, the student's beside the teacher's.

    :param image: uint8 [S, S, 3]
    :param teacher: what it finds, or why there is nothing of it
    """
    answers = {"Student": student} | ({} if isinstance(teacher, str) else {"Teacher": teacher})
    heads = [f"<div>{who} <small>{1000 * answer.seconds:.0f} ms</small></div>" for who, answer in answers.items()]
    if isinstance(teacher, str):
        heads.append(f'<div class="demo-note">{escape(teacher)}</div>')
    parts = [f'<div class="demo-pair demo-head">{"".join(heads)}</div>']
    for name in names:
        figures = [_figure(image, f"{who}: {name}", answer.detections[name]) for who, answer in answers.items()]
        parts.append(f'<h3>{escape(name)}</h3><div class="demo-pair">{"".join(figures)}</div>')
    return f'<div class="demo-answers">{"".join(parts)}</div>'


def progress_card(job: Job) -> str:
    """Return how far a pick is."""
    steps = min(job.steps, MAX_EPISODE_STEPS)  # a process that died does the episode again
    text = f"Step {steps} of at most {MAX_EPISODE_STEPS}." if steps else "Waiting for the simulator."
    bar = f'<div class="demo-scale"><i style="width:{100 * steps / MAX_EPISODE_STEPS:.1f}%"></i></div>'
    return f'<div class="demo-progress" role="status">{bar}<p class="demo-note">{text}</p></div>'


def attempt_card(attempt: Attempt) -> str:
    """Return what came of a pick, and its video."""
    source = attempt.video.data_uri
    return (
        f'<div class="demo-pick"><p class="demo-outcome" role="status">{escape(outcome_in_words(attempt.episode))}</p>'
        f'<video src="{source}" controls autoplay muted loop playsinline></video>'
        '<p class="demo-note">Left: the base camera. Right: the hand camera, with the map at each decision.</p></div>'
    )


def _figure(image: NDArray[np.uint8], title: str, found: Detection) -> str:
    """Return the map of one name, its score as a bar, and the threshold as a mark on it."""
    present = found.margin >= 0
    # A map that is equal everywhere shows nothing.
    shown = _image(draw_detection(image, found), title) if np.ptp(found.heatmap) > 0 else ""
    return (
        f'<figure class="{"demo-present" if present else "demo-absent"}">{shown}'
        f'<div class="demo-scale"><i style="width:{100 * found.score:.1f}%"></i>'
        f'<b style="left:{100 * found.threshold:.1f}%"></b></div>'
        f"<figcaption>Score {found.score:.2f}, threshold {found.threshold:.2f}: "
        f"predicted {'present' if present else 'absent'}</figcaption></figure>"
    )


def _image(pixels: NDArray[np.uint8], text: str) -> str:
    return f'<img src="{jpeg(pixels).data_uri}" alt="{escape(text)}">'

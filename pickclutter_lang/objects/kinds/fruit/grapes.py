"""Grapes: bunches of round or oval berries on a branched stem; green, purple, red or nearly black."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural.surfaces import Floats

SKINS = {
    "green": ((160, 184, 76), (176, 192, 92), (140, 168, 70)),
    "purple": ((102, 36, 102), (90, 34, 102), (114, 46, 112)),
    "red": ((172, 40, 62), (184, 56, 70)),
    "black": ((40, 26, 46),),
}


def bunch(rng: Rng, length: float, wide: float, radius: float) -> Floats:
    """Return the centers [N, 3] of berries that touch but hardly overlap, along y, lying on the ground."""
    placed: list[Floats] = []
    for _ in range(700):
        t = rng.random()
        reach = wide * np.sin(np.pi * (0.16 + 0.8 * t)) ** 0.6 * (1.05 - 0.55 * t)
        a, d = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0.3, 1))
        point = np.array([reach * d * np.cos(a), -length * t, 0.8 * reach * d * np.sin(a)])
        if all(np.linalg.norm(point - other) > 1.46 * radius for other in placed):
            placed.append(point)
        if len(placed) >= 50:
            break
    return np.array(placed)


def sample(rng: Rng) -> Instance:
    """Sample a bunch of grapes, lying."""
    model = ModelBuilder()
    word = choice(rng, ("green", "green", "purple", "purple", "red", "black"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color, radius, slim = skin.tints[0], rng.uniform(6.5, 10), choice(rng, (1.0, 1.0, 1.25))
    centers = bunch(rng, rng.uniform(8, 12.5) * radius, rng.uniform(2.9, 3.8) * radius, radius)
    bloom = color * 0.85 + np.array((28, 26, 40))
    images = [
        peel(
            rng,
            color * f,
            tone=0.06,
            patches=(bloom, rng.uniform(0.1, 0.4)),
            top=((120, 104, 60), 0.1),
            texels=(24, 36),
        )
        for f in (0.85, 1.0, 1.12)
    ]
    size = 2 * radius * np.array([1, 1, slim]) * 0.98
    for center in centers:
        model.ball(
            (size * rng.uniform(0.88, 1.06)).tolist(), choice(rng, images), rows=6, segments=9, at=center, hull=False
        )
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 0.32 * size
    for part in np.array_split(centers[np.argsort(centers[:, 1])], 5):
        extremes = np.concatenate([np.eye(3), -np.eye(3)]) * size / 2
        model.hull((part[:, None] + np.concatenate([corners, extremes])[None]).reshape(-1, 3))
    twig, high = (
        plain(np.array(choice(rng, ((122, 116, 58), (112, 84, 50)))) * rng.uniform(0.85, 1.1)),
        rng.uniform(6, 18),
    )
    model.sweep(
        smooth([(0, -3 * radius, 0), (0, 0.3 * radius, 2), (rng.normal(0, 5), radius + high, 4)], 7),
        1.7,
        twig,
        segments=7,
        pieces=1,
    )
    bar = smooth([(-9, radius + high, 3), (0, radius + high, 4), (9, radius + high + 2, 3)], 4)
    model.sweep(bar, 1.5, twig, segments=6, up=(0, 0, 1), pieces=1)
    return model.instance(
        skin, "irregular", ["with a stem", "with oval berries" if slim > 1.1 else "with round berries"]
    )


KIND = Kind(
    name="grapes",
    synonyms=("bunch of grapes", "grape bunch", "table grapes"),
    hypernyms=("berry", "fruit", "food"),
    function="eating",
    description="a hanging cluster of many small smooth juicy berries, packed tightly around a thin woody stem",
    longest=(0.06, 0.2),
    sample=sample,
)

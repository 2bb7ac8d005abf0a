"""Wrist watches: round or square cases with a dial on a closed strap of leather, rubber or steel links."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.household.alarm_clock import dial
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import circle, rotation

DIALS = (
    (((244, 243, 236), (24, 24, 28)),) * 3
    + (((24, 24, 28), (236, 236, 230)),) * 3
    + (((28, 50, 110), (240, 240, 240)),)
)


def sample(rng: Rng) -> Instance:
    """Sample a wrist watch, its strap closed to a loop that lies on its side or stands, or laid flat."""
    model = ModelBuilder()
    size = rng.uniform(28, 46)
    form = choice(rng, ("leather", "leather", "rubber", "steel"))
    word = {
        "leather": choice(rng, ("brown", "brown", "black", "black", "red", "blue")),
        "rubber": choice(rng, ("black", "black", *BRIGHT)),
    }.get(form, "grey")
    strap = finish(rng, form, word, rgb=STEEL if form == "steel" else ())
    gold = rng.random() < 0.25
    case = finish(rng, "steel", "grey", rgb=((206, 168, 84),) if gold else STEEL)
    if form == "rubber":
        case = strap
    square, flat = rng.random() < 0.25, rng.random() < 0.35
    half, thin, thick = size * rng.uniform(0.26, 0.34), rng.uniform(1.2, 2), rng.uniform(8, 12)
    image = strap.image(20, 150).astype(float)
    _, v = tx.uv_grid(*image.shape[:2])
    if form == "steel":
        image = image * (0.55 + 0.45 * tx.smoothstep(np.abs((v * 26) % 1 - 0.5), 0.02, 0.14))[..., None]
    elif form == "leather":
        u = tx.uv_grid(*image.shape[:2])[0]
        stitch = (np.abs(np.abs(u % 0.5 - 0.25) - 0.19) < 0.02) & ((v * 40) % 1 < 0.6)
        image = tx.lerp_color(image, (226, 214, 190), 0.8 * stitch * (rng.random() < 0.5))
    skin = tx.to_uint8(image)
    if flat:
        turn, middle = np.eye(3), np.zeros(3)
        reach = size / 2 + rng.uniform(68, 90)
        for s in (-1, 1):
            t = np.linspace(0, 1, 8)
            path = np.c_[0 * t, s * (size * 0.45 + t * (reach - size * 0.45)), 0 * t]
            model.sweep(path, half * (1 - 0.22 * t), skin, thin, power=5, pieces=1)
    else:
        a = np.linspace(0, 2 * np.pi, 29)
        wide, deep = rng.uniform(29, 34), rng.uniform(23, 28)
        path = np.c_[0 * a, np.sin(a) * wide, -np.cos(a) * deep]
        lying = rng.random() < 0.6
        turn = rotation("y", 90) if lying else rotation("y", choice(rng, (0, 60)))
        width = half * (1 - 0.2 * (1 + np.cos(a)) / 2)
        model.sweep(path, thin, skin, width, power=5, up=(1, 0, 0), closed=True, turn=turn, pieces=6)
        middle = np.array([0, 0, deep])
    edge = rounded(size, size * 1.15, size * 0.2) if square else circle(size / 2, 28)
    model.prism(edge, -thick / 2, thick / 2, case.image(size, size, 48), at=turn @ middle, turn=turn)
    ground, ink = choice(rng, DIALS)
    spin = turn @ rotation("z", 90)
    face = edge * 0.86 if not square else edge[:, ::-1][::-1] * 0.86
    digital = form == "rubber" and rng.random() < 0.5
    picture = dial(rng, ground, ink, 80)
    if digital:
        screen, _ = tx.canvas((80, 80), (150, 164, 140))
        tx.draw_text(screen, f"{rng.integers(10, 24)}:{rng.integers(10, 60)}", (40, 40), 26, (24, 26, 24))
        picture = np.asarray(screen)
    model.prism(
        face, thick / 2 - 1, thick / 2 + 0.4, picture, plain((40, 40, 44)), at=turn @ middle, turn=spin, hull=False
    )
    crown = turn @ (middle + np.array([size * 0.53, 0, 0]))
    model.ball((4, 4, 4), case.image(20, 20, 32), rows=7, segments=10, at=crown, hull=False)
    if flat:
        model.box((half * 2, 4, 4), case.image(20, 20, 32), 1, at=(0, reach - 2, 0.5), hull=False)
    words = {"leather": "with a leather strap", "rubber": "with a rubber strap", "steel": "with a steel bracelet"}
    features = [
        words[form],
        "digital" if digital else "with hands",
        "with a square case" if square else "with a round case",
    ]
    second = () if form == "rubber" else ("yellow",) if gold else ("grey",)
    return model.instance(strap, "round", features, colors=(word, *second), density=1500)


KIND = Kind(
    name="wrist watch",
    synonyms=("wristwatch", "watch", "arm watch"),
    hypernyms=("clothing accessory",),
    function="telling the time",
    description="a small flat case with a round or square dial in the middle of a strap that goes around the arm",
    longest=(0.05, 0.24),
    sample=sample,
)

"""Toy planes: airliners, propeller planes, jets and biplanes of plastic, metal or wood."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.palettes import TOYS
from pickclutter_lang.objects.kinds.wheels import add_wheel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def _wing(
    model: ModelBuilder, skin: TextureImage, x: float, z: float, span: float, chord: float, sweep: float, thin: float
) -> None:
    """Add both wings as one plate each, `sweep` mm farther back at their tips."""
    for s in (-1, 1):
        y = np.linspace(0, span, 3) * s
        lead, trail = x + chord / 2 - sweep * np.abs(y) / span, x - chord / 2 - 0.6 * sweep * np.abs(y) / span
        left, right = (np.c_[lead, y], np.c_[trail, y]) if s < 0 else (np.c_[trail, y], np.c_[lead, y])
        model.plate(left, right, z - thin, z + thin, skin, pieces=1)


def sample(rng: Rng) -> Instance:
    """Sample a toy plane that flies towards +x."""
    model = ModelBuilder()
    length, form = (
        rng.uniform(80, 210),
        choice(rng, ("airliner", "airliner", "propeller", "propeller", "biplane", "jet")),
    )
    material = choice(rng, ("plastic", "plastic", "metal", "wood"))
    natural = material == "wood" and rng.random() < 0.5
    word = "brown" if natural else choice(rng, ("white", "white", *TOYS) if form == "airliner" else (*TOYS, "grey"))
    skin = finish(rng, material, word, rgb=WOODS if natural else ())
    other = choice(rng, [c for c in TOYS if c != word]) if rng.random() < 0.75 else word
    wing_finish = finish(rng, material, other) if other != word else skin.solid(0.95)
    wing_skin = wing_finish.image(60, 60, 64)
    r = length * (rng.uniform(0.06, 0.08) if form in ("airliner", "jet") else rng.uniform(0.08, 0.11))
    nose = 0.15 if form != "jet" else 0.02
    body = smooth(
        [(0.12, -0.5), (0.5, -0.32), (0.95, -0.05), (1, 0.2), (0.86, 0.4), (nose + 0.4, 0.47), (nose, 0.5)], 17
    )
    image = skin.image(2 * np.pi * r, length).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    # On a body along x, u = 0.25 and 0.75 are its sides.
    if form == "airliner":
        row = (np.abs(np.abs(u - 0.5) - 0.23) < 0.025) & (np.abs(v - 0.55) < 0.27) & ((v * 36) % 1 < 0.55)
        image = tx.lerp_color(image, (40, 48, 66), row * 1.0)
        if other != word:
            image = tx.lerp_color(image, tint(rng, other), (np.abs(np.abs(u - 0.5) - 0.31) < 0.02) * 1.0)
    turn, z = rotation("y", 90), r * 1.6
    model.lathe(np.r_[body, [(0, 0.5)]] * [r, length], tx.to_uint8(image), 20, 1, turn=turn, at=(0, 0, z))
    swept = {"airliner": 0.3, "jet": 0.34}.get(form, 0.04) * length
    span = length * rng.uniform(0.42, 0.55) * (0.75 if form == "jet" else 1)
    chord = length * (0.34 if form == "jet" else rng.uniform(0.17, 0.24))
    thin = length * 0.012
    low = z - 0.4 * r if form != "propeller" or rng.random() < 0.5 else z + 0.8 * r
    wing_x = -0.12 * length if form == "jet" else 0.1 * length
    _wing(model, wing_skin, wing_x, low, span, chord, swept, thin)
    if form == "biplane":
        top = z + 1.9 * r
        _wing(model, wing_skin, wing_x, top, span, chord, swept, thin)
        for y in (-0.6, 0.6):
            model.box(
                (thin * 2, thin * 2, top - low),
                plain((90, 70, 50)),
                0,
                at=(wing_x, y * span, (top + low) / 2),
                hull=False,
            )
    _wing(model, wing_skin, -0.42 * length, z + 0.2 * r, span * 0.4, chord * 0.55, swept * 0.35, thin)
    fin = length * rng.uniform(0.13, 0.19)
    edge = [(-0.36 * length, 0), (-0.44 * length, fin), (-0.51 * length, fin), (-0.48 * length, 0)]
    model.prism(edge, -thin, thin, wing_skin, turn=rotation("x", 90), at=(0, 0, z + 0.3 * r))
    glass = plain((40, 56, 84))
    model.ball(
        (length * (0.1 if form == "airliner" else 0.16), r * 1.3, r * 1.1),
        glass,
        rows=9,
        segments=14,
        at=(length * (0.4 if form == "airliner" else 0.2), 0, z + r * (0.45 if form == "airliner" else 0.75)),
        hull=False,
    )
    if form in ("propeller", "biplane"):
        x = length * 0.51
        for a in (0, 90) if rng.random() < 0.4 else (rng.uniform(0, 90),):
            model.box((thin, 4.4 * r, 0.4 * r), plain((50, 48, 50)), 0, at=(x, 0, z), turn=rotation("x", a), hull=False)
        model.ball((0.7 * r, 0.6 * r, 0.6 * r), plain(tint(rng, "red")), rows=7, segments=10, at=(x, 0, z), hull=False)
        model.hull([(x + d, *p) for d in (-1, 1) for p in circle(2.2 * r, 8, (0, z))])
    if form == "airliner":
        for y in (-0.38, 0.38):
            pod = np.array([(0.6, -0.5), (1, 0.1), (0.95, 0.5), (0, 0.42)]) * [r * 0.42, chord * 0.8]
            model.lathe(
                pod,
                skin.solid(0.8),
                12,
                1,
                at=(wing_x + 0.35 * chord - swept * 0.4, y * span, low - 0.4 * r),
                turn=turn,
            )
    wheeled = form != "jet"
    if wheeled:
        for s in (-1, 1):
            add_wheel(model, (0.12 * length, s * r * 0.9, r * 0.42), r * 0.42, r * 0.35, s)
    names = {
        "airliner": "with jet engines",
        "propeller": "with a propeller",
        "biplane": "with double wings",
        "jet": "with swept wings",
    }
    features = [names[form], "with wheels" if wheeled else "without wheels"]
    return model.instance(skin, "plane-shaped", features, colors=(word, other), density=400)


KIND = Kind(
    name="toy plane",
    synonyms=("toy airplane", "model airplane", "toy aircraft", "toy aeroplane"),
    hypernyms=("vehicle", "toy"),
    function="playing",
    description="a small model with a slim rounded body, two flat wings, and an upright fin at the tail",
    longest=(0.075, 0.25),
    sample=sample,
)

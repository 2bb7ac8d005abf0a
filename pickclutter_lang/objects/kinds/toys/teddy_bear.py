"""Teddy bears: sitting plush bears with round ears, a muzzle, paws, some with a bow or a shirt."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

FURS = ((150, 98, 54), (120, 76, 42), (176, 126, 72), (92, 58, 36), (196, 152, 100))


def _plush(rng: Rng, color: Floats) -> TextureImage:
    noise = 0.09 * tx.grid_noise(rng, (64, 96), 30, 45) + 0.05 * tx.grid_noise(rng, (64, 96), 6, 9)
    return tx.to_uint8(color * (1 + noise)[..., None])


def sample(rng: Rng) -> Instance:
    """Sample a teddy bear that sits and faces +x."""
    model = ModelBuilder()
    h = rng.uniform(90, 230)
    word = choice(rng, ("brown",) * 7 + ("white", "white", "pink", "blue", "grey", "black"))
    color = np.array(choice(rng, FURS)) * rng.normal(1, 0.07) if word == "brown" else tint(rng, word)
    fur = _plush(rng, color)
    pale = _plush(rng, np.clip(color * 0.55 + np.array([232, 208, 170]) * 0.5, 0, 250))
    body, head = h * rng.uniform(0.42, 0.5), h * rng.uniform(0.38, 0.44)
    dressed = choice(rng, ("none", "none", "bow", "bow", "shirt"))
    cloth_word = choice(rng, [c for c in ("red", "blue", "green", "yellow", "pink", "white") if c != word])
    cloth = finish(
        rng, "cloth", cloth_word, ("plain", "plain", "striped") if dressed == "shirt" else "plain", pitch=(8, 14)
    )
    z = body * 0.52
    torso = cloth.image(body * 3, body, 64) if dressed == "shirt" else fur
    model.ball((body * 0.86, body * rng.uniform(0.86, 1.0), body * 1.08), torso, rows=13, segments=20, at=(0, 0, z))
    if dressed != "shirt" and rng.random() < 0.5:
        model.ball((body * 0.3, body * 0.6, body * 0.76), pale, rows=9, segments=16, at=(body * 0.31, 0, z), hull=False)
    top = z + body * 0.5 + head * 0.34
    model.ball((head * 0.92, head * 1.06, head * 0.94), fur, rows=13, segments=20, at=(0.03 * h, 0, top))
    muzzle = head * rng.uniform(0.4, 0.5)
    model.ball(
        (muzzle, muzzle * 1.05, muzzle * 0.85),
        pale,
        rows=9,
        segments=16,
        at=(0.03 * h + head * 0.42, 0, top - 0.12 * head),
    )
    black = plain((26, 22, 22))
    nose = muzzle * 0.34
    model.ball(
        (nose, nose * 1.4, nose),
        black,
        rows=7,
        segments=10,
        at=(0.03 * h + head * 0.42 + muzzle * 0.46, 0, top - 0.04 * head),
        hull=False,
    )
    for s in (-1, 1):
        eye = head * rng.uniform(0.09, 0.11)
        model.ball(
            (eye, eye, eye),
            black,
            rows=7,
            segments=10,
            at=(0.03 * h + head * 0.39, s * head * 0.2, top + 0.12 * head),
            hull=False,
        )
        ear, at = head * rng.uniform(0.32, 0.38), np.array([0.02 * h, s * head * 0.42, top + head * 0.4])
        model.ball((ear * 0.5, ear, ear), fur, rows=9, segments=14, at=at)
        model.ball(
            (ear * 0.3, ear * 0.6, ear * 0.6), pale, rows=7, segments=12, at=np.add(at, [ear * 0.16, 0, 0]), hull=False
        )
        arm = body * rng.uniform(0.6, 0.7)
        turn = rotation("x", s * rng.uniform(20, 50)) @ rotation("y", rng.uniform(-60, -10))
        at = np.array([body * 0.12, s * body * 0.5, z + body * 0.24]) + turn @ [0, 0, -arm * 0.36]
        sleeve = torso if dressed == "shirt" else fur
        model.ball((arm * 0.42, arm * 0.4, arm), sleeve, rows=9, segments=14, at=at, turn=turn)
        leg, spread = body * rng.uniform(0.62, 0.72), rotation("z", s * rng.uniform(10, 30))
        at = spread @ [body * 0.5, 0, leg * 0.22] + [0, s * body * 0.2, 0]
        model.ball((leg, leg * 0.46, leg * 0.44), fur, rows=9, segments=14, at=at, turn=spread)
        sole = at + spread @ [leg * 0.46, 0, leg * 0.06]
        model.ball((leg * 0.26, leg * 0.5, leg * 0.56), fur, rows=9, segments=14, at=sole, turn=spread)
        model.ball(
            (leg * 0.1, leg * 0.36, leg * 0.42),
            pale,
            rows=7,
            segments=12,
            at=sole + spread @ [leg * 0.1, 0, 0],
            turn=spread,
            hull=False,
        )
    if dressed == "bow":
        paint = plain(tint(rng, cloth_word))
        at = np.array([body * 0.34, 0, z + body * 0.44])
        for s in (-1, 1):
            model.ball(
                (head * 0.12, head * 0.4, head * 0.26),
                paint,
                rows=7,
                segments=12,
                at=np.add(at, [0, s * head * 0.2, 0]),
                turn=rotation("x", 12 * s),
                hull=False,
            )
        model.ball((head * 0.14, head * 0.14, head * 0.14), paint, rows=7, segments=10, at=at, hull=False)
    skin = finish(rng, "cloth", word)
    chest = np.array([(0.1, y, q) for y in (-0.35, 0.35) for q in (-0.16, 0.16)] + [(-0.4, 0, 0)]) * head
    model.hull(chest, at=(body * 0.34, 0, z + body * 0.44))
    features = [{"bow": "with a bow", "shirt": "with a shirt"}.get(dressed, ""), "sitting"]
    colors = (word, cloth_word) if dressed == "shirt" else (word,)
    return model.instance(skin, "bear-shaped", features, colors=colors, density=120)


KIND = Kind(
    name="teddy bear",
    synonyms=("teddy", "toy bear", "plush bear", "stuffed bear"),
    hypernyms=("stuffed animal", "toy"),
    function="cuddling",
    description="a soft furry animal that sits, with a round head, small round ears, a paler muzzle with a black "
    "nose, and thick arms and legs",
    longest=(0.07, 0.26),
    sample=sample,
)

"""Rubber ducks: yellow bath ducks with orange bills and black eyes; other colors, hats, sunglasses."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation


def sample(rng: Rng) -> Instance:
    """Sample a rubber duck that swims towards +x."""
    model = ModelBuilder()
    length = rng.uniform(50, 130)
    wide, high, head = (
        length * rng.uniform(0.74, 0.9),
        length * rng.uniform(0.5, 0.62),
        length * rng.uniform(0.46, 0.58),
    )
    word = choice(rng, ("yellow",) * 12 + BRIGHT + ("white", "black"))
    skin = finish(rng, "rubber", word)
    flat = -0.75 * high / 2
    tail = rng.uniform(0.25, 0.5)

    def swim(points: Floats) -> Floats:
        """Raise the tail to a point, and flatten the belly."""
        back = np.clip(-points[:, :1] / (length / 2), 0, 1) ** 2
        moved = points * np.c_[np.ones(len(points)), 1 - 0.75 * back[:, 0], 1 - 0.5 * back[:, 0]]
        moved[:, 2] = np.maximum(moved[:, 2] + back[:, 0] * tail * high, flat)
        return np.asarray(moved)

    skin_image = skin.image(length, length, 64)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 17)
    body = np.c_[np.cos(angle), np.sin(angle)] * length / 2
    scale = np.array([1, wide / length, high / length])
    model.lathe(body, skin_image, bend=lambda p: swim(p * scale), at=(0, 0, -flat), pieces=1)
    x, z = length * rng.uniform(0.14, 0.24), -flat + high * 0.36 + head * 0.42
    model.ball((head, head * 0.98, head * rng.uniform(0.9, 1.0)), skin_image, rows=13, segments=20, at=(x, 0, z))
    for s in (-1, 1):
        wing = (length * 0.42, length * 0.12, high * 0.5)
        turn = rotation("y", 18)
        model.ball(
            wing,
            skin_image,
            rows=9,
            segments=14,
            at=(-0.08 * length, s * wide * 0.44, -flat + high * 0.1),
            turn=turn,
        )
        eye, at = head * rng.uniform(0.13, 0.15), np.array([0.4 * head, s * 0.2 * head, 0.16 * head])
        model.ball(
            (eye, eye * 1.1, eye * 1.6),
            plain((240, 240, 238)),
            rows=7,
            segments=10,
            at=np.add(at, [x, 0, z]),
            hull=False,
        )
        pupil = np.array([eye * 0.35, s * eye * 0.05, 0])
        model.ball(
            (eye * 0.6, eye * 0.7, eye),
            plain((20, 20, 24)),
            rows=7,
            segments=10,
            at=np.add(at + pupil, [x, 0, z]),
            hull=False,
        )
    bill_word = choice(rng, ("orange", "orange", "orange", "red") if word not in ("orange", "red") else ("yellow",))
    bill = plain(tint(rng, bill_word))
    size = head * rng.uniform(0.42, 0.55)
    for n, lift in ((1.0, 14), (0.8, -12)):
        model.ball(
            (size * n, size * 0.95 * n, size * 0.26),
            bill,
            rows=9,
            segments=14,
            at=(x + head * 0.52, 0, z - 0.1 * head + (n - 0.9) * size * 0.5),
            turn=rotation("y", -lift),
            hull=n == 1.0,
        )
    extra = choice(rng, ("none", "none", "none", "none", "none", "none", "hat", "sunglasses", "bow"))
    other = choice(rng, [c for c in (*BRIGHT, "black") if c != word])
    if extra == "hat":
        brim = np.array([(0, -1), (1.5, -1), (1.5, 0), (0.9, 0), (0.85, 4), (0, 4)]) * [head * 0.27, head * 0.1]
        model.lathe(brim, plain(tint(rng, other)), 18, 2, at=(x, 0, z + head * 0.46))
    elif extra == "sunglasses":
        model.box(
            (head * 0.12, head * 0.84, head * 0.1),
            plain((20, 20, 22)),
            0.4,
            at=(x + head * 0.44, 0, z + 0.22 * head),
            hull=False,
        )
        for s in (-1, 1):
            model.ball(
                (head * 0.14, head * 0.36, head * 0.28),
                plain((20, 20, 22)),
                rows=7,
                segments=12,
                at=(x + head * 0.46, s * 0.2 * head, z + 0.16 * head),
                hull=False,
            )
    elif extra == "bow":
        for s in (-1, 1):
            model.ball(
                (head * 0.14, head * 0.36, head * 0.26),
                plain(tint(rng, other)),
                rows=7,
                segments=12,
                at=(x + head * 0.34, s * 0.18 * head, z - 0.46 * head),
                turn=rotation("x", 15 * s),
                hull=False,
            )
    face = [(0.5, -0.3, -0.16), (0.5, 0.3, -0.16), (0.48, -0.3, 0.32), (0.48, 0.3, 0.32), (0.3, -0.44, 0.2)]
    model.hull(np.array([(0, 0, -0.3), (0, 0, 0.4), *face]) * head, at=(x, 0, z))
    features = [f"with {'an' if bill_word == 'orange' else 'a'} {bill_word} bill"]
    features += [{"hat": "with a hat", "sunglasses": "with sunglasses", "bow": "with a bow tie"}.get(extra, "")]
    return model.instance(skin, "duck-shaped", features, colors=(word, bill_word), density=250)


KIND = Kind(
    name="rubber duck",
    synonyms=("rubber ducky", "bath duck", "toy duck", "duckling toy"),
    hypernyms=("toy",),
    function="playing in the bath",
    description="a plump yellow bird with a round head, a bright bill, black eyes, a raised tail and a flat belly",
    longest=(0.045, 0.15),
    sample=sample,
)

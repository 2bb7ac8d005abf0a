"""Ice cream cones: a waffle cone with scoops or a soft swirl; sauce, sprinkles, a wafer."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import STREWN, strewn
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, bumps, smooth
from pickclutter_lang.objects.kinds.produce import lying, uneven
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

FLAVORS = {
    "white": ((246, 238, 214), (248, 244, 234)),
    "pink": ((240, 160, 176), (232, 140, 166)),
    "brown": ((112, 70, 46), (92, 56, 38)),
    "green": ((166, 208, 158), (176, 204, 120)),
    "yellow": ((248, 220, 120),),
    "blue": ((140, 190, 226),),
    "orange": ((244, 166, 90),),
}


def waffle(rng: Rng) -> TextureImage:
    """Paint a waffle cone with slanting lines."""
    u, v = tx.uv_grid(96, 112)
    count = int(rng.integers(7, 12))
    near = np.minimum(*(np.abs((u * count + s * v * count * 0.9) % 1 - 0.5) for s in (-1, 1)))
    color = np.array(choice(rng, ((212, 152, 82), (196, 132, 66), (222, 168, 100)))) * rng.uniform(0.92, 1.06)
    return tx.to_uint8(
        tx.pixel_noise(tx.lerp_color(color * 0.72, color * 1.05, tx.smoothstep(near, 0.06, 0.2)), rng, 4)
    )


def sample(rng: Rng) -> Instance:
    """Sample an ice cream cone, lying, its tip towards -y."""
    model = ModelBuilder()
    words = [choice(rng, ("white", "pink", "brown", *FLAVORS)) for _ in range(int(rng.integers(1, 4)))]
    soft = rng.random() < 0.3
    words = words[:1] if soft else words
    skin = finish(rng, "food", words[0], rgb=FLAVORS[words[0]])
    rim, deep, turn = rng.uniform(22, 30), rng.uniform(85, 130), lying(rng, 3)
    cone = waffle(rng)
    model.lathe(
        [(0, 0), (0.08 * rim, 1), (0.55 * rim, 0.5 * deep), (rim, deep), (0.9 * rim, deep)],
        cone,
        28,
        turn=turn,
        pieces=1,
    )
    dotted = rng.random() < 0.3
    z = deep
    if soft:
        swirl(model, rng, skin.tints[0], rim, deep, turn)
    for n, word in enumerate(words if not soft else ()):
        color = skin.tints[0] if n == 0 else np.array(choice(rng, FLAVORS[word])) * rng.uniform(0.93, 1.04)
        r = rim * rng.uniform(1.02, 1.2) * (0.95**n)
        z += 0.55 * r if n == 0 else 1.15 * r
        speck = ((90, 56, 40), 0.03) if rng.random() < 0.3 else None
        image = peel(rng, color, tone=0.05, patches=(color * 0.92, 0.4), spots=speck, texels=(56, 96))
        image = strewn(rng, image, 60, STREWN, 4, 2) if dotted and n == len(words) - 1 else image
        model.ball(
            (2 * r, 2 * r, 1.9 * r), image, bumps(rng, 0.06, 4.0), rows=15, segments=22, at=turn @ (0, 0, z), turn=turn
        )
        skirt = [(0.78 * r, z - 0.66 * r), (1.02 * r, z - 0.5 * r), (0.98 * r, z - 0.28 * r)]
        model.lathe(skirt, image, 30, bend=uneven(rng, 0, int(rng.integers(7, 12)), 0.1), turn=turn, pieces=1)
    features = [
        "with soft ice cream" if soft else f"with {('one scoop', 'two scoops', 'three scoops')[len(words) - 1]}",
        "with sprinkles" if dotted and not soft else "",
    ]
    return model.instance(skin, "conical", features, colors=(*words, "brown"))


def swirl(model: ModelBuilder, rng: Rng, color: Floats, rim: float, deep: float, turn: Floats) -> None:
    """Add soft ice cream that winds up to a tip."""
    t = np.linspace(0, 1, 25)
    tall, rounds = rim * rng.uniform(1.8, 2.6), int(rng.integers(3, 5))
    radius = rim * 1.12 * (1 - t**1.5) ** 0.8 * (0.9 + 0.16 * np.abs(np.sin(np.pi * rounds * t)))
    image = peel(rng, color, tone=0.03, streaks=(color * 0.93, 0.2), texels=(56, 96))

    def lift(points: Floats) -> Floats:
        angle, low = np.arctan2(points[:, 1], points[:, 0]), np.clip(1.4 - points[:, 2] / (deep + tall), 0, 1)
        return np.asarray(points + (0.3 * tall / rounds * np.sin(angle) * low)[:, None] * [0, 0, 1])

    profile = smooth([(0.7 * rim, deep - 2), *np.c_[radius, deep + tall * t]], 40)
    model.lathe(profile, image, 28, bend=lift, turn=turn, pieces=4)


KIND = Kind(
    name="ice cream cone",
    synonyms=("ice cream", "ice cream in a cone", "cornet of ice cream"),
    hypernyms=("dessert", "food"),
    function="eating as a treat",
    description="a crisp brown wafer cone, pointed at one end, topped with smooth rounded scoops of frozen cream",
    longest=(0.115, 0.28),
    sample=sample,
)

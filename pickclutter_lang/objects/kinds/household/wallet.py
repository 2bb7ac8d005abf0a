"""Wallets: folded leather or cloth purses with stitches, a snap or zip, closed or half open with cards and notes."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import circle, rotation

LEATHERS = ((116, 66, 34), (92, 52, 30), (146, 90, 48), (76, 46, 32), (160, 104, 60))


def sample(rng: Rng) -> Instance:
    """Sample a wallet, lying, or standing half open like a tent."""
    model = ModelBuilder()
    long = rng.uniform(95, 125) if rng.random() < 0.7 else rng.uniform(165, 200)
    wide, thick = rng.uniform(78, 98), rng.uniform(13, 24)
    leather = rng.random() < 0.8
    word = choice(rng, ("brown",) * 6 + ("black",) * 5 + ("red", "blue", "pink", "green", "grey"))
    if not leather:
        word = choice(rng, (*BRIGHT, "black", "grey"))
    skin = finish(rng, "leather" if leather else "cloth", word, wear=0.7, rgb=LEATHERS if word == "brown" else ())
    image = skin.image(long, wide, 128).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    stitched = rng.random() < 0.7
    if stitched:
        x, y = np.minimum(u, 1 - u) * long, np.minimum(v, 1 - v) * wide
        border = np.abs(np.minimum(x, y) - 4) < 0.7
        dashes = np.where(x < y, (v * wide / 4) % 1, (u * long / 4) % 1) < 0.62
        thread = tint(rng, choice(rng, ("white", "yellow", "black", "brown")))
        image = tx.lerp_color(image, thread, 0.75 * (border & dashes))
    logo = rng.random() < 0.45
    if logo:
        spot = (np.abs(u - 0.78) * long < 7) & (np.abs(v - 0.24) * wide < 4)
        image = tx.lerp_color(image, choice(rng, ((200, 170, 90), (190, 190, 196), (70, 56, 40))), 0.85 * spot)
    cover = tx.to_uint8(image)
    inner = plain(np.clip(skin.tints[0] * 0.7 + 10, 0, 255))
    outline = rounded(long, wide, rng.uniform(3, 10))
    turn = rotation("z", 90)
    tent = rng.random() < 0.25
    closure = choice(rng, ("none", "none", "snap", "zip"))
    if tent:
        half = rng.uniform(18, 34)
        leaf = thick * 0.3
        for s in (-1, 1):
            pose = rotation("y", s * (90 - half)) @ turn
            at = np.array([s * np.sin(np.radians(half)) * wide / 2, 0, np.cos(np.radians(half)) * wide / 2])
            flip = pose if s > 0 else pose @ rotation("y", 0)
            model.prism(outline, -leaf / 2, leaf / 2, cover, plain(skin.tints[0] * 0.85), at=at, turn=flip)
        closure = "none"
    else:
        leaf = thick * rng.uniform(0.22, 0.3)
        for z in (0.0, thick - leaf):
            model.prism(outline, z, z + leaf, cover, plain(skin.tints[0] * 0.85), turn=turn, hull=False)
        model.prism(np.add(outline * [0.97, 0.9], [0, wide * 0.03]), leaf, thick - leaf, inner, turn=turn, hull=False)
        model.hull([(*p, z) for p in outline for z in (0, thick)], turn=turn)
        spine = np.array([(x, wide / 2 - thick * 0.25, thick / 2) for x in np.linspace(-long * 0.46, long * 0.46, 3)])
        model.sweep(spine, thick * 0.42, skin.image(30, long, 64), thick / 2, segments=12, turn=turn, hull=False)
        for n in range(int(rng.integers(0, 4))):
            card = plain(tint(rng, choice(rng, (*BRIGHT, "white"))))
            size = (long * 0.7, 10, 0.9)
            model.box(
                size,
                card,
                0,
                at=turn @ [rng.uniform(-3, 3), -wide * 0.47 - rng.uniform(0, 3), leaf + 1.2 + n * 1.6],
                turn=turn,
                hull=False,
            )
    if closure == "snap":
        strap = rounded(long * 0.16, wide * 0.3, 5)
        model.prism(np.add(strap, [0, -wide * 0.37]), thick, thick + 2, plain(skin.tints[0] * 0.9), turn=turn)
        model.prism(
            circle(4.5, 14, (0, -wide * 0.3)), thick + 2, thick + 3, plain((196, 196, 200)), turn=turn, hull=False
        )
    elif closure == "zip":
        edge = np.concatenate([outline, outline[:1]]) * [1.0, 1.0]
        path = np.c_[edge, np.full(len(edge), thick / 2)]
        model.sweep(
            path,
            1.6,
            plain((196, 172, 90) if rng.random() < 0.5 else (176, 178, 182)),
            thick * 0.14,
            segments=6,
            closed=True,
            turn=turn,
            hull=False,
        )
        model.box(
            (12, 4, 1.6),
            plain((190, 190, 194)),
            0,
            at=turn @ [long * 0.3, -wide * 0.52, thick / 2],
            turn=turn,
            hull=False,
        )
    words = {"snap": "with a snap fastener", "zip": "with a zipper"}
    features = ["half open" if tent else "closed", words.get(closure, ""), "with stitches" if stitched else ""]
    return model.instance(skin, "flat rectangular", features, density=600)


KIND = Kind(
    name="wallet",
    synonyms=("billfold", "money purse"),
    hypernyms=("clothing accessory",),
    function="carrying money",
    description="a flat folded case of brown or black leather with stitched edges, for cards and money",
    longest=(0.07, 0.21),
    sample=sample,
)

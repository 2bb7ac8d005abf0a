"""Scissors: two blades crossed at a rivet, with plastic loops of many colors, or wholly of steel."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Finish, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import BRIGHT, disc, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample scissors, lying with their points at +y."""
    model = ModelBuilder()
    blade, form = rng.uniform(55, 130), choice(rng, ("pointed", "pointed", "pointed", "rounded"))
    metal = steel(rng, (*STEEL, (120, 122, 126)))
    bare = rng.random() < 0.12
    skin = metal if bare else finish(rng, "plastic", [*BRIGHT, "black", "grey", "red"], wear=0.4)
    lined = not bare and rng.random() < 0.3
    loops: Skin = skin
    if lined:
        u, _ = tx.uv_grid(48, 64)
        other = tint(rng, choice(rng, [c for c in ("orange", "grey", "white", "yellow") if c != skin.colors[0]]))
        loops = tx.to_uint8(tx.lerp_color(skin.tints[0], other, tx.smoothstep(np.abs(u - 0.5), 0.26, 0.3)))
    angle = rng.uniform(2, 8) if rng.random() < 0.7 else rng.uniform(10, 24)
    big = rng.uniform(1.0, 1.35)
    size = rng.uniform(13, 17) * (0.7 + blade / 300)
    for side in (-1, 1):
        scale = (size, size * (rng.uniform(1.15, 1.25) if side < 0 else big * 1.2))
        _half(model, side, angle, blade, form == "rounded", (metal, skin, loops), scale)
    rivet = plain(choice(rng, ((150, 152, 156), (60, 60, 62), (206, 208, 210))))
    disc(model, rng.uniform(3, 4.5), -3.4, 3.4, rivet)
    opened = "open" if angle > 10 else "closed" if angle < 4.5 else ""
    features = [f"with {form} tips", opened, "" if bare else "with plastic handles"]
    colors = metal.colors if bare else (*skin.colors, *metal.colors)
    return model.instance(skin, "x-shaped", features, colors=colors, density=1800, material=skin.material)


def _half(
    model: ModelBuilder,
    side: int,
    angle: float,
    blade: float,
    blunt: bool,
    skins: tuple[Finish, Finish, Skin],
    loop: tuple[float, float],
) -> None:
    """Add a blade on one side of y and its loop on the other; `side` also lifts it."""
    turn, lift = rotation("z", 0.5 * angle * side), 1.4 * side
    y = np.linspace(-5, blade, 10)
    half = 0.5 * np.interp(
        y / blade, [-0.1, 0.1, 0.6, 0.93, 1], [13, 13, 10.5, 7 if blunt else 2.6, 4.5 if blunt else 0.6]
    )
    middle = np.interp(y / blade, [-0.1, 0.15, 1], [0, 1.5, 2.5 if blunt else -1.0]) * -side
    model.plate(np.c_[middle - half, y], np.c_[middle + half, y], lift - 1.2, lift + 1.2, skins[0], pieces=1, turn=turn)
    a, b = loop
    x = a * 1.5
    arm = smooth([(-side, 3, lift), (side * 0.2 * x, -12, lift * 0.6), (side * 0.6 * x, -24, 0), (side * x, -30, 0)], 8)
    model.sweep(arm, np.linspace(6.5, 5, 8), skins[1], np.linspace(2.4, 4.4, 8), power=3, pieces=1, turn=turn)
    t = np.linspace(0, 2 * np.pi, 25)
    t[-1] = 0
    flat = np.c_[a * np.cos(t) + 0.12 * a * np.sin(t) * side, b * np.sin(t)] @ rotation("z", 12 * side)[:2, :2].T
    path = np.c_[np.add(flat, (side * x, -26 - b)), 0 * t]
    path[-1] = path[0]
    model.sweep(path, 3.6, skins[2], 4.6, power=2.6, segments=12, closed=True, pieces=4, turn=turn)


KIND = Kind(
    name="scissors",
    synonyms=("pair of scissors", "shears"),
    hypernyms=("hand tool", "tool", "office supply"),
    function="cutting paper",
    description="two flat metal blades that cross at a small pivot, each with a rounded finger loop at the other end",
    longest=(0.1, 0.25),
    sample=sample,
)

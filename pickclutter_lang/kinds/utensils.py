"""Cutlery and kitchen tools, and what they share: handles, and scoops, which are the heads of spoons and ladles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pickclutter_lang.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish, tint, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, Skin, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation

GRIPS = weighted("red 3, black 3, blue 2, green, yellow, white, orange, turquoise, pink, purple")
STYLES = weighted("steel 8, riveted 4, molded 3, plastic 2, wood")
Rise = Callable[[Floats], Floats]


def cutlery_finish(rng: Rng, style: str) -> Finish:
    """Return the finish of the head of cutlery whose handle has one of `STYLES`; it is steel unless all is one."""
    if style == "plastic":
        return finish(rng, "plastic", GRIPS + weighted("white 4"))
    if style == "wood":
        return finish(rng, "wood", "brown", rgb=WOODS)
    dark = ((96, 98, 102), (70, 72, 76)) if rng.random() < 0.25 else ()
    gold = rng.random() < 0.08
    return finish(rng, "steel", "yellow" if gold else "grey", rgb=((206, 166, 82),) if gold else (*STEEL, *dark))


def cutlery_handle(
    model: ModelBuilder, rng: Rng, skin: Finish, style: str, length: float, rise: Rise
) -> tuple[Finish, str]:
    """Add a handle along y from 0 to `length` in mm, at the height `rise(y)`; return its finish and words for it."""
    neck = rng.uniform(2.6, 4.2)
    end = rng.uniform(6, 11)
    thick = rng.uniform(1.8, 2.8)
    if style in ("plastic", "wood"):
        neck = rng.uniform(4, 5.5)
        thick = rng.uniform(2.6, 4.5)
    y = np.linspace(0, length, 11)
    half = smooth([(end * rng.uniform(0.5, 0.95),), (end,), (end * rng.uniform(0.6, 0.8),), (neck,), (neck,)], 11)[:, 0]
    if style in ("steel", "plastic", "wood"):
        tip = np.array([0.45, *[1.0] * 10])
        y = np.r_[-0.3 * end, y[1:]]
        model.plate(
            np.c_[-half * tip, y], np.c_[half * tip, y], rise(y) - thick / 2, rise(y) + thick / 2, skin, pieces=2
        )
        return skin, ""
    grip = finish(rng, "wood", "brown", rgb=WOODS) if rng.random() < 0.25 else finish(rng, "plastic", GRIPS)
    share = rng.uniform(0.68, 0.85)
    if style == "riveted":
        model.plate(np.c_[-half * 0.96, y], np.c_[half * 0.96, y], rise(y) - 1, rise(y) + 1, skin, hull=False)
        y = np.linspace(-1, length * share, 9)
        half = np.interp(y, np.linspace(0, length, 11), half)
        for side in (-1, 1):
            low, high = sorted((side * 1.0, side * rng.uniform(3.6, 4.4)))
            model.plate(np.c_[-half, y], np.c_[half, y], rise(y) + low, rise(y) + high, grip, hull=False)
        ends = np.linspace(-1, length, 9)
        wide = np.interp(ends, np.linspace(0, length, 11), smooth([(end,), (end,), (neck,)], 11)[:, 0])
        thin = np.where(ends > length * share, 1.5, 4.2)
        _hulls(model, ends, wide, rise(ends), thin)
        for n in range(int(rng.integers(2, 4))):
            at = length * share * (0.18 + 0.34 * n)
            z = float(rise(np.array([at]))[0])
            model.prism(
                circle(2.1, 10) + np.array([0, at]), z - 4.7, z + 4.7, skin.painted((178, 178, 176)), hull=False
            )
        return grip, "with a riveted handle"
    model.plate(np.c_[-half, y], np.c_[half, y], rise(y) - thick / 2, rise(y) + thick / 2, skin, pieces=2)
    y = np.linspace(-3, length * share, 10)
    form = smooth([(0.72,), (1.0,), (0.9,), (0.75,), (0.62,)], 10)[:, 0]
    model.sweep(np.c_[0 * y, y, rise(y)], 8.6 * form, grip, 5.2 * form, power=2.6, segments=12, pieces=2)
    return grip, f"with a {'wooden' if grip.material == 'wood' else grip.material} handle"


def _hulls(model: ModelBuilder, y: Floats, half: Floats, z: Floats, thick: Floats) -> None:
    middle = len(y) // 2
    for part in (slice(0, middle + 1), slice(middle, None)):
        rows = zip(y[part], half[part], z[part], thick[part], strict=True)
        model.hull([(s * w, a, h + q * t) for a, w, h, t in rows for s in (-1, 1) for q in (-1, 1)])


def scoop(
    model: ModelBuilder,
    skin: Skin,
    size: Sequence[float],
    wall: float,
    at: npt.ArrayLike,
    pointed: float,
    inside: Skin | None,
) -> None:
    """Add a shallow oval bowl of a size (x, y, z) in mm, open upward; `at` is the middle of its rim.

    :param pointed: how much narrower it is towards +y
    """
    half = np.asarray(size, dtype=float) / [2, 2, 1]
    t = np.linspace(0, np.pi / 2, 8)
    outer = np.c_[np.sin(t), -np.cos(t)]
    inner = np.c_[np.sin(t), -np.cos(t)][::-1]
    factor = 1 - wall / half[:2].min()

    def oval(p: Floats) -> Floats:
        q = p * half
        return np.asarray(q * np.stack([1 - pointed * p[:, 1], np.ones(len(p)), np.ones(len(p))], -1))

    model.lathe(outer, skin, bend=oval, at=at, pieces=1)
    model.lathe(inner * [factor, 1 - wall / half[2]], inside or skin, bend=oval, at=at, hull=False)
    model.lathe([(1, 0), (factor, 0)], skin, bend=oval, at=at, hull=False)


def tool_handle(
    model: ModelBuilder, rng: Rng, skin: Finish, length: float, thick: float, z: float = 0.0
) -> tuple[Finish, str]:
    """Add the handle of a kitchen tool along y from 0 to `length` in mm; return its finish and words for it.

    :param skin: of the head, for handles of one piece with it
    """
    kind = choice(rng, weighted("same, plastic 2, wood, steel, rubber"))
    grip = {
        "same": skin,
        "wood": finish(rng, "wood", "brown", rgb=WOODS),
        "steel": finish(rng, "steel", "grey", rgb=STEEL),
    }.get(kind) or finish(rng, kind, GRIPS + weighted("black 4"))
    y = np.linspace(0, length, 12)
    flat = rng.uniform(0.5, 0.95)
    shape = rng.uniform(0.6, 1.15, 5) * [1.0, 1.15, 1.05, 1.0, 0.8]
    form = thick * np.clip(smooth(shape[:, None], 12)[:, 0], 0.5, 1.25)
    form[0] *= 0.7
    model.sweep(np.c_[0 * y, y, 0 * y + z], form, grip, form * flat, power=rng.uniform(2, 3), segments=14, pieces=1)
    if rng.random() < 0.5:
        outline = circle(0.42 * thick, 12) + np.array([0, thick])
        model.prism(outline, z - form[1] * flat - 0.3, z + form[1] * flat + 0.3, skin.painted((52, 52, 54)), hull=False)
        return grip, "with a hole in its handle"
    material = {"wood": "wooden"}.get(grip.material, grip.material)
    return grip, f"with a {material} handle"


_TOOTH = ((-0.3, -0.5), (-0.2, -0.1), (0.2, -0.1), (0.3, -0.5))
OPENING = ((0.62, -0.5), (0.62, 0.4), (0, 0.66), (-0.62, 0.4), (-0.62, -0.5), *_TOOTH)


@generates("bottle opener")
def bottle_opener(rng: Rng) -> Instance:
    """Bottle openers: a steel ring with a tooth on a handle, or a flat bar with an opening at one end."""
    # Pose: lying flat, its opening at +y.
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", wear=0.4, rgb=STEEL)
    thick = rng.uniform(2.2, 3.6)
    if rng.random() < 0.35:
        return _bottle_opener_bar(model, rng, thick)
    kind = choice(rng, weighted("wood 2, plastic 2, rubber, steel"))
    grip = {"wood": finish(rng, "wood", "brown", rgb=WOODS), "steel": steel}.get(kind) or finish(rng, kind, GRIPS)
    length, ring = rng.uniform(70, 110), rng.uniform(15, 20)
    y = np.linspace(0, length, 11)
    form = smooth(np.array([0.7, 1.1, rng.uniform(0.8, 1.1), 1.0, 0.65])[:, None], 11)[:, 0] * rng.uniform(7.5, 11)
    flat = 0.35 if kind == "steel" else rng.uniform(0.55, 0.9)
    model.sweep(np.c_[0 * y, y, 0 * y], form, grip, form * flat, power=2.6, segments=14, pieces=1)
    neck = rng.uniform(8, 18)
    rod = np.array([(0, length - 5, 0), (0, length + neck + 2, 0)])
    model.sweep(rod, rng.uniform(4, 6), steel, thick, power=4, segments=10, pieces=1)
    angle = np.linspace(-np.pi / 2, 1.5 * np.pi, 25)
    squeeze = np.array([rng.uniform(0.95, 1.2), rng.uniform(0.8, 1.05)])
    center = np.array([0, length + neck + ring * squeeze[1]])
    loop = np.stack([np.cos(angle), np.sin(angle)], -1) * ring * squeeze + center
    loop[-1] = loop[0]
    model.sweep(
        np.c_[loop, 0 * angle], rng.uniform(3.4, 4.6), steel, thick, power=4, segments=10, closed=True, pieces=6
    )
    tooth = [(-6, -ring * squeeze[1] + 1), (6, -ring * squeeze[1] + 1), (5, -ring * 0.4), (-5, -ring * 0.4)]
    model.prism(np.array(tooth) + center, -thick * 0.6, thick * 0.6, steel.solid(0.92), hull=False)
    material = "wooden" if grip.material == "wood" else grip.material
    colors = tuple(dict.fromkeys((*grip.colors, "grey")))
    return model.instance(grip, "long", [f"with a {material} handle", "with an open ring"], colors=colors, density=2000)


def _bottle_opener_bar(model: ModelBuilder, rng: Rng, thick: float) -> Instance:
    """Add a flat bar, as barkeepers use, with an opening at one end and a hole at the other."""
    word = choice(rng, weighted("grey 2, black, red, blue, green, white"))
    skin = finish(rng, "steel", word, wear=0.6, rgb=STEEL if word == "grey" else ())
    length, wide = rng.uniform(100, 175), rng.uniform(17, 21)
    t = np.linspace(0, 1, 15)
    half = (
        wide * smooth([(0.8,), (0.86,), (0.8,), (0.8,), (0.95,), (1.05,)], 15)[:, 0] * np.sqrt(np.clip(t * 30, 0.25, 1))
    )
    half = half * np.sqrt(np.clip((1 - t) * 12, 0.4, 1))
    model.plate(np.c_[-half, length * t], np.c_[half, length * t], -thick / 2, thick / 2, skin, pieces=1)
    dark = plain((40, 42, 46))
    top = length - wide * 1.05
    opening = smooth(OPENING, 24) * wide * 0.95 + np.array([0, top + 3])
    hole = circle(wide * 0.32, 16) + np.array([0, wide * 0.7])
    for outline in (opening, hole):
        model.prism(outline, -thick / 2 - 0.3, thick / 2 + 0.3, dark, hull=False)
    return model.instance(skin, "flat", ["without a grip", "with a hole at its end"], density=4000)


@generates("can opener")
def can_opener(rng: Rng) -> Instance:
    """Can openers: two long arms that close, a toothed wheel, and a winged key to turn; plastic or steel grips."""
    # Pose: lying flat, its wheel at +y and its key on top.
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL, wear=0.4)
    covered = rng.random() < 0.75
    grip = finish(rng, choice(rng, ("plastic", "rubber")), (*weighted("black 2, white"), *GRIPS)) if covered else steel
    length = rng.uniform(120, 165)
    gap = rng.uniform(7, 17)
    thick = rng.uniform(6.5, 9.5) if covered else rng.uniform(5, 6.5)
    for s in (-1, 1):
        line = [(0.45, 0.98), (0.7, 0.8), (1.0, 0.5), (1.0, 0.2), (0.8, 0)]
        path = smooth([(s * (2 + (gap + thick - 4) * a * 0.7), length * t, 0) for a, t in line], 16)
        model.sweep(path[:8], 4.4, steel, 1.5, power=4, segments=10, pieces=1)
        form = thick * smooth([(0.7,), (1.0,), (0.95,), (1.05,), (0.8,)], 12)[:, 0]
        model.sweep(path[4:], form * 0.8, grip, form * (0.8 if covered else 0.35), power=2.8, segments=14, pieces=2)
    head = rng.uniform(26, 40)
    y = length + head * np.array([-0.6, -0.25, 0.1, 0.35, 0.5])
    half = np.array([8, 11, 12, 10, 6.0])
    model.plate(np.c_[-half, y], np.c_[half, y], -1.6, 1.6, steel, pieces=1)
    at = np.array([rng.uniform(-3, 3), length - 0.05 * head])
    teeth = np.where(np.arange(32) % 2, 1.0, 0.84)[:, None] * circle(rng.uniform(8, 10.5), 32)
    model.prism(teeth + at + np.array([0, 9]), -5.5, -2, steel.solid(0.9), hull=False)
    model.prism(circle(rng.uniform(7, 9), 20) + at + np.array([4, -7]), -5, -2, steel.solid(0.8), hull=False)
    model.hull([(*(p + at), z) for p in circle(12, 10) for z in (-5.5, -1.5)])
    model.prism(circle(4.5, 14) + at, 1, 9, steel.solid(0.85), hull=False)
    wing = rng.uniform(22, 32)
    angle = rng.uniform(0, np.pi)
    t = np.linspace(-1, 1, 11)
    wide = smooth([(4,), (9,), (8,), (4.5,), (8,), (9,), (4,)], 11)[:, 0]
    ahead = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-np.sin(angle), np.cos(angle)])
    spine = at + wing * t[:, None] * ahead
    key = grip if covered and rng.random() < 0.75 else steel
    edges = [spine + s * wide[:, None] * across for s in (1, -1)]
    tall = rng.uniform(4, 7) if key is grip else 2.5
    model.plate(edges[0], edges[1], 8.0, 8 + tall, key, pieces=1)
    colors = tuple(dict.fromkeys((*grip.colors, "grey")))
    features = [f"with {grip.material} grips" if covered else "with bare steel arms", "with a turning grip"]
    features += ["with a wheel"]
    return model.instance(grip, "long", features, colors=colors, density=2200)


@generates("chopsticks")
def chopsticks(rng: Rng) -> Instance:
    """Chopsticks: a pair of slim tapered sticks side by side, of wood, bamboo, lacquer or steel, with painted ends."""
    # Pose: lying along y, their thick ends at -y.
    model = ModelBuilder()
    style = choice(rng, weighted("wood 5, lacquer 4, plastic, steel"))
    words = weighted("black 3, red 3, white, brown, blue, green, pink")
    rgb = {"wood": (*WOODS, (222, 184, 128), (216, 176, 116)), "steel": STEEL}.get(style, ())
    word = {"wood": "brown", "steel": "grey"}.get(style) or choice(rng, words)
    skin = finish(rng, "wood" if style == "lacquer" else style, word, rgb=rgb)
    length = rng.uniform(180, 250)
    thick = rng.uniform(3.2, 4.6)
    image = skin.image(2 * np.pi * thick, length)
    v = tx.uv_grid(*image.shape[:2])[1]
    banded = rng.random() < 0.55
    colors = skin.colors
    if banded:
        second = choice(rng, [c for c in ("red", "black", "yellow", "white", "blue", "green") if c != word])
        band = finish(rng, "wood", second)
        end = rng.uniform(0.12, 0.4)
        stripes = rng.random() < 0.5
        mask = (v < end) & ((np.sin(v / end * 2 * np.pi * 3) > -0.2) | (not stripes))
        image = tx.to_uint8(tx.lerp_color(image, band.tints[0], mask * 1.0))
        colors = (*colors, second)
    power = choice(rng, (2.0, 2.0, 4.0))
    apart = rng.uniform(9, 24)
    angle = rng.uniform(-0.07, 0.07)
    slip = rng.uniform(-6, 6)
    for s in (-1, 1):
        t = np.linspace(0, 1, 7)
        lean = s * angle if rng.random() < 0.5 else 0.0
        x = s * apart / 2 + lean * length * (t - 0.5) * (-1 if s * lean > 0 else 1)
        x = np.where(s * x < thick + 0.4, s * (thick + 0.4), x)
        path = np.c_[x, length * t + slip * (s > 0), 0 * t]
        model.sweep(path, thick * np.linspace(1, rng.uniform(0.36, 0.55), 7), image, power=power, segments=10, pieces=1)
    features = ["with painted ends" if banded else "", "with square edges" if power > 3 else "round"]
    return model.instance(skin, "long and thin", features, colors=colors)


def _worm(model: ModelBuilder, steel: Finish, start: float, length: float, turn: float = 0.0) -> None:
    """Add the spiral along +y from `start`, then turned about z by degrees."""
    r = 4.2
    t = np.linspace(0, 1, 50)
    out = rotation("z", turn)
    angle = 2 * np.pi * 5 * t
    radius = r * np.clip(t * 12, 0.1, 1) * np.clip((1 - t) * 10, 0.15, 1)
    path = np.c_[radius * np.cos(angle), start + length * t, radius * np.sin(angle)]
    model.sweep(path, 1.25, steel, segments=6, up=(0, 1, 0.02), hull=False, turn=out)
    corners = [(x, y, z) for x in (-r, r) for z in (-r, r) for y in (start, start + 0.9 * length)]
    model.hull([*corners, (0, start + length, 0)], turn=out)


def _word(grip: Finish) -> str:
    return "wooden" if grip.material == "wood" else grip.material


def _corkscrew_bar(model: ModelBuilder, rng: Rng, steel: Finish, grip: Finish) -> Instance:
    """Add a crosswise handle on a shaft."""
    span, thick = rng.uniform(38, 52), rng.uniform(8, 12)
    shape = smooth([(0.62, -1), (0.95, -0.8), (1.05, -0.35), (0.9, 0), (1.05, 0.35), (0.95, 0.8), (0.62, 1)], 15)
    profile = np.concatenate([[(0, -1)], shape, [(0, 1)]]) * [thick, span]
    turn = rotation("y", 90)
    model.lathe(profile, grip, segments=20, turn=turn, hull=False)
    rings = ((0.66, -1), (1.06, -0.8), (1.06, 0.8), (0.66, 1))
    model.hull([(*p, z * span) for q, z in rings for p in circle(q * thick, 14)], turn=turn)
    shaft = rng.uniform(22, 34)
    model.sweep(np.array([(0, 0, 0), (0, thick + shaft, 0)]), 2.6, steel, segments=10, pieces=1)
    _worm(model, steel, thick + shaft - 2, rng.uniform(48, 62))
    features = [f"with a {_word(grip)} handle", "without wings"]
    return model.instance(grip, "t-shaped", features, colors=(*grip.colors, "grey"), density=1200)


def _wings(model: ModelBuilder, rng: Rng, steel: Finish, grip: Finish) -> Instance:
    """Add a barrel with two arms and a grip to turn."""
    metal = steel if rng.random() < 0.65 else finish(rng, "metal", ("red", "black", "blue", "yellow"))
    body, wide = rng.uniform(72, 92), rng.uniform(11, 14)
    rings = [(0.9, 0), (1.0, 0.04), (1.0, 0.22), (0.75, 0.3), (0.62, 0.5), (0.62, 0.8), (0.8, 0.88), (0.8, 1.0)]
    profile = np.concatenate([[(0, 0)], np.array(rings) * [wide, 1], [(0, 1)]]) * [1, -body]
    model.lathe(profile[::-1], metal, segments=22, pieces=2, turn=rotation("x", 90))
    raised = rng.uniform(0.25, 1.1)
    for s in (-1, 1):
        a = np.array([s * np.sin(raised), np.cos(raised)])
        reach = rng.uniform(64, 76)
        base = np.array([s * 9.0, 0.2 * body])
        t = np.linspace(0, 1, 9)
        center = base + t[:, None] * reach * a * [1, 1]
        half = smooth([(4.5,), (4,), (4.5,), (8,), (4,)], 9)[:, 0]
        across = np.array([-a[1], a[0]])
        left = center + half[:, None] * across
        right = center - half[:, None] * across
        model.plate(left, right, -2.2, 2.2, metal.solid(0.94), pieces=2)
        model.prism(circle(9, 18) * 0.9 + base, -4, 4, metal.solid(0.88))
    model.sweep(np.array([(0, -8, 0), (0, 0.1 * body, 0)]), 3.4, steel, segments=10, pieces=1)
    _worm(model, steel, body - 3, rng.uniform(22, 45))
    head = np.array([-16.0, 0, 16]) * rng.uniform(0.9, 1.2)
    cover = metal if rng.random() < 0.6 else grip
    model.sweep(np.c_[head, np.full(3, -12.0), 0 * head], 7, cover, 4, power=3, segments=14, pieces=1)
    features = ["with two wings", "with a turning grip"]
    return model.instance(metal, "long", features, colors=metal.colors, density=2200)


def _waiter(model: ModelBuilder, rng: Rng, steel: Finish, grip: Finish) -> Instance:
    """Add a handle from which the spiral and a lever unfold."""
    half, thick = rng.uniform(50, 58), rng.uniform(5, 7)
    y = np.linspace(-half, half, 11)
    bow = rng.uniform(2, 6) * np.cos(np.linspace(-1.4, 1.4, 11))
    model.sweep(np.c_[bow, y, 0 * y], rng.uniform(6, 8), grip, thick, power=3, segments=14, pieces=2)
    for n in (1, -2):
        rivet = circle(3, 12) + np.array([bow[n], 0.92 * y[n]])
        model.prism(rivet, -thick - 0.4, thick + 0.4, steel, hull=False)
    _worm(model, steel, 4, rng.uniform(42, 52), rng.uniform(60, 110))
    lever = smooth([(float(bow[-1]), half - 6, 0), (-10, half + 2, 0), (-26, half - 8, 0), (-40, half - 14, 0)], 9)
    model.sweep(lever, 4, steel, 3, power=4, segments=10, pieces=2)
    features = [f"with a {_word(grip)} handle", "with a folding spiral", "without wings"]
    return model.instance(grip, "long", features, colors=(*grip.colors, "grey"), density=1500)


@generates("corkscrew")
def corkscrew(rng: Rng) -> Instance:
    """Corkscrews: a wire spiral under a bar for a handle, with two wings, or folded as a waiter's friend."""
    # Pose: lying flat, its spiral towards +y, or a folding one.
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    wood = rng.random() < 0.5
    grip = finish(rng, "wood", "brown", rgb=WOODS) if wood else finish(rng, "plastic", ("black", *GRIPS))
    make = choice(rng, (_corkscrew_bar, _wings, _waiter))
    return make(ModelBuilder(), rng, steel, grip)


@generates("fork")
def fork(rng: Rng) -> Instance:
    """Forks: of steel, some with a plastic or wooden handle, three or four tines, plain or curved handles."""
    # Pose: lying with its tines at +y.
    model = ModelBuilder()
    kind = choice(rng, weighted("steel 3, plastic, wood, colored handle, wooden handle"))
    length = rng.uniform(150, 210)
    tines = int(choice(rng, (3, 4, 4)))
    head = length * rng.uniform(0.3, 0.36)
    width = rng.uniform(21, 27)
    thick = rng.uniform(1.6, 2.4) if "steel" in kind or "handle" in kind else rng.uniform(2.4, 3.2)
    material = {"colored handle": "steel", "wooden handle": "steel"}.get(kind, kind)
    words = {"plastic": ("white", "red", "blue", "green", "black", "yellow", "pink"), "wood": ("brown",)}.get(
        kind, ("grey",)
    )
    skin = finish(rng, material, words, rgb={"steel": STEEL, "wood": WOODS}.get(material, ()))
    bow = rng.uniform(6, 14)

    def rise(y: Floats) -> Floats:
        t = y / length
        return np.asarray(
            bow
            * (
                np.sin(np.pi * np.clip((t - 0.35) / 0.5, 0, 1)) * -0.35
                + np.clip((t - 0.8) / 0.2, 0, 1) ** 2
                + 0.5 * np.clip(0.3 - t, 0, 1)
            )
        )

    neck = rng.uniform(2.6, 4)
    end = rng.uniform(6, 11)
    y = np.linspace(0, length - head, 9)
    half = smooth([(end * 0.8,), (end,), (end * 0.7,), (neck,), (neck,)], 9)[:, 0]
    model.plate(np.c_[-half, y], np.c_[half, y], rise(y) - thick / 2, rise(y) + thick / 2, skin, pieces=2)
    root = np.linspace(length - head, length - head * 0.52, 6)
    half = neck + (width / 2 - neck) * np.sin(np.linspace(0, np.pi / 2, 6)) ** rng.uniform(0.8, 1.6)
    model.plate(np.c_[-half, root], np.c_[half, root], rise(root) - thick / 2, rise(root) + thick / 2, skin, pieces=1)
    y = np.linspace(length - head * 0.53, length, 6)
    pitch = width / (tines - 0.45)
    for n in range(tines):
        x = (n - (tines - 1) / 2) * pitch
        half = 0.55 * pitch / 2 * np.array([1, 1, 1, 1, 0.9, 0.3])
        model.plate(np.c_[x - half, y], np.c_[x + half, y], rise(y) - thick / 2, rise(y) + thick / 2, skin, pieces=1)
    colors = skin.colors
    if "handle" in kind:
        grip = finish(rng, "plastic", ("red", "blue", "black", "green", "yellow"))
        if kind == "wooden handle":
            grip = finish(rng, "wood", "brown", rgb=WOODS)
        y = np.linspace(-2, (length - head) * 0.72, 8)
        path = np.c_[np.zeros(8), y, rise(y)]
        thickness = smooth([(0.8,), (1,), (0.9,), (0.6,)], 8)[:, 0]
        model.sweep(path, 8.5 * thickness, grip, 4.5 * thickness, power=3, segments=12, pieces=1)
        colors = (*grip.colors, *skin.colors)
    handle = {"colored handle": "with a plastic handle", "wooden handle": "with a wooden handle"}.get(kind, "")
    features = [f"with {('three', 'four')[tines - 3]} tines", handle]
    return model.instance(skin, "long and thin", features, colors=colors)


@generates("kitchen tongs")
def kitchen_tongs(rng: Rng) -> Instance:
    """Kitchen tongs: two long arms joined at one end, with scalloped or soft tips that spring apart."""
    # Pose: lying on their side, open towards +y.
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    style = choice(rng, weighted("steel, grips 2, plastic"))
    skin = steel if style != "plastic" else finish(rng, "plastic", GRIPS)
    tips = choice(rng, weighted("steel 2, soft")) if style != "plastic" else "steel"
    tip = finish(rng, "rubber", (*weighted("black 2"), *GRIPS)) if tips == "soft" else skin.solid(1.05)
    grip = finish(rng, "rubber", (*weighted("black 3"), *GRIPS))
    length = rng.uniform(180, 270)
    gap = rng.uniform(18, 42)
    thin = rng.uniform(2.2, 3.8)
    tall = rng.uniform(7, 10)
    for s in (-1, 1):
        bow = rng.uniform(0.9, 1.0)
        line = [(0.1, 0), (0.3, 0.25), (0.62 * bow, 0.55), (0.9, 0.78), (0.95, 0.9)]
        path = smooth([(s * (3 + gap * a), length * t, 0) for a, t in line], 16)
        form = np.r_[np.linspace(0.9, 1.0, 9), np.linspace(1.0, 0.8, 7)]
        model.sweep(path, thin, skin, tall * form, power=6, segments=10, pieces=3)
        if style == "grips":
            part = path[3:11]
            model.sweep(part + np.array([s * 1.2, 0, 0]), thin + 2.4, grip, tall * 1.08, power=3, segments=12, pieces=1)
        end = smooth([path[-1], path[-1] + [-s * 1, 0.04 * length, 0], path[-1] + [-s * 5, 0.1 * length, 0]], 8)
        wide = tall * smooth([(0.8,), (1.5,), (1.9,), (1.3,)], 8)[:, 0] * rng.uniform(0.9, 1.15)
        wide = wide * (1 + 0.1 * (-1.0) ** np.arange(8) * (np.arange(8) > 3))
        model.sweep(end, thin + (1.4 if tips == "soft" else 0.4), tip, wide, power=2.6, segments=12, pieces=1)
    model.prism(circle(rng.uniform(6, 9), 16) * [1, 1.3], -tall * 0.95, tall * 0.95, skin.solid(0.85))
    ring = rng.random() < 0.6
    if ring:
        loop = circle(1, 14) * [5, 8] + np.array([0, -13])
        wire = np.c_[np.r_[loop, loop[:1]], np.zeros(15)]
        model.sweep(wire, 1.2, steel.solid(0.9), segments=6, closed=True, hull=False)
        model.hull([(x, y, z) for x in (-6, 6) for y in (-22, -6) for z in (-1.2, 1.2)])
    colors = tuple(dict.fromkeys((*skin.colors, *(grip.colors if style == "grips" else ()), *tip.colors)))
    features = ["open", "with rubber tips" if tips == "soft" else "", "with a ring at the end" if ring else ""]
    features.append("with rubber grips" if style == "grips" else "")
    return model.instance(skin, "v-shaped", features, colors=colors, density=1500)


@generates("knife")
def knife(rng: Rng) -> Instance:
    """Table knives: rounded or pointed blades of steel or plastic, plain or serrated, on flat or thick handles."""
    # Pose: lying flat with its blade at +y.
    model = ModelBuilder()
    style = choice(rng, STYLES)
    skin = cutlery_finish(rng, style)
    length = rng.uniform(165, 240)
    blade = length * rng.uniform(0.42, 0.54)
    wide = rng.uniform(15, 23)
    shaft = length - blade

    def rise(y: Floats) -> Floats:
        return np.zeros(len(y))

    grip, words = cutlery_handle(model, rng, skin, style, shaft + 2, rise)
    t = np.linspace(0, 1, 22)
    y = shaft + blade * t
    back = -wide * rng.uniform(0.3, 0.45) * np.clip(0.55 + 6 * t, 0, 1) * np.sqrt(np.clip((1 - t) / 0.05, 0.01, 1))
    pointed = rng.random() < 0.35
    tip = np.clip((1 - t) / (rng.uniform(0.25, 0.4) if pointed else rng.uniform(0.06, 0.14)), 0, 1)
    edge = wide * 0.6 * np.clip(0.4 + 7 * t, 0, 1) * (0.86 + 0.14 * np.sin(np.pi * t)) * np.sin(np.pi / 2 * tip) ** 0.6
    edge = np.where(tip < 1, back + (edge - back) * np.sin(np.pi / 2 * tip) ** 0.5, edge)
    serrated = rng.random() < 0.45
    if serrated:
        edge = edge - 1.3 * (np.arange(22) % 2) * (t > 0.3) * (t < 0.92)
    thick = rng.uniform(1.4, 2.0) if skin.material == "steel" else 2.6
    right = np.c_[np.maximum(edge, back + 0.4), y]
    model.plate(np.c_[back, y], right, -thick / 2, thick / 2, skin.solid(1.04), pieces=2)
    colors = skin.colors if grip is skin else (*grip.colors, *skin.colors)
    tip_words = "with a pointed tip" if pointed else "with a rounded tip"
    features = [words, "with a serrated blade" if serrated else "", tip_words]
    return model.instance(skin, "long and thin", features, colors=colors)


@generates("ladle")
def ladle(rng: Rng) -> Instance:
    """Ladles: deep round bowls on a long handle that rises and hooks at its end; of steel, plastic or wood."""
    # Pose: its bowl open upward, its handle rising towards -y.
    model = ModelBuilder()
    material = choice(rng, weighted("steel 2, plastic 2, metal, wood"))
    rgb = {"steel": STEEL, "wood": WOODS}.get(material, ())
    words = {"steel": ("grey",), "wood": ("brown",)}.get(material, (*GRIPS, *weighted("black 4")))
    skin = finish(rng, material, words, rgb=rgb)
    r = rng.uniform(29, 43)
    deep = r * rng.uniform(0.6, 0.95)
    length = rng.uniform(150, 205)
    wall = rng.uniform(1.8, 3.0)
    t = np.linspace(0.25, np.pi / 2, 8)
    outer = np.c_[r * np.sin(t), deep * (1 - np.cos(t))]
    model.vessel(outer, wall, skin, skin.solid(0.9), wedges=7)
    rise = rng.uniform(15, 80)
    bend = [(0, -r + 1.5, deep - 3), (0, -r - 10, deep + 6), (0, -r - 0.5 * length, deep + 0.55 * rise)]
    path = smooth([*bend, (0, -r - length, deep + rise)], 16)
    half = np.linspace(rng.uniform(3.4, 5), rng.uniform(5, 9), 16)
    thick = rng.uniform(1.5, 2.6) if material in ("steel", "metal") else rng.uniform(3, 5)
    model.sweep(path, half, skin, thick, power=2.6, segments=12, pieces=2)
    hook = rng.random() < 0.35
    colors = skin.colors
    words_of_handle = ""
    if hook:
        end = path[-1]
        step = path[-1] - path[-2]
        back = np.array([0, 0.0, -1.0]) * 14
        loop = smooth([end - step * 0.3, end + step * 0.7, end + step * 1.1 + back * 0.5, end + step * 0.4 + back], 10)
        model.sweep(loop, half[-1] * 0.7, skin, thick, segments=10, pieces=2)
    elif rng.random() < 0.5:
        grip = (
            finish(rng, "wood", "brown", rgb=WOODS)
            if rng.random() < 0.3
            else finish(rng, "plastic", (*weighted("black 2"), *GRIPS))
        )
        part = path[7:]
        model.sweep(part, 1.25 * half[7:] + 1.5, grip, 5.5, power=2.4, segments=12, pieces=1)
        colors = (*skin.colors, *grip.colors)
        words_of_handle = f"with a {'wooden' if grip.material == 'wood' else 'plastic'} handle"
    features = ["with a hook at its end" if hook else "without a hook", words_of_handle]
    return model.instance(skin, "long", features, colors=colors)


@generates("spatula")
def spatula(rng: Rng) -> Instance:
    """Spatulas: turners with a flat, often slotted blade on a bent neck, and scrapers with a soft blade."""
    # Pose: lying with its blade at +y.
    model = ModelBuilder()
    material = choice(rng, weighted("steel, plastic 3, wood, rubber"))
    rgb = {"steel": STEEL, "wood": WOODS}.get(material, ())
    words = {"steel": ("grey",), "wood": ("brown",)}.get(material, (*GRIPS, *weighted("black 5")))
    skin = finish(rng, material, words, rgb=rgb)
    length, neck = rng.uniform(85, 120), rng.uniform(30, 70)
    soft = material == "rubber" or (material == "plastic" and rng.random() < 0.25)
    drop = 0.0 if soft or material == "wood" else rng.uniform(6, 20)
    grip, handle = tool_handle(model, rng, skin, length, rng.uniform(7, 10), z=drop)
    t = np.linspace(0, 1, 8)
    path = np.c_[0 * t, length - 4 + (neck + 6) * t, drop * (1 - np.clip((t - 0.3) / 0.7, 0, 1) ** 1.3)]
    model.sweep(path, rng.uniform(3, 5.5), skin, rng.uniform(1.4, 2.6), segments=10, pieces=2)
    thick = rng.uniform(1.2, 2.0) if material == "steel" else rng.uniform(2.4, 4.5)
    slots = 0 if soft else int(choice(rng, (0, 3, 3, 4, 5)))
    _blade(model, rng, skin, length + neck - 2, thick, slots, soft)
    count = ("without", "", "", "with three", "with four", "with five")[slots]
    colors = skin.colors if grip is skin else (*skin.colors, *grip.colors)
    return model.instance(skin, "long and thin", [handle, f"{count} slots", "soft" if soft else ""], colors=colors)


def _blade(model: ModelBuilder, rng: Rng, skin: Finish, start: float, thick: float, slots: int, soft: bool) -> None:
    """Add a blade along +y from `start`; a soft one has a slanted edge."""
    blade = rng.uniform(65, 95)
    wide = rng.uniform(48, 76) * (0.78 if soft else 1)
    flare, tip = rng.uniform(0.72, 1.0), rng.uniform(0.0, 0.12)

    def piece(left: Floats, right: Floats, t: Floats, hull: bool = True) -> None:
        y = start + blade * t
        model.plate(np.c_[left, y], np.c_[right, y], -thick / 2, thick / 2, skin, pieces=1, hull=hull)

    root = np.linspace(0, 0.22, 6)
    half = wide / 2 * flare * np.sin(np.pi / 2 * np.clip(root / 0.22 + 0.12, 0, 1)) ** 0.6
    piece(-half, half, root)
    t = np.linspace(0.22, 0.84, 3)
    half = wide / 2 * (flare + (1 - flare) * (t - 0.22) / 0.62)
    for n in range(slots + 1):
        ends = (n + 0.18 * (n > 0), n + 1 - 0.18 * (n < slots))
        left, right = (half * (2 * end / (slots + 1) - 1) for end in ends)
        piece(left, right, t, hull=not slots)
    if slots:
        corners = [(s * h, start + blade * a) for h, a in zip(half, t, strict=True) for s in (-1, 1)]
        model.hull([(x, y, z) for x, y in corners for z in (-thick / 2, thick / 2)])
    t = np.linspace(0.83, 1, 6)
    half = wide / 2 * np.sqrt(np.clip(1 - (np.clip(t - 1 + 2 * tip, 0, 1) / (2 * tip + 0.02)) ** 2, 0.3, 1))
    piece(-half + wide * 0.12 * (t - 0.83) / 0.17 * soft, half, t)


@generates("spoon")
def spoon(rng: Rng) -> Instance:
    """Spoons: teaspoons to tablespoons of steel, plastic or wood, some with another handle."""
    # Pose: lying with its bowl at +y, open side up.
    model = ModelBuilder()
    style = choice(rng, STYLES)
    skin = cutlery_finish(rng, style)
    length = rng.uniform(130, 210)
    head = length * rng.uniform(0.27, 0.34)
    wide, deep = head * rng.uniform(0.6, 0.78), head * rng.uniform(0.13, 0.2)
    bow = rng.uniform(6, 14)
    shaft = length - head

    def rise(y: Floats) -> Floats:
        t = y / shaft
        return np.asarray(bow * (0.35 * np.sin(np.pi * np.clip(t, 0, 1.2)) - 0.3 * np.clip(t, 0, 2) ** 2))

    grip, words = cutlery_handle(model, rng, skin, style, shaft + 0.12 * head, rise)
    z = float(rise(np.array([shaft + 0.06 * head]))[0])
    thick = 1.6 if skin.material == "steel" else 2.6
    at = (0, shaft + head / 2, z + 0.6)
    pointed = rng.uniform(-0.1, 0.16)
    scoop(model, skin, (wide, head, deep), thick, at, pointed, skin.solid(0.88))
    colors = skin.colors if grip is skin else (*grip.colors, *skin.colors)
    return model.instance(skin, "long and thin", [words], colors=colors)


@generates("vegetable peeler")
def vegetable_peeler(rng: Rng) -> Instance:
    """Vegetable peelers: a slotted blade between the arms of a y, or at the end of a straight handle."""
    # Pose: lying with its blade at +y.
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    kind = choice(rng, weighted("plastic 3, rubber, wood, steel"))
    grip = {"wood": finish(rng, "wood", "brown", rgb=WOODS), "steel": steel}.get(kind) or finish(rng, kind, GRIPS)
    length = rng.uniform(72, 108)
    thick = rng.uniform(6.5, 10)
    yoke = rng.random() < 0.55
    y = np.linspace(0, length, 11)
    form = smooth(np.array([0.75, 1.1, rng.uniform(0.85, 1.1), 1.0, 0.7])[:, None], 11)[:, 0] * thick
    model.sweep(np.c_[0 * y, y, 0 * y], form, grip, form * rng.uniform(0.5, 0.8), power=2.6, segments=14, pieces=1)
    if yoke:
        span, reach = rng.uniform(19, 26), rng.uniform(26, 38)
        arm = grip if rng.random() < 0.6 else steel
        for s in (-1, 1):
            bow = [(0.05, 0), (0.7, 0.35), (1, 0.65), (1, 1)]
            path = smooth([(s * span * a, length - 5 + (reach + 5) * t, 0) for a, t in bow], 10)
            model.sweep(path, np.linspace(4.5, 3, 10), arm, np.linspace(4.5, 3.5, 10), power=3, segments=10, pieces=2)
        at = length + reach - 4
        for side in (-1, 1):
            x = np.array([-span, span])
            edge = np.full(2, at + side * 4.6)
            left = np.c_[x, edge + 2.6]
            right = np.c_[x, edge - 2.6]
            model.plate(left, right, 1.0, 2.2, steel.solid(1.05), pieces=1)
        eye = rng.random() < 0.4
        if eye:
            loop = smooth([(span, at - 8, 0), (span + 8, at - 7, 0), (span + 9, at + 3, 0), (span, at + 4, 0)], 10)
            model.sweep(loop, 1.6, arm, segments=8, pieces=1)
        words = ["y-shaped", "with a blade across its arms"]
    else:
        blade = rng.uniform(52, 70)
        half = rng.uniform(7.5, 10.5)
        t = np.linspace(0, 1, 9)
        wide = half * smooth([(0.6,), (1.0,), (1.0,), (0.9,), (0.25,)], 9)[:, 0]
        for s in (-1, 1):
            inner = s * wide * 0.3 * (t > 0.1) * (t < 0.85)
            outer = s * wide
            left, right = (outer, inner) if s < 0 else (inner, outer)
            rise = 0.6 * np.sin(np.pi * t)
            y = length + blade * t
            model.plate(np.c_[left, y], np.c_[right, y], rise, rise + 1.4, steel.solid(1.04), pieces=1)
        model.sweep(np.array([(0, length - 4, 0), (0, length + 5, 0.6)]), 3.6, steel, 2.4, segments=10, pieces=1)
        words = ["straight", "with a slotted blade"]
    material = "wooden" if grip.material == "wood" else grip.material
    colors = tuple(dict.fromkeys((*grip.colors, "grey")))
    return model.instance(grip, "long", [*words, f"with a {material} handle"], colors=colors)


@generates("whisk")
def whisk(rng: Rng) -> Instance:
    """Whisks: loops of wire that bulge like a balloon, on a handle of steel, wood or plastic."""
    # Pose: lying with its wires at +y.
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    length, cage = rng.uniform(85, 125), rng.uniform(75, 130)
    r = cage * rng.uniform(0.22, 0.32)
    grip, words = tool_handle(model, rng, steel, length, rng.uniform(7, 10.5))
    neck = rng.uniform(4.5, 7)
    model.sweep(np.array([(0, length - 6, 0), (0, length + 9, 0)]), neck, steel, segments=12, pieces=1)
    soft = rng.random() < 0.25
    word = choice(rng, GRIPS) if soft else "grey"
    wire = plain(tint(rng, word) if soft else np.array(choice(rng, STEEL)) * rng.uniform(0.9, 1.1))
    thick = rng.uniform(1.0, 1.5) * (1.3 if soft else 1)
    loops = int(rng.integers(4, 6))
    belly = rng.uniform(0.6, 0.74)
    side = [(0, neck * 0.6), (0.2, 0.35 * r + 2), (belly, r), (0.9, 0.72 * r), (1, 0.1 * r)]
    for n in range(loops):
        turn = rotation("y", 180 * (n + 0.3) / loops)
        for s in (-1, 1):
            points = smooth([(s * q, length + 5 + cage * v, 0) for v, q in side], 13)
            model.sweep(points, thick, wire, segments=5, up=(0, 0, 1), pieces=1, turn=turn)
    features = [words, "with a balloon of wires", f"with {word} wires" if soft else "with steel wires"]
    colors = tuple(dict.fromkeys((*grip.colors, word)))
    return model.instance(grip if grip is not steel else steel, "long", features, colors=colors, density=900)

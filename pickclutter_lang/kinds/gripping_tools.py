"""Tools that grip, turn or cut: wrenches, screwdrivers, pliers, clamps and scissors."""

import numpy as np

from pickclutter_lang.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish, ribbed, tint, weighted
from pickclutter_lang.kinds.fittings import (
    ALONG_X,
    ALONG_Y,
    DARK_STEELS,
    TOOL_COLORS,
    VIVID,
    banded,
    disc,
    ring,
    screwdriver,
    steel,
    thread,
)
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, Skin, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation


@generates("adjustable wrench")
def adjustable_wrench(rng: Rng) -> Instance:
    """Adjustable wrenches: a head with a fixed and a sliding jaw, a knurled wheel, bare or gripped handles."""
    # Pose: lying with its jaws at +y.
    model = ModelBuilder()
    length = rng.uniform(105, 240)
    r, thick = length * rng.uniform(0.095, 0.12), length * rng.uniform(0.045, 0.06)
    skin = steel(rng, (*STEEL, *STEEL, (60, 62, 66), (92, 94, 98)), wear=0.8)
    turn = rotation("z", rng.uniform(16, 24))
    y = np.linspace(-length + 2.4 * r, -0.6 * r, 10)
    half = r * np.linspace(rng.uniform(0.62, 0.72), rng.uniform(0.5, 0.6), 10)
    half[0] *= 0.75
    model.sweep(np.c_[0 * y, y, 0 * y], half, skin, thick * 0.4, power=4, pieces=1)
    gripped = rng.random() < 0.45
    colors = skin.colors
    if gripped:
        grip = finish(rng, "rubber", TOOL_COLORS, wear=0.4)
        part = y[:6] - 1
        model.sweep(np.c_[0 * part, part, 0 * part], half[:6] * 1.25 + 1, grip, thick * 0.62, power=3, pieces=1)
        colors = (*grip.colors, *colors)
    else:
        disc(model, 0.32 * r, -0.42 * thick, 0.42 * thick, plain((38, 38, 42)), at=(0, y[0] + 0.6 * r, 0))
    body = (
        np.array([(-1.2, 0.25), (-1.05, -0.7), (-0.5, -1.5), (0.4, -1.45), (1.05, -0.7), (1.3, 0.05), (1.2, 0.3)]) * r
    )
    model.prism(body, -0.55 * thick, 0.55 * thick, skin, turn=turn)
    top = np.array([(-1.2, 0.2), (-0.3, 0.2), (-0.3, 1.55), (-0.6, 1.7), (-1.0, 1.3)]) * r
    model.prism(top, -0.55 * thick, 0.55 * thick, skin, turn=turn)
    gap = rng.uniform(0.05, 0.75) * r
    jaw = np.array([(-0.28, -0.1), (0.6, -0.1), (0.55, 0.3), (0.2, 1.2), (-0.05, 1.45), (-0.28, 1.45)]) * r + [gap, 0]
    model.prism(jaw, -0.48 * thick, 0.48 * thick, skin.solid(0.9), turn=turn)
    wheel = turn @ ALONG_X
    at = turn @ np.array([0.0, -0.45 * r, 0.0])
    disc(model, 0.5 * r, -0.56 * thick, 0.56 * thick, plain((46, 46, 50)), at=at)
    screw = [(0, -0.38 * r), (0.62 * thick, -0.38 * r), (0.62 * thick, 0.38 * r), (0, 0.38 * r)]
    model.lathe(screw, ribbed((150, 152, 156), 12, 0.55, 0.1, 0.9), segments=14, at=at, turn=wheel, pieces=1)
    features = ["with a rubber grip" if gripped else "with a bare metal handle", "open" if gap > 0.35 * r else ""]
    return model.instance(skin, "long and thin", features, colors=colors, density=3500)


@generates("clamp")
def clamp(rng: Rng) -> Instance:
    """Clamps: spring clamps, C-shaped screw clamps, and bar clamps with sliding arms. Pose: lying flat."""
    return choice(rng, (_spring, _spring, _frame, _bar))(rng)


def _spring(rng: Rng) -> Instance:
    """Two crossed levers, jaws at +y."""
    model = ModelBuilder()
    length = rng.uniform(90, 190)
    wide = rng.uniform(0.07, 0.1)
    w = wide * length
    metal = rng.random() < 0.3
    body = steel(rng, DARK_STEELS) if metal else finish(rng, "plastic", [*TOOL_COLORS, *weighted("black 2")], wear=0.4)
    tip = finish(rng, "rubber", [c for c in ("orange", "red", "black", "yellow", "blue") if c != body.colors[0]])
    spread = length * rng.uniform(0.16, 0.24)
    gap = rng.uniform(0, 0.09) * length
    thick = w * rng.uniform(0.9, 1.3)
    for side in (-1, 1):
        jaw = [(-side * 0.3 * w, -2), (side * w * 1.3, 0.12 * length), (side * w * 1.7, 0.25 * length)]
        jaw += [(side * (0.55 * w + gap), 0.42 * length)]
        path = np.c_[smooth(jaw, 12), np.zeros(12)]
        model.sweep(path, np.linspace(0.7 * w, 0.42 * w, 12), body, thick, power=4, segments=12, pieces=2)
        arm = [(side * 0.2 * w, 4), (-side * 0.6 * w, -0.15 * length), (-side * spread, -0.55 * length)]
        path = np.c_[smooth(arm, 10), np.zeros(10)]
        model.sweep(path, np.linspace(0.65 * w, 0.5 * w, 10), body, thick, power=4, segments=12, pieces=1)
        line = path[4:] - [0, 2, 0]
        model.sweep(line, np.linspace(0.62 * w, 0.6 * w, 6), tip if metal else body, thick * 1.12, power=3, pieces=1)
        at = np.array([side * (0.42 * w + gap), 0.43 * length, 0])
        model.box((0.8 * w, 0.13 * length, 2.2 * thick), tip, 2, at=at)
    coil = [(0, -1.15 * thick), (0.62 * w, -1.15 * thick), (0.62 * w, 1.15 * thick), (0, 1.15 * thick)]
    model.lathe(coil, plain((156, 158, 162)), segments=16, pieces=1)
    disc(model, 0.3 * w, -1.2 * thick, 1.2 * thick, plain((60, 60, 62)))
    colors = (*body.colors, *tip.colors)
    features = ["with rubber grips" if metal else "with plastic grips", "with a spring"]
    features += ["open" if gap > 0.04 * length else "closed"]
    return model.instance(body, "x-shaped", features, colors=colors, density=1200)


def _frame(rng: Rng) -> Instance:
    """A C-shaped frame that opens to -x, its threaded rod along y."""
    model = ModelBuilder()
    size = rng.uniform(55, 120)
    skin = finish(rng, "metal", ("blue", "red", "grey", "green", "black", "orange", "grey"), wear=0.9)
    w, deep = size * rng.uniform(0.06, 0.08), size * rng.uniform(0.5, 0.75)
    line = [(-deep, size), (-0.4 * deep, size), (0, 0.86 * size), (0, 0.14 * size), (-0.4 * deep, 0), (-deep, 0)]
    path = np.c_[smooth(line, 26), np.zeros(26)]
    model.sweep(path, w, skin, w * 0.8, power=4, segments=12, pieces=6)
    metal = steel(rng)
    model.lathe(
        [(0, -8), (1.6 * w, -8), (1.2 * w, 2), (0, 4)], skin, segments=16, at=(-deep, size, 0), turn=ALONG_Y, pieces=1
    )
    model.lathe(
        [(0, -6), (1.5 * w, -6), (1.5 * w, 8), (0, 8)], skin, segments=16, at=(-deep, 0, 0), turn=ALONG_Y, pieces=1
    )
    end = size * rng.uniform(0.3, 0.75)
    r = 0.75 * w
    low = end - size * 1.0
    profile = [(0, low), *thread(r, low, end, size / 40), (0, end)]
    model.lathe(profile, metal, segments=12, at=(-deep, 0, 0), turn=ALONG_Y, pieces=1)
    pad = [(0, end), (1.1 * w, end), (1.5 * w, end + 5), (0, end + 5)]
    model.lathe(pad, metal, segments=16, at=(-deep, 0, 0), turn=ALONG_Y, pieces=1)
    bar = 0.3 * size
    pin = [(0, -bar), (0.35 * w, -bar), (0.6 * w, -bar + 2), (0.35 * w, -bar + 4), (0.35 * w, bar), (0.6 * w, bar + 2)]
    pin += [(0, bar + 3)]
    model.lathe(pin, metal, segments=10, at=(-deep, low + 4, 0), turn=ALONG_X, pieces=1)
    return model.instance(skin, "c-shaped", ["with a screw handle"], colors=(*skin.colors, "grey"), density=3500)


def _bar(rng: Rng) -> Instance:
    """A rail along y with a fixed arm, a sliding arm, and a threaded rod with a handle."""
    model = ModelBuilder()
    length = rng.uniform(150, 260)
    w, deep = length * rng.uniform(0.03, 0.04), length * rng.uniform(0.28, 0.38)
    metal = steel(rng)
    skin = finish(rng, choice(rng, ("plastic", "metal")), [*TOOL_COLORS, "grey"], wear=0.6)
    model.box((2 * w, length, 0.9 * w), metal, 0.6, at=(0, length / 2, 0))
    slide = rng.uniform(0.3, 0.62) * length
    for y in (length - 1.3 * w, slide):
        x = np.array([-1.4 * w, 0.5 * deep, deep + w])
        half = np.array([1.6, 1.5, 1.0]) * w
        model.sweep(np.c_[x, np.full(3, y), 0 * x], half, skin, 0.95 * w, power=4, segments=12, pieces=1)
    low = slide - 0.3 * length
    top = slide + 0.12 * length
    profile = [(0, low), *thread(0.6 * w, low, top, length / 60), (0, top)]
    model.lathe(profile, metal, segments=10, at=(deep, 0, 0), turn=ALONG_Y, pieces=1)
    for y in (top, length - 2.4 * w):
        profile = [(0, -3), (1.3 * w, -3), (1.3 * w, 3), (0, 3)]
        model.lathe(profile, plain((40, 40, 42)), segments=16, at=(deep, y, 0), turn=ALONG_Y, pieces=1)
    wooden = rng.random() < 0.5
    grip: Skin = finish(rng, "wood", "brown", rgb=WOODS) if wooden else plain(tint(rng, "black"))
    form = smooth([(0.9, 0), (1.3, 0.2), (1.1, 0.6), (1.35, 0.85), (0.9, 1)], 10) * [w, 0.32 * length]
    profile = [(0, 0), *form, (0, 0.32 * length)]
    model.lathe(profile, grip, segments=16, at=(deep, low - 0.22 * length, 0), turn=ALONG_Y, pieces=1)
    features = ["with a sliding arm", "with a wooden handle" if wooden else "with a plastic handle"]
    return model.instance(metal, "f-shaped", features, colors=(*skin.colors, "grey"), density=2500)


@generates("flat screwdriver")
def flat_screwdriver(rng: Rng) -> Instance:
    """Flat screwdrivers: grips of plastic or wood, fluted or soft, a round shaft and a flat, widened tip."""
    # Pose: lying with its tip at +y.
    model = ModelBuilder()
    skin, colors, thin, features = screwdriver(model, rng)
    tip = rng.uniform(10, 18)
    wide = rng.uniform(1.15, 1.9)
    y = np.array([-0.5, 0.2, 0.45, 0.75, 1]) * tip
    tip_skin: Skin = plain((52, 52, 54)) if rng.random() < 0.5 else steel(rng)
    widths = np.array([1, 1, wide, wide, 0.95 * wide])
    heights = np.array([1, 0.9, 0.6, 0.35, 0.2])
    model.sweep(np.c_[0 * y, y, 0 * y], thin * widths, tip_skin, thin * heights, power=4, segments=16, pieces=1)
    blade = choice(rng, ("with a flat tip", "with a flat blade"))
    return model.instance(skin, "long and thin", [*features, blade], colors, density=1400)


NEAR_BLACK = ((40, 40, 43), (54, 54, 58), (32, 32, 34))


@generates("hex key")
def hex_key(rng: Rng) -> Instance:
    """Hex keys: L-shaped rods of six-sided steel, bright or black, some with a ball end or a colored sleeve."""
    model = ModelBuilder()
    r = rng.uniform(1.4, 5)
    long = 26 + r * rng.uniform(18, 30)
    short = 10 + r * rng.uniform(4, 6.5)
    if rng.random() < 0.2:
        short = long * rng.uniform(0.28, 0.4)
    black = rng.random() < 0.45
    skin = finish(rng, "steel", "black", wear=0.7, rgb=NEAR_BLACK) if black else steel(rng, DARK_STEELS[:3], wear=0.7)
    bend = r * rng.uniform(2, 3)
    t = np.radians(np.linspace(0, 90, 7))
    corner = np.c_[bend - bend * np.cos(t), bend - bend * np.sin(t)]
    line = np.concatenate([[(0, long), (0, 0.6 * long)], corner, [(short * 0.6, 0), (short, 0)]])
    path = np.c_[line, np.zeros(len(line))]
    model.sweep(path, r, skin, segments=6, pieces=4)
    ball = rng.random() < 0.3
    if ball:
        model.ball((2.1 * r, 2.3 * r, 2.1 * r), skin, rows=9, segments=10, at=(0, long + 0.9 * r, 0))
    sleeve = rng.random() < 0.25
    colors = skin.colors
    if sleeve:
        word = choice(rng, VIVID[:5])
        y = np.array([0.28, 0.72]) * long
        model.sweep(np.c_[0 * y, y, 0 * y], 1.45 * r, plain(tint(rng, word)), segments=12, pieces=1)
        colors = (*colors, word)
    features = ["with a ball end" if ball else "", "with a colored sleeve" if sleeve else "", "with six sides"]
    return model.instance(skin, "l-shaped", features, colors=colors, density=6500)


@generates("phillips screwdriver")
def phillips_screwdriver(rng: Rng) -> Instance:
    """Phillips screwdrivers: grips of plastic or wood, fluted or soft, a round shaft and a cross-shaped tip."""
    # Pose: lying with its tip at +y.
    model = ModelBuilder()
    skin, colors, thin, features = screwdriver(model, rng)
    tip = rng.uniform(7, 12)
    y = np.array([-0.5, 0.25 * tip, 0.5 * tip, 0.9 * tip, tip])
    dark = plain(choice(rng, ((44, 44, 46), (70, 70, 72), (150, 152, 156))))
    widths = thin * np.array([1.05, 1.05, 0.95, 0.4, 0.15])
    model.sweep(np.c_[0 * y, y, 0 * y], widths, dark, power=0.85, segments=16, pieces=1)
    return model.instance(skin, "long and thin", [*features, "with a cross-shaped tip"], colors, density=1400)


@generates("pliers")
def pliers(rng: Rng) -> Instance:
    """Pliers: combination and needle-nose ones, two crossed halves with dipped or soft handles."""
    # Pose: lying with their jaws at +y.
    model = ModelBuilder()
    form = choice(rng, weighted("broad 2, needle"))
    handle = rng.uniform(85, 125)
    jaw = handle * (rng.uniform(0.36, 0.45) if form == "broad" else rng.uniform(0.5, 0.68))
    metal = steel(rng, DARK_STEELS, wear=0.8)
    bare = rng.random() < 0.08
    skin = metal if bare else finish(rng, choice(rng, ("plastic", "rubber")), TOOL_COLORS, wear=0.4)
    grip: Skin = skin
    colors = metal.colors if bare else (*skin.colors, *metal.colors)
    if not bare and rng.random() < 0.45:
        second = choice(rng, [c for c in ("black", "yellow", "grey", "red") if c != skin.colors[0]])
        cuts = rng.uniform(0.12, 0.3), rng.uniform(0.6, 0.85)
        grip = banded([(0, skin.tints[0]), (cuts[0], tint(rng, second)), (cuts[1], skin.tints[0])])
        colors = (skin.colors[0], second, *metal.colors)
    angle = rng.uniform(0, 5) if rng.random() < 0.6 else rng.uniform(6, 16)
    wide = handle * rng.uniform(0.08, 0.1)
    thick = rng.uniform(4.5, 6.5)
    bow, spread = rng.uniform(0.1, 0.2) * handle, rng.uniform(0.13, 0.2) * handle
    for side in (-1, 1):
        turn = rotation("z", -0.5 * angle * side)
        y = np.linspace(0, jaw, 8)
        tip = 0.5 * (2.8 if form == "needle" else rng.uniform(6.5, 8))
        half = np.interp(y / jaw, [0, 0.35, 1], [0.62 * wide, 0.5 * wide, tip])
        if form == "needle":
            half = np.interp(y / jaw, [0, 0.25, 1], [0.6 * wide, 0.4 * wide, tip])
        track = np.c_[side * (half + 0.2), y, 0 * y]
        model.sweep(track, half, metal, np.linspace(thick, 0.7 * thick, 8), power=4, turn=turn, pieces=1)
        line = [(-side * 2, 6), (side * 0.3 * bow, -0.12 * handle), (side * (bow + 4), -0.45 * handle)]
        line += [(side * spread, -handle)]
        path = smooth(np.c_[np.array(line), np.zeros(4)], 14)
        model.sweep(path[:6], np.linspace(0.55 * wide, 0.4 * wide, 6), metal, 0.8 * thick, power=3, turn=turn, pieces=2)
        form_width = np.interp(np.linspace(0, 1, 11), [0, 0.12, 0.5, 0.9, 1], [0.62, 0.5, 0.56, 0.52, 0.35])
        model.sweep(path[3:], form_width * wide, grip, form_width * wide * 0.95, power=2.4, turn=turn, pieces=2)
    disc(model, 0.85 * wide, -thick, thick, metal.solid(0.95))
    disc(model, 0.4 * wide, -thick - 0.8, thick + 0.8, metal.solid(0.7))
    features = ["with long thin jaws" if form == "needle" else "with broad jaws", "open" if angle > 8 else ""]
    features += ["" if bare else f"with {skin.material} grips"]
    return model.instance(skin, "x-shaped", features, colors=colors, material=skin.material, density=2500)


@generates("scissors")
def scissors(rng: Rng) -> Instance:
    """Scissors: two blades crossed at a rivet, with plastic loops of many colors, or wholly of steel."""
    # Pose: lying with their points at +y.
    model = ModelBuilder()
    blade = rng.uniform(55, 130)
    form = choice(rng, weighted("pointed 3, rounded"))
    metal = steel(rng, (*STEEL, (120, 122, 126)))
    bare = rng.random() < 0.12
    skin = metal if bare else finish(rng, "plastic", [*VIVID, "black", "grey", "red"], wear=0.4)
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
    turn = rotation("z", 0.5 * angle * side)
    lift = 1.4 * side
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


@generates("wrench")
def wrench(rng: Rng) -> Instance:
    """Wrenches: combination and double open-ended ones of chromed or dark steel. Pose: lying along y."""
    model = ModelBuilder()
    form = choice(rng, weighted("combination 2, open, ring"))
    jaw = rng.uniform(4, 11)
    length = jaw * rng.uniform(15, 20) + 30
    thick = 2.2 + 0.32 * jaw
    skin = steel(rng, (*STEEL, *STEEL, (70, 72, 76), (96, 96, 100)), wear=0.8)
    y = np.linspace(-0.5, 0.5, 9) * (length - 3.4 * jaw)
    waist = np.interp(np.abs(y) / y.max(), [0, 0.7, 1], [0.82, 0.9, 1.25])
    model.sweep(np.c_[0 * y, y, 0 * y], waist * jaw, skin, thick / 2, power=rng.uniform(3, 6), pieces=1)
    if rng.random() < 0.6:
        low = y[1:-1]
        model.sweep(np.c_[0 * low, low, 0 * low], 0.4 * jaw, skin.solid(0.8), 0.54 * thick, power=5, hull=False)
    small = jaw * rng.uniform(0.8, 0.95) if form == "open" else jaw
    for side, size in ((1, jaw), (-1, small)):
        at = np.array([0, side * (length / 2 - 1.5 * size), 0])
        if form == "ring" or (form == "combination" and side < 0):
            ring(model, size, 1.62 * size, thick * 1.35, skin, at=at, edge=0.6)
        else:
            tilt = rotation("z", (0 if side > 0 else 180) + 15 * choice(rng, (-1, 1)))
            _jaws(model, size, thick * 1.2, skin, at, tilt)
    words = {
        "combination": ("with an open end and a ring end",),
        "open": ("with two open ends",),
        "ring": ("with two ring ends",),
    }
    return model.instance(skin, "long and thin", words[form], density=4500)


def _jaws(model: ModelBuilder, jaw: float, thick: float, skin: Finish, at: Floats, turn: Floats) -> None:
    """Add an open end: a disc with a slot of half-width `jaw` that opens towards +y."""
    angle = np.radians(np.linspace(58, -238, 15))
    outer = 2.15 * jaw * np.c_[np.cos(angle), np.sin(angle)] * [0.95, 1.0]
    slot = [(1, 1.75), (1, 1.0), (1, 0.2), (0.9, -0.4), (0.45, -0.75)]
    right = np.array([*slot, (0, -0.85)])
    half = np.c_[
        np.interp(np.linspace(0, 5, 8), range(6), right[:, 0]), np.interp(np.linspace(0, 5, 8), range(6), right[:, 1])
    ]
    inner = jaw * np.concatenate([half, half[-2::-1] * [-1, 1]])
    model.plate(outer, inner, -thick / 2, thick / 2, skin, pieces=4, at=at, turn=turn)

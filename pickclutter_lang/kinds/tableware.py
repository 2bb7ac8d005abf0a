"""Tableware, and what it shares: dishes with a flat rim, vessels with a spout, loop handles, and rims."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pickclutter_lang.kinds.containers import add_label, round_hull
from pickclutter_lang.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish, peel, tint, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, Profile, Skin, plain, smooth, squarish
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle

CHINA = weighted("white 6, blue 2, red, green, yellow, turquoise, grey, black, pink, orange, brown")
CHINA_PATTERNS = weighted("plain 5, striped, dotted, floral 2, speckled, two-coloured")
PLATE_PATTERNS = weighted("plain 9, striped, dotted, floral 2, speckled, two-coloured")
Bend = Callable[[Floats], Floats]


def china(rng: Rng, patterns: Sequence[str] = CHINA_PATTERNS) -> Finish:
    """Return the finish of ceramic tableware."""
    return finish(rng, "ceramic", CHINA, patterns, wear=0.2)


def dish(
    model: ModelBuilder,
    outer: Profile,
    inner: Profile,
    skin: Skin,
    inside: Skin,
    wedges: int = 8,
    bend: Bend | None = None,
    segments: int = 32,
) -> None:
    """Add a hollow body, flat or deep: `outer` goes from the foot to the rim, `inner` from the rim to the middle.

    :param inside: skin of the inner side, whose v runs from the rim (0) to the middle (1)
    :param bend: moves the points [N, 3], to make an oval or a spout
    """
    out, hollow = np.asarray(outer, dtype=float), np.asarray(inner, dtype=float)
    model.lathe(np.concatenate([[(0, out[0, 1])], out]), skin, segments, bend=bend, hull=False)
    model.lathe(np.concatenate([out[-1:], hollow]), inside, segments, bend=bend, hull=False)
    move = bend or (lambda p: p)
    angles = np.linspace(0, 2 * np.pi, 2 * wedges + 1)
    floor = float(hollow[-1, 1])
    wall = [(r, z) for r, z in (*out, *hollow) if r > 0.9 * float(out[0, 0]) or z > floor + 1]
    for n in range(wedges):
        part = [(r * np.cos(a), r * np.sin(a), z) for a in angles[2 * n : 2 * n + 3] for r, z in wall]
        model.hull(move(np.array(part)))
    low = (float(out[0, 0]), float(out[0, 1]))
    top = (float(out[0, 0]), floor)
    model.hull(move(np.array([(r * np.cos(a), r * np.sin(a), z) for a in angles for r, z in (low, top)])))


def spout(height: float, reach: float, width: float) -> Bend:
    """Return a bend that pulls the rim at `height` out towards -y by `reach` mm, over an angle of `width` radians."""

    def move(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 0], -points[:, 1])
        share = np.exp(-((angle / width) ** 2)) * np.clip(points[:, 2] / height, 0, 1) ** 4
        share = share * (np.hypot(points[:, 0], points[:, 1]) > 1)
        return np.asarray(points + np.stack([0 * angle, -reach * share, 0.15 * reach * share], -1))

    return move


def loop_handle(
    model: ModelBuilder,
    rng: Rng,
    skin: Skin,
    outer: Floats,
    top: float,
    low: float,
    reach: float,
    thick: float,
    open_end: bool = False,
) -> None:
    """Add an ear at +y between two heights of a wall (radius, height) in mm; with `open_end` it hangs from the top."""
    at_top, at_low = (float(np.interp(z, outer[:, 1], outer[:, 0])) - 1.5 for z in (top, low))
    far = max(at_top, at_low) + reach
    loop = [(at_top, top), (far - 0.3 * reach, top + rng.uniform(-1, 4)), (far, (top + low) / 2 + 0.15 * (top - low))]
    loop += [(far - 0.1 * reach, low)] if open_end else [(far - 0.35 * reach, low + 3), (at_low, low)]
    path = smooth([(0, y, z) for y, z in loop], 14)
    wide = thick * rng.uniform(0.9, 1.6)
    model.sweep(path, wide, skin, thick, power=rng.uniform(2, 3.2), up=(1, 0, 0), segments=12, pieces=3)


def glass(rng: Rng) -> Finish:
    """Return the finish of clear or tinted glass."""
    word = choice(rng, weighted("white 14, blue 2, green 2, turquoise, pink, purple, grey 2"))
    tinted = finish(rng, "glass", word)
    pale = {"white": (206, 214, 216), "grey": (150, 154, 158)}.get(word)
    return tinted.painted(np.array(pale) * rng.uniform(0.92, 1.06)) if pale else tinted


def seen_from_above(skin: Finish, radius: float, flat: bool) -> TextureImage:
    """Return the image of the inner side of a round dish: of rings, or (`flat`) as printed from above."""
    if not flat:
        return skin.image(2 * np.pi * radius, radius)
    printed = skin.image(2 * radius, 2 * radius)
    u, v = tx.uv_grid(72, 200)
    last = len(printed) - 1
    rows, cols = (0.5 + 0.5 * (1 - v) * f(2 * np.pi * u) for f in (np.sin, np.cos))
    return np.asarray(printed[((1 - rows) * last).round().astype(int), (cols * last).round().astype(int)])


def rim_band(rng: Rng, image: TextureImage, word: str, start: tuple[float, float] = (0.0, 0.16)) -> TextureImage:
    """Paint a ring of a color near the rim of an image as `seen_from_above`; `start` is the range of its place."""
    _, v = tx.uv_grid(*image.shape[:2])
    low = rng.uniform(*start)
    wide = rng.uniform(0.03, 0.15)
    return tx.to_uint8(tx.lerp_color(image, tint(rng, word), ((v > low) & (v < low + wide)) * 1.0))


def pour(
    model: ModelBuilder,
    outer: Floats,
    wall: float,
    floor: float,
    level: float,
    color: Floats,
    glassy: Floats,
    up: float = 0.0,
) -> None:
    """Fill a glass of (radius, height) with a drink of a color up to a level in mm, seen through its wall as well."""
    radius = float(np.interp(level, outer[:, 1], outer[:, 0]))
    below = np.array([(q, z) for q, z in outer if floor < z < level - 1] + [(radius, level)])
    inner = np.maximum(below - np.array([wall + 0.2, 0]), 0.5)
    first = (float(np.interp(floor, outer[:, 1], outer[:, 0])) - wall - 0.2, floor)
    liquid = np.concatenate([[(0, floor), first], inner, [(0, level)]])
    model.lathe(liquid + np.array([0, up]), plain(color), pieces=1)
    seen = np.concatenate([below + np.array([0.3, 0]), below[::-1]]) + np.array([0, up])
    model.lathe(seen, plain(0.75 * color + 0.25 * glassy), hull=False)


MATERIALS = weighted("ceramic 5, plastic 3, metal 2, wood, steel, glass")
BOWL_COLORS = weighted("white 3, red 3, blue 2, green, yellow, orange, turquoise, pink, black, grey, purple")
BOWL_PATTERNS = weighted("plain 5, striped, dotted, floral, speckled, two-coloured")


@generates("bowl")
def bowl(rng: Rng) -> Instance:
    """Bowls: round, conical or steep, of ceramic, metal, plastic, wood or glass; another color inside."""
    model = ModelBuilder()
    material = choice(rng, MATERIALS)
    words = {"wood": ("brown",), "steel": ("grey",), "glass": ("white", "blue", "green")}.get(material, BOWL_COLORS)
    patterns = BOWL_PATTERNS if material in ("ceramic", "plastic") else ("plain",)
    rgb = {"wood": WOODS, "steel": STEEL}.get(material, ())
    skin = finish(rng, material, words, patterns, wear=0.3, rgb=rgb)
    white = material in ("ceramic", "metal") and rng.random() < 0.4
    inside = skin.painted((238, 236, 228)) if white else skin.solid(rng.uniform(0.9, 1.1))
    r = rng.uniform(52, 88)
    h, foot = r * rng.uniform(0.62, 1.05), r * rng.uniform(0.4, 0.62)
    full = rng.uniform(0.05, 0.3)
    wide = foot + (r - foot) * (0.33 + full)
    outer = smooth([(foot, 0), (wide, 0.22 * h), (r * (0.88 + 0.1 * full), 0.62 * h), (r, h)], 9)
    if rng.random() < 0.4:
        model.lathe([(0, -3), (foot * 0.9, -3), (foot * 0.92, 1), (0, 1)], skin.solid(), segments=20, pieces=1)
    model.vessel(outer, rng.uniform(2.5, 5), skin, inside)
    if rng.random() < 0.15:
        edge = [(r - 5.2, h), (r + 1, h - 2), (r + 1.6, h), (r - 1, h + 1.2), (r - 5.2, h)]
        model.lathe(edge, skin.solid(0.8), hull=False)
    deep = "deep" if h > 0.9 * r else "shallow" if h < 0.7 * r else ""
    return model.instance(skin, "hemispherical", ["with a white inside" if white else "", deep, "empty"])


DRINKS = {"water": (178, 200, 212), "juice": (232, 148, 30), "milk": (240, 238, 230), "cola": (64, 34, 22)}


@generates("drinking glass")
def drinking_glass(rng: Rng) -> Instance:
    """Drinking glasses: tumblers and tall glasses, straight or tapered, clear or tinted, some with a drink."""
    model = ModelBuilder()
    skin = glass(rng)
    tall = rng.random() < 0.5
    r = rng.uniform(27, 36) if tall else rng.uniform(33, 43)
    h = r * (rng.uniform(3.4, 4.6) if tall else rng.uniform(1.9, 2.7))
    form = choice(rng, weighted("straight, tapered 2, waisted, bellied"))
    foot = r * {"straight": 0.97, "tapered": rng.uniform(0.66, 0.86), "waisted": 0.86, "bellied": 0.74}[form]
    middle = {"straight": 0.985, "tapered": (foot / r + 1) / 2, "waisted": 0.76, "bellied": 1.04}[form] * r
    outer = smooth([(foot, 0), (middle, 0.5 * h), (r, h)], 9)
    wall = rng.uniform(1.4, 2.4)
    floor = rng.uniform(4, 11)
    decor = choice(rng, weighted("none 3, facets, stripes, print"))
    inside = skin.painted(skin.tints[0] * rng.uniform(0.82, 0.95))
    side = skin
    colors = skin.colors
    if decor == "print":
        prints = ("dotted", "floral", "striped")
        side = finish(rng, "glass", skin.colors[0], prints, pitch=(10, 22), rgb=(skin.tints[0].tolist(),))
        colors = side.colors
    model.vessel(outer, wall, side, inside, floor)
    if decor in ("facets", "stripes"):
        u, v = tx.uv_grid(64, 160)
        ribs = 0.5 + 0.5 * np.cos(2 * np.pi * u * (int(rng.integers(9, 15)) if decor == "facets" else 36))
        fade = 1 - tx.smoothstep(v, 0.28, 0.32)
        image = tx.to_uint8(skin.tints[0] * (1.08 - 0.3 * (ribs * fade)[..., None]))
        model.lathe(np.concatenate([outer + np.array([0.25, 0]), outer[::-1]]), image, hull=False)
    drink = choice(rng, ("", "", "", *DRINKS))
    if drink:
        level = h * rng.uniform(0.55, 0.85)
        color = np.array(DRINKS[drink]) * rng.uniform(0.9, 1.05)
        pour(model, outer, wall, floor, level, color, skin.tints[0])
        colors = ({"water": "white", "juice": "orange", "milk": "white", "cola": "brown"}[drink], *colors)
    words = {"facets": "with facets", "stripes": "with grooves"}.get(decor, "")
    features = [words, "tall" if tall else "short", f"with {drink} in it" if drink else "empty", "without a handle"]
    pattern = side.pattern if decor == "print" and not drink else "plain"
    return model.instance(skin, "cup-shaped", features, colors=colors, pattern=pattern)


@generates("egg cup")
def egg_cup(rng: Rng) -> Instance:
    """Egg cups: small cups on a foot or a stem, empty or with an egg in them. Pose: standing."""
    model = ModelBuilder()
    material = choice(rng, weighted("ceramic 6, plastic 3, steel, wood"))
    words = {"steel": ("grey",), "wood": ("brown",)}.get(material, (*CHINA, "red", "yellow", "orange", "blue"))
    rgb = {"steel": STEEL, "wood": WOODS}.get(material, ())
    patterns = CHINA_PATTERNS if material == "ceramic" else ("plain",)
    skin = finish(rng, material, words, patterns, pitch=(5, 12), rgb=rgb)
    r = rng.uniform(22, 26)
    wall = rng.uniform(2.2, 3.2)
    bowl = r * rng.uniform(1.0, 1.35)
    up = rng.uniform(0.25, 1.2) * r
    waist, foot = r * rng.uniform(0.28, 0.5), r * rng.uniform(0.66, 0.95)
    outer = smooth([(waist, 0), (0.8 * r, 0.3 * bowl), (r, 0.75 * bowl), (r * rng.uniform(0.97, 1.04), bowl)], 9)
    model.vessel(outer, wall, skin, skin.solid(0.94), at=(0, 0, up), wedges=7)
    stem = smooth([(foot, 0), (foot * 0.96, 2.5), (waist * 1.1, 0.55 * up + 2), (waist, up + 2)], 10)
    model.lathe([(0, 0), *stem, (0, up + 2)], skin.solid(), segments=24, pieces=2)
    egg = rng.random() < 0.45
    brown = rng.random() < 0.6
    if egg:
        base = np.array((206, 154, 110) if brown else (240, 236, 228)) * rng.uniform(0.92, 1.04)
        shell = peel(rng, base, 0.03, spots=(base * 0.86, 0.03), texels=(40, 56))
        z = up + bowl * 0.98
        size = (1.98 * (r - wall), 1.98 * (r - wall), 2.61 * (r - wall))
        model.ball(size, shell, lambda q: 1 - 0.06 * np.clip(q[..., 2], 0, 1), at=(0, 0, z), hull=False)
        a, c = size[0] / 2, size[2] / 2
        rows = ((0.6, -0.8), (1, 0), (0.8, 0.5), (0.5, 0.8), (0.05, 0.95))
        round_hull(model, *((a * q, z + c * t) for q, t in rows))
    tall = "with a tall stem" if up > 0.9 * r else "with a low foot"
    content = f"with a {'brown' if brown else 'white'} egg in it" if egg else "empty"
    return model.instance(skin, "goblet", [content, tall])


MUG_PATTERNS = weighted("plain 3, striped, dotted, floral, speckled, two-coloured, checkered")


@generates("mug")
def mug(rng: Rng) -> Instance:
    """Mugs: round or waisted, with or without a handle, glazed inside in another color."""
    model = ModelBuilder()
    material = choice(rng, weighted("ceramic 3, metal"))
    skin = finish(
        rng,
        material,
        weighted("white 3, red, blue, green, yellow, black, grey, pink, orange, turquoise, brown, purple"),
        MUG_PATTERNS,
    )
    inside = skin.painted((238, 236, 228)) if rng.random() < 0.6 else skin.solid()
    radius, height = rng.uniform(36, 46), rng.uniform(78, 112)
    foot = radius * rng.uniform(0.72, 0.98)
    belly = radius * rng.uniform(0.94, 1.12)
    rim = radius
    wall = rng.uniform(3, 4.5)
    outer = smooth([(foot, 0), (belly, height * rng.uniform(0.25, 0.5)), (rim, height)], 9)
    model.vessel(outer, wall, skin, inside)
    handle = rng.random() < 0.9
    if handle:
        top, low = height * rng.uniform(0.78, 0.9), height * rng.uniform(0.15, 0.3)
        reach = rng.uniform(24, 34)
        at_top, at_low = (float(np.interp(z, outer[:, 1], outer[:, 0])) - 2 for z in (top, low))
        loop = [(at_top, top), (radius + 0.7 * reach, top - 1), (radius + reach, (top + low) / 2 + 6)]
        loop += [(radius + 0.6 * reach, low + 4), (at_low, low)]
        path = smooth([(0, y, z) for y, z in loop], 15)
        thick = rng.uniform(4, 6)
        model.sweep(path, thick * rng.uniform(0.9, 1.5), skin.solid(), thick, power=2.6, up=(1, 0, 0), pieces=3)
    return model.instance(skin, "cup-shaped", ["with a handle" if handle else "without a handle"])


@generates("pitcher")
def pitcher(rng: Rng) -> Instance:
    """Pitchers: tall jugs with a pouring lip and a large ear, of ceramic, plastic, metal or glass."""
    # Pose: standing, its lip at -y.
    model = ModelBuilder()
    material = choice(rng, weighted("ceramic 4, plastic 4, glass 2, metal, steel"))
    if material == "ceramic":
        skin = china(rng)
    elif material == "glass":
        skin = glass(rng)
    else:
        words = "grey" if material == "steel" else (*CHINA, *weighted("blue 2, red, purple"))
        skin = finish(rng, material, words, rgb=STEEL if material == "steel" else ())
    r = rng.uniform(40, 62)
    h = r * rng.uniform(2.3, 3.6)
    foot, neck, rim = r * rng.uniform(0.72, 1.0), r * rng.uniform(0.68, 1.0), r * rng.uniform(0.78, 1.0)
    belly = h * rng.uniform(0.22, 0.5)
    outer = smooth([(foot, 0), (r, belly), (neck, h * 0.8), (rim, h)], 11)
    wall = rng.uniform(3, 4.5)
    inner = np.array([*(outer[::-1] - [wall, 0])[:-1], (foot - wall, wall + 1), (0, wall + 1)])
    inside = skin.painted((236, 234, 226)) if skin.material == "ceramic" and rng.random() < 0.4 else skin.solid(0.92)
    dish(model, outer, inner, skin, inside, bend=spout(h, r * rng.uniform(0.3, 0.55), rng.uniform(0.35, 0.55)))
    top, low = h * rng.uniform(0.84, 0.94), h * rng.uniform(0.2, 0.4)
    loop_handle(model, rng, skin.solid(), outer, top, low, r * rng.uniform(0.55, 0.8), rng.uniform(4.5, 7))
    tall = "tall" if h > 3 * r else "short and wide" if h < 2.6 * r else ""
    return model.instance(skin, "cylindrical", ["with a handle", "with a spout", "without a lid", tall])


BRIGHT = weighted("white 2, red 2, blue 2, green, yellow, orange, pink, turquoise, purple")
RINGS = weighted("blue 2, red, green, black, yellow, grey, brown")


@generates("plate")
def plate(rng: Rng) -> Instance:
    """Plates: flat round dishes, some square, of ceramic, plastic, paper or glass, with a rim of another color."""
    # Pose: lying with its upper side up.
    model = ModelBuilder()
    material = choice(rng, weighted("ceramic 6, plastic 2, paper, metal, wood"))
    if material == "ceramic":
        skin = china(rng, PLATE_PATTERNS)
    elif material == "wood":
        skin = finish(rng, "wood", "brown", rgb=WOODS)
    else:
        skin = finish(rng, material, BRIGHT, PLATE_PATTERNS if material != "metal" else "plain")
    r = rng.uniform(70, 118)
    thick = rng.uniform(2.2, 4.0)
    h, foot = r * rng.uniform(0.11, 0.2), r * rng.uniform(0.5, 0.66)
    well = foot * rng.uniform(1.05, 1.2)
    outer = smooth([(foot, 0), (well, 0.3 * h), (0.55 * well + 0.45 * r, 0.66 * h), (r, h)], 9)
    slope = outer[::-1][1:-2] + np.array([-1, thick])
    inner = np.array([(r - 1, h + 0.6), *slope, (well * 0.9, thick * 1.3), (0, thick * 1.1)])
    ring = skin.pattern == "plain" and rng.random() < 0.5
    inside = seen_from_above(skin, r, rng.random() < 0.6)
    colors = skin.colors
    if ring:
        word = choice(rng, [c for c in RINGS if c != colors[0]])
        inside = rim_band(rng, inside, word)
        colors = (*colors, word)
    square = rng.random() < 0.14
    dish(model, outer, inner, skin.solid(), inside, bend=squarish(rng.uniform(5, 8)) if square else None)
    features = ["square" if square else "round", "with a colored rim" if ring else "", "empty"]
    return model.instance(skin, "flat", features, colors=colors)


@generates("salt shaker")
def salt_shaker(rng: Rng) -> Instance:
    """Salt shakers: small bodies of glass, ceramic, steel or wood with a domed top that has holes. Pose: standing."""
    model = ModelBuilder()
    material = choice(rng, weighted("glass 7, ceramic 4, steel 2, wood, plastic"))
    if material == "glass":
        skin = glass(rng).painted(np.array((224, 226, 226)) * rng.uniform(0.94, 1.04))
        colors: tuple[str, ...] = ("white", "grey")
    else:
        whites = weighted("white 6, red, blue, green, black")
        skin = {
            "ceramic": finish(rng, "ceramic", whites, weighted("plain 2, floral")),
            "steel": finish(rng, "steel", "grey", rgb=STEEL),
        }.get(material) or finish(
            rng, material, "brown" if material == "wood" else whites, rgb=WOODS if material == "wood" else ()
        )
        colors = skin.colors
    r = rng.uniform(16, 23)
    h, neck = r * rng.uniform(2.5, 4.0), r * rng.uniform(0.62, 0.95)
    belly = rng.uniform(0.08, 0.5)
    wall = smooth([(r * rng.uniform(0.82, 1), 0), (r, belly * h), (neck * 1.1, 0.68 * h), (neck, 0.76 * h)], 12)
    segments = choice(rng, (28, 28, 28, 8, 10)) if material == "glass" else 28
    grains = peel(rng, skin.tints[0], 0.02, top=((166, 176, 178), rng.uniform(0.05, 0.6)))
    image = grains if material == "glass" else skin
    model.lathe([(0, 0), *wall, (0, 0.76 * h)], image, segments=segments, pieces=2)
    metal = material in ("glass", "steel", "plastic") or rng.random() < 0.4
    top = skin.painted(np.array(choice(rng, STEEL))) if metal else skin.solid()
    rim = neck * 1.06
    dome = smooth([(rim, 0.86 * h), (rim * 0.85, 0.95 * h), (rim * 0.4, h), (0, h)], 9)
    model.lathe([(0, 0.75 * h), (rim, 0.75 * h), *dome], top, segments=24, pieces=1)
    hole = top.painted((26, 26, 28))
    for n, place in enumerate(np.r_[circle(0.42 * rim, int(rng.integers(4, 8))), [[0, 0]]]):
        z = float(np.interp(-np.hypot(*place), -dome[:, 0], dome[:, 1]))
        model.prism(circle(max(1.2, 0.07 * rim), 8) + place, z - 1, z + 0.5, hole, hull=n < 0)
    letter = material != "glass" and rng.random() < 0.4
    if letter:
        add_label(model, wall, _letter(skin.tints[0]), wall[5, 1] - 0.3 * r, wall[5, 1] + 0.5 * r, 0.45)
    features = ["with holes in its top", "with a metal top" if metal else "", "with a letter s" if letter else ""]
    return model.instance(skin, "cylindrical", features, colors=colors, density=900)


def _letter(color: Floats) -> TextureImage:
    image, _ = tx.canvas((40, 40), [*np.clip(color, 0, 255)])
    ink = (30, 30, 32) if float(color.mean()) > 120 else (240, 240, 236)
    tx.draw_text(image, "S", (20, 20), 30, ink)
    return np.asarray(image)


@generates("saucer")
def saucer(rng: Rng) -> Instance:
    """Saucers: small round dishes with curved sides and a ring for the cup in the middle."""
    # Pose: lying with its upper side up.
    model = ModelBuilder()
    skin = china(rng, PLATE_PATTERNS)
    r = rng.uniform(54, 78)
    thick = rng.uniform(2.2, 3.4)
    foot_share = rng.uniform(0.42, 0.52)
    h = r * rng.uniform(0.22, 0.34)
    foot = r * foot_share
    outer = smooth([(foot, 0), (foot * 1.25, 0.2 * h), (r * 0.84, 0.66 * h), (r, h)], 9)
    ring = foot * rng.uniform(0.8, 0.95)
    well = [(ring + 3, thick + 1.2), (ring + 1, thick + 2.2), (ring - 1, thick + 2.0), (ring - 2.5, thick - 0.4)]
    slope = outer[::-1][1:-3] + np.array([-1.2, thick])
    inner = np.array([(r - 0.9, h + 0.5), *slope, *well, (0, thick - 0.4)])
    inside = seen_from_above(skin, r, rng.random() < 0.5)
    colors = skin.colors
    rim = skin.pattern == "plain" and rng.random() < 0.5
    if rim:
        word = choice(rng, [c for c in ("blue", "red", "green", "black", "yellow", "brown") if c != colors[0]])
        inside = rim_band(rng, inside, word, (0, 0.02))
        colors = (*colors, word)
    _, v = tx.uv_grid(*inside.shape[:2])
    shade = np.exp(-(((v - 1 + foot_share * 0.8) / 0.025) ** 2))
    inside = tx.to_uint8(tx.lerp_color(inside, inside * 0.78, shade))
    dish(model, outer, inner, skin.solid(), inside)
    features = ["with a colored rim" if rim else "", "with a ring for a cup", "empty"]
    return model.instance(skin, "flat", features, colors=colors)


SERVING_TRAY_EAR = ((-1, 0), (-0.85, 0.9), (0, 1.1), (0.85, 0.9), (1, 0))  # half-widths and reaches


@generates("serving tray")
def serving_tray(rng: Rng) -> Instance:
    """Serving trays: flat rectangular, oval or round sheets with a raised edge and two handles."""
    model = ModelBuilder()
    material = choice(rng, weighted("wood 4, plastic 4, metal 2, steel 2"))
    words = {"wood": ("brown",), "steel": ("grey",)}.get(
        material, weighted("black 2, white 2, red 2, blue, green, yellow, brown, turquoise, pink")
    )
    rgb = {"wood": WOODS, "steel": STEEL}.get(material, ())
    printed_on = material in ("plastic", "metal")
    patterns = weighted("plain 2, striped, floral, checkered, dotted") if printed_on else ("plain",)
    skin = finish(rng, material, words, patterns, pitch=(14, 30), rgb=rgb, wear=0.4)
    half = rng.uniform(62, 92)
    shape = choice(rng, weighted("rectangular 3, oval, round"))
    stretch = 1.0 if shape == "round" else rng.uniform(1.3, 1.62)
    corners = squarish(rng.uniform(9, 16) if shape == "rectangular" else 2.0)

    def bend(points: Floats) -> Floats:
        return np.asarray(corners(points) * [1, stretch, 1])

    h = rng.uniform(11, 24)
    thick = rng.uniform(2.4, 4)
    flare = rng.uniform(2, 9)
    outer = np.array([(half - flare, 0), (half - 0.4 * flare, 0.4 * h), (half, h)])
    inner = np.array([(half - thick, h), (half - flare - thick * 0.9, thick + 0.6), (half * 0.5, thick), (0, thick)])
    printed = skin.image(2 * half, 2 * half * stretch)
    u, v = tx.uv_grid(64, 256)
    along = np.maximum(np.cumsum(np.r_[0, thick, np.linalg.norm(np.diff(inner, axis=0), axis=1)]), 0)
    radius = np.interp(v, along / along[-1], np.r_[half, inner[:, 0]]) / half
    angle = 2 * np.pi * u
    plane = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * u], -1).reshape(-1, 3)
    place = bend(plane).reshape(*u.shape, 3) / [1, stretch, 1]
    rows, cols = (np.clip(0.5 + s * 0.5 * place[..., n], 0, 1) for n, s in ((1, -1), (0, 1)))
    image = printed[(rows * (printed.shape[0] - 1)).astype(int), (cols * (printed.shape[1] - 1)).astype(int)]
    shade = np.where(v < float(along[2] / along[-1]), 0.86, 1.0)[..., None]
    dish(model, outer, inner, skin.solid(0.94), tx.to_uint8(image * shade), wedges=8, bend=bend, segments=48)
    handle = choice(rng, (*weighted("ears 2, none"), *(("cut", "cut") if shape == "rectangular" else ())))
    end = half * stretch
    grip = skin.solid(0.95) if rng.random() < 0.6 else skin.painted((60, 56, 54))
    if handle == "ears":
        span = half * rng.uniform(0.36, 0.5)
        reach = rng.uniform(14, 22)
        for s in (-1, 1):
            bow = [(f * span, s * (end - 2 + g * reach), h - 2 + g * 4) for f, g in SERVING_TRAY_EAR]
            model.sweep(smooth(bow, 13), 4, grip, 3.2, segments=10, pieces=1)
    elif handle == "cut":
        for s in (-1, 1):
            at = (0, s * (end - 0.35 * flare), h * 0.66)
            model.box((half * 0.7, 3, h * 0.34), grip.painted((44, 40, 38)), 1.0, at=at, hull=False)
    words_of = {"ears": "with two handles", "cut": "with two slots as handles", "none": "without handles"}
    name = {"rectangular": "flat rectangular"}.get(shape, "flat")
    return model.instance(skin, name, [words_of[handle], shape if shape != "rectangular" else "", "empty"])


@generates("teapot")
def teapot(rng: Rng) -> Instance:
    """Teapots: round or tall bodies with a spout, an ear, and a lid with a knob. Pose: standing, its spout at -y."""
    model = ModelBuilder()
    material = choice(rng, weighted("ceramic 6, metal 2, steel"))
    skin = china(rng)
    if material != "ceramic":
        skin = finish(rng, material, "grey" if material == "steel" else CHINA, rgb=STEEL if material == "steel" else ())
    r = rng.uniform(46, 66)
    h, foot, neck = r * rng.uniform(1.2, 1.9), r * rng.uniform(0.55, 0.78), r * rng.uniform(0.45, 0.66)
    belly = h * rng.uniform(0.36, 0.55)
    wide = [(0.55 * foot + 0.45 * r, 0.14 * h), (r, belly), (0.5 * (r + neck), 0.87 * h)]
    outer = smooth([(foot, 0), *wide, (neck, h)], 15)
    model.lathe([(0, 0), *outer, (0, h)], skin, pieces=1)
    lid = skin.solid(rng.uniform(0.85, 1.05)) if rng.random() < 0.7 else skin.painted((236, 234, 226))
    top, knob = neck * rng.uniform(0.2, 0.45), r * rng.uniform(0.14, 0.2)
    dome = smooth([(neck * 1.05, h), (neck * 0.8, h + 0.6 * top), (knob * 0.6, h + top)], 7)
    ball = smooth([(0.6, 0), (1.0, 1.0), (0.8, 1.7), (0, 2.0)], 8) * knob + np.array([0, h + top])
    model.lathe([(0, h - 1), (neck * 1.05, h - 1), *dome, *ball[1:]], lid, segments=24, pieces=2)
    low, tip = h * rng.uniform(0.24, 0.42), h * rng.uniform(0.9, 1.04)
    wall = float(np.interp(low, outer[:, 1], outer[:, 0]))
    far = r * rng.uniform(1.5, 1.75)
    bend = [(0, -0.65 * wall - 0.35 * far - 4, low + 0.12 * h), (0, -0.9 * far, 0.7 * tip)]
    path = smooth([(0, -wall + 6, low), *bend, (0, -far, tip)], 12)
    tube = np.linspace(r * rng.uniform(0.26, 0.36), r * rng.uniform(0.11, 0.16), 12)
    model.sweep(path, tube, skin.solid(), tube, up=(1, 0, 0), pieces=3)
    opening = np.array([(0, -far + 0.5, tip - 2), (0, -far - 0.4, tip + 0.6)])
    model.sweep(opening, tube[-1] * 0.7, skin.painted((40, 36, 34)), segments=8, up=(1, 0, 0), hull=False)
    over = rng.random() < 0.22
    grip = skin.solid() if rng.random() < 0.75 else finish(rng, "wood", "brown").painted((96, 62, 36))
    if over:
        t = np.linspace(0, np.pi, 15)
        side = 0.8 * r
        loop = np.c_[0 * t, side * np.cos(t), h * 0.78 + r * rng.uniform(1.0, 1.3) * np.sin(t)]
        model.sweep(loop, rng.uniform(3, 5), grip, rng.uniform(3, 4), up=(1, 0, 0), segments=10, pieces=4)
    else:
        upper, lower = h * rng.uniform(0.74, 0.88), h * rng.uniform(0.18, 0.34)
        loop_handle(model, rng, grip, outer, upper, lower, r * rng.uniform(0.45, 0.62), rng.uniform(4, 6))
    features = ["with a handle over the top" if over else "with a handle at the side", "with a lid", "with a spout"]
    return model.instance(skin, "round", features, density=900)


WINES = {"red": (104, 14, 30), "white": (226, 212, 140), "pink": (232, 140, 130)}
WINE_GLASS_FORMS = {  # widest radius over height of the bowl, where it is widest, radius of the rim over the widest
    "flute": (0.2, 0.5, 0.86),
    "tulip": (0.36, 0.35, 0.8),
    "balloon": (0.5, 0.42, 0.76),
    "cup": (0.62, 0.95, 1.0),
}


@generates("wine glass")
def wine_glass(rng: Rng) -> Instance:
    """Wine glasses: thin bowls from flutes to balloons on a stem with a flat round foot, some with wine."""
    model = ModelBuilder()
    skin = glass(rng)
    form = choice(rng, weighted("flute 2, tulip 4, balloon 4, cup"))
    wide, at, rim = WINE_GLASS_FORMS[form]
    total = rng.uniform(130, 210)
    bowl = total * rng.uniform(0.44, 0.55)
    r = bowl * wide * rng.uniform(0.9, 1.12)
    up = total - bowl
    outer = smooth([(4.5, 0), (0.72 * r, 0.12 * bowl), (r, at * bowl), (r * rim, bowl)], 11)
    wall = rng.uniform(2.5, 3.2)
    tone = np.asarray(skin.tints[0])
    model.vessel(outer, wall, skin, skin.painted(tone * 0.88), 2.5, at=(0, 0, up), wedges=7)
    foot = r * rng.uniform(0.8, 1.0) + 6
    thin = rng.uniform(2.6, 4.2)
    colored = rng.random() < 0.15
    leg = finish(rng, "glass", choice(rng, ("green", "blue", "red", "black"))) if colored else skin
    stem = smooth([(foot, 1.2), (foot * 0.5, 3.5), (thin * 1.3, 9), (thin, 0.5 * up), (thin * 1.2, up - 2)], 14)
    model.lathe([(0, 0), (foot, 0), *stem, (4.5, up + 1), (0, up + 1)], leg, segments=20, pieces=3)
    wine = choice(rng, ("", "", *WINES))
    if wine:
        level = bowl * rng.uniform(0.3, 0.6)
        color = np.array(WINES[wine]) * rng.uniform(0.9, 1.1)
        pour(model, outer, wall, 2.5, level, color, tone, up)
    words = f"with {wine} wine in it".replace("pink", "rose") if wine else "empty"
    features = [words, "with a colored stem" if colored else "with a stem"]
    return model.instance(skin, "goblet", [*features, "tall and narrow" if form == "flute" else ""], density=1200)

"""Bottles and jars."""

import numpy as np

from pickclutter_lang.kinds.containers import (
    add_cap,
    add_label,
    cap_color,
    fruit_art,
    round_hull,
    screw_cap,
    squeeze_bottle,
)
from pickclutter_lang.kinds.finishes import ANY, STEEL, Rng, choice, finish, peel, ribbed, tint, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.labels import facts, front, pile_art, sample_brand, shape_art, wrap
from pickclutter_lang.kinds.models import ModelBuilder, plain, smooth, squarish
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, grid_surface, rotation
from pickclutter_lang.utils.words import with_article

BLEACH_CLEANSER_PRODUCTS = weighted(
    "bleach, bleach gel, with bleach, cleanser, ultra bleach, bleach cleanser, toilet bleach"
)
BLEACH_CLEANSER_COLORS = weighted("white 6, blue, yellow, green")
BLEACH_CLEANSER_LABELS = weighted("blue 3, red, green, yellow, white, turquoise, orange")
CAPS = weighted("blue 2, white, red, green, yellow, orange")


@generates("bleach cleanser")
def bleach_cleanser(rng: Rng) -> Instance:
    """Bleach cleansers: opaque plastic bottles, oval or round, with a printed label, a cap, and some with a handle."""
    model = ModelBuilder()
    h = rng.uniform(185, 275)
    r = h * rng.uniform(0.17, 0.24)
    power = rng.uniform(2.0, 4.5)
    flat = rng.uniform(0.58, 0.95)
    skin = finish(rng, "plastic", choice(rng, BLEACH_CLEANSER_COLORS))
    handle = rng.random() < 0.3
    shoulder = h * rng.uniform(0.5, 0.7)
    neck = r * rng.uniform(0.3, 0.42)
    waist = rng.uniform(0.86, 1.0)
    body = smooth(
        [(r, 6), (r * waist, shoulder * 0.55), (r * 0.97, shoulder), (r * 0.74, shoulder + 0.14 * h), (neck, h * 0.86)],
        17,
    )
    oval = squarish(power, flat)

    def bend(points: Floats) -> Floats:
        """Make the section oval, but leave it round at the neck."""
        blend = np.clip((points[:, 2:] - shoulder) / (0.86 * h - shoulder), 0, 1)
        return np.asarray(oval(points) * (1 - blend) + points * blend)

    model.lathe([(r * 0.92, 0), *body, (neck, h * 0.9), (0, h * 0.9)], skin, bend=bend, pieces=4)
    model.lathe([(0, 1), (r * 0.92, 0)], skin, bend=bend, hull=False)
    cap = choice(rng, [c for c in CAPS if c != skin.colors[0]] if rng.random() < 0.8 else [skin.colors[0]])
    color = tint(rng, cap)
    add_cap(model, neck * rng.uniform(1.1, 1.35), h * rng.uniform(0.82, 0.88), h, ribbed(color, 26), plain(color))
    if handle:
        loop = smooth(
            [(0, -0.3 * r, h * 0.82), (0, -r * 1.1, h * 0.8), (0, -r * 1.25, shoulder), (0, -0.85 * r, h * 0.36)], 13
        )
        model.sweep(loop, h * 0.03, skin, h * 0.035, up=(1, 0, 0), pieces=3)
    brand = sample_brand(rng, BLEACH_CLEANSER_PRODUCTS, BLEACH_CLEANSER_LABELS, "ml")
    low = h * rng.uniform(0.06, 0.14)
    high = shoulder - h * rng.uniform(0, 0.06)
    wide = rng.uniform(0.75, 1.2)
    for middle in (0.0, np.pi):
        image = front(rng, brand, 2 * wide * r * 0.9, high - low)
        add_label(model, body, image, low, high, wide, bend, middle)
    features = ["with a label", "with a handle" if handle else "without a handle", f"with {with_article(cap)} cap"]
    features += ["closed"]
    colors = (skin.colors[0], *brand.colors)
    return model.instance(skin, "bottle", features, colors=colors, pattern="printed", density=900)


# What is in it: the word of its color, its RGB, and the word for the fruit's color on the label.
JAMS = {
    "strawberry jam": ("red", (172, 20, 26), "red"),
    "strawberry preserve": ("red", (180, 26, 30), "red"),
    "red currant jelly": ("red", (170, 16, 30), "red"),
    "raspberry jam": ("red", (164, 14, 42), "pink"),
    "cherry jam": ("red", (150, 14, 26), "red"),
    "apricot jam": ("orange", (214, 120, 26), "orange"),
    "orange jam": ("orange", (222, 132, 24), "orange"),
    "plum jam": ("purple", (112, 42, 108), "purple"),
    "blueberry jam": ("purple", (98, 44, 124), "blue"),
    "lemon jam": ("yellow", (226, 190, 60), "yellow"),
}
LIDS = weighted("red 2, white 2, yellow 2, black, green, blue")


@generates("jam jar")
def jam_jar(rng: Rng) -> Instance:
    """Jam jars: glass that shows red, dark or golden jam, a checked or golden lid, and a label with fruit."""
    model = ModelBuilder()
    product = choice(rng, tuple(JAMS))
    word, rgb, fruit = JAMS[product]
    jam = finish(rng, "glass", word, rgb=(rgb,))
    r = rng.uniform(27, 39)
    h, neck = r * rng.uniform(2.1, 3.0), r * rng.uniform(0.84, 0.94)
    segments = choice(rng, (28, 28, 28, 28, 28, 28, 8, 6))
    shoulder = h * rng.uniform(0.68, 0.78)
    wall = smooth([(r * 0.94, 0), (r, 0.08 * h), (r, shoulder), (neck, 0.85 * h)], 12)
    model.lathe([(0, 0), *wall, (0, 0.85 * h)], jam, segments=segments, pieces=1)
    checked, gold = rng.random() < 0.35, rng.random() < 0.3
    lid = choice(rng, LIDS)
    color = tint(rng, lid) if not gold else tint(rng, "yellow") * [0.84, 0.84, 0.9]
    if checked:
        cloth = finish(rng, "metal", lid, "checkered", ("white",) if lid != "white" else ("red", "blue"), pitch=(5, 8))
        top = [(0, 0.84 * h), (neck * 1.06, 0.84 * h), (neck * 1.06, h - 1), (neck, h), (0.6 * neck, h), (0, h)]
        model.lathe(top, cloth, pieces=1)
    else:
        screw_cap(model, neck * 1.06, 0.84 * h, h, color, choice(rng, (0, 48)))
    brand = sample_brand(rng, (product, product.split()[0]), weighted("white 3, yellow, red, green"))
    image = front(rng, brand, 1.6 * r, 0.5 * h, fruit_art(fruit, int(rng.integers(1, 4))))
    if segments == 28:
        add_label(model, wall, image, 0.12 * h, shoulder * 0.94, rng.uniform(0.75, 1.2))
        if rng.random() < 0.6:
            back = facts(rng, brand, 1.4 * r, 0.5 * h)
            add_label(model, wall, back, 0.16 * h, shoulder * 0.9, 0.7, middle=np.pi)
    feature = "with a checkered lid" if checked else "with a golden lid" if gold else f"with a {lid} lid"
    features = [feature, "with a label" if segments == 28 else "without a label", "closed"]
    return model.instance(jam, "cylindrical", features)


KETCHUP_BOTTLE_PRODUCTS = ("ketchup", "tomato ketchup", "hot ketchup", "sweet ketchup", "ketchup", "catsup")
KETCHUP_BOTTLE_RGB = ((178, 22, 20), (196, 30, 24), (160, 18, 18), (206, 36, 26))


@generates("ketchup bottle")
def ketchup_bottle(rng: Rng) -> Instance:
    """Ketchup bottles: red squeeze bottles, most standing on their cap, or glass bottles with a long neck."""
    model = ModelBuilder()
    height = rng.uniform(145, 225)
    glass = rng.random() < 0.25
    width = height * (rng.uniform(0.27, 0.33) if glass else rng.uniform(0.36, 0.5))
    skin = finish(rng, "glass" if glass else "plastic", "red", rgb=KETCHUP_BOTTLE_RGB, wear=0.2)
    brand = sample_brand(rng, KETCHUP_BOTTLE_PRODUCTS, weighted("white 2, red, yellow, green, black"))
    label = front(rng, brand, width, height * 0.45, pile_art("red", 4, 0.9) if rng.random() < 0.6 else None)
    cap, color = cap_color(rng, weighted("white 2, red 2, green, black"))
    if glass:
        r = width / 2
        neck = r * rng.uniform(0.36, 0.46)
        curve = smooth([(r, 0.5 * height), (r * 0.8, 0.62 * height), (neck, 0.78 * height), (neck, 0.9 * height)], 12)
        segments = choice(rng, (8, 28))
        model.lathe([(0, 1), (r * 0.9, 0), (r, 4), *curve, (0, 0.9 * height)], skin, segments=segments, pieces=3)
        screw_cap(model, neck * 1.25, 0.88 * height, height, color, 30 if rng.random() < 0.6 else 0)
        reach = rng.uniform(0.9, 1.4)
        wall = np.array([(r, 0), (r, height)])
        add_label(model, wall, label, 0.1 * height, 0.48 * height, reach)
        if rng.random() < 0.7:
            back = facts(rng, brand, width, height * 0.4)
            add_label(model, wall, back, 0.12 * height, 0.46 * height, 0.8 * reach, middle=np.pi)
        feature = "with a long neck"
    else:
        size = (width * rng.uniform(0.55, 0.75), width, height)
        style = choice(rng, weighted("stand 2, cone, flip"))
        squeeze_bottle(model, rng, skin, color, label, size, style)
        feature = {"cone": "with a pointed cap", "flip": "with a flat cap", "stand": "with a wide cap below"}[style]
    features = [feature, "with a label", f"with a {cap} cap"]
    return model.instance(skin, "bottle", features, colors=("red",), density=900)


MUSTARD_BOTTLE_PRODUCTS = weighted(
    "mustard, yellow mustard, honey mustard, hot mustard, dijon, sweet mustard, classic mustard"
)
MUSTARD_BOTTLE_RGB = ((240, 202, 30), (244, 212, 50), (232, 190, 24), (226, 178, 40), (212, 164, 52))
LEAF = ((0, -1), (0.5, -0.2), (0.4, 0.4), (0, 1), (-0.4, 0.4), (-0.5, -0.2))


@generates("mustard bottle")
def mustard_bottle(rng: Rng) -> Instance:
    """Mustard bottles: yellow squeeze bottles, flat or round, with a pointed or a flip cap and a printed label."""
    model = ModelBuilder()
    height = rng.uniform(135, 200)
    width = height * rng.uniform(0.36, 0.52)
    size = (width * choice(rng, (rng.uniform(0.55, 0.75), rng.uniform(0.55, 0.75), 1.0)), width, height)
    skin = finish(rng, "plastic", "yellow", rgb=MUSTARD_BOTTLE_RGB, wear=0.2)
    style = choice(rng, weighted("cone 3, flip, stand"))
    cap, color = cap_color(rng, weighted("yellow 3, red, green, white, black, brown"))
    brand = sample_brand(rng, MUSTARD_BOTTLE_PRODUCTS, weighted("yellow 2, red 2, blue, white, green, black"))
    label = front(rng, brand, width, height * 0.5, shape_art("green", LEAF) if rng.random() < 0.4 else None)
    squeeze_bottle(model, rng, skin, color, label, size, style)
    words = {"cone": "with a pointed cap", "flip": "with a flat cap", "stand": "with a wide cap below"}
    features = [words[style], "with a label", f"with a {cap} cap"]
    return model.instance(skin, "bottle", features, colors=("yellow",), density=900)


PILL_BOTTLE_PRODUCTS = (
    "vitamin c",
    "aspirin",
    "tablets",
    "omega 3",
    "magnesium",
    "zinc",
    "ibuprofen",
    "multivitamin",
    "capsules",
)


@generates("pill bottle")
def pill_bottle(rng: Rng) -> Instance:
    """Pill bottles: orange or white plastic cylinders with a white ribbed cap and a printed label. Pose: standing."""
    model = ModelBuilder()
    h = rng.uniform(55, 125)
    r, cap = h * rng.uniform(0.2, 0.3), h * rng.uniform(0.18, 0.26)
    pharmacy = rng.random() < 0.5
    word = (
        choice(rng, weighted("orange 3, brown")) if pharmacy else choice(rng, weighted("white 5, green, brown, blue"))
    )
    clear = pharmacy or (word == "brown" and rng.random() < 0.5)
    skin = finish(rng, "plastic", word, rgb=((226, 118, 28), (214, 96, 20), (236, 134, 40)) if word == "orange" else ())
    top = h - cap
    neck = r * rng.uniform(0.78, 0.9)
    straight = pharmacy or rng.random() < 0.3
    if straight:
        body = np.array([(r, 3), (r, top * 0.4), (r, top)])
    else:
        body = smooth([(r, 3), (r, top * 0.5), (r, top * 0.84), (r * 0.94, top * 0.93), (neck, top)], 11)
    model.lathe([(r * 0.95, 0), *body], skin, pieces=2)
    model.lathe([(0, 1), (r * 0.95, 0)], skin.solid(), hull=False)
    cap_word = choice(rng, weighted("white 6, black, red, blue, green"))
    color = tint(rng, cap_word)
    broad = (r if straight else neck) * rng.uniform(1.03, 1.14)
    add_cap(model, broad, top - 1, h, ribbed(color, 34), plain(color))
    brand = sample_brand(rng, PILL_BOTTLE_PRODUCTS, ("white",) if pharmacy else (), "mg")
    low = top * 0.1
    high = top * rng.uniform(0.78, 0.88)
    wide = rng.uniform(1.3, 2.6)
    if pharmacy:
        add_label(model, body, facts(rng, brand, 1.6 * r, high - low), low, high, wide * 0.6, None, 0.0)
    else:
        image = front(rng, brand, 2 * wide * r * 0.7, high - low)
        add_label(model, body, image, low, high, wide * 0.7)
    features = [f"with {with_article(cap_word)} cap", "with a label", "see-through" if clear else "opaque", "closed"]
    colors = tuple(dict.fromkeys((word, cap_word)))
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=500)


SHAMPOO_BOTTLE_PRODUCTS = weighted(
    "shampoo 2, mild shampoo, moisture, hair care, anti dandruff, repair, herbal shampoo"
)
PROFILES = {
    "straight": [(0.93, 0), (1, 0.04), (1, 0.5), (1, 0.76), (0.93, 0.9), (0.7, 0.98)],
    "waisted": [(0.95, 0), (1, 0.06), (0.9, 0.35), (0.86, 0.5), (0.98, 0.8), (0.8, 0.95), (0.6, 1.0)],
    "drop": [(0.9, 0), (1, 0.08), (0.98, 0.25), (0.84, 0.55), (0.62, 0.85), (0.5, 0.98)],
    "upside down": [(0.62, 0), (0.7, 0.04), (0.86, 0.3), (1, 0.7), (0.98, 0.9), (0.86, 0.98), (0.6, 1.0)],
}


@generates("shampoo bottle")
def shampoo_bottle(rng: Rng) -> Instance:
    """Shampoo bottles: flat or round colored plastic bottles with flip caps, or standing on the cap, printed."""
    model = ModelBuilder()
    h = rng.uniform(150, 240)
    form = choice(rng, tuple(PROFILES))
    r = h * rng.uniform(0.17, 0.22)
    flat = rng.uniform(0.5, 0.85)
    power = rng.uniform(2.0, 4.0)
    word = choice(rng, (*ANY, *weighted("white 2")))
    skin = finish(rng, "plastic", word)
    bend = squarish(power, flat)
    cap = h * rng.uniform(0.1, 0.17)
    below = form == "upside down"
    rows = smooth(PROFILES[form], 13) * [r, h - cap] + [0, cap if below else 0]
    model.lathe(rows, skin, bend=bend, pieces=3)
    ends = [(0, rows[-1, 1]), (rows[-1, 0], rows[-1, 1])][::-1]
    model.lathe(ends, skin.solid(), bend=bend, hull=False)
    model.lathe([(0, rows[0, 1]), (rows[0, 0], rows[0, 1])], skin.solid(), bend=bend, hull=False)
    cap_word = choice(
        rng, [c for c in ("white", "black", "grey", word, "blue", "yellow") if rng.random() < 0.8] or ["white"]
    )
    paint = plain(tint(rng, cap_word))
    q = (rows[0, 0] if below else rows[-1, 0]) * rng.uniform(0.94, 1.04)
    low = 0.0 if below else h - cap
    top = [(0, low), (q * 0.97, low), (q, low + 2), (q, low + cap - 3), (q * 0.9, low + cap), (0, low + cap)]
    model.lathe(top, paint, bend=bend, pieces=1)
    groove = [(q * 1.008, low + cap * 0.5), (q * 1.008, low + cap * 0.56)]
    model.lathe(groove, plain(tint(rng, cap_word) * 0.6), bend=bend, hull=False)
    brand = sample_brand(rng, SHAMPOO_BOTTLE_PRODUCTS, [c for c in ANY if c not in ("brown", "grey")], "ml")
    clear = rng.random() < 0.4
    if clear:
        brand = sample_brand(rng, SHAMPOO_BOTTLE_PRODUCTS, (word,), "ml")
    a, b = rows[0, 1] + (h - cap) * rng.uniform(0.12, 0.2), rows[0, 1] + (h - cap) * rng.uniform(0.68, 0.8)
    wide = rng.uniform(0.8, 1.1)
    for middle in (0.0, np.pi):
        add_label(model, rows, front(rng, brand, 1.7 * wide * r, b - a), a, b, wide, bend, middle)
    features = ["standing on its cap" if below else "with a cap on top", f"with {with_article(cap_word)} cap"]
    features += ["with a label", "closed"]
    colors = (word, *(c for c in brand.colors if c != word))
    return model.instance(skin, "bottle", features, colors=colors, pattern="printed", density=900)


SPICES = {
    "paprika": ("red", (172, 50, 24)),
    "chili": ("red", (160, 34, 22)),
    "curry": ("yellow", (206, 150, 36)),
    "turmeric": ("orange", (222, 142, 20)),
    "cinnamon": ("brown", (134, 78, 42)),
    "nutmeg": ("brown", (116, 76, 48)),
    "cumin": ("brown", (140, 100, 56)),
    "pepper": ("black", (52, 46, 42)),
    "oregano": ("green", (92, 110, 54)),
    "basil": ("green", (80, 104, 48)),
    "parsley": ("green", (70, 116, 44)),
    "salt": ("white", (232, 230, 226)),
    "garlic": ("white", (226, 214, 180)),
}


@generates("spice jar")
def spice_jar(rng: Rng) -> Instance:
    """Spice jars: small glass cylinders that show red, yellow, green or brown spice, with a dark or steel cap."""
    model = ModelBuilder()
    spice = choice(rng, tuple(SPICES))
    word, rgb = SPICES[spice]
    skin = finish(rng, "glass", word, rgb=(rgb,))
    base = skin.tints[0]
    r = rng.uniform(18, 26)
    h = r * rng.uniform(3.2, 4.8)
    square = rng.random() < 0.2
    specks = (base * 0.7, rng.uniform(0.1, 0.3))
    air = ((206, 214, 216), rng.uniform(0, 0.3))
    image = peel(rng, base, 0.08, spots=specks, top=air, spot_count=48)
    shoulder = h * rng.uniform(0.64, 0.72)
    wall = smooth([(r * 0.95, 0), (r, 0.05 * h), (r, shoulder), (r * 0.86, 0.77 * h)], 12)
    model.lathe([(0, 0), *wall, (0, 0.77 * h)], image, segments=4 if square else 24, pieces=1)
    metal = rng.random() < 0.3
    cap, color = cap_color(rng, weighted("black 4, white 2, red 2, green, blue"))
    color = np.array((186, 188, 192)) if metal else color
    screw_cap(model, r * rng.uniform(0.86, 0.98) * (0.75 if square else 1), 0.76 * h, h, color, choice(rng, (0, 36)))
    label = not square and rng.random() < 0.85
    if label:
        brand = sample_brand(rng, (spice,), weighted("white 4, black 2, yellow, red, green"))
        low = 0.14 * h
        high = shoulder * rng.uniform(0.75, 0.95)
        add_label(model, wall, front(rng, brand, 2 * r, high - low), low, high, rng.uniform(0.7, 1.5))
        if rng.random() < 0.6:
            add_label(model, wall, facts(rng, brand, 2 * r, high - low), low, high, 0.8, middle=np.pi)
    features = ["with a metal lid" if metal else f"with a {cap} lid", "with a label" if label else "without a label"]
    return model.instance(skin, "cylindrical", [*features, "closed"], density=900)


SPRAY_BOTTLE_PRODUCTS = weighted(
    "glass cleaner, kitchen spray, multi surface, bath cleaner, window spray, stain remover, degreaser"
)
SPRAY_BOTTLE_COLORS = weighted("white 3, blue 2, green, turquoise, yellow, pink, orange, grey")
SPRAY_BOTTLE_HEADS = weighted("white 2, red, blue, black, green, yellow, orange")


@generates("spray bottle")
def spray_bottle(rng: Rng) -> Instance:
    """Spray bottles: bottles with a trigger head, a nozzle and a waist to hold; clear, white or colored."""
    # Pose: standing; its nozzle points to +y.
    model = ModelBuilder()
    h = rng.uniform(185, 275)
    r, head = h * rng.uniform(0.13, 0.19), h * rng.uniform(0.17, 0.22)
    word = choice(rng, SPRAY_BOTTLE_COLORS)
    skin = finish(rng, "plastic", word)
    oval = squarish(rng.uniform(2, 3.4), rng.uniform(0.6, 1.0))
    neck = h * 0.05
    tall = h - head
    shoulder, waist = tall * rng.uniform(0.55, 0.72), r * rng.uniform(0.5, 0.9)

    def bend(points: Floats) -> Floats:
        blend = np.clip((points[:, 2:] - shoulder) / (tall - shoulder), 0, 1)
        return np.asarray(oval(points) * (1 - blend) + points * blend)

    body = smooth(
        [(r, 4), (r, shoulder * 0.5), (r * 0.98, shoulder), (waist, shoulder + 0.5 * (tall - shoulder)), (neck, tall)],
        15,
    )
    model.lathe([(r * 0.93, 0), *body], skin, bend=bend, pieces=3)
    model.lathe([(0, 1), (r * 0.93, 0)], skin.solid(), bend=bend, hull=False)
    head_word = choice(rng, [c for c in SPRAY_BOTTLE_HEADS if c != word])
    color = tint(rng, head_word)
    paint = finish(rng, "plastic", head_word).solid()
    collar = neck * rng.uniform(1.15, 1.4)
    model.lathe(
        [(collar, tall - 6), (collar, tall + head * 0.3), (collar * 0.8, tall + head * 0.34)], ribbed(color, 22), 20, 1
    )
    z = tall + head * 0.34
    reach = h * rng.uniform(0.14, 0.18)
    back = h * rng.uniform(0.06, 0.1)
    side = [(-back, z + head * 0.34), (-back * 0.6, z), (neck * 0.7, z), (reach * 0.55, z + head * 0.26)]
    side += [
        (reach, z + head * 0.3),
        (reach, z + head * 0.54),
        (-back * 0.2, z + head * 0.66),
        (-back, z + head * 0.58),
    ]
    thick = h * rng.uniform(0.035, 0.05)
    spin = rotation("z", 90) @ rotation("x", 90)
    model.prism(side, -thick, thick, paint.image(60, 40, 48), turn=spin)
    other = plain(tint(rng, choice(rng, SPRAY_BOTTLE_HEADS)))
    tip = reach * 0.16
    profile = np.array([(0.8, 0), (0.9, 1), (0, 1)]) * [head * 0.17, tip]
    model.lathe(profile, other, 12, 1, at=(0, reach, z + head * 0.42), turn=rotation("x", -90))
    trigger = smooth(
        [(0, reach * 0.55, z + head * 0.3), (0, reach * 0.62, z - head * 0.1), (0, reach * 0.42, z - head * 0.5)], 7
    )
    model.sweep(trigger, thick * 0.8, other, h * 0.012, up=(1, 0, 0), pieces=2)
    labeled = rng.random() < 0.75
    if labeled:
        brand = sample_brand(rng, SPRAY_BOTTLE_PRODUCTS, unit="ml")
        low = tall * 0.1
        high = shoulder * rng.uniform(0.92, 1.0)
        wide = rng.uniform(0.8, 1.15)
        for middle in (0.0, np.pi):
            add_label(model, body, front(rng, brand, 1.8 * wide * r, high - low), low, high, wide, bend, middle)
    features = [f"with {with_article(head_word)} spray head", "with a trigger"]
    features += ["with a label" if labeled else "without a label"]
    colors = (word, head_word)
    pattern = "printed" if labeled else "plain"
    return model.instance(skin, "bottle", features, colors=colors, pattern=pattern, density=600)


WATER_BOTTLE_PRODUCTS = weighted(
    "water, spring water, mineral water, still water, sparkling water, aqua, glacier water"
)
CLEAR = ((186, 214, 230), (206, 222, 226), (174, 204, 224), (196, 216, 222))
WATER_BOTTLE_COLORS = weighted("blue 3, red, green, black 2, pink, turquoise 2, purple, white, orange, yellow")
WATER_BOTTLE_LABELS = weighted("blue 3, turquoise, white, green, red, pink")


@generates("water bottle")
def water_bottle(rng: Rng) -> Instance:
    """Water bottles: clear plastic with grooves and a label, or to fill again, of metal or plastic. Pose: standing."""
    model = ModelBuilder()
    cap, color = cap_color(rng, weighted("blue 2, white 2, green, black, red"))
    if rng.random() < 0.45:
        return _refillable(model, rng, cap, color)
    r = rng.uniform(26, 34)
    h = r * rng.uniform(5.8, 6.8)
    skin = finish(rng, "glass", "white", rgb=CLEAR)
    low = 0.3 * h
    high = h * rng.uniform(0.5, 0.58)
    neck = r * rng.uniform(0.38, 0.44)
    z = np.linspace(0.04 * h, 0.66 * h, 34)
    groove = rng.uniform(0.8, 2.0) * (np.sin(z * 2 * np.pi / rng.uniform(9, 15)) < -0.2)
    wall = np.c_[r - groove * ((z < low) | (z > high)), z]
    top = smooth([(r, 0.66 * h), (r * 0.86, 0.76 * h), (neck * 1.1, 0.89 * h), (neck, 0.92 * h)], 9)
    profile = [(0, 2), (r * 0.7, 0), (r * 0.95, 0.015 * h), *wall, *top, (neck * 1.18, 0.925 * h), (0, 0.925 * h)]
    model.lathe(profile, skin, segments=24, hull=False)
    round_hull(model, (r * 0.9, 0), (r, 0.02 * h), (r, 0.66 * h), (neck * 1.4, 0.9 * h))
    brand = sample_brand(rng, WATER_BOTTLE_PRODUCTS, WATER_BOTTLE_LABELS, "ml")
    model.lathe([(r + 0.3, low), (r + 0.3, high)], wrap(rng, brand, 2 * np.pi * r, high - low), hull=False)
    screw_cap(model, neck * 1.15, 0.93 * h, h, color, 36)
    features = ["with a label", f"with a {cap} cap", "transparent"]
    colors: tuple[str, ...] = ("white", brand.colors[0])
    return model.instance(skin, "bottle", features, colors=colors, material="plastic", density=900)


def _refillable(model: ModelBuilder, rng: Rng, cap: str, color: Floats) -> Instance:
    """Add a bottle of thick plastic or metal without a label."""
    r = rng.uniform(30, 38)
    h = r * rng.uniform(5.2, 6.6)
    material = choice(rng, weighted("metal, steel, plastic 2"))
    rgb = STEEL if material == "steel" else ()
    patterns = weighted("plain 3, two-coloured, striped, floral")
    skin = finish(rng, material, "grey" if material == "steel" else WATER_BOTTLE_COLORS, patterns, rgb=rgb, wear=0.4)
    neck, shoulder = r * rng.uniform(0.55, 0.8), h * rng.uniform(0.68, 0.76)
    waist = r * rng.uniform(0.84, 1.0)
    body = [(r, 0.05 * h), (waist, 0.4 * h), (r, shoulder), (neck * 1.15, 0.83 * h), (neck, 0.87 * h)]
    model.lathe([(0, 0), (r * 0.94, 0), *smooth(body, 14), (0, 0.87 * h)], skin, hull=False)
    round_hull(model, (r * 0.94, 0), (r, 0.06 * h), (r, shoulder), (neck, 0.87 * h))
    lid = [(0, 0.86 * h), (neck * 1.12, 0.86 * h), (neck * 1.1, 0.94 * h), (neck * 0.8, 0.955 * h), (0, 0.955 * h)]
    model.lathe(lid, plain(color), pieces=1)
    end = choice(rng, ("spout", "loop", "plain"))
    if end == "spout":
        model.lathe(np.array([(0, 0.95 * h), (7, 0.95 * h), (8, h), (0, h)]), plain(tint(rng, "white")), 18, 1)
    elif end == "loop":
        t = np.linspace(0, np.pi, 13)
        path = np.c_[0 * t, neck * 0.85 * np.cos(t), 0.94 * h + 0.09 * h * np.sin(t)]
        model.sweep(path, 4, plain(color * 0.9), 2.6, up=(1, 0, 0), segments=8, pieces=3)
    else:
        model.prism(circle(neck * 0.9, 20), 0.95 * h, 0.97 * h, plain(color * 0.85))
    words = {"spout": "with a spout", "loop": "with a carrying loop", "plain": ""}
    return model.instance(skin, "bottle", ["without a label", f"with a {cap} cap", words[end]], density=700)


WINE_BOTTLE_PRODUCTS = ("merlot", "chardonnay", "riesling", "rioja", "pinot noir", "shiraz", "rose", "malbec")
GRAPE = ((0, -1), (0.6, -0.5), (0.5, 0.2), (0, 1), (-0.5, 0.2), (-0.6, -0.5))


@generates("wine bottle")
def wine_bottle(rng: Rng) -> Instance:
    """Wine bottles: glass with shoulders, a long neck, a paper label, and a capsule or a cork."""
    model = ModelBuilder()
    h, r = rng.uniform(185, 250), rng.uniform(26, 32)
    neck, shoulder = r * rng.uniform(0.36, 0.42), h * rng.uniform(0.56, 0.66)
    slope = rng.uniform(0.06, 0.24) * h
    word = choice(rng, weighted("green 3, brown, white"))
    dark = {"green": (36, 86, 44), "brown": (92, 54, 26), "white": (196, 206, 196)}[word]
    glass = finish(rng, "glass", word).painted(np.array(dark) * rng.uniform(0.8, 1.2))
    curve = smooth(
        [
            (r, shoulder),
            (r * 0.86, shoulder + 0.45 * slope),
            (neck * 1.1, shoulder + slope),
            (neck, shoulder + slope + 8),
        ],
        9,
    )
    model.lathe(
        [(0, 4), (r * 0.5, 3), (r * 0.9, 0), (r, 3), *curve, (neck, h - 4), (neck * 0.9, h - 3), (0, h - 3)], glass
    )
    top = choice(rng, weighted("capsule 2, cork, none"))
    color = tint(rng, choice(rng, ("red", "black", "yellow", "purple", "green", "grey", "blue")))
    if top == "capsule":
        z = h * rng.uniform(0.8, 0.86)
        model.lathe(
            [(neck + 0.2, z), (neck + 0.8, z), (neck + 0.8, h - 6), (neck + 1.8, h - 5), (neck + 1.8, h), (0, h)],
            plain(color),
        )
    else:
        model.lathe([(neck, h - 8), (neck + 1.6, h - 7), (neck + 1.6, h - 3), (neck * 0.8, h - 2.5)], glass)
    if top == "cork":
        model.lathe(
            [(neck * 0.75, h - 6), (neck * 0.8, h + 7), (0, h + 7)],
            finish(rng, "wood", "brown").painted((196, 156, 108)),
        )
    brand = sample_brand(rng, WINE_BOTTLE_PRODUCTS, weighted("white 3, black, yellow, red"), "ml")
    low = h * rng.uniform(0.08, 0.14)
    high = shoulder - h * rng.uniform(0.02, 0.1)
    wide = rng.uniform(0.8, 1.25)
    image = front(rng, brand, 2 * wide * r, high - low, shape_art("purple", GRAPE))
    angle = np.linspace(-wide, wide, 15)
    arc = np.stack([np.cos(angle), np.sin(angle)], -1) * (r + 0.5)
    model.surface(grid_surface(np.stack([np.c_[arc, np.full(15, z)] for z in (low, high)])), image)
    features = ["with a label", {"cork": "with a cork", "none": "open", "capsule": ""}[top]]
    return model.instance(glass, "bottle", [*features, "" if top == "none" else "closed"], colors=(word,))

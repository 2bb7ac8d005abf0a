"""Other food: eggs, cheese, sandwiches and sweets."""

import numpy as np

from pickclutter_lang.kinds.baked import STREWN, crumb, flat_body, strewn, wavy
from pickclutter_lang.kinds.finishes import Rng, choice, finish, peel, tint, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.labels import facts, front, sample_brand
from pickclutter_lang.kinds.models import ModelBuilder, Skin, bumps, plain, smooth
from pickclutter_lang.kinds.produce import LYING, lying, uneven
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage, box_corners
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

PASTES = {
    "holes": ("yellow", ((240, 204, 92), (244, 214, 120), (234, 196, 80))),
    "firm": ("yellow", ((236, 196, 84), (242, 208, 116))),
    "orange": ("orange", ((236, 146, 48), (230, 134, 40))),
    "soft": ("white", ((246, 230, 184), (242, 226, 190))),
    "blue": ("white", ((238, 232, 210),)),
}
RINDS = ((214, 164, 72), (190, 130, 60), (190, 40, 36), (236, 200, 80), (60, 50, 44))


def holed(rng: Rng, color: Floats, texels: tuple[int, int], size: tuple[float, float], count: int) -> TextureImage:
    """Paint paste with shaded holes; `size` in mm is that of the rectangle."""
    u, v = tx.uv_grid(*texels)
    image = np.asarray(color * (1 + 0.025 * tx.grid_noise(rng, texels, 5, 5)[..., None]))
    for _ in range(count):
        r = rng.uniform(2, 7.5)
        x = rng.uniform(0, size[0])
        y = rng.uniform(0, size[1])
        dx, dy = (u * size[0] - x) / r, (v * size[1] - y) / r
        inside = 1 - tx.smoothstep(np.hypot(dx, dy), 0.85, 1.05)
        image = tx.lerp_color(image, color * np.clip(0.68 - 0.2 * dy, 0.45, 0.95)[..., None], inside)
    return tx.to_uint8(image)


@generates("cheese wedge")
def cheese_wedge(rng: Rng) -> Instance:
    """Cheese wedges: with holes, smooth and firm, soft with a white rind, or blue-veined."""
    # Pose: lying, its tip towards +x.
    model = ModelBuilder()
    sort = choice(rng, weighted("holes 5, firm 2, orange 2, soft 2, blue"))
    word, pastes = PASTES[sort]
    skin = finish(rng, "food", word, rgb=pastes)
    color = skin.tints[0]
    length, angle, tall = rng.uniform(75, 140), rng.uniform(24, 58), rng.uniform(26, 60)
    half = np.radians(angle / 2)
    arc = np.linspace(-half, half, 9)[::-1]
    t = np.linspace(0, 1, 10)[:-1, None]
    corners = np.array([np.cos(half), np.sin(half)]), np.array([np.cos(half), -np.sin(half)])
    outline = np.concatenate([t * corners[1], np.c_[np.cos(arc), np.sin(arc)][::-1], (1 - t[:, :]) * corners[0]])
    outline = outline[:-1] if np.allclose(outline[-1], outline[0]) else outline
    outline = np.array([[0.62, 0]]) - outline * [1, -1]
    outline = outline[::-1] * length if _clockwise(outline) else outline * length
    count = int(rng.integers(12, 26)) if sort == "holes" else 0
    cap = holed(rng, color, (80, 72), (length, 2 * half * length), count)
    wall = holed(rng, color, (40, 144), (2.6 * length, tall), round(1.3 * count))
    u, v = tx.uv_grid(40, 144)
    rind = np.array(choice(rng, RINDS)) if sort in ("holes", "firm", "orange") else np.array((238, 232, 218))
    back = tx.smoothstep(-np.abs(u - 0.5), -0.165, -0.155)
    edge = np.maximum(back, tx.smoothstep(np.abs(v - 0.5), 0.42, 0.46) * (sort == "soft"))
    painted = tx.lerp_color(wall, rind * (1 + 0.05 * tx.grid_noise(rng, u.shape, 6, 20)[..., None]), edge)
    if sort == "blue":
        cap = veined(rng, cap)
        painted = tx.lerp_color(veined(rng, tx.to_uint8(painted)), rind, back)
    if sort == "soft":
        cap = tx.to_uint8(tx.pixel_noise(np.full(cap.shape, rind), rng, 4))
    model.prism(outline, 0, tall, cap, tx.to_uint8(painted))
    features = {
        "holes": ["with holes"],
        "firm": ["without holes", "firm"],
        "orange": ["without holes", "firm"],
        "soft": ["soft", "with a white rind"],
        "blue": ["with blue veins"],
    }
    return model.instance(skin, "wedge-shaped", features[sort], pattern="marbled" if sort == "blue" else "")


def veined(rng: Rng, image: TextureImage) -> TextureImage:
    """Add blue-grey mold."""
    field = tx.grid_noise(rng, image.shape, 9, 11)
    return tx.to_uint8(tx.lerp_color(image, (92, 112, 130), 0.8 * tx.smoothstep(field, 0.8, 1.7)))


def _clockwise(outline: Floats) -> bool:
    x, y = outline.T
    return bool(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) < 0)


CHOCOLATE_BAR_SORTS = {"brown": ((100, 60, 36), (118, 70, 42), (82, 50, 34)), "white": ((240, 226, 186),)}
CHOCOLATE_BAR_PRODUCTS = weighted(
    "chocolate, milk chocolate, dark chocolate, choco, cocoa, hazelnut, caramel, nut chocolate"
)
SILVER = ((196, 198, 204), (208, 176, 90))


@generates("chocolate bar")
def chocolate_bar(rng: Rng) -> Instance:
    """Chocolate bars: bare, with a grid of pieces, in a printed wrapper, or half unwrapped."""
    model = ModelBuilder()
    word = choice(rng, weighted("brown 4, white"))
    skin = finish(rng, "food", word, rgb=CHOCOLATE_BAR_SORTS[word])
    length, thin = rng.uniform(95, 175), rng.uniform(7, 12)
    wide = length * rng.uniform(0.28, 0.5)
    state = choice(rng, weighted("bare 2, wrapped, half"))
    bare = {"bare": 1.0, "wrapped": 0.0, "half": rng.uniform(0.25, 0.45)}[state]
    if state != "wrapped":
        blocks(model, rng, skin.tints[0], (wide, bare * length, thin), 0.5 * (1 - bare) * length)
    if state == "bare":
        return model.instance(skin, "flat rectangular", ["without a wrapper", "with square pieces"])
    brand = sample_brand(rng, CHOCOLATE_BAR_PRODUCTS)
    part = length * (1 - bare)
    across = [image.swapaxes(0, 1)[::-1] for image in (front(rng, brand, part, wide), facts(rng, brand, part, wide))]
    paper = finish(rng, "paper", brand.colors[0], wear=0).painted(brand.background)
    sides: dict[str, Skin] = {"top": across[0], "bottom": across[1]}
    sides |= dict.fromkeys(("left", "right", "front", "back"), paper)
    high = thin + 1.6
    model.box((wide + 1.6, part, high), sides, 1.5, at=(0, (part - length) / 2, high / 2 - 0.5))
    foil = plain(choice(rng, SILVER))
    if state == "half":
        t = np.linspace(0, 1, 9)
        torn = np.c_[(t - 0.5) * (wide + 1.4), np.full(9, 0.0)]
        ragged = torn + np.c_[np.zeros(9), rng.uniform(3, 9, 9)]
        at = (0, part - length / 2, 0)
        model.plate(ragged, torn, -0.4, high - 0.3, foil, at=at, hull=False)
    shown = (brand.colors[0], word) if state == "half" else brand.colors
    features = ["half unwrapped", "with square pieces"] if state == "half" else ["with a printed wrapper"]
    return model.instance(paper, "flat rectangular", features, colors=shown, pattern="printed", density=1000)


def blocks(model: ModelBuilder, rng: Rng, color: Floats, size: tuple[float, float, float], middle: float) -> None:
    """Add a slab and a grid of pieces with slanting sides on it; `middle` is the place of its center along y."""
    wide, length, thin = size
    base = 0.45 * thin
    image = peel(rng, color, tone=0.04, patches=(color * 0.93, 0.3), texels=(40, 40))
    dark = peel(rng, color * 0.86, tone=0.04, texels=(40, 40))
    model.box((wide, length, base), dark, 1.0, at=(0, middle, base / 2), hull=False)
    model.hull(box_corners((-wide / 2, middle - length / 2, 0), (wide / 2, middle + length / 2, thin)))
    cols = int(rng.integers(2, 5))
    rows = max(2, round(length / wide * cols * rng.uniform(0.7, 1.1)))
    half = np.array([wide / cols, length / rows]) * 0.46 * np.sqrt(2)
    stretch = lambda points: points @ rotation("z", 45).T * [*half, 1]  # noqa: E731
    for x in (np.arange(cols) + 0.5) * wide / cols - wide / 2:
        for y in (np.arange(rows) + 0.5) * length / rows - length / 2 + middle:
            model.lathe(
                [(1, -0.2), (0.78, thin - base), (0, thin - base)], image, 4, bend=stretch, at=(x, y, base), hull=False
            )


EGG_SHELLS = {
    "white": ((242, 238, 228), (234, 230, 220), (246, 240, 226)),
    "brown": ((196, 140, 100), (180, 122, 84), (208, 158, 122), (164, 108, 74)),
    "turquoise": ((140, 204, 198), (156, 212, 202)),
}


@generates("egg")
def egg(rng: Rng) -> Instance:
    """Eggs: smooth ovals with one narrower end; white, brown, speckled, rarely blue or green."""
    model = ModelBuilder()
    word = choice(rng, weighted("white 6, brown 6, turquoise"))
    skin = finish(rng, "food", word, rgb=EGG_SHELLS[word])
    color = skin.tints[0]
    r = rng.uniform(19, 24)
    slim = rng.uniform(1.2, 1.42)
    point = rng.uniform(0.08, 0.26)
    if rng.random() < 0.08:
        r *= 0.62
    speckled = rng.random() < (0.3 if r > 16 else 1)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 21)
    profile = np.c_[r * np.cos(angle) * (1 - point * np.sin(angle) * np.cos(angle) ** 0.5), r * slim * np.sin(angle)]
    specks = ((110, 74, 50), rng.uniform(0.01, 0.05)) if speckled else None
    image = peel(
        rng, color, tone=0.018, patches=(color * 0.96, 0.4), spots=specks, spot_count=int(rng.integers(40, 62))
    )
    model.lathe(profile, image, 26, turn=lying(rng), pieces=1)
    features = ["with brown specks" if speckled else "with a clean shell"]
    colors = (word, "brown") if speckled else (word,)
    return model.instance(skin, "oval", features, colors=colors, pattern="speckled" if speckled else "plain")


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


@generates("ice cream cone")
def ice_cream_cone(rng: Rng) -> Instance:
    """Ice cream cones: a waffle cone with scoops or a soft swirl; sauce, sprinkles, a wafer."""
    # Pose: lying, its tip towards -y.
    model = ModelBuilder()
    words = [choice(rng, ("white", "pink", "brown", *FLAVORS)) for _ in range(int(rng.integers(1, 4)))]
    soft = rng.random() < 0.3
    words = words[:1] if soft else words
    skin = finish(rng, "food", words[0], rgb=FLAVORS[words[0]])
    rim = rng.uniform(22, 30)
    deep = rng.uniform(85, 130)
    turn = lying(rng, 3)
    cone = waffle(rng)
    profile = [(0, 0), (0.08 * rim, 1), (0.55 * rim, 0.5 * deep), (rim, deep), (0.9 * rim, deep)]
    model.lathe(profile, cone, 28, turn=turn, pieces=1)
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
    tall = rim * rng.uniform(1.8, 2.6)
    rounds = int(rng.integers(3, 5))
    radius = rim * 1.12 * (1 - t**1.5) ** 0.8 * (0.9 + 0.16 * np.abs(np.sin(np.pi * rounds * t)))
    image = peel(rng, color, tone=0.03, streaks=(color * 0.93, 0.2), texels=(56, 96))

    def lift(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        low = np.clip(1.4 - points[:, 2] / (deep + tall), 0, 1)
        return np.asarray(points + (0.3 * tall / rounds * np.sin(angle) * low)[:, None] * [0, 0, 1])

    profile = smooth([(0.7 * rim, deep - 2), *np.c_[radius, deep + tall * t]], 40)
    model.lathe(profile, image, 28, bend=lift, turn=turn, pieces=4)


LOLLIPOP_COLORS = weighted("red 2, orange, yellow, green, pink 2, purple, blue, turquoise")


@generates("lollipop")
def lollipop(rng: Rng) -> Instance:
    """Lollipops: candy balls or flat swirled discs on a thin stick. Pose: lying, its stick towards -y."""
    model = ModelBuilder()
    flat = rng.random() < 0.55
    skin = finish(
        rng,
        "food",
        LOLLIPOP_COLORS,
        "striped" if rng.random() < (0.9 if flat else 0.6) else "plain",
        second=(*weighted("white 2"), *LOLLIPOP_COLORS),
    )
    first = skin.tints[0]
    last = skin.tints[-1]
    r = rng.uniform(20, 40) if flat else rng.uniform(12, 18)
    stick = rng.uniform(60, 110)
    thick = rng.uniform(1.6, 2.6)
    if flat:
        u, v = tx.uv_grid(112, 112)
        away = np.hypot(u - 0.5, v - 0.5) * 2
        angle = np.arctan2(v - 0.5, u - 0.5) / (2 * np.pi)
        arms = int(rng.integers(1, 5))
        rounds = rng.uniform(1.5, 3.5) * choice(rng, (-1, 1))
        wave = np.abs((arms * angle + rounds * away ** rng.uniform(0.7, 1.1)) % 1 - 0.5)
        colors = tx.lerp_color(first, last, tx.smoothstep(wave, 0.22, 0.28))
        deep = rng.uniform(8, 13)
        half = [(0, -0.5), (0.86, -0.5), (0.97, -0.3), (1, 0.0), (0.97, 0.3), (0.86, 0.5), (0, 0.5)]
        flat_body(model, np.array(half) * [r, deep], lambda points: points, tx.to_uint8(colors), 36)
        shape = "disc-shaped"
    else:
        base = peel(rng, first, tone=0.03, texels=(56, 96))
        u, v = tx.uv_grid(56, 96)
        band = tx.smoothstep(np.abs((v * rng.uniform(2, 5) + choice(rng, (0, 1)) * u) % 1 - 0.5), 0.24, 0.3)
        image = tx.to_uint8(tx.lerp_color(base, last, band if skin.pattern == "striped" else 0 * band))
        wide, tall = r * rng.uniform(0.95, 1.1), r * rng.uniform(0.85, 1.1)
        outline = smooth(
            [(0, -tall), (0.55 * wide, -0.85 * tall), (wide, 0), (0.55 * wide, 0.85 * tall), (0, tall)], 17
        )
        model.lathe(outline, image, 24, turn=LYING, pieces=1)
        belt = rng.random() < 0.5
        if belt:
            model.lathe(
                [(wide, -2), (1.06 * wide, -1.4), (1.06 * wide, 1.4), (wide, 2)], image, 24, turn=LYING, hull=False
            )
        shape = "spherical"
    paper = choice(rng, (*weighted("white 3"), *LOLLIPOP_COLORS))
    color = tint(rng, paper)
    path = np.c_[np.zeros(4), np.linspace(-r - stick, -0.7 * r, 4), np.zeros(4)]
    model.sweep(path, thick, plain(color), segments=9, pieces=1)
    features = [f"with a {paper} stick", "flat" if flat else ""]
    features += ["with a spiral" if flat and skin.pattern == "striped" else ""]
    return model.instance(skin, shape, features)


FILLINGS = {  # RGB, thickness in mm, how far it stands out, how wavy its edge is
    "salad": ((104, 160, 60), 4.0, 4.0, 0.09),
    "cheese": ((244, 200, 84), 3.0, 2.0, 0.01),
    "ham": ((232, 150, 146), 4.0, 2.0, 0.04),
    "tomato": ((206, 60, 44), 5.0, 1.0, 0.03),
    "meat": ((132, 84, 56), 6.0, 0.5, 0.04),
    "cream": ((244, 240, 226), 3.0, 0.0, 0.01),
}
BREADS = {"white": ((240, 226, 192), (234, 216, 178)), "brown": ((190, 146, 96), (172, 126, 80))}


def slice_outline(rng: Rng, half: float, triangle: bool) -> Floats:
    """Return the outline [N, 2] of a slice of toast with round corners, or of its diagonal half."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float) * half
    if triangle:
        corners = np.array([[0.62, -1.3], [0.62, 1.3], [-0.68, 0.0]]) * half
    corners *= rng.uniform(0.94, 1.06, (1, 2))
    points = []
    for before, at, after in zip(np.roll(corners, 1, 0), corners, np.roll(corners, -1, 0), strict=True):
        a, b = at + 0.13 * (before - at), at + 0.13 * (after - at)
        points += [a, 0.25 * a + 0.5 * at + 0.25 * b, b]
        points += [b + f * ((after + 0.13 * (at - after)) - b) for f in (0.2, 0.4, 0.6, 0.8)]
    return np.array(points)


@generates("sandwich")
def sandwich(rng: Rng) -> Instance:
    """Sandwiches: two slices of bread, cut to triangles or whole, with leaves, cheese, ham, meat and tomato between."""
    model = ModelBuilder()
    word = choice(rng, weighted("white 2, brown"))
    toasted = rng.random() < 0.35
    skin = finish(rng, "food", word, rgb=BREADS[word])
    half = rng.uniform(42, 58)
    triangle = rng.random() < 0.6
    outline = slice_outline(rng, half, triangle)
    face: Floats = crumb(rng, skin.tints[0], (80, 80), 0.09).astype(float)
    if toasted:
        face = tx.lerp_color(face, (176, 112, 54), tx.smoothstep(tx.grid_noise(rng, (80, 80), 3, 3), -1.2, 1.0) * 0.75)
    u = tx.uv_grid(24, 128)[0]
    rim = np.array((160, 100, 52)) * rng.uniform(0.8, 1.15)
    cut = (u < 0.4) if triangle else np.zeros(u.shape, dtype=bool)  # the first side of a triangle is the long one
    wall = np.where(
        cut[..., None],
        crumb(rng, skin.tints[0], (24, 128), 0.09),
        rim * (1 + 0.06 * tx.grid_noise(rng, u.shape, 4, 20))[..., None],
    )
    thick = rng.uniform(10, 16)
    z = 0.0
    model.prism(outline, z, z + thick, tx.to_uint8(face), tx.to_uint8(wall))
    z += thick
    edges: list[Floats] = []
    names = list(rng.permutation(list(FILLINGS))[: int(rng.integers(2, 5))])
    for name in [n for n in FILLINGS if n in names]:
        color, deep, out, edge = FILLINGS[name]
        angle = np.arctan2(*(outline - outline.mean(axis=0)).T)
        reach = 1 + (out * rng.uniform(0.3, 1.2) / half + wavy(rng, angle, edge) - 0.02)
        layer = (outline - outline.mean(axis=0)) * reach[:, None] + outline.mean(axis=0) + rng.normal(0, 0.8, 2)
        tone = np.array(color) * rng.uniform(0.88, 1.06)
        paint = peel(rng, tone, tone=0.1, patches=(tone * 0.8, 0.3), streaks=(tone * 1.15, 0.2), texels=(24, 64))
        deep *= rng.uniform(1.0, 2.2)
        model.prism(layer, z, z + deep, paint, hull=False)
        edges += [np.c_[layer, np.full(len(layer), h)] for h in (z, z + deep)]
        z += deep
    lid = thick * rng.uniform(0.9, 1.05)
    model.prism(outline, z, z + lid, tx.to_uint8(face), tx.to_uint8(wall))
    model.hull(np.concatenate(edges))
    features = [f"with {n}" for n in names if n != "cream"]
    return model.instance(
        skin,
        "triangular" if triangle else "rectangular",
        [*features, "toasted" if toasted else ""],
        colors=(word, "brown"),
    )

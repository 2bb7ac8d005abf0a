"""Books, paper and what holds it together."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish, tint, weighted
from pickclutter_lang.kinds.fittings import ALONG_X, ALONG_Y, BRASS, VIVID, disc, ring, steel
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.labels import sample_brand
from pickclutter_lang.kinds.models import ModelBuilder, Skin, plain, rounded, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation
from pickclutter_lang.objects.procedural.textures import COLORS

SIDE = rotation("z", 90) @ rotation("x", 90)  # a prism's outline (x, y) becomes (y, z)
ADHESIVE_TAPE_ROLL_TAPES = {
    "clear": ("yellow", ((226, 206, 118), (216, 192, 100), (232, 212, 128))),
    "packing": ("brown", ((176, 122, 70), (160, 108, 58), (190, 138, 84))),
    "masking": ("yellow", ((228, 202, 104), (232, 208, 116))),
    "duct": ("grey", ((150, 152, 156), (128, 130, 134))),
}


@generates("adhesive tape roll")
def adhesive_tape_roll(rng: Rng) -> Instance:
    """Rolls of adhesive tape: clear, brown, colored or grey, thin or thick, round a core of cardboard or plastic."""
    model = ModelBuilder()
    sort = choice(rng, (*ADHESIVE_TAPE_ROLL_TAPES, *weighted("colored 3")))
    if sort == "colored":
        skin = finish(
            rng,
            "plastic",
            ("red", "blue", "green", "yellow", "black", "white", "orange", "pink", "purple", "turquoise"),
            wear=0.3,
        )
    else:
        skin = finish(
            rng, "plastic", ADHESIVE_TAPE_ROLL_TAPES[sort][0], wear=0.3, rgb=ADHESIVE_TAPE_ROLL_TAPES[sort][1]
        )
    inner = rng.uniform(12, 20) if rng.random() < 0.4 else rng.uniform(30, 38)
    outer = inner + rng.uniform(5, 0.55 * inner + 8)
    tall = rng.uniform(10, 24) if inner < 22 else rng.uniform(12, 50)
    rings = tx.grid_noise(rng, (128, 64), 60, 2)
    wound = tx.to_uint8(skin.tints[0] * (1 + 0.05 * rings[..., None]))
    turn = rotation("y", 90) if rng.random() < 0.35 else np.eye(3)
    ring(model, inner + 1.8, outer, tall, wound, wedges=8, segments=32, turn=turn)
    core = choice(rng, ("brown", "white", ""))
    rgb = {"brown": (176, 140, 96), "white": (236, 234, 228)}.get(core)
    paper = finish(rng, "cardboard" if core else "plastic", core or ("red", "blue", "green", "orange"))
    paper = paper.painted(rgb) if rgb else paper
    ring(
        model, inner, inner + 1.9, tall * (1.0 if rng.random() < 0.6 else 1.06), paper, wedges=0, segments=32, turn=turn
    )
    loose = rng.random() < 0.35
    if loose:
        t = np.linspace(0, 1, 6)
        angle = np.radians(90 - 26 * t)
        radius = outer + 0.3 + 7 * t**2
        path = np.c_[radius * np.cos(angle), radius * np.sin(angle), 0 * t]
        model.sweep(
            path @ turn.T, 0.45, skin.solid(0.92), tall / 2, power=6, segments=8, up=turn[:, 2].tolist(), pieces=1
        )
    features = ["with a cardboard core" if core else "with a plastic core", "with a loose end" if loose else ""]
    features += ["wide" if tall > 34 else "narrow" if tall < 14 else ""]
    return model.instance(skin, "ring-shaped", features, density=900)


@generates("binder clip")
def binder_clip(rng: Rng) -> Instance:
    """Binder clips: triangular bodies of black or colored sheet steel with two wire levers."""
    # Pose: its mouth towards +y, its long side along x.
    model = ModelBuilder()
    wide = rng.uniform(15, 52)
    deep, tall = wide * rng.uniform(0.45, 0.62) + 2, wide * rng.uniform(0.3, 0.42) + 2
    wall = max(0.7, 0.028 * wide)
    patterned = weighted("plain 5, striped, dotted")
    skin = finish(rng, "metal", [*weighted("black 9"), *VIVID, "grey"], patterned, pitch=(3, 7), wear=0.4)
    half = tall / 2
    for z in (-1, 1):
        flank = np.array(
            [(-deep / 2, z * half), (-deep / 2, z * (half - wall)), (deep / 2, 0.0), (deep / 2, z * 1.2 * wall)]
        )
        model.prism(flank if z > 0 else flank[::-1], -wide / 2, wide / 2, skin, turn=SIDE)
        lip = [(x, deep / 2, z * wall) for x in (-wide / 2, wide / 2)]
        model.sweep(lip, 1.3 * wall, skin.solid(0.9), segments=10, up=(0, 0, 1), hull=False)
    model.box((wide, wall, tall), skin, 0.2, at=(0, -deep / 2, 0))
    metal = steel(rng)
    thin = max(0.7, 0.03 * wide)
    reach = deep * rng.uniform(0.95, 1.25)
    folded = rng.random() < 0.3
    loops = {
        0: [(0.3, 0), (0.26, 0.45), (0.2, 0.72), (0.1, 0.78), (0, 0.79)],
        1: [(0.3, 0), (0.12, 0.4), (0.16, 0.72), (0.1, 0.95), (0, 1)],
    }
    points = np.array(loops[int(rng.integers(2))]) * [wide, reach]
    wire = np.concatenate([points, points[-2::-1] * [-1, 1]])
    for z in (-1, 1):
        angle = rng.uniform(8, 40)
        turn = rotation("x", z * angle) if not folded else rotation("x", 180 - z * rng.uniform(16, 24))
        foot = (0, deep / 2 + 0.5, z * 1.6 * wall)
        model.sweep(np.c_[wire, 0 * wire[:, 0]], thin, metal, segments=8, at=foot, turn=turn, pieces=4)
    word = choice(rng, ("with levers folded back", "with its levers over its back")) if folded else "with levers spread"
    features = [word, "with two metal levers", "small" if wide < 22 else "large" if wide > 42 else ""]
    return model.instance(skin, "triangular", features, density=2500)


BOOK_FIRST = ("THE", "MY", "A", "LOST", "LAST", "DEEP", "DARK", "GOLDEN", "SECRET", "WILD", "SILENT", "LITTLE")
BOOK_SECOND = weighted("RIVER, HOUSE, GARDEN, NIGHT, SEA, WINTER, STAR, ROAD, MOON, FOREST, CITY, ISLAND, LETTER, KING")


@generates("book")
def book(rng: Rng) -> Instance:
    """Books: hardbacks and paperbacks with a title, an author and art on the cover, and pages at three sides."""
    # Pose: lying with its spine at -x; its title reads from +x.
    model = ModelBuilder()
    height = rng.uniform(130, 245)
    width = height * rng.uniform(0.62, 0.8)
    thick = rng.uniform(9, 42)
    hard = rng.random() < 0.55
    material = choice(rng, weighted("cardboard 3, cloth, leather")) if hard else "paper"
    skin = finish(rng, material, list(COLORS), wear=0.6)
    cover, over = (rng.uniform(2, 3.2), 3.0) if hard else (0.8, 0.2)
    title = f"{choice(rng, BOOK_FIRST)} {choice(rng, BOOK_SECOND)}"
    front = _cover(rng, skin, width, height, title, plain_cover=material in ("cloth", "leather"))
    back = skin.image(width, height)
    for z, image in ((1, front), (-1, back)):
        faces: dict[str, Skin] = dict.fromkeys(("left", "right", "front", "back"), skin.solid(0.95))
        faces |= {"top": image if z > 0 else skin, "bottom": image if z < 0 else skin}
        model.box((width, height, cover), faces, 0.3, at=(0, 0, z * (thick - cover) / 2), hull=False)
    _, v = tx.uv_grid(40, 12)
    lines = 0.5 + 0.5 * np.sin(v * 90 + 3 * tx.grid_noise(rng, (40, 12), 9, 2))
    paper = np.array(choice(rng, ((240, 236, 222), (228, 214, 178), (244, 243, 238))))
    pages = tx.to_uint8(tx.lerp_color(paper, paper * 0.84, lines))
    model.box((width - over, height - 2 * over, thick - 2 * cover), pages, 0, at=(-over / 2, 0, 0), hull=False)
    spine = _spine(rng, skin, thick, height, title)
    sides = dict.fromkeys(("right", "front", "back", "top", "bottom"), skin) | {"left": spine}
    model.box(
        (1.6 if not hard else 3, height, thick), sides, 0.3 if not hard else 1.2, at=(-width / 2, 0, 0), hull=False
    )
    model.hull(
        [
            (x, y, z)
            for x in (-width / 2 - 1, width / 2)
            for y in (-height / 2, height / 2)
            for z in (-thick / 2, thick / 2)
        ]
    )
    features = ["with a hard cover" if hard else "with a soft cover", "closed"]
    features += ["thick" if thick > 30 else "thin" if thick < 15 else ""]
    return model.instance(skin, "rectangular", features, pattern="printed", density=650)


def _cover(rng: Rng, skin: Finish, width: float, height: float, title: str, plain_cover: bool) -> TextureImage:
    """Paint a front: art unless it is `plain_cover`, the title in up to two lines, and the author."""
    base = skin.image(width, height, 176)
    image = Image.fromarray(base)
    draw, (w, h) = ImageDraw.Draw(image), image.size
    light = skin.tints[0] @ [0.3, 0.59, 0.11] > 130
    ink = (28, 26, 30) if light else (244, 240, 226)
    if plain_cover:
        ink = ink if light else (224, 184, 84)
        if rng.random() < 0.6:
            draw.rectangle([0.07 * w, 0.05 * h, 0.93 * w, 0.95 * h], outline=ink, width=2)
    else:
        _art(rng, draw, w, h, skin.colors[0])
    top = 0.14 if plain_cover or rng.random() < 0.7 else 0.62
    for n, word in enumerate(title.split()):
        tx.draw_text(image, word, (w / 2, (top + 0.13 * n) * h), min(0.12 * h, 0.82 * w / (0.66 * len(word))), ink)
    author = f"{choice(rng, 'ABCDEFGHJKLMNPRSTVW')}. {sample_brand(rng, ('book',)).name.capitalize()}"
    tx.draw_text(image, author, (w / 2, 0.9 * h), 0.75 * w / (0.62 * len(author)), ink)
    return np.asarray(image)


def _art(rng: Rng, draw: ImageDraw.ImageDraw, w: int, h: int, word: str) -> None:
    """Draw one of several compositions in the middle of a cover."""
    others = [c for c in COLORS if c != word]
    first, second = (tuple(int(c) for c in tint(rng, choice(rng, others))) for _ in range(2))
    form = int(rng.integers(5))
    x = w * rng.uniform(0.3, 0.7)
    y = h * rng.uniform(0.48, 0.58)
    r = w * rng.uniform(0.16, 0.3)
    if form == 0:
        draw.ellipse([x - r, y - r, x + r, y + r], fill=first)
        draw.polygon([(0, h * 0.8), (w * 0.4, y), (w * 0.6, h * 0.68), (w * 0.8, y), (w, h * 0.8)], fill=second)
    elif form == 1:
        draw.rectangle([0, 0.42 * h, w, 0.78 * h], fill=first)
        draw.ellipse([x - r / 2, 0.46 * h, x + r / 2, 0.46 * h + r], fill=second)
    elif form == 2:
        for n in range(int(rng.integers(3, 9))):
            a, b = rng.uniform(0.1, 0.8) * w, rng.uniform(0.42, 0.72) * h
            draw.rectangle([a, b, a + 0.5 * r, b + 0.9 * r], fill=first if n % 2 else second)
    elif form == 3:
        for n in range(5):
            q = r * (1.4 - 0.28 * n)
            draw.ellipse([w / 2 - q, y - q, w / 2 + q, y + q], fill=first if n % 2 else second)
    else:
        draw.polygon([(x, y - r), (x + r, y + r), (x - r, y + r)], fill=first)
        draw.line([(0, h * 0.79), (w, h * 0.79)], fill=second, width=max(2, h // 40))


def _spine(rng: Rng, skin: Finish, thick: float, height: float, title: str) -> TextureImage:
    """Paint the spine, whose u runs along the book's height."""
    image, draw = tx.canvas((144, max(8, round(144 * thick / height))), (skin.tints[0] * 0.97).clip(0, 255).tolist())
    ink = (28, 26, 30) if skin.tints[0] @ [0.3, 0.59, 0.11] > 130 else (244, 236, 210)
    if rng.random() < 0.5:
        for x in (8, 132):
            draw.rectangle([x, 0, x + 3, image.height], fill=ink)
    size = min(0.75 * image.height, 100 / (0.64 * len(title)))
    if size >= 4:
        tx.draw_text(image, title, (72, image.height / 2), size, ink)
    return np.asarray(image)


BOARDS = ((150, 102, 60), (132, 86, 50), (168, 120, 74), (184, 140, 92))


@generates("clipboard")
def clipboard(rng: Rng) -> Instance:
    """Clipboards: boards of hardboard or plastic with a metal clip on top, empty or with sheets of paper."""
    # Pose: lying with its clip at +y.
    model = ModelBuilder()
    tall = rng.uniform(165, 310)
    wide = tall * rng.uniform(0.66, 0.76)
    thick = rng.uniform(2.4, 4)
    wooden = rng.random() < 0.5
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=BOARDS)
        if wooden
        else finish(rng, "plastic", [*VIVID, *weighted("black 2, white")], wear=0.4)
    )
    model.prism(rounded(wide, tall, rng.uniform(3, 14)), 0, thick, skin)
    top = thick
    loaded = rng.random() < 0.6
    if loaded:
        w = wide * rng.uniform(0.82, 0.93)
        h = tall * rng.uniform(0.84, 0.92)
        stack = rng.uniform(0.4, 2.5)
        image = _sheet(rng)
        paper = plain((236, 236, 230))
        faces = dict.fromkeys(("left", "right", "front", "back", "bottom"), paper) | {"top": image}
        model.box((w, h, stack), faces, 0, at=(0, -0.02 * tall, thick + stack / 2), hull=False)
        top += stack
    metal = steel(rng, ((190, 192, 196), (176, 178, 182)))
    clip: Skin = metal if rng.random() < 0.8 else plain((36, 36, 38))
    span = wide * rng.uniform(0.36, 0.6)
    deep = tall * rng.uniform(0.05, 0.09) + 8
    y = tall / 2 - deep * rng.uniform(0.35, 0.6)
    size = (span, deep, 2.0)
    model.box(size, clip, 0.6, at=(0, y, top + 2))
    roll = rng.uniform(3.4, 5.5)
    profile = [(0, -span / 2), (roll, -span / 2), (roll, span / 2), (0, span / 2)]
    model.lathe(profile, clip, segments=14, pieces=1, at=(0, y - 0.35 * deep, top + roll - 1), turn=ALONG_X)
    lip = [(0, -0.46 * span), (1.8, -0.46 * span), (1.8, 0.46 * span), (0, 0.46 * span)]
    model.lathe(lip, clip, segments=10, pieces=1, at=(0, y + 0.5 * deep, top + 4), turn=ALONG_X)
    if rng.random() < 0.5:
        outline = circle(1, 18) * [0.16 * span, 0.3 * deep] + np.array([0, y + 0.55 * deep])
        model.prism(outline, top + 1, top + 3, clip)
        model.prism(
            circle(0.13 * deep, 12, (0, y + 0.68 * deep)), top + 0.8, top + 3.2, plain((40, 40, 44)), hull=False
        )
    features = ["with sheets of paper" if loaded else "empty"]
    features += ["with a metal clip" if clip is metal else "with a black clip"]
    return model.instance(
        skin, "flat rectangular", features, colors=(*skin.colors, "white") if loaded else (), density=700
    )


def _sheet(rng: Rng) -> TextureImage:
    """Paint a sheet: blank, ruled, a form, or written on."""
    image, draw = tx.canvas((112, 152), (240, 240, 236))
    form = choice(rng, ("blank", "ruled", "form", "written"))
    ink = (70, 74, 90)
    rows = range(24, 146, 8)
    if form == "ruled":
        for y in rows:
            draw.line([(0, y), (112, y)], fill=(150, 176, 214))
        draw.line([(14, 0), (14, 152)], fill=(220, 120, 120))
    elif form == "form":
        draw.rectangle([10, 8, 70, 15], fill=(60, 62, 70))
        for y in rows:
            draw.rectangle([10, y, 15, y + 5], outline=ink)
            draw.line([(20, y + 5), (104, y + 5)], fill=(150, 152, 160))
    elif form == "written":
        for y in rows:
            x = 10.0
            while x < rng.uniform(70, 102):
                step = rng.uniform(4, 12)
                draw.line([(x, y), (x + step, y)], fill=ink, width=2)
                x += step + 3
    return np.asarray(image)


ENVELOPE_KRAFT = ((196, 152, 100), (184, 140, 88), (206, 164, 114))
PAPERS = ("red", "yellow", "green", "blue", "pink", "turquoise", "purple", "orange", "grey", "black")


@generates("envelope")
def envelope(rng: Rng) -> Instance:
    """Envelopes: white, brown or colored, with a flap, and some with a window, a stamp, an address or striped edges."""
    model = ModelBuilder()
    long = rng.uniform(105, 225)
    wide = long * choice(rng, (0.5, 0.64, 0.7, 0.72)) * rng.uniform(0.97, 1.03)
    thick = rng.uniform(1.2, 4.5)
    sort = choice(rng, weighted("white 3, kraft 2, colored"))
    if sort == "white":
        skin = finish(rng, "paper", "white", wear=0.4)
    elif sort == "kraft":
        skin = finish(rng, "paper", "brown", wear=0.5, rgb=ENVELOPE_KRAFT)
    else:
        skin = finish(rng, "paper", PAPERS, wear=0.4)
    extras = [w for w, share in (("stamp", 0.55), ("address", 0.6), ("window", 0.25)) if rng.random() < share]
    airmail = sort == "white" and rng.random() < 0.2
    front = _envelope_front(rng, skin, wide, long, extras, airmail)
    pointed = rng.random() < 0.6
    back = _envelope_back(rng, skin, wide, long, pointed, airmail)
    flap_up = rng.random() < 0.45
    turn = rotation("y", 180) if flap_up else np.eye(3)
    sides = dict.fromkeys(("left", "right", "front", "back"), skin.solid(0.92)) | {"top": front, "bottom": back}
    model.box((wide, long, thick), sides, 0.3, turn=turn)
    words = {"stamp": "with a stamp", "address": "with an address", "window": "with a window"}
    features = [*(words[e] for e in extras), "with a pointed flap" if pointed else "with a straight flap", "closed"]
    features += ["with striped edges"] if airmail else []
    return model.instance(skin, "flat rectangular", features, density=400)


def _envelope_canvas(skin: Finish, wide: float, long: float, airmail: bool) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return the paper on its side: x runs along the envelope's long side."""
    image = Image.fromarray(np.ascontiguousarray(np.rot90(skin.image(wide, long, 176))))
    draw = ImageDraw.Draw(image)
    if airmail:
        w, h = image.size
        for n, x in enumerate(range(0, w + h, 8)):
            color = ((196, 40, 44), (236, 236, 232), (40, 70, 160), (236, 236, 232))[n % 4]
            draw.line([(x, 0), (x - 4, 5)], fill=color, width=6)
            draw.line([(x, h - 5), (x - 4, h)], fill=color, width=6)
    return image, draw


def _envelope_front(rng: Rng, skin: Finish, wide: float, long: float, extras: list[str], airmail: bool) -> TextureImage:
    image, draw = _envelope_canvas(skin, wide, long, airmail)
    w, h = image.size
    ink = (34, 36, 60) if skin.tints[0].mean() > 90 else (232, 230, 220)
    if "window" in extras:
        left, top = 0.1 * w, 0.48 * h
        draw.rounded_rectangle(
            [left, top, left + 0.42 * w, top + 0.32 * h], 4, fill=(206, 212, 214), outline=(170, 176, 180)
        )
        _lines(rng, draw, left + 5, top + 6, 0.34 * w, (60, 62, 68))
    if "address" in extras:
        _lines(rng, draw, (0.55 if "window" in extras else 0.42) * w, 0.5 * h, 0.32 * w, ink)
    if "stamp" in extras:
        x0 = 0.84 * w
        y0 = 0.08 * h
        x1 = 0.95 * w
        y1 = 0.08 * h + 0.14 * w
        draw.rectangle([x0 - 2, y0 - 2, x1 + 2, y1 + 2], fill=(244, 242, 234))
        draw.rectangle([x0, y0, x1, y1], fill=tuple(int(c) for c in tint(rng, choice(rng, list(COLORS)))))
        fill = tuple(int(c) for c in tint(rng, choice(rng, list(COLORS))))
        draw.ellipse([x0 + 4, y0 + 5, x1 - 4, y1 - 5], fill=fill)
        if rng.random() < 0.5:
            for r in (9, 12):
                draw.arc([x0 - 14 - r, y0 + 8 - r, x0 - 14 + r, y0 + 8 + r], 0, 360, fill=(60, 60, 70))
    return np.ascontiguousarray(np.rot90(np.asarray(image), -1))


def _lines(rng: Rng, draw: ImageDraw.ImageDraw, x: float, y: float, long: float, ink: tuple[int, ...]) -> None:
    """Draw four lines of writing."""
    for n in range(4):
        end = x
        at = y + 7 * n
        while end < x + long * rng.uniform(0.55, 1):
            step = rng.uniform(3, 12)
            draw.line([(end, at + rng.uniform(-1, 1)), (end + step, at + rng.uniform(-1, 1))], fill=ink, width=2)
            end += step + 2.5


def _envelope_back(rng: Rng, skin: Finish, wide: float, long: float, pointed: bool, airmail: bool) -> TextureImage:
    """Paint the back: the seams, and the flap with its shadow."""
    image, draw = _envelope_canvas(skin, wide, long, airmail)
    w, h = image.size
    shade, light = (tuple(int(c) for c in (skin.tints[0] * f).clip(0, 255)) for f in (0.72, 0.96))
    for x in (0, w):
        draw.line([(x, h), (w / 2, 0.5 * h)], fill=shade, width=1)
    depth = rng.uniform(0.48, 0.62) * h if pointed else rng.uniform(0.25, 0.4) * h
    middle = [(w / 2 + 6, depth), (w / 2 - 6, depth)] if pointed else [(0.93 * w, depth), (0.07 * w, depth)]
    flap = [(0, 0), (w, 0), *middle]
    draw.polygon([(x, y + 2) for x, y in flap], fill=shade)
    draw.polygon(flap, fill=light)
    if rng.random() < 0.12:
        r = 0.09 * h
        fill = tuple(int(c) for c in tint(rng, choice(rng, ("red", "blue", "purple"))))
        draw.ellipse([w / 2 - r, depth - 1.2 * r, w / 2 + r, depth + 0.8 * r], fill=fill)
    return np.ascontiguousarray(np.rot90(np.asarray(image), -1))


HOLE_PUNCH_COLORS = [*VIVID, *weighted("black 3, grey, blue, red")]


@generates("hole punch")
def hole_punch(rng: Rng) -> Instance:
    """Hole punches: two-hole punches for the desk with a wide lever, and pliers for single holes."""
    return _hand_punch(rng) if rng.random() < 0.25 else _desk_punch(rng)


def _desk_punch(rng: Rng) -> Instance:
    """Return a punch for two holes, standing; its lever rises towards +y."""
    model = ModelBuilder()
    wide = rng.uniform(92, 130)
    deep = wide * rng.uniform(0.55, 0.85)
    foot = rng.uniform(9, 15)
    skin = finish(rng, choice(rng, ("metal", "plastic")), HOLE_PUNCH_COLORS, wear=0.5)
    tray = plain(tint(rng, choice(rng, ("black", "black", "grey", skin.colors[0]))))
    model.prism(rounded(wide, deep, rng.uniform(3, 12)), 0, foot, tray)
    back = -0.2 * deep
    body = rng.uniform(16, 24)
    size = (0.86 * wide, 0.38 * deep, body)
    model.box(size, steel(rng) if rng.random() < 0.5 else skin, 1.5, at=(0, back, foot + body / 2 + 4))
    metal = steel(rng)
    gap = wide * rng.uniform(0.3, 0.36)
    for side in (-1, 1):
        post = circle(rng.uniform(4, 5.5), 14, (side * gap, back + 0.2 * deep))
        model.prism(post, foot - 1, foot + body + 8, metal, hull=False)
    z = foot + body + 3
    rise = rng.uniform(12, 30)
    front = rng.uniform(0.48, 0.58) * deep
    bow = [(-0.45 * deep, 0.0), (-0.42 * deep, 8), (-0.1 * deep, 10 + 0.35 * rise), (front - 8, 8 + rise)]
    bow += [(front, 2 + rise)]
    top = smooth(bow, 12)
    outline = np.concatenate([[(-0.45 * deep, -3), (0.2 * deep, -2 + 0.4 * rise), (front, -1 + rise)], top[::-1]])
    half = wide * rng.uniform(0.34, 0.46)
    model.prism(outline, -half, half, skin, turn=SIDE, at=(0, 0, z))
    guide = rng.random() < 0.4
    if guide:
        bar = (0.45 * wide, 9, 1.6)
        model.box(
            bar, plain(tint(rng, choice(rng, ("white", "grey")))), 0.3, at=(0.55 * wide, back + 0.25 * deep, foot + 1)
        )
    features = ["with a paper guide" if guide else "", "with a wide lever"]
    return model.instance(skin, "irregular", features, density=900)


def _hand_punch(rng: Rng) -> Instance:
    """Return pliers for one hole, lying, with the jaws at +y."""
    model = ModelBuilder()
    long = rng.uniform(110, 150)
    wide = long * rng.uniform(0.07, 0.09)
    thick = rng.uniform(7, 11)
    metal = steel(rng)
    coated = rng.random() < 0.6
    skin = finish(rng, "plastic", HOLE_PUNCH_COLORS, wear=0.4) if coated else metal
    spread = long * rng.uniform(0.14, 0.2)
    for side in (-1, 1):
        line = [(side * 0.6 * wide, 2), (side * (spread * 0.9), -0.3 * long), (side * spread, -0.62 * long)]
        line += [(side * 0.7 * spread, -0.72 * long)]
        path = np.c_[smooth(line, 14), np.zeros(14)]
        model.sweep(path, np.linspace(0.6 * wide, 0.5 * wide, 14), skin, thick / 2, power=3, segments=12, pieces=3)
        jaw = [(side * 0.4 * wide, -2), (side * 1.5 * wide, 0.1 * long), (side * 1.2 * wide, 0.28 * long)]
        path = np.c_[smooth(jaw, 8), np.zeros(8)]
        model.sweep(path, np.linspace(0.75 * wide, 0.5 * wide, 8), metal, thick / 2, power=3, segments=12, pieces=2)
    y = 0.26 * long
    model.box((1.3 * wide, 10, 0.9 * thick), metal, 1.5, at=(-0.9 * wide, y, 0))
    profile = [(0, 0), (3, 0), (3, 1.2 * wide), (0, 1.2 * wide)]
    model.lathe(profile, metal.solid(0.8), segments=12, pieces=1, at=(0, y, 0), turn=rotation("y", 90))
    disc(model, 0.8 * wide, -thick / 2 - 1, thick / 2 + 1, plain((120, 122, 126)))
    colors = (*skin.colors, *metal.colors) if coated else metal.colors
    return model.instance(
        skin, "x-shaped", ["hand-held", "with plastic handles" if coated else ""], colors=colors, density=2000
    )


@generates("magnifying glass")
def magnifying_glass(rng: Rng) -> Instance:
    """Magnifying glasses: round lenses in rims of plastic or metal, on handles of plastic, wood or metal."""
    # Pose: lying with its lens at +y.
    model = ModelBuilder()
    r = rng.uniform(20, 48)
    rim = r * rng.uniform(0.06, 0.13) + 1
    thick = rng.uniform(5, 9)
    grip, neck = rng.uniform(50, 105), rng.uniform(3, 16)
    form = choice(rng, weighted("plastic 2, wood, metal"))
    if form == "plastic":
        skin = finish(rng, "plastic", [*VIVID, *weighted("black 7")], wear=0.4)
    elif form == "wood":
        skin = finish(rng, "wood", "brown", wear=0.4, rgb=WOODS)
    else:
        skin = steel(rng)
    bright = steel(rng).painted(BRASS if rng.random() < 0.4 else (186, 188, 192))
    same = form == "plastic" and rng.random() < 0.6
    frame = skin if same else bright
    ring(model, r, r + rim, thick, frame, at=(0, r, 0), wedges=1, segments=32, edge=0.25 * rim)
    u, v = tx.uv_grid(64, 64)
    sky = np.array(choice(rng, ((186, 206, 216), (206, 218, 222), (168, 190, 200))))
    glint = np.exp(-(((u + 0.6 * v - rng.uniform(0.4, 1.1)) / 0.1) ** 2))
    lens = tx.lerp_color(sky * (0.82 + 0.2 * v[..., None]), (250, 253, 255), 0.7 * glint)
    t = np.linspace(0, 1, 6)
    dome = [(r * 1.01 * np.cos(q * np.pi / 2), 0.32 * thick * np.sin(q * np.pi / 2)) for q in t]
    low = [(a, -b) for a, b in dome[::-1]]
    model.lathe([*low, *dome[1:]], tx.to_uint8(lens), segments=28, at=(0, r, 0), hull=False)
    thin = rng.uniform(2.6, 4)
    profile = [(0, 0), (thin, 0), (thin, neck + rim + 4), (0, neck + rim + 4)]
    model.lathe(profile, bright, segments=12, pieces=1, at=(0, -neck - rim - 2, 0), turn=ALONG_Y)
    wide = rng.uniform(5.5, 9)
    curves = (
        [(0.7, 0), (1.0, 0.08), (1.05, 0.3), (0.85, 0.75), (0.6, 1)],
        [(0.9, 0), (1.0, 0.04), (0.95, 0.5), (0.85, 0.95), (0.75, 1)],
        [(0.5, 0), (1.0, 0.1), (0.75, 0.35), (0.95, 0.6), (0.7, 0.9), (0.8, 1)],
    )
    body = smooth(choice(rng, curves), 16) * [wide, grip]
    flat = rng.uniform(0.7, 1.0)
    model.lathe(
        [(0, 0), *body, (0, grip)],
        skin,
        segments=20,
        pieces=2,
        bend=lambda q: q * [1, flat, 1],
        at=(0, -grip - neck - rim, 0),
        turn=ALONG_Y,
    )
    handle = {"plastic": "with a plastic handle", "wood": "with a wooden handle", "metal": "with a metal handle"}[form]
    features = [handle, "with a metal rim" if not same else "with a plastic rim", "large" if r > 40 else ""]
    return model.instance(skin, "round with a handle", features, colors=skin.colors, density=900)


NOTEBOOK_COLORS = weighted("red, blue, green, black 2, yellow, purple, pink, turquoise, orange, brown, grey, white")
NOTEBOOK_PATTERNS = weighted("plain 3, striped, dotted, checkered, floral, marbled")


@generates("notebook")
def notebook(rng: Rng) -> Instance:
    """Notebooks: covers of cardboard or leather, bound, with an elastic band or a spiral; white pages at the sides."""
    # Pose: lying with its spine at -x.
    model = ModelBuilder()
    height = rng.uniform(120, 215)
    width = height * rng.uniform(0.66, 0.76)
    thick = rng.uniform(7, 20)
    leather = rng.random() < 0.25
    skin = (
        finish(rng, "leather", weighted("black, brown 2, red"))
        if leather
        else finish(rng, "cardboard", NOTEBOOK_COLORS, NOTEBOOK_PATTERNS, pitch=(10, 22), wear=0.5)
    )
    spiral = not leather and rng.random() < 0.45
    cover = rng.uniform(0.8, 1.8)
    for z in (-1, 1):
        model.box((width, height, cover), skin, rounding=0.3, at=(0, 0, z * (thick / 2 - cover / 2)), hull=False)
    rows = tx.uv_grid(32, 8)[1]
    pages = tx.to_uint8(
        tx.lerp_color((240, 236, 224), (206, 200, 186), tx.smoothstep(np.abs((rows * 9) % 1 - 0.5), 0.25, 0.5))
    )
    inset = 1.5
    model.box((width - 2 * inset, height - 2 * inset, thick - 2 * cover), pages, rounding=0.0, hull=False)
    model.hull(
        [(x, y, z) for x in (-width / 2, width / 2) for y in (-height / 2, height / 2) for z in (-thick / 2, thick / 2)]
    )
    if spiral:
        wire = plain(tint(rng, choice(rng, ("grey", "black", "white"))))
        count = int(height / 11)
        loop = np.r_[circle(1, 10), circle(1, 1)] * [4.5, thick / 2 + 1.6]
        for n in range(count):
            y = height * ((n + 0.5) / count - 0.5)
            path = np.c_[loop[:, 0] - width / 2 + 1, np.full(11, y), loop[:, 1]]
            model.sweep(path, 0.9, wire, segments=5, up=(0, 1, 0), closed=True, hull=False)
    else:
        model.box((1.5, height, thick), skin.solid(0.85), 0.3, at=(-width / 2, 0, 0), hull=False)
    band = not spiral and rng.random() < 0.4
    if band:
        x = width * rng.uniform(0.3, 0.4)
        size = (5.0, height + 1.2, thick + 1.2)
        model.box(size, plain(tint(rng, choice(rng, ("black", "red", "grey", "white")))), 0.4, at=(x, 0, 0), hull=False)
    label = rng.random() < 0.35
    if label:
        size = (width * 0.45, height * 0.2, 0.4)
        model.box(size, _label(), 0, at=(0, height * rng.uniform(0.1, 0.25), thick / 2), hull=False)
    features = ["with a spiral binding" if spiral else "without a spiral", "with an elastic band" if band else ""]
    features += ["with a label" if label else "", "closed"]
    return model.instance(skin, "flat rectangular", features, density=600)


def _label() -> TextureImage:
    image, draw = tx.canvas((64, 40), (244, 242, 234))
    draw.rectangle([2, 2, 61, 37], outline=(60, 60, 64))
    for y in (14, 22, 30):
        draw.line([(8, y), (56, y)], fill=(120, 120, 124))
    return np.asarray(image)


PAPER_CLIP_WIRES = {"grey": STEEL, "orange": ((202, 124, 82),), "yellow": ((206, 166, 74),)}


@generates("paper clip")
def paper_clip(rng: Rng) -> Instance:
    """Paper clips: bent wires with three turns, rounded, square or triangular, of steel, copper or colored plastic."""
    model = ModelBuilder()
    length = rng.uniform(24, 58)
    wide = length * rng.uniform(0.2, 0.27)
    thin = max(0.7, length * rng.uniform(0.017, 0.026))
    if rng.random() < 0.5:
        skin = finish(rng, "plastic", VIVID, weighted("plain 4, striped"), pitch=(3, 6), wear=0.2)
    else:
        word = choice(rng, weighted("grey 3, orange, yellow"))
        skin = finish(rng, "metal", word, wear=0.3, rgb=PAPER_CLIP_WIRES[word])
    form = choice(rng, weighted("rounded 3, triangular, square"))
    power = {"rounded": 2.0, "triangular": 1.25, "square": 5.0}[form]

    def turn(x: float, half: float, y: float, side: int) -> Floats:
        """Return a half turn round (x, y) from its right end to its left (`side` 1) along the top, or mirrored."""
        t = np.radians(np.linspace(0, 180, 9))
        c = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power)
        s = np.sin(t) ** (2 / power)
        return np.asarray(np.c_[x + side * half * c, y + side * half * s])

    a = wide / 2
    gap = 2.3 * thin
    low = -length / 2 + a
    high = length / 2 - a
    inner = a - gap / 2
    line = np.concatenate(
        [
            [(a, high * rng.uniform(-0.6, 0.2) - 0.1 * length)],
            turn(0, a, high, 1),
            turn(-gap / 2, inner, low, -1),
            turn(0.0, inner - gap / 2, high - 0.16 * length, 1),
            [(-inner + gap / 2, low + 0.3 * length)],
        ]
    )
    lift = 0.5 * thin * np.sin(np.linspace(0, 3 * np.pi, len(line)))
    path = smooth(np.c_[line, lift], 2 * len(line) - 1)
    if form == "rounded":
        model.sweep(path, thin, skin, segments=8, hull=False)
    else:
        model.sweep(np.c_[line, lift], thin, skin, segments=8, hull=False)
    rails = {round(float(x), 3) for x in (a, -a, inner - gap / 2, -inner + gap / 2)}
    for x in rails:
        model.hull([(x + p, y, z) for p in (-thin, thin) for y in (low, high) for z in (-1.5 * thin, 1.5 * thin)])
    for n, (y, side, half) in enumerate(((high, 1, a), (low, -1, inner), (high - 0.16 * length, 1, inner - gap / 2))):
        arc = turn(0 if n != 1 else -gap / 2, half + thin, y, side)
        for part in (arc[:5], arc[4:]):
            model.hull(
                [
                    (*p, z)
                    for p in np.concatenate([part, part * 0.86 + [0, 0.14 * y]])
                    for z in (-1.5 * thin, 1.5 * thin)
                ]
            )
    features = [form, "coated with plastic" if skin.material == "plastic" else "bare"]
    return model.instance(skin, "flat and oval", features, density=2500)


@generates("stapler")
def stapler(rng: Rng) -> Instance:
    """Staplers: colored or black arms over a metal base, open at the front, jaws towards +y."""
    model = ModelBuilder()
    length = rng.uniform(65, 165)
    wide = length * (rng.uniform(0.2, 0.27) if length > 100 else rng.uniform(0.27, 0.36))
    arm = wide * rng.uniform(0.55, 0.85)
    gap = rng.uniform(2.5, 8)
    skin = finish(
        rng, choice(rng, weighted("plastic 2, metal")), [*VIVID, *weighted("black 2, grey, red, blue")], wear=0.4
    )
    dark = plain(tint(rng, choice(rng, ("black", "grey", skin.colors[0]))))
    metal = steel(rng)
    foot = rng.uniform(0.06, 0.09) * length
    y = np.linspace(-0.5, 0.46, 9) * length
    half = wide / 2 * np.interp(np.linspace(0, 1, 9), [0, 0.06, 0.9, 1], [0.75, 1, 0.95, 0.7])
    model.plate(np.c_[-half, y], np.c_[half, y], 0, foot, dark, pieces=1)
    model.box((wide * 0.6, 0.12 * length, 1), metal, 0.2, at=(0, 0.4 * length, foot + 0.3), hull=False)
    tilt = np.degrees(np.arctan(gap / length)) + rng.uniform(0, 6)
    turn = rotation("x", tilt)
    hinge = np.array([0, -0.42 * length, foot + 0.06 * length])
    rail = 0.075 * length
    size = (0.45 * wide, 0.86 * length, rail)
    model.box(size, metal, 0.4, at=hinge + turn @ np.array([0, 0.45 * length, 0.2 * rail]), turn=turn)
    t = rng.uniform(0.8, 1.25) * 0.13 * length
    curves = (
        [(-0.08, 0.3), (0.2, 1.25), (0.55, 1.15), (0.88, 0.85), (0.97, 0.25)],
        [(-0.08, 0.7), (0.1, 1.0), (0.5, 1.0), (0.93, 0.95), (0.98, 0.5)],
        [(-0.08, 0.9), (0.12, 1.1), (0.4, 0.75), (0.85, 1.05), (0.98, 0.4)],
    )
    form = smooth(np.array(choice(rng, curves)) * [length, t], 12)
    outline = np.concatenate([[(-0.08 * length, -0.1 * t), (0.96 * length, 0.0)], form[::-1]])
    at = hinge + np.array([0, 0, 0.35 * rail])
    model.prism(outline, -arm / 2, arm / 2, skin, turn=turn @ SIDE, at=at)
    back = 0.2 * length
    model.box((wide * 0.95, back, 0.15 * length), dark, 2.5, at=(0, -0.4 * length, foot + 0.05 * length))
    if rng.random() < 0.6:
        name = sample_brand(rng, ("stapler",)).name
        image, _ = tx.canvas((80, 20), skin.tints[0].clip(0, 255).tolist())
        ink = (30, 30, 32) if skin.tints[0].mean() > 120 else (240, 240, 238)
        tx.draw_text(image, name, (40, 10), min(15, 96 / len(name)), ink)
        label = np.asarray(image)
        for side in (-1, 1):
            place = at + turn @ np.array([side * arm / 2, 0.45 * length, 0.42 * t])
            model.box((0.5, 0.36 * length, 0.3 * t), label, 0, at=place, turn=turn, hull=False)
    features = ["small" if length < 85 else "", "open" if tilt > 8 else "closed"]
    return model.instance(skin, "long and rectangular", features, density=1100)


TAPE_DISPENSER_TAPES = ((222, 208, 160), (232, 232, 224), (212, 204, 178), (206, 216, 220))


@generates("tape dispenser")
def tape_dispenser(rng: Rng) -> Instance:
    """Tape dispensers: heavy desk bodies or light hand-held ones, with a roll of clear tape and a toothed edge."""
    # Pose: standing, its edge towards +y.
    model = ModelBuilder()
    desk = rng.random() < 0.65
    roll = rng.uniform(26, 36) if desk else rng.uniform(18, 30)
    skin = finish(rng, "plastic", [*VIVID, *weighted("black 3, grey, red")], wear=0.4)
    tape = plain(np.array(choice(rng, TAPE_DISPENSER_TAPES)) * rng.uniform(0.92, 1.04))
    wide = rng.uniform(14, 20)
    wall = rng.uniform(2.5, 6) if desk else rng.uniform(1.2, 2)
    core = plain(tint(rng, choice(rng, ("white", "red", "blue", "black", skin.colors[0]))))
    inner = roll * rng.uniform(0.42, 0.6) if desk else roll * rng.uniform(0.55, 0.72)
    z = roll * (1.08 if desk else 1.0) + 3
    turn = rotation("y", 90)
    ring(model, inner, roll, wide, tape, at=(0, 0, z), turn=turn, wedges=1 if desk else 6, segments=28)
    if desk:
        ring(model, 0.18 * inner, inner, wide * 1.15, core, at=(0, 0, z), turn=turn, wedges=0, segments=20)
        nose, tail = roll * rng.uniform(1.7, 2.2), roll * rng.uniform(1.0, 1.3)
        high = z * rng.uniform(0.85, 1.15)
        line = [(nose, 0), (nose * 1.02, 0.5 * high), (nose, high), (0.88 * nose, high * 1.02)]
        line += [(0.62 * nose, 0.55 * high)]
        line += [
            (0.1 * nose, 0.38 * high),
            (-0.55 * tail, 0.5 * high),
            (-0.9 * tail, 0.95 * high),
            (-tail, 0.6 * high),
            (-1.02 * tail, 0),
        ]
        top = smooth(line, 26)
        half = wide / 2 + wall
        for a, b in ((0, 9), (8, 17), (16, 25)):
            part = top[a : b + 1]
            low = np.c_[part[:, 0], np.zeros(len(part))]
            model.plate(low, part, -half, half, skin, turn=SIDE, pieces=1)
        for side in (-1, 1):
            near, far = sorted((side * (wide / 2 + 0.8), side * half))
            hub = np.array([(-0.5, 0.2), (0.5, 0.2), (0.28, 1.18), (0, 1.32), (-0.28, 1.18)]) * [roll, z]
            model.prism(hub * [1, 0.86], near, far, skin, turn=SIDE)
            model.prism(circle(0.26 * roll, 16, (0, z)), near - 0.4, far + 0.4, core, turn=SIDE, hull=False)
        tip = np.array([0, nose * 0.97, high])
    else:
        half = wide / 2 + wall
        nose = roll * rng.uniform(1.5, 1.8)
        high = 0.55 * roll
        for side in (-1, 1):
            near, far = sorted((side * (wide / 2 + 0.2), side * half))
            hoop = (inner, roll * 1.08)
            x = side * (wide / 2 + 0.2 + wall / 2)
            ring(model, *hoop, wall, skin, at=(x, 0, z), turn=turn, wedges=0, segments=28)
            shank = np.array([(0.3 * roll, 0), (nose, 0.12 * roll), (nose, high), (0.85 * roll, 0.9 * roll)])
            model.prism(shank, near, far, skin, turn=SIDE, hull=False)
        ring(model, inner * 0.94, inner, 2 * half, skin, at=(0, 0, z), turn=turn, wedges=0, segments=28)
        model.box((2 * half, nose * 0.9, 1.5), skin, 0.4, at=(0, 0.55 * nose, 1.5), hull=False)
        model.hull(
            [
                (x, y, q)
                for x in (-half, half)
                for y, q in ((0, 0), (nose, 0.1 * roll), (nose, high), (0.5 * roll, 1.5 * roll))
            ]
        )
        tip = np.array([0, nose * 0.98, high])
    model.box((2 * half * 0.96, 3, 4), plain((186, 188, 192)), 0.4, at=np.add(tip, (0, 1, 0)))
    start = np.array([0, 0.55 * roll, z + 0.82 * roll])
    path = np.linspace(start, np.add(tip, (0, -1, 2.2)), 3)
    model.sweep(path, wide / 2, tape, 0.4, power=6, segments=8, hull=False)
    features = ["" if desk else "hand-held", "with a cutting edge", "with a roll of tape"]
    return model.instance(skin, "irregular", features, density=1100 if desk else 500)

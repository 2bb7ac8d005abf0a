"""Books: hardbacks and paperbacks with a title, an author and art on the cover, and pages at three sides."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.appearance import COLORS
from pickclutter_lang.objects.procedural.geometry import TextureImage

FIRST = words("THE MY A LOST LAST DEEP DARK GOLDEN SECRET WILD SILENT LITTLE")
SECOND = words("RIVER HOUSE GARDEN NIGHT SEA WINTER STAR ROAD MOON FOREST CITY ISLAND LETTER KING")


def sample(rng: Rng) -> Instance:
    """Sample a closed book, lying with its spine at -x; its title reads from +x."""
    model = ModelBuilder()
    height = rng.uniform(130, 245)
    width, thick = height * rng.uniform(0.62, 0.8), rng.uniform(9, 42)
    hard = rng.random() < 0.55
    material = choice(rng, ("cardboard", "cardboard", "cardboard", "cloth", "leather")) if hard else "paper"
    skin = finish(rng, material, list(COLORS), wear=0.6)
    cover, over = (rng.uniform(2, 3.2), 3.0) if hard else (0.8, 0.2)
    title = f"{choice(rng, FIRST)} {choice(rng, SECOND)}"
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
    features = [
        "with a hard cover" if hard else "with a soft cover",
        "closed",
        "thick" if thick > 30 else "thin" if thick < 15 else "",
    ]
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
    form, x, y = int(rng.integers(5)), w * rng.uniform(0.3, 0.7), h * rng.uniform(0.48, 0.58)
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


KIND = Kind(
    name="book",
    synonyms=("printed book", "reading book"),
    hypernyms=("stationery", "household item"),
    function="reading",
    description="a thick rectangular block of white pages between two covers with a title and art on the front",
    longest=(0.125, 0.26),
    sample=sample,
)

"""Lunch boxes: flat plastic or metal boxes with round corners, a lid, clips, and sometimes a handle."""

from pickclutter_lang.objects.kinds.containers import likely, loft
from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.outlines import rounded

COLORS = likely(blue=3, red=2, green=2, pink=2, yellow=1, turquoise=2, purple=1, orange=1, white=1, grey=1)
PATTERNS = ("plain", "plain", "plain", "dotted", "striped", "floral", "checkered")


def sample(rng: Rng) -> Instance:
    """Sample a closed lunch box, lying flat, its clips on the short or long sides."""
    model = ModelBuilder()
    long, metal = rng.uniform(120, 190), rng.random() < 0.25
    wide, high = long * rng.uniform(0.6, 0.8), long * rng.uniform(0.3, 0.45)
    skin = finish(rng, "plastic", COLORS, wear=0.3)
    lid = finish(rng, "plastic", (skin.colors[0],) * 2 + COLORS, PATTERNS, pitch=(14, 28))
    if metal:
        word = choice(rng, ("grey", "grey", "red", "blue", "green", "black"))
        skin = finish(rng, "metal", word, wear=0.5, rgb=STEEL if word == "grey" else ())
        lid = skin
    corner, split = wide * rng.uniform(0.14, 0.3), high * rng.uniform(0.62, 0.78)
    base = rounded(wide * 0.93, long * 0.95, corner)
    top = rounded(wide, long, corner)
    loft(model, [(base, 0), (base * 1.03, 4), (top * 0.985, split)], skin)
    edge = top * 1.015
    loft(model, [(top, split), (edge, split + 1), (edge, split + 5), (top, high - 4), (top * 0.94, high)], lid)
    image = lid.image(wide, long)
    model.prism(top * 0.94, high - 1, high + 0.2, image, lid.solid(), hull=False)
    model.prism(base, -0.2, 0.6, skin.solid(), hull=False)
    model.hull([(*p, z) for o, z in ((base, 0), (top, split)) for p in o])
    model.hull([(*p, z) for o, z in ((top, split), (top, high - 4), (top * 0.94, high)) for p in o])
    clip = plain(tint(rng, choice(rng, ("white", "grey", *COLORS)))) if not metal else plain((186, 188, 192))
    ends = rng.random() < 0.6
    for s in (-1, 1):
        size = (wide * rng.uniform(0.28, 0.4), 4, high * 0.42) if ends else (4, long * 0.2, high * 0.42)
        place = (0, s * (long / 2 + 2), split) if ends else (s * (wide / 2 + 2), 0, split)
        model.box(size, clip, 1.5, at=place)
    carry = rng.random() < 0.35
    if carry:
        span, rise = long * 0.22, rng.uniform(18, 26)
        bow = [(0, f * span, high + g * rise) for f, g in ((-1, 0), (-0.9, 0.8), (0, 1), (0.9, 0.8), (1, 0))]
        path = smooth(bow, 15)
        model.sweep(path, 6, clip, 3, up=(1, 0, 0), segments=10, pieces=3)
    words = "with clips at the ends" if ends else "with clips at the sides"
    features = [words, "with a handle" if carry else "without a handle", "closed"]
    return model.instance(lid, "rectangular", features, colors=(*lid.colors, *skin.colors), density=350)


KIND = Kind(
    name="lunch box",
    synonyms=("lunchbox", "sandwich box"),
    hypernyms=("box", "container"),
    function="carrying a lunch",
    description="a low, brightly colored box with round corners, a flat top that closes over it, and clips or a handle",
    longest=(0.115, 0.22),
    sample=sample,
)

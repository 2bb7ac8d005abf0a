"""Bowls: round, conical or steep, of ceramic, metal, plastic, wood or glass; another color inside."""

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth

MATERIALS = likely(ceramic=5, plastic=3, metal=2, wood=1, steel=1, glass=1)
COLORS = likely(white=3, red=3, blue=2, green=1, yellow=1, orange=1, turquoise=1, pink=1, black=1, grey=1, purple=1)
PATTERNS = (*likely(plain=5, striped=1, dotted=1, floral=1, speckled=1), "two-coloured")


def sample(rng: Rng) -> Instance:
    """Sample a bowl, standing."""
    model = ModelBuilder()
    material = choice(rng, MATERIALS)
    words = {"wood": ("brown",), "steel": ("grey",), "glass": ("white", "blue", "green")}.get(material, COLORS)
    patterns = PATTERNS if material in ("ceramic", "plastic") else ("plain",)
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


KIND = Kind(
    name="bowl",
    synonyms=("serving bowl", "food bowl", "eating bowl"),
    hypernyms=("tableware", "container"),
    function="holding food",
    description="a wide round hollow dish with curved sides that rise to an open top and a small flat base",
    longest=(0.1, 0.185),
    sample=sample,
)

"""Mustard bottles: yellow squeeze bottles, flat or round, with a pointed or a flip cap and a printed label."""

from pickclutter_lang.objects.kinds.containers import cap_color, squeeze_bottle
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand, shape_art
from pickclutter_lang.objects.kinds.models import ModelBuilder

PRODUCTS = ("mustard", "yellow mustard", "honey mustard", "hot mustard", "dijon", "sweet mustard", "classic mustard")
RGB = ((240, 202, 30), (244, 212, 50), (232, 190, 24), (226, 178, 40), (212, 164, 52))
LEAF = ((0, -1), (0.5, -0.2), (0.4, 0.4), (0, 1), (-0.4, 0.4), (-0.5, -0.2))


def sample(rng: Rng) -> Instance:
    """Sample a mustard bottle, standing."""
    model = ModelBuilder()
    height = rng.uniform(135, 200)
    width = height * rng.uniform(0.36, 0.52)
    size = (width * choice(rng, (rng.uniform(0.55, 0.75), rng.uniform(0.55, 0.75), 1.0)), width, height)
    skin = finish(rng, "plastic", "yellow", rgb=RGB, wear=0.2)
    style = choice(rng, ("cone", "cone", "cone", "flip", "stand"))
    cap, color = cap_color(rng, ("yellow", "yellow", "yellow", "red", "green", "white", "black", "brown"))
    brand = sample_brand(rng, PRODUCTS, ("yellow", "yellow", "red", "red", "blue", "white", "green", "black"))
    label = front(rng, brand, width, height * 0.5, shape_art("green", LEAF) if rng.random() < 0.4 else None)
    squeeze_bottle(model, rng, skin, color, label, size, style)
    words = {"cone": "with a pointed cap", "flip": "with a flat cap", "stand": "with a wide cap below"}
    features = [words[style], "with a label", f"with a {cap} cap"]
    return model.instance(skin, "bottle", features, colors=("yellow",), density=900)


KIND = Kind(
    name="mustard bottle",
    synonyms=("bottle of mustard", "mustard squeeze bottle", "mustard"),
    hypernyms=("bottle", "container", "package"),
    function="squeezing out mustard",
    description="a bright yellow soft plastic bottle with a broad, slightly waisted body, sloping shoulders, a "
    "printed label, and a pointed nozzle",
    longest=(0.13, 0.205),
    sample=sample,
)

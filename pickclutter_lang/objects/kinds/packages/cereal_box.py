"""Cereal boxes: tall flat cartons with lettering and a bowl or a heap of cereal on the front."""

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import bowl_art, carton, pile_art, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder

PRODUCTS = ("corn flakes", "muesli", "oat loops", "choco rings", "granola", "wheat bites", "honey pops", "crispy rice")


def sample(rng: Rng) -> Instance:
    """Sample a cereal box, standing."""
    model = ModelBuilder()
    height = rng.uniform(200, 290)
    size = (height * rng.uniform(0.18, 0.28), height * rng.uniform(0.58, 0.74), height)
    brand = sample_brand(
        rng, PRODUCTS, ("red", "orange", "yellow", "green", "blue", "turquoise", "purple", "pink", "white")
    )
    content = choice(rng, ("orange", "brown", "yellow"))
    bowl = choice(rng, ("white", "blue", "red"))
    art = bowl_art(bowl, content) if rng.random() < 0.7 else pile_art(content, 24, rng.uniform(0.5, 1))
    skin = finish(rng, "cardboard", brand.colors[0])
    model.box(size, carton(rng, brand, size, art), rounding=1.2)
    return model.instance(skin, "rectangular", ["closed", "with lettering"], colors=brand.colors, pattern="printed")


KIND = Kind(
    name="cereal box",
    synonyms=("box of cereal", "breakfast cereal", "cereal carton"),
    hypernyms=("box", "package"),
    function="keeping breakfast cereal",
    description="a tall, flat rectangular paperboard box with a brightly printed front showing flakes in a dish "
    "and a large brand name",
    longest=(0.19, 0.3),
    sample=sample,
)

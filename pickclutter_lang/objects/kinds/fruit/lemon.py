"""Lemons: yellow ovals with a pitted peel and a tip at the end, some still greenish, some cut in half."""

from pickclutter_lang.objects.kinds.citrus import Citrus, citrus
from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder

SORT = Citrus((24, 33), (1.08, 1.5), (0.1, 0.32), ((238, 220, 120), (244, 230, 150)), (176, 184, 60))
YELLOWS = ((244, 208, 44), (238, 216, 70), (248, 196, 30), (232, 206, 40))


def sample(rng: Rng) -> Instance:
    """Sample a lemon, lying on its side."""
    model = ModelBuilder()
    skin = finish(rng, "food", "yellow", rgb=YELLOWS)
    return model.instance(skin, "oval", citrus(model, rng, SORT, skin))


KIND = Kind(
    name="lemon",
    synonyms=("lemon fruit", "sour lemon"),
    hypernyms=("citrus fruit", "fruit", "food"),
    function="squeezing for juice",
    description="a bright yellow oval citrus fruit with thick, finely pitted peel and a blunt tip at one end",
    longest=(0.045, 0.12),
    sample=sample,
)

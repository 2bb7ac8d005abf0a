"""Limes: small green citrus fruit with thin peel, some yellowish, some cut in half."""

from pickclutter_lang.objects.kinds.citrus import Citrus, citrus
from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder

SORT = Citrus((19, 27), (1.0, 1.22), (0.062, 0.16), ((186, 204, 110), (204, 216, 140)), (166, 176, 60))
GREENS = ((86, 140, 40), (64, 118, 36), (110, 156, 48), (52, 100, 34))


def sample(rng: Rng) -> Instance:
    """Sample a lime, lying on its side."""
    model = ModelBuilder()
    skin = finish(rng, "food", "green", rgb=GREENS)
    return model.instance(skin, "oval", citrus(model, rng, SORT, skin))


KIND = Kind(
    name="lime",
    synonyms=("lime fruit", "green citrus fruit"),
    hypernyms=("citrus fruit", "fruit", "food"),
    function="squeezing for juice",
    description="a small green citrus fruit, nearly round, with thin, finely pitted peel and a small tip at one end",
    longest=(0.035, 0.08),
    sample=sample,
)

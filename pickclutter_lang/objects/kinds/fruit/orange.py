"""Oranges: round, with a pitted peel and a green button, sometimes a leaf, sometimes cut in half."""

from pickclutter_lang.objects.kinds.citrus import Citrus, citrus
from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder

SORT = Citrus(
    (31, 44),
    (0.9, 1.08),
    (0, 0.02),
    ((246, 160, 50), (240, 140, 40), (248, 172, 70), (196, 60, 40)),
    (222, 164, 40),
    0.25,
)
ORANGES = ((240, 128, 16), (232, 112, 18), (246, 146, 32), (226, 100, 20))


def sample(rng: Rng) -> Instance:
    """Sample an orange."""
    model = ModelBuilder()
    skin = finish(rng, "food", "orange", rgb=ORANGES)
    return model.instance(skin, "round", citrus(model, rng, SORT, skin))


KIND = Kind(
    name="orange",
    synonyms=("orange fruit", "sweet orange", "orange citrus fruit"),
    hypernyms=("citrus fruit", "fruit", "food"),
    function="squeezing for juice",
    description="a round orange citrus fruit with thick, finely pitted peel and a small green button at one end",
    longest=(0.055, 0.11),
    sample=sample,
)

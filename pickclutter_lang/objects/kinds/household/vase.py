"""Vases: tall hollow vessels with bellies, necks and flared rims; glazed, painted or of glass; some with handles."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.palettes import ANY

PATTERNS = ("plain", "plain", "plain", "striped", "floral", "floral", "marbled", "speckled", "dotted", "two-coloured")
FORMS = {
    "bulbous": [(0.5, 0), (0.85, 0.14), (1, 0.34), (0.82, 0.55), (0.36, 0.74), (0.3, 0.86), (0.44, 1)],
    "bottle": [(0.62, 0), (0.98, 0.1), (1, 0.3), (0.6, 0.5), (0.26, 0.62), (0.22, 0.85), (0.34, 1)],
    "slim": [(0.7, 0), (0.78, 0.2), (0.95, 0.55), (1, 0.72), (0.76, 0.88), (0.66, 0.94), (0.86, 1)],
    "flared": [(0.8, 0), (0.66, 0.15), (0.52, 0.4), (0.56, 0.65), (0.78, 0.88), (1, 1)],
    "urn": [(0.5, 0), (0.4, 0.06), (0.7, 0.3), (1, 0.62), (0.9, 0.8), (0.55, 0.9), (0.74, 1)],
}


def sample(rng: Rng) -> Instance:
    """Sample a vase, standing."""
    model = ModelBuilder()
    h, form = rng.uniform(110, 265), choice(rng, tuple(FORMS))
    r = h * {"bulbous": 0.34, "bottle": 0.28, "slim": 0.24, "flared": 0.22, "urn": 0.33}[form] * rng.uniform(0.85, 1.15)
    glassy = rng.random() < 0.2
    word = (
        choice(rng, ("blue", "green", "turquoise", "purple", "red", "white"))
        if glassy
        else choice(rng, (*ANY, "white", "white", "blue"))
    )
    material, patterns = ("glass", ("plain",)) if glassy else ("ceramic", PATTERNS)
    skin = finish(rng, material, word, patterns, pitch=(8, 26))
    form_points = np.array(FORMS[form])
    form_points[:, 0] *= rng.normal(1, 0.05, len(form_points))
    outer = smooth(form_points, 15) * [r, h]
    wall = min(rng.uniform(2.5, 4), 0.4 * float(outer[:, 0].min()))
    inside = skin.solid(0.6) if glassy or rng.random() < 0.5 else skin.painted((232, 228, 218))
    # The wall is cut at the waist, so that its hulls are closed bodies: they follow the belly and the neck.
    model.lathe(outer, skin, pieces=4)
    model.lathe([(0, 0.5), (outer[0, 0], 0)], skin.solid(), hull=False)
    rim = outer[-1]
    model.lathe([(rim[0], h), (rim[0] - wall, h + 0.4), (rim[0] - wall * 1.2, h - 0.02 * h)], skin.solid(), hull=False)
    depth = np.linspace(1, 0.6, 6)
    throat = np.c_[np.interp(depth * h, outer[:, 1], outer[:, 0]) - wall * 1.2, depth * h - 0.015 * h]
    model.lathe([*throat, (0, 0.58 * h)], inside, hull=False)
    handles = form in ("urn", "bulbous", "bottle") and rng.random() < 0.3
    if handles:
        for s in (-1, 1):
            top, low = 0.88 * h, h * rng.uniform(0.5, 0.62)
            a, b = (float(np.interp(z, outer[:, 1], outer[:, 0])) for z in (top, low))
            loop = [
                (0, s * (a - 2), top),
                (0, s * (r * 1.05), top + 0.02 * h),
                (0, s * r * 1.15, (top + low) / 2),
                (0, s * (b - 2), low),
            ]
            model.sweep(smooth(loop, 12), h * 0.022, skin.solid(), up=(1, 0, 0), segments=10, pieces=3)
    features = [
        "with two handles" if handles else "without handles",
        {"flared": "with a flared rim", "slim": "slim"}.get(form, ""),
        "empty",
    ]
    features += ["with a round belly" if form in ("bulbous", "bottle", "urn") else ""]
    return model.instance(skin, "bottle" if form in ("bulbous", "bottle") else "cylindrical", features, density=700)


KIND = Kind(
    name="vase",
    synonyms=("flower vase",),
    hypernyms=("container", "decoration"),
    function="holding cut flowers",
    description="a tall open vessel with a round belly, a narrower neck and a rim that often widens, glazed or painted",
    longest=(0.1, 0.28),
    sample=sample,
)

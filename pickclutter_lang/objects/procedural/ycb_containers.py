"""Procedural models for the containers: coffee can, cracker box, mustard bottle, bleach bottle, bowl."""

from __future__ import annotations

import itertools

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import ModelGeometry, TextureImage, box_corners, loft_hulls
from pickclutter_lang.objects.procedural.surfaces import Floats, Surface, box_faces, resample_curve, revolve, sweep

WHITE = (240, 240, 236)


def can() -> ModelGeometry:
    """Stands upright: a blue coffee can, 102 mm wide, 140 mm high, with a gray lid."""
    model = ModelGeometry()
    wall = [(49.5, 0), (51, 1.5), (50, 4), (50, 130), (51, 132)]
    model.add(revolve(wall, 48), _can_label())
    model.add(
        revolve(
            [(51, 132), (51.6, 133), (51.6, 139), (50, 140), (47, 140), (46.5, 137.5), (0, 137.5)], 48, around=True
        ),
        _lid(),
    )
    model.add(revolve([(0, 2.5), (47, 2.5), (48, 0), (49.5, 0)], 48), tx.plain((150, 152, 156)))
    model.add_hulls(*loft_hulls([(51, 51, 0), (51, 51, 140)], 24))
    return model


def _lid() -> TextureImage:
    return tx.render_texture(
        64,
        32,
        lambda u, v: tx.lerp_color(
            (176, 184, 190), (150, 158, 166), tx.smoothstep(np.abs((v * 6) % 1 - 0.5), 0.3, 0.5)
        ),
    )


def _can_label() -> TextureImage:
    image, draw = tx.canvas((512, 220), (24, 52, 176))
    for y in (10, 14, 200, 205):
        draw.line([(0, y), (512, y)], fill=(206, 176, 96), width=2)
    for x in (128, 384):
        draw.ellipse([x - 62, 42, x + 62, 168], fill=(196, 156, 86))
        draw.ellipse([x - 56, 48, x + 56, 162], fill=(62, 36, 22))
        _cup(draw, x - 26, 86)
        tx.draw_text(image, "Coffee", (x + 6, 74), 34, WHITE)
        tx.draw_text(image, "Chef", (x + 14, 126), 34, WHITE)
    for x in (0, 256, 512):
        draw.rectangle([x - 34, 128, x + 34, 176], fill=WHITE)
        for n in range(14):
            draw.line([(x - 29 + n * 4.4, 132), (x - 29 + n * 4.4, 170)], fill=(20, 20, 20), width=1 + (n * 7) % 3)
        tx.draw_text(image, "GROUND COFFEE", (x, 46), 13, WHITE)
        for n in range(4):
            draw.line([(x - 46 + 3 * n, 66 + 13 * n), (x + 46 - 3 * n, 66 + 13 * n)], fill=(140, 160, 226), width=4)
    tx.draw_text(image, "NET WT 300 g", (128, 186), 14, WHITE)
    tx.draw_text(image, "NET WT 300 g", (384, 186), 14, WHITE)
    return np.asarray(image)


def _cup(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.ellipse([x + 12, y + 6, x + 26, y + 24], outline=WHITE, width=4)
    draw.pieslice([x - 18, y - 22, x + 18, y + 32], 0, 180, fill=WHITE)
    draw.ellipse([x - 18, y, x + 18, y + 10], fill=(130, 80, 44))


def cracker_box() -> ModelGeometry:
    """Stands upright: a red carton, its front towards +x."""
    size = (71.8, 163.6, 213.4)
    faces = box_faces(size, 1.5, 1)
    front, side, top = _cracker_front(), _cracker_side(), _cracker_top()
    model = ModelGeometry()
    for name, image in {"right": front, "left": front, "front": side, "back": side}.items():
        model.add(faces[name], image)
    half = np.array(size) / 2
    for name in ("top", "bottom"):
        model.add(Surface(faces[name].points, faces[name].uv[:, ::-1] * [1, -1] + [0, 1], faces[name].faces), top)
    model.add_hulls(box_corners(-half, half))
    return model


RED, YELLOW = (186, 16, 24), (250, 204, 44)


def _cracker_front() -> TextureImage:
    image, draw = tx.canvas((196, 256), RED)
    draw.rectangle([0, 0, 196, 8], fill=(140, 8, 16))
    tx.draw_text(image, "CRACKERS", (98, 44), 38, (255, 240, 200))
    draw.rectangle([16, 72, 180, 76], fill=YELLOW)
    tx.draw_text(image, "baked & salted", (98, 90), 18, YELLOW)
    draw.polygon([(24, 116), (172, 104), (180, 236), (18, 240)], fill=(150, 10, 20))
    for x, y, turn in ((66, 160, 14), (130, 150, -18), (98, 200, 40), (150, 212, 8), (46, 214, -24)):
        _cracker(image, x, y, 58, turn)
    draw.ellipse([6, 222, 54, 252], fill=YELLOW)
    tx.draw_text(image, "100%", (30, 237), 14, RED)
    return np.asarray(image)


def _cracker(image: Image.Image, x: float, y: float, size: int, turn: float) -> None:
    tile = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(tile)
    draw.rounded_rectangle([1, 1, size - 2, size - 2], 8, fill=(176, 96, 20))
    draw.rounded_rectangle([4, 4, size - 5, size - 5], 6, fill=(234, 152, 42))
    for a in range(3):
        for b in range(3):
            cx, cy = size * (0.24 + 0.26 * a), size * (0.24 + 0.26 * b)
            draw.ellipse([cx - 3, cy - 3, cx + 3, cy + 3], fill=(140, 72, 14))
    tile = tile.rotate(turn, expand=True, resample=Image.Resampling.BILINEAR)
    image.paste(tile, (round(x - tile.width / 2), round(y - tile.height / 2)), tile)


def _cracker_side() -> TextureImage:
    image, draw = tx.canvas((86, 256), RED)
    tx.draw_text(image, "CRACKERS", (43, 30), 16, (255, 240, 200))
    _cracker(image, 43, 78, 46, 20)
    draw.rectangle([10, 116, 76, 236], fill=WHITE)
    tx.draw_text(image, "Facts", (43, 128), 13, (10, 10, 10))
    for n in range(11):
        draw.line([(15, 142 + 8 * n), (71 - (n * 13) % 22, 142 + 8 * n)], fill=(60, 60, 60), width=2)
    return np.asarray(image)


def _cracker_top() -> TextureImage:
    image, _ = tx.canvas((196, 86), RED)
    tx.draw_text(image, "CRACKERS", (82, 42), 30, (255, 240, 200))
    _cracker(image, 166, 44, 42, 15)
    return np.asarray(image)


def _loft(rows: list[tuple[float, float, float]], power: float, segments: int = 36) -> Surface:
    """Return a body of rows (half x, half y, z) with the texture's u = 0 on the side of +x."""
    a, b, z = np.array(rows).T
    path = np.c_[np.zeros((len(rows), 2)), z]
    return sweep(path, a, b, power, segments, up=(0, 1, 0))


def _wrap(front: TextureImage, back: TextureImage, height: int, color: tuple[int, ...], center: float) -> TextureImage:
    """Lay labels on the +y (u = 1/4) and -y (u = 3/4) sides of a plain band; `center` is their v."""
    image, _ = tx.canvas((512, height), color)
    for side, u in ((front, 0.25), (back, 0.75)):
        label = Image.fromarray(side)
        image.paste(label, (round(512 * u - label.width / 2), round(height * (1 - center) - label.height / 2)))
    return np.asarray(image)


def mustard_bottle() -> ModelGeometry:
    """Stands upright: a flat yellow squeeze bottle with a waist and a pointed cap."""
    outline = [
        (44, 27, 0),
        (48, 29.5, 5),
        (48.5, 29.8, 22),
        (45, 28, 48),
        (42, 27, 66),
        (44.5, 27.5, 86),
        (47, 28, 108),
        (43, 27, 124),
        (30, 22, 140),
        (19, 18, 149),
        (17.5, 17.5, 153),
    ]
    rows = resample_curve(outline, 30)
    yellow = (232, 184, 18)
    model = ModelGeometry()
    model.add(_loft([tuple(r) for r in rows], 2.5), _wrap(_mustard_label(), _mustard_back(), 220, yellow, 0.5))
    cap = [(19, 153), (19.5, 154), (18, 166), (15.5, 168), (12, 169), (7, 188), (5, 191.5), (0, 191.5)]
    ribs = tx.render_texture(
        32,
        128,
        lambda u, v: tx.lerp_color(
            (238, 192, 24), (176, 130, 8), tx.smoothstep(np.abs((u * 24) % 1 - 0.5), 0.3, 0.5) * (v < 0.45)
        ),
    )
    model.add(revolve([(0, 153), *cap], 32), ribs)
    model.add_hulls(
        *loft_hulls([tuple(r) for r in rows[[0, 3, 9, 13, 20, 24, 29]]], 16),
        *loft_hulls([(19, 19, 153), (17, 17, 168), (12, 12, 169), (5, 5, 191.5)], 12),
    )
    return model


def _mustard_label() -> TextureImage:
    image, draw = tx.canvas((120, 128), (232, 184, 18))
    draw.ellipse([8, 2, 112, 120], fill=(30, 70, 150))
    draw.ellipse([14, 40, 106, 124], fill=(244, 206, 40))
    draw.polygon([(0, 44), (120, 30), (120, 70), (0, 84)], fill=(200, 24, 30))
    tx.draw_text(image, "Mustard", (60, 57), 27, WHITE, 7)
    tx.draw_text(image, "hot dog", (60, 22), 16, WHITE)
    tx.draw_text(image, "YELLOW", (60, 98), 17, (40, 30, 10))
    return np.asarray(image)


def _mustard_back() -> TextureImage:
    image, draw = tx.canvas((120, 128), (232, 184, 18))
    draw.rounded_rectangle([10, 4, 110, 60], 12, fill=(90, 160, 206))
    draw.rectangle([16, 66, 66, 124], fill=(248, 220, 90))
    draw.rectangle([74, 72, 106, 110], fill=WHITE)
    for n in range(7):
        draw.line([(20, 72 + 8 * n), (60 - (n * 11) % 20, 72 + 8 * n)], fill=(60, 50, 20), width=2)
        draw.line([(78 + 4 * n, 76), (78 + 4 * n, 106)], fill=(20, 20, 20), width=1 + n % 2)
    return np.asarray(image)


_BLEACH_OUTLINE = [
    (45, 31, 0),
    (50, 34.5, 4),
    (51, 35, 14),
    (48, 33, 24),
    (47, 32, 60),
    (46, 31.5, 110),
    (43, 31, 150),
    (41, 30, 168),
    (38, 29, 182),
    (27, 23, 200),
    (16, 15, 214),
    (14.5, 14.5, 220),
]
_BLEACH_CAP = [
    (0, 219),
    (17, 219),
    (17.5, 220),
    (17.5, 232),
    (14, 234),
    (12.5, 236),
    (12, 243),
    (14, 244),
    (14, 249),
    (12.5, 250.8),
    (0, 250.8),
]


def bleach_bottle() -> ModelGeometry:
    """Stands upright: a tall white bottle, label towards -y, with sloping shoulders and a cap."""
    rows = resample_curve(_BLEACH_OUTLINE, 32)
    white = (226, 230, 228)
    model = ModelGeometry()
    model.add(_loft([tuple(r) for r in rows], 3.0), _wrap(_bleach_back(), _bleach_front(), 256, white, 0.49))
    ribs = tx.render_texture(
        32,
        128,
        lambda u, v: tx.lerp_color(
            (236, 238, 238), (186, 192, 194), tx.smoothstep(np.abs((u * 28) % 1 - 0.5), 0.3, 0.5)
        ),
    )
    model.add(revolve(_BLEACH_CAP, 32), ribs)
    model.add_hulls(
        *loft_hulls([tuple(r) for r in rows[[0, 3, 6, 20, 25, 31]]], 16),
        *loft_hulls([(17, 17, 219), (17, 17, 234), (14, 14, 250.8)], 12),
    )
    return model


def _bleach_front() -> TextureImage:
    image, draw = tx.canvas((130, 160), (226, 230, 228))
    draw.polygon([(8, 10), (122, 2), (122, 150), (8, 158)], fill=(120, 186, 40))
    draw.polygon([(8, 40), (122, 26), (122, 112), (8, 124)], fill=(24, 62, 170))
    tx.draw_text(image, "BLEACH", (65, 62), 32, WHITE, 7)
    tx.draw_text(image, "CLEANSER", (65, 94), 23, (250, 220, 40), 6)
    tx.draw_text(image, "with bleach", (65, 24), 16, WHITE, 4)
    draw.ellipse([82, 108, 124, 150], fill=(250, 216, 40))
    tx.draw_text(image, "FRESH", (103, 129), 12, (180, 20, 30))
    return np.asarray(image)


def _bleach_back() -> TextureImage:
    image, draw = tx.canvas((130, 160), (226, 230, 228))
    draw.rectangle([14, 4, 116, 36], fill=(120, 186, 40))
    tx.draw_text(image, "BLEACH", (65, 20), 20, (24, 62, 170))
    for n in range(15):
        draw.line([(18, 46 + 7 * n), (112 - (n * 17) % 30, 46 + 7 * n)], fill=(120, 124, 130), width=2)
    return np.asarray(image)


def bowl() -> ModelGeometry:
    """Stands upright and is hollow: outer wall, rolled rim, inner wall, and a flat foot."""
    outer = resample_curve([(34, 0), (44, 3), (62, 22), (74, 44), (78, 51)], 12)
    inner = resample_curve([(76, 51.5), (71, 43), (59, 22), (42, 6), (0, 4.5)], 14)
    u, v = tx.uv_grid(128, 192)
    rim = [(80.4, 52.5), (80.5, 54.3), (79, 55.1), (77, 54)]
    profile = [(0, 1.5), (30, 1.5), (32, 0), *map(tuple, outer), *rim, *map(tuple, inner)]
    directions = np.stack([np.cos(2 * np.pi * u), np.sin(2 * np.pi * u), 1.5 * v], -1)
    shine = tx.smoothstep(tx.wave_noise(directions, np.random.default_rng(24), 5.0), 1.0, 2.4)
    enamel = tx.lerp_color((152, 10, 20), (112, 4, 14), tx.smoothstep(-np.abs(v - 0.5), -0.06, -0.02))
    enamel = tx.lerp_color(enamel, (206, 84, 88), 0.55 * shine)
    model = ModelGeometry()
    model.add(revolve([(max(r, 0), z) for r, z in profile], 48), tx.to_uint8(enamel))
    model.add_hulls(*loft_hulls([(34, 34, 0), (44, 44, 5)], 16), *_ring_wall())
    return model


def _ring_wall(pieces: int = 12) -> list[Floats]:
    """Return the bowl's wall as wedges, in two levels."""
    levels = [((44, 2.5), (66, 28), (40, 5), (62, 28)), ((66, 28), (80.4, 55), (62, 28), (76, 55))]
    wedges = [np.linspace(n, n + 1, 3) * 2 * np.pi / pieces for n in range(pieces)]
    pairs = itertools.product(wedges, levels)
    return [np.array([[r * np.cos(a), r * np.sin(a), z] for a in wedge for r, z in level]) for wedge, level in pairs]

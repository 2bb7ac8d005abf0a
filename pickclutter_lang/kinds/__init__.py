"""Kinds: generators of endless different objects, each with the words for its kind and for the very instance.

How to write a kind
-------------------
Write a function `@generates("NAME")` that takes a generator of random numbers and returns an `Instance`, in the family
where it fits: `tableware.mug`, `fruit.apple` and `packages.soda_can` are good examples. Add its words to `words.yaml`.
A module of your own gives the words in place of the name, `@generates(KindWords(...))`; see `kind.OWN_KINDS`.

1. Work in mm, z up, in the pose in which the object stands or lies on a table; its front or label faces +x.
2. Sample sizes first, as ratios of one another, then `finish(rng, material, colors, patterns)`: the words of the color,
   material and pattern come with it. `weighted("red 3, blue")` makes words likely. `rgb=WOODS`, `rgb=STEEL` or your own
   colors replace the plain color of a word where it would look wrong. `.solid()` drops the pattern, `.painted(rgb)` the
   color.
3. Add parts to a `ModelBuilder`: `lathe` (profile of (radius, z) from bottom to top), `vessel` (hollow), `sweep` (tube,
   handle), `box`, `ball` (with `bumps`), `plate` (between two edges), `prism` (outline), `surface`; `smooth(points, n)`
   makes curves of control points; `fruit` has stems and leaves, `finishes.peel` paints what grew. Each part brings its
   convex hulls; pass `hull=False` for what lies on or inside another part. At most 12 hulls (`pieces=`, `wedges=`),
   at most 4000 triangles.
4. Lettering: `sample_brand(rng, products, colors)`, then `carton` (box), `wrap` (cylinder), `front` (a flat label).
   Skins of your own are `textures.to_uint8(colors [H, W, 3])` of 64 to 128 texels with `grid_noise`. u runs round a
   lathe from +x counter-clockwise, v up.
5. `model.instance(finish, shape, features, colors=...)`: the color of the largest area first. Features are phrases true
   of this instance, "with a handle" and "without a handle" alike, or adjectives that stand before the name ("open").
   Only say what can be seen. A shape word of `language/object_attributes.py` where one fits.
6. Vary what differs in a shop: proportions, parts, colors, patterns, wear, labels, size. `longest` is the range of the
   longest side in meters; true sizes up to 0.3 m.
7. The name is what people say; synonyms mean only this kind; `description` tells the looks in one sentence, without
   the name of another kind. Words are lower case ASCII.
8. `pytest tests/kinds/test_kinds.py -k FAMILY`, then `pickclutter render-object-sheet objects=[kinds] kinds=[NAME]
   out=sheet.png`: a person who sees a row of 12 without the name must say the name. Mend the kind until it is so.
9. A change that alters instances raises `kind_set.KINDS_VERSION` and records the golden case "kinds" anew.
"""

from pickclutter_lang.kinds.kind import Instance, Kind, KindWords, all_kinds, find_kinds, generates

__all__ = ["Instance", "Kind", "KindWords", "all_kinds", "find_kinds", "generates"]

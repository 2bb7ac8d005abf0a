"""Commands around the simulator: its check, scenes, grasp labels, meshes and views."""

import sys
from argparse import Namespace
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pickclutter_lang.commands.app import hydra_main
from pickclutter_lang.envs.config import CollectConfig, GraspValidationConfig, ObjectSheetConfig, ObjectViewConfig
from pickclutter_lang.errors import InvalidArgumentError, RendererError
from pickclutter_lang.objects.meshes import SPLITS, UNITS, UP_AXES, ModelSettings, check_packages
from pickclutter_lang.utils.cli import ArgumentParser
from pickclutter_lang.utils.validation import MAX_WORKERS, check_path, within


def check_install() -> None:
    """Check everything that the simulator needs; end with status 2 at the first that fails."""
    from pickclutter_lang.envs.check_install import main

    sys.exit(main())


@hydra_main(CollectConfig)
def collect_scenes(config: CollectConfig) -> None:
    """Collect scenes of clutter with the simulator into a scene store. Needs the extra sim.

        pickclutter collect-scenes split=train scenes=3000 seed=0 objects=proxy out=data/train

    An interrupted command resumes when run again. Several machines: engine=ray.
    """
    from pickclutter_lang.envs.generation.collect import collect

    done = collect(config)
    replaced = f", {done.damaged} of them in place of damaged ones" if done.damaged else ""
    print(f"{done.manifest.scenes} scenes in {done.folder} ({done.made} shards made{replaced}, {done.kept} kept)")
    print(f"content {done.manifest.content_hash}")


@hydra_main(GraspValidationConfig)
def validate_grasp_labels(config: GraspValidationConfig) -> None:
    """Check the label `graspable` of a scene store against picks by the simulated arm. Needs the extra sim.

    pickclutter validate-grasp-labels store=runs/scenes/ood instances=200
    """
    from pickclutter_lang.envs.grasp_validation import validate_grasp_labels as run

    result = run(config)
    for key in ("instances", "labelled", "picked", "agreement", "precision", "recall", "pose_success"):
        print(f"{key:>12}: {result[key]:.3f}" if isinstance(result[key], float) else f"{key:>12}: {result[key]}")


if TYPE_CHECKING:
    from pickclutter_lang.objects.meshes.importer import ImportResult


_DESCRIPTION = (
    "Import meshes as an object set in ManiSkill2's layout. Reads .obj, .glb, .gltf, .ply, .stl, .dae and .urdf files, "
    "and folders as of Google Scanned Objects (meshes/model.obj) and BOP (models_info.json, obj_*.ply). A mesh that "
    "is wrong is named in a line, the others are imported, and the status is 2 at the end. Run again, it skips what "
    "did not change."
)


def import_mesh() -> None:
    """Import the meshes, render them, and say what came of each."""
    options = build_parser().parse_intermixed_args()
    settings = check_options(options)
    check_packages()
    from pickclutter_lang.objects.meshes.importer import import_meshes

    defaults = {"split": options.split, "license": options.license, "source": options.source}
    out = Path(options.out)
    result = import_meshes(options.files, out, settings, options.names, defaults, options.workers)
    for name in result.imported:
        print(f"imported {name}: {result.models[name]}")
    if result.skipped:
        print(f"skipped {len(result.skipped)} that did not change: {', '.join(result.skipped)}")
    if heavy := [name for name, model in result.models.items() if model.mass > 3.0]:
        print(f"heavier than the 3 kg that the arm lifts: {', '.join(heavy)}; give a hollow object a lower density")
    if result.models:
        print(_write_sheet(out, result))
        print(f"{len(result.models)} objects in {out}")
    for item in result.broken:
        print(f"not imported: {item}", file=sys.stderr)
    sys.exit(2 if result.broken else 0)


def check_options(options: Namespace) -> ModelSettings:
    """Return how the meshes are made into objects.

    :raises InvalidArgumentError: for an option out of its range
    """
    check_path("--out", options.out)
    within("--workers", options.workers, 1, MAX_WORKERS)
    for name in ("license", "source"):
        if not getattr(options, name).isprintable():
            raise InvalidArgumentError(f"expected --{name} to be one line, but got {getattr(options, name)!r}")
    settings = ModelSettings(**{field.name: getattr(options, field.name) for field in fields(ModelSettings)})
    settings.validate()
    return settings


def _write_sheet(out: Path, result: "ImportResult") -> str:
    """Render the objects where there is a simulator, and return a line about it."""
    if find_spec("sapien") is None:
        return "no thumbnails: sapien is not installed; run in a clone: pip install -e '.[sim]', and this again"
    from pickclutter_lang.envs.generation.object_renderer import write_mesh_sheet

    try:
        path = write_mesh_sheet(out, {name: entry.name for name, entry in result.entries.items()})
    except RendererError as error:
        return f"no thumbnails: {error}"
    return f"look at them: {path}"


def build_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser, given = ArgumentParser(prog="pickclutter import-mesh", description=_DESCRIPTION), ModelSettings()
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="mesh files and folders")
    add("--out", required=True, help="folder of the object set; one of an earlier import grows")
    add("--names", type=Path, help="YAML file: id or file name -> name, or -> name, split, synonyms, density ...")
    add("--unit", choices=tuple(UNITS), help="unit of the files; by default their format's, or meters")
    up = "axis that points up (--up=-y: down); by default y for glTF, the file's own for .dae, and z for others"
    add("--up", choices=tuple(UP_AXES), help=up)
    add("--split", choices=SPLITS, default="seen", help="split of objects without one in --names (%(default)s)")
    density = "kg/m^3 of the convex parts (%(default)s, that of water; ManiSkill2 gives boxes 50)"
    add("--density", type=float, default=given.density, help=density)
    faces = "triangles above which a mesh is decimated (%(default)s)"
    add("--max-faces", type=int, default=given.max_faces, help=faces)
    texture = "largest side of a texture, pixels (%(default)s)"
    add("--texture-size", type=int, default=given.texture_size, help=texture)
    add("--max-parts", type=int, default=given.max_parts, help="most convex parts of an object (%(default)s)")
    threshold = "how far from convex a part may be, 0.01 (many parts) to 1 (one) (%(default)s)"
    add("--threshold", type=float, default=given.threshold, help=threshold)
    add("--license", default="", help="license of the meshes, kept in catalog.yaml")
    add("--source", default="", help="where they come from, kept in catalog.yaml")
    add("--workers", type=int, default=1, help="number of processes (%(default)s)")
    return parser


@hydra_main(ObjectViewConfig)
def render_object_views(config: ObjectViewConfig) -> None:
    """Render views of single objects, to train a pocket teacher. Needs the extra sim.

    pickclutter render-object-views objects=proxy out=data/views
    """
    from pickclutter_lang.envs.generation.object_renderer import render_object_views as run

    content = run(config)
    print(f"views in {config.out}, content {content}")


@hydra_main(ObjectSheetConfig)
def render_object_sheet(config: ObjectSheetConfig) -> None:
    """Render a contact sheet of objects with their names, or of instances of kinds. Needs the extra sim.

    pickclutter render-object-sheet objects=[proxy,ycb] out=objects.png
    pickclutter render-object-sheet objects=./mine out=mine.png
    pickclutter render-object-sheet objects=[kinds] kinds=[mug,apple] out=kinds.png
    """
    from pickclutter_lang.utils.locks import file_lock

    with file_lock(Path(config.out)):
        from pickclutter_lang.envs.generation.object_renderer import write_object_sheet

        count = write_object_sheet(config)
    print(f"{count} objects of {' and '.join(config.sets)} in {config.out}")

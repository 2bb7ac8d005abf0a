"""Commands around the simulator: its check, scenes, grasp labels, meshes and views."""

import sys
from functools import partial
from pathlib import Path

from pickclutter_lang.commands.app import Command
from pickclutter_lang.envs.check_install import InstallConfig
from pickclutter_lang.envs.config import CollectConfig, GraspValidationConfig, ObjectSheetConfig, ObjectViewConfig
from pickclutter_lang.errors import MissingExtraError, RendererError
from pickclutter_lang.objects.meshes import MeshImportConfig, check_packages
from pickclutter_lang.utils.locks import file_lock


@Command(InstallConfig)
def check_install(config: InstallConfig) -> None:
    """Check everything that the simulator needs, and render one pile; end with status 2 at the first that fails.

    pickclutter check-install out=pile.png
    pickclutter check-install report=true
    """
    from pickclutter_lang.envs.check_install import check_install as run

    for line in run(config):
        print(line, flush=True)


@Command(
    CollectConfig,
    short=(
        *("split", "scenes", "seed", "objects", "kinds", "out", "workers", "image_size", "cameras"),
        *("min_objects", "max_objects"),
    ),
)
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


@Command(GraspValidationConfig)
def validate_grasp_labels(config: GraspValidationConfig) -> None:
    """Check the label `graspable` of a scene store against picks by the simulated arm. Needs the extra sim.

    pickclutter validate-grasp-labels store=runs/scenes/ood instances=200
    """
    from pickclutter_lang.envs.grasp_validation import validate_grasp_labels as run

    result = run(config)
    for key in ("instances", "labelled", "picked", "agreement", "precision", "recall", "pose_success"):
        print(f"{key:>12}: {result[key]:.3f}" if isinstance(result[key], float) else f"{key:>12}: {result[key]}")


@Command(MeshImportConfig, bare="files", short=("files", "out", "names", "unit", "up", "density", "split", "workers"))
def import_mesh(config: MeshImportConfig) -> None:
    """Import meshes as an object set in ManiSkill2's layout, and render a sheet of them. Needs the extra meshes.

        pickclutter import-mesh mug.glb parts/*.stl scans/* out=mine

    A mesh that is wrong is named in a line, the others are imported, and the status is 2 at the end. Run again, it
    skips what did not change.
    """
    check_packages()
    from pickclutter_lang.envs.generation.object_renderer import write_object_sheet
    from pickclutter_lang.objects.meshes.importer import import_meshes

    out = Path(config.out)
    names = None if config.names is None else Path(config.names)
    defaults = {"split": config.split, "license": config.license, "source": config.source}
    paths = [*map(Path, config.files)]
    result = import_meshes(paths, out, config.settings, names, defaults, config.workers, partial(print, flush=True))
    if result.skipped:
        print(f"skipped {len(result.skipped)} that did not change: {', '.join(result.skipped)}")
    if heavy := [name for name, model in result.models.items() if model.mass > 3.0]:
        print(f"heavier than the 3 kg that the arm lifts: {', '.join(heavy)}; give a hollow object a lower density")
    if result.models:
        try:
            sheet = ObjectSheetConfig(str(out / "sheet.png"), str(out.absolute()), size=192)  # it may be called kinds
            write_object_sheet(sheet)
            print(f"look at them: {sheet.out}")
        except (MissingExtraError, RendererError) as error:
            print(f"no sheet of them: {error}")
        print(f"{len(result.models)} objects in {out}")
    for item in result.broken:
        print(f"not imported: {item}", file=sys.stderr)
    sys.exit(2 if result.broken else 0)


@Command(ObjectViewConfig)
def render_object_views(config: ObjectViewConfig) -> None:
    """Render views of single objects, to train a pocket teacher. Needs the extra sim.

    pickclutter render-object-views objects=proxy out=data/views
    """
    from pickclutter_lang.envs.generation.object_renderer import render_object_views as run

    content = run(config)
    print(f"views in {config.out}, content {content}")


@Command(ObjectSheetConfig)
def render_object_sheet(config: ObjectSheetConfig) -> None:
    """Render a contact sheet of objects with their names, or of instances of kinds. Needs the extra sim.

    pickclutter render-object-sheet objects=proxy,ycb out=objects.png
    pickclutter render-object-sheet objects=./mine out=mine.png
    pickclutter render-object-sheet objects=kinds kinds=mug,apple out=kinds.png
    """
    from pickclutter_lang.envs.generation.object_renderer import write_object_sheet

    with file_lock(Path(config.out)):
        count = write_object_sheet(config)
    print(f"{count} objects of {' and '.join(config.sets)} in {config.out}")

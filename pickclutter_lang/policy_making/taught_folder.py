"""What a policy folder was taught: by photos, meshes and labeled scenes; forgotten and listed again."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.photo_annotations import PhotoObject, find_annotations, read_annotations
from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError
from pickclutter_lang.objects.object_sets import is_kinds, load_object_set
from pickclutter_lang.policy.example_memory import ExampleMemory, load_examples, spelling
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teaching import Example, add_example, encode_example, find_example
from pickclutter_lang.policy_folder.folder import (
    CONFIG_FILE,
    PICTURES,
    copy_folder,
    load_config,
    picture_files,
    picture_prefix,
    pictures_of,
    policy_folder,
)
from pickclutter_lang.policy_making.config import TeachConfig
from pickclutter_lang.utils.images import IMAGE_SUFFIXES, Cell, contact_sheet, image_files, png_bytes, read_image
from pickclutter_lang.utils.io import atomic_write, clean_temp_files
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.progress import track
from pickclutter_lang.utils.typing import Float32Array
from pickclutter_lang.utils.validation import did_you_mean

_VIEW_SIZE = 128
_MIN_PIXELS = 30


def teach(config: TeachConfig) -> ExampleMemory:
    """Show a policy what `config` names, write its memory, and return it.

    :raises InvalidArgumentError: for an image without an object, or with several that stand out; a name that is taken
    :raises PickClutterError: for files, scenes or a policy that cannot be read
    """
    config.validate()
    with learning(config.policy, config.out, config.trust_code) as (student, pictures):
        shown = defaultdict[str, list[tuple[Float32Array, Float32Array]]](list)
        for asked, example in _examples_of(config):
            name = student.examples.spelled(asked, student.config.names)
            file, picture = example_picture(name, example)
            pictures[file] = picture
            shown[name].append(encode_example(student, example))
        for name, parts in shown.items():
            known = student.examples.count(name)
            keys, rivals = (np.concatenate(part) for part in zip(*parts, strict=True))
            student.examples = student.examples.add(name, keys, rivals)
            if known and student.examples.count(name) > known and not config.add:  # the same ones again change nothing
                raise InvalidArgumentError(
                    f"expected a new name, but {name} has {known} examples; add=true adds to them, "
                    f"pickclutter forget policy={config.out or config.policy} names='{name}' removes them"
                )
        if not pictures:
            raise DatasetError(f"expected objects to show, but none is visible in {config.scenes or config.objects}")
    return student.examples


@contextmanager
def learning(name_or_path: str, out: str | None, trust_code: bool) -> Iterator[tuple[StudentRuntime, dict[str, bytes]]]:
    """Open a student that learns, and write what it learned when the block ends without an error, or nothing.

    :param out: folder that is written; None: that of the policy
    :return: the student, and files that are written before its memory: name -> content
    :raises PickClutterError: for a policy that cannot be read or written
    """
    policy = policy_folder(name_or_path)
    folder = Path(name_or_path if out is None else out)
    load_config(policy)
    files = dict[str, bytes]()
    with dir_lock(folder):
        clean_temp_files(folder / PICTURES)
        source = _taught_before(policy, folder)
        student = StudentRuntime.load(source, trust_code)
        yield student, files
        pictures = {} if source == folder else pictures_of(policy, student.examples.taught)
        copy_folder(policy, folder, pictures | files | student.learned())  # whole with what it learned, or not at all


def prepare_folder(policy: str, out: Path) -> None:
    """Make `out` a policy folder that can be taught: a copy of a policy, or that copy as it was taught before.

    :raises InvalidArgumentError: when it has another policy
    """
    with dir_lock(out):
        folder = policy_folder(policy)
        if _taught_before(folder, out) != out:
            examples = load_examples(folder)
            pictures = pictures_of(folder, examples.taught)
            copy_folder(folder, out, pictures | examples.files())


def add_to_folder(student: StudentRuntime, name: str, example: Example, out: Path) -> None:
    """Give a student one more example of a name, and write it to the folder that it is taught in.

    :raises CheckpointError: when the folder is gone
    :raises InvalidArgumentError: as `ExampleMemory.add`
    """
    load_config(out)
    with dir_lock(out):
        student.examples = load_examples(out)  # another command may have taught it meanwhile
        name = add_example(student, name, example)
        file, picture = example_picture(name, example)
        atomic_write(out / file, picture, remove_stale=False)
        student.examples.save(out)


def _taught_before(policy: Path, out: Path) -> Path:
    """Return `out` where it has this policy already, otherwise the folder of the policy."""
    if not (out / CONFIG_FILE).exists():
        return policy
    if out != policy and load_config(out).sha256 != load_config(policy).sha256:
        raise InvalidArgumentError(
            f"expected out to be a new folder, or {policy} as it was taught before, but {out} has another policy; "
            f"take that one: policy={out}"
        )
    return out


def example_picture(name: str, example: Example) -> tuple[str, bytes]:
    """Return a picture and its file name: a hash of the object's name, which says whose it is, and one of its own."""
    file = f"{PICTURES}/{picture_prefix(name)}{hashlib.sha256(example.crop.tobytes()).hexdigest()[:12]}.png"
    return file, png_bytes(Image.fromarray(example.crop))


def _examples_of(config: TeachConfig) -> Iterator[tuple[str, Example]]:
    """Yield what a command is given: examples, and their names."""
    if config.images is not None:
        yield from _of_images(config)
    elif config.objects is not None:
        yield from _of_objects(config)
    else:
        yield from _of_scenes(config)


def _of_images(config: TeachConfig) -> Iterator[tuple[str, Example]]:
    """Yield the examples of image files, and their names."""
    given = Path(str(config.images))
    for photo in track(_photos(config, given), "examples", transient=True):
        pixels = np.asarray(read_image(photo.path, "RGBA"))
        try:
            place = photo.place(*pixels.shape[:2])
            if not any(value is not None for value in place.values()):
                place = {"mask": _opaque(pixels)}
            yield str(photo.name), find_example(np.ascontiguousarray(pixels[..., :3]), **place)
        except ValueError as error:
            raise InvalidArgumentError(f"{photo.path}: {error}") from error


def _opaque(pixels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Return the pixels [H, W] that an alpha channel says are the object's; None: it says nothing."""
    alpha = pixels[..., 3] >= 128
    return alpha if alpha.any() and not alpha.all() else None


def _photos(config: TeachConfig, given: Path) -> list[PhotoObject]:
    """Return what is shown in photos: what their annotations name, or one object of one name in each."""
    folder = given if given.is_dir() else given.parent
    annotations = Path(config.annotations) if config.annotations else None
    if annotations is None and given.is_dir():
        annotations = find_annotations(given)
    if annotations is None:
        paths = image_files(given) if given.is_dir() else [given]
        if not paths:
            raise DatasetError(f"expected images in {given}, but there is none of {', '.join(IMAGE_SUFFIXES)}")
        if len(config.names) != 1:
            raise InvalidArgumentError(
                f"expected the name of the object, names=NAME, but got {len(config.names)}; annotations.yaml beside "
                "the photos names several"
            )
        box = None if config.box is None else (*config.box,)
        return [PhotoObject(path, config.names[0], box, config.point) for path in paths]
    if config.point is not None or config.box is not None:
        raise InvalidArgumentError(f"expected no point and no box, since {annotations} says where objects are")
    found = read_annotations(annotations, folder)
    found = [one for one in found if given in (folder, one.path)]
    if not found:
        raise DatasetError(f"expected objects of {given} in {annotations}, but there is none")
    if any(one.name is None for one in found) and len(config.names) != 1:
        raise InvalidArgumentError(f"expected a name of each object in {annotations}, or names=NAME for all without")
    found = [replace(one, name=config.names[0] if one.name is None else spelling(one.name)) for one in found]
    _check_names(config.names, [str(one.name) for one in found], str(annotations))
    return [one for one in found if not config.names or one.name in config.names]


def _of_objects(config: TeachConfig) -> Iterator[tuple[str, Example]]:
    """Yield views of the objects of a set, each alone and from random sides."""
    from pickclutter_lang.envs.generation.object_renderer import Model, ObjectRenderer, random_view

    objects = str(config.objects)
    if is_kinds(objects):
        raise InvalidArgumentError("expected objects with one look each, but got kinds; teach them from scenes=")
    found = load_object_set(objects, config.objects_root)
    items = [item for item in found.catalog if not config.names or spelling(item.name) in config.names]
    _check_names(config.names, [spelling(item.name) for item in found.catalog], objects)
    renderer = ObjectRenderer()
    for item in track(items, "examples", transient=True):
        renderer.show(Model(found.model_dir(item.model_id), item.scale, item.name, {}))
        rng = np.random.default_rng([config.seed, *item.model_id.encode()])
        for _ in range(config.shots):
            view = random_view(renderer, rng, _VIEW_SIZE)
            yield item.name, Example(view.rgb, view.mask)


def _of_scenes(config: TeachConfig) -> Iterator[tuple[str, Example]]:
    """Yield labeled objects of scenes, `shots` of each name, from scenes in a random order."""
    from pickclutter_lang.datasets.scenes.store import SceneStore

    store = SceneStore.open(str(config.scenes))
    if "hand_segmentation" not in store.manifest.fields:
        raise DatasetError(f"expected scenes with the hand camera's segmentation, but {store.path} has none")
    names = [spelling(name) for name in store.label_names]
    missing = dict.fromkeys(config.names or names, config.shots)
    _check_names(config.names, names, str(store.path))
    for row in np.random.default_rng(config.seed).permutation(len(store)).tolist():
        scene = store.scene(row)
        sizes = np.bincount(scene["hand_segmentation"].ravel(), minlength=256)
        masks = {
            names[actor]: scene["hand_segmentation"] == slot + 1
            for slot, actor in enumerate(scene["actors"].tolist())
            if actor >= 0 and scene["visible"][actor] and sizes[slot + 1] >= _MIN_PIXELS
        }
        for name, mask in masks.items():
            if missing.get(name, 0) > 0:
                missing[name] -= 1
                yield name, Example(scene["hand_rgb"], mask, [other for key, other in masks.items() if key != name])
        if not any(missing.values()):
            return
    if config.names and (none := [name for name in config.names if missing[name] == config.shots]):
        raise DatasetError(f"expected {none[0]} to be visible in a scene of {store.path}, but it is in none")


def _check_names(wanted: Sequence[str], there: Sequence[str], place: str) -> None:
    if unknown := [name for name in wanted if name not in there]:
        raise InvalidArgumentError(
            f"expected names of {place}, but got {unknown[0]!r}{did_you_mean(unknown[0], there)}"
        )


def forget(policy: str, names: Sequence[str]) -> ExampleMemory:
    """Take what it was taught of some names from a policy, write its memory, and return it.

    :raises UnknownObjectError: for a name that was not taught
    :raises InvalidArgumentError: for an embedded policy
    """
    folder = policy_folder(policy)
    if folder != Path(policy):
        raise InvalidArgumentError(f"expected a policy folder, since {policy} belongs to the package")
    load_config(folder)
    with dir_lock(folder):
        taught = load_examples(folder)
        examples = taught.forget(names)
        examples.save(folder)
        for name in {*taught.taught}.difference(examples.taught):
            for picture in picture_files(folder, name):
                picture.unlink()
    return examples


def draw_examples(policy: str, out: Path) -> ExampleMemory:
    """Write a sheet with the pictures of what a policy was taught, and return its memory.

    :raises CheckpointError: for a policy that was taught nothing
    """
    folder = policy_folder(policy)
    load_config(folder)
    examples = load_examples(folder)
    if not examples.taught:
        raise CheckpointError(
            f"expected a policy that was taught objects, but {folder} was taught none; pickclutter teach"
        )
    blank = np.full((64, 64, 3), 235, np.uint8)
    cells = []
    for name in examples.taught:
        found = picture_files(folder, name)[:1]
        picture = np.asarray(read_image(found[0])) if found else blank
        cells.append(Cell([picture], [(name, "black"), (f"{examples.count(name)} examples", "gray")]))
    atomic_write(out, png_bytes(contact_sheet(cells, 8, 96)))
    return examples

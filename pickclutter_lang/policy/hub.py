"""Policy folders on the Hugging Face Hub, and their model cards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, credits_of
from pickclutter_lang.policy.example_memory import load_examples
from pickclutter_lang.policy_folder.folder import (
    CONFIG_FILE,
    EXAMPLES_FILE,
    PICTURES,
    TEXT_FILE,
    WEIGHTS_FILE,
    PolicyConfig,
    load_catalog,
    load_config,
)
from pickclutter_lang.utils.hub_files import Figure, SharedFolder, hub_card
from pickclutter_lang.utils.markdown import percent
from pickclutter_lang.utils.plugins import is_plugin

POLICY_FILES = (CONFIG_FILE, WEIGHTS_FILE, TEXT_FILE)


def _check(folder: Path) -> None:
    from pickclutter_lang.policy.torch_networks import load_pretrained  # a policy is fetched without torch

    load_pretrained(folder, trust_code=True)  # only read: no code of it runs
    load_examples(folder)


POLICY = SharedFolder(
    CONFIG_FILE,
    "model",
    (*POLICY_FILES, CATALOG_FILE, EXAMPLES_FILE, f"{PICTURES}/*.png"),
    _check,
    lambda folder, repository: policy_card(load_config(folder), repository, load_catalog(folder)),
)
"""A folder of `pickclutter export-policy`."""


def policy_card(config: PolicyConfig, repository: str, catalog: Sequence[CatalogEntry] = ()) -> str:
    """Return the model card of a policy, with the hub's metadata.

    :param catalog: of one's own objects that the student was trained on
    """
    student = config.student
    credit = credits_of(catalog)
    objects = f"## Objects\n\nIts training scenes show these objects.\n\n{credit}\n\n" if credit else ""
    unseen = set(student.unseen_names or ())
    seen = ", ".join(name for name in student.names if name not in unseen) or "none"
    metrics = "".join(f"| {name} | {percent(value)} |\n" for name, value in config.metrics.items())
    table = f"| on X_ood | % |\n| --- | --- |\n{metrics}\n" if metrics else ""
    code = (
        f"This folder names code outside the package, `{student.network.name}`: open it with `trust_code=True` if you\n"
        "trust it.\n\n"
        if is_plugin(student.network.name)
        else ""
    )
    text = (
        f"A student that scores whether a named object is {student.target_label} in the images of a robot's hand\n"
        f"camera, distilled from the teacher `{student.teacher.name}`; phase `{student.phase}`.\n\n"
        f"- network `{student.network.name}`, {student.image_size} px, cameras {', '.join(student.cameras)}"
        f"{' with depth' if student.depth else ''}\n"
        f"- trained names: {seen}\n"
        f"- further names with thresholds: {', '.join(sorted(unseen)) or 'none'}\n\n{table}{objects}{code}"
        "```python\nfrom pickclutter_lang.policy.policy import LanguagePickPolicy\n\n"
        f'policy = LanguagePickPolicy.from_pretrained("{repository}")\n```'
    )
    figures = [Figure("robotics", "X_ood", name, value) for name, value in config.metrics.items()]
    tags = ["robotics", "pickclutter-lang", "open-vocabulary"]
    return hub_card(repository, text, figures, library_name="pickclutter-lang", tags=tags)

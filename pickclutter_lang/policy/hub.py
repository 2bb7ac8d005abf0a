"""Policy folders on the Hugging Face Hub: fetched by name, and pushed with a model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, credits_of
from pickclutter_lang.policy.folder import (
    CONFIG_FILE,
    TEXT_FILE,
    WEIGHTS_FILE,
    PolicyConfig,
    load_catalog,
    policy_folder,
)
from pickclutter_lang.utils.cards import Figure, hub_card
from pickclutter_lang.utils.hub_files import fetch_files, push_folder
from pickclutter_lang.utils.markdown import percent
from pickclutter_lang.utils.plugins import is_plugin
from pickclutter_lang.utils.validation import check_repository

POLICY_FILES = (CONFIG_FILE, WEIGHTS_FILE, TEXT_FILE)


def fetch_policy(
    name_or_path: str | Path,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> Path:
    """Return the folder of a policy: one on this machine as it is, or one of the hub, fetched into its cache.

    :param name_or_path: a folder, the name of an embedded policy, or a repository `owner/name`
    :param revision: branch, tag or commit of the repository
    :param cache_dir: folder for downloads, by default Hugging Face's cache
    :param token: of the hub, for a private repository
    :param endpoint: address of the hub, by default `$HF_ENDPOINT` or huggingface.co
    :raises CheckpointError: when there is no such folder or repository, or the hub cannot be reached
    """
    if (here := policy_folder(name_or_path)).is_dir():
        return here
    repository = str(name_or_path)
    try:
        check_repository("repository", repository)
    except InvalidArgumentError as error:
        raise CheckpointError(
            f"expected a policy folder, open, or a repository owner/name of the hub, but got {repository!r}; make a "
            "folder: pickclutter export-policy"
        ) from error
    files = (*POLICY_FILES, CATALOG_FILE)
    return fetch_files(repository, files, revision=revision, cache_dir=cache_dir, token=token, endpoint=endpoint)


def push_policy(
    folder: str | Path,
    repository: str,
    private: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Push a policy folder with a model card to a repository of the hub, which is made if it is not there.

    :param folder: of `pickclutter export-policy`; it is checked whole before anything is sent
    :param repository: `owner/name`
    :return: address of the commit
    :raises CheckpointError: for a damaged folder, or when the hub refuses it or cannot be reached
    :raises InvalidArgumentError: for another form of `repository`
    """
    from pickclutter_lang.policy.torch_networks import load_pretrained  # a policy is fetched without torch

    config, _, _ = load_pretrained(folder, trust_code=True)  # only read: no code of it runs
    card = policy_card(config, repository, load_catalog(folder))
    files = (*POLICY_FILES, CATALOG_FILE)
    return push_folder(Path(folder), files, card, repository, private=private, token=token, endpoint=endpoint)


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

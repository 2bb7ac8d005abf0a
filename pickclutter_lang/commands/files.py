"""Commands that write, check, push and fetch data sets."""

from pickclutter_lang.commands.app import Command
from pickclutter_lang.datasets.scenes.config import ImportConfig, VerifyConfig
from pickclutter_lang.demonstrations.config import CollectDemosConfig, ExportLerobotConfig
from pickclutter_lang.sharing.config import FetchConfig, PushConfig


@Command(
    CollectDemosConfig,
    short=(
        "policy",
        "out",
        "objects",
        "kinds",
        "episodes",
        "seed",
        "failures",
        "control_mode",
        "camera_size",
        "workers",
    ),
)
def collect_demos(config: CollectDemosConfig) -> None:
    """Collect demonstrations of picks by name as trajectories of the simulator. Needs the extra sim or sim3.

        pickclutter collect-demos objects=ycb episodes=1000 out=demos

    An interrupted command resumes when run again.
    """
    from pickclutter_lang.demonstrations.collect_demos import collect_demos as run
    from pickclutter_lang.utils.hub_files import CARD_FILE

    done = run(config)
    print(f"{done.kept} demonstrations of {done.played} episodes; card: {done.folder / CARD_FILE}")


@Command(ExportLerobotConfig)
def export_lerobot(config: ExportLerobotConfig) -> None:
    """Write collected demonstrations as a LeRobot data set, version 3.0. Needs the extra export.

    pickclutter export-lerobot demos=demos out=lerobot
    """
    from pickclutter_lang.demonstrations.lerobot import export_lerobot as run

    done = run(config)
    print(f"{done.episodes} episodes, {done.frames} frames of {done.tasks} tasks in {done.folder}")


@Command(VerifyConfig)
def verify_scenes(config: VerifyConfig) -> None:
    """Read every shard of a scene store and compare it with the manifest. Damaged and missing shards are named.

    pickclutter verify-scenes store=data/train
    """
    from pickclutter_lang.datasets.scenes import verify_store

    manifest = verify_store(config.store)
    print(f"{config.store}: {len(manifest.shards)} shards with {manifest.scenes} scenes are intact")
    print(f"content {manifest.content_hash}")


@Command(ImportConfig)
def import_scenes(config: ImportConfig) -> None:
    """Make a scene store of the HDF5 file that the paper's authors published.

        pickclutter import-scenes file=test_ood.h5 split=ood out=data/published_ood

    Only the label `present` is known of these scenes.
    """
    from pickclutter_lang.datasets.scenes.importer import import_published

    store = import_published(config)
    found = store.manifest.settings
    print(f"{len(store)} scenes in {store.path}: cameras {', '.join(store.cameras)}; depth {found['source_depth']}")
    print(f"content {store.content_hash}")


@Command(PushConfig)
def push(config: PushConfig) -> None:
    """Push a policy, a teacher or a scene store to the Hugging Face Hub, with a card.

        pickclutter push folder=policy repository=me/strawberry-picker

    The folder is checked before anything is sent.
    """
    from pickclutter_lang.sharing.folders import push as run

    print(f"pushed: {run(config)}")


@Command(FetchConfig)
def fetch(config: FetchConfig) -> None:
    """Download a policy, a teacher or a scene store from the Hugging Face Hub, and verify its files.

        pickclutter fetch repository=me/strawberry-picker out=policy
        pickclutter fetch repository=me/my-scenes kind=scenes out=scenes/train

    An interrupted download goes on when the command is run again. A private repository needs `hf auth login` or
    $HF_TOKEN.
    """
    from pickclutter_lang.sharing.folders import fetch as run

    print(f"{config.kind}: {run(config)}")

"""Join the parts of a scene store that several machines collected. Needs no simulator.

    pickclutter collect-scenes split=train scenes=3000 part=1/8 out=parts/train    # and so on, to part=8/8
    pickclutter merge parts=parts/train out=data/train

The store is that of one collection without `part`, to its content hash. An interrupted command resumes when run again.
"""

from dataclasses import dataclass
from pathlib import Path

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import check_path


@dataclass
class MergeConfig:
    """One scene store of the parts that several machines collected."""

    parts: str
    """Folder of the parts, `out` of the commands with `part=K/N`."""
    out: str
    """Folder of the store. What a stopped command left there is completed."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for paths that cannot be."""
        check_path("parts", self.parts)
        check_path("out", self.out)
        if Path(self.parts).resolve() == Path(self.out).resolve():
            raise InvalidArgumentError(f"expected another folder in out than in parts, but got {self.out!r} for both")


@hydra_main(MergeConfig)
def main(config: MergeConfig) -> None:
    """Merge, and report the store."""
    from pickclutter_lang.datasets.scenes.merge import merge_parts

    store = merge_parts(Path(config.parts), Path(config.out))
    print(f"{len(store)} scenes in {store.path} ({store.manifest.shard_count} shards)")
    print(f"content {store.content_hash}")

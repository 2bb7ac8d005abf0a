"""Files of a store, a run, a policy and a teacher that a disk or a person has changed: one line that names the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from helpers.scene_runs import make_finished_run
from pickclutter_lang.commands import main
from pickclutter_lang.experiments.scenes.config import PolicyExportConfig
from pickclutter_lang.experiments.scenes.export_policy import export_policy

EXPORT = "export-policy run=run out=exported num_threads=1"
READERS = {
    "scenes/ood/manifest.json": "verify-scenes store=scenes/ood",
    "scenes/ood/shards/*.h5": "verify-scenes store=scenes/ood",
    "run/settings.json": EXPORT,
    "run/result.json": "evaluate-affordance run=run report_only=true num_threads=1",
    "run/few_shot/*/state.json": EXPORT,
    "run/few_shot/*/model.safetensors": EXPORT,
    "policy/policy.json": "export-runtime policy=policy out=exported num_threads=1",
    "policy/*.safetensors": "export-runtime policy=policy out=exported num_threads=1",
    "teacher/open_clip_config.json": "look image=pile.png names=[mug] checkpoint=teacher",
    "teacher/open_clip_model.safetensors": "look image=pile.png names=[mug] checkpoint=teacher",
}
"""File -> a command that reads it."""


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


BINARY: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "flipped": _flipped,
}
TEXT = BINARY | {"flipped": lambda content: b"[]", "deep": lambda content: b"[" * 100_000}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with scenes, a teacher, a finished run and its policy."""
    root: Path = tmp_path_factory.mktemp("whole")
    make_finished_run(root, 48)
    export_policy(PolicyExportConfig(str(root / "run"), out=str(root / "policy")))
    Image.new("RGB", (48, 48)).save(root / "pile.png")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("pattern", READERS)
def test_damage_is_one_line_that_names_the_file(
    pattern: str, whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "work"))
    monkeypatch.chdir(folder)
    path = sorted(folder.glob(pattern))[-1]
    content = path.read_bytes()
    for name, damage in (TEXT if path.suffix == ".json" else BINARY).items():
        path.write_bytes(damage(content))
        with pytest.raises(SystemExit) as ended:
            main(READERS[pattern].split())
        said = capfd.readouterr().err
        assert ended.value.code == 2 and len(said.splitlines()) == 1, (name, said)
        assert path.name in said or path.parent.name in said, (name, said)
        assert not (folder / "exported").exists()

"""A pocket teacher trained in two processes: the first step is that of one process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers.ranks import train_in_ranks
from helpers.teacher_data import write_scenes, write_views
from helpers.torture import only_torture
from pickclutter_lang.training.checkpoint import epoch_folder

EXACTLY = [
    "-c",
    "import torch; torch.set_default_dtype(torch.float64); torch.Tensor.float = torch.Tensor.double; "
    "from pickclutter_lang.commands.teachers import train_teacher; train_teacher()",
]
"""In float64 several processes and one differ by far less than in float32."""
SETTINGS = (
    "exclude_split=none", "min_crop_size=40", "scene_batch_size=5", "view_batch_size=4", "crop_sizes=[32]",
    "sentence_weight=0", "bf16=false", "save_every=1", "num_threads=1", "out=run",
)  # fmt: skip


@pytest.fixture(scope="module")
def overrides(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("teacher")
    scenes, views = write_scenes(root / "scenes", 0), write_views(root / "views", 0)
    held = f"unseen_scenes=[{write_scenes(root / 'test', 1, 'ood')}]", f"unseen_views=[{write_views(root / 'held', 1)}]"
    return [f"scenes=[{scenes}]", f"views=[{views}]", *held, *SETTINGS]


@pytest.mark.slow
@only_torture
def test_the_first_step_is_that_of_one_process(overrides: list[str], tmp_path: Path) -> None:
    """Its gradients are compared by the optimizer's means, in float64: in float32 they differ by rounding."""
    terms, means = [], []
    for count in (1, 2):
        (tmp_path / f"{count}").mkdir()
        train_in_ranks([*EXACTLY, *overrides, "steps=1"], count, tmp_path / f"{count}")
        run = tmp_path / f"{count}" / "run"
        terms.append(json.loads((run / "training" / "log.jsonl").read_text()))
        optimizer = load_file(epoch_folder(run / "training", 1) / "optimizer.safetensors")
        means.append({name: value for name, value in optimizer.items() if name.endswith("exp_avg")})
    assert {"scene_nce", "presence", "object_sigmoid", "name_top1"} <= terms[0].keys() - {"seconds"}
    for name in terms[0].keys() - {"seconds", "phase"}:
        assert terms[1][name] == pytest.approx(terms[0][name], rel=1e-5, nan_ok=True), name
    for name, value in means[0].items():
        assert torch.linalg.vector_norm(means[1][name] - value) <= 1e-6 * torch.linalg.vector_norm(value) + 1e-12, name

"""Steps of a training on whole batches in float64, alone or as one of several processes; writes what came of them."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from pickclutter_lang.distillation import image_contrastive_loss
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.students.student import build_student
from pickclutter_lang.training.parallel import (
    backward,
    from_main,
    gather_rows,
    joined,
    own_draws,
    own_slice,
    seed_own_draws,
    wait_for_all,
    whole_batch_norm,
)
from pickclutter_lang.utils.ranks import rank

ROWS, STEPS, WIDTH = 7, 3, 8


def run(network: str, folder: Path) -> None:
    """Write `rank<N>.safetensors`: the weights and losses after the steps, and what the process drew and was told."""
    torch.manual_seed(0)
    checkpointing = network.startswith("efficientnet")
    config = StudentConfig(network, None, dropout=False, activation_checkpointing=checkpointing)
    student = build_student(config, 3, WIDTH).double()
    teacher, images = torch.randn(ROWS, WIDTH).double(), torch.rand(STEPS, ROWS, 3, 64, 64).double()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9)
    found: dict[str, Tensor] = {}
    with joined("cpu"):
        seed_own_draws((0, 1))
        for step in range(STEPS):
            with whole_batch_norm():
                with own_draws():
                    features = student.global_features(images[step, own_slice()])
                    found[f"draw{step}"] = torch.rand(4)
                loss = image_contrastive_loss(gather_rows(features, ROWS), teacher, 0.5)
                optimizer.zero_grad()
                backward(loss, student)
            optimizer.step()
            found[f"loss{step}"] = loss.detach()
        found["told"] = torch.tensor(from_main(lambda: {"rank": rank(), "number": float("nan")})["rank"])
        wait_for_all()
    weights = {f"weights.{name}": value.contiguous() for name, value in student.state_dict().items()}
    save_file({**weights, **found}, folder / f"rank{rank()}.safetensors")


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]))

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
    from_main,
    gather_rows,
    joined,
    own_draws,
    own_slice,
    seed_own_draws,
    synchronized,
    wait_for_all,
)
from pickclutter_lang.utils.ranks import rank

ROWS, STEPS, WIDTH = 7, 3, 8


def run(network: str, batch_norms: str, folder: Path) -> None:
    """Write `rank<N>.safetensors`: the weights and losses after the steps, and what the process drew and was told.

    :param batch_norms: `trained`, or `frozen`: by statistics that no step changes
    """
    torch.manual_seed(0)
    checkpointing = network.startswith("efficientnet")
    config = StudentConfig(network, None, dropout=False, activation_checkpointing=checkpointing)
    student = build_student(config, 3, WIDTH).double().train(batch_norms == "trained")
    teacher = torch.randn(ROWS, WIDTH).double()
    images = torch.rand(STEPS, ROWS, 3, 64, 64).double()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9)
    found: dict[str, Tensor] = {}

    def loss_of(step: int) -> Tensor:
        with own_draws():
            features = student.global_features(images[step, own_slice()])
            found[f"draw{step}"] = torch.rand(4)
        return image_contrastive_loss(gather_rows(features, ROWS), teacher, 0.5)

    with joined("cpu"):
        seed_own_draws((0, 1))
        compute = synchronized(student, loss_of)
        for step in range(STEPS):
            loss = compute(step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found[f"loss{step}"] = loss.detach()
        found["told"] = torch.tensor(from_main(lambda: {"rank": rank(), "number": float("nan")})["rank"])
        wait_for_all()
    weights = {f"weights.{name}": value.detach().contiguous() for name, value in student.named_parameters()}
    save_file({**weights, **found}, folder / f"rank{rank()}.safetensors")


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

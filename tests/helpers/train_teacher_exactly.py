"""`train-teacher` in float64, in which several processes and one differ by far less than in float32."""

import torch

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double  # type: ignore[method-assign]

from pickclutter_lang.commands.teachers import train_teacher  # noqa: E402

if __name__ == "__main__":
    train_teacher()

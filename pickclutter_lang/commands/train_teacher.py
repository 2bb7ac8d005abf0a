"""Train the pocket teacher: `pickclutter train-teacher scenes=[...] views=[...] out=runs/teacher`."""

from omegaconf import DictConfig

from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.train import train_teacher
from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("train_teacher")
def main(cfg: DictConfig) -> None:
    """Train, and say where the teacher is."""
    folder = train_teacher(parse_config(TeacherTrainConfig, cfg))
    print(f"the teacher is in {folder}; its figures are in {folder / 'MODEL_CARD.md'}")

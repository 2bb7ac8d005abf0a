"""Commands of the paper's image-classification tables."""

from functools import partial
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from pickclutter_lang.commands.app import Command, compose_config, run_jobs
from pickclutter_lang.experiments.images.config import CaptionConfig, ImageTrainConfig, ReproduceTablesConfig

PRESETS = {"dataset": "object_views", "teacher": "pocket", "student": "resnet18", "recipe": "cpu"}


PRESET_OVERRIDES = {"student": {"output_stride": None}}  # any student as its library has it


@Command(
    ImageTrainConfig,
    PRESETS,
    preset_overrides=PRESET_OVERRIDES,
    trains=True,
    short=(
        *("data.root", "data.shots", "out", "seed", "num_threads", "device", "image_size"),
        *("objective.cls", "objective.im_cst", "distill.epochs"),
    ),
)
def train_image_student(config: ImageTrainConfig) -> None:
    """Distill a student that classifies single images, fine-tune it on few images of unseen classes, and evaluate it.

        pickclutter train-image-student dataset=object_views objective.cls=1 objective.im_cst=1 out=runs/image_student

    This is one run of a table of the paper. `pickclutter reproduce-tables` runs full tables. An interrupted command
    resumes when run again.
    """
    from pickclutter_lang.experiments.images.image_protocol import evaluate_images
    from pickclutter_lang.experiments.images.image_report import write_report
    from pickclutter_lang.experiments.images.image_run import ImageRun
    from pickclutter_lang.experiments.images.image_tables import summary
    from pickclutter_lang.results.record import RESULT_FILE, read_record
    from pickclutter_lang.utils.ranks import is_main

    run = ImageRun.open(config)
    done = (Path(config.out) / RESULT_FILE).is_file()
    if is_main():
        print("this run is done; choose another out= to train again" if done else run.report)
    if not done:
        run.train()
    if is_main():
        result = read_record(Path(config.out), "images") if done else evaluate_images(run)
        print(summary(result))
        print(f"report: {write_report(config.out)}")


@Command(ReproduceTablesConfig, extends="train_image_student")
def reproduce_tables(config: ReproduceTablesConfig) -> None:
    """Train what tables and figures of the paper need, each run in its own process, and write them.

        pickclutter reproduce-tables table=1 dataset=object_views data.root=runs/views seeds=0,1,2
        pickclutter reproduce-tables figure=4 dataset=image_folder data.root=IMAGES
        pickclutter reproduce-tables table=1 class_splits=0,1 dataset=image_folder data.root=IMAGES

    An interrupted command resumes when run again. It skips finished runs, which tables share. If a run fails, the
    others continue.

    A key of `pickclutter train-image-student` applies to every run (recipe=paper_resnet distill.epochs=40 device=cuda).
    The exceptions are those in which the runs of a table differ: name, seed, data.seed, num_threads, continual_split,
    the weights, top_k and filters of objective, text.descriptions, text.n_ctx and text.closed_set.

    Some tables need more:

      data.descriptions=FILE  of pickclutter describe-labels, where the dataset has none (Tables 5, 6, 8 to 11, figures)
      data.captions=FILE      of pickclutter caption-images, where the dataset has none (Tables 5 and 6, Figure 4)
      text.style_dir=FOLDER   with standard.json, succinct.json, detailed.json and distinct.json (Table 7)
      text.truncate=true      to cut texts that are too long for the teacher
    """
    from pickclutter_lang.experiments.images.table_sweep import plan_image_tables, write_image_tables
    from pickclutter_lang.experiments.sweep import forwarded_overrides
    from pickclutter_lang.utils.markdown import tables_of

    def write() -> None:
        paths = write_image_tables(config)
        pages = [path.read_text(encoding="utf-8") for path in paths if path.suffix == ".md"]
        print(*(tables_of(page, "Table ") for page in pages), *paths, sep="\n")

    shared = forwarded_overrides(HydraConfig.get().overrides.task, vars(config))
    jobs = plan_image_tables(config, shared, partial(compose_config, ImageTrainConfig, "train_image_student"), print)
    run_jobs(jobs, "train-image-student", config.out, config.workers, write)


@Command(
    CaptionConfig,
    {"dataset": "object_views"},
    ignore_other_keys=True,
    short=("data.root", "data.classes", "model", "batch_size", "device", "out"),
)
def caption_images(config: CaptionConfig) -> None:
    """Caption images with an image captioning model (BLIP, GIT), for the loss `cap`. Needs the extra `llm`.

        pickclutter caption-images dataset=image_folder data.root=IMAGES out=captions.jsonl
        pickclutter train-image-student dataset=image_folder data.root=IMAGES objective.cap=1 \\
          data.captions=captions.jsonl

    Captions are saved after each batch; run again to resume. A file of another model or of other images is refused.
    """
    from pickclutter_lang.experiments.images.caption_images import caption_images as run

    done = run(config)
    print(done.report)
    print(f"{done.new} images captioned now, {done.images} in all: data.captions={config.out} objective.cap=1")

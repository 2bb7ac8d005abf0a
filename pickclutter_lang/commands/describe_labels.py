"""Ask a language model to describe labels: `pickclutter describe-labels labels=[mug,bolt] model=... out=...`."""

from functools import partial

from omegaconf import DictConfig
from rich.progress import track

from pickclutter_lang.command import command, typed
from pickclutter_lang.language.collect_descriptions import DescribeSettings, collect_descriptions, dry_run


@command("describe_labels")
def main(config: DictConfig) -> None:
    """Ask for what is missing, and say what was found; or show what would be sent."""
    settings = typed(DescribeSettings, config)
    if settings.dry_run:
        requests = dry_run(settings)
        print(f"{len(requests)} requests would go to {settings.base_url}/chat/completions:", *requests, sep="\n")
        return
    done = collect_descriptions(settings, track=partial(track, description="labels"))
    print(f"{done.asked} labels asked for, {len(done.descriptions.texts)} described in {settings.out}")
    if done.too_long:
        print(f"longer than {settings.longest} tokens with their label: {', '.join(done.too_long)}")

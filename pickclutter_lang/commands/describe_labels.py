"""Ask a language model to describe labels: `pickclutter describe-labels labels=[mug,bolt] model=... out=...`."""

from functools import partial

from omegaconf import DictConfig

from pickclutter_lang.language.collect_descriptions import DescribeSettings, collect_descriptions, dry_run
from pickclutter_lang.utils.cli import hydra_main, parse_config
from pickclutter_lang.utils.progress import track


@hydra_main("describe_labels")
def main(cfg: DictConfig) -> None:
    """Ask for what is missing, and say what was found; or show what would be sent."""
    config = parse_config(DescribeSettings, cfg)
    if config.dry_run:
        requests = dry_run(config)
        print(f"{len(requests)} requests would go to {config.base_url}/chat/completions:", *requests, sep="\n")
        return
    done = collect_descriptions(config, track=partial(track, title="labels"))
    print(f"{done.requests} labels asked for, {len(done.descriptions.texts)} described in {config.out}")
    if done.too_long:
        print(f"longer than {config.max_tokens} tokens with their label: {', '.join(done.too_long)}")

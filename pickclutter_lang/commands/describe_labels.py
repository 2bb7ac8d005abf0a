"""Ask a language model to describe labels, with the paper's instructions (sections 5 and 6). Needs the extra llm.

    pickclutter describe-labels labels=[mug,bolt] model=gpt-4o-mini out=mine.json
    pickclutter describe-labels labels=names.txt style=distinct model=llama3 out=mine.json \\
      base_url=http://localhost:11434/v1 api_key_env=null

Each answer is saved at once. An interrupted command requests only the missing ones when run again.

One request for each label goes to `base_url`, and nothing else. It holds the name of the model, the instruction with
the label, the temperature if there is one, and the key. `dry_run=true` prints the requests and sends none.
"""

from functools import partial

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.language.collect_descriptions import DescribeConfig, collect_descriptions, dry_run
from pickclutter_lang.utils.progress import track


@hydra_main(DescribeConfig)
def main(config: DescribeConfig) -> None:
    """Request the missing descriptions and report them; or print the requests."""
    if config.dry_run:
        requests = dry_run(config)
        print(f"{len(requests)} requests would go to {config.base_url}/chat/completions:", *requests, sep="\n")
        return
    done = collect_descriptions(config, track=partial(track, title="labels", transient=True))
    print(f"{done.requests} labels requested, {len(done.descriptions.texts)} described in {config.out}")
    if done.too_long:
        print(f"longer than {config.max_tokens} tokens with their label: {', '.join(done.too_long)}")

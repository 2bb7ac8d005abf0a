"""Have policies pick the named object in the simulator, and count successes. Needs the extra sim.

    pickclutter evaluate-policy run=runs/student objects=ycb episodes=200
    pickclutter evaluate-policy policy=policy

An interrupted command resumes when run again.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.evaluation.config import PolicyEvalConfig


@hydra_main(PolicyEvalConfig)
def main(config: PolicyEvalConfig) -> None:
    """Run the episodes, write the result, and print its table and the path."""
    from pickclutter_lang.evaluation.evaluate import evaluate_policy
    from pickclutter_lang.evaluation.report import REPORT_FILE
    from pickclutter_lang.reports.page import PAGE_FILE
    from pickclutter_lang.utils.markdown import tables_of

    folder = evaluate_policy(config)
    shown = ("Targets: all", "By kind of instruction")
    print(tables_of((folder / REPORT_FILE).read_text(encoding="utf-8"), *shown), end="")
    print(f"report: {folder / PAGE_FILE}")

"""Have policies pick the named object in the simulator, and count successes. Needs the extra sim.

    pickclutter evaluate-policy run=runs/student objects=ycb episodes=200
    pickclutter evaluate-policy policy=policy

An interrupted command resumes when run again.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.policy.evaluation.config import PolicyEvalConfig


@hydra_main(PolicyEvalConfig)
def main(config: PolicyEvalConfig) -> None:
    """Run the episodes, write the result, and print the path."""
    from pickclutter_lang.policy.evaluation.evaluate import evaluate_policy
    from pickclutter_lang.reports.page import PAGE_FILE

    print(f"report: {evaluate_policy(config) / PAGE_FILE}")

"""A Ray cluster of two machines, which are processes of this one; each has one core."""

from __future__ import annotations

from typing import Any

from ray.cluster_utils import Cluster

_NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000}
_SYSTEM = {
    "health_check_initial_delay_ms": 0,  # a machine that is gone is noticed within seconds
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 3,
    "worker_niceness": 0,  # by default 15: beside other tests they would starve
}


class TwoMachines:
    """A head and a second machine, which can be killed, and is there again with the next `second`."""

    def __init__(self) -> None:
        head = {**_NODE, "include_dashboard": False, "_system_config": _SYSTEM}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._second: Any = None

    @property
    def address(self) -> str:
        """HOST:PORT of the head."""
        return str(self._cluster.address)

    @property
    def second_id(self) -> str:
        """Id of the second machine in Ray."""
        return str(self._second.node_id)

    def start_second(self) -> None:
        """Start the second machine, unless it runs."""
        self._second = self._second or self._cluster.add_node(**_NODE)

    def kill_second(self) -> None:
        """Kill the second machine and all its processes, as a power cut would."""
        self._cluster.remove_node(self._second, allow_graceful=False)
        self._second = None

    def stop(self) -> None:
        """End both."""
        self._cluster.shutdown()  # type: ignore[no-untyped-call]

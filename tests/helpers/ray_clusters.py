"""A Ray cluster of two machines, which are processes of this one; each has one core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.cluster_utils import Cluster


@contextmanager
def two_machines() -> Iterator[str]:
    """Run the cluster, and return HOST:PORT of its head."""
    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000}
    head = {
        **node,
        "include_dashboard": False,
        "_system_config": {"worker_niceness": 0},
    }  # else they starve beside tests
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(**node)
        yield str(cluster.address)
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]

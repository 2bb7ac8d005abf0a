"""A server on loopback that answers as S3 does, and a bucket there."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hush-hush", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def serve_s3(bucket: str = "bucket") -> Iterator[Mapping[str, str]]:
    """Serve an empty bucket; the environment with which clients find it is returned."""
    import s3fs
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        keys = {"key": "key", "secret": "hush-hush"}
        s3fs.S3FileSystem(**keys, endpoint_url=address, skip_instance_cache=True).mkdir(bucket)
        yield {**ENVIRONMENT, "AWS_ENDPOINT_URL": address}
    finally:
        server.stop()

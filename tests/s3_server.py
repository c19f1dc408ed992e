"""An S3 server on loopback, for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

VARIABLES = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
BUCKET = "people-bucket"


@contextmanager
def run_s3() -> Iterator[dict[str, str]]:
    """Start a server with one empty bucket; give the environment that leads clients to it."""
    pytest.importorskip("s3fs", reason="needs the extra [s3]")
    server_module = pytest.importorskip("moto.server", reason="needs moto[server]")
    import fsspec
    import s3fs

    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {**VARIABLES, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        files = fsspec.filesystem("s3")
        files.mkdir(BUCKET)
        yield environment
        files.rm(BUCKET, recursive=True)  # all servers of a process have the same content
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()

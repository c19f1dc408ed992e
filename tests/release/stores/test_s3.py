"""Releases in S3, with a server on loopback."""

import os
import signal
import subprocess
import sys

import fsspec
import pytest

from synth_tasks.errors import IntegrityError, StorageError, SynthError
from synth_tasks.release.events import read_ledger
from synth_tasks.release.publication import find_release
from synth_tasks.release.stores import RemoteStore
from synth_tasks.release.withdraw import withdraw_version
from tests.release.stores.publishing import DIGEST, OTHER_DIGEST, publish
from tests.s3_server import BUCKET, run_s3

KILLED = """
import os, signal
import s3fs
from synth_tasks.release.stores import RemoteStore
from tests.release.stores.publishing import publish

put = s3fs.S3FileSystem.put_file

def die_after_one(self, *args, **kwargs):
    put(self, *args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)

s3fs.S3FileSystem.put_file = die_after_one
publish(RemoteStore("{target}", "people"))
"""


@pytest.fixture(scope="module")
def environment():
    with run_s3() as variables:
        yield variables


@pytest.fixture
def target(environment, request) -> str:
    return f"s3://{BUCKET}/{request.node.name}"


def test_a_release_is_published_found_and_verified(target):
    releases = RemoteStore(target, "people")
    first, second = publish(releases), publish(releases, OTHER_DIGEST)
    assert releases.versions() == [first.version, second.version]
    assert RemoteStore(target, "people").find(DIGEST).location == first.location
    files = fsspec.filesystem("s3")
    assert files.cat_file(f"{target}/people/latest.json") == b'{"version": "2-cdcdcdcd"}\n'
    files.pipe_file(f"{first.location}/README.md", b"changed")
    with pytest.raises(SynthError, match=r"README.md was changed after publication"):
        releases.find(DIGEST)


def test_a_release_is_withdrawn_and_not_published_again(target):
    releases = RemoteStore(target, "people")
    first, second = publish(releases), publish(releases, OTHER_DIGEST)
    done = withdraw_version(releases, second.version, reason="wrong", name="me")
    assert done.latest == RemoteStore(target, "people").latest() == first.version
    left = fsspec.filesystem("s3").find(second.location)
    assert [path.rpartition("/")[2] for path in left] == [
        "README.md",
        "manifest.json",
        "withdrawal.json",
    ]
    events = [event["event"] for event in read_ledger(releases.place())]
    assert events == ["published", "published", "withdrawn"]
    with pytest.raises(IntegrityError, match="was withdrawn by me: wrong"):
        find_release(RemoteStore(target, "people"), {"digest": OTHER_DIGEST})


def test_a_killed_upload_leaves_nothing_that_counts(target, environment):
    code = KILLED.format(target=target)
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL
    releases = RemoteStore(target, "people")
    files = fsspec.filesystem("s3")
    left = [path.partition("/people/")[2] for path in files.find(f"{target}/people")]
    assert left == [".upload-1-abababab", "1-abababab/README.md"]
    assert releases.versions() == []
    assert publish(releases).version == "2-abababab"

    files.pipe_file(f"{target}/people/.upload-1-abababab", b'{"started": 0}')
    publish(releases, OTHER_DIGEST)
    left = [path for path in files.find(f"{target}/people") if "1-abababab" in path]
    assert left == []


def test_only_one_run_can_claim_a_version(target):
    fsspec.filesystem("s3").pipe_file(f"{target}/people/.upload-1-abababab", b'{"started": 4e9}')
    with pytest.raises(StorageError, match="another run is publishing: run again"):
        publish(RemoteStore(target, "people"), version="1-abababab")


def test_a_bucket_that_does_not_exist_is_named_and_not_made(environment):
    with pytest.raises(StorageError, match="cannot publish to s3://no-such-bucket/x/people"):
        publish(RemoteStore("s3://no-such-bucket/x", "people"))
    assert not fsspec.filesystem("s3").exists("no-such-bucket")


def test_a_server_that_is_not_there_is_a_storage_error(environment, monkeypatch):
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(StorageError, match="cannot read s3://people-bucket/x/people: "):
            RemoteStore(f"s3://{BUCKET}/x", "people").versions()
    finally:
        s3fs.S3FileSystem.clear_instance_cache()

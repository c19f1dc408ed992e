"""Which addresses lead to data and releases, and what is refused before anything is opened."""

from pathlib import Path

import fsspec
import pytest

from synth_tasks.errors import SpecError
from synth_tasks.release.locations import STORES, local_path, open_location

PRIVATE = "Q918273Z"


def refused(url: str, options: dict[str, str] | None = None) -> str:
    with pytest.raises(SpecError) as caught:
        open_location(url, "dataset.source", options)
    message = str(caught.value)
    assert message.startswith("dataset.source: ")
    return message


@pytest.mark.parametrize(
    "url",
    [
        "simplecache::file:///data/x.csv",
        "filecache::file:///data/x.csv",
        "blockcache::s3://bucket/x.csv",
        "zip://x.csv::file:///data/b.zip",
        "file:///data/x.csv::zip://b",
        f"simplecache::http://user:{PRIVATE}@host/x.csv",
        "http://[::1]:8000/x.csv",
        "http://[::1",
    ],
)
def test_urls_in_a_chain_are_refused(url: str) -> None:
    """They leave copies of the data on disk, unpack archives, and hide what they lead to."""
    message = refused(url)
    assert "hold no '::'" in message
    assert PRIVATE not in message


@pytest.mark.parametrize(
    "scheme",
    [
        *("github", "reference", "dask", "zip", "tar", "libarchive", "simplecache", "git", "data"),
        *("blockcache", "dir", "jupyter", "magic", "S3", "", f"me:{PRIVATE}@host/http"),
    ],
)
def test_a_kind_of_url_that_is_no_store_is_refused_with_those_that_are(scheme: str) -> None:
    message = refused(f"{scheme}://a/b")
    assert "must begin with one of file://, s3://, s3a://, gs://" in message
    assert all(f"{store}://" in message for store in STORES)
    assert PRIVATE not in message


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{PRIVATE}@host/x.csv",
        f"http:///user:{PRIVATE}@host/x.csv",
        f"http://user:{PRIVATE}#@host/x.csv",
        f"s3://AKIA:{PRIVATE}/more@bucket/x.csv",
        f"sftp://{PRIVATE}@host/x.csv",
        f"file://user:{PRIVATE}@host/x.csv",
        f"https://host/x.csv?signature={PRIVATE}",
    ],
)
def test_credentials_are_refused_and_not_shown(url: str) -> None:
    message = refused(url)
    assert "must not hold user, password or a query" in message
    assert PRIVATE not in message


@pytest.mark.parametrize("url", ["http://[x", "http://host:port/x", "webhdfs:///x", "sftp:///x"])
def test_a_url_without_a_host_is_refused_in_one_line(url: str) -> None:
    """Whether or not the package behind it is installed."""
    refused(url)


def test_an_option_that_a_store_cannot_take_is_refused_without_showing_it() -> None:
    message = refused("ftp://127.0.0.1/x", {"timeout": PRIVATE})
    assert "the storage options of the block" in message
    assert PRIVATE not in message


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("memory://folder/x.csv", "/folder/x.csv"),
        ("file:///data/2024:01/me@work/x.csv", "/data/2024:01/me@work/x.csv"),
        ("http://127.0.0.1:8000/a@b.csv", "http://127.0.0.1:8000/a@b.csv"),
        ("http://[2001:db8:1:1:1:1:1:1]:80/x", "http://[2001:db8:1:1:1:1:1:1]:80/x"),
    ],
)
def test_an_address_without_credentials_is_opened(url: str, path: str) -> None:
    assert open_location(url, "dataset.source")[1] == path


def test_the_name_of_an_access_point_may_hold_colons() -> None:
    pytest.importorskip("s3fs", reason="needs the extra [s3]")
    name = "arn:aws:s3:eu-west-1:123456789012:accesspoint/people"
    assert open_location(f"s3://{name}/x.csv", "dataset.source")[1] == f"{name}/x.csv"


def test_all_stores_are_known_to_fsspec() -> None:
    assert set(STORES) <= set(fsspec.available_protocols())


def test_a_path_may_hold_what_a_url_may_not() -> None:
    assert local_path("/data/a::b/c?d", "publish.to") == Path("/data/a::b/c?d")

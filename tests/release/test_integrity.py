import hashlib
import json
import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.errors import IntegrityError
from synth_tasks.release.integrity import (
    canonical,
    check_contents,
    checksums,
    entry,
    merkle_root,
    read_manifest,
    release_root,
)
from tests.release.published import FILES, publish_small


@pytest.fixture
def release(tmp_path):
    return publish_small(tmp_path).folder


# --- the tree -------------------------------------------------------------------------------------

# The entries and roots of the reference implementation of Certificate Transparency.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("count", range(9))
def test_the_root_is_that_of_certificate_transparency(count):
    assert merkle_root(ENTRIES[:count]).hex() == ROOTS[count]


def rfc6962(entries):
    """Write the definition of the RFC down as it stands there."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + rfc6962(entries[:k]) + rfc6962(entries[k:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_follows_the_recursive_definition(entries):
    assert merkle_root(entries) == rfc6962(entries)


def test_a_node_is_no_leaf():
    left, right = (hashlib.sha256(b"\x00" + e).digest() for e in (b"a", b"b"))
    assert merkle_root([left + right]) != merkle_root([b"a", b"b"])


def test_an_entry_is_path_size_and_hash_with_their_lengths():
    found = entry("é", 258, "ab" * 32)
    assert found == b"\0\0\0\x02" + b"\xc3\xa9" + b"\0" * 6 + b"\x01\x02" + b"\xab" * 32


def test_the_root_of_a_release_by_hand():
    manifest = {"digest": "d", "files": {"b": {"bytes": 1, "sha256": "00" * 32}}}
    own = b"""{
  "digest": "d",
  "files": {
    "b": {
      "bytes": 1,
      "sha256": "0000000000000000000000000000000000000000000000000000000000000000"
    }
  }
}
"""
    b = b"\0\0\0\x01b" + b"\0" * 7 + b"\x01" + bytes(32)
    m = b"\0\0\0\x0dmanifest.json" + len(own).to_bytes(8, "big") + hashlib.sha256(own).digest()
    expected = hashlib.sha256(
        b"\x01" + hashlib.sha256(b"\0" + b).digest() + hashlib.sha256(b"\0" + m).digest()
    )
    assert release_root(manifest) == expected.hexdigest()
    assert release_root({**manifest, "merkle_root": "anything"}) == expected.hexdigest()


# --- a folder -------------------------------------------------------------------------------------


def test_an_intact_release_gives_its_manifest(release):
    manifest = check_contents(release)
    assert sorted(manifest["files"]) == sorted(FILES)
    assert manifest["merkle_root"] == release_root(manifest)
    assert (release / "manifest.json").read_bytes() == canonical(manifest)


@given(data=st.data())
def test_a_change_of_any_byte_of_any_file_is_found(tmp_path_factory, data):
    folder = publish_small(tmp_path_factory.mktemp("release")).folder
    name = data.draw(st.sampled_from(["manifest.json", *FILES]))
    content = bytearray((folder / name).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(content)
    with pytest.raises(IntegrityError) as error:
        check_contents(folder)
    # A changed checksum in the manifest is told as a change of its file.
    assert name in str(error.value) or name == "manifest.json"
    assert str(error.value).isprintable()
    shutil.rmtree(folder.parent)


def test_a_manifest_written_in_another_way_is_found(release):
    manifest = read_manifest(release)
    (release / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(IntegrityError, match="does not have the Merkle root that it names"):
        check_contents(release)


def test_a_manifest_that_was_made_to_fit_other_data_has_another_root(release):
    before = read_manifest(release)["merkle_root"]
    (release / "README.md").write_text("other")
    manifest = {**read_manifest(release), "files": checksums(release)}
    (release / "manifest.json").write_bytes(canonical(manifest))
    with pytest.raises(IntegrityError, match="Merkle root"):
        check_contents(release)
    forged = {**manifest, "merkle_root": release_root(manifest)}
    (release / "manifest.json").write_bytes(canonical(forged))
    assert check_contents(release)["merkle_root"] != before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "README.md").unlink(), "README.md was missing"),
        (lambda f: (f / "data/real.csv").write_text("x"), "real.csv was added"),
        (lambda f: (f / "more" / "deep").mkdir(parents=True), "more/deep is an empty folder"),
        (lambda f: (f / "data/link.csv").symlink_to("people-1.csv"), "link.csv is a link"),
        (lambda f: (f / "data/link").symlink_to("/"), "data/link is a link"),
        (lambda f: os.mkfifo(f / "pipe"), "pipe is neither file nor folder"),
        (lambda f: (f / "a\nb\x1b[31m").write_text("x"), r"a\?b\?\[31m was added"),
        (lambda f: shutil.rmtree(f / "data"), r"people-1.csv was missing .* \(and 1 more\)"),
    ],
)
def test_what_is_wrong_is_one_line(release, damage, message):
    damage(release)
    with pytest.raises(IntegrityError, match=message) as error:
        check_contents(release)
    assert str(error.value).isprintable()


def test_a_file_that_became_a_link_to_the_same_bytes_is_found(release, tmp_path):
    outside = (release / "README.md").rename(tmp_path / "outside.md")
    (release / "README.md").symlink_to(outside)
    with pytest.raises(IntegrityError, match=r"README.md is a link"):
        check_contents(release)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a\0b", "data/../README.md"])
def test_a_path_that_leads_out_of_the_release_is_never_opened(release, path):
    manifest = read_manifest(release)
    manifest["files"][path] = {"bytes": 1, "sha256": "00" * 32}
    (release / "manifest.json").write_bytes(canonical(manifest))
    with pytest.raises(IntegrityError, match="was missing"):
        check_contents(release)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "digest": JSON,
            "merkle_root": JSON,
            "files": JSON
            | st.dictionaries(
                st.text(max_size=5),
                st.fixed_dictionaries({}, optional={"bytes": JSON, "sha256": JSON}),
                max_size=2,
            ),
        },
    )
)
def test_a_hostile_manifest_is_one_typed_error(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "hostile"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(IntegrityError) as error:
        check_contents(folder)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"digest": "d", "files": {"a": {"bytes": ' + "9" * 5000 + "}}}",
        '{"digest": "d", "files": {"a": {"bytes": 1e999, "sha256": "00"}}}',
        '{"digest": "\\ud800", "files": {}}',
        '{"digest": "d", "files": {"\\ud800": {"bytes": 1, "sha256": "' + "00" * 32 + '"}}}',
        '{"digest": "d", "files": {}, "x": NaN}',
        "\x00",
    ],
)
def test_text_that_breaks_readers_of_json_is_one_typed_error(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(IntegrityError) as error:
        check_contents(tmp_path)
    assert str(error.value).isprintable()

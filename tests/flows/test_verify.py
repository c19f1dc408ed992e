import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.verify import main
from synth_tasks.release.bundle import write_manifest
from synth_tasks.release.history import update_ledger
from synth_tasks.release.integrity import read_manifest
from synth_tasks.release.seeds import commitment, commitment_salt
from synth_tasks.release.signing import read_signer
from synth_tasks.release.stores import FolderStore
from synth_tasks.release.withdraw import withdraw
from tests.release.published import FILES, make_key, publish_small

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return make_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def public(key):
    path = key.with_name("public.pem")
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", path], check=True)
    return path


@pytest.fixture
def signed(tmp_path, key):
    return publish_small(tmp_path, key=key).folder


def run(capsys, *arguments) -> tuple[int, str]:
    """Return exit code and the one line that was written."""
    code = main([str(a) for a in arguments])
    output = capsys.readouterr()
    line = output.out + output.err
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    assert bool(output.err) == bool(code)
    return code, line


def test_an_intact_release_is_0_and_shows_its_root(tmp_path, capsys):
    folder = publish_small(tmp_path).folder
    code, line = run(capsys, folder)
    root = read_manifest(folder)["merkle_root"]
    assert code == 0
    assert line.startswith(f"intact: 4 files, Merkle root {root}; not signed")
    assert "no ledger.json beside it to check" in line
    assert run(capsys, folder.parent / "latest") == (code, line)


def test_a_signed_release_is_checked_by_the_given_key_or_shows_its_own(signed, public, capsys):
    code, line = run(capsys, signed, "--public-key", public)
    assert code == 0
    assert "; signed by the given key; no ledger.json beside it to check" in line
    code, line = run(capsys, signed)
    assert code == 0
    assert "signed by the key in the release, fingerprint" in line


@given(data=st.data())
def test_a_change_of_any_byte_of_a_signed_release_is_1(tmp_path_factory, key, public, data):
    folder = publish_small(tmp_path_factory.mktemp("signed"), key=key).folder
    names = ["manifest.json", "manifest.json.sig", "signing-key.pem", *FILES]
    path = folder / data.draw(st.sampled_from(names))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert main([str(folder)]) == 1
    assert main([str(folder), "--public-key", str(public)]) == 1
    shutil.rmtree(folder.parent)


def test_a_release_made_anew_by_somebody_else_passes_only_without_the_key(
    tmp_path, signed, public, capsys
):
    other = make_key(tmp_path, "other")
    forged = publish_small(tmp_path / "forged", key=other).folder
    assert run(capsys, forged)[0] == 0
    code, line = run(capsys, forged, "--public-key", public)
    assert code == 1
    assert "is no signature of manifest.json by the key of --public-key" in line


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "manifest.json.sig").unlink(), "manifest.json.sig is missing"),
        (lambda f: (f / "manifest.json").unlink(), "manifest.json is missing or damaged"),
        (lambda f: (f / "signing-key.pem").unlink(), "signing-key.pem"),
        (lambda f: (f / "manifest.json.sig").write_bytes(b"x" * 10**6), "is no signature"),
        (lambda f: (f / "extra").write_text("x"), "extra was added"),
        (lambda f: (f / "data" / "people-1.csv").unlink(), "people-1.csv was missing"),
        (lambda f: (f / "link").symlink_to("README.md"), "link is a link"),
    ],
)
@pytest.mark.parametrize("with_key", [True, False])
def test_what_is_wrong_is_one_line_and_1(signed, public, capsys, damage, message, with_key):
    damage(signed)
    code, line = run(capsys, signed, *(["--public-key", public] if with_key else []))
    assert code == 1
    assert message in line


def test_an_unsigned_release_does_not_pass_where_a_key_is_given(tmp_path, public, capsys):
    folder = publish_small(tmp_path).folder
    code, line = run(capsys, folder, "--public-key", public)
    assert code == 1
    assert "manifest.json.sig is missing" in line


def test_a_signature_that_became_a_link_is_found(signed, tmp_path, capsys):
    outside = (signed / "manifest.json.sig").rename(tmp_path / "sig")
    (signed / "manifest.json.sig").symlink_to(outside)
    assert run(capsys, signed)[0] == 1


def test_a_ledger_beside_it_is_checked_by_the_key(signed, key, public, capsys):
    update_ledger(FolderStore(signed.parents[1], "people"), read_signer(key))
    code, line = run(capsys, signed, "--public-key", public)
    assert (code, line.endswith("; signed by the given key\n")) == (0, True)
    ledger = signed.parent / "ledger.json"
    (signed.parent / "ledger.json.sig").unlink()
    for arguments in ([], ["--public-key", public]):
        code, line = run(capsys, signed, *arguments)
        assert (code, "ledger.json is not signed although the release is" in line) == (1, True)
    ledger.write_text(ledger.read_text().replace('"m": 2', '"m": 1'))
    assert run(capsys, signed)[0] == 1


def test_a_withdrawn_release_is_1_with_the_reason(signed, key, public, capsys):
    copied = shutil.copytree(signed, signed.parents[1] / "copy")
    withdraw(signed, reason="a column was wrong", name="A. Steward", signer=read_signer(key))
    for arguments in ([], ["--public-key", public]):
        code, line = run(capsys, signed, *arguments)
        assert code == 1
        assert "was withdrawn by A. Steward: a column was wrong" in line
    # The data come back by a copy: they stay withdrawn.
    shutil.rmtree(signed)
    shutil.copytree(copied, signed)
    for arguments in ([], ["--public-key", public]):
        code, line = run(capsys, signed, *arguments)
        assert code == 1
        assert "was withdrawn by A. Steward: a column was wrong" in line


def test_wrong_input_is_2(tmp_path, signed, capsys):
    assert run(capsys, tmp_path / "absent")[0] == 2
    assert run(capsys, "x" * 5000)[0] == 2
    assert run(capsys, signed, "--public-key", tmp_path / "absent")[0] == 2
    assert run(capsys, signed, "--public-key", signed / "README.md")[0] == 2
    os.mkfifo(tmp_path / "pipe")
    assert run(capsys, signed, "--public-key", tmp_path / "pipe")[0] == 2
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2


def test_it_needs_neither_prefect_nor_data_frames(signed, public, tmp_path):
    code = (
        "import sys; from flows.verify import main; "
        f"assert main([{str(signed)!r}, '--public-key', {str(public)!r}]) == 0; print(*sys.modules)"
    )
    environment = {**os.environ, "SYNTH_WORKSPACE": "/nowhere/at/all"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert not {"prefect", "pandas", "numpy", "great_expectations"} & set(done.stdout.split())


# --- the seed -------------------------------------------------------------------------------------


def test_whoever_is_shown_seed_and_salt_can_check_the_commitment(tmp_path, capsys):
    folder = publish_small(tmp_path).folder
    salt = commitment_salt(bytes(32), "people")
    seed = {"commitment": commitment(77, salt)}
    write_manifest(folder, {**read_manifest(folder), "seed": seed})
    code, line = run(capsys, folder, "--seed", 77, "--salt", salt.hex())
    assert code == 0
    assert line.startswith("the seed is the one that was committed to; intact: 4 files")
    for wrong in (["--seed", 78, "--salt", salt.hex()], ["--seed", 77, "--salt", "00" * 32]):
        code, line = run(capsys, folder, *wrong)
        assert (code, "commits to another seed" in line) == (1, True)
    # The same bytes, divided elsewhere.
    code, line = run(capsys, folder, "--seed", 7, "--salt", salt.hex() + "37")
    assert (code, "--salt must have 64 hexadecimal digits" in line) == (2, True)
    code, line = run(capsys, folder, "--seed", 77)
    assert (code, "--seed and --salt belong together" in line) == (2, True)


def test_a_release_without_commitment_cannot_be_opened(tmp_path, capsys):
    folder = publish_small(tmp_path).folder
    code, line = run(capsys, folder, "--seed", 77, "--salt", "00" * 32)
    assert (code, "commits to no seed" in line) == (2, True)


@pytest.mark.parametrize("seed", [5, None, {"commitment": 5}, {"commitment": "\u00fc"}])
def test_a_seed_that_a_strange_manifest_commits_to_is_refused_in_one_line(tmp_path, capsys, seed):
    folder = tmp_path / "people" / "1-0a1b2c3d"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("hello")
    content = {"digest": "aa", "manifest_version": 2, "name": "people", "version": folder.name}
    write_manifest(folder, content | {"seed": seed})
    code, line = run(capsys, folder, "--seed", "1", "--salt", "00" * 32)
    assert code in (1, 2)
    assert "commits to" in line

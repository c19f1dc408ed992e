"""Where a release is made and where its secrets come from."""

import copy
import json
import pickle
import stat
from types import SimpleNamespace

import pytest
from prefect.blocks.system import Secret

from synth_tasks.errors import SpecError, SynthError
from synth_tasks.release.seeds import commitment, commitment_salt
from synth_tasks.release.signing import read_signer
from synth_tasks.tasks.context import KEY_VARIABLE, SEED_VARIABLE, find_signer, prepare
from synth_tasks.tasks.publish import describe_seed
from tests.release.builders import people_spec
from tests.release.published import make_key

SECRET_SEED = 918273645546372819
BLOCK, NO_BLOCK = "people-seed", "nobody"


@pytest.fixture(autouse=True)
def _private(workspace_root):
    """Every test has a workspace of its own."""


def spec(tmp_path, **publish):
    return people_spec(
        tmp_path, publish={"to": str(tmp_path / "releases"), "seed": None, **publish}
    )


@pytest.fixture
def secret_block(monkeypatch):
    """Prefect's store of secrets, with one block in it."""

    def load(name):
        if name != BLOCK:
            raise ValueError("Unable to find block document")
        return SimpleNamespace(get=lambda: str(SECRET_SEED))

    monkeypatch.setattr(Secret, "load", load)


# --- seed -----------------------------------------------------------------------------------------


def test_the_environment_comes_first_then_spec_secret_and_workspace(
    tmp_path, monkeypatch, secret_block
):
    everything = spec(tmp_path, seed=7, seed_secret=BLOCK)
    monkeypatch.setenv(SEED_VARIABLE, "5")
    found = prepare(everything).secrets()
    assert (found.seed, found.origin, found.public) == (5, "environment", False)

    monkeypatch.delenv(SEED_VARIABLE)
    found = prepare(everything).secrets()
    assert (found.seed, found.origin, found.public) == (7, "specification", True)

    found = prepare(spec(tmp_path, seed_secret=BLOCK)).secrets()
    assert (found.seed, found.origin, found.public) == (SECRET_SEED, "Prefect secret", False)

    found = prepare(spec(tmp_path)).secrets()
    assert (found.origin, found.public) == ("private workspace", False)
    assert found.seed not in (5, 7, SECRET_SEED)


def test_a_drawn_seed_and_key_are_kept(tmp_path):
    first, second = (prepare(spec(tmp_path)).secrets() for _ in range(2))
    assert (first.seed, first.key) == (second.seed, second.key)
    other = people_spec(tmp_path, dataset={"name": "others"}, publish={"seed": None, "to": "/r"})
    assert prepare(other).secrets().seed != first.seed
    assert prepare(other).secrets().key != first.key


def test_a_seed_of_zero_is_a_seed(tmp_path, monkeypatch):
    assert prepare(spec(tmp_path, seed=0)).secrets().seed == 0
    monkeypatch.setenv(SEED_VARIABLE, "0")
    assert prepare(spec(tmp_path, seed=3)).secrets().seed == 0


@pytest.mark.parametrize("text", ["", "-1", "1.5", "secret"])
def test_a_seed_that_is_no_number_is_refused_without_showing_it(tmp_path, monkeypatch, text):
    monkeypatch.setenv(SEED_VARIABLE, text)
    with pytest.raises(SpecError) as caught:
        prepare(spec(tmp_path))
    assert str(caught.value) == "SYNTH_SEED: the seed must be a whole number of 0 or more"


def test_a_secret_that_does_not_exist_is_named(tmp_path, secret_block):
    with pytest.raises(SpecError, match=r"publish.seed_secret: there is no Secret block 'nobody'"):
        prepare(spec(tmp_path, seed_secret=NO_BLOCK))


# --- key ------------------------------------------------------------------------------------------


def test_public_data_have_a_key_that_is_the_same_everywhere(tmp_path, monkeypatch):
    here = prepare(spec(tmp_path, seed=1)).secrets().key
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "elsewhere"))
    assert prepare(spec(tmp_path, seed=2)).secrets().key == here


def test_confidential_data_have_a_key_of_their_own_workspace(tmp_path, monkeypatch):
    here = prepare(spec(tmp_path)).secrets().key
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "elsewhere"))
    assert prepare(spec(tmp_path)).secrets().key != here


def test_a_seed_in_place_of_a_public_one_is_committed_to_by_a_secret_key(tmp_path, monkeypatch):
    public = spec(tmp_path, seed=2)
    assert describe_seed(prepare(public).secrets(), public)["value"] == 2
    monkeypatch.setenv(SEED_VARIABLE, "5")
    found = prepare(public).secrets()
    told = describe_seed(found, public)
    assert told["commitment"] == commitment(5, found.salt)
    assert "in place of the specification's" in told["policy"]
    assert found.salt != commitment_salt(found.key, "people")  # which anybody could compute
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "elsewhere"))
    assert prepare(public).secrets().salt != found.salt


def test_a_key_from_the_environment_serves_several_machines(tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "ab" * 32)
    assert prepare(spec(tmp_path)).secrets().key == bytes.fromhex("ab" * 32)
    for too_weak in ("no key", "", "00"):
        monkeypatch.setenv(KEY_VARIABLE, too_weak)
        with pytest.raises(SpecError, match="SYNTH_KEY must have at least 64 hexadecimal digits"):
            prepare(spec(tmp_path))


# --- the context ----------------------------------------------------------------------------------


def test_the_context_holds_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv(SEED_VARIABLE, str(SECRET_SEED))
    context = prepare(spec(tmp_path))
    key = context.secrets().key
    for told in (repr(context).encode(), str(context).encode(), pickle.dumps(context)):
        assert str(SECRET_SEED).encode() not in told
        assert SECRET_SEED.to_bytes(8, "little") not in told
        assert key not in told
        assert key.hex().encode() not in told
    assert copy.deepcopy(context).secrets().seed == SECRET_SEED


def test_the_secrets_lie_in_a_private_file(tmp_path, workspace_root):
    context = prepare(spec(tmp_path))
    path = workspace_root / "people" / context.secrets_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["seed"] == context.secrets().seed


def test_a_run_started_beside_another_does_not_change_its_seed(tmp_path, monkeypatch):
    monkeypatch.setenv(SEED_VARIABLE, "1")
    first = prepare(spec(tmp_path))
    monkeypatch.setenv(SEED_VARIABLE, "2")
    second = prepare(spec(tmp_path))
    assert (first.secrets().seed, second.secrets().seed) == (1, 2)


def test_target_from_the_call_or_the_spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert prepare(people_spec(tmp_path)).target == str(tmp_path / "releases")
    assert prepare(people_spec(tmp_path), "other").target == str(tmp_path / "other")


def test_a_target_elsewhere_stays_a_url_and_a_file_url_becomes_a_path(tmp_path, workspace_root):
    context = prepare(spec(tmp_path), "memory://releases")
    assert context.target == "memory://releases"
    assert context.releases().location("1-x") == "memory://releases/people/1-x"
    assert prepare(spec(tmp_path), f"file://{tmp_path}/here").target == str(tmp_path / "here")
    with pytest.raises(SynthError, match="lie in each other"):
        prepare(spec(tmp_path), f"file://{workspace_root}")


def test_a_workspace_in_the_target_is_refused_before_anything_is_written(tmp_path, workspace_root):
    with pytest.raises(SynthError, match="lie in each other"):
        prepare(spec(tmp_path), str(workspace_root))
    assert not workspace_root.exists()


# --- signing key ----------------------------------------------------------------------------------


def test_a_release_is_not_signed_unless_a_key_is_named(tmp_path):
    assert find_signer(spec(tmp_path)) is None


def test_the_signing_key_comes_from_a_file_beside_the_specification(tmp_path):
    key = make_key(tmp_path)
    found = find_signer(spec(tmp_path, signing_key=key.name))
    assert found.sign(b"x") == read_signer(key).sign(b"x")


def test_the_signing_key_comes_from_a_prefect_secret(tmp_path, monkeypatch):
    key = make_key(tmp_path)
    secret = SimpleNamespace(get=lambda: key.read_text())
    monkeypatch.setattr(Secret, "load", lambda name: secret)
    found = find_signer(spec(tmp_path, signing_key_secret=BLOCK))
    assert found.sign(b"x") == read_signer(key).sign(b"x")


def test_a_signing_key_that_cannot_sign_is_refused_before_the_work(tmp_path, secret_block):
    with pytest.raises(SpecError, match=r"publish.signing_key: .*absent.pem cannot be opened"):
        prepare(spec(tmp_path, signing_key="absent.pem"))
    with pytest.raises(SpecError, match=r"^publish.signing_key_secret holds no Ed25519") as caught:
        prepare(spec(tmp_path, signing_key_secret=BLOCK))
    assert str(SECRET_SEED) not in str(caught.value)
    with pytest.raises(SpecError, match="give one of signing_key and signing_key_secret"):
        spec(tmp_path, signing_key="key.pem", signing_key_secret=BLOCK)

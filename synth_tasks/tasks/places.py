"""Where a release is made and published: paths, URLs, or Prefect blocks that a specification names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from synth_tasks.errors import SpecError
from synth_tasks.release.block_names import block_name
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stores import target_path
from synth_tasks.release.workspace import check_places, workspace_root
from synth_tasks.tasks.named_blocks import load_block


@dataclass(frozen=True, slots=True)
class Target:
    """Where all releases are published.

    Parameters
    ----------
    url : str
        A folder, or a URL.
    options : dict of str to str
        Options of its file system, credentials among them.
    """

    url: str
    options: dict[str, str] = field(default_factory=dict, repr=False)


def find_target(to: str) -> Target:
    """Return the folder or URL that is meant by `publish.to`.

    Parameters
    ----------
    to : str
        A folder, a URL, or ``block:name`` of a `ReleaseStore`.

    Returns
    -------
    Target

    Raises
    ------
    SpecError, StorageError
        If the block cannot be had.
    """
    name = named_block(to, "publish.to")
    if name is None:
        return Target(to)
    from synth_tasks.blocks import ReleaseStore

    store = load_block(ReleaseStore, "Synthetic Release Store", name, "publish.to")
    return Target(store.url, store.options())


def find_root(spec: ReleaseSpec) -> Path:
    """Return the folder of all private workspaces: that of a block, if the specification names one."""
    name = spec.run.workspace_block
    if name is None:
        return workspace_root().absolute()
    from synth_tasks.blocks import PrivateWorkspace

    kind = "Synthesis Private Workspace"
    return Path(load_block(PrivateWorkspace, kind, name, "run.workspace_block").path)


def find_gate(spec: ReleaseSpec) -> str | None:
    """Return the policy that is kept in a block, as JSON; None if it is a file."""
    name = named_block(spec.policy.suite, "policy.suite")
    if name is None:
        return None
    from synth_tasks.blocks import DisclosurePolicy

    policy = load_block(DisclosurePolicy, "Disclosure Policy", name, "policy.suite")
    return str(policy.text())


def find_places(spec: ReleaseSpec, to: str | None = None) -> tuple[Path, str]:
    """Return where a release is made and published, after making sure that both can be.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    to : str, optional
        Folder, URL or block of all releases; ``publish.to`` if not given.

    Returns
    -------
    root : Path
        Folder of all private workspaces.
    target : str
        Folder in full, URL, or name of a block, whose credentials only `find_target` gives.

    Raises
    ------
    SynthError
        See `check_places`.
    """
    root, named = find_root(spec), to or spec.publish.to
    target = find_target(named)
    folder = target_path(target.url)
    check_places(root, folder)
    is_path = folder is not None and target.url == named
    return root, str(folder) if is_path else named


def named_block(text: str, setting: str) -> str | None:
    """Return the name of the block that a setting names; None if it names none."""
    try:
        return block_name(text)
    except ValueError as error:
        raise SpecError(f"{setting}: {error}") from None

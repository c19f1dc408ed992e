"""Prefect blocks: what a steward fills in once in the Prefect UI and names in a specification.

The entry point `prefect.collections` loads this module, so the blocks appear in the UI without code.
Servers and workers import it at every start: nothing heavy may be imported here. The blocks have no
logo, which browsers in a closed network would try to fetch.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from prefect.blocks.core import Block
from pydantic import Field, SecretStr, field_validator
from pydantic.types import JsonValue

_DOCUMENTATION = "https://docs.prefect.io/v3/concepts/blocks"


class DatabaseSource(Block):
    """A database that holds confidential data; the source of a release.

    Give the account read access only, to nothing but the tables or views that are released.

    Attributes:
        url: SQLAlchemy URL with the credentials.

    Example:
        ```python
        from synth_tasks.blocks import DatabaseSource

        source = DatabaseSource.load("BLOCK_NAME")
        ```
    """

    _block_type_name: ClassVar[str] = "Synthesis Database Source"
    _block_type_slug: ClassVar[str] = "synthesis-database-source"
    _documentation_url: ClassVar[Any] = _DOCUMENTATION

    url: SecretStr = Field(
        default=...,
        title="Database URL",
        description="SQLAlchemy URL with the credentials of an account that can only read.",
        examples=["postgresql+psycopg://reader:password@db.internal/registry"],
    )


class ReleaseStore(Block):
    """The place where releases are published: a folder, or a bucket that fsspec can write to.

    Attributes:
        url: Folder or URL under which `<dataset>/<version>` is made.
        storage_options: Options of the file system, credentials among them.

    Example:
        ```python
        from synth_tasks.blocks import ReleaseStore

        store = ReleaseStore.load("BLOCK_NAME")
        ```
    """

    _block_type_name: ClassVar[str] = "Synthetic Release Store"
    _block_type_slug: ClassVar[str] = "synthetic-release-store"
    _documentation_url: ClassVar[Any] = _DOCUMENTATION

    url: str = Field(
        default=...,
        min_length=1,
        title="Folder or URL",
        description="Absolute folder or URL under which every release gets a folder.",
        examples=["/srv/releases", "s3://open-data/releases"],
    )
    storage_options: dict[str, SecretStr] = Field(
        default_factory=dict,
        title="Storage options",
        description="Options of the file system such as key, secret and endpoint; kept secret.",
    )

    @field_validator("url")
    @classmethod
    def _is_absolute(cls, value: str) -> str:
        if not (value.startswith("/") or "://" in value):
            raise ValueError(
                "give an absolute folder or a URL, which mean the same to every worker"
            )
        return value

    def options(self) -> dict[str, str]:
        """Return the storage options in clear, for fsspec.

        Returns:
            Option values by name.
        """
        return {name: value.get_secret_value() for name, value in self.storage_options.items()}


class PrivateWorkspace(Block):
    """The private folder where everything confidential stays.

    It must exist on the machine of the worker, outside of repositories and release folders. Its files
    are readable by the user of the worker only.

    Attributes:
        path: Absolute path of the folder.

    Example:
        ```python
        from synth_tasks.blocks import PrivateWorkspace

        workspace = PrivateWorkspace.load("BLOCK_NAME")
        ```
    """

    _block_type_name: ClassVar[str] = "Synthesis Private Workspace"
    _block_type_slug: ClassVar[str] = "synthesis-private-workspace"
    _documentation_url: ClassVar[Any] = _DOCUMENTATION

    path: str = Field(
        default=...,
        title="Folder",
        description="Absolute path of a folder on the worker's machine; made if it is not there.",
        examples=["/var/lib/prefect-synth"],
    )

    @field_validator("path")
    @classmethod
    def _is_absolute(cls, value: str) -> str:
        if not value.startswith("/"):
            raise ValueError("give an absolute path, which means the same to every worker")
        return value


class DisclosurePolicy(Block):
    """A policy for releases: the suite of expectations that utility and disclosure must meet.

    A policy kept as a block is changed in one place, by those who may edit blocks, for all releases
    that name it.

    Attributes:
        suite: Suite of Great Expectations over the ledger of metrics, as JSON.

    Example:
        ```python
        from synth_tasks.blocks import DisclosurePolicy

        policy = DisclosurePolicy.load("BLOCK_NAME")
        ```
    """

    _block_type_name: ClassVar[str] = "Disclosure Policy"
    _block_type_slug: ClassVar[str] = "disclosure-policy"
    _documentation_url: ClassVar[Any] = _DOCUMENTATION

    suite: dict[str, JsonValue] = Field(
        default=...,
        title="Suite",
        description="A suite of Great Expectations as JSON, like expectations/boys/gate.json.",
    )

    @field_validator("suite")
    @classmethod
    def _has_expectations(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if not value.get("expectations"):
            raise ValueError("a policy needs a list of expectations that is not empty")
        return value

    def text(self) -> str:
        """Return the suite as it would stand in a file.

        Returns:
            JSON text.
        """
        return json.dumps(self.suite, indent=2, sort_keys=True)

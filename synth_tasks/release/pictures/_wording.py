"""What the figures in the ledger mean, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml


@dataclass(frozen=True, slots=True)
class Wording:
    """A metric in plain words; see ``templates/measures.yaml``.

    Parameters
    ----------
    title : str
        Its name for people.
    meaning : str
        One sentence.
    unit : {"share", "percent", ""}
        Shares are shown in per cent.
    discloses : {"above", "below", ""}
        On which side of the null value it discloses.
    public : bool
        Whether a public report may show it.
    """

    title: str
    meaning: str = ""
    unit: str = ""
    discloses: str = ""
    public: bool = False

    @property
    def factor(self) -> float:
        """What values are multiplied by to be shown."""
        return 100.0 if self.unit == "share" else 1.0

    @property
    def suffix(self) -> str:
        """What follows a shown value."""
        return " %" if self.unit else ""


def describe_metric(name: str) -> Wording:
    """Return the wording of a metric; one that is unknown is called by its name and not public."""
    return _wordings().get(name, Wording(title=name.replace("_", " ")))


def metric_order(name: str) -> tuple[int, str]:
    """Return a sort key: known metrics in the order of their list, the others behind by name."""
    known = list(_wordings())
    return (known.index(name) if name in known else len(known), name)


@cache
def _wordings() -> dict[str, Wording]:
    file = resources.files("synth_tasks").joinpath("release", "templates", "measures.yaml")
    return {
        name: Wording(**entry) for name, entry in yaml.safe_load(file.read_text("utf-8")).items()
    }

"""Errors a user can act on.

Every message is one line that names the column or setting and the remedy. A message never carries
a data value: exception texts reach Prefect's database and logs.
"""

from __future__ import annotations

LONGEST = 2000
TAIL = 500


class SynthError(Exception):
    """Base class of all errors that the user can mend.

    Names of columns and files may hold any sign and be of any length: what cannot be printed becomes a
    question mark, and of a very long message the middle is left out.
    """

    def __init__(self, message: str) -> None:
        if len(message) > LONGEST:
            message = f"{message[: LONGEST - TAIL]} ... {message[-TAIL:]}"
        super().__init__(printable(message))


def printable(text: str) -> str:
    """Return a text in one line that a terminal shows as it is, and does not obey.

    Parameters
    ----------
    text : str
        May hold names from anywhere.

    Returns
    -------
    str
        With a question mark for every line break, control character and mark of writing direction.
    """
    # A no-break space is no control character, and common in names that come from spreadsheets.
    return "".join(c if c.isprintable() or c == "\u00a0" else "?" for c in text)


class DataError(SynthError):
    """The data cannot be used as they are."""


class SpecError(SynthError):
    """A release specification asks for something that cannot be done."""


class ExpressionError(SynthError):
    """A formula for a passive variable or for post-processing is not allowed or cannot be computed."""


class PlanError(SynthError):
    """An imputation or synthesis was set up in a way that cannot work."""


class StorageError(SynthError):
    """A file, folder or service cannot be read or written."""


class TransientError(StorageError):
    """The same, for a reason that passes by itself: repeating may help."""


class IntegrityError(SynthError):
    """A release is not what was published, or was withdrawn."""


class ModelError(SynthError):
    """An analysis model cannot be fitted to the data."""


class PoolingError(SynthError):
    """Estimates cannot be pooled with the rule asked for."""


class ValidationError(SynthError):
    """A suite of expectations cannot be trusted, or was not met."""


class GateError(ValidationError):
    """The disclosure and utility gate refuses a release."""


class ConvergenceWarning(UserWarning):
    """Estimates are not those that the iterations should have reached."""

"""Errors a user can act on.

Every message is one line that names the column or setting and the remedy. A message never carries
a data value: exception texts reach Prefect's database and logs.
"""

from __future__ import annotations


class SynthError(Exception):
    """Base class of all errors that the user can mend."""


class DataError(SynthError):
    """The data cannot be used as they are."""


class SpecError(SynthError):
    """A release specification asks for something that cannot be done."""


class ExpressionError(SynthError):
    """A formula for a passive variable or for post-processing is not allowed or cannot be computed."""


class PlanError(SynthError):
    """An imputation or synthesis was set up in a way that cannot work."""


class StorageError(SynthError):
    """A file or folder cannot be read or written; repeating may help."""


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

"""Running a suite of Great Expectations so that its verdict can be trusted.

Great Expectations by itself drops expectations it does not know, passes an empty suite, and keeps data
values in its results. Here a suite counts only if every expectation of the file was evaluated, and of a
result only counts are kept.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from synth_tasks.errors import ExpressionError, SpecError, ValidationError
from synth_tasks.expressions import Expression
from synth_tasks.files import read_limited
from synth_tasks.release.results import SEVERITIES, Check, Severity, SuiteResult
from synth_tasks.release.spec import ReleaseSpec

Suite = dict[str, Any]
# Counts only: observed values of aggregate expectations would be values of the data.
COUNTS = ("element_count", "unexpected_count", "missing_count")
POSITION = "position"
MAX_SUITE_BYTES = 10_000_000


def load_suite(spec: ReleaseSpec, path: str) -> Suite:
    """Read a suite from JSON and check its form.

    Parameters
    ----------
    spec : ReleaseSpec
        Tells where relative paths start.
    path : str
        As written in the specification; ``expectations/...`` may name a suite of this package.

    Returns
    -------
    dict
        With ``name`` and ``expectations``, as Great Expectations serialises a suite.

    Raises
    ------
    SpecError
        If the file is missing or is no suite.
    """
    file = _find(spec, path)
    try:
        content = read_limited(file, MAX_SUITE_BYTES + 1)
        if len(content) > MAX_SUITE_BYTES:
            raise SpecError(f"policy: '{path}' is larger than {MAX_SUITE_BYTES} bytes: no suite is")
        suite = json.loads(content.decode())
    except (OSError, ValueError, RecursionError):
        raise SpecError(f"policy: '{path}' cannot be read as JSON: mend the file") from None
    check_suite(suite, path)
    return suite


def _find(spec: ReleaseSpec, path: str) -> Path:
    try:
        return spec.find(path)
    except SpecError:
        shipped = Path(str(resources.files(__package__))).resolve()
        try:
            packaged = (shipped / path.removeprefix("expectations/")).resolve()
            if shipped in packaged.parents and packaged.is_file():
                return packaged
        except (OSError, ValueError, RuntimeError):  # a name that no file can have
            pass
        raise


def check_suite(suite: Any, origin: str) -> None:
    """Refuse a suite that is empty or malformed, or asks for an unknown expectation."""
    if (
        not isinstance(suite, dict)
        or not isinstance(suite.get("name"), str)
        or not isinstance(suite.get("expectations"), list)
    ):
        raise SpecError(f"policy: '{origin}' is not a suite: it needs name and expectations")
    if not suite["expectations"]:
        raise SpecError(f"policy: '{origin}' holds no expectation: an empty suite passes anything")
    for number, item in enumerate(suite["expectations"], start=1):
        if (
            not isinstance(item, dict)
            or not isinstance(item.get("type"), str)
            or not isinstance(item.get("kwargs"), dict)
            or not isinstance(item.get("meta") or {}, dict)
        ):
            raise SpecError(f"policy: expectation {number} of '{origin}' needs type and kwargs")
        if item.get("severity", "critical") not in SEVERITIES:
            raise SpecError(
                f"policy: expectation {number} of '{origin}' has an unknown severity: "
                f"use {', '.join(SEVERITIES)}"
            )
        _check_condition(item["kwargs"].get("row_condition"), f"expectation {number} of '{origin}'")


def _check_condition(condition: Any, where: str) -> None:
    """Refuse a row_condition that is more than comparisons: pandas would run it as code."""
    if condition is None:
        return
    if not isinstance(condition, str) or any(sign in condition for sign in "@`#\\"):
        raise SpecError(
            f"policy: the row_condition of {where} must be a text of comparisons, without @, `, # or \\"
        )
    try:
        Expression(condition, origin=f"row_condition of {where}")
    except ExpressionError as error:
        raise SpecError(f"policy: {error}") from None


def run_suite(
    suite: Suite,
    frame: pd.DataFrame,
    *,
    subject: str,
    parameters: Mapping[str, Any] | None = None,
) -> SuiteResult:
    """Validate a table.

    Parameters
    ----------
    suite : dict
        From `load_suite` or `expectations.derive`.
    frame : DataFrame
        The table.
    subject : str
        What the table is, for the report.
    parameters : mapping, optional
        Values for ``{"$PARAMETER": name}``.

    Returns
    -------
    SuiteResult
        One check for every expectation, in the order of the file.

    Raises
    ------
    ValidationError
        If any expectation of the suite was not evaluated.
    """
    check_suite(suite, str(suite.get("name", "suite")))
    items = [
        {**item, "meta": {**(item.get("meta") or {}), POSITION: i}}
        for i, item in enumerate(suite["expectations"])
    ]
    results = _validate(suite["name"], items, frame, parameters or {})
    return SuiteResult(
        suite["name"], subject, tuple(_judge(i, r) for i, r in zip(items, results, strict=True))
    )


def build_suite(name: str, items: list[dict[str, Any]]) -> Any:
    """Build the suite in Great Expectations, which by itself drops what it does not know.

    Parameters
    ----------
    name : str
        Of the suite.
    items : list of dict
        Its expectations, as in the file.

    Returns
    -------
    great_expectations.ExpectationSuite

    Raises
    ------
    ValidationError
        If an expectation is unknown or has wrong arguments.
    """
    # Great Expectations takes seconds to import, and only validation needs it.
    import great_expectations as gx

    import expectations.named  # noqa: F401  (makes them known)

    # It logs exceptions with tracebacks, which may quote values; failures are reported here.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
    for number, item in enumerate(items, start=1):
        try:
            understood = bool(gx.ExpectationSuite(name=name, expectations=[item]).expectations)
        except (TypeError, ValueError, gx.exceptions.GreatExpectationsError):
            understood = False
        if not understood:
            raise ValidationError(
                f"suite '{name}': expectation {number} ('{item['type']}') is unknown or has wrong "
                "arguments: correct it"
            )
    return gx.ExpectationSuite(name=name, expectations=items)


def _validate(
    name: str, items: list[dict[str, Any]], frame: pd.DataFrame, parameters: Mapping[str, Any]
) -> list[Any]:
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    suite = build_suite(name, items)
    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )
    asset = context.data_sources.add_pandas("table").add_dataframe_asset("table")
    definition = asset.add_batch_definition_whole_dataframe("table")
    batch = definition.get_batch(batch_parameters={"dataframe": frame})
    try:
        outcome: Any = batch.validate(
            suite,
            result_format={"result_format": "SUMMARY", "partial_unexpected_count": 0},
            expectation_parameters=dict(parameters),
        )
    except gx.exceptions.GreatExpectationsError as error:
        raise ValidationError(
            f"suite '{name}' cannot be evaluated ({type(error).__name__}): check its parameters"
        ) from None
    by_position = {r.expectation_config.meta[POSITION]: r for r in outcome.results}
    if sorted(by_position) != list(range(len(items))):
        raise ValidationError(
            f"suite '{name}': {len(by_position)} of {len(items)} expectations were evaluated"
        )
    for i, item in enumerate(items):
        if by_position[i].expectation_config.type != item["type"]:
            raise ValidationError(f"suite '{name}': expectation {i + 1} changed its type")
    return [by_position[i] for i in range(len(items))]


def _judge(item: Mapping[str, Any], result: Any) -> Check:
    severity: Severity = item.get("severity", "critical")
    return Check(
        name=item["type"],
        description=item.get("description") or _describe(item),
        severity=severity,
        success=bool(result.success),
        detail=_detail(result),
        source=str(item["meta"].get("source", "")),
    )


def _detail(result: Any) -> str:
    if _raised(result.exception_info):
        return "could not be evaluated: the column is missing or of another kind"
    counts = {key: result.result[key] for key in COUNTS if key in (result.result or {})}
    if {"unexpected_count", "element_count"} <= counts.keys():
        return f"{counts['unexpected_count']} of {counts['element_count']} unexpected"
    return ""


def _raised(information: Any) -> bool:
    if not information:
        return False
    if "raised_exception" in information:
        return bool(information["raised_exception"])
    return any(_raised(part) for part in information.values() if isinstance(part, Mapping))


def _describe(item: Mapping[str, Any]) -> str:
    """Put an expectation without description in words."""
    words = str(item["type"]).replace("_", " ").removeprefix("expect ")
    kwargs = {k: v for k, v in item["kwargs"].items() if k != "condition_parser"}
    settings = ", ".join(f"{k} = {_show(v)}" for k, v in kwargs.items())
    return f"{words} ({settings})" if settings else words


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."

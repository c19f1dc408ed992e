"""Expectations with names that say what a policy asks.

They are core expectations of Great Expectations over the columns of the ledger, under other names:
fully custom expectations are not supported there. A suite may use either.
"""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnMeanToBeBetween,
    ExpectColumnValuesToBeBetween,
)


class ExpectDisclosureExcessAtMost(ExpectColumnValuesToBeBetween):
    """What is learned of the records beyond what is true of the population is bounded.

    Judge the column ``lower`` where a refusal needs evidence, ``value`` where a warning needs none.
    """


class ExpectMembershipAdvantageAtMost(ExpectColumnValuesToBeBetween):
    """An intruder cannot tell much better than chance whether a record was among the data."""


class ExpectLinkageAtMost(ExpectColumnValuesToBeBetween):
    """Rows lead to the records they stand for no more often than by chance, up to a bound."""


class ExpectMeanLinkageAtMost(ExpectColumnMeanToBeBetween):
    """The same on average over the sets."""


class ExpectUtilityWithin(ExpectColumnValuesToBeBetween):
    """A measure of utility lies within bounds; the lower one is there where copying looks good."""


class ExpectAgreementAtLeast(ExpectColumnValuesToBeBetween):
    """Estimates from the synthetic sets agree with those from the real data."""

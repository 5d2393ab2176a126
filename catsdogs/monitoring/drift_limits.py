"""The limits from which a drift is called moderate or strong; plain numbers, without a database.

The alert rules on drift use :data:`STRONG_PSI` where they name no limit of their own.

References
----------
N. Siddiqi (2006), "Credit Risk Scorecards": the usual limits of the population stability index (PSI).
"""

from __future__ import annotations

from catsdogs.monitoring.figures import Drift, DriftLevel

MODERATE_PSI = 0.1
"""Population stability index from which a drift is moderate."""
STRONG_PSI = 0.25
"""Population stability index above which a drift is strong."""
SIGNIFICANCE_LEVEL = 0.001
"""P-value from which a difference may be chance, and is no drift, whatever the index. Low: six signals are tested."""
MIN_PREDICTIONS = 100
"""Smallest number of predictions: with fewer, the index is mostly chance."""


def interpret_drift(psi: float, p_value: float, n: int) -> DriftLevel:
    """Return whether a drift is moderate or strong.

    Parameters
    ----------
    psi
        Population stability index, 0 or more.
    p_value
        P-value of the test that nothing moved, 0..1.
    n
        Number of predictions.
    """
    if n < MIN_PREDICTIONS:
        return DriftLevel.TOO_FEW
    if psi < MODERATE_PSI or p_value >= SIGNIFICANCE_LEVEL:
        return DriftLevel.NONE
    return DriftLevel.STRONG if psi > STRONG_PSI else DriftLevel.MODERATE


def has_moved(drift: Drift) -> bool:
    """Return whether the drift of a signal is moderate or strong."""
    return drift["reading"] in (DriftLevel.MODERATE, DriftLevel.STRONG)

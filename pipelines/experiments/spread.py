"""How tables tell one figure of runs with several seeds."""

import statistics


def mean(values: list[float]) -> float:
    """Returns the mean of shares as the tables show it, in percent."""
    return round(100 * statistics.mean(values), 2)


def spread(values: list[float]) -> str:
    """Returns mean, lowest and highest of shares in percent."""
    low, high = (f"{100 * f(values):.2f}" for f in (min, max))
    return f"{mean(values):.2f}" + (f" ({low} to {high})" if low != high else "")

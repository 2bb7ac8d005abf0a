"""Means and differences over seeds as the cells of a Markdown table."""

from __future__ import annotations

from pickclutter_lang.utils.statistics import Estimate


def estimate_cell(found: Estimate | None, scale: float = 100, decimals: int = 1, sign: str = "") -> str:
    """Return the mean, and half of the 95% interval where there are several seeds; NA for None.

    :param scale: the number is shown times this, by default in percent
    :param sign: `+` shows the sign of the mean
    """
    if found is None:
        return "NA"
    mean = f"{scale * found.mean:{sign}.{decimals}f}"
    return mean if found.half_width is None else f"{mean} ± {scale * found.half_width:.{decimals}f}"


def difference_cell(found: Estimate | None, scale: float = 100, decimals: int = 1) -> str:
    """Return a difference with its sign, bold where its interval leaves out 0 for sure; see `estimate_cell`."""
    text = estimate_cell(found, scale, decimals, sign="+")
    return f"**{text}**" if found is not None and found.side_of(0.0) else text

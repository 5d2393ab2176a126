"""Colours of answers and ratings, the same in the prediction app, the dashboard and the reports.

From the colour-blind safe palette of Okabe and Ito, https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

CAT = "#E69F00"
DOG = "#0072B2"
NEITHER = "#6B7280"
GOOD = "#009E73"
BAD = "#D55E00"

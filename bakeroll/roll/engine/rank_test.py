"""The rank test of Mann and Whitney, by its normal approximation with ties and continuity.

https://doi.org/10.1214/aoms/1177730491; the standard library has no such test, and SciPy would be the only use of it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist


def p_of_greater(some: Sequence[float], others: Sequence[float]) -> float:
    """The probability that `some` exceed `others` as much as they do by chance alone. 1.0 without values.

    >>> p_of_greater([5, 6, 7, 8, 9], [0, 1, 2, 3, 4]) < 0.01 < 0.4 < p_of_greater([1, 2, 3, 4], [1, 2, 3, 4])
    True
    """
    n, m = len(some), len(others)
    counts = Counter([*some, *others])
    total = n + m
    ties = sum(each**3 - each for each in counts.values())
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1))) if total > 1 else 0
    if not variance > 0:
        return 1.0
    ranks, below = {}, 0
    for value in sorted(counts):
        ranks[value] = below + (counts[value] + 1) / 2
        below += counts[value]
    greater = sum(ranks[each] for each in some) - n * (n + 1) / 2
    return 1 - NormalDist().cdf((greater - n * m / 2 - 0.5) / math.sqrt(variance))

"""Splitting the levels of a nominal predictor in two.

The levels that occur in a node are put in an order in which the best split into two groups is sought:
by their mean response, or for three and more classes by the first principal component of their class
shares. For numbers and for two classes the best of all groupings is among these (of those that leave
enough rows on both sides, it need not be).

References
----------
Breiman, Friedman, Olshen & Stone (1984). Classification and Regression Trees, section 4.2.
Coppersmith, Hong & Hosking (1999). Partitioning nominal attributes in decision trees. Data Mining and
Knowledge Discovery 3, 197-217.
"""

from __future__ import annotations

import numpy as np

from synth_tasks.engine.tree.compiled import part

POWER_STEPS = 50
POWER_TOLERANCE = 1e-9


@part
def split_levels(
    rows, start, end, codes, y, classes, w, n_classes, total_w, total_wy, counts, minbucket,
    count, total, slot, table, touched,
):  # fmt: skip
    """Find the best grouping of levels for numbers, or a good one for classes; see below."""
    if n_classes > 0:
        return split_levels_by_shares(
            rows, start, end, codes, classes, w, total_w, counts, minbucket, slot, table, touched
        )
    return split_levels_by_mean(
        rows, start, end, codes, y, w, total_w, total_wy, minbucket, count, total, touched
    )


@part
def split_levels_by_mean(
    rows, start, end, codes, y, w, total_w, total_wy, minbucket, count, total, touched
):
    """Find the grouping of levels that lowers the sum of squares most.

    `count` and `total`, of one entry a level, are zero before and after. The levels of the node are
    left in `touched`, in order.

    Returns
    -------
    gain : float
        Reduction of the sum of squares; -1 if there is no split.
    n_first : int
        Number of levels in the first group.
    n_touched : int
        Number of levels in the node.
    first_w : float
        Weight of the first group.
    """
    n_touched = 0
    for i in range(start, end):
        row = rows[i]
        level = codes[row]
        if count[level] == 0.0:
            touched[n_touched] = level
            n_touched += 1
        count[level] += w[row]
        total[level] += w[row] * y[row]
    levels = touched[:n_touched]
    score = np.empty(n_touched)
    for k in range(n_touched):
        score[k] = total[levels[k]] / count[levels[k]]
    _sort_levels(levels, score)
    mean = total_wy / total_w
    best, n_first, first_w = -1.0, 0, 0.0
    left_w, left_wy = 0.0, 0.0
    for k in range(n_touched):
        level = levels[k]
        left_w += count[level]
        left_wy += total[level]
        count[level] = 0.0
        total[level] = 0.0
        right_w = total_w - left_w
        if k < n_touched - 1 and left_w >= minbucket and right_w >= minbucket:
            excess = left_wy - left_w * mean
            gain = excess * excess * total_w / (left_w * right_w)
            if gain > best:
                best, n_first, first_w = gain, k + 1, left_w
    return best, n_first, n_touched, first_w


@part
def split_levels_by_shares(
    rows, start, end, codes, classes, w, total_w, counts, minbucket, slot, table, touched
):
    """Find a grouping of levels that lowers the Gini impurity much; see `split_levels_by_mean`.

    `slot`, of one entry a level, is -1 before and after; `table` has a row for each level that may
    occur in a node and a column for each class.
    """
    n_classes = len(counts)
    n_touched = 0
    for i in range(start, end):
        row = rows[i]
        level = codes[row]
        if slot[level] < 0:
            slot[level] = n_touched
            touched[n_touched] = level
            for c in range(n_classes):
                table[n_touched, c] = 0.0
            n_touched += 1
        table[slot[level], classes[row]] += w[row]
    levels = touched[:n_touched]
    direction = _first_component(table, n_touched, counts, total_w)
    score = np.empty(n_touched)
    for k in range(n_touched):
        sum_w, dot = 0.0, 0.0
        for c in range(n_classes):
            sum_w += table[k, c]
            dot += table[k, c] * direction[c]
        score[k] = dot / sum_w
    _sort_levels(levels, score)
    parent = 0.0
    for c in range(n_classes):
        parent += counts[c] * counts[c]
    parent /= total_w
    left = np.zeros(n_classes)
    best, n_first, first_w, left_w = -1.0, 0, 0.0, 0.0
    for k in range(n_touched):
        row = slot[levels[k]]
        squares_left, squares_right = 0.0, 0.0
        for c in range(n_classes):
            left[c] += table[row, c]
            left_w += table[row, c]
            squares_left += left[c] * left[c]
            squares_right += (counts[c] - left[c]) * (counts[c] - left[c])
        right_w = total_w - left_w
        if k < n_touched - 1 and left_w >= minbucket and right_w >= minbucket:
            gain = squares_left / left_w + squares_right / right_w - parent
            if gain > best:
                best, n_first, first_w = gain, k + 1, left_w
    for k in range(n_touched):
        slot[levels[k]] = -1
    return best, n_first, n_touched, first_w


@part
def lighter_levels(levels, n_first, first_w, total_w):
    """Return the group of levels with fewer rows in ascending order.

    Levels that are not named go with the other group, so those that do not occur here go with the
    majority.
    """
    first, end = (0, n_first) if 2.0 * first_w <= total_w else (n_first, len(levels))
    chosen, number = np.empty(end - first, dtype=np.int32), np.empty(end - first)
    for k in range(first, end):
        chosen[k - first] = levels[k]
        number[k - first] = levels[k]
    _sort_levels(chosen, number)
    return chosen


@part
def _sort_levels(levels, score):
    """Sort levels by score, and equal ones by their number: a heap sort, compiled in little time."""
    n = len(levels)
    for pushed in range(n // 2 - 1, -1, -1):
        _sift(levels, score, pushed, n)
    for end in range(n - 1, 0, -1):
        levels[0], levels[end] = levels[end], levels[0]
        score[0], score[end] = score[end], score[0]
        _sift(levels, score, 0, end)


@part
def _sift(levels, score, top, end):
    """Let an entry sink in a heap, the largest of which is on top."""
    level, value = levels[top], score[top]
    while True:
        child = 2 * top + 1
        if child >= end:
            break
        if child + 1 < end and _is_less(score, levels, child, score[child + 1], levels[child + 1]):
            child += 1
        if not (value < score[child] or (value == score[child] and level < levels[child])):
            break
        levels[top], score[top] = levels[child], score[child]
        top = child
    levels[top], score[top] = level, value


@part
def _is_less(score, levels, place, value, level):
    """Whether an entry sorts before a value and level."""
    return score[place] < value or (score[place] == value and levels[place] < level)


@part
def _first_component(table, n_levels, counts, total_w):
    """Return the direction in which the class shares of levels vary most, found by power iteration."""
    n_classes = len(counts)
    deviation = np.empty((n_levels, n_classes))
    weight = np.zeros(n_levels)
    longest, start = -1.0, 0
    for k in range(n_levels):
        for c in range(n_classes):
            weight[k] += table[k, c]
        length = 0.0
        for c in range(n_classes):
            deviation[k, c] = table[k, c] / weight[k] - counts[c] / total_w
            length += weight[k] * deviation[k, c] * deviation[k, c]
        if length > longest:
            longest, start = length, k
    direction, image = np.empty(n_classes), np.empty(n_classes)
    for c in range(n_classes):
        direction[c] = deviation[start, c]
    if n_classes == 2 or longest <= 0.0:
        # One dimension only. Its sign does not matter for a split in two.
        return direction
    _normalise(direction)
    for _ in range(POWER_STEPS):
        for c in range(n_classes):
            image[c] = 0.0
        for k in range(n_levels):
            along = 0.0
            for c in range(n_classes):
                along += deviation[k, c] * direction[c]
            along *= weight[k]
            for c in range(n_classes):
                image[c] += along * deviation[k, c]
        _normalise(image)
        change = 0.0
        for c in range(n_classes):
            change = max(change, abs(image[c] - direction[c]))
            direction[c] = image[c]
        if change < POWER_TOLERANCE:
            break
    return direction


@part
def _normalise(vector):
    """Give a vector length one."""
    squares = 0.0
    for c in range(len(vector)):
        squares += vector[c] * vector[c]
    length = np.sqrt(squares)
    for c in range(len(vector)):
        vector[c] /= length

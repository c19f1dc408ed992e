"""Splitting the values of an ordered predictor in two, given rows sorted by it.

Every function returns the reduction of impurity (of the sum of squares about the mean; for categories
that of the class indicators, which is the number of rows times the Gini impurity), -1 if there is no
split, and the code of the last value of the left part and of the first value of the right one. Equal
values are never separated. Of equally good splits the first is taken.
"""

from __future__ import annotations

from synth_tasks.engine.tree.compiled import part


@part
def split_values_by_mean(order, start, end, codes, y, w, total_w, total_wy, minbucket):
    """Find the split that lowers the sum of squares most."""
    mean = total_wy / total_w
    best, low, high = -1.0, 0, 0
    left_w, excess = 0.0, 0.0
    row = order[start]
    code = codes[row]
    for i in range(start, end - 1):
        # The sum of deviations from the mean of the node: no two large numbers are subtracted.
        excess += w[row] * (y[row] - mean)
        left_w += w[row]
        row = order[i + 1]
        next_code = codes[row]
        if next_code != code and left_w >= minbucket:
            right_w = total_w - left_w
            if right_w < minbucket:
                break
            # Compared without a division, which would take most of the time.
            gained, scale = excess * excess * total_w, left_w * right_w
            if gained > best * scale:
                best, low, high = gained / scale, code, next_code
        code = next_code
    return best, low, high


@part
def split_values_by_shares(
    order, start, end, codes, classes, w, total_w, counts, squares, minbucket, left
):
    """Find the split that lowers the Gini impurity most.

    `counts` holds the weight of each class, `squares` the sum of their squares; `left` is scratch.
    """
    for c in range(len(left)):
        left[c] = 0.0
    parent = squares / total_w
    best, low, high = -1.0, 0, 0
    left_w, squares_left, squares_right = 0.0, 0.0, squares
    row = order[start]
    code = codes[row]
    for i in range(start, end - 1):
        c = classes[row]
        weight = w[row]
        squares_left += weight * (2.0 * left[c] + weight)
        squares_right -= weight * (2.0 * (counts[c] - left[c]) - weight)
        left[c] += weight
        left_w += weight
        row = order[i + 1]
        next_code = codes[row]
        if next_code != code and left_w >= minbucket:
            right_w = total_w - left_w
            if right_w < minbucket:
                break
            scale = left_w * right_w
            if squares_left * right_w + squares_right * left_w > (best + parent) * scale:
                best = squares_left / left_w + squares_right / right_w - parent
                low, high = code, next_code
        code = next_code
    return best, low, high

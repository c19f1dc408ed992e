"""Splitting the values of an ordered predictor in two, given rows sorted by it.

Every search returns the reduction of impurity (of the sum of squares about the mean; for categories
that of the class indicators, which is the number of rows times the Gini impurity), -1 if there is no
split, and the code of the last value of the left part and of the first value of the right one. Equal
values are never separated. Of equally good splits the first is taken.
"""

from __future__ import annotations

from synth_tasks.engine.tree.compiled import kernel, part


@part
def split_values_by_mean(order, codes, y, w, total_w, total_wy, minbucket):
    """Find the split that lowers the sum of squares most; `order` are the rows of the node, sorted."""
    mean = total_wy / total_w
    best, low, high = -1.0, 0, 0
    left_w, excess = 0.0, 0.0
    row = order[0]
    code = codes[row]
    for i in range(1, len(order)):
        # The sum of deviations from the mean of the node: no two large numbers are subtracted.
        excess += w[row] * (y[row] - mean)
        left_w += w[row]
        row = order[i]
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
def split_values_by_shares(order, codes, classes, w, total_w, counts, squares, minbucket, left):
    """Find the split that lowers the Gini impurity most.

    `counts` holds the weight of each class, `squares` the sum of their squares; `left` is scratch.
    All sums are whole numbers, hence exact.
    """
    for c in range(len(left)):
        left[c] = 0.0
    parent = squares / total_w
    best, low, high = -1.0, 0, 0
    # Sums over classes: of the squared weights on the left, and of those times the weights of all.
    left_w, squares_left, products = 0.0, 0.0, 0.0
    row = order[0]
    code = codes[row]
    for i in range(1, len(order)):
        c = classes[row]
        weight = w[row]
        squares_left += weight * (2.0 * left[c] + weight)
        products += weight * counts[c]
        left[c] += weight
        left_w += weight
        right_w = total_w - left_w
        if right_w < minbucket:
            break
        row = order[i]
        next_code = codes[row]
        squares_right = squares - 2.0 * products + squares_left
        scale = left_w * right_w
        higher = squares_left * right_w + squares_right * left_w > (best + parent) * scale
        if higher & (next_code != code) & (left_w >= minbucket):
            best = squares_left / left_w + squares_right / right_w - parent
            low, high = code, next_code
        code = next_code
    return best, low, high


@kernel
def put_thresholds(nodes, f, values, thresholds):
    """Write the middle between the values on both sides of each split of a predictor.

    Where no number lies between them it is the lower one, which goes left too.
    """
    for node in range(len(nodes)):
        if nodes[node, 0] == f:
            below, above = values[nodes[node, 4]], values[nodes[node, 5]]
            middle = below + (above - below) / 2.0
            thresholds[node] = middle if middle < above else below

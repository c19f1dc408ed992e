"""Growth for many rows: large nodes are split at one of at most 256 values of a predictor.

The codes of a node are counted in bins of equal width. Codes are positions in the sorted column, so
bins hold about equally many rows; a node lower down has a narrower range, hence finer bins, and small
nodes are grown exactly. Where a predictor has 256 values or fewer in the table, nothing is lost at all.

All arrays of a node are ranges that a split rearranges, so memory is read from front to back.

References
----------
Ranka & Singh (1998). CLOUDS: a decision tree classifier for large datasets. KDD-98, 2-8.
Ke et al. (2017). LightGBM: a highly efficient gradient boosting decision tree. NeurIPS 30, 3146-3154.
"""

from __future__ import annotations

import numpy as np

from synth_tasks.engine.tree.compiled import kernel, part
from synth_tasks.engine.tree.exact import (
    bounds,
    copy_values,
    grow_part,
    mark,
    push,
    push_children,
    put_leaf,
    summarise,
    write_levels,
)
from synth_tasks.engine.tree.nominal import lighter_levels, split_levels

BIN_BITS = 8
N_BINS = 1 << BIN_BITS


@kernel
def grow_nodes(
    codes, n_levels, y, classes, w, n_classes, minbucket, minsplit, maxdepth, least_gain, max_nodes,
    small,
):  # fmt: skip
    """Grow a tree; see `synth_tasks.engine.tree.growth.grow_tree` for what it means.

    Parameters
    ----------
    codes : ndarray of int32 of shape (n_predictors, n_rows)
        Codes of values or levels. They, `y`, `classes` and `w` are rearranged.
    n_levels : ndarray of int32 of shape (n_predictors,)
        Number of levels of a nominal predictor; 0 for an ordered one.
    y : ndarray of float of shape (n_rows,)
        Response, with a mean near zero; not read if there are classes.
    classes : ndarray of int32 of shape (n_rows,)
        Class of each row; not read if there is none.
    w : ndarray of float of shape (n_rows,)
        How many times each row counts, at least once.
    n_classes : int
        Number of classes; 0 to use the response.
    minbucket, minsplit : float
        Least weights of a leaf, and of a node that is split.
    maxdepth : int
        Greatest depth.
    least_gain : float
        Least reduction of the impurity.
    max_nodes : int
        Room for nodes.
    small : int
        Nodes of at most so many rows are grown exactly.

    Returns
    -------
    nodes : ndarray of int32 of shape (n_nodes, 6)
        Predictor or -1, right child (the left one is the next node), first row and number of rows, and
        the codes on both sides of the split; for a nominal predictor where its left levels begin and
        end in `levels`.
    levels : ndarray of int32
        Levels that go left.
    rows : ndarray of uint32 of shape (n_rows,)
        Row numbers, those of a leaf side by side.
    """
    n_predictors, n_rows = codes.shape
    nodes = np.empty((max_nodes, 6), dtype=np.int32)
    n_nodes, n_left_levels = 0, 0
    levels = np.empty(64, dtype=np.int32)
    rows = np.arange(n_rows).astype(np.uint32)
    places = np.arange(n_rows).astype(np.uint32)
    goes_left = np.empty(n_rows, dtype=np.bool_)
    whole_scratch = np.empty(n_rows, dtype=np.int32)
    number_scratch = np.empty(n_rows)
    row_scratch = np.empty(n_rows, dtype=np.uint32)
    most_levels = 1
    for f in range(n_predictors):
        most_levels = max(most_levels, n_levels[f])
    is_left_level = np.zeros(most_levels, dtype=np.bool_)
    count, total = np.zeros(most_levels), np.zeros(most_levels)
    slot = np.full(most_levels, -1, dtype=np.int32)
    touched = np.empty(most_levels, dtype=np.int32)
    width = max(n_classes, 1)
    table = np.empty((min(most_levels, n_rows), width))
    counts = np.zeros(width)
    bin_w, bin_wy = np.empty(N_BINS), np.empty(N_BINS)
    bin_counts = np.empty((N_BINS, width))
    best_levels = np.empty(most_levels, dtype=np.int32)
    stack = np.empty((maxdepth + 2, 4), dtype=np.int64)
    # The range of codes of each predictor, one row for each node on the stack.
    lowest = np.empty((maxdepth + 2, n_predictors), dtype=np.int64)
    highest = np.empty((maxdepth + 2, n_predictors), dtype=np.int64)
    low_here = np.empty(n_predictors, dtype=np.int64)
    high_here = np.empty(n_predictors, dtype=np.int64)
    for f in range(n_predictors):
        lowest[0, f], highest[0, f] = bounds(codes[f])
    n_stacked = push(stack, 0, 0, n_rows, 0, -1)
    while n_stacked > 0:
        n_stacked -= 1
        start, end = stack[n_stacked, 0], stack[n_stacked, 1]
        depth, parent = stack[n_stacked, 2], stack[n_stacked, 3]
        copy_values(lowest[n_stacked], low_here, 0, n_predictors)
        copy_values(highest[n_stacked], high_here, 0, n_predictors)
        node = n_nodes
        if parent >= 0:
            nodes[parent, 1] = node
        if end - start <= small:
            local_codes, local_rows = _cut_out(codes, start, end)
            n_nodes, levels, n_left_levels = grow_part(
                nodes, n_nodes, levels, n_left_levels, local_rows, start, depth,
                local_codes, n_levels, y[start:end], classes[start:end], w[start:end],
                n_classes, minbucket, minsplit, maxdepth, least_gain,
            )  # fmt: skip
            for i in range(end - start):
                row_scratch[i] = rows[start + local_rows[i]]
            copy_values(row_scratch, rows, start, end - start)
            continue
        n_nodes += 1
        put_leaf(nodes, node, start, end - start)
        total_w, total_wy, squares, pure = summarise(
            places, start, end, y, classes, w, n_classes, counts
        )
        if pure or total_w < minsplit or total_w < 2.0 * minbucket or depth >= maxdepth:
            continue
        best, best_f, best_code = 0.0, -1, 0
        n_first, n_touched, first_w = 0, 0, 0.0
        for f in range(n_predictors):
            if n_levels[f] > 0:
                gain, first, n_here, weight = split_levels(
                    places, start, end, codes[f], y, classes, w, n_classes, total_w, total_wy, counts,
                    minbucket, count, total, slot, table, touched,
                )  # fmt: skip
                if gain > best:
                    best, best_f = gain, f
                    n_first, n_touched, first_w = first, n_here, weight
                    copy_values(touched, best_levels, 0, n_here)
                continue
            low, shift = low_here[f], 0
            while (high_here[f] - low) >> shift >= N_BINS:
                shift += 1
            n_bins = ((high_here[f] - low) >> shift) + 1
            if n_classes > 0:
                _count_classes(
                    codes[f], start, end, low, shift, classes, w, bin_w[:n_bins], bin_counts
                )
                gain, bin_number = _split_bins_by_shares(
                    bin_w[:n_bins], bin_counts, counts, squares, total_w, minbucket
                )
            else:
                _add_up(codes[f], start, end, low, shift, y, w, bin_w[:n_bins], bin_wy)
                gain, bin_number = _split_bins_by_mean(
                    bin_w[:n_bins], bin_wy, total_w, total_wy, minbucket
                )
            first_bin, last_bin = _occupied(bin_w[:n_bins])
            high_here[f] = min(high_here[f], low + ((last_bin + 1) << shift) - 1)
            low_here[f] = low + (first_bin << shift)
            if gain > best:
                best, best_f, best_code = gain, f, low + ((bin_number + 1) << shift) - 1
        if best_f < 0 or best < least_gain:
            continue
        nodes[node, 0] = best_f
        # Two children are put on the stack in the places n_stacked (right) and n_stacked + 1 (left).
        for child in range(n_stacked, n_stacked + 2):
            copy_values(low_here, lowest[child], 0, n_predictors)
            copy_values(high_here, highest[child], 0, n_predictors)
        if n_levels[best_f] > 0:
            chosen = lighter_levels(best_levels[:n_touched], n_first, first_w, total_w)
            levels, n_left_levels = write_levels(nodes, node, levels, n_left_levels, chosen)
            mark(is_left_level, chosen, True)
            for i in range(start, end):
                goes_left[i] = is_left_level[codes[best_f, i]]
            mark(is_left_level, chosen, False)
        else:
            last_left, first_right = low_here[best_f], high_here[best_f]
            for i in range(start, end):
                code = codes[best_f, i]
                goes_left[i] = code <= best_code
                if code <= best_code:
                    last_left = max(last_left, code)
                else:
                    first_right = min(first_right, code)
            nodes[node, 4], nodes[node, 5] = last_left, first_right
            highest[n_stacked + 1, best_f] = last_left
            lowest[n_stacked, best_f] = first_right
        went_left = goes_left[start:end]
        for f in range(n_predictors):
            _divide(codes[f, start:end], went_left, whole_scratch)
        if n_classes > 0:
            _divide(classes[start:end], went_left, whole_scratch)
        else:
            _divide(y[start:end], went_left, number_scratch)
        _divide(w[start:end], went_left, number_scratch)
        middle = start + _divide(rows[start:end], went_left, row_scratch)
        n_stacked = push_children(stack, n_stacked, start, middle, end, depth + 1, node)
    return nodes[:n_nodes].copy(), levels[:n_left_levels].copy(), rows


@part
def _cut_out(codes, start, end):
    """Return the codes of a node, and a number for each of its rows."""
    n_predictors, n_rows = len(codes), end - start
    of_node = np.empty((n_predictors, n_rows), dtype=np.int32)
    numbers = np.empty(n_rows, dtype=np.uint32)
    for f in range(n_predictors):
        for i in range(n_rows):
            of_node[f, i] = codes[f, start + i]
    for i in range(n_rows):
        numbers[i] = i
    return of_node, numbers


@part
def _add_up(codes, start, end, low, shift, y, w, bin_w, bin_wy):
    """Add up weights and responses by bin."""
    for b in range(len(bin_w)):
        bin_w[b] = 0.0
        bin_wy[b] = 0.0
    for i in range(start, end):
        b = (codes[i] - low) >> shift
        bin_w[b] += w[i]
        bin_wy[b] += w[i] * y[i]


@part
def _count_classes(codes, start, end, low, shift, classes, w, bin_w, bin_counts):
    """Add up weights by bin, and by bin and class."""
    for b in range(len(bin_w)):
        bin_w[b] = 0.0
        for c in range(bin_counts.shape[1]):
            bin_counts[b, c] = 0.0
    for i in range(start, end):
        b = (codes[i] - low) >> shift
        bin_w[b] += w[i]
        bin_counts[b, classes[i]] += w[i]


@part
def _split_bins_by_mean(bin_w, bin_wy, total_w, total_wy, minbucket):
    """Return the best gain, and the last bin on the left."""
    mean = total_wy / total_w
    best, last = -1.0, 0
    left_w, excess = 0.0, 0.0
    for b in range(len(bin_w) - 1):
        if bin_w[b] == 0.0:
            continue
        left_w += bin_w[b]
        excess += bin_wy[b] - bin_w[b] * mean
        right_w = total_w - left_w
        if right_w < minbucket or right_w == 0.0:
            break
        if left_w >= minbucket:
            gain = excess * excess * total_w / (left_w * right_w)
            if gain > best:
                best, last = gain, b
    return best, last


@part
def _split_bins_by_shares(bin_w, bin_counts, counts, squares, total_w, minbucket):
    """Return the best gain, and the last bin on the left."""
    n_classes = len(counts)
    left = np.zeros(n_classes)
    best, last = -1.0, 0
    left_w, squares_left, squares_right = 0.0, 0.0, squares
    for b in range(len(bin_w) - 1):
        if bin_w[b] == 0.0:
            continue
        left_w += bin_w[b]
        for c in range(n_classes):
            weight = bin_counts[b, c]
            squares_left += weight * (2.0 * left[c] + weight)
            squares_right -= weight * (2.0 * (counts[c] - left[c]) - weight)
            left[c] += weight
        right_w = total_w - left_w
        if right_w < minbucket or right_w == 0.0:
            break
        if left_w >= minbucket:
            gain = squares_left / left_w + squares_right / right_w - squares / total_w
            if gain > best:
                best, last = gain, b
    return best, last


@part
def _occupied(bin_w):
    """Return the first and the last bin that hold rows."""
    first, last = 0, len(bin_w) - 1
    while bin_w[first] == 0.0:
        first += 1
    while bin_w[last] == 0.0:
        last -= 1
    return first, last


@part
def _divide(values, goes_left, scratch):
    """Move the values of rows that go left to the front, and keep the order on both sides."""
    n_left, n_right = np.uint64(0), np.uint64(0)
    for i in range(len(values)):
        value = values[i]
        values[n_left] = value
        scratch[n_right] = value
        is_left = np.uint64(goes_left[i])
        n_left += is_left
        n_right += np.uint64(1) - is_left
    copy_values(scratch, values[n_left:], 0, n_right)
    return np.int64(n_left)

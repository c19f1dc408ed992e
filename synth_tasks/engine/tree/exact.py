"""Exact growth: of all splits of a node the best is taken.

The rows of a node are a range of `rows`, and for each ordered predictor a range of `order` in which the
same rows are sorted by it. A split moves the rows of its left part to the front of all these ranges and
keeps them sorted, so each column is sorted once, at the root.

References
----------
Breiman, Friedman, Olshen & Stone (1984). Classification and Regression Trees.
Mehta, Agrawal & Rissanen (1996). SLIQ: a fast scalable classifier for data mining. EDBT'96, 18-32.
"""

from __future__ import annotations

import numpy as np

from synth_tasks.engine.tree.compiled import part
from synth_tasks.engine.tree.nominal import lighter_levels, split_levels
from synth_tasks.engine.tree.questions import LEAF
from synth_tasks.engine.tree.splits import split_values_by_mean, split_values_by_shares

DIGIT_BITS = 10


@part
def grow_part(
    nodes, n_nodes, levels, n_left_levels, rows, offset, depth_of_root,
    codes, n_levels, y, classes, w, n_classes, minbucket, minsplit, maxdepth, least_gain,
):  # fmt: skip
    """Grow a tree, or a part of one whose rows begin at `offset`, and append it to `nodes`.

    `rows` holds 0, 1, ... and is brought into the order of the leaves.

    Returns
    -------
    n_nodes : int
        Number of nodes by now.
    levels : ndarray of int32
        The given array, or a larger one.
    n_left_levels : int
        How much of it is used by now.
    """
    n_predictors, n_rows = codes.shape
    order = np.empty((n_predictors, n_rows), dtype=np.uint32)
    scratch = np.empty(n_rows, dtype=np.uint32)
    most_levels = 1
    for f in range(n_predictors):
        if n_levels[f] == 0:
            _sort_rows(codes[f], order[f], scratch)
        most_levels = max(most_levels, n_levels[f])
    goes_left = np.zeros(n_rows, dtype=np.bool_)
    is_left_level = np.zeros(most_levels, dtype=np.bool_)
    count, total = np.zeros(most_levels), np.zeros(most_levels)
    slot = np.full(most_levels, -1, dtype=np.int32)
    touched = np.empty(most_levels, dtype=np.int32)
    n_slots = min(most_levels, n_rows) if n_classes > 0 and most_levels > 1 else 1
    table = np.empty((n_slots, max(n_classes, 1)))
    counts, left = np.zeros(max(n_classes, 1)), np.zeros(max(n_classes, 1))
    best_levels = np.empty(most_levels, dtype=np.int32)
    # Of a split node first all of the left part is grown, so the stack stays as short as the tree.
    stack = np.empty((maxdepth + 2, 4), dtype=np.int64)
    n_stacked = push(stack, 0, 0, n_rows, depth_of_root, -1)
    while n_stacked > 0:
        n_stacked -= 1
        start, end = stack[n_stacked, 0], stack[n_stacked, 1]
        depth, parent = stack[n_stacked, 2], stack[n_stacked, 3]
        node = n_nodes
        n_nodes += 1
        if parent >= 0:
            nodes[parent, 1] = node
        put_leaf(nodes, node, start + offset, end - start)
        total_w, total_wy, squares, pure = summarise(
            rows, start, end, y, classes, w, n_classes, counts
        )
        if pure or total_w < minsplit or total_w < 2.0 * minbucket or depth >= maxdepth:
            continue
        best, best_f, best_low, best_high = 0.0, -1, 0, 0
        n_first, n_touched, first_w = 0, 0, 0.0
        for f in range(n_predictors):
            if n_levels[f] > 0:
                gain, first, n_here, weight = split_levels(
                    rows, start, end, codes[f], y, classes, w, n_classes, total_w, total_wy, counts,
                    minbucket, count, total, slot, table, touched,
                )  # fmt: skip
                if gain > best:
                    best, best_f = gain, f
                    n_first, n_touched, first_w = first, n_here, weight
                    copy_values(touched, best_levels, 0, n_here)
                continue
            sorted_rows = order[f, start:end]
            if codes[f, sorted_rows[0]] == codes[f, sorted_rows[-1]]:
                continue
            if n_classes > 0:
                gain, low, high = split_values_by_shares(
                    sorted_rows, codes[f], classes, w, total_w, counts, squares, minbucket, left
                )
            else:
                gain, low, high = split_values_by_mean(
                    sorted_rows, codes[f], y, w, total_w, total_wy, minbucket
                )
            if gain > best:
                best, best_f, best_low, best_high = gain, f, low, high
        if best_f < 0 or best < least_gain:
            continue
        nodes[node, 0] = best_f
        if n_levels[best_f] > 0:
            chosen = lighter_levels(best_levels[:n_touched], n_first, first_w, total_w)
            levels, n_left_levels = write_levels(nodes, node, levels, n_left_levels, chosen)
            mark(is_left_level, chosen, True)
            for i in range(start, end):
                goes_left[rows[i]] = is_left_level[codes[best_f, rows[i]]]
            mark(is_left_level, chosen, False)
        else:
            nodes[node, 4], nodes[node, 5] = best_low, best_high
            for i in range(start, end):
                goes_left[rows[i]] = codes[best_f, rows[i]] <= best_low
        middle = start + _partition(rows[start:end], goes_left, scratch)
        left_w = 0.0
        for i in range(start, middle):
            left_w += w[rows[i]]
        grows = max(left_w, total_w - left_w) >= max(minsplit, 2.0 * minbucket)
        if grows and depth + 1 < maxdepth:
            for f in range(n_predictors):
                if n_levels[f] == 0:
                    _partition(order[f, start:end], goes_left, scratch)
        n_stacked = push_children(stack, n_stacked, start, middle, end, depth + 1, node)
    return n_nodes, levels, n_left_levels


@part
def summarise(rows, start, end, y, classes, w, n_classes, counts):
    """Add up a node; say whether all its responses are the same. Fills `counts`."""
    total_w, total_wy, squares = 0.0, 0.0, 0.0
    pure = True
    if n_classes == 0:
        first = y[rows[start]]
        for i in range(start, end):
            row = rows[i]
            total_w += w[row]
            total_wy += w[row] * y[row]
            pure &= y[row] == first
    else:
        for c in range(n_classes):
            counts[c] = 0.0
        for i in range(start, end):
            row = rows[i]
            total_w += w[row]
            counts[classes[row]] += w[row]
        for c in range(n_classes):
            squares += counts[c] * counts[c]
            pure &= counts[c] == 0.0 or counts[c] == total_w
    return total_w, total_wy, squares, pure


@part
def put_leaf(nodes, node, first_row, n_rows):
    """Write a node that may yet be split."""
    nodes[node, 0], nodes[node, 1] = LEAF, LEAF
    nodes[node, 2], nodes[node, 3] = first_row, n_rows
    nodes[node, 4], nodes[node, 5] = 0, 0


@part
def push(stack, n_stacked, start, end, depth, parent):
    """Put a node on the stack; `parent` is -1 for the root and for left children."""
    stack[n_stacked, 0], stack[n_stacked, 1] = start, end
    stack[n_stacked, 2], stack[n_stacked, 3] = depth, parent
    return n_stacked + 1


@part
def push_children(stack, n_stacked, start, middle, end, depth, node):
    """Put the right child on the stack, and above it the left one, which thus is the next node."""
    n_stacked = push(stack, n_stacked, middle, end, depth, node)
    return push(stack, n_stacked, start, middle, depth, -1)


@part
def mark(marks, places, value):
    """Set some entries. Loops are compiled much faster than assignments of whole arrays."""
    for place in places:
        marks[place] = value


@part
def copy_values(source, target, first, count):
    """Copy the first values to a place in another array."""
    for i in range(count):
        target[first + i] = source[i]


@part
def write_levels(nodes, node, levels, n_left_levels, chosen):
    """Append the levels that go left in a node; return the array, maybe a longer one, and its use."""
    end = n_left_levels + len(chosen)
    if end > len(levels):
        longer = np.empty(2 * end, dtype=np.int32)
        copy_values(levels, longer, 0, n_left_levels)
        levels = longer
    copy_values(chosen, levels, n_left_levels, len(chosen))
    nodes[node, 4], nodes[node, 5] = n_left_levels, end
    return levels, end


@part
def bounds(codes):
    """Return the least and the greatest code."""
    lowest, highest = codes[0], codes[0]
    for code in codes:
        lowest = min(lowest, code)
        highest = max(highest, code)
    return lowest, highest


@part
def _partition(rows, goes_left, scratch):
    """Move the rows that go left to the front, and keep the order on both sides; count them."""
    n_left, n_right = np.uint64(0), np.uint64(0)
    for row in rows:
        # Both are written, one counts: no branch that the processor would have to guess. Unsigned
        # places need no test whether they count from the end.
        rows[n_left] = row
        scratch[n_right] = row
        is_left = np.uint64(goes_left[row])
        n_left += is_left
        n_right += np.uint64(1) - is_left
    copy_values(scratch, rows[n_left:], 0, n_right)
    return np.int64(n_left)


@part
def _sort_rows(codes, order, scratch):
    """Sort rows by code, rows with the same code as they come: a radix sort."""
    n_rows = len(codes)
    lowest, highest = bounds(codes)
    for i in range(n_rows):
        order[i] = i
    bucket = np.empty((1 << DIGIT_BITS) + 1, dtype=np.int64)
    shift = 0
    mask = (1 << DIGIT_BITS) - 1
    while (highest - lowest) >> shift > 0:
        for b in range(len(bucket)):
            bucket[b] = 0
        for i in range(n_rows):
            bucket[(((codes[i] - lowest) >> shift) & mask) + 1] += 1
        for b in range(mask):
            bucket[b + 1] += bucket[b]
        for i in range(n_rows):
            row = order[i]
            digit = ((codes[row] - lowest) >> shift) & mask
            scratch[bucket[digit]] = row
            bucket[digit] += 1
        copy_values(scratch, order, 0, n_rows)
        shift += DIGIT_BITS

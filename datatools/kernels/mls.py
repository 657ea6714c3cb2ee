"""Moving least squares: the smooth map that takes given points to given points (Schaefer, McPhail, Warren, 2006).

The *similarity* kind: around each place the map is the turn, stretch and shift that fits the control points best, near
ones counting more (weight 1 / distance squared). Points are float pixels with the origin at the corner of the image.

The map is evaluated at every pixel. Sampling it on a coarse grid and interpolating, as is usual, is off by several
pixels near the control points of a text line. In displacements u from p to q, with p' = p - v and w = 1 / |p'|^2, the
sum of w |p'|^2 is the number of points, so the formula needs seven sums and loses no digits near a control point:

    f(v) - v = U/S - b M/S,   b = (C - conj(M) U / S) / (K - |M|^2 / S)
    S = sum w,  M = sum w p',  U = sum w u,  C = sum w conj(p') u     (complex numbers)
"""

import numpy as np
from numpy.typing import NDArray

from datatools.kernels.compiled import compiled

Points = NDArray[np.float64]
Map = NDArray[np.float32]

_NEAREST = 1e-9
"""A square distance that counts as the control point itself."""


def move(xy: Points, src: Points, dst: Points) -> Points:
    """Move points by the map that takes src to dst; exact in float64.

    xy: (n, 2); src, dst: (k, 2), at least two different points in src.

    >>> moved = move(np.array([[1., 1.], [5., 0.]]), np.array([[0., 0.], [4., 0.]]), np.array([[2., 3.], [6., 3.]]))
    >>> moved.round(6).tolist()
    [[3.0, 4.0], [7.0, 3.0]]
    """
    v, p, q = (np.ascontiguousarray(a, dtype=np.float64).view(np.complex128)[:, 0] for a in (xy, src, dst))
    near, u = p - v[:, None], q - p
    w = 1 / np.maximum(near.real**2 + near.imag**2, _NEAREST)
    s, m, shift = w.sum(axis=1), (w * near).sum(axis=1), (w * u).sum(axis=1)
    c = (w * near.conj() * u).sum(axis=1)
    b = (c - m.conj() * shift / s) / (len(p) - np.abs(m) ** 2 / s)
    moved = v + (shift - b * m) / s
    return np.stack([moved.real, moved.imag], axis=1)


def unmove(xy: Points, src: Points, dst: Points, *, rounds: int = 40) -> Points:
    """Find the points that `move` takes to the given ones, to 1/1000 of a pixel, by Newton's method.

    Where the map folds there are several such points; one of them is returned.
    """
    at = move(xy, dst, src)  # the map the other way round is a good guess
    error = move(at, src, dst) - xy
    for _ in range(rounds):
        off = np.abs(error).max(axis=1, initial=0.0)
        open_ = off > 1e-3
        if not open_.any():
            break
        here, wrong = at[open_], error[open_]
        step = np.linalg.solve(_slopes(here, src, dst), wrong[:, :, None])[:, :, 0]
        # half the step as long as it does not bring the point nearer
        trial = here - step
        after = move(trial, src, dst) - xy[open_]
        for _ in range(6):
            worse = np.abs(after).max(axis=1) > np.abs(wrong).max(axis=1)
            if not worse.any():
                break
            step[worse] /= 2
            trial[worse] = here[worse] - step[worse]
            after[worse] = move(trial[worse], src, dst) - xy[open_][worse]
        at[open_], error[open_] = trial, after
    return at


def _slopes(xy: Points, src: Points, dst: Points, h: float = 1e-4) -> NDArray[np.float64]:
    """The map's Jacobian at each point, (n, 2, 2), kept away from singular."""
    columns = []
    for axis in (0, 1):
        ahead = np.zeros(2)
        ahead[axis] = h
        columns.append((move(xy + ahead, src, dst) - move(xy - ahead, src, dst)) / (2 * h))
    slopes = np.stack(columns, axis=2)
    flat = np.abs(np.linalg.det(slopes)) < 1e-6
    slopes[flat] = np.eye(2)
    return slopes


@compiled
def pixel_map(src: Points, dst: Points, width: int, height: int) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Where the map from src to dst takes the centre of every pixel, in the fixed-point form of `cv2.remap`.

    Returns whole pixels, (height, width, 2) int16, counted from the centre of the first pixel as OpenCV does, and the
    rest in 1/32 of a pixel, (height, width) uint16. OpenCV reads this form a third faster than floats, and with the
    same arithmetic on every machine.
    """
    f4 = np.float32
    whole = np.empty((height, width, 2), dtype=np.int16)
    rest = np.empty((height, width), dtype=np.uint16)
    start, by = np.empty(src.shape, dtype=f4), np.empty(src.shape, dtype=f4)
    for k in range(src.shape[0]):
        for axis in range(2):
            start[k, axis] = f4(src[k, axis] - 0.5)
            by[k, axis] = f4(dst[k, axis] - src[k, axis])
    xs = np.empty(width, dtype=f4)
    for i in range(width):
        xs[i] = f4(i)
    x, y, row_y = np.empty((1, width), dtype=f4), np.empty((1, width), dtype=f4), np.empty(1, dtype=f4)
    low, high = f4(-32_000), f4(32_767)
    for row in range(height):
        row_y[0] = f4(row)
        evaluate(xs, row_y, start, by, x, y)
        for i in range(width):
            fixed_x = np.int32((min(max(x[0, i], low), high) - low) * f4(32) + f4(0.5))
            fixed_y = np.int32((min(max(y[0, i], low), high) - low) * f4(32) + f4(0.5))
            whole[row, i, 0] = (fixed_x >> 5) + np.int32(low)
            whole[row, i, 1] = (fixed_y >> 5) + np.int32(low)
            rest[row, i] = (fixed_y & 31) << 5 | (fixed_x & 31)
    return whole, rest


@compiled
def evaluate(xs: Map, ys: Map, src: Map, u: Map, out_x: Map, out_y: Map) -> None:
    """Fill out_x and out_y with where the map that moves src by u takes the crossings of columns xs and rows ys.

    All are float32; out_x and out_y are (len(ys), len(xs)).
    """
    f4 = np.float32
    width, count = xs.size, f4(src.shape[0])
    sums = np.empty((7, width), dtype=np.float32)
    s, mx, my, ux, uy, cx, cy = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6]
    for row in range(ys.size):
        y = ys[row]
        sums[:] = f4(0)
        for k in range(src.shape[0]):
            shift_x, shift_y, dy = u[k, 0], u[k, 1], src[k, 1] - y
            for i in range(width):
                dx = src[k, 0] - xs[i]
                w = f4(1) / max(dx * dx + dy * dy, f4(1e-9))
                wx, wy = w * dx, w * dy
                s[i] += w
                mx[i] += wx
                my[i] += wy
                ux[i] += w * shift_x
                uy[i] += w * shift_y
                cx[i] += wx * shift_x + wy * shift_y
                cy[i] += wx * shift_y - wy * shift_x
        for i in range(width):
            whole = f4(1) / s[i]
            mean_x, mean_y = mx[i] * whole, my[i] * whole
            near_x, near_y = ux[i] * whole, uy[i] * whole
            spread = f4(1) / (count - (mx[i] * mean_x + my[i] * mean_y))
            b_x = (cx[i] - (mx[i] * near_x + my[i] * near_y)) * spread
            b_y = (cy[i] - (mx[i] * near_y - my[i] * near_x)) * spread
            out_x[row, i] = xs[i] + near_x - (b_x * mean_x - b_y * mean_y)
            out_y[row, i] = y + near_y - (b_x * mean_y + b_y * mean_x)

"""The silero voice activity detector (Silero Team 2021 to 2025, version 6.2; MIT), computed in batches.

Each chunk of 512 samples at 16 kHz passes a short-time spectrum, four convolutions and an LSTM cell. Only the cell has
to go step by step; all before it is done for many chunks at once as products of matrices, which is most of the work.

The network sees the 64 samples before each chunk too, as its authors feed it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datatools.kernels.compiled import compiled_fastmath

Floats = NDArray[np.float32]

SR = 16000
CHUNK = 512
"""Samples of one decision, 32 ms."""
CONTEXT = 64

_WINDOW = 256
_HOP = 128
_BINS = _WINDOW // 2 + 1
_UNITS = 128
_BATCH = 32  # chunks at once: what they need stays in the second cache


@dataclass(frozen=True)
class Weights:
    """The trained numbers, as PyTorch lays them out.

    convolutions: four (weight (out, in, 3), bias (out,)). w_ih, w_hh: (512, 128) and b_ih, b_hh: (512,) of the LSTM,
    gates in the order input, forget, cell, output. head: (128,) and bias of the last layer.
    """

    convolutions: tuple[tuple[Floats, Floats], ...]
    w_ih: Floats
    w_hh: Floats
    b_ih: Floats
    b_hh: Floats
    head: Floats
    head_bias: float


@dataclass(frozen=True)
class State:
    """What the network remembers between two calls on one stream. rest: samples that fill no chunk yet."""

    hidden: Floats
    cell: Floats
    context: Floats
    rest: Floats


def start() -> State:
    """The state before the first sample."""
    zeros = np.zeros(_UNITS, np.float32)
    return State(zeros, zeros, np.zeros(CONTEXT, np.float32), np.zeros(0, np.float32))


class Network:
    """The network with its weights laid out for products of matrices. Holds no state of a stream."""

    def __init__(self, weights: Weights) -> None:
        (w1, b1), (w2, b2), (w3, b3), (w4, b4) = weights.convolutions
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)
        self._w1 = _rows(w1.transpose(1, 2, 0).reshape(_BINS, -1))  # input, then tap by output
        self._w2 = _rows(w2.transpose(2, 1, 0).reshape(-1, w2.shape[0]))  # tap by input, then output
        # after the second stride one frame is left: the taps beside it meet padding
        self._w3 = _rows(w3.transpose(2, 1, 0)[1:].reshape(-1, w3.shape[0]))
        self._w4 = _rows(w4[:, :, 1].T)
        self._b1, self._b2, self._b3, self._b4 = b1, np.tile(b2, 2), b3, b4
        self._w_ih = _rows(weights.w_ih.T)
        self._w_hh = _rows(weights.w_hh.T)
        self._b_gates = weights.b_ih + weights.b_hh
        self._head = np.ascontiguousarray(weights.head, dtype=np.float32)
        self._head_bias = np.float32(weights.head_bias)

    def probabilities(self, samples: Floats, state: State, *, last: bool = True) -> tuple[Floats, State]:
        """Return the probability of speech in each chunk, (N,), and the state for the samples that follow.

        samples: (n,) at 16 kHz, full scale at 1. last: fill the last chunk with zeros; otherwise what fills no chunk is
        kept for the next call, so that a stream in pieces gives what the whole would.
        """
        x = np.concatenate([state.rest, samples.astype(np.float32, copy=False)])
        if last and len(x) % CHUNK:
            x = np.concatenate([x, np.zeros(-len(x) % CHUNK, np.float32)])
        count = len(x) // CHUNK
        out = np.empty(count, np.float32)
        hidden, cell, context = state.hidden.copy(), state.cell.copy(), state.context
        for first in range(0, count, _BATCH):
            chunks = x[first * CHUNK : min(first + _BATCH, count) * CHUNK].reshape(-1, CHUNK)
            gates = self._gates(chunks, context)
            _step(gates, self._w_hh, hidden, cell, self._head, self._head_bias, out[first : first + len(chunks)])
            context = chunks[-1, -CONTEXT:]
        rest = x[count * CHUNK :].copy()
        return out, replace(state, hidden=hidden, cell=cell, context=context.copy(), rest=rest)

    def _gates(self, chunks: Floats, context: Floats) -> Floats:
        """The part of the LSTM's gates that does not hang on the chunk before: (N, 512)."""
        n = len(chunks)
        # 64 samples of the past, the chunk, its last 64 mirrored: 640, four frames
        padded = np.empty((n, CONTEXT + CHUNK + CONTEXT), np.float32)
        padded[0, :CONTEXT] = context
        padded[1:, :CONTEXT] = chunks[:-1, -CONTEXT:]
        padded[:, CONTEXT:-CONTEXT] = chunks
        padded[:, -CONTEXT:] = padded[:, -CONTEXT - 2 : -2 * CONTEXT - 2 : -1]
        frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)[:, ::_HOP]
        spectrum = np.fft.rfft(frames * self._window)
        magnitude = np.sqrt(spectrum.real**2 + spectrum.imag**2)

        taps = (magnitude.reshape(n * 4, _BINS) @ self._w1).reshape(n, 4, 3, -1)
        first = np.empty((n, 5, taps.shape[3]), np.float32)  # a frame of zeros, then four
        first[:, 0] = 0
        body = first[:, 1:]
        np.add(taps[:, :, 1], self._b1, out=body)
        body[:, 1:] += taps[:, :-1, 0]
        body[:, :-1] += taps[:, 1:, 2]
        np.maximum(body, 0, out=body)

        flat = first.reshape(n, -1)
        width = taps.shape[3]
        left = np.ascontiguousarray(flat[:, : 3 * width]) @ self._w2
        right = np.ascontiguousarray(flat[:, 2 * width :]) @ self._w2
        second = _relu(np.concatenate([left, right], axis=1) + self._b2)
        third = _relu(second @ self._w3 + self._b3)
        fourth = _relu(third @ self._w4 + self._b4)
        gates: Floats = fourth @ self._w_ih + self._b_gates
        return gates


def _rows(matrix: Floats) -> Floats:
    return np.ascontiguousarray(matrix, dtype=np.float32)


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0, out=x)


@compiled_fastmath
def _step(
    gates: Floats, w_hh: Floats, hidden: Floats, cell: Floats, head: Floats, head_bias: np.float32, out: Floats
) -> None:
    """Run the LSTM cell and the last layer over the chunks; hidden and cell (128,) are brought forward in place."""
    one = np.float32(1)
    units = len(hidden)
    g = np.empty(4 * units, np.float32)
    for t in range(len(gates)):
        for k in range(4 * units):
            g[k] = gates[t, k]
        for j in range(0, units, 4):  # four at once: each loaded gate is used four times
            h0, h1, h2, h3 = hidden[j], hidden[j + 1], hidden[j + 2], hidden[j + 3]
            for k in range(4 * units):
                g[k] += h0 * w_hh[j, k] + h1 * w_hh[j + 1, k] + h2 * w_hh[j + 2, k] + h3 * w_hh[j + 3, k]
        logit = head_bias
        for k in range(units):
            let_in = one / (one + np.exp(-g[k]))
            keep = one / (one + np.exp(-g[units + k]))
            let_out = one / (one + np.exp(-g[3 * units + k]))
            cell[k] = keep * cell[k] + let_in * np.tanh(g[2 * units + k])
            hidden[k] = let_out * np.tanh(cell[k])
            logit += head[k] * max(hidden[k], np.float32(0))
        out[t] = one / (one + np.exp(-logit))

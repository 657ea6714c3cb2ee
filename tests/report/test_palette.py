"""Colours: distinct, stable, readable under their ink."""

import itertools

from datatools.report.palette import ink_on, palette


def test_colours_are_distinct_and_stable() -> None:
    colours = palette(100)
    assert len(set(colours)) == 100
    for count in (0, 1, 2, 20):
        assert palette(count) == colours[:count]
    for one, other in itertools.combinations(colours[:12], 2):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 60


def test_ink_is_read_on_every_colour() -> None:
    def luminance(rgb: tuple[int, int, int]) -> float:
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in rgb)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in palette(80):
        low, high = sorted((luminance(colour), luminance(ink_on(colour))))
        assert (high + 0.05) / (low + 0.05) > 3  # WCAG 2, for graphical objects

"""Bars of what networks cost."""

import re
from collections.abc import Sequence

from datatools.report import svg
from datatools.zoo.profile import Profile

MIB = 2**20
_SIZE = re.compile(r'width="(\d+)" height="([\d.]+)"')


def costs_svg(networks: Sequence[tuple[str, Profile]]) -> bytes:
    """Draw parameters, MACs and memory as an SVG file: of one network by block, of several by network."""
    if len(networks) == 1:
        name, costs = networks[0]
        labels = [block.name for block in costs.blocks]
        charts = [
            svg.bars(
                labels, {"": [b.macs / 1e6 for b in costs.blocks]}, title=f"{name}: MACs by block", label="million"
            ),
            svg.bars(
                labels, {"": [b.params / 1e3 for b in costs.blocks]}, title="parameters by block", label="thousand"
            ),
            svg.bars(labels, {"": [b.map_bytes / MIB for b in costs.blocks]}, title="maps by block", label="MiB"),
        ]
    else:
        labels = [name for name, _ in networks]
        profiles = [costs for _, costs in networks]
        memory = {
            "weights": [p.weight_bytes / MIB for p in profiles],
            "maps of one picture": [p.map_bytes / MIB for p in profiles],
        }
        charts = [
            svg.bars(labels, {"": [p.macs / 1e6 for p in profiles]}, title="MACs", label="million"),
            svg.bars(labels, {"": [p.params / 1e6 for p in profiles]}, title="parameters", label="million"),
            svg.bars(labels, memory, title="memory", label="MiB"),
        ]
    return svg.document(_below(charts))


def _below(charts: Sequence[str]) -> str:
    """One chart of several, one below the other."""
    parts, top, across = [], 0.0, 0
    for chart in charts:
        size = _SIZE.search(chart)
        assert size
        parts.append(chart.replace("<svg ", f'<svg y="{top:g}" ', 1))
        top += float(size[2]) + 12
        across = max(across, int(size[1]))
    place = f'width="{across}" height="{top:g}" viewBox="0 0 {across} {top:g}"'
    return f'<svg class="chart" {place} role="img" aria-label="costs of networks">' + "".join(parts) + "</svg>"

"""What run.json says of all items together, added up as they end, in whatever order that is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from datatools.io.room import Seen

_SIZE = 2**128


@dataclass
class Tally:
    """Sums over items.

    inputs, outputs: files. bytes: of the outputs. read, made: the sums, modulo 2^128, of a digest of each file's name
    and bytes: equal for equal files, whatever their order.
    """

    inputs: int = 0
    outputs: int = 0
    bytes: int = 0
    read: int = 0
    made: int = 0

    @classmethod
    def of(cls, record: dict[str, Any]) -> Self:
        """What a run.json says. Raises ValueError where it says nothing."""
        try:
            read, made = record["inputs"], record["outputs"]
            sums = int(read["digest"], 16), int(made["digest"], 16)
            return cls(int(read["files"]), int(made["files"]), int(made["bytes"]), *sums)
        except (KeyError, TypeError) as error:
            raise ValueError("run.json does not tell what was made") from error

    def add(self, inputs: "Iterable[Seen]", outputs: "Iterable[Seen]") -> None:
        """Add the files of an item."""
        for one in inputs:
            self.inputs += 1
            self.read += _digest(one)
        for one in outputs:
            self.outputs += 1
            self.bytes += one.size
            self.made += _digest(one)

    def take(self, inputs: "Iterable[Seen]", outputs: "Iterable[Seen]") -> None:
        """Take the files of an item away again."""
        theirs = Tally()
        theirs.add(inputs, outputs)
        self.inputs -= theirs.inputs
        self.outputs -= theirs.outputs
        self.bytes -= theirs.bytes
        self.read -= theirs.read
        self.made -= theirs.made

    def join(self, other: "Tally") -> None:
        """Add the sums of others."""
        self.inputs += other.inputs
        self.outputs += other.outputs
        self.bytes += other.bytes
        self.read += other.read
        self.made += other.made

    def told(self) -> dict[str, Any]:
        """What run.json says."""
        return {
            "inputs": {"files": self.inputs, "digest": f"{self.read % _SIZE:032x}"},
            "outputs": {"files": self.outputs, "bytes": self.bytes, "digest": f"{self.made % _SIZE:032x}"},
        }


def _digest(one: "Seen") -> int:
    import xxhash

    return xxhash.xxh3_128_intdigest(one.name.encode("utf-8", "surrogateescape") + b"\0" + one.digest.encode())

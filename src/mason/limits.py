"""How much a document may ask of the reader: `Limits`, the bounds that loading keeps to."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what a document may cost; None takes a bound away.

    Depth, size and time are free by default, since depth costs mason no stack and size is what the
    caller handed over. The others stop short inputs with large effects. Dumping with the same
    limits refuses what loading would refuse. Going beyond raises `LimitError` on load and
    `DumpError` on dump.

    - `depth`: containers within containers.
    - `nodes`: values of every kind in one document, keys included.
    - `bytes`: bytes of the document after decompression.
    - `seconds`: time of one load or dump.
    - `digits`: digits of one number written as text (as `sys.set_int_max_str_digits` in Python).
    - `key_nodes`, `key_depth`: size and depth of one dict key or set element; hashing expands what
      is shared in it.
    - `collisions`: keys of one dict or set with the same hash; each costs a comparison with all
      before it.
    - `inflated`, `ratio`: decompressed data is accepted up to `inflated` bytes, beyond them only up
      to `ratio` times the compressed size.

    Raises TypeError for a value that is not a number, ValueError for a negative one.
    """

    depth: int | None = None
    nodes: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    digits: int | None = 4300
    key_nodes: int | None = 10_000
    key_depth: int | None = 100
    collisions: int | None = 256
    inflated: int | None = 64 * _MIB
    ratio: float | None = 200

    def __post_init__(self) -> None:
        """Check every bound."""
        for name in self.__slots__:
            value = getattr(self, name)
            if value is None:
                continue
            fractional = name in ("seconds", "ratio")
            if isinstance(value, bool) or not isinstance(
                value, (int, float) if fractional else int
            ):
                kind = "a number" if fractional else "an int"
                raise TypeError(f"Limits.{name} takes {kind} or None, not {type(value).__name__}")
            if not value >= 0:  # NaN, too
                raise ValueError(f"Limits.{name} must not be negative: {value}")

    def as_tuple(self) -> tuple[int | float, ...]:
        """Return the bounds for the core, -1 for None.

        Their order: depth, nodes, bytes, seconds, digits, key_nodes, key_depth, collisions.
        """
        bounds = (self.depth, self.nodes, self.bytes, self.seconds)
        keys = (self.digits, self.key_nodes, self.key_depth, self.collisions)
        return tuple(-1 if bound is None else bound for bound in (*bounds, *keys))

    def inflated_most(self, compressed: int) -> int | None:
        """Return how many bytes that many compressed bytes may become; None: any number."""
        if self.inflated is None or self.ratio is None:
            return None
        return max(self.inflated, int(min(1 << 62, self.ratio * compressed)))

    def allows_inflated(self, size: int, compressed: int) -> bool:
        """Tell whether that many compressed bytes may become `size` bytes."""
        most = self.inflated_most(compressed)
        return most is None or size <= most

# ruff: noqa: UP031 -- documents are full of braces, so percent signs say best where a part goes
"""What waits for the end of a document: it runs in order of need, and sees whole objects.

Each case is a graph in which something is hashed, upgraded or made of what refers back to it. The
property behind them all: every key is found where it lies, and no code of a class meets a
placeholder.
"""

from __future__ import annotations

import dataclasses
import gc
import itertools
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import attrs
import hostile
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mason

Format = Literal["json", "cbor"]
FORMATS = pytest.mark.parametrize("format", ["json", "cbor"])
SEEN: list[Any] = []


def look(root: Any) -> None:
    """Look at all that an object reaches, as any code could, and note a placeholder."""
    stack, met = [root], set()
    while stack:
        value = stack.pop()
        if id(value) in met or isinstance(value, type) or callable(value):
            continue
        met.add(id(value))
        if type(value).__name__ == "Forward":
            SEEN.append(root)
        stack += gc.get_referents(value)


@dataclasses.dataclass(frozen=True)
class Kid:
    """Knows where it lies, and leaves that out of its hash, as parent links are declared."""

    name: Any
    home: Any = dataclasses.field(default=None, hash=False, compare=False)


@dataclasses.dataclass(frozen=True)
class Box:
    """Is hashed by all that it holds."""

    a: Any = None
    b: Any = None


@attrs.frozen(cache_hash=True)
class Kept:
    """Keeps its hash, which must not be that of something half-made."""

    a: Any = None
    b: Any = attrs.field(default=None, eq=False)


class Friend:
    """Says its hash itself, by one attribute."""

    def __init__(self, name: Any, near: Any = None) -> None:
        self.name = name
        self.near = near

    def __hash__(self) -> int:
        look(self)
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        look(self)
        return isinstance(other, Friend) and self.name == other.name


class HashedList(list[Any]):
    """Is hashed by its items, by hand."""

    def __hash__(self) -> int:  # type: ignore[override]
        look(self)
        return hash(tuple(self))


class Row(tuple[Any, ...]):
    """Has attributes beside its items."""

    up: Any


class Word(str):
    """Has attributes beside its text."""

    me: Any


class Number(int):
    """Has attributes beside its value."""

    near: Any


class Frozen(frozenset[Any]):
    """Has attributes beside its elements."""

    near: Any


class Point(NamedTuple):
    a: Any
    b: Any = None


class Plain:
    a: Any


@dataclasses.dataclass(frozen=True)
class Grown:
    """Is at version 2."""

    a: Any = None


def grow(fields: dict[str, Any]) -> dict[str, Any]:
    """Upgrade the fields of a `Grown`."""
    look(fields)
    return fields


KINDS = [Kid, Box, Kept, Friend, HashedList, Row, Word, Number, Frozen, Point, Plain]
REGISTRY = mason.Registry(trust=KINDS)
REGISTRY.register(Grown, name="grown", version=2, upgrade={1: grow})


def tables(root: Any) -> list[Any]:
    """Return every set and dict that an object reaches."""
    found, met, stack = [], set(), [root]
    while stack:
        value = stack.pop()
        if id(value) in met or isinstance(value, type) or callable(value):
            continue
        met.add(id(value))
        if isinstance(value, dict | set | frozenset):
            found.append(value)
        stack += gc.get_referents(value)
    return found


def here(text: str) -> str:
    """Return a document with the name of this module where it says `M:`."""
    return text.replace("M:", f"{__name__}:")


def checked(data: Any) -> Any:
    """Load a document; check that every key is found and that nothing met a placeholder."""
    SEEN.clear()
    back = REGISTRY.loads(here(data) if type(data) is str else data)
    assert SEEN == []
    assert not hostile.leaked(back)
    for table in tables(back):
        assert all(key in table for key in list(table))
    return back


def kid_in_its_set() -> Any:
    home: set[Any] = set()
    home.add(Box(frozenset({Kid("n", home)})))
    return home


def kid_in_its_dict() -> Any:
    home: dict[Any, Any] = {}
    home[Box(frozenset({Kid("n", home)}))] = home
    return home


def kid_in_its_ordered_dict() -> Any:
    home: OrderedDict[Any, Any] = OrderedDict()
    home[Point(frozenset({Kid("n", home)}))] = 1
    home["last"] = 2
    return home


def kept_in_its_set() -> Any:
    home: set[Any] = set()
    home.add(Kept(frozenset({Kept(1, home)}), home))
    return home


def friend_in_its_dict() -> Any:
    home: dict[Any, Any] = {}
    home[frozenset({Friend(0, home)})] = home
    return home


def friends_of_each_other() -> Any:
    first, second = Friend(1), Friend(2)
    first.near, second.near = second, first
    return {first, second}


def chain_of_friends() -> Any:
    friends = [Friend(number) for number in range(300)]
    for one, other in itertools.pairwise(friends):
        one.near = other
    return set(friends)


def list_that_is_a_key() -> Any:
    friend = Friend(1)
    friend.near = {HashedList([frozenset({friend})])}
    return friend


def rows_with_parents() -> Any:
    child = Row()
    parent = Row((child,))
    child.up = parent
    return parent


def word_that_knows_itself() -> Any:
    word = Word("x")
    word.me = word
    return word


def number_in_what_it_knows() -> Any:
    number = Number(5)
    number.near = (number,)
    return number.near


def number_that_knows_its_set() -> Any:
    number = Number(5)
    home = Frozen([number])
    number.near = [home]
    return home


def plain_that_knows_its_set() -> Any:
    plain = Plain()
    home = Frozen([Point(plain)])
    plain.a = home
    return home


def of_all_kinds() -> Any:
    return [deque([kid_in_its_set()]), defaultdict(list, a=friends_of_each_other())]


GRAPHS: list[Callable[[], Any]] = [
    *(kid_in_its_set, kid_in_its_dict, kid_in_its_ordered_dict, kept_in_its_set),
    *(friend_in_its_dict, friends_of_each_other, chain_of_friends, list_that_is_a_key),
    *(rows_with_parents, word_that_knows_itself, number_in_what_it_knows),
    *(number_that_knows_its_set, plain_that_knows_its_set, of_all_kinds),
]


@FORMATS
@pytest.mark.parametrize("make", GRAPHS)
def test_what_refers_back_comes_back(make: Callable[[], Any], format: Format) -> None:
    value = make()
    back = checked(mason.dumps(value, format=format))
    assert mason.same(value, back), mason.difference(value, back)


@pytest.mark.parametrize("version", [1, 2])
def test_an_upgraded_key_is_hashed_when_what_it_holds_is_upgraded(version: int) -> None:
    checked(
        '{"$mason":1,"$id":1,"$type":"grown@%d","a":{"$type":"M:Word","$str":"s",'
        '"me":[{"$set":[{"$type":"grown@%d","a":{"$ref":1}}]}]}}' % (version, version)
    )


def test_the_first_dump_measures_keys_as_later_ones_do() -> None:
    @dataclasses.dataclass(frozen=True)
    class Fresh:  # mason has no plan of it yet
        a: Any

    registry = mason.Registry()
    registry.register(Fresh, name="fresh")
    key: Any = 1
    for _ in range(150):
        key = Fresh(key)
    for _ in range(2):
        with pytest.raises(mason.DumpError, match="nested too deeply"):
            registry.dumps({key})


def test_keys_of_one_hash_are_measured_alike_in_both_directions() -> None:
    shared: Any = [1]
    for number in range(8):
        plain = Plain()
        setattr(plain, f"a{number}", shared)
        setattr(plain, f"b{number}", shared)
        shared = plain
    value = {hostile.Named("a", [shared] * 12), hostile.Named("b", [])}
    trust = [hostile.Named, Plain]
    assert len(mason.loads(mason.dumps(value), trust=trust)) == 2


@pytest.mark.parametrize("levels", [6, 60])
def test_a_list_that_is_a_key_is_measured(levels: int) -> None:
    text = "1"
    for number in range(1, levels):
        second = '{"$ref":%d}' % (number - 1) if number > 1 else "1"
        text = f'{{"$id":{number},"$type":"M:HashedList","$list":[{text},{second}]}}'
    data = f'{{"$mason":1,"$set":[{text}]}}'
    if levels < 10:
        assert len(checked(data)) == 1
    else:
        with pytest.raises(mason.LimitError, match="too many parts"):
            REGISTRY.loads(here(data))


def test_many_frozen_sets_on_one_cycle_are_read_in_linear_time() -> None:
    """Work that grew with the square of the elements would meet a limit."""
    first: Any = Plain()
    last = first
    shared: list[Any] = []
    for number in range(2000):
        last.a = Frozen([Plain(), Number(number)])
        last.b = [shared]
        last = next(one for one in last.a if type(one) is Plain)
        shared.append(number)
    last.a = first
    back = checked(mason.dumps(first))
    assert mason.same(first, back)


PIECES = st.recursive(
    st.integers(0, 9).map(str) | st.integers(1, 6).map('{{"$ref":{}}}'.format),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]"),
        *(
            st.tuples(st.sampled_from(["", *(f'"$id":{i},' for i in range(1, 7))]), inner).map(
                lambda drawn, form=form: "{" + drawn[0] + form.replace("%", drawn[1]) + "}"
            )
            for form in (
                *(
                    '"$list":[%]',
                    '"$tuple":[%]',
                    '"$set":[%]',
                    '"$frozenset":[%]',
                    '"$map":[[%,%]]',
                ),
                '"$type":"M:Friend","name":1,"near":[%]',
                '"$type":"M:Kept","a":1,"b":%',
                '"$type":"M:Box","a":%,"b":%',
                '"$type":"M:Row","$tuple":[%],"up":%',
                '"$type":"M:Frozen","$frozenset":[%]',
                '"$type":"M:HashedList","$list":[%]',
                '"$type":"grown@1","a":%',
                '"$type":"collections:OrderedDict","$map":[[%,%]]',
            )
        ),
    ),
    max_leaves=12,
)


@given(st.lists(PIECES, min_size=1, max_size=4))
def test_no_code_meets_a_placeholder(pieces: list[str]) -> None:
    SEEN.clear()
    try:
        back = REGISTRY.loads(here(f'{{"$mason":1,"$value":[{",".join(pieces)}]}}'))
    except mason.MasonError as error:
        assert not isinstance(error, mason.UntrustedError)
        assert SEEN == []
        return
    assert SEEN == []
    assert not hostile.leaked(back)
    for table in tables(back):
        assert all(key in table for key in list(table))

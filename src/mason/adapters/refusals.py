"""Why objects of well-known classes cannot be written, and what to write in their place.

One row per class; it stands for its subclasses too. Classes are found by name, so that nothing
has to be imported.
"""

from __future__ import annotations

from mason.adapters.anatomy import Line, find, is_native, spelled

_ANEW = "leave it out, and make a new one after loading"
_BYTES = "write bytes(x)"
_RERUN = "write what it would need to be started again"

_Row = tuple[str, str]

REASONS: dict[str, _Row] = {
    # threads and processes
    "_thread:lock": ("is a lock", _ANEW),
    "_thread:RLock": ("is a lock", _ANEW),
    "threading:Condition": ("is a condition of threads", _ANEW),
    "threading:Event": ("is an event of threads", _ANEW),
    "threading:Semaphore": ("is a semaphore", _ANEW),
    "threading:Barrier": ("is a barrier of threads", _ANEW),
    "threading:Thread": ("is a thread", _RERUN),
    "_thread:_local": ("holds values of one thread each", _ANEW),
    "_contextvars:ContextVar": ("is a context variable", "write its value"),
    "subprocess:Popen": ("is a running process", _RERUN),
    "concurrent.futures._base:Executor": ("is a pool of workers", _ANEW),
    "concurrent.futures._base:Future": ("is a result that may still come", "write its .result()"),
    "_asyncio:Future": ("is a result that may still come", "write its .result()"),
    "_asyncio:Task": ("is a running task", _RERUN),
    "asyncio.events:AbstractEventLoop": ("is an event loop", _ANEW),
    "multiprocessing.process:BaseProcess": ("is a process", _RERUN),
    # what is outside of the interpreter
    "_io:BytesIO": ("is a file in memory", "write its .getvalue()"),
    "_io:StringIO": ("is a file in memory", "write its .getvalue()"),
    "_io:_IOBase": ("is an open file", "write its path, and open it again after loading"),
    "_socket:socket": ("is a socket", "write its address, and connect again after loading"),
    "sqlite3:Connection": (
        "is an open database",
        "write its path, and connect again after loading",
    ),
    "sqlite3:Cursor": ("is a cursor of an open database", "write the rows, .fetchall()"),
    "mmap:mmap": ("is a file mapped into memory", "write its path, and map it again after loading"),
    "posix:DirEntry": ("is an entry of a folder that was listed", "write its .path"),
    "logging:Logger": ("is a logger", "write its .name, and ask logging.getLogger after loading"),
    "logging:Handler": ("is where log records go", _ANEW),
    # running code
    "builtins:generator": ("is a generator", "write list(x)"),
    "builtins:async_generator": ("is an asynchronous generator", "write the values it gives"),
    "builtins:coroutine": ("is a coroutine", "write the value it gives"),
    "builtins:frame": ("is a frame of running code", "write what you need of it"),
    "builtins:traceback": ("is a traceback", "write traceback.format_tb(x)"),
    "builtins:code": ("is code", "write a reference to a function of a module"),
    "builtins:cell": ("is a variable of a function", "write its .cell_contents"),
    "builtins:method": ("is a method, bound to its object", "write the object and the name"),
    "builtins:method-wrapper": (
        "is a method, bound to its object",
        "write the object and the name",
    ),
    "builtins:method_descriptor": ("is a method of a class in C", "write the class and the name"),
    "builtins:wrapper_descriptor": ("is a method of a class in C", "write the class and the name"),
    "builtins:classmethod": ("is a part of a class", "write a reference to the class"),
    "builtins:staticmethod": ("is a part of a class", "write a reference to the class"),
    "builtins:property": ("is a part of a class", "write a reference to the class"),
    "functools:partial": ("is a call with some arguments given", "write the arguments"),
    "operator:itemgetter": ("is a call with some arguments given", "write the arguments"),
    "operator:attrgetter": ("is a call with some arguments given", "write the arguments"),
    "operator:methodcaller": ("is a call with some arguments given", "write the arguments"),
    "builtins:module": ("is a module", "write its __name__"),
    "builtins:BaseException": (
        "is an exception, which is not written yet",
        "write its args or its text",
    ),
    "builtins:super": ("is a view on another object", "write the object"),
    # views and references
    "builtins:memoryview": ("is a view on memory of another object", _BYTES),
    "builtins:mappingproxy": ("is a view on the dict of another object", "write dict(x)"),
    "builtins:dict_keys": ("is a view on a dict", "write list(x)"),
    "builtins:dict_values": ("is a view on a dict", "write list(x)"),
    "builtins:dict_items": ("is a view on a dict", "write list(x)"),
    "weakref:ReferenceType": ("is a weak reference", "write the object, x()"),
    "weakref:ProxyType": ("is a weak reference", "write the object"),
    "weakref:finalize": ("waits for the end of an object", _ANEW),
    "weakref:WeakSet": ("is a set of weak references", "write set(x)"),
    "weakref:WeakKeyDictionary": ("is a dict of weak references", "write dict(x)"),
    "weakref:WeakValueDictionary": ("is a dict of weak references", "write dict(x)"),
    "re:Match": ("is a match in a text", "write its .groups() or .span()"),
    "_hashlib:HASH": ("is a running hash", "write its .digest()"),
    # types
    "types:UnionType": ("is a type expression", "write a reference to a class"),
    "typing:_Final": ("is a type expression", "write a reference to a class"),
    "typing:TypeVar": ("is a type variable", "write a reference to a class"),
    "random:Random": ("is a random generator", "write its .getstate()"),
    "datetime:tzinfo": (
        "is a time zone with rules of its own",
        "use zoneinfo or datetime.timezone",
    ),
    "pathlib:PurePath": ("is a kind of path with rules of its own", "write pathlib.Path(x)"),
    "pathlib._local:PurePath": ("is a kind of path with rules of its own", "write pathlib.Path(x)"),
}


def known_reason(line: Line) -> _Row | None:
    """Return why objects of this class are not written, and the hint, where a row says it."""
    if line[0] is object:
        return "is a bare object, which is nothing but itself", "write None, or a member of an enum"
    for cls in line[:-1]:
        if row := REASONS.get(spelled(cls)):
            return row
    found = find(line, "__next__")
    if found and is_native(found[0]):
        return "is an iterator", "write list(x)"
    return None

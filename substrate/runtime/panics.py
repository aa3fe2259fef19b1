"""Panics: exceptions that leave a runtime's code where it was not meant to raise any.

Upstream's runtime panics inside the Wasm sandbox and its node survives. Here the code runs in the node, so each way in
turns whatever it raises into a refusal: a call fails, a transaction is invalid, a block is bad.

    except NO_PANIC:
        raise
    except BaseException as failure:
        ...
"""

import re
from types import NoneType

from substrate.errors import Aborted

NO_PANIC = (Aborted, KeyboardInterrupt)
"""What passes through: it is the matter of the node, or of who runs it, not of the code. A `MemoryError` is the code's
own: asking for 2**62 bytes raises one at once, on every machine."""


_TEXT = 2_000
_PLAIN = (str, bytes, int, float, bool, NoneType)
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""What Python says of an object that says nothing of itself."""


def described(failure: BaseException) -> str:
    """What a person reads of a panic, in bounded words. Runs none of its code: nobody would count the steps."""
    return shown(f"{type_name(failure)}: {said(failure)}")


def said(failure: BaseException) -> str:
    """What an exception was raised with. Its own `__str__` is never asked."""
    args = BaseException.__dict__["args"].__get__(failure)
    if any(type(arg) not in _PLAIN for arg in args):
        return "(it says nothing plain)"
    try:
        return shown(str(args[0] if len(args) == 1 else args or ""))
    except ValueError:  # an integer too long to show
        return "(it says nothing plain)"


def type_name(value: object) -> str:
    """The name of a value's type, bounded; neither a metaclass nor the name's own class has a say in it."""
    return shown(str.__str__(type.__dict__["__name__"].__get__(type(value))))


def shown(text: str) -> str:
    """Text of someone else as the record can hold it: bounded, without lone surrogates, and the same in every run."""
    return _ADDRESS.sub("", text[: 2 * _TEXT])[:_TEXT].encode("utf-8", "backslashreplace").decode()

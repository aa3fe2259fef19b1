"""What validation code raised, in words."""

_TEXT = 2_000


def described(failure: BaseException) -> str:
    """What validation code raised, in bounded words; its own way to say so may fail too."""
    try:
        return shown(f"{type_name(failure)}: {failure}")
    except KeyboardInterrupt:  # of whoever runs this node
        raise
    except BaseException as nested:  # noqa: BLE001 - it is someone else's `__str__`
        return f"an exception that cannot be shown ({type_name(nested)})"


def type_name(value: object) -> str:
    """The name of a value's type, bounded; neither a metaclass nor the name's own class has a say in it."""
    return shown(str.__str__(type.__dict__["__name__"].__get__(type(value))))


def shown(text: str) -> str:
    """Text of someone else as the record can hold it: bounded, and without lone surrogates."""
    return text[:_TEXT].encode("utf-8", "backslashreplace").decode()

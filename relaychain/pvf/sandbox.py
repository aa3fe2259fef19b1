"""What validation code raised, in words."""

_TEXT = 2_000


def described(failure: BaseException) -> str:
    """What validation code raised, in bounded words; its own way to say so may fail too."""
    try:
        return f"{type(failure).__name__}: {failure}"[:_TEXT]
    except Exception as nested:  # noqa: BLE001 - it is someone else's `__str__`
        return f"an exception that cannot be shown ({type(nested).__name__})"

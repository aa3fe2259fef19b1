"""The waiting room: every sender has its own bounds."""

from substrate.waiting import WaitingRoom


def room() -> WaitingRoom[str, bytes]:
    return WaitingRoom(count=2, size_bytes=10)


def put(waiting: WaitingRoom[str, bytes], key: str, sender: str, item: bytes) -> None:
    waiting.put(key, sender, item, size_bytes=len(item))


def test_items_leave_in_order_of_arrival_with_their_senders() -> None:
    waiting = room()
    put(waiting, "a", "alice", b"1")
    put(waiting, "a", "bob", b"1")
    put(waiting, "b", "bob", b"2")

    assert waiting.take("a") == [("alice", b"1"), ("bob", b"1")]
    assert waiting.take("a") == []
    assert list(waiting) == ["b"]
    assert waiting.items() == [b"2"]


def test_a_sender_beyond_its_count_loses_its_own_oldest() -> None:
    waiting = room()
    put(waiting, "a", "bob", b"honest")
    for index in range(50):
        put(waiting, "a", "mallory", b"%d" % index)

    assert waiting.take("a") == [("bob", b"honest"), ("mallory", b"48"), ("mallory", b"49")]


def test_a_sender_beyond_its_bytes_loses_its_own_oldest() -> None:
    waiting = room()
    put(waiting, "a", "mallory", b"1234")
    put(waiting, "b", "mallory", b"1234567")
    put(waiting, "c", "mallory", b"12345678901")

    assert list(waiting) == ["b"]


def test_the_same_item_of_a_sender_is_kept_once() -> None:
    waiting = room()
    put(waiting, "a", "bob", b"other")
    for _ in range(5):
        put(waiting, "a", "bob", b"same")

    assert waiting.take("a") == [("bob", b"other"), ("bob", b"same")]

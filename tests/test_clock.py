from chatproxy.clock import now


def test_now_is_in_microseconds() -> None:
    assert 1_700_000_000_000_000 < now() < 10**16
    assert now() <= now()

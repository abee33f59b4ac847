from chatproxy.core.cassette.cassette import first_fresh


def test_a_fresh_sid_is_none_that_was_recorded() -> None:
    recorded = {b"7:0", b"7:1"}
    assert first_fresh(7, lambda number, attempt: b"%d:%d" % (number, attempt), recorded.__contains__) == b"7:2"
    assert first_fresh(8, lambda number, attempt: b"%d:%d" % (number, attempt), recorded.__contains__) == b"8:0"

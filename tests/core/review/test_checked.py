from chatproxy.core.review.checked import Checked


def test_what_is_not_skipped_was_checked() -> None:
    assert Checked("a/1", "GET /").skipped is None
    assert Checked("a/1", "GET /").findings == []

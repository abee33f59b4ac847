from datetime import UTC, datetime, timedelta

import pytest
from notices import Board


@pytest.fixture
def board(chatproxy, request) -> Board:
    """A board whose answers are recorded, in a channel of the test's own: what it shows depends on no other test."""
    return Board(chatproxy.twilio_client(), request.node.name)


def test_a_notice_is_posted_now_and_listed_as_posted(board):
    posted = board.post("alice", "The lift is out of order")
    assert list(board.notices())[-1] == posted
    age = datetime.now(UTC) - datetime.fromisoformat(posted.posted).replace(tzinfo=UTC)
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_all_pages_are_read(board):
    texts = [f"Notice {number}" for number in range(5)]
    sids = [board.post("bob", text).sid for text in texts]
    assert [notice.text for notice in board.notices() if notice.sid in sids] == texts


def test_a_withdrawn_notice_is_gone(board):
    posted = board.post("alice", "Withdrawn soon")
    assert board.withdraw(posted.sid)
    assert posted.sid not in [notice.sid for notice in board.notices()]
    assert not board.withdraw(posted.sid)


@pytest.mark.chatproxy(ignore=["Body"])
def test_what_is_posted_may_differ_from_run_to_run(board):
    text = f"It is {datetime.now(UTC):%H:%M:%S.%f}"
    assert board.post("clock", text).text == text

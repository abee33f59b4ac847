"""Times of a replay, as the twilio client sees them."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from integration.processes import Workplace

pytestmark = pytest.mark.process

pytest.importorskip("twilio", reason="the twilio package is not installed")

ACCOUNT, SERVICE, CHANNEL = "AC" + "0123456789abcdef" * 2, "IS" + "0123456789abcdef" * 2, "CH" + "0123456789abcdef" * 2


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Return a workplace with a cassette that was recorded in 2024."""
    place = Workplace(tmp_path_factory.mktemp("clock"))
    with place.sandbox("--start-time", "2024-02-29T12:00:00Z") as upstream, place.record("c", upstream.url) as recorder:
        program(recorder.url)
    return place


def program(url: str) -> tuple[datetime, list[Any]]:
    """Create, fetch, update, and list; return the whole second before the create, and what the calls gave."""
    from twilio.rest import Client  # noqa: PLC0415 - the package may be missing

    client = Client(ACCOUNT, "a token that is long enough", environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""})
    client.chat.base_url = url
    messages = client.chat.v1.services(SERVICE).channels(CHANNEL).messages
    before = datetime.fromtimestamp(int(time.time()), UTC)
    created = messages.create(body="2020-01-01T00:00:00Z")
    fetched = messages(created.sid).fetch()
    time.sleep(1.1)
    updated = messages(created.sid).update(body="again")
    return before, [created, fetched, updated, messages.list()[0]]


def test_law_7_a_message_is_created_and_updated_when_the_program_does_it(place: Workplace) -> None:
    with place.replay("c", "--clock", "now") as replayer:
        before, (created, fetched, updated, listed) = program(replayer.url)
    after = datetime.now(UTC)
    assert before <= created.date_created <= after
    assert {created.date_created, created.date_updated, fetched.date_created, fetched.date_updated} == {
        created.date_created
    }
    assert created.date_created < updated.date_updated <= after
    assert (updated.date_created, listed.date_created) == (created.date_created, created.date_created)
    assert listed.date_updated == updated.date_updated


def test_law_8_what_a_user_wrote_is_no_time(place: Workplace) -> None:
    with place.replay("c", "--clock", "now") as replayer:
        _, (created, *_) = program(replayer.url)
    assert created.body == "2020-01-01T00:00:00Z"


def test_law_7_a_clock_that_stands_keeps_later_times_later(place: Workplace) -> None:
    with place.replay("c", "--clock", "2026-01-01T00:00:00Z") as replayer:
        _, (created, _, updated, _) = program(replayer.url)
    assert created.date_created == datetime(2026, 1, 1, 0, 0, 0, tzinfo=UTC)
    assert updated.date_updated == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_law_7_shifted_times_are_the_recorded_ones_the_last_at_the_begin_of_the_replay(place: Workplace) -> None:
    with place.replay("c", "--clock", "recorded") as replayer:
        _, (made, _, changed, _) = program(replayer.url)
    before = datetime.fromtimestamp(int(time.time()), UTC)
    with place.replay("c", "--clock", "shift") as replayer:
        until, (created, _, updated, _) = program(replayer.url)
    assert before <= updated.date_updated <= until
    assert updated.date_updated - created.date_created == changed.date_updated - made.date_created


def test_law_7_the_recorded_clock_is_the_recordings(place: Workplace) -> None:
    with place.replay("c", "--clock", "recorded") as replayer:
        _, (created, *_) = program(replayer.url)
    assert created.date_created.date().isoformat() == "2024-02-29"


def test_another_clock_is_refused_in_one_line(tmp_path: Path) -> None:
    failed = Workplace(tmp_path).run("replay", "c", "--clock", "tomorrow", status=2)
    assert "--clock: 'tomorrow' is neither now, shift nor recorded" in failed

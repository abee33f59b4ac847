from dataclasses import replace
from random import Random

from core.scenarios import RULES, Recording, Step, exported, scenarios
from exchanges import numbered
from fixture.fixtures import read
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.model import NO_CREDENTIALS, ExchangeNumber, Request, Response
from chatproxy.core.replay.player import play_request
from chatproxy.core.replay.session import Session
from chatproxy.core.sharing.merging import Merged, Overlap
from chatproxy.core.time.timestamps import SECOND

SCENARIO: list[list[Step]] = [
    [("create", 0, "Body=a")],
    [("create", 0, "Body=b")],
    [("list", 0, ""), ("fetch", 1, "")],
    [("update", 0, "Body=c")],
]


def shared(recording: Recording) -> MemoryCassette:
    document = read(exported(recording.cassette()))
    return MemoryCassette(document.name, document.exchanges, RULES, document.declared)


def merged(*cassettes: MemoryCassette) -> MemoryCassette:
    found = Merged(cassettes, RULES)
    exchanges = list(found.exchanges())
    assert len(exchanges) == found.count
    return MemoryCassette("merged", exchanges, RULES, found.declared())


@given(scenarios, st.integers(0, 2**32))
def test_law_one_cassette_merged_is_its_canonical_form(scenario: list[list[Step]], seed: int) -> None:
    cassette = Recording(Random(seed)).run(scenario).cassette()
    for one in (cassette, shared(Recording(Random(seed)).run(scenario))):
        assert exported(merged(one)).replace('"merged"', '"a"') == exported(cassette)


@given(scenarios, scenarios, st.integers(0, 2**32), st.booleans())
def test_law_every_request_of_each_cassette_is_answered_by_the_merged_one(
    first: list[list[Step]], second: list[list[Step]], seed: int, is_shared: bool
) -> None:
    recordings = [Recording(Random(seed + nth)).run(scenario) for nth, scenario in enumerate((first, second))]
    one = merged(*(shared(recording) if is_shared else recording.cassette() for recording in recordings))
    session = Session(one, RULES)
    for number in one.order():
        assert (
            play_request(session, (asked := one.exchange(number)).request, asked.user or NO_CREDENTIALS).number
            == number
        )


def test_recordings_of_one_channel_go_on_where_the_one_before_ended() -> None:
    one = Recording(Random(1)).run(SCENARIO)
    again = Recording(Random(1)).run(SCENARIO)
    found = merged(one.cassette(), again.cassette())
    methods = [found.exchange(number).request.method for number in found.order()]
    assert methods == 2 * ["POST", "POST", "GET", "POST", "GET"]
    assert len({exchange.request.path for exchange in found if exchange.request.line.endswith("Messages")}) == 1


def test_fixtures_have_channels_of_their_own_and_one_account_and_service() -> None:
    one, other = (shared(Recording(Random(seed)).run(SCENARIO)) for seed in (1, 2))
    found = merged(one, other)
    assert len({one.request.path.split(b"/Messages")[0] for one in found}) == 2
    text = exported(found)
    assert "CHca765a4cadaca3670000000000000002" in text
    assert "IMca765a4cadaca3670000000000000004" in text
    assert "ACca765a4cadaca3670000000000000002" not in text
    assert "ISca765a4cadaca3670000000000000002" not in text
    document = read(text)
    again = MemoryCassette(document.name, document.exchanges, RULES, document.declared)
    assert exported(again) == text


def overlapping(*scenarios: list[list[Step]], draws: tuple[int, ...] = (1, 1)) -> list[Overlap]:
    cassettes = [
        Recording(Random(seed)).run(scenario).cassette() for seed, scenario in zip(draws, scenarios, strict=True)
    ]
    found = Merged(cassettes, RULES)
    return found.overlaps(MemoryCassette("merged", found.exchanges(), RULES, found.declared()))


def test_writes_to_one_collection_are_named_by_the_numbers_of_each_cassette() -> None:
    (one,) = overlapping(SCENARIO, [[("list", 0, "")], [("create", 0, "Body=z")]])
    assert one.path.endswith(b"/Messages")
    assert one.writes == ((1, 2, 5), (2,))


def test_reads_refused_writes_and_writes_elsewhere_do_not_meet() -> None:
    assert overlapping(SCENARIO, [[("list", 0, ""), ("create", 0, "Attributes=no")]]) == []
    assert overlapping(SCENARIO, [[("create", 1, "Body=z")]]) == []
    assert overlapping(SCENARIO, SCENARIO, draws=(1, 2)) == []


def test_the_delete_of_an_object_meets_what_another_cassette_writes_below_it() -> None:
    channel = b"/v1/Services/IS1/Channels/CH" + b"c" * 32
    delete = numbered(
        1, Request("DELETE", channel), Response(204), "https://chat.twilio.com", SECOND, SECOND, 0, "AC" + "1" * 32
    )
    create = replace(
        delete, request=Request("POST", channel + b"/Messages", (FORM,), b"Body=a"), response=Response(201)
    )
    found = Merged([MemoryCassette("a", [one], RULES) for one in (delete, create)], RULES)
    again = MemoryCassette("merged", found.exchanges(), RULES, found.declared())
    assert found.overlaps(again) == [Overlap(channel, ((ExchangeNumber(1),), (ExchangeNumber(1),)))]
    alone = Merged([MemoryCassette("a", [delete], RULES)], RULES)
    assert alone.overlaps(MemoryCassette("merged", alone.exchanges(), RULES, alone.declared())) == []

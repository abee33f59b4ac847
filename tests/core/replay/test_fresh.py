import pytest
from core.sid_programs import MESSAGE, TOUR

from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.replay.fresh import Fresh, Given, Owner, RefusalError


def test_of_the_sids_given_the_oldest_are_forgotten() -> None:
    given = Given(bound=2)
    for fresh in (b"a", b"b", b"c"):
        given.note(LiveSid(fresh), Owner())
    assert [given.owner(LiveSid(fresh)) for fresh in (b"a", b"b", b"c")] == [None, Owner(), Owner()]


def test_law_2_of_many_fresh_sids_the_oldest_are_forgotten_each_as_quickly() -> None:
    given = Given(bound=2)
    for name in (b"IM1", b"IM2", b"IM1", b"IM3"):
        given.note(LiveSid(name), Owner(name.decode()))
    assert [given.owner(LiveSid(name)) for name in (b"IM1", b"IM2", b"IM3")] == [None, Owner("IM2"), Owner("IM3")]


def test_a_fresh_sid_is_the_same_again_and_refused_while_it_was_not_given() -> None:
    given = Given()
    fresh, other = (Fresh(TOUR, 0, Owner(name), given) for name in ("one", "two"))
    (made,) = fresh.of([RecordedSid(MESSAGE.encode())])
    assert made is not None
    assert fresh.of([RecordedSid(MESSAGE.encode()), RecordedSid(b"IM" + b"9" * 32)]) == [made, None]
    with pytest.raises(RefusalError, match="was never given"):
        fresh.check(made, ())
    fresh.check(made, {RecordedSid(MESSAGE.encode())})
    fresh.note(made)
    with pytest.raises(RefusalError, match="was given to another session, 'one'") as refused:
        other.check(made, ())
    assert refused.value.elsewhere == "one"


def test_only_so_many_fresh_sids_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Fresh(TOUR, 0, Owner(), Given())
    (made,) = fresh.of([RecordedSid(MESSAGE.encode())])
    assert made is not None
    with pytest.raises(RefusalError, match="was never given"):
        fresh.check(made, ())
    monkeypatch.setattr("chatproxy.core.replay.fresh._LOOKED_AT", 1)
    fresh.check(made, ())

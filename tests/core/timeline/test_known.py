from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.timeline.known import Declared, Known, held_by, holding, is_sid, variables_of

SID, OWN, OTHER = "CH" + "1" * 32, "CH" + "a" * 32, "IS" + "b" * 32
KNOWN = Known(RecordedSid(SID.encode()), RecordedSid(OTHER.encode()), LiveSid(OWN.encode()), "CHANNEL")


def test_a_known_sid_comes_back_from_its_texts() -> None:
    for one in (KNOWN, Known(RecordedSid(SID.encode()))):
        assert Known.of(*one.texts()) == one  # type: ignore[arg-type]


def test_version_2_says_that_each_stood_for_itself() -> None:
    own = Known(RecordedSid(SID.encode()), own=LiveSid(SID.encode()))
    assert Declared.of_supplied(OTHER, (SID,)) == Declared(OTHER, (own,), bare=True)


def test_only_a_value_that_is_a_sid_as_a_whole_counts() -> None:
    assert is_sid(OWN)
    assert not any(map(is_sid, ("", f"{OWN} ", OWN.upper(), "XX" + "1" * 32, f"{OWN}1")))
    environ = {"A": OWN, "TOKEN": "secret", "B": f"https://x/{OWN}"}
    assert holding(environ) == {"A": OWN}


def test_the_names_of_variables_are_kept_for_known_sids_and_the_first_by_name() -> None:
    environ = {"B": OWN, "A": OWN, "C": OTHER, "D": "x"}
    anonymous = Known(RecordedSid(OTHER.encode()))
    assert variables_of(environ, (KNOWN, anonymous)) == {OWN: "A"}
    again, same = held_by({OWN: "A"}, (KNOWN, anonymous))
    assert (again.variable, same) == ("A", anonymous)
    assert held_by({}, (KNOWN,)) == (KNOWN,)

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.model import ExchangeNumber, Outcome
from chatproxy.core.replay.journal import Entry, Journal, Kind


def hit(session: str = "a", exchange: int = 1) -> Entry:
    return Entry(0, session, "GET", b"/v1/x", Outcome.HIT, 200, ExchangeNumber(exchange))


def miss(session: str = "a", target: bytes = b"/v1/x") -> Entry:
    return Entry(0, session, "GET", target, Outcome.MISS, 424, reason="never recorded")


def noted(journal: Journal, *entries: Entry) -> Journal:
    for entry in entries:
        journal.note(entry)
    return journal


def test_an_entry_is_numbered_and_says_when_what_and_what_became_of_it() -> None:
    journal = noted(Journal(), Entry(1, None, "GET", b"/v1/\xff", Outcome.MISS, 424, reason="never recorded"))
    assert journal.entries() == [
        {
            "number": 1,
            "at": "1970-01-01T00:00:00.000001Z",
            "session": None,
            "method": "GET",
            "target": "/v1/\\xff",
            "outcome": "miss",
            "status": 424,
            "exchange": None,
            "reason": "never recorded",
            "skipped": [],
            "reordered": False,
            "in_doubt": None,
            "follows": None,
            "assumed": {},
        }
    ]
    assert journal.tallies == {}


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 600)), max_size=30))
def test_a_hit_is_noted_as_any_entry_is(hits: list[tuple[str, int]]) -> None:
    journal, other = Journal(bound=10, sessions=2), Journal(bound=10, sessions=2)
    for entry in (hit(*one) for one in hits):
        journal.hit(entry)
        other.note(entry)
    for noted in (journal, other):
        assert list(noted.total.served) == sorted({number for _, number in hits})
        assert noted.total.outcomes[Outcome.HIT] == len(hits)
    assert (journal.entries(), journal.unlisted) == (other.entries(), other.unlisted)
    for name, tally in journal.tallies.items():
        assert list(tally.served) == list(other.tallies[name].served)
        assert tally.outcomes == other.tallies[name].outcomes


def test_the_last_entries_are_noted_the_oldest_first() -> None:
    several = [hit(exchange=number) for number in (1, 2, 3)]
    journal = noted(Journal(bound=2), *several)
    assert journal.noted() == several[1:]


def test_a_hit_that_has_more_to_tell_is_noted_in_full() -> None:
    journal = Journal()
    journal.hit(Entry(0, "a", "POST", b"/v1/x", Outcome.HIT, 201, ExchangeNumber(3), skipped=(ExchangeNumber(2),)))
    journal.hit(Entry(0, "a", "POST", b"/v1/x", Outcome.HIT, 201, ExchangeNumber(4), assumed=(("x", "y"),)))
    journal.hit(Entry(0, "a", "POST", b"/v1/x", Outcome.HIT, 201, ExchangeNumber(5), reordered=True))
    tally = journal.tallies["a"]
    assert (list(tally.skipped), list(tally.reordered), tally.assumed) == ([2], [5], {"x": "y"})
    assert list(tally.served) == [3, 4, 5]
    assert journal.entries()[-2]["assumed"] == {"x": "y"}


def test_what_was_in_doubt_is_counted() -> None:
    journal = noted(Journal(), replace(miss(), in_doubt=ExchangeNumber(4)), replace(miss(), in_doubt=ExchangeNumber(4)))
    assert list(journal.tallies["a"].in_doubt) == [4]
    assert [entry["in_doubt"] for entry in journal.entries()] == [4, 4]


def test_the_last_entries_are_kept_and_all_are_counted() -> None:
    journal = noted(Journal(bound=2), hit(), hit(), hit())
    assert [entry["number"] for entry in journal.entries()] == [2, 3]
    assert (journal.count, journal.tallies["a"].outcomes[Outcome.HIT]) == (3, 3)


def test_a_journal_may_keep_no_entry_at_all() -> None:
    journal = noted(Journal(bound=0), hit())
    assert (journal.entries(), journal.count) == ([], 1)


def test_entries_can_be_those_of_a_session_and_the_last_few() -> None:
    journal = noted(Journal(), hit("a"), hit("b"), hit("a"), hit("a"))
    assert [entry["number"] for entry in journal.entries("a")] == [1, 3, 4]
    assert [entry["number"] for entry in journal.entries("a", 2)] == [3, 4]
    assert [entry["number"] for entry in journal.entries(limit=3)] == [2, 3, 4]
    assert journal.entries("c") == journal.entries(limit=0) == []


def test_a_tally_counts_outcomes_equal_misses_and_what_was_served() -> None:
    journal = noted(Journal(), hit(exchange=7), hit(exchange=7), miss(), miss(target=b"/v1/y"), miss())
    tally = journal.tallies["a"]
    assert tally.outcomes == {"hit": 2, "miss": 3}
    assert tally.misses == {Kind("GET /v1/y", "never recorded"): 1, Kind("GET /v1/x", "never recorded"): 2}
    assert (len(tally.served), ExchangeNumber(7) in tally.served) == (1, True)


def test_what_was_recorded_is_not_served() -> None:
    journal = noted(Journal(), Entry(0, "a", "GET", b"/v1/x", Outcome.RECORDED, 200, ExchangeNumber(7)))
    assert len(journal.tallies["a"].served) == 0


def test_the_last_hundred_different_misses_are_kept_and_all_are_counted() -> None:
    journal = noted(Journal(), *(miss(target=b"/%d" % number) for number in range(150)))
    tally = journal.tallies["a"]
    assert list(tally.misses) == [Kind(f"GET /{number}", "never recorded") for number in range(50, 150)]
    assert tally.outcomes[Outcome.MISS] == 150


def test_of_too_many_misses_those_go_first_that_follow_from_others() -> None:
    first, second, *more = (replace(miss(target=b"/%d" % number), follows="POST /") for number in range(150))
    journal = noted(Journal(), miss(target=b"/"), first, second, *more, *(miss(target=b"/y%d" % n) for n in range(100)))
    tally = journal.tallies["a"]
    assert [kind for kind in tally.misses if kind.follows] == []
    assert tally.following == journal.total.following == 150
    assert journal.entries()[1]["follows"] == "POST /"


def test_beyond_the_bound_the_tally_of_the_session_used_longest_ago_goes_and_the_total_stays() -> None:
    journal = noted(Journal(sessions=2), hit("a"), hit("b"), hit("a"), hit("c"))
    assert list(journal.tallies) == ["a", "c"]
    assert (journal.unlisted, journal.total.outcomes[Outcome.HIT]) == (1, 4)

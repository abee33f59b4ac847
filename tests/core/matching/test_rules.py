from chatproxy.core.matching.rules import Rules


def test_rules_have_one_fingerprint_for_one_meaning() -> None:
    assert Rules(("X-A", "x-b")).fingerprint == Rules(("x-b", "x-a", "X-A")).fingerprint
    assert len({Rules().fingerprint, Rules(("x-a",)).fingerprint, Rules(("x-a", "x-b")).fingerprint}) == 3
    assert len(Rules().fingerprint) == 8


IGNORING = Rules(ignore=frozenset({("", "From"), ("POST Messages", "Body")}))


def test_rules_that_ignore_others_have_other_fingerprints() -> None:
    rules = [Rules(), IGNORING, Rules(ignore=frozenset({("", "Body")})), Rules(("Body",))]
    assert len({one.fingerprint for one in rules}) == len(rules)

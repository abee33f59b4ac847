from chatproxy.core.text.wording import counted


def test_one_is_no_plural() -> None:
    assert [counted(count, "miss-up") for count in (0, 1, 2)] == ["0 miss-ups", "1 miss-up", "2 miss-ups"]
    assert counted(1) == "1 exchange"

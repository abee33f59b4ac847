from chatproxy.core.leaks.personal import emails, national_phones, phones


def test_a_number_within_a_country_begins_where_its_digits_do() -> None:
    text = b'"mobile_number": "4155552671" (415) 555-2671'
    assert [text[start:end] for start, end in national_phones(text)] == [b"4155552671", b"(415) 555-2671"]


def test_numbers_and_addresses_that_are_set_aside_are_not_found() -> None:
    assert list(phones(b"+1 212 555 0100, +999 00000000000")) == []
    assert list(national_phones(b"212-555-0100, (212) 555-0199, 03/11/2024 14:05")) == []
    assert list(emails(b"a@example.com git@github.com icon@3x.webp")) == []


def test_a_number_of_too_few_digits_or_too_many_is_none() -> None:
    assert list(phones(b"+1 2 34, +49 1234567890 123456789")) == []

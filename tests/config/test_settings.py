from dataclasses import fields
from pathlib import Path

import pytest

from chatproxy.config.settings import SETTINGS, Settings, load, private
from chatproxy.config.values import FREE, Address
from chatproxy.core.errors import ConfigError


def test_the_table_and_the_settings_have_the_same_names() -> None:
    assert [setting.name.replace("-", "_") for setting in SETTINGS] == [field.name for field in fields(Settings)]


def test_every_default_is_readable(tmp_path: Path) -> None:
    settings = load({}, {}, tmp_path)
    assert settings.listen == Address("127.0.0.1", 8765)
    assert settings.sandbox_listen == Address("127.0.0.1", 8766)
    assert settings.store == Path(".chatproxy")
    assert settings.upstream_ca is None
    assert settings.match_headers == ()


def test_a_flag_goes_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    environ = {"CHATPROXY_MAX_BODY": "2", "CHATPROXY_MAX_HEADER": "2000"}
    (tmp_path / "chatproxy.toml").write_text("max-body = 3\nmax-header = 3000\nmax-connections = 30\n")
    settings = load({"max-body": "1"}, environ, tmp_path)
    assert (settings.max_body, settings.max_header, settings.max_connections) == (1, 2000, 30)
    assert settings.client_timeout == 60


def test_the_file_may_be_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.chatproxy]\nmatch_headers = ["X-A", "X-B"]\n')
    assert load({}, {}, tmp_path).match_headers == ("X-A", "X-B")


def test_chatproxy_toml_goes_over_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.chatproxy]\nmax-body = 1\n")
    (tmp_path / "chatproxy.toml").write_text("max-body = 2\n")
    assert load({}, {}, tmp_path).max_body == 2


def test_a_pyproject_of_others_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nmax-body = 1\n")
    assert load({}, {}, tmp_path).max_body == 16777216


def test_the_source_may_be_the_environment_or_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, {"CHATPROXY_MAX_BODY": "x"}, tmp_path)
    assert caught.value.source == "CHATPROXY_MAX_BODY"
    (tmp_path / "chatproxy.toml").write_text("max-body = []")
    with pytest.raises(ConfigError) as caught:
        load({}, {}, tmp_path)
    assert caught.value.source == "chatproxy.toml: max-body"


def test_an_unknown_variable_is_refused_as_an_unknown_key_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^CHATPROXY_MAXBODY: is no setting, the nearest is CHATPROXY_MAX_BODY;"):
        load({}, {"CHATPROXY_MAXBODY": "1"}, tmp_path)


A, B, OTHER = "CH" + "a" * 32, "CH" + "b" * 32, "IM" + "c" * 32


@pytest.mark.parametrize("name", ["keep", "bind"])
@pytest.mark.parametrize("raw", ["CHx", f"{A}={OTHER}", [1], 7, f"{A}={B},{A}={A}", {A: 1}, f"{A}={B}=", ["x"]])
def test_what_is_no_sid_and_no_pair_of_sids_is_refused(name: str, raw: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"--{name}"):
        load({name: raw}, {}, tmp_path)


def test_sids_to_keep_and_to_bind_are_read_from_flags_and_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text(f'keep = ["IM", "{A}"]\nbind = {{ {A} = "{B}" }}\n')
    for settings in (load({}, {}, tmp_path), load({"keep": f"IM,{A}", "bind": f"{A}={B}"}, {}, tmp_path / "none")):
        assert settings.keep == {"IM", A}
        assert settings.bind == {A: B}


def test_several_sids_may_stand_for_one_and_none_says_that_nothing_is_assumed(tmp_path: Path) -> None:
    assert load({"bind": f"{A}={A},{B}={A}"}, {}, tmp_path).bind == {A: A, B: A}
    assert load({"bind": "none"}, {}, tmp_path).bind == {"none": ""}


IM, CH = ("IM" + "1" * 32, "IM" + "2" * 32), ("CH" + "1" * 32, "CH" + "2" * 32)
LISTS: dict[str, tuple[str, str]] = {
    "keep": ("IM,CH", "US"),
    "bind": ("=".join(IM), "=".join(CH)),
    "match-headers": ("x-a,x-b", "x-c"),
    "ignore": ("Body", "Now"),
    "scrub": ('[{"field": "a", "drop": true}]', '[{"field": "b", "drop": true}, {"field": "c", "drop": true}]'),
    "allow": ("3f2a,a.*", "b.*"),
    "allow-host": ("One,[::2]", "two"),
    "others": ("One", "two"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_given_in_several_flags_has_what_is_in_each(name: str, tmp_path: Path) -> None:
    first, second = LISTS[name]

    def read(*texts: str) -> object:
        value = getattr(load({name: texts}, {}, tmp_path), name.replace("-", "_"))
        return value if isinstance(value, frozenset | dict) else tuple(value)

    one, other = read(first), read(second)
    if isinstance(one, tuple):
        assert read(first, second) == (*one, *other)  # type: ignore[misc]
    else:
        assert read(first, second) == one | other  # type: ignore[operator]
    assert getattr(load({name: (first,)}, {}, tmp_path), name.replace("-", "_")) == getattr(
        load({name: first}, {}, tmp_path), name.replace("-", "_")
    )


def test_every_list_may_be_given_in_several_flags() -> None:
    """What takes several at once, takes them in several flags too."""
    assert {setting.name for setting in SETTINGS if setting.joined} == set(LISTS)
    for setting in SETTINGS:
        if setting.metavar and setting.name not in LISTS:
            assert "separated" not in setting.help


def test_what_contradicts_itself_in_several_flags_is_refused(tmp_path: Path) -> None:
    for name, texts, reason in (
        ("bind", (f"{IM[0]}={IM[1]}", f"{IM[0]}={IM[0]}"), "a SID stands twice"),
        ("scrub", ("[]", "{}"), "is no list of rules"),
        ("scrub", ("[]", "["), "is no JSON"),
    ):
        with pytest.raises(ConfigError, match=f"^--{name}: {reason}"):
            load({name: texts}, {}, tmp_path)


def test_a_server_for_one_program_is_nobody_elses(tmp_path: Path) -> None:
    given = {"listen": ":8765", "public-url": "https://chat.example", "control-token": "a-token-of-24-characters"}
    settings = private(load({**given, "control-token-file": "token", "seed": 3}, {}, tmp_path))
    assert (settings.listen, settings.public_url, settings.seed) == (FREE, None, 3)
    assert (settings.control_token, settings.control_token_file) == (None, None)


@pytest.mark.parametrize("raw", ["chat.example", "https://chat.example/path", "https://", "ftp://chat.example"])
def test_a_public_url_is_an_origin(raw: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--public-url: .* is no origin as https://HOST"):
        load({"public-url": raw}, {}, tmp_path)

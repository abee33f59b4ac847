import pytest

from chatproxy.config.setting import Setting
from chatproxy.config.values import whole
from chatproxy.core.errors import ConfigError


def setting(name: str) -> Setting:
    return Setting(name, whole(1, "number"), None, "N", "what it is for")


def test_a_setting_has_one_name_in_three_spellings() -> None:
    assert (setting("max-body").flag, setting("max-body").variable) == ("--max-body", "CHATPROXY_MAX_BODY")


def test_a_setting_of_the_sandbox_is_called_on_the_command_line_as_the_proxys_is() -> None:
    assert (setting("sandbox-listen").flag, setting("sandbox-listen").variable) == (
        "--listen",
        "CHATPROXY_SANDBOX_LISTEN",
    )


def test_what_is_not_given_is_none_and_what_cannot_be_is_refused_at_its_place() -> None:
    assert setting("seed").value("--seed", None) is None
    assert setting("seed").value("--seed", "3") == 3
    with pytest.raises(ConfigError, match=r"^chatproxy\.toml: seed: .* is no number of at least 1$"):
        setting("seed").value("chatproxy.toml: seed", "0")


def test_a_flag_that_is_repeated_is_a_list_where_its_value_is_one() -> None:
    assert setting("seed").joined is None
    joined = setting("allow-host").joined
    assert joined is not None
    assert joined(("a", "b,c")) == "a,b,c"

import tomllib

from core.sid_programs import ACCOUNT, CHANNEL, CREATE, RULES, SERVICE, cassette

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.show.known_sids import bind_block

BLOCK = f"""# tour: put this environment's SIDs in front, and leave out what is the same.
[bind]
# CHca765a4cadaca3670000000000000001, below {SERVICE}, from CHANNEL
# CH... = "{CHANNEL}"
# ISca765a4cadaca3670000000000000001
# IS... = "{SERVICE}\""""


def test_each_known_sid_is_a_line_of_toml_with_what_it_is() -> None:
    recorded = MemoryCassette("tour", list(cassette(CREATE)), RULES, None, {CHANNEL: "CHANNEL"})
    block = bind_block(recorded)
    assert block == BLOCK
    assert tomllib.loads(block) == {"bind": {}}
    assert ACCOUNT not in block
    filled = block.replace("# CH... =", f"CH{'e' * 32} =")
    assert tomllib.loads(filled) == {"bind": {f"CH{'e' * 32}": CHANNEL}}

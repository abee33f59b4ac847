from chatproxy.core.model import NO_EXCHANGE
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.states import Where


def test_the_numbers_of_roles_are_stored() -> None:
    assert [(role.name, role.value) for role in Role] == [
        ("READ", 1),
        ("WRITE", 2),
        ("REFUSAL", 3),
        ("CHALLENGE", 4),
        ("DOUBTFUL", 5),
        ("ABANDONED", 6),
    ]


def test_most_exchanges_do_nothing_and_stand_in_no_exception() -> None:
    standing = Standing(Role.READ, Where((), 1, False), (2,))
    assert (standing.done, standing.step, standing.with_, standing.without) == (None, NO_EXCHANGE, (), ())

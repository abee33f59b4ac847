"""How much is tried: the profile that conftest.py loads, or ``--hypothesis-profile thorough``."""

from hypothesis import HealthCheck, settings

# No example has a time limit, since how long one takes says more of the machine than of the code. In `ci` the examples
# are the same in each run, so that what fails is what was changed and coverage does not hang on luck; `thorough` looks
# for new ones, and for many.
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("ci"), derandomize=False, max_examples=1000, print_blob=True)

_USUAL = settings.get_profile("ci").max_examples


def many(count: int) -> int:
    """Return how many of these to try that ``ci`` tries so often."""
    current: int = settings.default.max_examples if settings.default else _USUAL
    return count * current // _USUAL

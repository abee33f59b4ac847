"""What holds for all tests: no example has a time limit, since how long one takes says more of the machine."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

from hypothesis import HealthCheck, settings

# Examples are small; on a busy machine the time they take says nothing.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

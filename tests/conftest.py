"""What holds for every test: property tests stay modest, and no machine is too slow for them."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "pellucid", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("pellucid")

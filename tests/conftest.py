"""Settings of all tests: an example may take as long as a busy machine needs."""

from hypothesis import settings

settings.register_profile("relayloom", deadline=None)
settings.load_profile("relayloom")

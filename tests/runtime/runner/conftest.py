"""The suite below `sdk` runs in an environment of its own: test_official_sdk.py starts it."""

collect_ignore = ["sdk"]

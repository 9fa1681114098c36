"""What nothing refers to any more in a bucket, and its removal: artifacts, records of weights."""

"""What is known of content that is not on this machine, and what of it the store can copy."""

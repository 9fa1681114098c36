"""SHA-256 and CRC-32 of files, and what is kept of them."""

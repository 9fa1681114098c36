"""What is found in the files that a manifest names: secrets, and lists in other forms."""

"""What is packaged for which platform: a package a target."""

"""What clarifai 9.x and 10.x left: their commands, and import."""

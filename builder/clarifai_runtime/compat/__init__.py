"""What files written for clarifai 9.7 to 10.x import: classes, parameters, and the old names."""

"""The files of an artifact, and its zip as a function of them."""

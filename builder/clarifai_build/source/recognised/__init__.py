"""What folders of other tools are, by what is in them; `folders` is for the walk to import."""

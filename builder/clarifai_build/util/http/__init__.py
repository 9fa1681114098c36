"""HTTP that a server can not draw out: `deadline` bounds a call, `redirects` are not read."""

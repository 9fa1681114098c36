"""Which files stay out by their paths: Git's rules, the user's and the defaults, in `ignore`."""

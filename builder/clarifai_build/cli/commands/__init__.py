"""One file a command, each with `configure(parser)` and `run(args, console)`."""

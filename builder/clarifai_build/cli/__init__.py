"""The command line: argv in, streams and an exit code out. One file a command."""

"""What knows nothing of models: files, text, threads, Git."""

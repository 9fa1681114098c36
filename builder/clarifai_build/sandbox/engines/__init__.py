"""Real engines as child processes: SeaweedFS, Triton, and the environments they need."""

"""Child processes and what they see: `children`, `child_environment`, `scratch_folder`."""

"""Requirements files, read as pip reads them; `reader` and `inlined` are for others to import."""

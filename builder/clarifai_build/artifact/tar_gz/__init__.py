"""The tar.gz of a runner model: its bytes, what stands between them, and how one is read.

`tar_format` and `gzip_stored` are the formats, `tar_reader` takes what others may have changed.
"""

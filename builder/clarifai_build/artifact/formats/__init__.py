"""The bytes of an artifact: zip, and tar in gzip; as they are made, and as they are read back.

`zip_format` and `tar_format` are the records, `framed_tar` a tar in stored blocks of gzip, which
`util.gzip_stored` has; the readers and the audits take what others may have changed.
"""

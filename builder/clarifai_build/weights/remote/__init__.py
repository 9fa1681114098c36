"""Where weights come from: s3://, http(s):// and, through fsspec, hf://, each from any offset."""

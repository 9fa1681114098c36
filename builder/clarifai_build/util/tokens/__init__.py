"""What secrets look like: in text (`patterns`, sought by `search`) and by names of files.

`readings` are the texts that bytes may be read as. Output is masked by `util.redaction`.
"""

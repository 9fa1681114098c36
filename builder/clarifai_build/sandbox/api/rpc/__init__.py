"""The calls of clarifai.api.V2, a file a kind of thing."""

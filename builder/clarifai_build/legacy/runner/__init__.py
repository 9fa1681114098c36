"""A model of Clarifai's runners, as its config.yaml and its class have it: an import reads both."""

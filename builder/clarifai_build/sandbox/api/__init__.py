"""A gRPC server that speaks clarifai.api.V2, with a real Triton behind it."""

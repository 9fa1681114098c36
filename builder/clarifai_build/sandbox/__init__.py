"""A local S3, Clarifai API and Triton, real ones, for trying the whole way without a cloud."""

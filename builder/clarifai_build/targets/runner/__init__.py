"""Generated files of a model for Clarifai's runners, and what the platform is told beside them."""

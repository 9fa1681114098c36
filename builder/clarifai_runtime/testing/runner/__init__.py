"""How the predefined tests ask a runner model. Its environment holds clarifai."""

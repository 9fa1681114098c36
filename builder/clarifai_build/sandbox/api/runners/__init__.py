"""Models of Clarifai's runners: checked, built, and served by the official runner process."""

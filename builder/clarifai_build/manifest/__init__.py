"""What a clarifai.yaml says, as typed values with places in the file."""

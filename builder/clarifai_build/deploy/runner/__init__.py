"""What only runners need: compute for a deployment, and the output of a build."""

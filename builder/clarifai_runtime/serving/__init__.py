"""What Triton's Python backend calls: requests in, responses out, grouped and checked between."""

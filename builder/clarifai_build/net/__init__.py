"""HTTP and S3 as they are spoken, and their errors in our words."""

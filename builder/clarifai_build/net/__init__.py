"""HTTP and S3 clients, and their errors in the words of this tool."""

"""Results as text, JSON, GitHub annotations and SARIF."""

"""What only runner models need of the platform: uploads, build logs, deployments and compute."""

"""What runners are deployed on: clusters, nodepools, instance types, and the deployments."""

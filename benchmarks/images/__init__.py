"""The same for container images: virtreg, docker-registry as a proxy, drayage, and the upstream."""

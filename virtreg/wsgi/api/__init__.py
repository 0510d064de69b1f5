"""The management API below ``/api/v4``: what GitLab documents for virtual registries, and more."""

"""Manifests, signatures, sealed folders and their verification; nothing here renders."""

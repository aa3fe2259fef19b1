"""Hashing, key pairs, addresses, VRF."""

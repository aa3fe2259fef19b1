"""Base-16 Patricia-Merkle trie."""

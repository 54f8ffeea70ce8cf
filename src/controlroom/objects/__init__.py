"""Files by the hash of their content, in a folder or a bucket; and the signed links by which they are fetched."""

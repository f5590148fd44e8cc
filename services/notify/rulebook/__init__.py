"""Who is told what, when and in which words: an office's own files, and what reads them."""

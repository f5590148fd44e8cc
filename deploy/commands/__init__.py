"""The subcommands of ``jejak``, one module per subject."""

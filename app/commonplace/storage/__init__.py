"""What every store of truth needs: versions, backups, and where a disk is."""

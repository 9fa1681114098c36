"""An artifact into a bucket: at once or in parts, resumed where it was interrupted."""
